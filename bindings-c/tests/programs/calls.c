/*
 * Calls every function of the header with valid and invalid arguments: causes each status, and
 * passes NULL, strings that are not UTF-8, empty and huge strings, and callbacks.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NOT_UTF8 "caf\xe9"

typedef rdsign_status text_setter(rdsign_options *, const char *);

static const struct {
    const char *name;
    text_setter *set;
} TEXTS[] = {
    {"hostname", rdsign_options_set_hostname},
    {"username", rdsign_options_set_username},
    {"region", rdsign_options_set_region},
    {"service", rdsign_options_set_service},
    {"access key id", rdsign_options_set_access_key_id},
    {"secret access key", rdsign_options_set_secret_access_key},
    {"session token", rdsign_options_set_session_token},
    {"profile", rdsign_options_set_profile},
    {"role ARN", rdsign_options_set_role_arn},
    {"external id", rdsign_options_set_external_id},
    {"role session name", rdsign_options_set_role_session_name},
};
enum { TEXT_COUNT = sizeof TEXTS / sizeof TEXTS[0] };

/* The value of an output before a call that must not write to it. */
static int untouched;
#define UNTOUCHED ((void *)&untouched)

/* Checks that the options are rejected, and frees them. */
static void rejected(rdsign_options *options, rdsign_status status, const char *part) {
    rdsign_signer *signer = UNTOUCHED;
    CHECK_ERROR(status, part, rdsign_signer_new(options, &signer, &error));
    CHECK(signer == UNTOUCHED);
    /* The status does not depend on the error output. */
    CHECK_STATUS(status, rdsign_signer_new(options, &signer, NULL));
    rdsign_options_free(options);
}

/* Checks that the signer makes no token, and frees it. */
static void no_token(rdsign_signer *signer, rdsign_status status, const char *part) {
    rdsign_token *token = UNTOUCHED;
    CHECK_ERROR(status, part, rdsign_signer_token(signer, &token, &error));
    CHECK(token == UNTOUCHED);
    rdsign_signer_free(signer);
}

static void a_known_answer(void) {
    rdsign_signer *signer = signer_of(valid_options());
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(ends_with(rdsign_token_value(token), "&X-Amz-Signature=" SIGNATURE));
    CHECK(rdsign_token_expires_at(token) == SIGNING_TIME + 900);
    rdsign_token_free(token);
    rdsign_signer_free(signer);
}

/* The library's clock. time() may be some milliseconds behind it. */
static int64_t now(void) {
    struct timespec time;
    CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
    return time.tv_sec;
}

static void a_token_is_signed_now(void) {
    rdsign_options *options = valid_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_expires_in(options, 60));
    rdsign_signer *signer = signer_of(options);
    rdsign_token *token = NULL;
    rdsign_error *error = UNTOUCHED;
    int64_t before = now();
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_token(signer, &token, &error));
    int64_t after = now();
    CHECK(error == UNTOUCHED);
    int64_t expires_at = rdsign_token_expires_at(token);
    CHECK(before + 60 <= expires_at && expires_at <= after + 60);
    rdsign_token_free(token);
    rdsign_signer_free(signer);
}

static void a_token_outlives_its_signer(void) {
    rdsign_options *options = valid_options();
    rdsign_signer *signer = NULL;
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &signer, NULL));
    rdsign_options_free(options);
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    rdsign_signer_free(signer);
    CHECK(ends_with(rdsign_token_value(token), SIGNATURE));
    CHECK(rdsign_token_expires_at(token) == SIGNING_TIME + 900);
    rdsign_token_free(token);
}

static void options_can_make_several_signers(void) {
    rdsign_options *options = valid_options();
    rdsign_signer *first = NULL, *second = NULL;
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &first, NULL));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_username(options, "other"));
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &second, NULL));
    rdsign_options_free(options);
    rdsign_token *token = token_at(first, SIGNING_TIME);
    CHECK(strstr(rdsign_token_value(token), "&DBUser=" USER "&") != NULL);
    rdsign_token_free(token);
    token = token_at(second, SIGNING_TIME);
    CHECK(strstr(rdsign_token_value(token), "&DBUser=other&") != NULL);
    rdsign_token_free(token);
    rdsign_signer_free(first);
    rdsign_signer_free(second);
}

static void null_is_rejected_or_does_nothing(void) {
    rdsign_signer *signer = UNTOUCHED;
    rdsign_token *token = UNTOUCHED;
    for (int i = 0; i < TEXT_COUNT; i++) {
        CHECK_STATUS(RDSIGN_NULL_ARGUMENT, TEXTS[i].set(NULL, "text"));
        rdsign_options *options = valid_options();
        CHECK_STATUS(RDSIGN_NULL_ARGUMENT, TEXTS[i].set(options, NULL));
        rejected(options, RDSIGN_NULL_ARGUMENT, TEXTS[i].name);
    }
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_options_set_port(NULL, 5432));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_options_set_expires_in(NULL, 900));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_options_set_credentials_timeout(NULL, 1000));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT,
                 rdsign_options_set_credentials_callback(NULL, NULL, NULL, NULL));
    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT,
                 rdsign_options_set_credentials_callback(options, NULL, NULL, NULL));
    rejected(options, RDSIGN_NULL_ARGUMENT, "callback");
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_options_set_event_callback(NULL, NULL, NULL, NULL));
    options = valid_options();
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT,
                 rdsign_options_set_event_callback(options, NULL, NULL, NULL));
    rejected(options, RDSIGN_NULL_ARGUMENT, "callback");
    CHECK(strcmp(rdsign_event_name(NULL), "") == 0);
    CHECK(strcmp(rdsign_event_message(NULL), "") == 0);
    CHECK(rdsign_event_is_warning(NULL) == 0);
    CHECK(rdsign_event_expires_at(NULL) == 0);
    CHECK(rdsign_event_error(NULL) == NULL);

    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_access_key_id(NULL, "akid"));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_secret_access_key(NULL, "secret"));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_session_token(NULL, "token"));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_expires_at(NULL, SIGNING_TIME));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_reason(NULL, "reason"));

    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "options", rdsign_signer_new(NULL, &signer, &error));
    CHECK(signer == UNTOUCHED);
    options = valid_options();
    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "signer", rdsign_signer_new(options, NULL, &error));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_signer_new(NULL, NULL, NULL));
    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "signer", rdsign_signer_token(NULL, &token, &error));
    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "signer", rdsign_signer_token_at(NULL, 0, &token, &error));
    CHECK(token == UNTOUCHED);
    signer = signer_of(options);
    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "token", rdsign_signer_token(signer, NULL, &error));
    CHECK_ERROR(RDSIGN_NULL_ARGUMENT, "token", rdsign_signer_token_at(signer, 0, NULL, &error));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_signer_token(NULL, NULL, NULL));
    rdsign_signer_free(signer);

    CHECK(rdsign_token_value(NULL) == NULL);
    CHECK(rdsign_token_expires_at(NULL) == 0);
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_error_status(NULL));
    CHECK(strcmp(rdsign_error_message(NULL), "") == 0);
    rdsign_options_free(NULL);
    rdsign_signer_free(NULL);
    rdsign_token_free(NULL);
    rdsign_error_free(NULL);
}

static void text_that_is_not_utf8_is_rejected(void) {
    for (int i = 0; i < TEXT_COUNT; i++) {
        rdsign_options *options = valid_options();
        CHECK_STATUS(RDSIGN_INVALID_UTF8, TEXTS[i].set(options, NOT_UTF8));
        rejected(options, RDSIGN_INVALID_UTF8, TEXTS[i].name);
    }
}

static void the_first_setter_that_failed_is_kept(void) {
    rdsign_options *options = rdsign_options_new();
    CHECK_STATUS(RDSIGN_INVALID_UTF8, rdsign_options_set_region(options, NOT_UTF8));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_region(options, "us-east-1"));
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_options_set_hostname(options, NULL));
    rejected(options, RDSIGN_INVALID_UTF8, "region");
}

static void each_option_has_its_status(void) {
    rdsign_options *options = rdsign_options_new();
    rejected(options, RDSIGN_INVALID_HOSTNAME, "hostname");

    options = valid_options();
    rdsign_options_set_hostname(options, "");
    rejected(options, RDSIGN_INVALID_HOSTNAME, "hostname");

    /* 0 is an invalid port. It does not mean "not given". */
    const int64_t ports[] = {0, -1, 65536, 4294972728, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        options = valid_options();
        CHECK_STATUS(RDSIGN_OK, rdsign_options_set_port(options, ports[i]));
        rejected(options, RDSIGN_INVALID_PORT, "65535");
    }

    options = valid_options();
    rdsign_options_set_username(options, "");
    rejected(options, RDSIGN_INVALID_USERNAME, "username");

    options = valid_options();
    rdsign_options_set_region(options, "US East");
    rejected(options, RDSIGN_INVALID_REGION, "region");

    options = valid_options();
    rdsign_options_set_hostname(options, "db.example.com");
    rejected(options, RDSIGN_REGION_REQUIRED, "region");

    options = valid_options();
    rdsign_options_set_region(options, "eu-central-1");
    rejected(options, RDSIGN_REGION_MISMATCH, "eu-central-1");

    options = valid_options();
    rdsign_options_set_access_key_id(options, "");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "access key id");

    options = endpoint_options();
    rdsign_options_set_access_key_id(options, "akid");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "secret access key");

    options = valid_options();
    rdsign_options_set_secret_access_key(options, "s3cr3t\n");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "secret access key");

    options = valid_options();
    rdsign_options_set_profile(options, "default");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "more than one source");

    options = valid_options();
    rdsign_options_set_external_id(options, "id");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "role ARN");

    options = valid_options();
    rdsign_options_set_role_session_name(options, "name");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "role ARN");

    options = valid_options();
    rdsign_options_set_role_arn(options, "");
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "role ARN");

    const int64_t timeouts[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        options = valid_options();
        CHECK_STATUS(RDSIGN_OK, rdsign_options_set_credentials_timeout(options, timeouts[i]));
        rejected(options, RDSIGN_INVALID_CREDENTIALS, "credentials timeout");
    }

    const int64_t lifetimes[] = {0, -1, 901, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof lifetimes / sizeof lifetimes[0]; i++) {
        options = valid_options();
        CHECK_STATUS(RDSIGN_OK, rdsign_options_set_expires_in(options, lifetimes[i]));
        rejected(options, RDSIGN_INVALID_EXPIRES_IN, "900");
    }

    options = valid_options();
    rdsign_options_set_service(options, "dsql");
    rejected(options, RDSIGN_SERVICE_MISMATCH, "rds");
    options = valid_options();
    rdsign_options_set_service(options, "redshift");
    rejected(options, RDSIGN_SERVICE_MISMATCH, "redshift");
}

static void of_several_invalid_options_the_lowest_status_wins(void) {
    rdsign_options *options = valid_options();
    rdsign_options_set_expires_in(options, 0);
    rdsign_options_set_username(options, "");
    rdsign_options_set_port(options, 0);
    rejected(options, RDSIGN_INVALID_PORT, "port");
}

static void a_signing_time_is_bounded(void) {
    rdsign_signer *signer = signer_of(valid_options());
    const int64_t times[] = {-1, 253402300800, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        rdsign_token *token = UNTOUCHED;
        CHECK_ERROR(RDSIGN_INVALID_SIGNING_TIME, "signing time",
                    rdsign_signer_token_at(signer, times[i], &token, &error));
        CHECK(token == UNTOUCHED);
    }
    /* 0 is a valid time. */
    rdsign_token *token = token_at(signer, 0);
    CHECK(rdsign_token_expires_at(token) == 900);
    rdsign_token_free(token);
    rdsign_signer_free(signer);
}

static void a_mebibyte_of_text_is_handled(void) {
    enum { LENGTH = 1 << 20 };
    char *huge = malloc(LENGTH + 1);
    CHECK(huge != NULL);
    memset(huge, 'a', LENGTH);
    huge[LENGTH] = '\0';

    rdsign_options *options = valid_options();
    rdsign_options_set_hostname(options, huge);
    rejected(options, RDSIGN_INVALID_HOSTNAME, "253");
    options = valid_options();
    rdsign_options_set_region(options, huge);
    rejected(options, RDSIGN_REGION_MISMATCH, "us-east-1");
    options = valid_options();
    rdsign_options_set_profile(options, huge);
    rejected(options, RDSIGN_INVALID_CREDENTIALS, "more than one source");

    options = valid_options();
    rdsign_options_set_username(options, huge);
    rdsign_options_set_access_key_id(options, huge);
    rdsign_options_set_secret_access_key(options, huge);
    rdsign_options_set_session_token(options, huge);
    rdsign_signer *signer = signer_of(options);
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(strlen(rdsign_token_value(token)) > 3 * LENGTH);
    rdsign_token_free(token);
    rdsign_signer_free(signer);
    free(huge);
}

/* What a callback does, and how often it was called and freed. */
struct script {
    void (*fill)(rdsign_credentials *);
    int result;
    int calls;
    int freed;
};

static int play(void *user_data, rdsign_credentials *credentials) {
    struct script *script = user_data;
    CHECK(!script->freed);
    script->calls++;
    if (script->fill)
        script->fill(credentials);
    return script->result;
}

static void freed(void *user_data) {
    struct script *script = user_data;
    script->freed++;
}

static rdsign_options *callback_options(struct script *script) {
    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_credentials_callback(options, play, script, freed));
    return options;
}

static void fill_all(rdsign_credentials *credentials) {
    char secret[] = "secret";
    CHECK_STATUS(RDSIGN_OK, rdsign_credentials_set_access_key_id(credentials, "akid"));
    CHECK_STATUS(RDSIGN_OK, rdsign_credentials_set_secret_access_key(credentials, secret));
    memset(secret, 'x', sizeof secret - 1);
    CHECK_STATUS(RDSIGN_OK, rdsign_credentials_set_session_token(credentials, ""));
    CHECK_STATUS(RDSIGN_OK, rdsign_credentials_set_expires_at(credentials, SIGNING_TIME + 120));
}

static void fill_expired(rdsign_credentials *credentials) {
    fill_all(credentials);
    rdsign_credentials_set_expires_at(credentials, SIGNING_TIME);
}

static void fill_forever(rdsign_credentials *credentials) {
    fill_all(credentials);
    rdsign_credentials_set_expires_at(credentials, INT64_MAX);
}

static void fill_only_the_id(rdsign_credentials *credentials) {
    rdsign_credentials_set_access_key_id(credentials, "akid");
}

static void fill_null(rdsign_credentials *credentials) {
    fill_all(credentials);
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT, rdsign_credentials_set_session_token(credentials, NULL));
}

static void fill_not_utf8(rdsign_credentials *credentials) {
    fill_all(credentials);
    CHECK_STATUS(RDSIGN_INVALID_UTF8,
                 rdsign_credentials_set_secret_access_key(credentials, "s3cr3t" NOT_UTF8));
}

static void give_a_reason(rdsign_credentials *credentials) {
    fill_all(credentials);
    CHECK_STATUS(RDSIGN_OK, rdsign_credentials_set_reason(credentials, "the vault is sealed"));
}

static void a_callback_provides_credentials(void) {
    struct script script = {.fill = fill_all};
    rdsign_signer *signer = signer_of(callback_options(&script));
    CHECK(script.calls == 0);
    for (int i = 0; i < 3; i++) {
        rdsign_token *token = token_at(signer, SIGNING_TIME);
        CHECK(ends_with(rdsign_token_value(token), SIGNATURE));
        /* The credentials expire before the token's 900 seconds are over. */
        CHECK(rdsign_token_expires_at(token) == SIGNING_TIME + 120);
        rdsign_token_free(token);
    }
    CHECK(script.calls == 1);
    CHECK(!script.freed);
    rdsign_signer_free(signer);
    CHECK(script.freed == 1);
}

static void a_callback_s_data_is_freed_after_its_last_user(void) {
    struct script script = {.fill = fill_all}, later = {.fill = fill_all}, unused = {.calls = 0};
    rdsign_options *options = callback_options(&script);
    rdsign_signer *first = NULL, *second = NULL;
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &first, NULL));
    CHECK_STATUS(RDSIGN_OK, rdsign_signer_new(options, &second, NULL));
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_credentials_callback(options, play, &later, freed));
    rdsign_signer_free(first);
    CHECK(!script.freed);
    rdsign_token_free(token_at(second, SIGNING_TIME));
    rdsign_signer_free(second);
    CHECK(script.freed == 1);
    CHECK(script.calls == 1);

    CHECK(!later.freed);
    CHECK_STATUS(RDSIGN_NULL_ARGUMENT,
                 rdsign_options_set_credentials_callback(options, NULL, &unused, freed));
    CHECK(!unused.freed);
    rdsign_options_free(options);
    CHECK(later.freed == 1);
    CHECK(later.calls == 0);
}

static void a_callback_s_mistake_is_reported(void) {
    static const struct {
        struct script script;
        rdsign_status status;
        const char *part;
    } CASES[] = {
        {{.fill = give_a_reason, .result = 1}, RDSIGN_CREDENTIALS_FAILED, "the vault is sealed"},
        {{.fill = fill_all, .result = -7}, RDSIGN_CREDENTIALS_FAILED, "-7"},
        {{.fill = fill_null}, RDSIGN_CREDENTIALS_FAILED, "session token"},
        {{.fill = fill_not_utf8}, RDSIGN_CREDENTIALS_FAILED, "secret access key"},
        {{.fill = fill_not_utf8, .result = 1}, RDSIGN_CREDENTIALS_FAILED, "UTF-8"},
        {{.fill = NULL}, RDSIGN_INVALID_CREDENTIALS, "access key id"},
        {{.fill = fill_only_the_id}, RDSIGN_INVALID_CREDENTIALS, "secret access key"},
        {{.fill = fill_expired}, RDSIGN_CREDENTIALS_EXPIRED, "2024-08-26T22:00:00Z"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct script script = CASES[i].script;
        no_token(signer_of(callback_options(&script)), CASES[i].status, CASES[i].part);
        CHECK(script.calls == 1);
        CHECK(script.freed == 1);
    }
}

static void credentials_may_have_the_latest_expiry(void) {
    struct script script = {.fill = fill_forever};
    rdsign_signer *signer = signer_of(callback_options(&script));
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(rdsign_token_expires_at(token) == SIGNING_TIME + 900);
    rdsign_token_free(token);
    rdsign_signer_free(signer);
}

/* The last event of a signer, and how many there were. */
struct told {
    int count;
    int freed;
    char name[32];
    char message[512];
    int is_warning;
    int64_t expires_at;
    rdsign_status status;
    char error[512];
};

static void hear(void *user_data, const rdsign_event *event) {
    struct told *told = user_data;
    const rdsign_error *error = rdsign_event_error(event);
    CHECK(!told->freed);
    told->count++;
    snprintf(told->name, sizeof told->name, "%s", rdsign_event_name(event));
    snprintf(told->message, sizeof told->message, "%s", rdsign_event_message(event));
    told->is_warning = rdsign_event_is_warning(event);
    told->expires_at = rdsign_event_expires_at(event);
    told->status = error ? rdsign_error_status(error) : RDSIGN_OK;
    snprintf(told->error, sizeof told->error, "%s", error ? rdsign_error_message(error) : "");
}

static void forget(void *user_data) {
    struct told *told = user_data;
    told->freed++;
}

static void a_callback_is_told_what_comes_of_each_fetch(void) {
    static const struct {
        void (*fill)(rdsign_credentials *);
        int result;
        int at;
        const char *name;
        const char *part;
        int64_t expires_at;
        rdsign_status status;
    } STEPS[] = {
        {fill_all, 0, 0, "fetched", "credentials fetched from provider in ", SIGNING_TIME + 120,
         RDSIGN_OK},
        {give_a_reason, 1, 100, "refresh-failed", "use expire at 2024-08-26T22:02:00Z: CREDENTIALS",
         SIGNING_TIME + 120, RDSIGN_CREDENTIALS_FAILED},
        {fill_all, 0, 110, "expiring", "credentials expire at 2024-08-26T22:02:00Z, and ",
         SIGNING_TIME + 120, RDSIGN_OK},
        {give_a_reason, 1, 120, "fetch-failed", "credentials not fetched: CREDENTIALS_FAILED: ", 0,
         RDSIGN_CREDENTIALS_FAILED},
    };
    struct script script = {.calls = 0};
    struct told told = {.count = 0};
    rdsign_options *options = callback_options(&script);
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_event_callback(options, hear, &told, forget));
    rdsign_signer *signer = signer_of(options);
    CHECK(told.count == 0);
    for (int i = 0; i < 4; i++) {
        script.fill = STEPS[i].fill;
        script.result = STEPS[i].result;
        rdsign_token *token = NULL;
        for (int repeated = 0; repeated < (i < 3 ? 2 : 1); repeated++) {
            rdsign_signer_token_at(signer, SIGNING_TIME + STEPS[i].at, &token, NULL);
            CHECK((token != NULL) == (i < 3));
            rdsign_token_free(token);
        }
        CHECK(told.count == i + 1);
        CHECK(strcmp(told.name, STEPS[i].name) == 0);
        if (strstr(told.message, STEPS[i].part) == NULL)
            FAIL("no \"%s\" in \"%s\"", STEPS[i].part, told.message);
        CHECK(strstr(told.message, "secret") == NULL);
        CHECK(strstr(told.message, "akid") == NULL);
        CHECK(told.is_warning == (i > 0));
        CHECK(told.expires_at == STEPS[i].expires_at);
        CHECK_STATUS(STEPS[i].status, told.status);
        int is_told = strstr(told.error, "the vault is sealed") != NULL;
        CHECK(is_told == (told.status != RDSIGN_OK));
    }
    CHECK(!told.freed);
    rdsign_signer_free(signer);
    CHECK(told.freed == 1);
}

static void the_default_chain_reports_what_it_tried(void) {
    no_token(signer_of(endpoint_options()), RDSIGN_CREDENTIALS_NOT_FOUND, "AWS_ACCESS_KEY_ID");
}

static void the_environment_is_the_default(void) {
    setenv("AWS_ACCESS_KEY_ID", "akid", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    rdsign_signer *signer = signer_of(endpoint_options());
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    CHECK(ends_with(rdsign_token_value(token), SIGNATURE));
    rdsign_token_free(token);
    rdsign_signer_free(signer);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
}

/* A container's credentials service that accepts a connection and never answers. */
static void a_silent_source_runs_into_the_timeout(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0);
    CHECK(listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    char uri[64];
    snprintf(uri, sizeof uri, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, 1);

    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_credentials_timeout(options, 200));
    rdsign_signer *signer = signer_of(options);
    no_token(signer, RDSIGN_CREDENTIALS_TIMEOUT, "0.2 s");

    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    close(listener);
}

/* tests/codes.tsv names each status except RDSIGN_OK, and no other number has a name. */
static void each_status_has_the_name_of_the_contract(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        FAIL("cannot read %s", path);
    char line[1024];
    int listed = 0, header_seen = 0, named = 0;
    while (fgets(line, sizeof line, file)) {
        char code[64];
        int32_t status;
        if (line[0] == '#')
            continue;
        if (!header_seen) {
            CHECK(strcmp(line, "code\tnumber\tkind\n") == 0);
            header_seen = 1;
            continue;
        }
        CHECK(sscanf(line, "%63[A-Z0-9_]\t%" SCNd32 "\t", code, &status) == 2);
        if (strcmp(rdsign_status_name(status), code) != 0)
            FAIL("%" PRId32 " is %s, not %s", status, rdsign_status_name(status), code);
        listed++;
    }
    CHECK(feof(file));
    fclose(file);
    CHECK(strcmp(rdsign_status_name(RDSIGN_OK), "OK") == 0);
    for (int32_t status = -300; status <= 300; status++)
        named += strcmp(rdsign_status_name(status), "UNKNOWN") != 0;
    CHECK(named == listed + 1);
    CHECK(strcmp(rdsign_status_name(INT32_MIN), "UNKNOWN") == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK(strcmp(rdsign_version(), argv[1]) == 0);
    CHECK(strcmp(RDSIGN_VERSION, argv[1]) == 0);
    CHECK(strncmp(rdsign_ca_bundle(), "-----BEGIN CERTIFICATE-----\n", 28) == 0);
    CHECK(ends_with(rdsign_ca_bundle(), "\n-----END CERTIFICATE-----\n"));
    /* This machine's own sources of credentials must not answer. */
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);

    each_status_has_the_name_of_the_contract(argv[2]);
    a_known_answer();
    a_token_is_signed_now();
    a_token_outlives_its_signer();
    options_can_make_several_signers();
    null_is_rejected_or_does_nothing();
    text_that_is_not_utf8_is_rejected();
    the_first_setter_that_failed_is_kept();
    each_option_has_its_status();
    of_several_invalid_options_the_lowest_status_wins();
    a_signing_time_is_bounded();
    a_mebibyte_of_text_is_handled();
    a_callback_provides_credentials();
    a_callback_s_data_is_freed_after_its_last_user();
    a_callback_s_mistake_is_reported();
    credentials_may_have_the_latest_expiry();
    a_callback_is_told_what_comes_of_each_fetch();
    the_default_chain_reports_what_it_tried();
    the_environment_is_the_default();
    a_silent_source_runs_into_the_timeout();
    return 0;
}
