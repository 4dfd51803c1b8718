/*
 * Logs in with libpq from three threads until the file STOP exists: pool EVENTS STOP. Each
 * connection is used once. With a third argument it forks instead, while a new signer fetches, and
 * each child logs in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <rdsign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REFUSED "PAM authentication failed"
#define LONGEST 60 /* seconds */

static int events;
static const char *stop;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Forks share the file: each line is one write. */
static void event(const char *what, double began, const char *outcome, const char *text) {
    char line[700], shown[301];
    snprintf(shown, sizeof shown, "%s", text);
    for (char *at = shown; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = ' ';
    int length =
        snprintf(line, sizeof line,
                 "{\"what\": \"%s\", \"began\": %.6f, \"ended\": %.6f, \"outcome\": \"%s\", "
                 "\"text\": \"%s\"}\n",
                 what, began, now(), outcome, shown);
    if (write(events, line, (size_t)length) != length)
        _exit(3);
}

static rdsign_signer *new_signer(void) {
    rdsign_options *options = rdsign_options_new();
    rdsign_signer *signer = NULL;
    rdsign_error *error = NULL;
    rdsign_options_set_hostname(options, getenv("PGHOST"));
    rdsign_options_set_port(options, atoi(getenv("PGPORT")));
    rdsign_options_set_username(options, "iam_user");
    if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK) {
        fprintf(stderr, "no signer: %s\n", rdsign_error_message(error));
        exit(3);
    }
    rdsign_options_free(options);
    return signer;
}

static rdsign_token *new_token(rdsign_signer *signer) {
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    double began = now();
    if (rdsign_signer_token(signer, &token, &error) == RDSIGN_OK) {
        event("token", began, "ok", "");
        return token;
    }
    event("token", began, rdsign_status_name(rdsign_error_status(error)),
          rdsign_error_message(error));
    rdsign_error_free(error);
    return NULL;
}

static void log_in(rdsign_signer *signer) {
    double began = now();
    rdsign_token *token = new_token(signer);
    if (token == NULL)
        return;
    const char *const keywords[] = {"host",     "hostaddr", "port",        "dbname",     "user",
                                    "password", "sslmode",  "sslrootcert", "gssencmode", NULL};
    const char *const values[] = {
        getenv("PGHOST"),          "127.0.0.1",   getenv("PGPORT"),        "testdb",  "iam_user",
        rdsign_token_value(token), "verify-full", getenv("PGSSLROOTCERT"), "disable", NULL};
    PGconn *connection = PQconnectdbParams(keywords, values, 0);
    rdsign_token_free(token);
    const char *said = PQerrorMessage(connection);
    if (PQstatus(connection) == CONNECTION_OK)
        event("login", began, "ok", "");
    else
        event("login", began, strstr(said, REFUSED) ? "refused" : "failed", said);
    PQfinish(connection);
}

static void *log_in_often(void *signer) {
    while (access(stop, F_OK) != 0) {
        log_in(signer);
        usleep(20000);
    }
    return NULL;
}

static void *fetch(void *signer) {
    rdsign_token *token = new_token(signer);
    if (token != NULL)
        rdsign_token_free(token);
    return NULL;
}

static void fork_once(void) {
    rdsign_signer *signer = new_signer();
    pthread_t thread;
    if (pthread_create(&thread, NULL, fetch, signer) != 0)
        exit(3);
    /* The fetch is under way: at its connection, its request or its answer. */
    double began = now();
    usleep((useconds_t)(began * 1e6) % 10000);
    pid_t child = fork();
    if (child == 0) {
        alarm(LONGEST);
        log_in(signer);
        _exit(0);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    char text[40];
    snprintf(text, sizeof text, "wait status %d", status);
    event("fork", began, status == 0 ? "ok" : "failed", text);
    pthread_join(thread, NULL);
    rdsign_signer_free(signer);
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    events = open(arguments[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
    stop = arguments[2];
    while (count > 3 && access(stop, F_OK) != 0) {
        fork_once();
        usleep(200000);
    }
    if (count > 3)
        return 0;
    rdsign_signer *signer = new_signer();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, log_in_often, signer) != 0)
            return 3;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    rdsign_signer_free(signer);
    return 0;
}
