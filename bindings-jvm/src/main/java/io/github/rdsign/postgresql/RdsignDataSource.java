package io.github.rdsign.postgresql;

import io.github.rdsign.RdsignException;
import io.github.rdsign.Signer;

import org.postgresql.Driver;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.io.PrintWriter;
import java.io.UnsupportedEncodingException;
import java.net.URLEncoder;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Objects;
import java.util.Properties;
import java.util.logging.Logger;

import javax.sql.DataSource;

/**
 * Connects with pgjdbc to the endpoint of a {@link Signer}, each time with a token signed then. Any
 * pool that takes a {@code DataSource} can be put before it.
 *
 * <pre>{@code
 * DataSource source = RdsignDataSource.builder().signer(signer).database("postgres").build();
 * }</pre>
 *
 * <p>The server is verified in full unless a property says otherwise: {@code sslmode} is {@code
 * verify-full}, with the certificate authorities in this JAR where no {@code sslrootcert} is given.
 */
public final class RdsignDataSource implements DataSource {
    private static final String SSL_MODE = "sslmode";
    private static final String SSL_FACTORY = "sslfactory";

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
        if (properties.getProperty(SSL_MODE) == null) {
            properties.setProperty(SSL_MODE, "verify-full");
        }
        if (properties.getProperty("sslrootcert") == null
                && properties.getProperty(SSL_FACTORY) == null) {
            properties.setProperty(SSL_FACTORY, RdsSslSocketFactory.class.getName());
        }
        if (builder.dial != null) {
            properties.setProperty("socketFactory", DialSocketFactory.class.getName());
            properties.setProperty(DialSocketFactory.PARAMETER, builder.dial);
        }
        url =
                "jdbc:postgresql://"
                        + signer.hostname()
                        + ":"
                        + signer.port()
                        + "/"
                        + encoded(Objects.requireNonNull(builder.database, "database is null"));
    }

    /**
     * Starts a data source with nothing set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

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

    /** Not supported: the user is the signer's, and the password is a token. */
    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException(
                "the user is the signer's, "
                        + signer.username()
                        + "; accepted: getConnection() without arguments");
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
            throw new SQLException("no wrapper of " + type.getName());
        }
        return type.cast(this);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }

    /** Without credentials. */
    @Override
    public String toString() {
        return "RdsignDataSource[url=" + url + ", signer=" + signer + "]";
    }

    private static String encoded(String database) {
        try {
            return URLEncoder.encode(database, "UTF-8");
        } catch (UnsupportedEncodingException never) {
            throw new AssertionError(never);
        }
    }

    /** The parts of {@link RdsignDataSource}. A part that is null is refused by its name. */
    public static final class Builder {
        private final Properties properties = new Properties();
        private Signer signer;
        private String database;
        private String dial;

        private Builder() {}

        /**
         * Who logs in where. Required.
         *
         * @param signer which stays the caller's
         * @return this
         */
        public Builder signer(Signer signer) {
            this.signer = Objects.requireNonNull(signer, "signer is null");
            return this;
        }

        /**
         * The name of the database. Required.
         *
         * @param database the name
         * @return this
         */
        public Builder database(String database) {
            this.database = Objects.requireNonNull(database, "database is null");
            return this;
        }

        /**
         * Where to dial, if that is not the endpoint: a tunnel, an alias, or a server on this
         * machine. The server is still verified by the endpoint's name. Default: the endpoint.
         *
         * @param address as HOST:PORT
         * @return this
         */
        public Builder dial(String address) {
            dial = Objects.requireNonNull(address, "address is null");
            return this;
        }

        /**
         * A connection parameter of pgjdbc, such as {@code ApplicationName} or {@code sslrootcert}.
         *
         * @param name its name
         * @param value its value
         * @return this
         * @see <a href="https://jdbc.postgresql.org/documentation/use/">pgjdbc's parameters</a>
         */
        public Builder property(String name, String value) {
            properties.setProperty(
                    Objects.requireNonNull(name, "name is null"),
                    Objects.requireNonNull(value, "value is null"));
            return this;
        }

        /**
         * A data source, which keeps no connection.
         *
         * @return a new data source
         */
        public RdsignDataSource build() {
            return new RdsignDataSource(this);
        }
    }
}
