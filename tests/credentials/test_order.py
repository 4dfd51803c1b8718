"""The chain's order is the AWS SDKs': of any two sources the earlier wins, and the later one is not
even asked. A search that ends with nothing says why each source had none."""

from itertools import combinations

import pytest

from fake_aws import keys_file, long_lived_keys, new_secret
from machine import signed_by
from sources import ROLE


def environment(machine, fake):
    keys = long_lived_keys("env")
    machine.uses_keys(keys)
    return lambda: keys


def profile(machine, fake):
    keys = long_lived_keys("file")
    machine.credentials(keys_file("default", keys))
    return lambda: keys


def web_identity(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url, AWS_ROLE_ARN=ROLE)
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()))
    return fake.sts.last


def container(machine, fake):
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    return fake.container.last


def instance_metadata(machine, fake):
    machine.uses_imds(fake.url)
    return fake.imds.last


ORDER = [environment, profile, web_identity, container, instance_metadata]
ROUTES = {"web_identity": "sts", "container": "container", "instance_metadata": "imds_token"}


@pytest.mark.parametrize("first, second", list(combinations(ORDER, 2)), ids=lambda source: source.__name__)
def test_the_earlier_source_wins(first, second, machine, fake):
    # Set up the other way round: the order is not that of appearance.
    second(machine, fake)
    keys = first(machine, fake)
    told = machine.found()
    assert told["source"] == first.__name__.replace("_", " ")
    assert told["access key id"].startswith(keys().access_key_id)
    assert len(told["tried before"]) == ORDER.index(first)
    assert signed_by(machine.token()) == keys().access_key_id
    asked = [route.name for route in fake.routes.values() if route.requests]
    assert ROUTES.get(second.__name__) not in asked


def test_nothing_found_lists_all_five_sources_with_reasons(machine):
    run = machine.failure()
    assert (run.status, run.code) == (1, "CREDENTIALS_NOT_FOUND")
    assert run.message == (
        "no credentials found."
        " environment: AWS_ACCESS_KEY_ID is not set."
        " profile: has none."
        " web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set."
        " container: ECS provider not configured."
        " instance metadata: AWS_EC2_METADATA_DISABLED is set to true."
    )


def test_what_is_half_there_is_said(machine, fake):
    machine.set(AWS_ACCESS_KEY_ID="AKIAHALF")
    machine.config("[profile here]\nregion = eu-west-1\n")
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()), AWS_PROFILE="gone")
    machine.uses_imds(fake.url)
    fake.imds_role.respond(404)
    run = machine.failure()
    assert run.code == "CREDENTIALS_NOT_FOUND"
    for reason in [
        "environment: AWS_SECRET_ACCESS_KEY is not set.",
        "profile: profile `gone` was not defined",
        "web identity: AWS_ROLE_ARN environment variable must be set.",
        "instance metadata: the instance has no role.",
    ]:
        assert reason in run.message


def test_a_metadata_service_that_is_not_there_is_a_source_without_keys(machine, fake):
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


def test_a_profile_by_name_is_asked_alone(machine, fake):
    environment(machine, fake)
    instance_metadata(machine, fake)
    machine.config("[profile empty]\nregion = eu-west-1\n")
    run = machine.failure("--profile", "empty")
    assert (run.code, 'profile "empty"' in run.message) == ("CREDENTIALS_FAILED", True)
    assert fake.imds_token.requests == []
    keys = long_lived_keys("file")
    machine.credentials(keys_file("empty", keys))
    assert signed_by(machine.token("--profile", "empty")) == keys.access_key_id
