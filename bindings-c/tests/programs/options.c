/*
 * Two threads set options. One after the other, both values count. At the same time, no value is
 * lost without an error.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <pthread.h>

enum { ROUNDS = 5000 };

static rdsign_options *options;
static pthread_barrier_t barrier;

static int no_credentials(void *user_data, rdsign_credentials *credentials) {
    (void)user_data;
    (void)credentials;
    return 1;
}

/* Runs inside the setter that replaces the callback, and keeps it from returning. */
static void wait_for_the_other_setter(void *user_data) {
    (void)user_data;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
}

static void *replace_callback(void *unused) {
    (void)unused;
    CHECK_STATUS(RDSIGN_OK,
                 rdsign_options_set_credentials_callback(options, no_credentials, NULL, NULL));
    return NULL;
}

static int64_t freed;
static void count_free(void *user_data) {
    CHECK(user_data == &freed);
    freed++;
}

static void a_setter_fails_while_another_one_runs(void) {
    pthread_t thread;
    options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_credentials_callback(options, no_credentials, NULL,
                                                                    wait_for_the_other_setter));
    CHECK(pthread_create(&thread, NULL, replace_callback, NULL) == 0);
    pthread_barrier_wait(&barrier);
    CHECK_STATUS(RDSIGN_INTERNAL, rdsign_options_set_username(options, "another"));
    CHECK_STATUS(RDSIGN_INTERNAL, rdsign_options_set_credentials_callback(options, no_credentials,
                                                                          &freed, count_free));
    CHECK(freed == 0);
    rdsign_signer *signer = NULL;
    CHECK_ERROR(RDSIGN_INTERNAL, "options: two threads used them at the same time",
                rdsign_signer_new(options, &signer, &error));
    pthread_barrier_wait(&barrier);
    CHECK(pthread_join(thread, NULL) == 0);
    /* The caller may have ignored the status of the setter. */
    CHECK_ERROR(RDSIGN_INTERNAL, "accepted: one thread at a time",
                rdsign_signer_new(options, &signer, &error));
    CHECK(signer == NULL);
    rdsign_options_free(options);
}

static void *set_hostname(void *unused) {
    (void)unused;
    pthread_barrier_wait(&barrier);
    rdsign_options_set_hostname(options, HOST);
    return NULL;
}

static void *set_username(void *unused) {
    (void)unused;
    pthread_barrier_wait(&barrier);
    rdsign_options_set_username(options, USER);
    return NULL;
}

static void no_value_is_lost_without_an_error(void) {
    int both = 0;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t threads[2];
        options = rdsign_options_new();
        CHECK(pthread_create(&threads[0], NULL, set_hostname, NULL) == 0);
        CHECK(pthread_create(&threads[1], NULL, set_username, NULL) == 0);
        CHECK(pthread_join(threads[0], NULL) == 0);
        CHECK(pthread_join(threads[1], NULL) == 0);
        rdsign_signer *signer = NULL;
        rdsign_error *error = NULL;
        rdsign_status status = rdsign_signer_new(options, &signer, &error);
        if (status == RDSIGN_OK)
            both++;
        else if (status != RDSIGN_INTERNAL)
            FAIL("round %d: %s", i, rdsign_error_message(error));
        rdsign_error_free(error);
        rdsign_signer_free(signer);
        rdsign_options_free(options);
    }
    printf("%d of %d rounds set both\n", both, ROUNDS);
}

static void *go_on(void *unused) {
    (void)unused;
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_access_key_id(options, "akid"));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_secret_access_key(options, "secret"));
    return NULL;
}

static void *sign_with_all(void *unused) {
    (void)unused;
    rdsign_signer *signer = NULL;
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &signer, NULL));
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(ends_with(rdsign_token_value(token), SIGNATURE));
    rdsign_token_free(token);
    rdsign_signer_free(signer);
    return NULL;
}

static void another_thread_may_go_on_with_options(void) {
    pthread_t threads[2];
    options = endpoint_options();
    CHECK(pthread_create(&threads[0], NULL, go_on, NULL) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, sign_with_all, NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    rdsign_options_free(options);
}

int main(void) {
    CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
    a_setter_fails_while_another_one_runs();
    no_value_is_lost_without_an_error();
    another_thread_may_go_on_with_options();
    pthread_barrier_destroy(&barrier);
    return 0;
}
