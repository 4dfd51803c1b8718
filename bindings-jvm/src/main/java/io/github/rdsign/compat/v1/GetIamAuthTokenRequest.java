package io.github.rdsign.compat.v1;

import java.util.Objects;

/** The endpoint and user of a token, with the methods of the AWS SDK for Java v1's class. */
public final class GetIamAuthTokenRequest {
    private final String hostname;
    private final int port;
    private final String userName;

    private GetIamAuthTokenRequest(Builder builder) {
        hostname = Objects.requireNonNull(builder.hostname, "hostname is null");
        port = builder.port;
        userName = Objects.requireNonNull(builder.userName, "userName is null");
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
    public String getHostname() {
        return hostname;
    }

    /**
     * Returns the endpoint's port.
     *
     * @return the port
     */
    public int getPort() {
        return port;
    }

    /**
     * Returns the database user.
     *
     * @return the user name
     */
    public String getUserName() {
        return userName;
    }

    /** Builds a {@link GetIamAuthTokenRequest}. Everything is required. */
    public static final class Builder {
        private String hostname;
        private int port;
        private String userName;

        private Builder() {}

        /**
         * Sets the endpoint's host name.
         *
         * @param endpoint the host name
         * @return this
         */
        public Builder hostname(String endpoint) {
            hostname = endpoint;
            return this;
        }

        /**
         * Sets the endpoint's port.
         *
         * @param port 1 to 65535
         * @return this
         */
        public Builder port(int port) {
            this.port = port;
            return this;
        }

        /**
         * Sets the database user.
         *
         * @param userName the user name
         * @return this
         */
        public Builder userName(String userName) {
            this.userName = userName;
            return this;
        }

        /**
         * Returns the request. Only checks that the host name and the user were set.
         *
         * @return a new request
         * @throws NullPointerException if the host name or the user is missing
         */
        public GetIamAuthTokenRequest build() {
            return new GetIamAuthTokenRequest(this);
        }
    }
}
