package io.github.rdsign;

import java.util.function.Supplier;

/**
 * Calls the Supplier of a signer for native code.
 *
 * <p>An exception of the Supplier cannot pass through core, which gets only its text. It is kept
 * here, and becomes the cause of the RdsignException.
 */
final class Source {
    private final Supplier<Credentials> supplier;
    private volatile Throwable failure;

    Source(Supplier<Credentials> supplier) {
        this.supplier = supplier;
    }

    /**
     * Returns the reason of a failure, or the access key ID, the secret access key, the session
     * token and the expiry in milliseconds since 1970, of which the last two may be null. Native
     * code calls this.
     */
    char[][] credentials() {
        Credentials credentials;
        try {
            credentials = supplier.get();
            failure = null;
        } catch (Throwable thrown) {
            failure = thrown;
            return failure(thrown.toString());
        }
        if (credentials == null) {
            return failure("the supplier returned null");
        }
        return new char[][] {
            characters(credentials.accessKeyId),
            characters(credentials.secretAccessKey),
            characters(credentials.sessionToken),
            credentials.expiration == null
                    ? null
                    : characters(Long.toString(milliseconds(credentials))),
        };
    }

    /**
     * Sets the cause of a failure. Only one thread calls the Supplier at a time; threads that
     * waited for it share its failure.
     */
    RdsignException explained(RdsignException exception) {
        Throwable thrown = failure;
        if (thrown != null && exception.code().equals("CREDENTIALS_FAILED")) {
            exception.initCause(thrown);
        }
        return exception;
    }

    private static char[][] failure(String reason) {
        return new char[][] {reason.toCharArray()};
    }

    private static char[] characters(String text) {
        return text == null ? null : text.toCharArray();
    }

    private static long milliseconds(Credentials credentials) {
        try {
            return credentials.expiration.toEpochMilli();
        } catch (ArithmeticException farAway) {
            return credentials.expiration.getEpochSecond() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
