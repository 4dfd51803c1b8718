package io.github.rdsign.testing;

import io.github.rdsign.Signer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** An access key of RDS on this machine. It is valid nowhere else. */
public final class AccessKey {
    private final Map<String, Object> members;

    AccessKey(Map<String, Object> members) {
        this.members = members;
    }

    /**
     * Returns the access key ID.
     *
     * @return the ID
     */
    public String id() {
        return (String) members.get("access_key_id");
    }

    /**
     * Returns the secret access key.
     *
     * @return the secret
     */
    public String secret() {
        return (String) members.get("secret_access_key");
    }

    /**
     * Returns the session token.
     *
     * @return the session token, or null for a long-lived key
     */
    public String sessionToken() {
        return (String) members.get("session_token");
    }

    /**
     * Returns the users that the key may log in as.
     *
     * @return user names
     */
    public List<String> users() {
        List<String> users = new ArrayList<>();
        for (Object user : (List<?>) members.get("users")) {
            users.add((String) user);
        }
        return Collections.unmodifiableList(users);
    }

    /**
     * Makes a signer sign with this key.
     *
     * @param builder the builder of the signer
     * @return the builder
     */
    public Signer.Builder signs(Signer.Builder builder) {
        builder.accessKeyId(id()).secretAccessKey(secret());
        return sessionToken() == null ? builder : builder.sessionToken(sessionToken());
    }

    void addTo(Map<String, String> environment) {
        environment.put("AWS_ACCESS_KEY_ID", id());
        environment.put("AWS_SECRET_ACCESS_KEY", secret());
        if (sessionToken() != null) {
            environment.put("AWS_SESSION_TOKEN", sessionToken());
        }
    }

    /** Returns the ID, without the secrets. */
    @Override
    public String toString() {
        return "AccessKey[id=" + id() + "]";
    }
}
