package io.github.rdsign.testing;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * RDS on this machine, for tests: a PostgreSQL that checks tokens as RDS does, with a fresh
 * database and user for each test, and with verbs that change what it accepts.
 *
 * <pre>{@code
 * try (RdsLocal server = RdsLocal.start();
 *         RdsDatabase rds = server.createDatabase();
 *         Connection connection = rds.dataSource().getConnection()) {
 *     ...
 * }
 * }</pre>
 *
 * <p>It needs Linux, a PostgreSQL from 14 to 18, and the program {@code rdsign}: the one that the
 * environment variable {@code RDSIGN_BIN} names, else the one in {@code PATH}. The server stops
 * when the JVM ends, even without {@link #close}. With JUnit, use {@link RdsLocalExtension}.
 */
public final class RdsLocal extends RdsLogin implements AutoCloseable {
    private static RdsLocal shared;

    private RdsLocal(Program program) {
        super(program, new ServerClock(program), program.ready(), keysOf(program).get(0));
    }

    /**
     * Starts a server with the default options, and returns when it accepts logins.
     *
     * @return a new server
     * @throws RdsLocalException as {@link Builder#start}
     */
    public static RdsLocal start() {
        return builder().start();
    }

    /**
     * Returns a server with the default options that everything in this JVM shares. The first call
     * starts it, and it stops when the JVM ends.
     *
     * @return the server
     * @throws RdsLocalException as {@link Builder#start}
     */
    public static synchronized RdsLocal shared() {
        if (shared == null) {
            shared = start();
        }
        return shared;
    }

    /**
     * Returns a builder, for other options.
     *
     * @return a builder with nothing set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the access keys that the server had at its start. The first may log in as the first
     * user, and the last as nobody.
     *
     * @return the keys
     */
    public List<AccessKey> accessKeys() {
        return keysOf(program);
    }

    /**
     * Returns the password of {@code postgres}, who has the rights of RDS's master user.
     *
     * @return the password
     */
    public String administratorPassword() {
        return (String) Json.asObject(program.ready().get("administrator")).get("password");
    }

    /**
     * Creates a database, a user for it, and an access key that may log in as that user only.
     *
     * @return a copy of the first database of the server
     * @throws RdsLocalException if someone is connected to the first database
     */
    public RdsDatabase createDatabase() {
        return createDatabase(database());
    }

    /**
     * Creates a database as a copy of a template that a test has filled, a user for it, and an
     * access key that may log in as that user only.
     *
     * @param template the name of the database to copy
     * @return the copy
     * @throws RdsLocalException if there is no such template, or if someone is connected to it
     */
    public RdsDatabase createDatabase(String template) {
        Map<String, Object> made = program.request("create_database", "template", template);
        return new RdsDatabase(program, clock(), made);
    }

    /**
     * Returns the refused logins of all users.
     *
     * @return all since the start, the oldest first
     */
    public List<Refusal> refusals() {
        return refusals(0);
    }

    /**
     * Returns the later refused logins of all users.
     *
     * @param since the {@linkplain Refusal#number number} of a login
     * @return all after that login, the oldest first
     */
    public List<Refusal> refusals(long since) {
        return Refusal.of(program.request("refusals", "since", since));
    }

    /** Stops the server, and returns when its files are removed. */
    @Override
    public void close() {
        forget();
        program.stop();
    }

    private static List<AccessKey> keysOf(Program program) {
        List<AccessKey> keys = new ArrayList<>();
        for (Object members : (List<?>) program.ready().get("access_keys")) {
            keys.add(new AccessKey(Json.asObject(members)));
        }
        return keys;
    }

    /** The options of a server, as those of {@code rdsign local}, which checks them. */
    public static final class Builder {
        private final List<String> arguments = new ArrayList<>();

        private Builder() {}

        /**
         * Adds an endpoint to accept tokens for. Default: one instance of RDS.
         *
         * @param endpoint {@code HOST} or {@code HOST:PORT}, of RDS or Aurora DSQL; all in one
         *     region
         * @return this
         */
        public Builder endpoint(String endpoint) {
            return add("endpoint", endpoint);
        }

        /**
         * Adds a file of SQL to run as {@code postgres} before the server is ready. Default: none.
         *
         * @param file the file
         * @return this
         */
        public Builder init(Path file) {
            return add("init", file);
        }

        /**
         * Sets the port of 127.0.0.1 to listen on. Default: a free one.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(int port) {
            return add("port", port);
        }

        /**
         * Sets the major version of PostgreSQL. Default: the newest that is found.
         *
         * @param version 14 to 18
         * @return this
         */
        public Builder version(int version) {
            return add("version", version);
        }

        /**
         * Sets the folder of PostgreSQL's programs. Default: {@code RDSIGN_LOCAL_POSTGRES}, else
         * the usual places.
         *
         * @param folder the folder
         * @return this
         */
        public Builder postgres(Path folder) {
            return add("postgres", folder);
        }

        /**
         * Sets the configuration file. Default: a new one.
         *
         * @param file the file, in TOML
         * @return this
         */
        public Builder config(Path file) {
            return add("config", file);
        }

        /**
         * Sets the folder that keeps the database for the next start. Default: a temporary one.
         *
         * @param folder the folder
         * @return this
         */
        public Builder data(Path folder) {
            return add("data", folder);
        }

        /**
         * Starts a server, and returns when it accepts logins.
         *
         * @return a new server
         * @throws RdsLocalException with the code {@code no-program} without the program, {@code
         *     no-postgres} without a PostgreSQL, {@code needs-linux}, or {@code other}
         */
        public RdsLocal start() {
            return new RdsLocal(Program.start(arguments));
        }

        private Builder add(String option, Object value) {
            // As one argument, a value that starts with - stays a value.
            arguments.add("--" + option + "=" + Objects.requireNonNull(value, option + " is null"));
            return this;
        }
    }
}
