/*
 * Logs in to an RDS database with libpq and a token instead of a password, and prints the user.
 *
 * Reads libpq's own variables. PGHOST is the endpoint: the token is signed for it, and the server's
 * certificate must name it. PGHOSTADDR is the address to dial if it is not the endpoint's, such as
 * a tunnel. The server's certificate must come from the authorities of RDS, or those in the file
 * that PGSSLROOTCERT names. Credentials come from the AWS SDKs' default chain.
 */
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>
#include <rdsign.h>

/* Call it once: keep the signer for as long as the program makes connections. */
static rdsign_signer *make_signer(const char *hostname, const char *port, const char *username) {
    rdsign_signer *signer = NULL;
    rdsign_error *error = NULL;
    rdsign_options *options = rdsign_options_new();

    rdsign_options_set_hostname(options, hostname);
    rdsign_options_set_port(options, atoi(port));
    rdsign_options_set_username(options, username);
    if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK) {
        fprintf(stderr, "no signer: %s\n", rdsign_error_message(error));
        rdsign_error_free(error);
    }
    rdsign_options_free(options);
    return signer;
}

/* A token expires after at most 15 minutes, so each connection gets its own. */
static PGconn *connect_to(const rdsign_signer *signer, const char *hostname, const char *port,
                          const char *username) {
    PGconn *connection = NULL;
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;

    if (rdsign_signer_token(signer, &token, &error) != RDSIGN_OK) {
        fprintf(stderr, "no token: %s\n", rdsign_error_message(error));
        rdsign_error_free(error);
        return NULL;
    }
    /*
     * A token is a password: never send it to another server. libpq prefers the settings of a
     * service (PGSERVICE) to its other variables, but not to parameters, so all that matters is a
     * parameter. An empty parameter is none.
     */
    const char *authorities = getenv("PGSSLROOTCERT");
    const char *const keywords[] = {"host",        "hostaddr",   "port",     "user", "sslmode",
                                    "sslrootcert", "gssencmode", "password", NULL};
    const char *const values[] = {
        hostname,
        getenv("PGHOSTADDR"),
        port,
        username,
        "verify-full",
        authorities && *authorities ? authorities : CA_FILE, /* pkg-config --variable=cafile */
        "disable",                                           /* Kerberos would replace TLS */
        rdsign_token_value(token),
        NULL,
    };
    connection = PQconnectdbParams(keywords, values, 0);
    rdsign_token_free(token);
    if (PQstatus(connection) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(connection));
        PQfinish(connection);
        return NULL;
    }
    return connection;
}

int main(void) {
    const char *hostname = getenv("PGHOST");
    const char *port = getenv("PGPORT") ? getenv("PGPORT") : "5432";
    const char *username = getenv("PGUSER");
    int failed = 1;

    rdsign_signer *signer = make_signer(hostname, port, username);
    PGconn *connection = signer ? connect_to(signer, hostname, port, username) : NULL;
    if (connection) {
        PGresult *result = PQexec(connection, "select current_user");
        failed = PQresultStatus(result) != PGRES_TUPLES_OK;
        if (failed)
            fprintf(stderr, "%s", PQerrorMessage(connection));
        else
            printf("%s\n", PQgetvalue(result, 0, 0));
        PQclear(result);
        PQfinish(connection);
    }
    rdsign_signer_free(signer);
    return failed;
}
