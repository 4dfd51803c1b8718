package io.github.rdsign;

import java.util.function.Supplier;

/**
 * The Supplier of a signer, as native code asks it.
 *
 * <p>What it throws stays here, to become the cause of the exception that the error's text makes on
 * its way through core.
 */
final class Source {
    private final Supplier<Credentials> supplier;
    private volatile Throwable failure;

    Source(Supplier<Credentials> supplier) {
        this.supplier = supplier;
    }

    /**
     * Called from native code: the reason of a failure, or four fields of which two may be null.
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

    /** Only one thread asks at a time: another that waited for it shares its failure. */
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
