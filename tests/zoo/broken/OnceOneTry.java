import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Timer;
import java.util.TimerTask;

/**
 * echo-once: one loop, and one try around it. What fails with one client ends the loop, and with it the process, with
 * status 0.
 */
public class OnceOneTry {
    public static void main(String[] args) throws IOException {
        new Timer(true).schedule(new TimerTask() {
            @Override
            public void run() {
                Runtime.getRuntime().halt(0);
            }
        }, 600_000);
        ServerSocket listener = new ServerSocket(Integer.parseInt(args[1]), 128, InetAddress.getByName(args[0]));
        try (listener) {
            while (true) {
                try (Socket socket = listener.accept()) {
                    socket.setTcpNoDelay(true);
                    InputStream in = socket.getInputStream();
                    OutputStream out = socket.getOutputStream();
                    byte[] buffer = new byte[16384];
                    int count;
                    while ((count = in.read(buffer)) >= 0) {
                        out.write(buffer, 0, count);
                    }
                }
            }
        } catch (IOException error) {
            System.err.println(error);
        }
    }
}
