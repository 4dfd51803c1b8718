/*
 * Makes and frees the given number of tokens, then errors and signers. The process must not need
 * more memory late than early.
 */
#include "support.h"

#include <unistd.h>

/* The allocator's own pages are not a leak. A leak of one small block for each token would be 100
 * times as large. */
enum { TOLERATED_KIB = 512 };

static long resident_kib(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    long total = 0, resident = 0;
    CHECK(fscanf(file, "%ld %ld", &total, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void one_token(const rdsign_signer *signer, long i) {
    /* Every thousandth token needs a new signing key, which replaces everything that a signer
     * caches. */
    rdsign_token *token = token_at(signer, SIGNING_TIME + i + i / 1000 * 86400);
    CHECK(rdsign_token_value(token)[0] == HOST[0]);
    rdsign_token_free(token);
}

static void one_error(const rdsign_signer *signer, long i) {
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    CHECK_STATUS(RDSIGN_INVALID_SIGNING_TIME,
                 rdsign_signer_token_at(signer, -1 - i, &token, &error));
    CHECK(token == NULL);
    rdsign_error_free(error);
}

static void one_signer(const rdsign_signer *unused, long i) {
    (void)unused;
    rdsign_signer *signer = signer_of(valid_options());
    one_token(signer, i);
    rdsign_signer_free(signer);
}

static void repeat(const char *what, void one(const rdsign_signer *, long),
                   const rdsign_signer *signer, long count) {
    long early = 0;
    for (long i = 0; i < count; i++) {
        if (i == count / 10)
            early = resident_kib();
        one(signer, i);
    }
    long late = resident_kib();
    printf("%ld %s: %ld KiB, then %ld KiB\n", count, what, early, late);
    CHECK(late - early <= TOLERATED_KIB);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    long count = strtol(argv[1], NULL, 10);
    CHECK(count >= 1000);
    rdsign_options *options = valid_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_session_token(options, "a session token"));
    rdsign_signer *signer = signer_of(options);
    repeat("tokens", one_token, signer, count);
    repeat("errors", one_error, signer, count / 10);
    repeat("signers", one_signer, signer, count / 100);
    rdsign_signer_free(signer);
    return 0;
}
