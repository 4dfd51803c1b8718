"""Checks the errors for servers that do not return keys. An error names the source and the cause, and
shows no secret, even if a server sends one in an unexpected place."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_aws import FakeAws, keys_file, long_lived_keys, new_secret, sts_error
from machine import HOSTNAME, signed_by
from sources import (
    ROLE,
    alone,
    container,
    environment_with_a_session_token,
    instance_metadata,
    role_on_top_of_the_environment,
    sso_session,
    web_identity,
)

SECRET = new_secret()
HALF = json.dumps({"Code": "Success", "AccessKeyId": "ASIAHALF", "SecretAccessKey": SECRET})
NO_END = json.dumps({"AccessKeyId": "A", "SecretAccessKey": SECRET, "Token": SECRET, "Expiration": SECRET})
NO_JSON = {
    "nothing": "",
    "words": f"rubbish {SECRET}",
    "a list": json.dumps([SECRET]),
    "half an object": HALF[:-1],
    "two objects": HALF * 2,
    "a line in a string": '{"SecretAccessKey": "' + SECRET + '\n"}',
    "an invalid escape": '{"SecretAccessKey": "\\q' + SECRET + '"}',
    "a name without a value": '{"SecretAccessKey" "' + SECRET + '"}',
}


def check(source, route, answer, words, code, machine, flags, fake):
    """Checks that the run fails with this answer, and succeeds once the server recovers."""
    fake.routes[route].respond(*answer)
    machine.asks_once()
    run = machine.run("credentials", *flags)
    assert (run.status, run.code, run.output) == (1, code, ""), run
    assert all(word in run.message for word in words), run
    fake.routes[route].release()
    assert machine.run("credentials", *flags).status == 0


ANSWERS = [
    (instance_metadata, "imds", (403, SECRET), ["instance metadata", "403"]),
    (instance_metadata, "imds", (404, SECRET), ["instance metadata", "404"]),
    (instance_metadata, "imds", (200, HALF), ["instance metadata", "`Token`"]),
    (instance_metadata, "imds", (200, NO_END), ["instance metadata", "`Expiration`"]),
    (
        instance_metadata,
        "imds",
        (200, '{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role"}'),
        ["instance metadata", "AssumeRoleUnauthorizedAccess", "EC2 cannot assume the role"],
    ),
    (container, "container", (401, SECRET), ["container", "401"]),
    (container, "container", (403, SECRET), ["container", "403"]),
    (container, "container", (404, SECRET), ["container", "404"]),
    (
        container,
        "container",
        (400, '{"Code": "AccessDeniedException", "Message": "no trust"}'),
        ["container", "400", "AccessDeniedException: no trust"],
    ),
    (
        container,
        "container",
        (404, '{"code": "NoIdMapping", "message": "no association", "HTTPErrorCode": 404}'),
        ["container", "404", "NoIdMapping: no association"],
    ),
    (
        container,
        "container",
        (200, '{"code": "AccessDenied", "message": "no role for this task"}'),
        ["container", "AccessDenied", "no role for this task"],
    ),
    (sso_session, "sso", (200, SECRET), ["profile"]),
    (sso_session, "sso", (200, f'{{"roleCredentials": {{"secretAccessKey": "{SECRET}"}}}}'), ["profile"]),
    (
        sso_session,
        "sso",
        (401, '{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}'),
        ["UnauthorizedException: Session token not found or invalid; run `aws sso login --profile default`"],
    ),
    (
        sso_session,
        "sso",
        (403, '{"__type": "ForbiddenException", "message": "No access"}'),
        ['profile "default": ForbiddenException: No access; the user who logged in'],
    ),
    (web_identity, "sts", (200, f"<rubbish>{SECRET}</rubbish>"), ["web identity"]),
    (
        web_identity,
        "sts",
        (400, sts_error("InvalidIdentityToken", "No OpenIDConnect provider found")),
        ["web identity", "InvalidIdentityToken", "No OpenIDConnect provider found"],
    ),
    (
        web_identity,
        "sts",
        (400, sts_error("ExpiredTokenException", "Token expired: long ago")),
        ["web identity", "ExpiredToken", "Token expired: long ago"],
    ),
    (role_on_top_of_the_environment, "sts", (200, SECRET), ['role "arn:aws:iam::123456789012:role/a-role"']),
    (
        role_on_top_of_the_environment,
        "sts",
        (403, sts_error("AccessDenied", "User may not assume it")),
        ['role "arn:aws:iam::123456789012:role/a-role"', "AccessDenied", "User may not assume it"],
    ),
]


@pytest.mark.parametrize(
    "source, route, answer, words",
    ANSWERS,
    ids=[f"{route}-{answer[0]}-{n}" for n, (_, route, answer, _) in enumerate(ANSWERS)],
)
def test_a_refusal_names_source_and_cause(source, route, answer, words, tmp_path, fake):
    machine, flags = alone(source, tmp_path, fake)
    check(source, route, answer, words, "CREDENTIALS_FAILED", machine, flags, fake)


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_rubbish_from_the_instance_is_not_quoted(text, tmp_path, fake):
    machine, flags = alone(instance_metadata, tmp_path, fake)
    words = ["instance metadata"]
    check(instance_metadata, "imds", (200, text or " "), words, "CREDENTIALS_FAILED", machine, flags, fake)


ROLE_NAMES = {
    "no role name": 'a role <&> \\ or "',
    "a secret": SECRET,
    "keys": HALF,
    "two": "one\ntwo",
    "a NUL": "\0",
    "nothing": "",
}


@pytest.mark.parametrize("text", ROLE_NAMES.values(), ids=ROLE_NAMES)
def test_rubbish_for_the_instance_s_role_is_not_quoted(text, tmp_path, fake):
    machine, _ = alone(instance_metadata, tmp_path, fake)
    machine.asks_once()
    fake.imds_role.respond(200, text)
    run = machine.failure()
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED"), run
    assert "instance metadata" in run.message
    fake.strays.clear()
    fake.imds_role.release()
    assert signed_by(machine.token()) == fake.imds.last().access_key_id


RETRIED = [
    (instance_metadata, "imds_role", (500, SECRET), ["instance metadata", "500"]),
    (instance_metadata, "imds", (500, SECRET), ["instance metadata", "500"]),
    (instance_metadata, "imds", (503, SECRET), ["instance metadata", "503"]),
    (container, "container", (500, SECRET), ["container", "500"]),
    (container, "container", (503, SECRET), ["container", "503"]),
    *[(container, "container", (200, text or " "), ["container"]) for text in NO_JSON.values()],
    (container, "container", (200, HALF), ["container", "Token: missing"]),
    (container, "container", (200, NO_END), ["container", "Expiration: not a time"]),
    (sso_session, "sso", (500, SECRET), ["profile"]),
    (web_identity, "sts", (500, SECRET), ["web identity"]),
    (role_on_top_of_the_environment, "sts", (500, SECRET), ["role "]),
]


def test_a_server_that_keeps_failing_is_an_error_and_not_quoted(tmp_path, subtests):
    def one(n):
        source, route, answer, words = RETRIED[n]
        with FakeAws() as fake:
            machine, flags = alone(source, tmp_path / str(n), fake)
            check(source, route, answer, words, "CREDENTIALS_FAILED", machine, flags, fake)

    with ThreadPoolExecutor(len(RETRIED)) as pool:
        done = [pool.submit(one, n) for n in range(len(RETRIED))]
    for (_, route, answer, _), future in zip(RETRIED, done, strict=True):
        with subtests.test(route=route, answer=answer):
            future.result()


def test_an_expired_sso_login_says_how_to_log_in(machine, fake):
    sso_session(machine, fake, fake)
    machine.sso_token("corp", fake.sso_access_token, "2020-01-01T00:00:00Z")
    run = machine.failure()
    assert (run.code, "aws sso login --profile default" in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.sso.requests == []


def test_a_revoked_sso_login_says_how_to_log_in(machine, fake):
    sso_session(machine, fake, fake)
    machine.sso_token("corp", new_secret())
    run = machine.failure()
    assert (run.code, "UnauthorizedException" in run.message) == ("CREDENTIALS_FAILED", True)
    assert run.message.endswith("; run `aws sso login --profile default`")


def test_a_missing_login_is_named_with_its_file_and_profile(machine, fake):
    sso_session(machine, fake, fake)
    (cached,) = (machine.folder / "sso/cache").iterdir()
    cached.unlink()
    config = machine.folder / "config"
    config.write_text(config.read_text().replace("[default]", "[profile 'my dev']"))
    run = machine.failure("--profile", "my dev")
    assert run.message == (
        f'credentials: profile "my dev": not logged in to SSO: {cached} does not exist;'
        " run `aws sso login --profile 'my dev'`"
    )


@pytest.mark.parametrize(
    "end", ["2099-01-01T00:00:00UTC", "2099-01-01T00:00:00Z", "2099-01-01T02:00:00+02:00"]
)
def test_a_login_s_expiry_may_have_any_form_of_the_aws_cli(end, machine, fake):
    sso_session(machine, fake, fake)
    machine.sso_token("corp", fake.sso_access_token, end)
    assert signed_by(machine.token()) == fake.sso.last().access_key_id


def test_a_renewed_login_is_written_back_readable_only_by_its_owner(machine, fake):
    sso_session(machine, fake, fake)
    machine.set(AWS_ENDPOINT_URL_SSO_OIDC=fake.url)
    client = {"clientId": "tests", "clientSecret": new_secret(), "refreshToken": new_secret()}
    client |= {"registrationExpiresAt": "2099-01-01T00:00:00Z", "of another version": "kept"}
    machine.sso_token("corp", new_secret(), "2020-01-01T00:00:00Z", **client)
    machine.token()
    (cached,) = (machine.folder / "sso/cache").iterdir()
    login = json.loads(cached.read_text())
    assert login["accessToken"] == fake.sso_access_token
    assert login["refreshToken"] != client["refreshToken"]
    assert (login["clientId"], login["of another version"]) == ("tests", "kept")
    assert cached.stat().st_mode & 0o777 == 0o600
    machine.token()
    assert fake.sso_oidc.count() == 1


def test_a_session_s_settings_may_be_in_the_profile_too(machine, fake):
    sso_session(machine, fake, fake)
    config = machine.folder / "config"
    text = config.read_text()
    portal = text.partition("[sso-session corp]\n")[2]
    config.write_text(text.replace("[default]\n", f"[default]\n{portal}"))
    assert signed_by(machine.token()) == fake.sso.last().access_key_id
    config.write_text(text.replace("[default]\n", "[default]\nsso_region = eu-west-2\n"))
    run = machine.failure()
    assert (run.code, f"{config}, line 2: sso_region: differs" in run.message) == ("CREDENTIALS_FAILED", True)


def test_a_role_that_needs_mfa_is_rejected_before_sts_is_called(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", long_lived_keys()))
    mfa = "mfa_serial = arn:aws:iam::123456789012:mfa/jane\n"
    machine.config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n{mfa}region = eu-west-1\n")
    run = machine.failure("--profile", "app")
    assert run.code == "CREDENTIALS_FAILED"
    assert f"{machine.folder}/config, line 4: mfa_serial: the role needs MFA" in run.message
    assert fake.sts.requests == []


LOGINS = {"gone": None, "empty": "", "half": '{"accessToken": "' + SECRET, "a list": f"[{SECRET}]"}


@pytest.mark.parametrize("content", LOGINS.values(), ids=LOGINS)
def test_an_unreadable_sso_login_says_how_to_log_in(content, machine, fake):
    sso_session(machine, fake, fake)
    (cached,) = (machine.folder / "sso/cache").iterdir()
    cached.unlink() if content is None else cached.write_text(content)
    run = machine.failure()
    assert (run.code, "run `aws sso login --profile default`" in run.message) == ("CREDENTIALS_FAILED", True)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:1338", "localhost", "::1"])
def test_an_imds_endpoint_without_a_scheme_is_rejected(endpoint, machine):
    machine.uses_imds(endpoint)
    machine.set(AWS_REGION="eu-central-1")
    run = machine.failure()
    assert f'AWS_EC2_METADATA_SERVICE_ENDPOINT: "{endpoint}" is not an address' in run.message, run
    assert run.code == "CREDENTIALS_FAILED"


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_server_without_imdsv2_counts_as_a_source_without_keys(status, machine, fake):
    machine.uses_imds(fake.url)
    fake.imds_token.respond(status, SECRET)
    run = machine.failure()
    assert run.code == "CREDENTIALS_NOT_FOUND"
    assert "the server at this address does not speak IMDSv2" in run.message and str(status) in run.message, (
        run
    )
    assert "environment: " in run.message


def test_a_web_identity_without_its_file_fails(machine, fake):
    web_identity(machine, fake, fake)
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.home / "gone")
    run = machine.failure()
    assert (run.code, "No such file" in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.sts.requests == []


def test_a_container_without_its_authorization_file_fails(machine, fake):
    container(machine, fake, fake)
    machine.set(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=machine.home / "gone")
    run = machine.failure()
    assert (run.code, "No such file" in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.container.requests == []


def test_an_invalid_container_authorization_is_not_shown(machine, fake):
    container(machine, fake, fake)
    machine.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=f"{SECRET}\n")
    run = machine.failure()
    assert (run.code, "container" in run.message) == ("CREDENTIALS_FAILED", True)


@pytest.mark.parametrize("address", ["http://192.0.2.1/keys", "not an address", "localhost", "127.0.0.1:80"])
def test_a_container_uri_of_another_machine_is_rejected(address, machine):
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=address, AWS_REGION="eu-central-1")
    run = machine.failure()
    assert (run.code, "container" in run.message) == ("CREDENTIALS_FAILED", True)
    assert f'AWS_CONTAINER_CREDENTIALS_FULL_URI: "{address}" is' in run.message, run


def test_an_empty_variable_of_a_container_counts_as_unset(machine, fake):
    container(machine, fake, fake)
    machine.set(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="", AWS_CONTAINER_AUTHORIZATION_TOKEN="")
    machine.token()
    assert "authorization" not in fake.container.requests[0].headers


def test_an_invalid_expiry_in_the_environment_is_named(machine, fake):
    role_on_top_of_the_environment(machine, fake, fake)
    machine.set(AWS_CREDENTIAL_EXPIRATION="soon")
    run = machine.failure()
    assert (run.code, "AWS_CREDENTIAL_EXPIRATION" in run.message) == ("CREDENTIALS_FAILED", True)


def test_a_role_without_a_region_uses_the_global_sts(machine, fake):
    role_on_top_of_the_environment(machine, fake, fake)
    fake.sts_behind = None
    assert machine.found("--role-arn", ROLE)["source"] == "role"
    assert "/us-east-1/sts/" in fake.sts.requests[0].headers["authorization"]


@pytest.mark.parametrize("flag", ["--external-id", "--role-session-name"])
def test_a_flag_for_a_role_needs_a_role(flag, machine, fake):
    run = machine.failure(flag, "x")
    assert (run.status, run.code) == (2, "INVALID_CREDENTIALS")
    assert run.message.startswith("role ARN: missing; accepted: ")


def test_an_empty_role_is_rejected(machine):
    run = machine.failure("--role-arn", "")
    assert (run.status, run.code, "role ARN" in run.message) == (2, "INVALID_CREDENTIALS", True)


@pytest.mark.parametrize(
    "source", [instance_metadata, container, sso_session, web_identity, role_on_top_of_the_environment]
)
def test_expired_keys_sign_nothing(source, tmp_path, fake):
    machine, flags = alone(source, tmp_path, fake)
    machine.asks_once()
    for route in fake.routes.values():
        route.lifetime = -60
    run = machine.run("token", "--hostname", HOSTNAME, "--username", "u", *flags)
    assert (run.status, run.code, run.output) == (1, "CREDENTIALS_EXPIRED", "")
    last = [route.last() for route in fake.routes.values() if route.handed_out][-1]
    assert last.access_key_id in run.message and last.expiration in run.message
    for route in fake.routes.values():
        route.lifetime = 3600
    machine.token(*flags)


def test_expired_keys_in_the_environment_sign_nothing(machine):
    keys = environment_with_a_session_token(machine, None, None).keys()
    machine.token()
    machine.set(AWS_CREDENTIAL_EXPIRATION="2024-08-26T22:00:00Z")
    run = machine.run("token", "--hostname", HOSTNAME, "--username", "u")
    assert (run.code, keys.access_key_id in run.message) == ("CREDENTIALS_EXPIRED", True)
    machine.token("--signing-time", "2024-08-26T21:59:59Z")


def test_expired_keys_do_not_show_a_secret_in_place_of_the_id(machine):
    machine.set(AWS_ACCESS_KEY_ID=new_secret(), AWS_SECRET_ACCESS_KEY="AKIAEXAMPLE000000001")
    machine.set(AWS_CREDENTIAL_EXPIRATION="2024-08-26T22:00:00Z")
    run = machine.run("token", "--hostname", HOSTNAME, "--username", "u")
    assert (run.code, "not shown" in run.message) == ("CREDENTIALS_EXPIRED", True)


def test_expired_keys_are_still_found(machine, fake):
    container(machine, fake, fake)
    fake.container.lifetime = -60
    told = machine.found()
    assert told["expires at"] == fake.container.last().expiration
