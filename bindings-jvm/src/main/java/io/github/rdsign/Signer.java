package io.github.rdsign;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Signs tokens for one database user at one endpoint.
 *
 * <pre>{@code
 * Signer signer = Signer.builder()
 *         .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
 *         .username("iam_user")
 *         .build();
 * String password = signer.password();
 * }</pre>
 *
 * <p>Create one and keep it, and get a new password from it for each connection. Any number of
 * threads may share it. It starts a thread only while a virtual thread waits for credentials. It
 * caches credentials and signing keys. Closing it frees them at once. If a signer is not closed,
 * they are freed when another signer is created after it was garbage collected.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html">IAM
 *     database authentication</a>
 */
public final class Signer implements AutoCloseable {
    /** The bytes after a token's text: its expiry, and whether an event waits. */
    private static final int EXPIRY = Long.BYTES;

    private static final int REST = EXPIRY + 1;

    private final Handle handle;
    private final Source source;
    private final Consumer<CredentialsEvent> listener;

    /** The clock to sign by, or null for this machine's. */
    private final Clock clock;

    private final String[] fields;

    /** The fetch that virtual threads wait for, or null. */
    private final AtomicReference<Fetch> fetch = new AtomicReference<>();

    private Signer(Builder builder) {
        Loader.load();
        Handle.freeGarbage();
        source = builder.source;
        listener = builder.listener;
        clock = builder.clock;
        char[][] options = builder.options.toArray(new char[0][]);
        long signer = Native.newSigner(options, source != null, listener != null);
        handle = new Handle(this, signer);
        fields = describe();
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
     * Returns a token that is signed now.
     *
     * <p>With cached credentials this takes a few microseconds. Otherwise it fetches credentials,
     * which takes at most the credentials timeout, unless a supplier takes longer. Other threads
     * that need a token wait for the same fetch. A virtual thread does not keep its carrier during
     * the wait.
     *
     * @return a new token
     * @throws RdsignException {@code CREDENTIALS_NOT_FOUND}, {@code CREDENTIALS_EXPIRED}, {@code
     *     CREDENTIALS_FAILED}, {@code CREDENTIALS_TIMEOUT}, or {@code INVALID_CREDENTIALS} if a
     *     source returned invalid keys
     * @throws IllegalStateException if this signer is closed
     */
    public Token token() {
        return clock == null ? token(signed()) : token(clock.instant());
    }

    /**
     * Returns a token that is signed at another time, for tests. Credentials must be valid at that
     * time.
     *
     * @param signingTime a time from 1970 to 9999; fractions of a second are dropped
     * @return a new token
     * @throws RdsignException as {@link #token()}, or {@code INVALID_SIGNING_TIME}
     * @throws IllegalStateException if this signer is closed
     */
    public Token token(Instant signingTime) {
        long seconds = Objects.requireNonNull(signingTime, "signingTime is null").getEpochSecond();
        long signer = handle.enter();
        byte[] signed = null;
        try {
            signed = signed(signer, seconds);
            return token(signed);
        } catch (RdsignException exception) {
            throw explained(exception);
        } finally {
            leave(signer, signed);
        }
    }

    /**
     * Returns the text of a token that is signed now: the password for one connection.
     *
     * @return the text
     * @throws RdsignException as {@link #token()}
     * @throws IllegalStateException if this signer is closed
     */
    public String password() {
        return clock == null ? text(signed()) : token().value();
    }

    /**
     * Signs a token on the {@linkplain java.util.concurrent.ForkJoinPool#commonPool() common pool}.
     * It blocks a thread of the pool while it waits for credentials.
     *
     * @return a future that fails as {@link #token()} does
     */
    public CompletableFuture<Token> tokenAsync() {
        return CompletableFuture.supplyAsync(asking());
    }

    /**
     * Signs a token on the caller's executor.
     *
     * @param executor the executor to sign on, and to wait for credentials on
     * @return a future that fails as {@link #token()} does
     */
    public CompletableFuture<Token> tokenAsync(Executor executor) {
        Objects.requireNonNull(executor, "executor is null");
        return CompletableFuture.supplyAsync(asking(), executor);
    }

    /**
     * Returns the host name that tokens are signed for.
     *
     * @return the host name, as given
     */
    public String hostname() {
        return fields[0];
    }

    /**
     * Returns the port that tokens are signed for.
     *
     * @return the port, 1 to 65535
     */
    public int port() {
        return Integer.parseInt(fields[1]);
    }

    /**
     * Returns the database user that tokens are signed for.
     *
     * @return the user name
     */
    public String username() {
        return fields[2];
    }

    /**
     * Returns the region that tokens are signed for.
     *
     * @return the region, given or found
     */
    public String region() {
        return fields[3];
    }

    /**
     * Returns the service that tokens are signed for.
     *
     * @return {@code rds} or {@code dsql}
     */
    public String service() {
        return fields[4];
    }

    /** Frees credentials and keys. Calls in progress finish normally; later calls fail. */
    @Override
    public void close() {
        handle.close();
    }

    /** Returns the endpoint, the user and the region, without credentials. */
    @Override
    public String toString() {
        return "Signer[hostname="
                + fields[0]
                + ", port="
                + fields[1]
                + ", username="
                + fields[2]
                + ", region="
                + fields[3]
                + "]";
    }

    private byte[] signed() {
        long signer = handle.enter();
        byte[] signed = null;
        try {
            signed = Native.readyToken(signer, isListener());
            if (signed == null) {
                signed =
                        Fetch.isNeeded()
                                ? fetched(signer)
                                : Native.token(signer, source, isListener());
            }
            return signed;
        } catch (RdsignException exception) {
            throw explained(exception);
        } finally {
            leave(signer, signed);
        }
    }

    private byte[] signed(long signer, long seconds) {
        boolean isListener = isListener();
        if (!Fetch.isNeeded()) {
            return Native.tokenAt(signer, source, seconds, isListener);
        }
        Fetch own = new Fetch();
        handle.share();
        own.start(() -> Native.tokenAt(signer, source, seconds, isListener), handle::leave);
        return own.await(true);
    }

    /** Tells the listener the events that wait. A call that failed may have caused one. */
    private void leave(long signer, byte[] signed) {
        try {
            if (listener != null && (signed == null || signed[signed.length - 1] != 0)) {
                CredentialsEvent.tell(signer, listener);
            }
        } finally {
            handle.leave();
        }
    }

    private boolean isListener() {
        return listener != null && CredentialsEvent.isListener();
    }

    /** Waits in Java for the one fetch that all virtual threads share, and signs. */
    private byte[] fetched(long signer) {
        while (true) {
            Fetch running = fetch.get();
            boolean isOurs = running == null;
            if (isOurs) {
                running = new Fetch();
                if (!fetch.compareAndSet(null, running)) {
                    continue;
                }
                boolean isListener = isListener();
                handle.share();
                running.start(
                        () -> Native.token(signer, source, isListener),
                        () -> {
                            fetch.set(null);
                            handle.leave();
                        });
            }
            byte[] first = running.await(isOurs);
            byte[] ready = Native.readyToken(signer, isListener());
            if (ready != null) {
                return ready;
            }
            // The process may have been frozen during the wait.
            if (expiry(first) > System.currentTimeMillis()) {
                return first;
            }
        }
    }

    private RdsignException explained(RdsignException exception) {
        return source == null ? exception : source.explained(exception);
    }

    private String[] describe() {
        long signer = handle.enter();
        try {
            String lines = new String(Native.describe(signer), StandardCharsets.UTF_8);
            return lines.split("\n");
        } finally {
            handle.leave();
        }
    }

    private Supplier<Token> asking() {
        // No lambda: the first one of a process takes longer than loading this class.
        return new Supplier<Token>() {
            @Override
            public Token get() {
                return token();
            }
        };
    }

    private static Token token(byte[] signed) {
        return new Token(text(signed), Instant.ofEpochMilli(expiry(signed)));
    }

    private static long expiry(byte[] signed) {
        long milliseconds = 0;
        for (int at = signed.length - REST; at < signed.length - 1; at++) {
            milliseconds = milliseconds << 8 | signed[at] & 0xff;
        }
        return milliseconds;
    }

    private static String text(byte[] signed) {
        return new String(signed, 0, signed.length - REST, StandardCharsets.ISO_8859_1);
    }

    /**
     * The options of a {@link Signer}. Each setter names its default.
     *
     * <p>A setter throws NullPointerException for null; {@link #build} checks everything else. If
     * an option is set twice, the later value counts. Set at most one source of credentials: keys,
     * a profile or a supplier. The default is where the AWS CLI looks, in its order: the
     * environment, a role or a web identity, the rest of the profile, the container and the
     * instance.
     */
    public static final class Builder {
        private final List<char[]> options = new ArrayList<>();
        private Source source;
        private Consumer<CredentialsEvent> listener;
        private Clock clock;

        private Builder() {}

        /**
         * Sets the endpoint's host name, as RDS or DSQL shows it, even if you dial another address.
         * Required.
         *
         * @param hostname the host name
         * @return this
         */
        public Builder hostname(String hostname) {
            return set("hostname", hostname, "hostname is null");
        }

        /**
         * Sets the endpoint's port. Default: 5432.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(long port) {
            return set("port", Long.toString(port), null);
        }

        /**
         * Sets the database user, exactly as the database spells it. Required.
         *
         * @param username the user name
         * @return this
         */
        public Builder username(String username) {
            return set("username", username, "username is null");
        }

        /**
         * Sets the endpoint's region, such as {@code eu-central-1}. Default: the region in the host
         * name, else {@code AWS_REGION}, else {@code AWS_DEFAULT_REGION}, else the profile's.
         *
         * @param region the region
         * @return this
         */
        public Builder region(String region) {
            return set("region", region, "region is null");
        }

        /**
         * Sets the service that tokens are for. Default: the host name's, else {@code rds}. Only a
         * name of your own, such as an alias of a DSQL endpoint, needs it.
         *
         * @param service {@code rds} or {@code dsql}
         * @return this
         */
        public Builder service(String service) {
            return set("service", service, "service is null");
        }

        /**
         * Sets how long a token is valid. Default: 900 seconds.
         *
         * @param expiresIn 1 to 900 whole seconds, or for DSQL 1 to 604,800
         * @return this
         */
        public Builder expiresIn(Duration expiresIn) {
            Objects.requireNonNull(expiresIn, "expiresIn is null");
            String seconds =
                    expiresIn.getNano() == 0
                            ? Long.toString(expiresIn.getSeconds())
                            : new java.math.BigDecimal(expiresIn.getSeconds())
                                    .add(java.math.BigDecimal.valueOf(expiresIn.getNano(), 9))
                                    .stripTrailingZeros()
                                    .toPlainString();
            return set("expires in", seconds, null);
        }

        /**
         * Sets the access key ID to sign with. Also set the secret access key and, for temporary
         * credentials, the session token.
         *
         * @param accessKeyId the access key ID
         * @return this
         */
        public Builder accessKeyId(String accessKeyId) {
            return set("access key id", accessKeyId, "accessKeyId is null");
        }

        /**
         * Sets the secret access key of the access key ID.
         *
         * @param secretAccessKey the secret access key
         * @return this
         */
        public Builder secretAccessKey(String secretAccessKey) {
            return set("secret access key", secretAccessKey, "secretAccessKey is null");
        }

        /**
         * Sets the session token of temporary keys. An empty one is ignored.
         *
         * @param sessionToken the session token
         * @return this
         */
        public Builder sessionToken(String sessionToken) {
            return set("session token", sessionToken, "sessionToken is null");
        }

        /**
         * Sets a profile of the AWS configuration files as the only source of credentials.
         *
         * @param profile the profile's name
         * @return this
         */
        public Builder profile(String profile) {
            return set("profile", profile, "profile is null");
        }

        /**
         * Sets the ARN of an IAM role to assume with the credentials found, by a call to STS.
         * Default: signs with the credentials found.
         *
         * @param roleArn the ARN
         * @return this
         */
        public Builder roleArn(String roleArn) {
            return set("role ARN", roleArn, "roleArn is null");
        }

        /**
         * Sets the external ID that the role requires. Default: no external ID.
         *
         * @param externalId the external ID
         * @return this
         */
        public Builder externalId(String externalId) {
            return set("external id", externalId, "externalId is null");
        }

        /**
         * Sets the name of the role's session, which CloudTrail shows. Default: {@code rdsign}.
         *
         * @param roleSessionName the name
         * @return this
         */
        public Builder roleSessionName(String roleSessionName) {
            return set("role session name", roleSessionName, "roleSessionName is null");
        }

        /**
         * Sets how long all calls for one set of credentials may take together, in whole
         * milliseconds. Default: 5 seconds. A supplier must limit its own waiting.
         *
         * @param credentialsTimeout at least one millisecond
         * @return this
         */
        public Builder credentialsTimeout(Duration credentialsTimeout) {
            Objects.requireNonNull(credentialsTimeout, "credentialsTimeout is null");
            long milliseconds;
            try {
                milliseconds = credentialsTimeout.toMillis();
            } catch (ArithmeticException farTooLong) {
                milliseconds = credentialsTimeout.isNegative() ? 0 : Long.MAX_VALUE;
            }
            return set("credentials timeout", Long.toString(milliseconds), null);
        }

        /**
         * Sets a function that returns credentials, instead of keys. It is called for the first
         * token, and again some minutes before its credentials expire, on the thread that needs the
         * token, or on a new platform thread if that one is virtual, and on one thread at a time.
         * If it throws an exception, that becomes the cause of an {@link RdsignException}, and its
         * text becomes part of the message. It must not use the signer that it provides credentials
         * for, because that would wait for itself.
         *
         * @param credentials the supplier, which must limit its own waiting
         * @return this
         */
        public Builder credentials(Supplier<Credentials> credentials) {
            source = new Source(Objects.requireNonNull(credentials, "credentials is null"));
            return this;
        }

        /**
         * Sets a function that is told what comes of each fetch of credentials. Default: nobody is
         * told.
         *
         * <p>A thread that asked for a token calls it, after the fetch is over and before the call
         * for the token returns. Several threads may call it at the same time. It may use the
         * signer, but events that this causes on the same thread are dropped. An exception that it
         * throws changes nothing; the thread's handler of uncaught exceptions gets it.
         *
         * @param eventListener the function
         * @return this
         */
        public Builder eventListener(Consumer<CredentialsEvent> eventListener) {
            listener = Objects.requireNonNull(eventListener, "eventListener is null");
            return this;
        }

        /**
         * Sets the clock whose time tokens are signed at, for tests. Default: this machine's.
         * Credentials must be valid at that time; when they are fetched again still depends on this
         * machine's clock.
         *
         * @param clock the clock, which is read for each token
         * @return this
         */
        public Builder clock(Clock clock) {
            this.clock = Objects.requireNonNull(clock, "clock is null");
            return this;
        }

        /**
         * Checks all options and returns a signer. Does not use the network.
         *
         * @return a new signer
         * @throws RdsignException if an option is invalid, with the first code that applies, from
         *     {@code INVALID_HOSTNAME} to {@code INVALID_EXPIRES_IN}, or else {@code
         *     SERVICE_MISMATCH}
         * @throws UnsatisfiedLinkError if the native library cannot be loaded
         */
        public Signer build() {
            return new Signer(this);
        }

        /** Returns a placeholder without the options. */
        @Override
        public String toString() {
            return "Signer.Builder[** redacted **]";
        }

        private Builder set(String name, String value, String ifNull) {
            char[] characters = Objects.requireNonNull(value, ifNull).toCharArray();
            options.add(name.toCharArray());
            options.add(characters);
            return this;
        }
    }
}
