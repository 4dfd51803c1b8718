"""Checks that rdsign finds the keys of every source, and that RDS accepts their token."""

import json
import resource
import subprocess

import pytest
from common import PATIENCE
from fake_aws import keys_file, long_lived_keys, new_secret, temporary_keys
from machine import HOSTNAME, RDSIGN, parameters, signed_by
from sources import (
    ROLE,
    alone,
    container,
    container_with_an_authorization,
    container_with_an_authorization_file,
    credential_process,
    environment,
    environment_with_a_session_token,
    instance_metadata,
    process_output,
    profile_in_the_config_file,
    profile_in_the_credentials_file,
    profile_named_by_the_environment,
    profile_with_a_session_token,
    role_on_top_of_a_profile,
    role_on_top_of_the_environment,
    role_on_top_of_the_instance,
    role_with_credential_source_container,
    role_with_credential_source_environment,
    role_with_credential_source_instance,
    role_with_source_profile,
    sso_session,
    sso_start_url,
    web_identity,
    web_identity_in_a_profile,
)

SOURCES = [
    environment,
    environment_with_a_session_token,
    profile_in_the_credentials_file,
    profile_in_the_config_file,
    profile_named_by_the_environment,
    profile_with_a_session_token,
    credential_process,
    role_with_source_profile,
    role_with_credential_source_environment,
    role_with_credential_source_container,
    role_with_credential_source_instance,
    web_identity_in_a_profile,
    sso_session,
    sso_start_url,
    web_identity,
    container,
    container_with_an_authorization,
    container_with_an_authorization_file,
    instance_metadata,
    role_on_top_of_the_environment,
    role_on_top_of_a_profile,
    role_on_top_of_the_instance,
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_a_source_s_token_logs_in(source, machine, fake, moto, local, login):
    case = source(machine, fake, moto)

    told = machine.found(*case.flags)
    keys = case.keys()
    kind = "temporary" if keys.session_token else "long-lived"
    assert told["source"] == case.source
    assert told["access key id"] == f"{keys.access_key_id} ({kind})"
    assert told["expires at"] == (keys.expiration or "unknown: the source does not say")

    machine.set(AWS_REGION=local.settings["region"])
    flags = [flag for flag in case.flags if flag not in ("--region", "eu-central-1")]
    token = machine.token(*flags, "--port", local.port, hostname=local.host)
    keys = case.keys()
    assert signed_by(token) == keys.access_key_id
    assert parameters(token).get("X-Amz-Security-Token") == keys.session_token
    login(token, keys)


def test_a_role_lists_the_sources_tried_before_its_base(machine, fake):
    role_on_top_of_the_environment(machine, fake, fake)
    fake.sts_behind = None
    assert machine.found("--role-arn", ROLE, "--region", "eu-central-1")["tried before"] == []
    machine.set(AWS_ACCESS_KEY_ID=None)
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    tried = machine.found("--role-arn", ROLE, "--region", "eu-central-1")["tried before"]
    assert [line.split(":")[0] for line in tried] == ["environment", "profile", "web identity"]


def test_imdsv2_gets_its_session_token(machine, fake):
    machine.uses_imds(fake.url)
    machine.token()
    counts = [route.count() for route in (fake.imds_token, fake.imds_role, fake.imds)]
    assert counts == [1, 1, 1]
    assert fake.imds.requests[0].headers["x-aws-ec2-metadata-token"] == fake.imds_session


def test_a_web_identity_sends_its_token_and_the_session_s_name(machine, fake):
    token = new_secret()
    machine.set(AWS_ENDPOINT_URL_STS=fake.url, AWS_ROLE_SESSION_NAME="pod-7")
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", token), AWS_ROLE_ARN=ROLE)
    machine.token()
    request = fake.sts.requests[0]
    assert request.form["Action"] == "AssumeRoleWithWebIdentity"
    assert request.form["WebIdentityToken"] == token
    assert (request.form["RoleArn"], request.form["RoleSessionName"]) == (ROLE, "pod-7")
    assert request.signed_by is None


def test_sso_requests_the_profile_s_account_and_role(machine, fake):
    sso_session(machine, fake, None)
    machine.token()
    assert fake.sso.requests[0].query == {"account_id": "123456789012", "role_name": "Developer"}


def test_an_expired_sso_login_is_renewed(machine, fake):
    sso_session(machine, fake, None)
    machine.set(AWS_ENDPOINT_URL_SSO_OIDC=fake.url)
    client = {"clientId": "rdsign-tests", "clientSecret": new_secret(), "refreshToken": new_secret()}
    client["registrationExpiresAt"] = "2099-01-01T00:00:00Z"
    machine.sso_token("corp", new_secret(), "2020-01-01T00:00:00Z", **client)
    assert signed_by(machine.token()) == fake.sso.last().access_key_id
    assert json.loads(fake.sso_oidc.requests[0].body)["refreshToken"] == client["refreshToken"]


def test_a_profile_may_set_endpoints(machine, fake):
    machine.credentials(keys_file("base", long_lived_keys()))
    services = f"[services tests]\nsts =\n  endpoint_url = {fake.url}\n"
    app = f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\nservices = tests\n"
    machine.config(app + services)
    assert signed_by(machine.token("--profile", "app")) == fake.sts.last().access_key_id


def test_the_token_has_the_endpoint_s_region_and_not_the_environment_s(machine):
    machine.uses_keys(long_lived_keys("env"))
    machine.set(AWS_REGION="us-west-2")
    assert "eu-central-1" in HOSTNAME
    assert parameters(machine.token())["X-Amz-Credential"].split("/")[2] == "eu-central-1"


def test_a_process_does_not_read_the_input_of_the_program(machine, fake):
    output = machine.file("output", process_output(temporary_keys("process")))
    machine.config(f"[default]\ncredential_process = cat >&2; cat {output}\n")
    machine.set(AWS_REGION="eu-central-1")
    command = [RDSIGN, "exec", "--hostname", HOSTNAME, "--username", "iam_user", "--", "cat"]
    options = {"env": machine.environment, "text": True, "capture_output": True, "timeout": PATIENCE}
    done = subprocess.run(command, input="select 1", **options)
    assert (done.returncode, done.stdout) == (0, "select 1"), done.stderr


@pytest.mark.parametrize(
    "source", [profile_in_the_credentials_file, container, instance_metadata, web_identity]
)
def test_a_thread_with_a_small_stack_gets_a_token(source, tmp_path, fake):
    # musl's default, of which a fetch needs more.
    machine, _ = alone(source, tmp_path, fake)
    with machine.probe() as probe:
        assert "token" in probe.ask("small")


def test_a_main_thread_with_a_small_stack_gets_a_token(tmp_path, fake):
    machine, _ = alone(container, tmp_path, fake)
    with machine.probe() as probe:
        # As after `ulimit -s`: the stack of a running program cannot grow beyond it, either.
        resource.prlimit(probe.process.pid, resource.RLIMIT_STACK, (192 << 10, resource.RLIM_INFINITY))
        assert "token" in probe.ask("token")
