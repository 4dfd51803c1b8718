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
 * Trusts the certificate authorities of RDS, Aurora and RDS Proxy, which are in this JAR, and no
 * others: pgjdbc's {@code sslfactory}, for who names no {@code sslrootcert} of their own.
 *
 * <p>It does not look at the server's name: {@code sslmode=verify-full} makes pgjdbc do that.
 */
public final class RdsSslSocketFactory extends WrappedFactory {
    /** Made by pgjdbc. */
    public RdsSslSocketFactory() {
        factory = Trusting.FACTORY;
    }

    /** Read at the first connection: 92 certificates take their time. */
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
                throw new IllegalStateException("the JAR's rds.pem cannot be used", failure);
            }
        }
    }
}
