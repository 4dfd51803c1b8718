"""Checks that the chain has the AWS CLI's order: the earlier of two sources wins, and the later one is not
called. If no source has keys, the error says why for each."""

from itertools import combinations

import pytest
from fake_aws import keys_file, long_lived_keys, new_secret, temporary_keys
from machine import signed_by
from sources import ROLE, START_URL, process_output


def environment(machine, fake):
    keys = long_lived_keys("env")
    machine.uses_keys(keys)
    return lambda: keys


def profile_role(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    add(machine, "credentials", keys_file("base", long_lived_keys("base")), "base")
    add(machine, "config", f"role_arn = {ROLE}\nsource_profile = base\nregion = eu-west-1\n")
    return fake.sts.last


def web_identity(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url, AWS_ROLE_ARN=ROLE)
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()))
    return fake.sts.last


def sso(machine, fake):
    machine.set(AWS_ENDPOINT_URL_SSO=fake.url)
    machine.sso_token(START_URL, fake.sso_access_token)
    portal = f"sso_region = eu-west-1\nsso_start_url = {START_URL}\n"
    add(machine, "config", f"{portal}sso_account_id = 123456789012\nsso_role_name = Developer\n")
    return fake.sso.last


def credentials_file(machine, fake):
    keys = long_lived_keys("file")
    add(machine, "credentials", keys_file("default", keys).partition("\n")[2])
    return lambda: keys


def credential_process(machine, fake):
    keys = temporary_keys("process")
    output = machine.file("output", process_output(keys))
    add(machine, "config", f"credential_process = cat {output}\n")
    return lambda: keys


def config_file(machine, fake):
    keys = long_lived_keys("config")
    add(machine, "config", keys_file("default", keys).partition("\n")[2])
    return lambda: keys


def container(machine, fake):
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    return fake.container.last


def instance_metadata(machine, fake):
    machine.uses_imds(fake.url)
    return fake.imds.last


def add(machine, file, text, section="default"):
    """Adds settings to a section of a file, by default to the profile `default`."""
    path = machine.folder / file
    before = path.read_text() if path.exists() else "[default]\n"
    path.write_text(before + text if section == "default" else text + before)


ORDER = [
    environment,
    profile_role,
    web_identity,
    sso,
    credentials_file,
    credential_process,
    config_file,
    container,
    instance_metadata,
]
ROUTES = {
    "profile_role": "sts",
    "web_identity": "sts",
    "sso": "sso",
    "container": "container",
    "instance_metadata": "imds_token",
}
NAMES = [
    "environment",
    "profile role",
    "web identity",
    "SSO",
    "credentials file",
    "login session",
    "credential process",
    "config file",
    "container",
    "instance metadata",
]


@pytest.mark.parametrize("first, second", list(combinations(ORDER, 2)), ids=lambda source: source.__name__)
def test_the_earlier_source_wins(first, second, machine, fake):
    # Sets up the second one first, so that the order in the file does not decide.
    machine.config("[default]\n")
    second(machine, fake)
    keys = first(machine, fake)
    told = machine.found()
    name = {"sso": "SSO"}.get(first.__name__, first.__name__.replace("_", " "))
    assert told["source"] == name
    assert told["access key id"].startswith(keys().access_key_id)
    assert [tried.partition(":")[0] for tried in told["tried before"]] == NAMES[: NAMES.index(name)]
    assert signed_by(machine.token()) == keys().access_key_id
    asked = {route.name for route in fake.routes.values() if route.requests}
    assert ROUTES.get(second.__name__) not in asked - {ROUTES.get(first.__name__)}


def test_unused_sources_of_the_profile_are_listed(machine, fake):
    keys = credentials_file(machine, fake)
    credential_process(machine, fake)
    told = machine.found()
    assert told["access key id"].startswith(keys().access_key_id)
    assert told["not used"] == ['credential process: profile "default" also has credential_process']


def test_an_empty_chain_lists_all_sources_with_reasons(machine):
    machine.config("[default]\nregion = eu-west-1\n")
    run = machine.failure()
    assert (run.status, run.code) == (1, "CREDENTIALS_NOT_FOUND")
    assert run.message == (
        "no credentials found."
        " environment: AWS_ACCESS_KEY_ID is not set."
        ' profile role: profile "default" has no role_arn.'
        " web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set,"
        ' and profile "default" has no web_identity_token_file.'
        ' SSO: profile "default" has no sso_account_id and no sso_role_name.'
        ' credentials file: profile "default" has no keys.'
        ' login session: profile "default" has no login_session.'
        ' credential process: profile "default" has no credential_process.'
        ' config file: profile "default" has no keys.'
        " container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
        " nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set."
        " instance metadata: AWS_EC2_METADATA_DISABLED is set to true."
    )


def test_an_empty_chain_names_the_missing_files(machine):
    run = machine.failure()
    assert run.code == "CREDENTIALS_NOT_FOUND"
    reason = f'profile: there is no profile "default" ({machine.folder}/config does not exist; '
    assert reason + f"{machine.folder}/credentials does not exist)." in run.message


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_missing_profile_named_by_a_variable_is_an_error(variable, machine, fake):
    instance_metadata(machine, fake)
    machine.config("[default]\n[profile here]\nregion = eu-west-1\n")
    machine.set(**{variable: "gone"})
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    expected = 'credentials: profile "gone": not found; '
    expected += f'{machine.folder}/config has the profiles "default", "here"; '
    assert run.message == expected + f"{machine.folder}/credentials does not exist"
    assert fake.imds_token.requests == []
    machine.set(**{variable: "here"})
    assert machine.found()["source"] == "instance metadata"


def test_aws_profile_comes_before_aws_default_profile(machine):
    one, other = long_lived_keys("one"), long_lived_keys("other")
    machine.credentials(keys_file("one", one) + keys_file("other", other))
    machine.set(AWS_DEFAULT_PROFILE="other")
    assert signed_by(machine.token()) == other.access_key_id
    machine.set(AWS_PROFILE="one")
    assert signed_by(machine.token()) == one.access_key_id


def test_a_web_identity_may_combine_the_environment_and_the_profile(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.config(f"[default]\nregion = eu-west-1\nrole_arn = {ROLE}\nweb_identity_token_file = /gone\n")
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()))
    assert machine.found()["source"] == "web identity"
    assert fake.sts.requests[0].form["RoleArn"] == ROLE


def test_a_key_id_without_a_secret_in_the_environment_is_an_error(machine, fake):
    credentials_file(machine, fake)
    for value in (None, ""):
        machine.set(AWS_ACCESS_KEY_ID="AKIAHALF", AWS_SECRET_ACCESS_KEY=value)
        run = machine.failure()
        assert (run.code, "AWS_SECRET_ACCESS_KEY is not" in run.message) == ("CREDENTIALS_FAILED", True)
    machine.set(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=new_secret())
    assert machine.found()["source"] == "credentials file"


def test_a_web_identity_without_a_role_is_an_error(machine, fake):
    machine.uses_imds(fake.url)
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()))
    run = machine.failure()
    assert (run.code, "AWS_ROLE_ARN is not set" in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.imds_token.requests == []


def test_an_instance_without_a_role_counts_as_a_source_without_keys(machine, fake):
    machine.uses_imds(fake.url)
    fake.imds_role.respond(404)
    run = machine.failure()
    assert (run.code, "instance metadata: the instance has no role." in run.message) == (
        "CREDENTIALS_NOT_FOUND",
        True,
    )


@pytest.mark.parametrize("route", ["imds_token", "imds_role"])
def test_a_disabled_metadata_service_counts_as_a_source_without_keys(route, machine, fake):
    machine.uses_imds(fake.url)
    fake.routes[route].respond(403, new_secret())
    run = machine.failure()
    assert run.code == "CREDENTIALS_NOT_FOUND"
    assert "environment: " in run.message and "instance metadata: " in run.message
    assert "forbidden" in run.message


def test_a_missing_metadata_service_counts_as_a_source_without_keys(machine, fake):
    fake.close()
    machine.uses_imds(fake.url)
    run = machine.failure()
    assert run.code == "CREDENTIALS_NOT_FOUND"
    assert "instance metadata: failed to load IMDS session token" in run.message
    assert "Connection refused" in run.message


def test_an_empty_variable_counts_as_unset(machine, fake):
    machine.set(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    keys = container(machine, fake)
    told = machine.found()
    assert told["tried before"][0] == "environment: AWS_ACCESS_KEY_ID is not set"
    assert told["access key id"].startswith(keys().access_key_id)


def test_a_source_that_fails_ends_the_search(machine, fake):
    web_identity(machine, fake)
    instance_metadata(machine, fake)
    fake.sts.respond(403)
    assert machine.failure().code == "CREDENTIALS_FAILED"
    assert fake.imds_token.requests == []
    fake.sts.release()
    assert machine.found()["source"] == "web identity"


def test_a_profile_named_by_a_flag_is_the_only_source(machine, fake):
    environment(machine, fake)
    instance_metadata(machine, fake)
    machine.config("[profile empty]\nregion = eu-west-1\n")
    web_identity(machine, fake)
    run = machine.failure("--profile", "empty")
    assert (run.code, 'profile "empty": no credentials' in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.sts.requests == []
    assert fake.imds_token.requests == []
    keys = long_lived_keys("file")
    machine.credentials(keys_file("empty", keys))
    assert signed_by(machine.token("--profile", "empty")) == keys.access_key_id
