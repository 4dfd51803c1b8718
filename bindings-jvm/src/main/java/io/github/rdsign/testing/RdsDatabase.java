package io.github.rdsign.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A fresh database for one test, and a user of its own. {@link RdsLocal#createDatabase()} makes
 * one. All databases of a server share its clock.
 */
public final class RdsDatabase extends RdsLogin implements AutoCloseable {
    private boolean isDropped;

    RdsDatabase(Program program, ServerClock clock, Map<String, Object> made) {
        super(program, clock, made, new AccessKey(Json.asObject(made.get("access_key"))));
    }

    /**
     * Returns the refused logins of this database's user.
     *
     * @return all since the database was created, the oldest first
     */
    public List<Refusal> refusals() {
        return refusals(0);
    }

    /**
     * Returns the later refused logins of this database's user.
     *
     * @param since the {@linkplain Refusal#number number} of a login
     * @return all after that login, the oldest first
     */
    public List<Refusal> refusals(long since) {
        List<Refusal> own = new ArrayList<>();
        for (Refusal refusal : Refusal.of(program.request("refusals", "since", since))) {
            if (username().equals(refusal.username())) {
                own.add(refusal);
            }
        }
        return own;
    }

    /**
     * Ends its sessions, and removes the database, the user and the access key. Takes back what its
     * {@link #policy} denied, and leaves the clock as it is.
     */
    @Override
    public synchronized void close() {
        if (isDropped) {
            return;
        }
        isDropped = true;
        forget();
        try {
            allowDenied();
        } finally {
            program.request(
                    "drop_database",
                    "database",
                    database(),
                    "user",
                    username(),
                    "access_key_id",
                    key().id());
        }
    }
}
