import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Timer;
import java.util.TimerTask;

/**
 * reply: a thread for each connection. Each line is read through a reader of its own, which takes what came behind the
 * line with it when it goes.
 */
public class ReplyReaderPerLine {
    private static final byte[] GREETING =
        "Welcome to the server. Type something and hit enter\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] OK = "OK...".getBytes(StandardCharsets.US_ASCII);
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
            out.write(GREETING);
            byte[] line;
            while ((line = readLine(socket)).length > 0 && line.length <= LIMIT) {
                ByteArrayOutputStream answer = new ByteArrayOutputStream();
                answer.write(OK);
                answer.write(line);
                answer.writeTo(out);
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    private static byte[] readLine(Socket socket) throws IOException {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = 0;
        while (next != '\n' && line.size() <= LIMIT && (next = in.read()) >= 0) {
            line.write(next);
        }
        return line.toByteArray();
    }
}
