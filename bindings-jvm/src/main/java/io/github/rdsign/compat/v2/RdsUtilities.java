package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.SignerCache;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The AWS SDK for Java v2's interface of this name, without the SDK: change the imports. Who has
 * the SDK's credentials gives {@code AwsSdkCredentials.from(provider)}.
 *
 * <p>New programs rather use {@link Signer}. A token is for one login: ask for a new one for each
 * connection, also of a pool.
 */
public final class RdsUtilities {
    private final SignerCache signers = new SignerCache();
    private final Region region;
    private final Supplier<Credentials> credentials;

    private RdsUtilities(Builder builder) {
        region = builder.region;
        credentials = builder.credentials;
    }

    /**
     * Starts utilities with nothing set.
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
    public String generateAuthenticationToken(GenerateAuthenticationTokenRequest request) {
        Objects.requireNonNull(request, "request is null");
        Region signedFor = request.region() != null ? request.region() : region;
        Supplier<Credentials> signedWith =
                request.credentialsProvider() != null ? request.credentialsProvider() : credentials;
        return signers.get(
                        Arrays.asList(
                                request.hostname(),
                                request.port(),
                                request.username(),
                                signedFor,
                                signedWith),
                        () -> signer(request, signedFor, signedWith))
                .password();
    }

    /**
     * A token signed now.
     *
     * @param request sets what for
     * @return the text to send as the password
     */
    public String generateAuthenticationToken(
            Consumer<GenerateAuthenticationTokenRequest.Builder> request) {
        GenerateAuthenticationTokenRequest.Builder builder =
                GenerateAuthenticationTokenRequest.builder();
        Objects.requireNonNull(request, "request is null").accept(builder);
        return generateAuthenticationToken(builder.build());
    }

    private static Signer signer(
            GenerateAuthenticationTokenRequest request,
            Region region,
            Supplier<Credentials> credentials) {
        Signer.Builder builder =
                Signer.builder()
                        .hostname(request.hostname())
                        .port(request.port())
                        .username(request.username());
        if (region != null) {
            builder.region(region.id());
        }
        if (credentials != null) {
            builder.credentials(credentials);
        }
        return builder.build();
    }

    /** The parts of {@link RdsUtilities}. */
    public static final class Builder {
        private Region region;
        private Supplier<Credentials> credentials;

        private Builder() {}

        /**
         * The endpoint's region. Default: the host name's, or as {@link Signer.Builder#region}
         * says.
         *
         * @param region the region
         * @return this
         */
        public Builder region(Region region) {
            this.region = Objects.requireNonNull(region, "region is null");
            return this;
        }

        /**
         * The default chain, which is the default.
         *
         * @param credentialsProvider the default chain
         * @return this
         */
        public Builder credentialsProvider(DefaultCredentialsProvider credentialsProvider) {
            Objects.requireNonNull(credentialsProvider, "credentialsProvider is null");
            credentials = null;
            return this;
        }

        /**
         * Where credentials come from.
         *
         * @param credentialsProvider as {@link Signer.Builder#credentials} takes it
         * @return this
         */
        public Builder credentialsProvider(Supplier<Credentials> credentialsProvider) {
            credentials =
                    Objects.requireNonNull(credentialsProvider, "credentialsProvider is null");
            return this;
        }

        /**
         * The utilities.
         *
         * @return new utilities
         */
        public RdsUtilities build() {
            return new RdsUtilities(this);
        }
    }
}
