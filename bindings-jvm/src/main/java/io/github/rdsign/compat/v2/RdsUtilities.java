package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.SignerCache;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Replaces the AWS SDK for Java v2's interface of the same name, without the SDK: change the
 * imports. If you have a credentials provider of the SDK, pass {@code
 * AwsSdkCredentials.from(provider)}.
 *
 * <p>New code should use {@link Signer}. A token is for one login: get a new one for each
 * connection, also in pools.
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
     * Returns a builder with nothing set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a token that is signed now. Credentials are cached between calls with the same
     * request.
     *
     * @param request the endpoint and the user
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
     * Returns a token that is signed now, as {@link
     * #generateAuthenticationToken(GenerateAuthenticationTokenRequest)} does.
     *
     * @param request sets the endpoint and the user
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

    /** Builds {@link RdsUtilities}. Setters throw NullPointerException for null. */
    public static final class Builder {
        private Region region;
        private Supplier<Credentials> credentials;

        private Builder() {}

        /**
         * Sets the endpoint's region. The default is that of {@link Signer.Builder#region}.
         *
         * @param region the region
         * @return this
         */
        public Builder region(Region region) {
            this.region = Objects.requireNonNull(region, "region is null");
            return this;
        }

        /**
         * Selects the default chain of credentials, which is the default.
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
         * Sets a function that returns credentials.
         *
         * @param credentialsProvider a supplier, as in {@link Signer.Builder#credentials}
         * @return this
         */
        public Builder credentialsProvider(Supplier<Credentials> credentialsProvider) {
            credentials =
                    Objects.requireNonNull(credentialsProvider, "credentialsProvider is null");
            return this;
        }

        /**
         * Returns the utilities. The region and the credentials are checked when a token is signed.
         *
         * @return new utilities
         */
        public RdsUtilities build() {
            return new RdsUtilities(this);
        }
    }
}
