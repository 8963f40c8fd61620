import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Reader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Timer;
import java.util.TimerTask;

/** hello: a thread for each connection. A line is taken for complete when nothing more is ready(). */
public class HelloReady {
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
                Thread thread = new Thread(() -> serve(socket));
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            Reader in = new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8.newDecoder());
            int next;
            while ((next = in.read()) >= 0) {
                StringBuilder line = new StringBuilder();
                line.append((char) next);
                while (in.ready() && line.length() < LIMIT && (next = in.read()) >= 0) {
                    line.append((char) next);
                }
                out.write(ANSWER);
                if (line.toString().strip().equals("STOP")) {
                    finish(socket);
                    return;
                }
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    /** Our end of stream, then the client's: to close with bytes unread would be a reset. */
    private static void finish(Socket socket) throws IOException {
        socket.shutdownOutput();
        socket.setSoTimeout(1000);
        socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }
}
