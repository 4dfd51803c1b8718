package io.github.rdsign.testing;

import io.github.rdsign.Signer;
import io.github.rdsign.internal.ConnectionCheck;
import io.github.rdsign.postgresql.RdsignDataSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import javax.sql.DataSource;

/**
 * A database of RDS on this machine, and a user who logs in to it with tokens: of {@link RdsLocal},
 * those that it has from the start, and of {@link RdsDatabase}, those of one test.
 */
public abstract class RdsLogin {
    /** The logins of this JVM, by the port and the user, for {@link LocalAuthenticationPlugin}. */
    static final Map<String, RdsLogin> LOGINS = new ConcurrentHashMap<>();

    final Program program;
    private final String database;
    private final String username;
    private final Map<String, Object> environment;
    private final ServerClock clock;
    private volatile AccessKey key;

    /** The users that this login denied. */
    private final Set<String> denied = ConcurrentHashMap.newKeySet();

    RdsLogin(Program program, ServerClock clock, Map<String, Object> made, AccessKey key) {
        this.program = program;
        this.clock = clock;
        this.key = key;
        database = (String) made.get("database");
        username = (String) made.get("user");
        environment = Json.asObject(made.get("environment"));
        LOGINS.put(port() + " " + username, this);
    }

    /**
     * Returns the endpoint's host name. It does not resolve: connect to {@link #address}.
     *
     * @return the host name
     */
    public String hostname() {
        return (String) program.ready().get("host");
    }

    /**
     * Returns the port, of the endpoint and of 127.0.0.1.
     *
     * @return the port
     */
    public int port() {
        return ((Long) program.ready().get("port")).intValue();
    }

    /**
     * Returns the address to connect to.
     *
     * @return the address, as HOST:PORT
     */
    public String address() {
        return program.ready().get("hostaddr") + ":" + port();
    }

    /**
     * Returns the file with the authority of the server's certificate, in PEM.
     *
     * @return a path, for pgjdbc's {@code sslrootcert}
     */
    public String authorities() {
        return (String) program.ready().get("authorities");
    }

    /**
     * Returns the name of the database.
     *
     * @return the name
     */
    public String database() {
        return database;
    }

    /**
     * Returns the user, who logs in with tokens.
     *
     * @return the user name
     */
    public String username() {
        return username;
    }

    /**
     * Returns the access key that may log in as the user.
     *
     * @return the key, as it is now
     */
    public AccessKey key() {
        return key;
    }

    /**
     * Returns the environment of this JVM, for a child process: with {@code PG*} and {@code AWS_*}
     * that log in as the user, and without variables that would select another server or other
     * keys.
     *
     * @return a new map
     */
    public Map<String, String> environment() {
        Map<String, String> variables = new LinkedHashMap<>(System.getenv());
        for (Object name : (List<?>) environment.get("unset")) {
            variables.remove(name);
        }
        Json.asObject(environment.get("set"))
                .forEach((name, value) -> variables.put(name, (String) value));
        key.addTo(variables);
        return variables;
    }

    /**
     * Returns the server's clock.
     *
     * @return the clock, which all databases of the server share
     */
    public ServerClock clock() {
        return clock;
    }

    /**
     * Returns who may log in.
     *
     * @return the permissions of this login's user, and of others
     */
    public Policy policy() {
        return new Policy();
    }

    /**
     * Returns what can happen to the access key.
     *
     * @return the verbs for {@link #key}
     */
    public Keys keys() {
        return new Keys();
    }

    /**
     * Returns a signer for the user, which follows the server's clock.
     *
     * @return a new signer; closing it is optional
     */
    public Signer signer() {
        return signerBuilder().build();
    }

    /**
     * Returns a builder of such a signer, for a test that needs other options.
     *
     * @return a builder with the endpoint, the user, the key and the clock
     */
    public Signer.Builder signerBuilder() {
        Signer.Builder builder =
                Signer.builder().hostname(hostname()).port(port()).username(username).clock(clock);
        return key.signs(builder);
    }

    /**
     * Returns a data source that logs in to the database with a new token for each connection.
     *
     * @return an {@link RdsignDataSource}, which needs pgjdbc
     */
    public DataSource dataSource() {
        return dataSource(database);
    }

    /**
     * Returns a data source that logs in to another database of the server.
     *
     * @param name the name of the database
     * @return an {@link RdsignDataSource}, which needs pgjdbc
     */
    public DataSource dataSource(String name) {
        return RdsignDataSource.builder()
                .signer(signer())
                .database(name)
                .dial(address())
                .property("sslrootcert", authorities())
                .build();
    }

    /**
     * Returns a JDBC URL that logs in to the database with a new token for each connection, in this
     * JVM only. It needs pgjdbc 42.3.2 or later. If a connection has a password, such as an expired
     * token, that is sent instead.
     *
     * @return the URL, without secrets
     */
    public String jdbcUrl() {
        return "jdbc:postgresql://"
                + hostname()
                + ":"
                + port()
                + "/"
                + ConnectionCheck.encoded(database)
                + "?user="
                + ConnectionCheck.encoded(username)
                + "&socketFactory=io.github.rdsign.postgresql.DialSocketFactory&rdsignDial="
                + address()
                + "&sslmode=verify-full&sslrootcert="
                + ConnectionCheck.encoded(authorities())
                + "&authenticationPluginClassName="
                + LocalAuthenticationPlugin.class.getName();
    }

    /**
     * Returns properties for Spring's {@code @DynamicPropertySource}.
     *
     * @return {@code spring.datasource.url}, which is {@link #jdbcUrl}, and {@code
     *     spring.datasource.username}
     */
    public Map<String, String> springProperties() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("spring.datasource.url", jdbcUrl());
        properties.put("spring.datasource.username", username);
        return properties;
    }

    /**
     * Runs SQL as {@code postgres} in the database, who may read and write what the user creates.
     *
     * @param text one or more statements
     * @return the rows of the last statement that has rows, by the names of their columns, with all
     *     values as text
     * @throws RdsLocalException if it fails; its code is the SQLSTATE
     */
    public List<Map<String, String>> sql(String text) {
        Map<String, Object> answer = program.request("sql", "sql", text, "database", database);
        List<?> columns = (List<?>) answer.get("columns");
        List<Map<String, String>> rows = new ArrayList<>();
        for (Object values : (List<?>) answer.get("rows")) {
            Map<String, String> row = new LinkedHashMap<>();
            for (int i = 0; i < columns.size(); i++) {
                row.put((String) columns.get(i), (String) ((List<?>) values).get(i));
            }
            rows.add(Collections.unmodifiableMap(row));
        }
        return rows;
    }

    void forget() {
        LOGINS.remove(port() + " " + username, this);
    }

    /** Takes back what {@link Policy#deny} did. */
    void allowDenied() {
        denied.forEach(policy()::allow);
    }

    /** Who may log in. */
    public final class Policy {
        private Policy() {}

        /** Denies {@code rds-db:connect} to all access keys, for this login's user. */
        public void deny() {
            deny(username);
        }

        /**
         * Denies {@code rds-db:connect} to all access keys, for one user.
         *
         * @param user the user name
         */
        public void deny(String user) {
            program.request("deny", "user", user);
            denied.add(user);
        }

        /** Takes back what {@link #deny()} did. */
        public void allow() {
            allow(username);
        }

        /**
         * Takes back what {@link #deny(String)} did.
         *
         * @param user the user name
         */
        public void allow(String user) {
            program.request("allow", "user", user);
            denied.remove(user);
        }
    }

    /** What can happen to the access key that this login's signers sign with. */
    public final class Keys {
        private Keys() {}

        /** Lets the key expire now: the server refuses its tokens. */
        public void expire() {
            key = new AccessKey(program.request("expire_key", "access_key_id", key.id()));
        }

        /**
         * Replaces the key with a new one that may do the same. The server refuses the tokens of
         * the old one; later signers, data sources and environments have the new one, and so do the
         * connections of {@link RdsLogin#jdbcUrl}.
         */
        public void replace() {
            key = new AccessKey(program.request("replace_key", "access_key_id", key.id()));
        }
    }
}
