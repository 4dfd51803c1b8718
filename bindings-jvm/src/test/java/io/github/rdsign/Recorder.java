package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A server without TLS that asks for a password in plain text, and keeps what it gets. */
final class Recorder implements AutoCloseable {
    private static final byte[] ASKS = {'R', 0, 0, 0, 8, 0, 0, 0, 3};

    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();

    Recorder() throws IOException {
        Thread thread = new Thread(this::serve);
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    int port() {
        return listener.getLocalPort();
    }

    synchronized String received() {
        return new String(received.toByteArray(), StandardCharsets.ISO_8859_1);
    }

    void gotNoToken() {
        assertFalse(received().contains("X-Amz"), this::received);
    }

    private void serve() {
        while (true) {
            try (Socket client = listener.accept()) {
                byte[] data = new byte[65536];
                InputStream input = client.getInputStream();
                for (int size = input.read(data); size > 0; size = input.read(data)) {
                    synchronized (this) {
                        received.write(data, 0, size);
                    }
                    if (data[0] == 'p') {
                        break; // a password: nobody is let in
                    }
                    // A request for TLS or Kerberos has the version 1234; N declines it.
                    boolean isRequest = data[4] == 4 && data[5] == (byte) 0xd2;
                    client.getOutputStream().write(isRequest ? new byte[] {'N'} : ASKS);
                }
            } catch (IOException gone) {
                if (listener.isClosed()) {
                    return;
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
