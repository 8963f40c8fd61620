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

/** reply: one thread, which serves a client to its end before it accepts the next. */
public class ReplyOneAtATime {
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
                serve(listener.accept());
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            out.write(GREETING);
            ByteArrayOutputStream line = start();
            int next;
            while ((next = in.read()) >= 0) {
                if (line.size() - OK.length == LIMIT) {
                    return;
                }
                line.write(next);
                if (next == '\n') {
                    line.writeTo(out);
                    line = start();
                }
            }
            if (line.size() > OK.length) {
                line.writeTo(out);
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    private static ByteArrayOutputStream start() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        line.write(OK);
        return line;
    }
}
