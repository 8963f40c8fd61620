import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ConcurrentHashMap;

/** kv: a thread for each connection. Bytes are turned into text and back: what is no UTF-8 is replaced. */
public class KvText {
    private static final int LIMIT = 65536;
    private static final Map<String, String> values = new ConcurrentHashMap<>();
    private static long idle = 30_000;

    public static void main(String[] args) throws IOException {
        new Timer(true).schedule(new TimerTask() {
            @Override
            public void run() {
                Runtime.getRuntime().halt(0);
            }
        }, 600_000);
        if (args.length > 3) {
            String number = args[3].replaceAll("[a-z]+$", "");
            idle = (long) (Double.parseDouble(number) * (args[3].endsWith("ms") ? 1 : 1000));
        }
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[1]), 128, InetAddress.getByName(args[0]))) {
            while (true) {
                Socket socket = listener.accept();
                Thread thread = new Thread(() -> serve(socket));
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            String request;
            while ((request = readRequest(socket, in)) != null) {
                out.write((answer(request.split(" ", 3)) + "\n").getBytes(StandardCharsets.UTF_8));
                if (request.equals("QUIT")) {
                    finish(socket);
                    return;
                }
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    /** A line without its ending; null at the end of stream. What is too late or too long is an error. */
    private static String readRequest(Socket socket, InputStream in) throws IOException {
        long deadline = System.nanoTime() + idle * 1_000_000;
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        int next;
        while (true) {
            socket.setSoTimeout((int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            next = in.read();
            if (next < 0) {
                return null;
            }
            if (next == '\n') {
                return request.toString(StandardCharsets.UTF_8);
            }
            if (request.size() == LIMIT) {
                throw new IOException("a request of more than 64 KiB");
            }
            request.write(next);
        }
    }

    private static String answer(String[] words) {
        if (words.length == 1) {
            return words[0].equals("QUIT") ? "BYE" : "ERR there are SET, GET, DEL and QUIT";
        }
        if (words[1].isEmpty()) {
            return "ERR there is no key";
        }
        if (words[0].equals("SET") && words.length == 3) {
            values.put(words[1], words[2]);
            return "OK";
        }
        if (words[0].equals("GET") && words.length == 2) {
            String value = values.get(words[1]);
            return value == null ? "NONE" : "VALUE " + value;
        }
        if (words[0].equals("DEL") && words.length == 2) {
            return values.remove(words[1]) == null ? "NONE" : "OK";
        }
        return "ERR there are SET, GET, DEL and QUIT";
    }

    /** Our end of stream, then the client's: to close with bytes unread would be a reset. */
    private static void finish(Socket socket) throws IOException {
        socket.shutdownOutput();
        socket.setSoTimeout(1000);
        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }
}
