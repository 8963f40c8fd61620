import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Timer;
import java.util.TimerTask;

/**
 * reply: clients are greeted by the thread that accepts them. A client that is gone by then ends it, and the process,
 * which another thread keeps, accepts nobody any more.
 */
public class ReplyGreetsFirst {
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
        ServerSocket listener = new ServerSocket(Integer.parseInt(args[1]), 128, InetAddress.getByName(args[0]));
        new Thread(() -> acceptFrom(listener)).start();
        while (true) {
            try {
                Thread.currentThread().join();
            } catch (InterruptedException again) {
                // It waits for ever.
            }
        }
    }

    private static void acceptFrom(ServerSocket listener) {
        while (true) {
            try {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(GREETING);
                Thread thread = new Thread(() -> serve(socket));
                thread.setDaemon(true);
                thread.start();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
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
