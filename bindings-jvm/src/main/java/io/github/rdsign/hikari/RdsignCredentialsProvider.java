package io.github.rdsign.hikari;

import com.zaxxer.hikari.HikariCredentialsProvider;
import com.zaxxer.hikari.util.Credentials;

import io.github.rdsign.Signer;

import java.util.Objects;

/**
 * Returns a user and a new token for each connection of a HikariCP 7 pool:
 *
 * <pre>{@code
 * config.setCredentialsProvider(new RdsignCredentialsProvider(signer));
 * }</pre>
 *
 * <p>It does not configure TLS: add pgjdbc's {@code sslmode=verify-full} and {@code
 * sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory} to the JDBC URL. Older versions of
 * HikariCP do not have this interface; {@link io.github.rdsign.postgresql.RdsignDataSource} works
 * with every version.
 */
public final class RdsignCredentialsProvider implements HikariCredentialsProvider {
    private final Signer signer;

    /**
     * Makes a provider for the user of a signer.
     *
     * @param signer the signer, which the caller closes
     */
    public RdsignCredentialsProvider(Signer signer) {
        this.signer = Objects.requireNonNull(signer, "signer is null");
    }

    @Override
    public Credentials getCredentials() {
        return Credentials.of(signer.username(), signer.password());
    }
}
