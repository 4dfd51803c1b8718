// rdsign.h without comments and preprocessor, for PHP and LuaJIT.

enum rdsign_status
 {
    RDSIGN_OK = 0,
    RDSIGN_INVALID_HOSTNAME = 1,
    RDSIGN_INVALID_PORT = 2,
    RDSIGN_INVALID_USERNAME = 3,
    RDSIGN_INVALID_REGION = 4,
    RDSIGN_REGION_REQUIRED = 5,
    RDSIGN_REGION_MISMATCH = 6,
    RDSIGN_INVALID_CREDENTIALS = 7,
    RDSIGN_INVALID_EXPIRES_IN = 8,
    RDSIGN_INVALID_SIGNING_TIME = 9,
    RDSIGN_SERVICE_MISMATCH = 10,
    RDSIGN_CREDENTIALS_NOT_FOUND = 20,
    RDSIGN_CREDENTIALS_EXPIRED = 21,
    RDSIGN_CREDENTIALS_FAILED = 22,
    RDSIGN_CREDENTIALS_TIMEOUT = 23,
    RDSIGN_NULL_ARGUMENT = 100,
    RDSIGN_INVALID_UTF8 = 101,
    RDSIGN_INTERNAL = 255,
};
typedef int32_t rdsign_status;

typedef struct rdsign_credentials rdsign_credentials;

typedef struct rdsign_error rdsign_error;

typedef struct rdsign_event rdsign_event;

typedef struct rdsign_options rdsign_options;

typedef struct rdsign_signer rdsign_signer;

typedef struct rdsign_token rdsign_token;

typedef int (*rdsign_credentials_callback)(void *user_data, rdsign_credentials *credentials);

typedef void (*rdsign_free_callback)(void *user_data);

typedef void (*rdsign_event_callback)(void *user_data, const rdsign_event *event);

const char *rdsign_version(void);

const char *rdsign_ca_bundle(void);

const char *rdsign_status_name(rdsign_status status);

rdsign_status rdsign_error_status(const rdsign_error *error);

const char *rdsign_error_message(const rdsign_error *error);

void rdsign_error_free(rdsign_error *error);

rdsign_options *rdsign_options_new(void);

void rdsign_options_free(rdsign_options *options);

rdsign_status rdsign_options_set_hostname(rdsign_options *options, const char *hostname);

rdsign_status rdsign_options_set_port(rdsign_options *options, int64_t port);

rdsign_status rdsign_options_set_username(rdsign_options *options, const char *username);

rdsign_status rdsign_options_set_region(rdsign_options *options, const char *region);

rdsign_status rdsign_options_set_service(rdsign_options *options, const char *service);

rdsign_status rdsign_options_set_expires_in(rdsign_options *options, int64_t seconds);

rdsign_status rdsign_options_set_access_key_id(rdsign_options *options, const char *access_key_id);

rdsign_status rdsign_options_set_secret_access_key(rdsign_options *options,
                                                   const char *secret_access_key);

rdsign_status rdsign_options_set_session_token(rdsign_options *options, const char *session_token);

rdsign_status rdsign_options_set_profile(rdsign_options *options, const char *profile);

rdsign_status rdsign_options_set_role_arn(rdsign_options *options, const char *role_arn);

rdsign_status rdsign_options_set_external_id(rdsign_options *options, const char *external_id);

rdsign_status rdsign_options_set_role_session_name(rdsign_options *options,
                                                   const char *role_session_name);

rdsign_status rdsign_options_set_credentials_timeout(rdsign_options *options, int64_t milliseconds);

rdsign_status rdsign_options_set_credentials_callback(rdsign_options *options,
                                                      rdsign_credentials_callback callback,
                                                      void *user_data,
                                                      rdsign_free_callback free_user_data);

rdsign_status rdsign_options_set_event_callback(rdsign_options *options,
                                                rdsign_event_callback callback,
                                                void *user_data,
                                                rdsign_free_callback free_user_data);

rdsign_status rdsign_credentials_set_access_key_id(rdsign_credentials *credentials,
                                                   const char *access_key_id);

rdsign_status rdsign_credentials_set_secret_access_key(rdsign_credentials *credentials,
                                                       const char *secret_access_key);

rdsign_status rdsign_credentials_set_session_token(rdsign_credentials *credentials,
                                                   const char *session_token);

rdsign_status rdsign_credentials_set_expires_at(rdsign_credentials *credentials,
                                                int64_t expires_at);

rdsign_status rdsign_credentials_set_reason(rdsign_credentials *credentials, const char *reason);

const char *rdsign_event_name(const rdsign_event *event);

int rdsign_event_is_warning(const rdsign_event *event);

const char *rdsign_event_message(const rdsign_event *event);

int64_t rdsign_event_expires_at(const rdsign_event *event);

const rdsign_error *rdsign_event_error(const rdsign_event *event);

rdsign_status rdsign_signer_new(const rdsign_options *options,
                                rdsign_signer **signer,
                                rdsign_error **error);

rdsign_status rdsign_signer_token(const rdsign_signer *signer,
                                  rdsign_token **token,
                                  rdsign_error **error);

rdsign_status rdsign_signer_token_at(const rdsign_signer *signer,
                                     int64_t signing_time,
                                     rdsign_token **token,
                                     rdsign_error **error);

void rdsign_signer_free(rdsign_signer *signer);

const char *rdsign_token_value(const rdsign_token *token);

int64_t rdsign_token_expires_at(const rdsign_token *token);

void rdsign_token_free(rdsign_token *token);
