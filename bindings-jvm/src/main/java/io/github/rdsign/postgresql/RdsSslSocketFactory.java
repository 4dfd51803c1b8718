package io.github.rdsign.postgresql;

import io.github.rdsign.Authorities;

import org.postgresql.ssl.WrappedFactory;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import java.util.Properties;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Trusts only the certificate authorities of RDS, Aurora and RDS Proxy, which are in this JAR, or
 * those in the PEM file that {@code sslrootcert} names. Use it as pgjdbc's {@code sslfactory}.
 *
 * <p>It does not verify the server's name: pgjdbc does that with {@code sslmode=verify-full}. If
 * the URL lists several hosts, it tells the plugin which of them pgjdbc dialed.
 */
public final class RdsSslSocketFactory extends WrappedFactory {
    /** In pgjdbc's parameters of one connection: the host and the port that it dialed. */
    private static final String DIALED = "io.github.rdsign.dialed";

    private final Properties info;
    private final String failure;

    /**
     * Makes a factory. pgjdbc calls this constructor.
     *
     * @param info the connection parameters, with an optional {@code sslrootcert}
     */
    public RdsSslSocketFactory(Properties info) {
        this.info = info;
        String file = info.getProperty("sslrootcert");
        String unreadable = null;
        if (file == null || file.isEmpty()) {
            factory = OfRds.FACTORY;
        } else {
            try (InputStream bundle = Files.newInputStream(Paths.get(file))) {
                factory = trusting(bundle);
            } catch (GeneralSecurityException | IOException | IllegalArgumentException failed) {
                unreadable =
                        "sslrootcert: cannot read "
                                + file
                                + " ("
                                + failed
                                + "); accepted: a PEM file with certificates";
            }
        }
        failure = unreadable;
    }

    /**
     * Starts TLS on a socket that pgjdbc has connected.
     *
     * @throws IOException if {@code sslrootcert} cannot be read, or if pgjdbc is too old for the
     *     plugin that the URL names; pgjdbc shows the message of no other exception
     */
    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
            throws IOException {
        if (failure != null) {
            throw new IOException(failure);
        }
        boolean wantsPlugin = !info.getProperty("authenticationPluginClassName", "").isEmpty();
        if (wantsPlugin && !hasPlugins()) {
            throw new IOException(
                    "authenticationPluginClassName: this version of pgjdbc ignores it; accepted:"
                            + " pgjdbc 42.3.2 or later, or RdsignDataSource");
        }
        info.setProperty(DIALED, host + " " + port);
        return super.createSocket(socket, host, port, autoClose);
    }

    /**
     * Returns the host and the port that pgjdbc dialed for the current attempt to connect, or those
     * of the URL, which may be lists. Each attempt starts TLS before it asks for a password.
     */
    static String[] dialed(Properties info) {
        String dialed = (String) info.remove(DIALED);
        boolean isOurs = RdsSslSocketFactory.class.getName().equals(info.getProperty("sslfactory"));
        if (isOurs && dialed != null) {
            return dialed.split(" ");
        }
        return new String[] {info.getProperty("PGHOST"), info.getProperty("PGPORT")};
    }

    private static boolean hasPlugins() {
        try {
            Class.forName(
                    "org.postgresql.plugin.AuthenticationPlugin",
                    false,
                    WrappedFactory.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException tooOld) {
            return false;
        }
    }

    private static SSLSocketFactory trusting(InputStream bundle)
            throws GeneralSecurityException, IOException {
        KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
        authorities.load(null, null);
        Collection<? extends Certificate> certificates =
                CertificateFactory.getInstance("X.509").generateCertificates(bundle);
        if (certificates.isEmpty()) {
            throw new IOException("no certificate in it");
        }
        int number = 0;
        for (Certificate authority : certificates) {
            authorities.setCertificateEntry("authority-" + number++, authority);
        }
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    /** Reads the authorities of RDS at the first connection, and not earlier: there are 92. */
    private static final class OfRds {
        static final SSLSocketFactory FACTORY = make();

        private static SSLSocketFactory make() {
            try (InputStream bundle = Authorities.pem().openStream()) {
                return trusting(bundle);
            } catch (GeneralSecurityException | IOException failure) {
                throw new IllegalStateException("cannot read rds.pem in the JAR", failure);
            }
        }
    }
}
