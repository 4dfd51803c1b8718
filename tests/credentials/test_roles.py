"""Checks roles against moto, an STS that checks signatures, policies and trust."""

import uuid

import pytest
from machine import parameters, signed_by
from sources import keys_file


@pytest.fixture
def name():
    """Returns a unique name."""
    return f"x{uuid.uuid4().hex[:12]}"


@pytest.fixture
def sts(machine, fake, moto):
    """Sets up an STS: the fake records the requests, and moto answers them."""
    machine.set(AWS_ENDPOINT_URL_STS=fake.url, AWS_REGION="eu-central-1")
    fake.sts_behind = moto.url
    return fake.sts


def test_three_roles_are_assumed_in_turn(name, machine, moto, sts, local, login):
    machine.credentials(keys_file("user", moto.user(name)))
    arns = [moto.role(f"{name}-{n}") for n in (1, 2, 3)]
    sections = [
        f"[profile r{n}]\nrole_arn = {arn}\nsource_profile = {'user' if n == 1 else f'r{n - 1}'}\n"
        f"role_session_name = session-{n}\n"
        for n, arn in enumerate(arns, 1)
    ]
    machine.config("\n".join(reversed(sections)))
    machine.set(AWS_REGION=local.settings["region"])
    with moto.strict():
        token = machine.token("--profile", "r3", "--port", local.port, hostname=local.host)
    assert [request.form["RoleArn"] for request in sts.requests] == arns
    user, first, second = (request.signed_by for request in sts.requests)
    assert user.startswith("AKIA")
    assert [first, second, signed_by(token)] == [keys.access_key_id for keys in sts.handed_out]
    assert moto.caller(sts.last()).endswith(f":assumed-role/{name}-3/session-3")
    login(token, sts.last())


def test_a_chain_breaks_where_trust_does(name, machine, moto, sts):
    machine.credentials(keys_file("user", moto.user(name)))
    trusted, closed = (
        moto.role(f"{name}-1"),
        moto.role(f"{name}-2", trusted="arn:aws:iam::123456789012:user/other"),
    )
    first = f"[profile r1]\nrole_arn = {trusted}\nsource_profile = user\n"
    second = f"[profile r2]\nrole_arn = {closed}\nsource_profile = r1\n"
    machine.config(first + second)
    with moto.strict():
        machine.token("--profile", "r1")
        run = machine.failure("--profile", "r2")
    assert (run.code, "AccessDenied" in run.message) == ("CREDENTIALS_FAILED", True), run
    assert "sts:AssumeRole" in run.message


def test_a_user_without_permission_is_denied(name, machine, moto, sts):
    role = moto.role(name)
    machine.uses_keys(moto.user(name, allowed=False))
    with moto.strict():
        run = machine.failure("--role-arn", role)
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert (
        role in run.message
        and "AccessDenied" in run.message
        and f"user/{name} is not authorized" in run.message
    )
    machine.uses_keys(moto.user(f"{name}-allowed"))
    with moto.strict():
        assert signed_by(machine.token("--role-arn", role)) == sts.last().access_key_id


def test_unknown_keys_are_reported_with_sts_s_answer(name, machine, moto, sts):
    machine.set(AWS_ACCESS_KEY_ID="AKIASTRANGER", AWS_SECRET_ACCESS_KEY="x" * 40)
    role = moto.role(name)
    with moto.strict():
        run = machine.failure("--role-arn", role)
    assert (run.code, "InvalidClientTokenId" in run.message) == ("CREDENTIALS_FAILED", True)


def test_a_wrong_secret_is_reported_with_sts_s_answer(name, machine, moto, sts):
    keys, role = moto.user(name), moto.role(name)
    machine.uses_keys(keys)
    machine.set(AWS_SECRET_ACCESS_KEY="x" * 40)
    with moto.strict():
        run = machine.failure("--role-arn", role)
        assert (run.code, "SignatureDoesNotMatch" in run.message) == ("CREDENTIALS_FAILED", True)
        machine.uses_keys(keys)
        machine.token("--role-arn", role)


def test_a_role_that_requires_an_external_id_needs_it(name, machine, moto, sts):
    machine.uses_keys(moto.user(name))
    role = moto.role(name, condition={"sts:ExternalId": "team-7@example.com:1"})
    with moto.strict():
        run = machine.failure("--role-arn", role, "--external-id", "another")
        assert (run.code, "AccessDenied" in run.message) == ("CREDENTIALS_FAILED", True)
        machine.token("--role-arn", role, "--external-id", "team-7@example.com:1")
    assert sts.requests[-1].form["ExternalId"] == "team-7@example.com:1"


def test_the_external_id_of_a_profile_is_sent(name, machine, moto, sts):
    machine.credentials(keys_file("user", moto.user(name)))
    role = moto.role(name, condition={"sts:ExternalId": "42"})
    machine.config(f"[profile app]\nrole_arn = {role}\nsource_profile = user\nexternal_id = 42\n")
    with moto.strict():
        machine.token("--profile", "app")


@pytest.mark.parametrize(
    "flags, session", [((), "rdsign"), (("--role-session-name", "alice@example"), "alice@example")]
)
def test_the_session_has_the_given_name(flags, session, name, machine, moto, sts):
    machine.uses_keys(moto.user(name))
    machine.found("--role-arn", moto.role(name), *flags)
    assert moto.caller(sts.last()).endswith(f":assumed-role/{name}/{session}")


def test_a_rejected_session_name_is_reported_with_sts_s_answer(name, machine, moto, sts):
    machine.uses_keys(moto.user(name))
    run = machine.failure("--role-arn", moto.role(name), "--role-session-name", "x" * 65)
    assert (run.code, "roleSessionName" in run.message) == ("CREDENTIALS_FAILED", True)


def test_a_role_on_top_of_temporary_keys_sends_their_session_token(name, machine, moto, sts):
    machine.credentials(keys_file("user", moto.user(name)))
    first, second = moto.role(f"{name}-1"), moto.role(f"{name}-2")
    machine.config(f"[profile r1]\nrole_arn = {first}\nsource_profile = user\n")
    with moto.strict():
        token = machine.token("--profile", "r1", "--role-arn", second)
    base, top = sts.handed_out
    assert sts.requests[-1].headers["x-amz-security-token"] == base.session_token
    assert parameters(token)["X-Amz-Security-Token"] == top.session_token
