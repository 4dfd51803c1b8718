/* Logs in twice, with libpq alone, and prints the user each time. */
#include <libpq-fe.h>
#include <stdio.h>

static int print_user(PGconn *connection) {
    int failed = PQstatus(connection) != CONNECTION_OK;
    PGresult *result = failed ? NULL : PQexec(connection, "select current_user");
    failed = failed || PQresultStatus(result) != PGRES_TUPLES_OK;
    if (failed)
        fputs(PQerrorMessage(connection), stderr);
    else
        puts(PQgetvalue(result, 0, 0));
    PQclear(result);
    return failed;
}

int main(int count, char **arguments) {
    PGconn *connection = PQconnectdb(count > 1 ? arguments[1] : "");
    int failed = print_user(connection);
    PQreset(connection);
    failed = failed || print_user(connection);
    PQfinish(connection);
    return failed;
}
