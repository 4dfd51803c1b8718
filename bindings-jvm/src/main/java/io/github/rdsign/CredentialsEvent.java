package io.github.rdsign;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What came of a fetch of credentials: see {@link Signer.Builder#eventListener}.
 *
 * <p>It contains no secret, so it is safe to log. An error in it may name an access key ID.
 */
public final class CredentialsEvent {
    /** Whether this thread calls a listener. */
    private static final ThreadLocal<Boolean> TELLING = new ThreadLocal<>();

    private final String name;
    private final String message;
    private final boolean isWarning;
    private final Duration duration;
    private final String source;
    private final Instant expiresAt;
    private final String code;

    /** Takes the array of {@link Native#nextEvent}. */
    private CredentialsEvent(String[] fields) {
        name = fields[0];
        message = fields[1];
        isWarning = Boolean.parseBoolean(fields[2]);
        duration = Duration.ofNanos(Long.parseLong(fields[3]));
        source = fields[4];
        expiresAt = fields[5] == null ? null : Instant.ofEpochMilli(Long.parseLong(fields[5]));
        code = fields[6];
    }

    /**
     * Returns what happened. Later versions may add names.
     *
     * <ul>
     *   <li>{@code fetched}: a source returned new credentials.
     *   <li>{@code refresh-failed}: a refresh failed. The credentials in use are still valid and go
     *       on signing.
     *   <li>{@code fetch-failed}: a fetch failed, and no credentials are valid. The caller gets the
     *       error.
     *   <li>{@code expiring}: the credentials in use expire within a minute, and their source has
     *       no newer ones. Occurs once for the same credentials.
     * </ul>
     *
     * @return the name, the same in every language
     */
    public String name() {
        return name;
    }

    /**
     * Returns one line about the event, the same in every language.
     *
     * @return the line
     */
    public String message() {
        return message;
    }

    /**
     * Returns whether it is a warning. Otherwise it is only information.
     *
     * @return false for {@code fetched}
     */
    public boolean isWarning() {
        return isWarning;
    }

    /**
     * Returns how long the fetch took.
     *
     * @return the duration
     */
    public Duration duration() {
        return duration;
    }

    /**
     * Returns the source that answered.
     *
     * @return its name, such as {@code environment} or {@code SSO}; empty if the fetch failed
     */
    public Optional<String> source() {
        return Optional.ofNullable(source);
    }

    /**
     * Returns when the credentials in use expire.
     *
     * @return the time; empty if they do not expire, or if there are none
     */
    public Optional<Instant> expiresAt() {
        return Optional.ofNullable(expiresAt);
    }

    /**
     * Returns why the fetch failed.
     *
     * @return a code of {@link RdsignException#code()}; empty if the fetch did not fail
     */
    public Optional<String> code() {
        return Optional.ofNullable(code);
    }

    /** Returns the message. */
    @Override
    public String toString() {
        return message;
    }

    /** Returns whether a listener makes the call that this thread is in. */
    static boolean isListener() {
        return TELLING.get() != null;
    }

    /**
     * Tells a listener the events that wait. A listener that asks the same signer for a token could
     * cause the next event, and so on without an end: native code drops that one. The events of
     * other threads that wait meanwhile are told when the listener has returned.
     */
    static void tell(long signer, Consumer<CredentialsEvent> listener) {
        if (isListener()) {
            return;
        }
        TELLING.set(true);
        try {
            for (String[] next = Native.nextEvent(signer);
                    next != null;
                    next = Native.nextEvent(signer)) {
                tell(new CredentialsEvent(next), listener);
            }
        } finally {
            TELLING.remove();
        }
    }

    private static void tell(CredentialsEvent event, Consumer<CredentialsEvent> listener) {
        try {
            listener.accept(event);
        } catch (Throwable thrown) {
            uncaught(thrown);
        }
    }

    private static void uncaught(Throwable thrown) {
        Thread thread = Thread.currentThread();
        try {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
        } catch (Throwable ignored) {
            // The JVM ignores it, too.
        }
    }
}
