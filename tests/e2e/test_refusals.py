"""Which logins are accepted and which are refused: the client sees only what RDS shows, the log has
the reason.

Next to each refusal there is a login that works and differs in only one thing. A login can take long
on a busy machine, so tokens that must be valid here are valid for minutes. core's own tests check the
bounds to the second.
"""

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest

TESTUSER = "AKIALOCALTESTUSER001"
SESSION = "ASIALOCALSESSION0001"
NOTHING = "AKIALOCALNOTHING0001"


def seconds_ago(seconds):
    return (datetime.now(timezone.utc) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_log_names_who_logged_in(shared):
    before = len(shared.log.read_text())
    shared.login(shared.token())
    line = shared.log.read_text()[before:]
    arn = f"{shared.settings['resource_id']}/iam_user"
    assert re.search(rf"rdsign: accepted: .*AKIALOCALIAMUSER0001.*dbuser:{arn}.*127\.0\.0\.1\n", line)


def test_the_user_must_be_the_signed_one(shared):
    shared.login(shared.token("testuser", TESTUSER), "testuser")
    shared.refuse(shared.token("iam_user", TESTUSER), r"\(wrong-user\): .*", "testuser")


@pytest.mark.parametrize(
    "flag",
    [{"hostname": "other.abc123.ap-northeast-1.rds.amazonaws.com"}, {"port": "5431"}],
    ids=["hostname", "port"],
)
def test_the_endpoint_must_be_the_signed_one(shared, flag):
    shared.refuse(shared.token(**flag), r"\(wrong-endpoint\): signed for .*")
    shared.login(shared.token())


def test_the_host_may_be_signed_in_upper_case(shared):
    shared.login(shared.token(hostname=shared.host.upper()))


def test_the_region_must_be_the_server_s(shared):
    tunnel = 'endpoints = ["localhost:6543", '
    with shared.configuration(("endpoints = [", tunnel)):
        other = {"hostname": "localhost", "port": "6543"}
        reason = r"\(wrong-region-or-service\): signed for \"eu-west-1/rds-db\".*"
        shared.refuse(shared.token(**other, region="eu-west-1"), reason)
        shared.login(shared.token(**other, region="ap-northeast-1"))


def test_a_token_is_valid_for_900_seconds(shared):
    expired = r"\(expired\): the token expired at .*"
    shared.refuse(shared.token(signing_time=seconds_ago(901)), expired)
    shared.login(shared.token(signing_time=seconds_ago(300)))


def test_a_token_may_have_a_shorter_lifetime(shared):
    expired = r"\(expired\): the token expired at .*"
    signed = {"signing_time": seconds_ago(300)}
    shared.refuse(shared.token(**signed, expires_in=299), expired)
    shared.login(shared.token(**signed, expires_in=899))


def test_a_token_may_not_ask_for_a_longer_lifetime(shared):
    token = shared.token()
    longer = token.replace("X-Amz-Expires=900", "X-Amz-Expires=901")
    shared.refuse(longer, r"\(lifetime-too-long\): its lifetime is 901 s.*")
    shared.login(token)


@pytest.mark.parametrize("seconds, reason", [(901, "expired"), (-3600, "not-yet-valid")])
def test_the_server_s_clock_decides(shared, seconds, reason):
    token = shared.token()
    clock = ("clock_offset_seconds = 0", f"clock_offset_seconds = {seconds}")
    with shared.configuration(clock):
        shared.refuse(token, rf"\({reason}\): .*")
    shared.login(token)


def test_the_access_key_must_be_known(shared):
    stranger = shared.keys["AKIALOCALIAMUSER0001"] | {"access_key_id": "AKIASTRANGER00000001"}
    refusal = shared.refuse(shared.token(key=stranger), r"\(unknown-access-key\): .*")
    assert "AKIASTRANGER00000001" in refusal
    shared.login(shared.token())


def test_the_secret_must_be_the_key_s(shared):
    wrong = shared.keys["AKIALOCALIAMUSER0001"] | {"secret_access_key": "guessed"}
    shared.refuse(shared.token(key=wrong), r"\(wrong-signature\): .*")
    shared.login(shared.token())


def test_the_session_token_must_be_the_key_s(shared):
    key = shared.keys[SESSION]
    assert len(key["session_token"]) == 1000
    for other in [None, key["session_token"][:-1], "another"]:
        token = shared.token(key=key | {"session_token": other})
        shared.refuse(token, r"\(wrong-session-token\): .*")
    shared.login(shared.token(key=key))


def test_a_token_of_2500_bytes_is_not_truncated(shared):
    key = {"access_key_id": "ASIALONG", "secret_access_key": "long", "session_token": "x/+=" * 300}
    lines = "".join(f'{name} = "{value}"\n' for name, value in key.items())
    policies = shared.keys[SESSION]["policies"]
    with shared.configuration(append=f"[[access_keys]]\n{lines}policies = ['''{policies[0]}''']\n"):
        token = shared.token(key=key)
        assert len(token) > 2500
        shared.login(token)
        cut = shared.token(key=key | {"session_token": key["session_token"][:-4]})
        shared.refuse(cut, r"\(wrong-session-token\): .*")


def test_tokens_of_expired_credentials_are_refused(shared):
    key = f'access_key_id = "{SESSION}"\n'
    token = shared.token(key=SESSION)
    with shared.configuration((key, key + f"expires_at = {seconds_ago(1)}\n")):
        shared.refuse(token, r"\(expired\): the credentials that signed it expired at .*")
    with shared.configuration((key, key + f"expires_at = {seconds_ago(-3600)}\n")):
        shared.login(token)


def test_a_key_without_a_policy_may_not_connect(shared):
    refusal = shared.refuse(shared.token(key=NOTHING), r"\(not-allowed\): .*")
    assert "arn:aws:rds-db:ap-northeast-1:123456789012:dbuser:" in refusal
    shared.login(shared.token())


def test_a_key_may_connect_only_as_its_user(shared):
    shared.refuse(shared.token("testuser"), r"\(not-allowed\): .*/testuser.*", "testuser")
    shared.login(shared.token("testuser", TESTUSER), "testuser")


def test_a_changed_policy_takes_effect_at_once(shared):
    token = shared.token(key=NOTHING)
    everyone = (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "rds-db:*", "Resource": "*"}}'
    )
    nobody = everyone.replace("Allow", "Deny")
    shared.refuse(token, r"\(not-allowed\): .*")
    with shared.configuration(("policies = []", f"policies = ['{everyone}']")):
        shared.login(token)
    with shared.configuration(("policies = []", f"policies = ['{everyone}', '{nobody}']")):
        shared.refuse(token, r"\(not-allowed\): .*")
    shared.refuse(token, r"\(not-allowed\): .*")


EVERYONE = '{"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}'
OTHER_SERVICE = (
    '{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*", '
    '"Condition": {"Bool": {"aws:SecureTransport": "true"}}}'
)
WITHOUT_MFA = (
    '{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", '
    '"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}'
)
OWN_NAME = EVERYONE.replace('"*"', '"arn:aws:rds-db:*:*:dbuser:*/${aws:username}"')


def policies(*statements, variables=()):
    """Returns the change that gives the key without policies a policy of these statements."""
    text = f'{{"Version": "2012-10-17", "Statement": [{", ".join(statements)}]}}'
    known = f"variables = {list(variables)}\n" if variables else ""
    return ("policies = []", f"{known}policies = ['{text}']")


def test_statements_about_other_services_lock_nobody_out(shared):
    token = shared.token(key=NOTHING)
    with shared.configuration(policies(EVERYONE, OTHER_SERVICE)):
        shared.login(token)
    with shared.configuration(policies(OTHER_SERVICE)):
        shared.refuse(token, r"\(not-allowed\): .*: not allowed by any statement.*")


def test_a_deny_with_an_unknown_condition_is_ignored_and_logged(shared):
    token = shared.token(key=NOTHING)
    with shared.configuration(policies(EVERYONE, WITHOUT_MFA)):
        before = len(shared.log.read_text())
        shared.login(token)
        assert (
            "; ignored: a Deny that applies if the condition BoolIfExists aws:MultiFactorAuthPresent"
            ' "false" holds (policy 1, Statement 2)' in shared.log.read_text()[before:]
        )
    absent = policies(EVERYONE, WITHOUT_MFA, variables=["aws:MultiFactorAuthPresent=false"])
    with shared.configuration(absent):
        shared.refuse(token, r"\(not-allowed\): .*: denied by policy 1, Statement 2.*")


def test_a_variable_counts_only_if_its_value_is_known(shared):
    token = shared.token(key=NOTHING)
    with shared.configuration(policies(OWN_NAME)):
        ignored = r"ignored: a statement that may not apply: allowed if aws:username is \"iam_user\""
        shared.refuse(token, rf"\(not-allowed\): .*: {ignored} .*")
    with shared.configuration(policies(OWN_NAME, variables=["aws:username=iam_user"])):
        shared.login(token)
    with shared.configuration(policies(OWN_NAME, variables=["aws:username=jane"])):
        shared.refuse(token, r"\(not-allowed\): .*")


def test_parameters_may_be_in_any_order(shared):
    start, query = shared.token(key=SESSION).split("?")
    parameters = query.split("&")
    shared.login(f"{start}?{'&'.join(sorted(parameters))}")
    shared.login(f"{start}?{'&'.join(reversed(parameters))}")
    once_too_often = f"{start}?{quote(query, safe='=&')}"
    shared.refuse(once_too_often, r"\((malformed|wrong-signature)\): .*")


@pytest.mark.parametrize(
    "password", ["a plain password", "x" * 65000, "caf\udce9"], ids=["plain", "long", "latin-1"]
)
def test_passwords_are_refused(shared, password):
    shared.refuse(password, r"\(malformed\): .*")
    shared.login(shared.token())


def test_psql_may_disconnect_to_ask_for_the_password(shared):
    before = len(shared.log.read_text())
    done = shared.psql()
    assert "fe_sendauth: no password supplied" in done.stderr
    assert "rdsign:" not in shared.log.read_text()[before:]
    shared.login(shared.token())


def test_without_tls_the_server_asks_for_no_token(shared):
    token = shared.token()
    before = len(shared.log.read_text())
    done = shared.psql(password=token, PGSSLMODE="disable")
    message = 'pg_hba.conf rejects connection for host "127.0.0.1", user "iam_user", database "testdb", no encryption'
    assert done.stderr == shared.client_error(message)
    assert "rdsign:" not in shared.log.read_text()[before:]
    shared.login(token)


def test_with_sslmode_prefer_the_first_error_has_the_reason(shared):
    done = shared.psql(password=shared.token(key=NOTHING), PGSSLMODE="prefer")
    first, second = done.stderr.splitlines()
    assert first.endswith('FATAL:  PAM authentication failed for user "iam_user"')
    assert second.endswith(", no encryption")
    shared.login(shared.token(), PGSSLMODE="prefer")


def test_membership_through_a_group_counts(shared):
    shared.as_postgres("CREATE ROLE team; CREATE USER member PASSWORD 'plain'")
    shared.as_postgres("GRANT rds_iam TO team")
    everyone = ("dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXY/testuser", "dbuser:*/member")
    try:
        assert shared.psql(password="plain", PGUSER="member").stdout == "member\n"
        shared.as_postgres("GRANT team TO member")
        shared.refuse("plain", r"\(malformed\): .*", "member")
        with shared.configuration(everyone):
            shared.login(shared.token("member", TESTUSER), "member")
    finally:
        shared.as_postgres("DROP USER member; DROP ROLE team")


def test_a_username_is_compared_exactly(shared):
    name = "Möbius & Söhne 100%"
    shared.as_postgres(f'CREATE USER "{name}"')
    shared.as_postgres(f'GRANT rds_iam TO "{name}"')
    policy = ("dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXY/testuser", f"dbuser:*/{name}")
    try:
        with shared.configuration(policy):
            shared.login(shared.token(name, TESTUSER), name)
            shared.refuse(shared.token(name.lower(), TESTUSER), r"\(wrong-user\): .*", name)
    finally:
        shared.as_postgres(f'DROP USER "{name}"')


@pytest.mark.parametrize(
    "change, problem",
    [
        (("region = ", "regoin = "), "line 3: unknown field `regoin`"),
        (('region = "ap-northeast-1"', ""), "missing field `region`"),
        (("123456789012", "12345678901"), "account_id: accepted: 12 digits"),
        (("policies = []", "policies = ['{}']"), r"access_keys\[3\].policies\[0\]: "),
        (
            ("clock_offset_seconds = 0", "clock_offset_seconds = 9223372036854775807"),
            "clock_offset_seconds: ",
        ),
        (('secret_access_key = "', 'secret_access_key = "\n'), "line "),
    ],
    ids=["unknown", "missing", "account", "policy", "clock", "syntax"],
)
def test_with_an_invalid_configuration_every_login_is_refused(shared, change, problem):
    token = shared.token()
    with shared.configuration(change):
        shared.refuse(token, rf"\(broken-configuration\): .*{problem}.*")
    shared.login(token)


def test_without_a_configuration_every_login_is_refused(shared):
    token = shared.token()
    away = shared.config.rename(shared.folder / "away")
    try:
        shared.refuse(token, r"\(broken-configuration\): .*No such file or directory.*")
    finally:
        away.rename(shared.config)
    shared.login(token)
