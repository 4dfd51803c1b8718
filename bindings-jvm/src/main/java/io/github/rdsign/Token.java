package io.github.rdsign;

import java.time.Instant;

/**
 * A signed token for one login, and the moment until which it can be used.
 *
 * <p>It is a password for its few minutes: nothing but {@link #value()} shows it, and it is not
 * serializable. Java cannot wipe a {@code String}, so do not keep tokens: ask the {@link Signer}
 * for one each time.
 */
public final class Token {
    private final String value;
    private final Instant expiresAt;

    Token(String value, Instant expiresAt) {
        this.value = value;
        this.expiresAt = expiresAt;
    }

    /**
     * The text to send as the password, as it is.
     *
     * @return ASCII, about 350 characters long with a long-lived key, and 1,300 to 2,500 with a
     *     session token
     */
    public String value() {
        return value;
    }

    /**
     * The moment from which the server refuses the token: the end of its lifetime or of the
     * credentials that signed it, whichever comes first. A connection that is open by then stays
     * open.
     *
     * @return to the millisecond
     */
    public Instant expiresAt() {
        return expiresAt;
    }

    /** Without the value. */
    @Override
    public String toString() {
        return "Token[value=** redacted **, expiresAt=" + expiresAt + "]";
    }
}
