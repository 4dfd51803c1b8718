package io.github.rdsign;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
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
 * <p>Keep one, and ask it for a password for each new connection. Any number of threads may use it
 * at the same time; it starts none. It keeps credentials and signing keys between calls. Closing it
 * frees them at once; one that is not closed loses them when it is garbage.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html">IAM
 *     database authentication</a>
 */
public final class Signer implements AutoCloseable {
    private static final int EXPIRY = Long.BYTES;

    private final Handle handle;
    private final Source source;
    private final String[] fields;

    private Signer(Builder builder) {
        Loader.load();
        Handle.freeThoseGone();
        source = builder.source;
        char[][] options = builder.options.toArray(new char[0][]);
        handle = new Handle(this, Native.newSigner(options, source != null));
        fields = describe();
    }

    /**
     * Starts the options of a signer.
     *
     * @return a builder with nothing set
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A token signed now.
     *
     * <p>With the credentials at hand this takes a few microseconds at most. Otherwise it asks
     * their source for them and waits, for the credentials timeout at the most; other threads wait
     * with it.
     *
     * @return a new token
     * @throws RdsignException {@code CREDENTIALS_NOT_FOUND}, {@code CREDENTIALS_EXPIRED}, {@code
     *     CREDENTIALS_FAILED}, {@code CREDENTIALS_TIMEOUT}, or {@code INVALID_CREDENTIALS} for what
     *     a source has given
     * @throws IllegalStateException if this signer is closed
     */
    public Token token() {
        return token(signed());
    }

    /**
     * A token as if it were signed at another time: for tests. Credentials are judged by that time
     * as well.
     *
     * @param signingTime from 1970 to 9999, to the second
     * @return a new token
     * @throws RdsignException as {@link #token()}, or {@code INVALID_SIGNING_TIME}
     * @throws IllegalStateException if this signer is closed
     */
    public Token token(Instant signingTime) {
        long seconds = Objects.requireNonNull(signingTime, "signingTime is null").getEpochSecond();
        long signer = handle.enter();
        try {
            return token(Native.tokenAt(signer, source, seconds));
        } catch (RdsignException exception) {
            throw explained(exception);
        } finally {
            handle.leave();
        }
    }

    /**
     * The text of a token signed now: what a driver takes as the password.
     *
     * @return the text
     * @throws RdsignException as {@link #token()}
     * @throws IllegalStateException if this signer is closed
     */
    public String password() {
        return text(signed());
    }

    /**
     * A token signed on the {@linkplain java.util.concurrent.ForkJoinPool#commonPool() common
     * pool}, which it may hold up while it waits for credentials.
     *
     * @return a future that fails as {@link #token()} does
     */
    public CompletableFuture<Token> tokenAsync() {
        return CompletableFuture.supplyAsync(asking());
    }

    /**
     * A token signed on an executor of the caller's.
     *
     * @param executor where to sign, and to wait for credentials
     * @return a future that fails as {@link #token()} does
     */
    public CompletableFuture<Token> tokenAsync(Executor executor) {
        Objects.requireNonNull(executor, "executor is null");
        return CompletableFuture.supplyAsync(asking(), executor);
    }

    /**
     * The host name that tokens are signed for.
     *
     * @return the host name, as it was given
     */
    public String hostname() {
        return fields[0];
    }

    /**
     * The port that tokens are signed for.
     *
     * @return the port, 1 to 65535
     */
    public int port() {
        return Integer.parseInt(fields[1]);
    }

    /**
     * The database user that tokens are signed for.
     *
     * @return the user name
     */
    public String username() {
        return fields[2];
    }

    /**
     * The region that tokens are signed for.
     *
     * @return the region, wherever it was found
     */
    public String region() {
        return fields[3];
    }

    /** Forgets credentials and keys. Calls in progress end as they would have, later ones fail. */
    @Override
    public void close() {
        handle.close();
    }

    /** Without credentials. */
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
        try {
            return Native.token(signer, source);
        } catch (RdsignException exception) {
            throw explained(exception);
        } finally {
            handle.leave();
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
        // No lambda: the first of a process costs more than all of this class.
        return new Supplier<Token>() {
            @Override
            public Token get() {
                return token();
            }
        };
    }

    private static Token token(byte[] signed) {
        long milliseconds = 0;
        for (int at = signed.length - EXPIRY; at < signed.length; at++) {
            milliseconds = milliseconds << 8 | signed[at] & 0xff;
        }
        return new Token(text(signed), Instant.ofEpochMilli(milliseconds));
    }

    private static String text(byte[] signed) {
        return new String(signed, 0, signed.length - EXPIRY, StandardCharsets.ISO_8859_1);
    }

    /**
     * The options of a {@link Signer}. What is not set has the default that its setter names.
     *
     * <p>A value that is null is refused by its name. Everything else is checked by {@link #build}.
     * An option that is set twice has the later value. At most one source of credentials may be
     * given: keys, a profile or a supplier. Default: the chain of the AWS SDKs, which looks at the
     * environment, the profile, a web identity, the container and the instance, in that order.
     */
    public static final class Builder {
        private final List<char[]> options = new ArrayList<>();
        private Source source;

        private Builder() {}

        /**
         * The endpoint's host name, as RDS shows it, and not a name or address that leads to it by
         * way of a tunnel. Required.
         *
         * @param hostname the host name
         * @return this
         */
        public Builder hostname(String hostname) {
            return set("hostname", hostname, "hostname is null");
        }

        /**
         * The endpoint's port. Default: 5432.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(long port) {
            return set("port", Long.toString(port), null);
        }

        /**
         * The database user to log in as, exactly as the database spells it. Required.
         *
         * @param username the user name
         * @return this
         */
        public Builder username(String username) {
            return set("username", username, "username is null");
        }

        /**
         * The endpoint's region, such as {@code eu-central-1}. Default: the one in the host name,
         * else that of the environment ({@code AWS_REGION}, {@code AWS_DEFAULT_REGION}), else the
         * profile's.
         *
         * @param region the region
         * @return this
         */
        public Builder region(String region) {
            return set("region", region, "region is null");
        }

        /**
         * A token's life. Default: 900 seconds.
         *
         * @param expiresIn 1 to 900 seconds, whole ones
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
         * The access key id to sign with, together with the secret access key and, for temporary
         * credentials, the session token.
         *
         * @param accessKeyId the access key id
         * @return this
         */
        public Builder accessKeyId(String accessKeyId) {
            return set("access key id", accessKeyId, "accessKeyId is null");
        }

        /**
         * The secret access key that goes with the access key id.
         *
         * @param secretAccessKey the secret access key
         * @return this
         */
        public Builder secretAccessKey(String secretAccessKey) {
            return set("secret access key", secretAccessKey, "secretAccessKey is null");
        }

        /**
         * The session token that goes with temporary keys; an empty one counts as none.
         *
         * @param sessionToken the session token
         * @return this
         */
        public Builder sessionToken(String sessionToken) {
            return set("session token", sessionToken, "sessionToken is null");
        }

        /**
         * The profile of the shared AWS configuration to take credentials from, in place of keys.
         *
         * @param profile the profile's name
         * @return this
         */
        public Builder profile(String profile) {
            return set("profile", profile, "profile is null");
        }

        /**
         * The ARN of an IAM role to assume with the credentials found, by a call to STS, and to
         * sign with. Default: none.
         *
         * @param roleArn the ARN
         * @return this
         */
        public Builder roleArn(String roleArn) {
            return set("role ARN", roleArn, "roleArn is null");
        }

        /**
         * The external id that the role asks for. Default: none.
         *
         * @param externalId the external id
         * @return this
         */
        public Builder externalId(String externalId) {
            return set("external id", externalId, "externalId is null");
        }

        /**
         * The name of the role's session, which CloudTrail shows. Default: {@code rdsign}.
         *
         * @param roleSessionName the name
         * @return this
         */
        public Builder roleSessionName(String roleSessionName) {
            return set("role session name", roleSessionName, "roleSessionName is null");
        }

        /**
         * How long all the calls for one set of credentials may take together, to the millisecond.
         * Default: 5 seconds. A supplier bounds its own.
         *
         * @param credentialsTimeout more than zero
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
         * Where credentials come from, in place of keys. It is asked when the first token is, and
         * again some minutes before the credentials that it gave end; by the thread that asks for a
         * token, and by one at a time. What it throws becomes the cause of an {@link
         * RdsignException}, and its text a part of the message. It must not ask the signer that it
         * works for, which would wait for itself.
         *
         * @param credentials the supplier, which bounds its own waiting
         * @return this
         */
        public Builder credentials(Supplier<Credentials> credentials) {
            source = new Source(Objects.requireNonNull(credentials, "credentials is null"));
            return this;
        }

        /**
         * A signer, once all options have passed. No network is used yet.
         *
         * @return a new signer
         * @throws RdsignException any code from {@code INVALID_HOSTNAME} to {@code
         *     INVALID_EXPIRES_IN}, for the first that does not pass in their order
         * @throws UnsatisfiedLinkError if the native library could not be loaded
         */
        public Signer build() {
            return new Signer(this);
        }

        /** Without the options. */
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
