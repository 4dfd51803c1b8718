package io.github.rdsign.hikari;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariCredentialsProvider;
import com.zaxxer.hikari.util.Credentials;

import io.github.rdsign.Signer;
import io.github.rdsign.internal.ConnectionCheck;

import org.postgresql.Driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Properties;

/**
 * Returns a user and a new token for each connection of a HikariCP 7 pool:
 *
 * <pre>{@code
 * config.setCredentialsProvider(new RdsignCredentialsProvider(signer, config));
 * }</pre>
 *
 * <p>It does not configure TLS: the JDBC URL must name the signer's endpoint and set pgjdbc's
 * {@code sslmode=verify-full} and {@code
 * sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory}. Otherwise it returns no token.
 *
 * <p>HikariCP does not say which pool asks. So a provider is for one pool: set it only on the
 * configuration that it was made with. To reuse that configuration for another pool, set another
 * provider on it. The first pool keeps the URL and the provider that it was made with. Older
 * versions of HikariCP do not have this interface; {@link
 * io.github.rdsign.postgresql.RdsignDataSource} works with every version.
 */
public final class RdsignCredentialsProvider implements HikariCredentialsProvider {
    private static final String DEFAULTS = "org/postgresql/driverconfig.properties";

    private final Signer signer;
    private final HikariConfig config;

    /** Whether the configuration was right while it had this provider. */
    private volatile boolean isAccepted;

    /**
     * Makes a provider for the user of a signer.
     *
     * @param signer the signer, which the caller closes
     * @param config the configuration of the pool, with its JDBC URL
     */
    public RdsignCredentialsProvider(Signer signer, HikariConfig config) {
        this.signer = Objects.requireNonNull(signer, "signer is null");
        this.config = Objects.requireNonNull(config, "config is null");
    }

    /**
     * Returns the signer's user, and a new token.
     *
     * @throws IllegalArgumentException if the pool's URL could send the token to another server, or
     *     if the provider is set on another configuration
     * @throws io.github.rdsign.RdsignException as {@link Signer#password()}
     */
    @Override
    public Credentials getCredentials() {
        if (config.getCredentialsProvider() == this) {
            check();
            isAccepted = true;
        } else if (!isAccepted) {
            throw new IllegalArgumentException(
                    "credentialsProvider: not set on the HikariConfig that it was made with;"
                            + " accepted: new RdsignCredentialsProvider(signer, config) for each"
                            + " config");
        }
        return Credentials.of(signer.username(), signer.password());
    }

    private void check() {
        Properties info = connection();
        ConnectionCheck.names(
                info,
                Arrays.asList(
                        ConnectionCheck.DIAL,
                        ConnectionCheck.AGREED,
                        ConnectionCheck.AGREED_FACTORY));
        if (ConnectionCheck.isVerified(info)
                && !ConnectionCheck.isSameHost(info.getProperty("PGHOST"), signer.hostname())) {
            throw new IllegalArgumentException(
                    "jdbcUrl: its host is not the signer's; accepted: "
                            + signer.hostname()
                            + ", and "
                            + ConnectionCheck.DIAL
                            + " for another address");
        }
    }

    /** Merges URL, properties, service file and defaults as pgjdbc does for a connection. */
    private Properties connection() {
        // HikariCP prefers each of the others to the URL.
        boolean byUrl =
                config.getDataSource() == null
                        && config.getDataSourceClassName() == null
                        && config.getDataSourceJNDI() == null;
        String url = byUrl ? config.getJdbcUrl() : null;
        Properties info = new Properties(defaults());
        config.getDataSourceProperties()
                .forEach((name, value) -> info.setProperty(name.toString(), value.toString()));
        Properties merged = url == null ? null : Driver.parseURL(url, info);
        if (merged == null) {
            throw new IllegalArgumentException(
                    "jdbcUrl: missing, or not one of pgjdbc; accepted:"
                            + " jdbc:postgresql://HOST:PORT/DATABASE?sslmode=verify-full, or an"
                            + " RdsignDataSource without this provider");
        }
        return merged;
    }

    /** Reads the files that pgjdbc takes defaults from. The first of the class path counts. */
    private static Properties defaults() {
        Properties defaults = new Properties();
        try {
            List<URL> files = new ArrayList<>();
            files.addAll(Collections.list(Driver.class.getClassLoader().getResources(DEFAULTS)));
            Collections.reverse(files);
            for (URL file : files) {
                try (InputStream input = file.openStream()) {
                    defaults.load(input);
                }
            }
        } catch (IOException failure) {
            throw new IllegalArgumentException(DEFAULTS + ": cannot read it", failure);
        }
        return defaults;
    }
}
