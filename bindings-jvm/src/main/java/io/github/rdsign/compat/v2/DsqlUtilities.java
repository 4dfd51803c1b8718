package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;

import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Replaces the AWS SDK for Java v2's interface of the same name, without the SDK: change the
 * imports. A program that keeps the SDK can pass its credentials providers.
 *
 * <p>Errors differ: an invalid argument or a missing region is a {@link
 * io.github.rdsign.RdsignException} instead of an {@code IllegalArgumentException}. Without
 * credentials, the default chain is used.
 *
 * <p>New code should use {@link Signer}. Get a new token for each connection, also in pools.
 */
public final class DsqlUtilities {
    private static final String ADMIN = "admin";

    /** Any user but {@link #ADMIN}: the token does not name it. */
    private static final String NOT_ADMIN = "user";

    private final Signers signers = new Signers();
    private final Region region;
    private final Supplier<Credentials> credentials;

    private DsqlUtilities(Builder builder) {
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
     * Returns a token that is signed now, for every database role but {@code admin}. Credentials
     * are cached between calls with the same request; a provider of the SDK is asked for each
     * token.
     *
     * @param request the endpoint and the lifetime
     * @return the text to send as the password
     * @throws io.github.rdsign.RdsignException as {@link Signer.Builder#build} and {@link
     *     Signer#token()}
     */
    public String generateDbConnectAuthToken(GenerateAuthTokenRequest request) {
        return token(request, NOT_ADMIN);
    }

    /**
     * Returns a token that is signed now, as {@link
     * #generateDbConnectAuthToken(GenerateAuthTokenRequest)} does.
     *
     * @param request sets the endpoint and the lifetime
     * @return the text to send as the password
     */
    public String generateDbConnectAuthToken(Consumer<GenerateAuthTokenRequest.Builder> request) {
        return token(built(request), NOT_ADMIN);
    }

    /**
     * Returns a token that is signed now, for the database role {@code admin}.
     *
     * @param request the endpoint and the lifetime
     * @return the text to send as the password
     * @throws io.github.rdsign.RdsignException as {@link Signer.Builder#build} and {@link
     *     Signer#token()}
     */
    public String generateDbConnectAdminAuthToken(GenerateAuthTokenRequest request) {
        return token(request, ADMIN);
    }

    /**
     * Returns a token that is signed now, as {@link
     * #generateDbConnectAdminAuthToken(GenerateAuthTokenRequest)} does.
     *
     * @param request sets the endpoint and the lifetime
     * @return the text to send as the password
     */
    public String generateDbConnectAdminAuthToken(
            Consumer<GenerateAuthTokenRequest.Builder> request) {
        return token(built(request), ADMIN);
    }

    private static GenerateAuthTokenRequest built(
            Consumer<GenerateAuthTokenRequest.Builder> request) {
        GenerateAuthTokenRequest.Builder builder = GenerateAuthTokenRequest.builder();
        Objects.requireNonNull(request, "request is null").accept(builder);
        return builder.build();
    }

    private String token(GenerateAuthTokenRequest request, String username) {
        Objects.requireNonNull(request, "request is null");
        return signers.password(
                Signer.builder()
                        .hostname(request.hostname())
                        .username(username)
                        .expiresIn(request.expiresIn())
                        .service("dsql"),
                request.region() != null ? request.region() : region,
                request.credentialsProvider() != null ? request.credentialsProvider() : credentials,
                request.hostname(),
                username,
                request.expiresIn());
    }

    /** Builds {@link DsqlUtilities}. Setters throw NullPointerException for null. */
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
         * Sets a credentials provider or credentials of the SDK.
         *
         * @param credentialsProvider a {@code
         *     software.amazon.awssdk.auth.credentials.AwsCredentialsProvider} or {@code
         *     AwsCredentials}; the type is not in the signature, so that programs compile without
         *     the SDK
         * @return this
         * @throws IllegalArgumentException if it is of another type
         */
        public Builder credentialsProvider(Object credentialsProvider) {
            credentials =
                    SdkCredentials.of(
                            Objects.requireNonNull(
                                    credentialsProvider, "credentialsProvider is null"));
            return this;
        }

        /**
         * Returns the utilities. The region and the credentials are checked when a token is signed.
         *
         * @return new utilities
         */
        public DsqlUtilities build() {
            return new DsqlUtilities(this);
        }
    }
}
