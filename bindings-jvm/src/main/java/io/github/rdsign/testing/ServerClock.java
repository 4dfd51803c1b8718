package io.github.rdsign.testing;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Map;

/**
 * The server's clock. Time passes for the tokens of {@link RdsLogin#signer} and {@link
 * RdsLogin#dataSource} too, so new ones are valid. Tokens of other signers are signed by this
 * machine's clock.
 */
public final class ServerClock extends Clock {
    private final Program program;

    /** How far the clock is ahead, as the last answer of the server said. */
    private volatile Duration offset = Duration.ZERO;

    ServerClock(Program program) {
        this.program = program;
    }

    /**
     * Sets the clock ahead.
     *
     * @param duration how far, in whole seconds; a negative duration sets it back
     */
    public void advance(Duration duration) {
        change("advance_seconds", duration.getSeconds());
    }

    /** Sets the clock to this machine's. */
    public void reset() {
        change("offset_seconds", 0L);
    }

    /** Returns the time of the server, after the last change by this object. */
    @Override
    public Instant instant() {
        return Instant.now().plus(offset);
    }

    /** Returns the zone of the clock: UTC. */
    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    /** Returns a clock with the time that this one has now, in another zone. */
    @Override
    public Clock withZone(ZoneId zone) {
        return Clock.offset(Clock.system(zone), offset);
    }

    private void change(String member, Long seconds) {
        Map<String, Object> answer = program.request("clock", member, seconds);
        offset = Duration.ofSeconds((Long) answer.get("offset_seconds"));
    }
}
