package io.github.rdsign.hikari;

import com.zaxxer.hikari.HikariCredentialsProvider;
import com.zaxxer.hikari.util.Credentials;

import io.github.rdsign.Signer;

import java.util.Objects;

/**
 * HikariCP 7 asks it for each physical connection:
 *
 * <pre>{@code
 * config.setCredentialsProvider(new RdsignCredentialsProvider(signer));
 * }</pre>
 *
 * <p>It says nothing about TLS: give pgjdbc's {@code sslmode=verify-full} in the JDBC URL. Older
 * versions of HikariCP have no such hook; {@link io.github.rdsign.postgresql.RdsignDataSource}
 * works with every version.
 */
public final class RdsignCredentialsProvider implements HikariCredentialsProvider {
    private final Signer signer;

    /**
     * Signs with that signer, for its user.
     *
     * @param signer which stays the caller's
     */
    public RdsignCredentialsProvider(Signer signer) {
        this.signer = Objects.requireNonNull(signer, "signer is null");
    }

    @Override
    public Credentials getCredentials() {
        return Credentials.of(signer.username(), signer.password());
    }
}
