/*
 * Logs in to an RDS database with libpq and a token instead of a password, and prints the user.
 *
 * Reads libpq's own variables. PGHOST is the endpoint: the token is signed for it, and the server's
 * certificate must name it. PGHOSTADDR is the address to dial if it is not the endpoint's, such as
 * a tunnel. Credentials come from the AWS SDKs' default chain.
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
    rdsign_options_set_port(options, port ? atoi(port) : 5432);
    rdsign_options_set_username(options, username);
    if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK) {
        fprintf(stderr, "no signer: %s\n", rdsign_error_message(error));
        rdsign_error_free(error);
    }
    rdsign_options_free(options);
    return signer;
}

/* A token expires after at most 15 minutes, so each connection gets its own. */
static PGconn *connect_to(const rdsign_signer *signer, const char *hostname) {
    PGconn *connection = NULL;
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;

    if (rdsign_signer_token(signer, &token, &error) != RDSIGN_OK) {
        fprintf(stderr, "no token: %s\n", rdsign_error_message(error));
        rdsign_error_free(error);
        return NULL;
    }
    /* libpq reads the parameters that are missing or NULL from its variables. */
    const char *const keywords[] = {"host", "hostaddr", "password", "sslmode", "sslrootcert", NULL};
    const char *const values[] = {
        hostname,
        getenv("PGHOSTADDR"),
        rdsign_token_value(token),
        "verify-full", /* a token is a password: never send it to another server */
        getenv("PGSSLROOTCERT"),
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
    int failed = 1;

    rdsign_signer *signer = make_signer(hostname, getenv("PGPORT"), getenv("PGUSER"));
    PGconn *connection = signer ? connect_to(signer, hostname) : NULL;
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
