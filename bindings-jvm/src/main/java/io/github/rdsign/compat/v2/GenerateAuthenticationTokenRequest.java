package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;

import java.util.Objects;
import java.util.function.Supplier;

/**
 * The endpoint and user of a token, with the methods of the AWS SDK for Java v2's class. The region
 * and the credentials default to those of the {@link RdsUtilities}.
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
     * Returns a builder with nothing set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the endpoint's host name.
     *
     * @return the host name
     */
    public String hostname() {
        return hostname;
    }

    /**
     * Returns the endpoint's port.
     *
     * @return the port
     */
    public int port() {
        return port;
    }

    /**
     * Returns the database user.
     *
     * @return the user name
     */
    public String username() {
        return username;
    }

    /**
     * Returns the endpoint's region.
     *
     * @return the region, or null if it was not set
     */
    public Region region() {
        return region;
    }

    /**
     * Returns the function that returns credentials.
     *
     * @return the supplier, or null if it was not set
     */
    public Supplier<Credentials> credentialsProvider() {
        return credentialsProvider;
    }

    /**
     * Returns a builder with the values of this request.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.hostname = hostname;
        builder.port = port;
        builder.username = username;
        builder.region = region;
        builder.credentialsProvider = credentialsProvider;
        return builder;
    }

    /** Builds a {@link GenerateAuthenticationTokenRequest}. */
    public static final class Builder {
        private String hostname;
        private int port;
        private String username;
        private Region region;
        private Supplier<Credentials> credentialsProvider;

        private Builder() {}

        /**
         * Sets the endpoint's host name. Required.
         *
         * @param hostname the host name
         * @return this
         */
        public Builder hostname(String hostname) {
            this.hostname = hostname;
            return this;
        }

        /**
         * Sets the endpoint's port. Required.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(int port) {
            this.port = port;
            return this;
        }

        /**
         * Sets the database user. Required.
         *
         * @param username the user name
         * @return this
         */
        public Builder username(String username) {
            this.username = username;
            return this;
        }

        /**
         * Sets the endpoint's region.
         *
         * @param region the region, or null for the default
         * @return this
         */
        public Builder region(Region region) {
            this.region = region;
            return this;
        }

        /**
         * Sets a function that returns credentials.
         *
         * @param credentialsProvider a supplier, as in {@code Signer.Builder.credentials}, or null
         *     for the default
         * @return this
         */
        public Builder credentialsProvider(Supplier<Credentials> credentialsProvider) {
            this.credentialsProvider = credentialsProvider;
            return this;
        }

        /**
         * Sets a credentials provider or credentials of the SDK, or the default chain.
         *
         * @param credentialsProvider a {@code
         *     software.amazon.awssdk.auth.credentials.AwsCredentialsProvider}, {@code
         *     AwsCredentials} or a {@link DefaultCredentialsProvider}; the type is not in the
         *     signature, so that programs compile without the SDK
         * @return this
         * @throws IllegalArgumentException if it is of another type
         */
        public Builder credentialsProvider(Object credentialsProvider) {
            this.credentialsProvider = DefaultCredentialsProvider.orSdk(credentialsProvider);
            return this;
        }

        /**
         * Returns the request. Only checks that the host name and the user were set.
         *
         * @return a new request
         * @throws NullPointerException if the host name or the user is missing
         */
        public GenerateAuthenticationTokenRequest build() {
            return new GenerateAuthenticationTokenRequest(this);
        }
    }
}
