package io.github.rdsign.postgresql;

import org.postgresql.ssl.WrappedFactory;

import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * Trusts only the certificate authorities of RDS, Aurora and RDS Proxy, which are in this JAR. Use
 * it as pgjdbc's {@code sslfactory}, instead of {@code sslrootcert}.
 *
 * <p>It does not verify the server's name: pgjdbc does that with {@code sslmode=verify-full}.
 */
public final class RdsSslSocketFactory extends WrappedFactory {
    /** Makes a factory. pgjdbc calls this constructor. */
    public RdsSslSocketFactory() {
        factory = Trusting.FACTORY;
    }

    /** Reads the authorities at the first connection, and not earlier: there are 92. */
    private static final class Trusting {
        static final SSLSocketFactory FACTORY = make();

        private static SSLSocketFactory make() {
            try (InputStream bundle = RdsSslSocketFactory.class.getResourceAsStream("rds.pem")) {
                KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
                authorities.load(null, null);
                int number = 0;
                for (Certificate authority :
                        CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                    authorities.setCertificateEntry("rds-" + number++, authority);
                }
                TrustManagerFactory trust =
                        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(authorities);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trust.getTrustManagers(), null);
                return context.getSocketFactory();
            } catch (GeneralSecurityException | IOException failure) {
                throw new IllegalStateException("cannot read rds.pem in the JAR", failure);
            }
        }
    }
}
