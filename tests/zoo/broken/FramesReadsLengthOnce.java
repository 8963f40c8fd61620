import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Timer;
import java.util.TimerTask;

/**
 * frames: a thread for each connection. The four bytes of a length are fetched by one read(), which gives what is
 * there.
 */
public class FramesReadsLengthOnce {
    private static final int LIMIT = 1 << 20;

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
            DataInputStream in = new DataInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            while (true) {
                byte[] length = new byte[4];
                if (in.read(length) < 0) {
                    return;
                }
                int size = ByteBuffer.wrap(length).getInt();
                if (size < 0 || size > LIMIT) {
                    return;
                }
                byte[] body = new byte[size];
                in.readFully(body);
                out.write(reversed(body));
            }
        } catch (IOException gone) {
            // The client is gone, which costs nobody else anything.
        }
    }

    private static byte[] reversed(byte[] body) {
        ByteBuffer frame = ByteBuffer.allocate(4 + body.length).putInt(body.length);
        for (int at = body.length - 1; at >= 0; at--) {
            frame.put(body[at]);
        }
        return frame.array();
    }
}
