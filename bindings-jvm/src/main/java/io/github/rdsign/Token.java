package io.github.rdsign;

import java.time.Instant;

/**
 * A signed token for one login, with its expiry.
 *
 * <p>A token is a password: only {@link #value()} shows its text, and it is not serializable. Java
 * cannot wipe a {@code String}, so do not keep tokens. Get a new one from the {@link Signer} for
 * each login.
 */
public final class Token {
    private final String value;
    private final Instant expiresAt;

    Token(String value, Instant expiresAt) {
        this.value = value;
        this.expiresAt = expiresAt;
    }

    /**
     * Returns the text to send as the password.
     *
     * @return ASCII text, about 350 characters with a long-lived key, 1,300 to 2,500 with a session
     *     token
     */
    public String value() {
        return value;
    }

    /**
     * Returns when the server starts to reject the token: when its lifetime has passed or the
     * credentials that signed it expire, whichever comes first. An open connection stays open.
     *
     * @return the expiry, to the millisecond
     */
    public Instant expiresAt() {
        return expiresAt;
    }

    /** Returns the expiry, and a placeholder for the value. */
    @Override
    public String toString() {
        return "Token[value=** redacted **, expiresAt=" + expiresAt + "]";
    }
}
