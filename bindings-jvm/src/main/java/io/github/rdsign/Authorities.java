package io.github.rdsign;

import java.net.URL;

/**
 * The certificate authorities of RDS, Aurora and RDS Proxy, for drivers that rdsign has no class
 * for. {@link io.github.rdsign.postgresql.RdsignDataSource} and {@link
 * io.github.rdsign.postgresql.RdsSslSocketFactory} trust them already.
 */
public final class Authorities {
    private Authorities() {}

    /**
     * Returns where the authorities are in this JAR. If a driver needs a file, copy them:
     *
     * <pre>{@code
     * try (InputStream pem = Authorities.pem().openStream()) {
     *     Files.copy(pem, file);
     * }
     * }</pre>
     *
     * @return the address of a file in the PEM format
     */
    public static URL pem() {
        return Authorities.class.getResource("postgresql/rds.pem");
    }
}
