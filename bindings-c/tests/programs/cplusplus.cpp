/*
 * Uses the header from C++: owning pointers, a callback, and the status as a type.
 */
#include <cstring>
#include <memory>

#include <rdsign.h>

template <typename T, void release(T *)> struct Release {
    void operator()(T *object) const { release(object); }
};
using Options = std::unique_ptr<rdsign_options, Release<rdsign_options, rdsign_options_free>>;
using Signer = std::unique_ptr<rdsign_signer, Release<rdsign_signer, rdsign_signer_free>>;
using Token = std::unique_ptr<rdsign_token, Release<rdsign_token, rdsign_token_free>>;

extern "C" int give_credentials(void *secret, rdsign_credentials *credentials) {
    rdsign_credentials_set_access_key_id(credentials, "akid");
    rdsign_credentials_set_secret_access_key(credentials, static_cast<const char *>(secret));
    return 0;
}

int main() {
    char secret[] = "secret";
    Options options(rdsign_options_new());
    rdsign_options_set_hostname(options.get(), "prod-instance.us-east-1.rds.amazonaws.com");
    rdsign_options_set_port(options.get(), 3306);
    rdsign_options_set_username(options.get(), "peccy");
    rdsign_options_set_credentials_callback(options.get(), give_credentials, secret, nullptr);

    rdsign_signer *made = nullptr;
    rdsign_status status = rdsign_signer_new(options.get(), &made, nullptr);
    Signer signer(made);
    if (status != RDSIGN_OK || std::strcmp(rdsign_status_name(status), "OK") != 0)
        return 1;
    rdsign_token *signed_at = nullptr;
    if (rdsign_signer_token_at(signer.get(), 1724709600, &signed_at, nullptr) != RDSIGN_OK)
        return 2;
    Token token(signed_at);
    const char *end = "dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89";
    return std::strstr(rdsign_token_value(token.get()), end) == nullptr ? 3 : 0;
}
