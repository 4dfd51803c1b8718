package io.github.rdsign;

/**
 * The methods of the native library, which {@link Loader} must have loaded. Each may throw
 * RdsignException. The caller keeps a signer alive during a call: see {@link Handle}.
 */
final class Native {
    private Native() {}

    /**
     * Makes a signer. The options are alternating names and values. If {@code hasSource} is true,
     * each call for a token passes the source. If {@code hasListener} is false, no event waits.
     */
    static native long newSigner(char[][] options, boolean hasSource, boolean hasListener);

    /**
     * Returns the token's text in ASCII, followed by its expiry in milliseconds since 1970, as
     * eight bytes, big-endian, and by 1 if an event waits, else 0. The source may be null. If
     * {@code isListener} is true, the events of this call are dropped.
     */
    static native byte[] token(long signer, Source source, boolean isListener);

    /** The same if that needs no wait for credentials, else null. */
    static native byte[] readyToken(long signer, boolean isListener);

    /** As {@link #token}, signed at a time in seconds since 1970. */
    static native byte[] tokenAt(long signer, Source source, long signingTime, boolean isListener);

    /** Returns host name, port, user name, region and service, one in each line, in UTF-8. */
    static native byte[] describe(long signer);

    /**
     * Returns the oldest event that waits, or null: its name, its message, whether it is a warning,
     * the duration in nanoseconds, and the source, the expiry in milliseconds since 1970 and the
     * code, each of which may be null.
     */
    static native String[] nextEvent(long signer);

    static native void free(long signer);
}
