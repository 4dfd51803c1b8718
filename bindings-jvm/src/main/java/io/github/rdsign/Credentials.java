package io.github.rdsign;

import java.time.Instant;
import java.util.Objects;

/**
 * AWS credentials that a {@code Supplier} returns to {@link Signer.Builder#credentials}.
 *
 * <p>Set the expiration of temporary credentials. Without it, they never expire for rdsign, and the
 * supplier is not called again.
 */
public final class Credentials {
    final String accessKeyId;
    final String secretAccessKey;
    final String sessionToken;
    final Instant expiration;

    private Credentials(Builder builder) {
        accessKeyId = builder.accessKeyId;
        secretAccessKey = builder.secretAccessKey;
        sessionToken = builder.sessionToken;
        expiration = builder.expiration;
    }

    /**
     * Returns a builder with nothing set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns the expiration, and a placeholder for the keys. */
    @Override
    public String toString() {
        return "Credentials[** redacted **, expiration=" + expiration + "]";
    }

    /** Builds {@link Credentials}. Each setter throws NullPointerException for null. */
    public static final class Builder {
        private String accessKeyId;
        private String secretAccessKey;
        private String sessionToken;
        private Instant expiration;

        private Builder() {}

        /**
         * Sets the access key ID. Required.
         *
         * @param accessKeyId the access key ID
         * @return this
         */
        public Builder accessKeyId(String accessKeyId) {
            this.accessKeyId = Objects.requireNonNull(accessKeyId, "accessKeyId is null");
            return this;
        }

        /**
         * Sets the secret access key. Required.
         *
         * @param secretAccessKey the secret access key
         * @return this
         */
        public Builder secretAccessKey(String secretAccessKey) {
            this.secretAccessKey =
                    Objects.requireNonNull(secretAccessKey, "secretAccessKey is null");
            return this;
        }

        /**
         * Sets the session token, required for temporary credentials. An empty one is ignored.
         *
         * @param sessionToken the session token
         * @return this
         */
        public Builder sessionToken(String sessionToken) {
            this.sessionToken = Objects.requireNonNull(sessionToken, "sessionToken is null");
            return this;
        }

        /**
         * Sets when the credentials expire. Default: never.
         *
         * @param expiration the expiry
         * @return this
         */
        public Builder expiration(Instant expiration) {
            this.expiration = Objects.requireNonNull(expiration, "expiration is null");
            return this;
        }

        /**
         * Returns the credentials without checking them. Signing with a missing or empty key fails
         * with {@code INVALID_CREDENTIALS}.
         *
         * @return new credentials
         */
        public Credentials build() {
            return new Credentials(this);
        }

        /** Returns a placeholder without the keys. */
        @Override
        public String toString() {
            return "Credentials.Builder[** redacted **]";
        }
    }
}
