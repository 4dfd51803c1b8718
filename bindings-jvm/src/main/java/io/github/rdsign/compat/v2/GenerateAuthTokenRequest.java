package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * The endpoint and lifetime of a token for DSQL, with the methods of the AWS SDK for Java v2's
 * class. The region and the credentials default to those of the {@link DsqlUtilities}.
 */
public final class GenerateAuthTokenRequest {
    private final String hostname;
    private final Region region;
    private final Duration expiresIn;
    private final Supplier<Credentials> credentialsProvider;

    private GenerateAuthTokenRequest(Builder builder) {
        hostname = Objects.requireNonNull(builder.hostname, "hostname is null");
        region = builder.region;
        expiresIn = builder.expiresIn != null ? builder.expiresIn : Duration.ofSeconds(900);
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
     * Returns the endpoint's region.
     *
     * @return the region, or null if it was not set
     */
    public Region region() {
        return region;
    }

    /**
     * Returns the lifetime of the token.
     *
     * @return the lifetime, 900 seconds if it was not set
     */
    public Duration expiresIn() {
        return expiresIn;
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
        builder.region = region;
        builder.expiresIn = expiresIn;
        builder.credentialsProvider = credentialsProvider;
        return builder;
    }

    /** Builds a {@link GenerateAuthTokenRequest}. */
    public static final class Builder {
        private String hostname;
        private Region region;
        private Duration expiresIn;
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
         * Sets the lifetime of the token.
         *
         * @param expiresIn 1 to 604,800 whole seconds, or null for 900 seconds
         * @return this
         */
        public Builder expiresIn(Duration expiresIn) {
            this.expiresIn = expiresIn;
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
         * Returns the request. Only checks that the host name was set.
         *
         * @return a new request
         * @throws NullPointerException if the host name is missing
         */
        public GenerateAuthTokenRequest build() {
            return new GenerateAuthTokenRequest(this);
        }
    }
}
