/*
 * A child of fork() uses its parent's signer: one that has signed before, one whose callback has
 * not been called yet, and one whose callback is running in another thread, which the child does
 * not have.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* If they are open, the callback writes to the first pipe, and waits until the second is closed. */
static int running[2] = {-1, -1}, go_on[2] = {-1, -1};

static int give_credentials(void *user_data, rdsign_credentials *credentials) {
    char byte = 0;
    (void)user_data;
    if (go_on[0] >= 0) {
        CHECK(write(running[1], &byte, 1) == 1);
        CHECK(read(go_on[0], &byte, 1) == 0);
    }
    rdsign_credentials_set_access_key_id(credentials, "akid");
    rdsign_credentials_set_secret_access_key(credentials, "secret");
    rdsign_credentials_set_expires_at(credentials, SIGNING_TIME + 300);
    return 0;
}

static rdsign_signer *callback_signer(void) {
    rdsign_options *options = endpoint_options();
    rdsign_options_set_credentials_callback(options, give_credentials, NULL, NULL);
    return signer_of(options);
}

static void *sign(void *signer) {
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(ends_with(rdsign_token_value(token), SIGNATURE));
    rdsign_token_free(token);
    return NULL;
}

static void sign_in_child(rdsign_signer *signer) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        go_on[0] = -1;
        sign(signer);
        rdsign_signer_free(signer);
        /* Skips the leak check: the child cannot free what the missing thread owned. */
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    rdsign_signer *signer = signer_of(valid_options());
    sign(signer);
    sign_in_child(signer);
    sign(signer);
    rdsign_signer_free(signer);

    signer = callback_signer();
    sign_in_child(signer);
    sign(signer);
    sign_in_child(signer);
    rdsign_signer_free(signer);

    signer = callback_signer();
    pthread_t thread;
    char byte;
    CHECK(pipe(running) == 0 && pipe(go_on) == 0);
    CHECK(pthread_create(&thread, NULL, sign, signer) == 0);
    CHECK(read(running[0], &byte, 1) == 1);
    sign_in_child(signer);
    CHECK(close(go_on[1]) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    rdsign_signer_free(signer);
    return 0;
}
