/* Preloaded into a process to look up no name: see test_doctor.py. With RDSIGN_TEST_NAMES=silent a
 * look-up never ends, as with a name server that does not answer; else a name has no address. */
#define _GNU_SOURCE
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    (void)node, (void)service, (void)hints;
    const char *names = getenv("RDSIGN_TEST_NAMES");
    while (names != NULL && strcmp(names, "silent") == 0)
        pause();
    *result = NULL;
    return 0;
}

void freeaddrinfo(struct addrinfo *result) { (void)result; }
