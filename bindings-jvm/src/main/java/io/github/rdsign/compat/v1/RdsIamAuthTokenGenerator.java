package io.github.rdsign.compat.v1;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.SdkProvider;
import io.github.rdsign.internal.SignerCache;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Replaces the AWS SDK for Java v1's class of the same name, without the SDK: change the imports. A
 * program that keeps the SDK can pass its credentials providers.
 *
 * <p>Errors differ: an invalid argument is a {@link io.github.rdsign.RdsignException} instead of an
 * {@code IllegalArgumentException}, when a token is signed. Without credentials, the default chain
 * is used.
 *
 * <p>New code should use {@link Signer}. A token is for one login: get a new one for each
 * connection, also in pools.
 */
public final class RdsIamAuthTokenGenerator {
    private final SignerCache signers = new SignerCache();
    private final String region;
    private final Supplier<Credentials> credentials;

    private RdsIamAuthTokenGenerator(Builder builder) {
        region = Objects.requireNonNull(builder.region, "region is null");
        credentials = builder.credentials;
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
     * Returns a token that is signed now. Credentials are cached between calls; a provider of the
     * SDK is asked for each token.
     *
     * @param request the endpoint and the user
     * @return the text to send as the password
     * @throws io.github.rdsign.RdsignException as {@link Signer.Builder#build} and {@link
     *     Signer#token()}
     */
    public String getAuthToken(GetIamAuthTokenRequest request) {
        Objects.requireNonNull(request, "request is null");
        Signer.Builder builder =
                Signer.builder()
                        .hostname(request.getHostname())
                        .port(request.getPort())
                        .username(request.getUserName())
                        .region(region);
        if (credentials instanceof SdkProvider) {
            return ((SdkProvider) credentials).password(builder);
        }
        if (credentials != null) {
            builder.credentials(credentials);
        }
        return signers.get(
                        Arrays.asList(
                                request.getHostname(), request.getPort(), request.getUserName()),
                        builder::build)
                .password();
    }

    /** Builds an {@link RdsIamAuthTokenGenerator}. Setters throw NullPointerException for null. */
    public static final class Builder {
        private String region;
        private Supplier<Credentials> credentials;

        private Builder() {}

        /**
         * Selects the default chain of credentials, which is the default.
         *
         * @param credentials the default chain
         * @return this
         */
        public Builder credentials(DefaultAWSCredentialsProviderChain credentials) {
            Objects.requireNonNull(credentials, "credentials is null");
            this.credentials = null;
            return this;
        }

        /**
         * Sets a function that returns credentials.
         *
         * @param credentials a supplier, as in {@link Signer.Builder#credentials}
         * @return this
         */
        public Builder credentials(Supplier<Credentials> credentials) {
            this.credentials = Objects.requireNonNull(credentials, "credentials is null");
            return this;
        }

        /**
         * Sets a credentials provider or credentials of the SDK.
         *
         * @param credentials a {@code com.amazonaws.auth.AWSCredentialsProvider} or {@code
         *     AWSCredentials}; the type is not in the signature, so that programs compile without
         *     the SDK
         * @return this
         * @throws IllegalArgumentException if it is of another type
         */
        public Builder credentials(Object credentials) {
            this.credentials =
                    SdkCredentials.of(Objects.requireNonNull(credentials, "credentials is null"));
            return this;
        }

        /**
         * Sets the endpoint's region. Required.
         *
         * @param region the region, such as {@code eu-central-1}
         * @return this
         */
        public Builder region(String region) {
            this.region = Objects.requireNonNull(region, "region is null");
            return this;
        }

        /**
         * Returns the generator. Regions and credentials are checked when a token is signed.
         *
         * @return a new generator
         * @throws NullPointerException if the region is missing
         */
        public RdsIamAuthTokenGenerator build() {
            return new RdsIamAuthTokenGenerator(this);
        }
    }
}
