package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;

import java.util.Objects;
import java.util.function.Supplier;

/**
 * What a token is asked for, in the shape of the AWS SDK for Java v2's class of this name. The
 * region and the credentials default to those of the {@link RdsUtilities}.
 */
public final class GenerateAuthenticationTokenRequest {
    private final String hostname;
    private final int port;
    private final String username;
    private final Region region;
    private final Supplier<Credentials> credentialsProvider;

    private GenerateAuthenticationTokenRequest(Builder builder) {
        hostname = Objects.requireNonNull(builder.hostname, "hostname is null");
        port = builder.port;
        username = Objects.requireNonNull(builder.username, "username is null");
        region = builder.region;
        credentialsProvider = builder.credentialsProvider;
    }

    /**
     * Starts a request with nothing set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The endpoint's host name.
     *
     * @return the host name
     */
    public String hostname() {
        return hostname;
    }

    /**
     * The endpoint's port.
     *
     * @return the port
     */
    public int port() {
        return port;
    }

    /**
     * The database user.
     *
     * @return the user name
     */
    public String username() {
        return username;
    }

    /**
     * The endpoint's region.
     *
     * @return the region, or null where none was given
     */
    public Region region() {
        return region;
    }

    /**
     * Where credentials come from.
     *
     * @return the supplier, or null where none was given
     */
    public Supplier<Credentials> credentialsProvider() {
        return credentialsProvider;
    }

    /** The parts of {@link GenerateAuthenticationTokenRequest}. */
    public static final class Builder {
        private String hostname;
        private int port;
        private String username;
        private Region region;
        private Supplier<Credentials> credentialsProvider;

        private Builder() {}

        /**
         * The endpoint's host name. Required.
         *
         * @param hostname the host name
         * @return this
         */
        public Builder hostname(String hostname) {
            this.hostname = hostname;
            return this;
        }

        /**
         * The endpoint's port. Required.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(int port) {
            this.port = port;
            return this;
        }

        /**
         * The database user. Required.
         *
         * @param username the user name
         * @return this
         */
        public Builder username(String username) {
            this.username = username;
            return this;
        }

        /**
         * The endpoint's region.
         *
         * @param region the region
         * @return this
         */
        public Builder region(Region region) {
            this.region = region;
            return this;
        }

        /**
         * Where credentials come from.
         *
         * @param credentialsProvider as {@code Signer.Builder.credentials} takes it
         * @return this
         */
        public Builder credentialsProvider(Supplier<Credentials> credentialsProvider) {
            this.credentialsProvider = credentialsProvider;
            return this;
        }

        /**
         * The request.
         *
         * @return a new request
         */
        public GenerateAuthenticationTokenRequest build() {
            return new GenerateAuthenticationTokenRequest(this);
        }
    }
}
