package io.github.rdsign.compat.v1;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.SignerCache;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * The AWS SDK for Java v1's class of this name, without the SDK: change the imports.
 *
 * <p>New programs rather use {@link Signer}. A token is for one login: ask for a new one for each
 * connection, also of a pool.
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
     * Starts a generator with nothing set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A token signed now.
     *
     * @param request what for
     * @return the text to send as the password
     * @throws io.github.rdsign.RdsignException as {@link Signer.Builder#build} and {@link
     *     Signer#token()}
     */
    public String getAuthToken(GetIamAuthTokenRequest request) {
        Objects.requireNonNull(request, "request is null");
        return signers.get(
                        Arrays.asList(
                                request.getHostname(), request.getPort(), request.getUserName()),
                        () -> signer(request))
                .password();
    }

    private Signer signer(GetIamAuthTokenRequest request) {
        Signer.Builder builder =
                Signer.builder()
                        .hostname(request.getHostname())
                        .port(request.getPort())
                        .username(request.getUserName())
                        .region(region);
        if (credentials != null) {
            builder.credentials(credentials);
        }
        return builder.build();
    }

    /** The parts of {@link RdsIamAuthTokenGenerator}. */
    public static final class Builder {
        private String region;
        private Supplier<Credentials> credentials;

        private Builder() {}

        /**
         * The default chain, which is the default.
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
         * Where credentials come from.
         *
         * @param credentials as {@link Signer.Builder#credentials} takes it
         * @return this
         */
        public Builder credentials(Supplier<Credentials> credentials) {
            this.credentials = Objects.requireNonNull(credentials, "credentials is null");
            return this;
        }

        /**
         * The endpoint's region. Required.
         *
         * @param region the region, such as {@code eu-central-1}
         * @return this
         */
        public Builder region(String region) {
            this.region = Objects.requireNonNull(region, "region is null");
            return this;
        }

        /**
         * The generator.
         *
         * @return a new generator
         */
        public RdsIamAuthTokenGenerator build() {
            return new RdsIamAuthTokenGenerator(this);
        }
    }
}
