package io.github.rdsign.postgresql;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.Properties;

import javax.net.SocketFactory;

/**
 * Dials the address that the URL's parameter {@value #PARAMETER} gives, whatever host the URL
 * names:
 *
 * <pre>
 * jdbc:postgresql://mydb.abc123.eu-central-1.rds.amazonaws.com/postgres?...
 *     &amp;socketFactory=io.github.rdsign.postgresql.DialSocketFactory&amp;rdsignDial=localhost:15432
 * </pre>
 *
 * <p>So a tunnel, an alias or a server on this machine is reached, while the token is signed for
 * the endpoint's own name and {@code verify-full} asks for a certificate of that name.
 */
public final class DialSocketFactory extends SocketFactory {
    static final String PARAMETER = "rdsignDial";

    private final String host;
    private final int port;

    /**
     * Made by pgjdbc.
     *
     * @param info with the parameter {@value #PARAMETER}, as HOST:PORT
     * @throws IllegalArgumentException if it is missing or is something else
     */
    public DialSocketFactory(Properties info) {
        String address = info.getProperty(PARAMETER);
        int colon = address == null ? -1 : address.lastIndexOf(':');
        int number = -1;
        try {
            number = colon < 1 ? -1 : Integer.parseInt(address.substring(colon + 1));
        } catch (NumberFormatException notOne) {
            // Refused below.
        }
        if (number < 1 || number > 65535) {
            throw new IllegalArgumentException(
                    PARAMETER
                            + ": "
                            + (address == null ? "none is given" : address)
                            + "; accepted: HOST:PORT");
        }
        host = address.substring(0, colon);
        port = number;
    }

    @Override
    public Socket createSocket() {
        return new Elsewhere(host, port);
    }

    @Override
    public Socket createSocket(String ignored, int ignoredToo) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(String ignored, int ignoredToo, InetAddress local, int localPort)
            throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(InetAddress ignored, int ignoredToo) throws IOException {
        return connected();
    }

    @Override
    public Socket createSocket(
            InetAddress ignored, int ignoredToo, InetAddress local, int localPort)
            throws IOException {
        return connected();
    }

    private Socket connected() throws IOException {
        Socket socket = createSocket();
        socket.connect(null);
        return socket;
    }

    /** A socket that connects to where it was told first. */
    private static final class Elsewhere extends Socket {
        private final String host;
        private final int port;

        Elsewhere(String host, int port) {
            this.host = host;
            this.port = port;
        }

        @Override
        public void connect(SocketAddress ignored) throws IOException {
            connect(ignored, 0);
        }

        @Override
        public void connect(SocketAddress ignored, int timeout) throws IOException {
            super.connect(new InetSocketAddress(host, port), timeout);
        }
    }
}
