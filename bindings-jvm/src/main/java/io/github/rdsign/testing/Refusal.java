package io.github.rdsign.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A login that the server refused. */
public final class Refusal {
    private final Map<String, Object> members;

    private Refusal(Map<String, Object> members) {
        this.members = members;
    }

    static List<Refusal> of(Map<String, Object> answer) {
        List<Refusal> refusals = new ArrayList<>();
        for (Object members : (List<?>) answer.get("refusals")) {
            refusals.add(new Refusal(Json.asObject(members)));
        }
        return refusals;
    }

    /**
     * Returns the number of the login.
     *
     * @return a number that grows by one with each login to the server
     */
    public long number() {
        return (Long) members.get("number");
    }

    /**
     * Returns the ID of the reason. The page about errors lists all.
     *
     * @return an ID, such as {@code expired} or {@code not-allowed}
     */
    public String id() {
        return (String) members.get("id");
    }

    /**
     * Returns what was wrong.
     *
     * @return a text for people, without secrets
     */
    public String reason() {
        return (String) members.get("reason");
    }

    /**
     * Returns the user that tried to log in.
     *
     * @return the user name
     */
    public String username() {
        return (String) members.get("user");
    }

    /** Returns the ID, the user and the reason. */
    @Override
    public String toString() {
        return id() + " for " + username() + ": " + reason();
    }
}
