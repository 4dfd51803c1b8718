package io.github.rdsign.postgresql;

import io.github.rdsign.RdsignException;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.ConnectionCheck;

import org.postgresql.Driver;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.logging.Logger;

import javax.sql.DataSource;

/**
 * Connects with pgjdbc to the endpoint of a {@link Signer}, with a new token for each connection.
 * Every pool that accepts a {@code DataSource} can use it.
 *
 * <pre>{@code
 * DataSource source = RdsignDataSource.builder().signer(signer).database("postgres").build();
 * }</pre>
 *
 * <p>The server's certificate and name are verified unless a property says otherwise: {@code
 * sslmode} is {@code verify-full}, and the certificate authorities are those in this JAR unless
 * {@code sslrootcert} or {@code sslfactory} is set. No service file and no {@code
 * driverconfig.properties} changes that, or the endpoint.
 */
public final class RdsignDataSource implements DataSource {
    private static final String SSL_MODE = "sslmode";
    private static final String SSL_FACTORY = "sslfactory";
    private static final String SSL_ROOT_CERT = "sslrootcert";

    private static final List<String> OURS =
            Collections.unmodifiableList(
                    Arrays.asList("user", "password", "PGHOST", "PGPORT", "PGDBNAME", "service"));

    private final Driver driver = new Driver();
    private final Signer signer;
    private final String url;
    private final Properties properties;
    private volatile int loginTimeout;
    private volatile PrintWriter logWriter;

    private RdsignDataSource(Builder builder) {
        signer = Objects.requireNonNull(builder.signer, "signer is null");
        properties = (Properties) builder.properties.clone();
        properties.setProperty("user", signer.username());
        // Without a value here, pgjdbc would accept one from driverconfig.properties.
        properties.putIfAbsent(SSL_MODE, "verify-full");
        String ours = RdsSslSocketFactory.class.getName();
        properties.putIfAbsent(
                SSL_FACTORY,
                properties.getProperty(SSL_ROOT_CERT, "").isEmpty()
                        ? ours
                        : "org.postgresql.ssl.LibPQFactory");
        if (ours.equals(properties.getProperty(SSL_FACTORY))) {
            properties.putIfAbsent(SSL_ROOT_CERT, "");
        }
        properties.putIfAbsent("sslhostnameverifier", "org.postgresql.ssl.PGjdbcHostnameVerifier");
        properties.putIfAbsent("gssEncMode", "disable");
        properties.putIfAbsent("authenticationPluginClassName", "");
        if (builder.dial != null) {
            properties.setProperty("socketFactory", DialSocketFactory.class.getName());
            properties.setProperty(DialSocketFactory.PARAMETER, builder.dial);
        }
        ConnectionCheck.names(properties, Collections.singletonList(DialSocketFactory.PARAMETER));
        url =
                "jdbc:postgresql://"
                        + signer.hostname()
                        + ":"
                        + signer.port()
                        + "/"
                        + ConnectionCheck.encoded(
                                Objects.requireNonNull(builder.database, "database is null"));
    }

    /**
     * Returns a builder with nothing set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Connects with a new token.
     *
     * @return a new connection
     * @throws SQLException if the connection fails, or if signing fails; the cause is then the
     *     exception of {@link Signer#password()}
     */
    @Override
    public Connection getConnection() throws SQLException {
        Properties info = (Properties) properties.clone();
        try {
            info.setProperty("password", signer.password());
        } catch (RdsignException | IllegalStateException failure) {
            throw new PSQLException(
                    failure.getMessage(), PSQLState.CONNECTION_UNABLE_TO_CONNECT, failure);
        }
        if (loginTimeout > 0) {
            info.setProperty("loginTimeout", Integer.toString(loginTimeout));
        }
        return driver.connect(url, info);
    }

    /**
     * Connects with a new token, if the user is the signer's and no password is given, as pools do
     * that have a setting for the user.
     *
     * @throws SQLFeatureNotSupportedException for another user, or with a password
     */
    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        if (!signer.username().equals(username)) {
            throw new SQLFeatureNotSupportedException(
                    "username: the signer sets it, to "
                            + signer.username()
                            + "; accepted: that user, or getConnection() without arguments");
        }
        if (password != null && !password.isEmpty()) {
            throw new SQLFeatureNotSupportedException(
                    "password: the signer sets it; accepted: no password");
        }
        return getConnection();
    }

    @Override
    public PrintWriter getLogWriter() {
        return logWriter;
    }

    @Override
    public void setLogWriter(PrintWriter logWriter) {
        this.logWriter = logWriter;
    }

    @Override
    public int getLoginTimeout() {
        return loginTimeout;
    }

    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeout = seconds;
    }

    @Override
    public Logger getParentLogger() {
        return driver.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (!type.isInstance(this)) {
            throw new SQLException("not a wrapper for " + type.getName());
        }
        return type.cast(this);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }

    /** Returns the URL and the signer, without credentials. */
    @Override
    public String toString() {
        return "RdsignDataSource[url=" + url + ", signer=" + signer + "]";
    }

    /** Builds an {@link RdsignDataSource}. Setters throw NullPointerException for null. */
    public static final class Builder {
        private final Properties properties = new Properties();
        private Signer signer;
        private String database;
        private String dial;

        private Builder() {}

        /**
         * Sets the signer, which has the endpoint and the user. Required.
         *
         * @param signer the signer, which the caller closes
         * @return this
         */
        public Builder signer(Signer signer) {
            this.signer = Objects.requireNonNull(signer, "signer is null");
            return this;
        }

        /**
         * Sets the name of the database. Required.
         *
         * @param database the name
         * @return this
         */
        public Builder database(String database) {
            this.database = Objects.requireNonNull(database, "database is null");
            return this;
        }

        /**
         * Sets the address to dial, if it is not the endpoint: a tunnel, an alias, or a server on
         * this machine. The token and the TLS check still use the endpoint. Connecting fails if the
         * address is invalid. Default: the endpoint.
         *
         * @param address the address, as HOST:PORT
         * @return this
         */
        public Builder dial(String address) {
            dial = Objects.requireNonNull(address, "address is null");
            return this;
        }

        /**
         * Sets a connection parameter of pgjdbc, such as {@code ApplicationName} or {@code
         * sslrootcert}.
         *
         * @param name its name
         * @param value its value
         * @return this
         * @throws IllegalArgumentException for a parameter that the signer or {@link #database}
         *     sets
         * @see <a href="https://jdbc.postgresql.org/documentation/use/">pgjdbc's parameters</a>
         */
        public Builder property(String name, String value) {
            if (OURS.contains(Objects.requireNonNull(name, "name is null"))) {
                throw new IllegalArgumentException(
                        name
                                + ": the signer and the database set it; accepted: dial, to connect"
                                + " to another address");
            }
            properties.setProperty(name, Objects.requireNonNull(value, "value is null"));
            return this;
        }

        /**
         * Returns a data source. It does not connect yet, and does not keep connections.
         *
         * @return a new data source
         * @throws NullPointerException if the signer or the database is missing
         * @throws IllegalArgumentException for a parameter of rdsign that only the plugin reads
         */
        public RdsignDataSource build() {
            return new RdsignDataSource(this);
        }
    }
}
