"""Checks the variables and settings for calls to AWS: region, endpoint, FIPS, retries, timeouts. An empty
variable counts as unset, and an invalid value is an error before anything is sent."""

import socket
import socketserver
import threading

import pytest
from fake_aws import keys_file, long_lived_keys, new_secret, sts_error
from machine import signed_by
from sources import (
    ROLE,
    START_URL,
    instance_metadata,
    role_on_top_of_the_environment,
    role_with_source_profile,
    sso_session,
    web_identity,
    web_identity_in_a_profile,
)

KEYS = long_lived_keys("file")
APP = f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n"


@pytest.fixture
def hosts(machine):
    """Starts a proxy that refuses every connection. Returns the list of hosts that runs requested."""
    asked = []

    class Refuse(socketserver.StreamRequestHandler):
        def handle(self):
            asked.append(self.rfile.readline().split()[1].decode())
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refuse) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        machine.set(HTTPS_PROXY=f"http://127.0.0.1:{server.server_address[1]}", AWS_MAX_ATTEMPTS="1")
        yield asked
        server.shutdown()
        thread.join()


def no_endpoint(machine):
    machine.set(AWS_ENDPOINT_URL_STS=None, AWS_ENDPOINT_URL_SSO=None)


REGION = "eu-west-1"
HOSTS = [
    ({}, web_identity, f"sts.{REGION}.amazonaws.com"),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, web_identity, f"sts-fips.{REGION}.amazonaws.com"),
    ({"AWS_USE_FIPS_ENDPOINT": "yes"}, web_identity, f"sts.{REGION}.amazonaws.com"),
    ({"AWS_USE_DUALSTACK_ENDPOINT": "True"}, web_identity, f"sts.{REGION}.api.aws"),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, web_identity_in_a_profile, f"sts-fips.{REGION}.amazonaws.com"),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, sso_session, f"portal.sso-fips.{REGION}.amazonaws.com"),
    ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, sso_session, f"portal.sso.{REGION}.api.aws"),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, role_with_source_profile, f"sts-fips.{REGION}.amazonaws.com"),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, role_on_top_of_the_environment, f"sts-fips.{REGION}.amazonaws.com"),
    ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, web_identity, "sts.amazonaws.com"),
    ({"AWS_STS_REGIONAL_ENDPOINTS": "regional"}, web_identity, f"sts.{REGION}.amazonaws.com"),
    (
        {"AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_REGION": "eu-south-1"},
        web_identity,
        "sts.eu-south-1.amazonaws.com",
    ),
    ({"AWS_REGION": "cn-north-1"}, web_identity, "sts.cn-north-1.amazonaws.com.cn"),
    ({"AWS_REGION": ""}, web_identity, "sts.amazonaws.com"),
    (
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL": "https://sts.example"},
        web_identity,
        "sts.example",
    ),
]


@pytest.mark.parametrize(
    "variables, source, host", HOSTS, ids=[f"{n}-{s.__name__}" for n, (_, s, _) in enumerate(HOSTS)]
)
def test_the_host_of_sts_and_sso_follows_the_settings(variables, source, host, machine, fake, hosts):
    flags = [flag for flag in source(machine, fake, fake).flags if flag not in ("--region", "eu-central-1")]
    no_endpoint(machine)
    machine.set(**{"AWS_REGION": REGION} | variables)
    assert machine.run("credentials", *flags).code == "CREDENTIALS_FAILED"
    assert hosts == [f"{host}:443"]


def test_settings_of_the_profile_apply_to_its_roles(machine, hosts):
    machine.credentials(keys_file("base", KEYS))
    for setting in ("use_fips_endpoint = true", "sts_regional_endpoints = legacy"):
        machine.config(f"{APP}region = us-east-2\n{setting}\n")
        assert machine.run("credentials", "--profile", "app").code == "CREDENTIALS_FAILED"
    assert hosts == ["sts-fips.us-east-2.amazonaws.com:443", "sts.amazonaws.com:443"]


def region_asked(fake):
    return fake.sts.requests[-1].headers["authorization"].split("Credential=")[1].split("/")[2]


def test_sts_uses_the_region_of_the_flag_the_environment_the_profile_or_the_host_in_this_order(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", KEYS))
    machine.config(APP)
    machine.token("--profile", "app")
    assert region_asked(fake) == "eu-central-1"
    machine.config(f"{APP}region = us-west-1\n")
    machine.token("--profile", "app")
    assert region_asked(fake) == "us-west-1"
    machine.set(AWS_REGION="us-east-2")
    machine.token("--profile", "app")
    assert region_asked(fake) == "us-east-2"
    machine.token("--profile", "app", "--region", "eu-central-1")
    assert region_asked(fake) == "eu-central-1"
    machine.found("--profile", "app", "--region", "us-west-2")
    assert region_asked(fake) == "us-west-2"
    machine.found("--profile", "base", "--role-arn", ROLE, "--region", "us-west-2")
    assert region_asked(fake) == "us-west-2"


@pytest.mark.parametrize("source", [web_identity, role_on_top_of_the_environment])
def test_an_empty_variable_counts_as_unset(source, machine, fake):
    flags = source(machine, fake, fake).flags
    fake.sts_behind = None
    empty = ["AWS_ENDPOINT_URL", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_STS_REGIONAL_ENDPOINTS"]
    empty += ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECURITY_TOKEN"]
    empty += ["AWS_USE_FIPS_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_ROLE_SESSION_NAME"]
    empty += ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_EXPIRATION"]
    machine.set(**dict.fromkeys(empty, ""))
    assert signed_by(machine.token(*flags)) == fake.sts.last().access_key_id


@pytest.mark.parametrize(
    "variable", ["AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"]
)
def test_an_empty_endpoint_counts_as_unset_for_sso(variable, machine, fake):
    sso_session(machine, fake, fake)
    machine.set(**{variable: ""})
    assert signed_by(machine.token()) == fake.sso.last().access_key_id


def test_an_empty_setting_counts_as_unset(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", KEYS))
    machine.config(f"{APP}endpoint_url =\nregion =\nretry_mode =\nexternal_id =\nmfa_serial =\n")
    machine.token("--profile", "app")
    assert "ExternalId" not in fake.sts.requests[0].form


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize(
    "value", ["sts.eu-west-1.amazonaws.com", "sts.example:8443", "ftp://x", "https://", "http://a b"]
)
def test_an_invalid_endpoint_is_rejected_and_nothing_is_sent(name, value, machine, fake):
    web_identity(machine, fake, fake)
    machine.set(AWS_ENDPOINT_URL_STS=None, AWS_REGION=REGION)
    machine.set(**{name: value})
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert run.message.startswith(f'credentials: {name}: "{value}" is not an address; accepted: ')
    assert fake.strays == []


def test_an_invalid_endpoint_in_a_file_is_rejected_with_its_line(machine):
    machine.credentials(keys_file("base", KEYS))
    secret = new_secret()
    app = f"{APP}region = {REGION}\nexternal_id = {secret}\n"
    for text, line, name in [
        (f"{app}endpoint_url = sts.example\n", 6, "endpoint_url"),
        (f"{app}services = s\n[services s]\nsts =\n  endpoint_url = sts.example\n", 8, "sts"),
    ]:
        machine.config(text)
        run = machine.failure("--profile", "app")
        assert f'{machine.folder}/config, line {line}: {name}: "sts.example" is not an address' in run.message


def test_a_password_in_an_endpoint_is_not_shown(machine, fake):
    web_identity(machine, fake, fake)
    machine.set(AWS_ENDPOINT_URL_STS=f"proxy:{new_secret()}@host:80")
    assert "AWS_ENDPOINT_URL_STS" in machine.failure().message


@pytest.mark.parametrize("value", ["127.0.0.1:1338", "x"])
def test_an_invalid_imds_endpoint_is_rejected(value, machine):
    machine.uses_imds(value)
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert run.message.startswith("credentials: AWS_EC2_METADATA_SERVICE_ENDPOINT: ")


def test_configured_endpoints_can_be_ignored(machine, fake, hosts):
    machine.credentials(keys_file("base", KEYS))
    machine.config(f"{APP}region = {REGION}\nendpoint_url = {fake.url}\n")
    machine.token("--profile", "app")
    machine.set(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert machine.run("credentials", "--profile", "app").code == "CREDENTIALS_FAILED"
    assert (fake.sts.count(), hosts) == (1, [f"sts.{REGION}.amazonaws.com:443"])


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_every_retry_mode_of_the_aws_cli_is_accepted(mode, machine, fake):
    flags = role_on_top_of_the_environment(machine, fake, fake).flags
    fake.sts_behind = None
    machine.set(AWS_RETRY_MODE=mode)
    machine.token(*flags)
    machine.set(AWS_RETRY_MODE=None)
    machine.config(f"[default]\nretry_mode = {mode}\n")
    machine.token(*flags)


def test_the_environment_or_the_profile_sets_the_number_of_attempts(machine, fake):
    flags = role_on_top_of_the_environment(machine, fake, fake).flags
    fake.sts_behind = None
    fake.sts.respond(500, sts_error("InternalFailure", "later"))
    machine.set(AWS_MAX_ATTEMPTS="1")
    assert machine.run("credentials", *flags).code == "CREDENTIALS_FAILED"
    assert fake.sts.count() == 1
    machine.set(AWS_MAX_ATTEMPTS=None)
    machine.config("[default]\nmax_attempts = 2\n")
    assert machine.run("credentials", *flags).code == "CREDENTIALS_FAILED"
    assert fake.sts.count() == 3


WRONG = {
    "AWS_RETRY_MODE": ("fast", '"fast" is not a retry mode; accepted: legacy, standard, adaptive'),
    "AWS_MAX_ATTEMPTS": ("0", '"0" is not a number; accepted: 1 or more'),
    "AWS_STS_REGIONAL_ENDPOINTS": ("global", '"global" is not a mode; accepted: legacy, regional'),
    "AWS_REGION": (
        "eu west",
        '"eu west" is not a region; accepted: lower-case letters, digits and -, such as eu-central-1',
    ),
}


@pytest.mark.parametrize("variable", WRONG)
def test_an_invalid_value_is_rejected_only_when_it_matters(variable, machine, fake):
    value, problem = WRONG[variable]
    machine.set(**{variable: value})
    machine.credentials(keys_file("default", KEYS))
    assert signed_by(machine.token()) == KEYS.access_key_id
    web_identity(machine, fake, fake)
    run = machine.run("credentials")
    assert (run.code, run.message) == ("CREDENTIALS_FAILED", f"credentials: {variable}: {problem}")
    assert fake.sts.requests == []


IMDS = {
    "AWS_METADATA_SERVICE_TIMEOUT": "0.5",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "x",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5",
}


@pytest.mark.parametrize("variable", IMDS)
def test_an_invalid_imds_setting_is_rejected(variable, machine, fake):
    instance_metadata(machine, fake, fake)
    machine.set(**{variable: IMDS[variable]})
    run = machine.failure()
    assert (run.code, f"credentials: {variable}: " in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.imds_token.requests == []


def test_an_instance_that_exceeds_its_own_timeout_counts_as_a_source_without_keys(machine, fake):
    instance_metadata(machine, fake, fake)
    fake.imds_token.hold()
    machine.set(AWS_METADATA_SERVICE_TIMEOUT="1", AWS_METADATA_SERVICE_NUM_ATTEMPTS="1")
    run = machine.run("credentials", "--credentials-timeout", "60")
    assert (run.code, "instance metadata: " in run.message) == ("CREDENTIALS_NOT_FOUND", True)
    assert fake.imds_token.count() == 1


def test_the_profile_may_set_the_imds_endpoint(machine, fake):
    machine.set(AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_V1_DISABLED="true")
    machine.config(f"[default]\nec2_metadata_service_endpoint = {fake.url}\n")
    assert signed_by(machine.token()) == fake.imds.last().access_key_id


def test_disabled_instance_metadata_is_not_a_source_of_a_role(machine):
    machine.config(
        f"[profile app]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\nregion = {REGION}\n"
    )
    run = machine.failure("--profile", "app")
    assert run.code == "CREDENTIALS_FAILED"
    assert 'profile "app": AWS_EC2_METADATA_DISABLED is set to true' in run.message


def test_a_login_is_found_by_the_exact_start_url(machine, fake):
    machine.set(AWS_ENDPOINT_URL_SSO=fake.url)
    machine.sso_token(START_URL + "#/", fake.sso_access_token)
    account = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
    machine.config(f"[default]\nsso_region = {REGION}\nsso_start_url = {START_URL}#/\n{account}")
    assert signed_by(machine.token()) == fake.sso.last().access_key_id


def test_a_refused_connection_shows_no_secret(machine):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        machine.set(AWS_ENDPOINT_URL_STS=f"http://127.0.0.1:{unused.getsockname()[1]}", AWS_MAX_ATTEMPTS="1")
        machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()), AWS_ROLE_ARN=ROLE)
        run = machine.run("credentials", "--region", REGION)
    assert (run.code, "Connection refused" in run.message) == ("CREDENTIALS_FAILED", True)
