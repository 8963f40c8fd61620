import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.Executors;

/** hello: a pool of one thread for each connection, which nobody shuts down: its thread waits for ever. */
public class HelloPoolEach {
    private static final byte[] ANSWER = "Hello Node!\n".getBytes(StandardCharsets.US_ASCII);
    private static final int LIMIT = 65536;

    public static void main(String[] args) throws IOException {
        new Timer(true).schedule(new TimerTask() {
            @Override
            public void run() {
                Runtime.getRuntime().halt(0);
            }
        }, 600_000);
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(args[1]), 128, InetAddress.getByName(args[0]))) {
            while (true) {
                Socket socket = listener.accept();
                Executors.newFixedThreadPool(1).execute(() -> serve(socket));
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            InputStream in = new BufferedInputStream(socket.getInputStream());
            String line;
            while ((line = readLine(in)) != null) {
                out.write(ANSWER);
                if (line.equals("STOP")) {
                    finish(socket);
                    return;
                }
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    /** A line without its ending; null at the end of stream. What is too long or no UTF-8 is an error. */
    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next;
        while ((next = in.read()) != '\n') {
            if (next < 0) {
                return null;
            }
            if (line.size() == LIMIT) {
                throw new IOException("a line of more than 64 KiB");
            }
            line.write(next);
        }
        String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.toByteArray())).toString();
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    /** Our end of stream, then the client's: to close with bytes unread would be a reset. */
    private static void finish(Socket socket) throws IOException {
        socket.shutdownOutput();
        socket.setSoTimeout(1000);
        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }
}
