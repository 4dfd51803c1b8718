package io.github.rdsign.testing;

/** An error of RDS on this machine: it did not start, or did not do what a test asked for. */
public final class RdsLocalException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Why the server did not start, or an SQLSTATE; null for every other error. */
    private final String code;

    RdsLocalException(String message, String code, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /**
     * Returns why the server did not start, or the SQLSTATE of an error of SQL.
     *
     * @return {@code no-program}, {@code no-postgres}, {@code needs-linux} or {@code other} if the
     *     server did not start, the SQLSTATE for {@link RdsLogin#sql}, else null
     */
    public String code() {
        return code;
    }
}
