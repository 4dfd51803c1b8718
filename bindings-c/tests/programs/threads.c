/*
 * 16 threads share one signer. Every token is correct. The credentials callback is called once for
 * all threads, and once more after its credentials have expired.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 16, TOKENS = 100, HOUR = 3600 };

static rdsign_signer *signer;
static pthread_barrier_t start;
static atomic_int about_to_ask;

/* Not atomic: the test checks that only one callback runs at a time. */
static int calls;

static int give_credentials(void *user_data, rdsign_credentials *credentials) {
    CHECK(user_data == &calls);
    calls++;
    while (atomic_load(&about_to_ask) < THREADS)
        sched_yield();
    char id[16];
    snprintf(id, sizeof id, "akid%d", calls);
    rdsign_credentials_set_access_key_id(credentials, id);
    memset(id, 'x', sizeof id - 1);
    rdsign_credentials_set_secret_access_key(credentials, "secret");
    rdsign_credentials_set_expires_at(credentials, SIGNING_TIME + calls * HOUR);
    return 0;
}

static void *ask_for_tokens(void *credential) {
    pthread_barrier_wait(&start);
    atomic_fetch_add(&about_to_ask, 1);
    int64_t offset = *(const char *)credential == '1' ? 0 : HOUR;
    for (int i = 0; i < TOKENS; i++) {
        rdsign_token *token = token_at(signer, SIGNING_TIME + offset + i);
        char want[64];
        snprintf(want, sizeof want, "&X-Amz-Credential=akid%s%%2F", (const char *)credential);
        CHECK(strstr(rdsign_token_value(token), want) != NULL);
        CHECK(rdsign_token_expires_at(token) == SIGNING_TIME + offset + i + 900);
        rdsign_token_free(token);
    }
    return NULL;
}

static void run_all(const char *credential) {
    pthread_t threads[THREADS];
    atomic_store(&about_to_ask, 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, ask_for_tokens, (void *)credential) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK,
                 rdsign_options_set_credentials_callback(options, give_credentials, &calls, NULL));
    signer = signer_of(options);
    run_all("1");
    CHECK(calls == 1);
    run_all("2");
    CHECK(calls == 2);
    rdsign_signer_free(signer);
    pthread_barrier_destroy(&start);
    return 0;
}
