/*
 * Shared by the test programs. A check that fails prints its place and ends the program.
 */
#ifndef RDSIGN_TEST_SUPPORT_H
#define RDSIGN_TEST_SUPPORT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rdsign.h>

#define HOST "prod-instance.us-east-1.rds.amazonaws.com"
#define USER "peccy"
#define SIGNING_TIME INT64_C(1724709600)
/* The signature of AWS's own known answer is for port 3306. */
#define PORT 3306
#define SIGNATURE "dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"

#define FAIL(...)                                                                                  \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        exit(1);                                                                                   \
    } while (0)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            FAIL("failed: %s", #condition);                                                        \
    } while (0)

#define CHECK_STATUS(want, call)                                                                   \
    do {                                                                                           \
        rdsign_status got_ = (call), want_ = (want);                                               \
        if (got_ != want_)                                                                         \
            FAIL("%s: %s, not %s", #call, rdsign_status_name(got_), rdsign_status_name(want_));    \
    } while (0)

/* Fails unless the call returns the status and writes an error with that status and a message that
 * contains `part` and no secret. The call names its error output `error`. */
#define CHECK_ERROR(want, part, call)                                                              \
    do {                                                                                           \
        rdsign_error *error = NULL;                                                                \
        CHECK_STATUS(want, call);                                                                  \
        CHECK(error != NULL);                                                                      \
        CHECK(rdsign_error_status(error) == (want));                                               \
        const char *text_ = rdsign_error_message(error);                                           \
        if (strstr(text_, part) == NULL)                                                           \
            FAIL("no \"%s\" in \"%s\"", part, text_);                                              \
        CHECK(strstr(text_, "s3cr3t") == NULL);                                                    \
        rdsign_error_free(error);                                                                  \
    } while (0)

/* Options with everything that is required except credentials. */
static inline rdsign_options *endpoint_options(void) {
    rdsign_options *options = rdsign_options_new();
    CHECK(options != NULL);
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_hostname(options, HOST));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_port(options, PORT));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_username(options, USER));
    return options;
}

static inline rdsign_options *valid_options(void) {
    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_access_key_id(options, "akid"));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_secret_access_key(options, "secret"));
    return options;
}

/* Makes the signer that the options describe, and frees the options. */
static inline rdsign_signer *signer_of(rdsign_options *options) {
    rdsign_signer *signer = NULL;
    rdsign_error *error = NULL;
    if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK)
        FAIL("%s", rdsign_error_message(error));
    CHECK(error == NULL);
    CHECK(signer != NULL);
    rdsign_options_free(options);
    return signer;
}

static inline rdsign_token *token_at(const rdsign_signer *signer, int64_t time) {
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    if (rdsign_signer_token_at(signer, time, &token, &error) != RDSIGN_OK)
        FAIL("%s", rdsign_error_message(error));
    CHECK(error == NULL);
    CHECK(token != NULL);
    return token;
}

static inline int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

#endif
