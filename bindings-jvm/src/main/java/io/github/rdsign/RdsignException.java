package io.github.rdsign;

/**
 * An error with a stable code and a message.
 *
 * <p>The message names the field and says what is accepted. It never contains a secret access key,
 * a session token, a signature or a token, so it is safe to log. If a {@code Supplier} of
 * credentials threw an exception, that is the {@linkplain #getCause() cause}.
 */
public final class RdsignException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String code;

    /** Native code calls this constructor, too. */
    RdsignException(String code, String message) {
        super(message);
        this.code = code;
    }

    /**
     * Returns the code, which is the same in every language: {@code INVALID_HOSTNAME}, {@code
     * INVALID_PORT}, {@code INVALID_USERNAME}, {@code INVALID_REGION}, {@code REGION_REQUIRED},
     * {@code REGION_MISMATCH}, {@code INVALID_CREDENTIALS}, {@code INVALID_EXPIRES_IN}, {@code
     * INVALID_SIGNING_TIME}, {@code SERVICE_MISMATCH}, {@code CREDENTIALS_NOT_FOUND}, {@code
     * CREDENTIALS_EXPIRED}, {@code CREDENTIALS_FAILED}, {@code CREDENTIALS_TIMEOUT} or {@code
     * INTERNAL}, which is a bug in rdsign. Later versions may add codes.
     *
     * @return the code, such as {@code INVALID_PORT}
     */
    public String code() {
        return code;
    }

    /** Returns the class name, the code and the message. */
    @Override
    public String toString() {
        return RdsignException.class.getName() + ": " + code + ": " + getMessage();
    }
}
