package io.github.rdsign;

/**
 * What the native library does, once {@link Loader} has loaded it. Each may throw RdsignException.
 */
final class Native {
    private Native() {}

    /** Options are names and their values in turn; a source is passed with each call that asks. */
    static native long newSigner(char[][] options, boolean hasSource);

    /** The token's text in ASCII, then its expiry in milliseconds since 1970, in eight bytes. */
    static native byte[] token(long signer, Source source);

    static native byte[] tokenAt(long signer, Source source, long signingTime);

    /** Host name, port, user name and region, a line each, in UTF-8. */
    static native byte[] describe(long signer);

    static native void free(long signer);
}
