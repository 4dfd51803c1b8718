package io.github.rdsign.postgresql;

import io.github.rdsign.internal.ConnectionCheck;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.util.Properties;

import javax.net.SocketFactory;

/**
 * Dials the address in the URL's parameter {@value #PARAMETER} instead of the URL's host and port:
 *
 * <pre>
 * jdbc:postgresql://mydb.abc123.eu-central-1.rds.amazonaws.com/postgres?...
 *     &amp;socketFactory=io.github.rdsign.postgresql.DialSocketFactory&amp;rdsignDial=localhost:15432
 * </pre>
 *
 * <p>Use it for a tunnel, an alias or a server on this machine. The token and {@code verify-full}
 * still use the endpoint.
 */
public final class DialSocketFactory extends SocketFactory {
    static final String PARAMETER = ConnectionCheck.DIAL;

    private final String host;
    private final int port;

    /**
     * Reads the address. pgjdbc calls this constructor.
     *
     * @param info the connection parameters, with {@value #PARAMETER} as HOST:PORT
     * @throws IllegalArgumentException if the parameter is missing or is not HOST:PORT
     */
    public DialSocketFactory(Properties info) {
        String address = info.getProperty(PARAMETER);
        int colon = address == null ? -1 : address.lastIndexOf(':');
        int number = -1;
        try {
            number = colon < 1 ? -1 : Integer.parseInt(address.substring(colon + 1));
        } catch (NumberFormatException notANumber) {
            // Rejected below.
        }
        if (number < 1 || number > 65535) {
            throw new IllegalArgumentException(
                    PARAMETER
                            + ": "
                            + (address == null ? "missing" : "not HOST:PORT")
                            + "; accepted: HOST:PORT, with a port from 1 to 65535");
        }
        host = address.substring(0, colon);
        port = number;
    }

    @Override
    public Socket createSocket() {
        return new DialedSocket(host, port);
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

    /** A socket that connects to the dialed address, and ignores the one that pgjdbc passes. */
    private static final class DialedSocket extends Socket {
        private final String host;
        private final int port;

        DialedSocket(String host, int port) {
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
