"""Checks `rdsign credentials --json`: every source that was checked, in order."""

import json

from fake_aws import keys_file, long_lived_keys, new_secret, temporary_keys
from sources import ROLE, container


def walk(machine, *flags):
    """Returns the status of the run, the object without the walk, and the walk."""
    run = machine.run("credentials", "--json", *flags)
    told = json.loads(run.output)
    steps = [(step["source"], step["result"], step["reason"]) for step in told.pop("walk")]
    assert (run.code, run.status) == (told["code"], 0 if told["code"] is None else 1), run
    assert run.message == (told["message"] or ""), run
    return told, steps


def test_the_walk_ends_with_the_source_that_is_used_and_those_that_are_not_asked(machine):
    keys = long_lived_keys()
    machine.credentials(keys_file("default", keys))
    machine.config("[default]\ncredential_process = false\n")
    told, steps = walk(machine)
    assert told == {
        "code": None,
        "message": None,
        "source": "credentials file",
        "access_key_id": keys.access_key_id,
        "kind": "long-lived",
        "expires_at": None,
    }
    assert [step[:2] for step in steps] == [
        ("environment", "nothing"),
        ("profile role", "nothing"),
        ("web identity", "nothing"),
        ("SSO", "nothing"),
        ("credentials file", "used"),
        ("credential process", "not-asked"),
    ]
    assert steps[0][2] == "AWS_ACCESS_KEY_ID is not set"
    assert steps[4][2] is None
    assert steps[5][2] == 'profile "default" also has credential_process'


def test_the_walk_to_a_role_has_its_base(machine, fake):
    keys = temporary_keys("env")
    machine.uses_keys(keys)
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    told, steps = walk(machine, "--role-arn", ROLE)
    assert (told["source"], told["kind"]) == ("role", "temporary")
    assert told["expires_at"] == fake.sts.last().expiration
    assert steps == [("environment", "used", None), ("role", "used", None)]
    fake.sts.respond(403)
    told, steps = walk(machine, "--role-arn", ROLE)
    assert steps == [("environment", "used", None), ("role", "failed", told["message"])]


def test_the_walk_ends_at_a_source_that_fails(machine, fake):
    container(machine, fake, fake)
    fake.container.respond(403)
    told, steps = walk(machine)
    assert told["code"] == "CREDENTIALS_FAILED"
    assert [step[:2] for step in steps] == [
        ("environment", "nothing"),
        ("profile", "nothing"),
        ("web identity", "nothing"),
        ("container", "failed"),
    ]
    assert steps[-1][2] == told["message"]
    assert told["source"] is told["access_key_id"] is told["kind"] is None


def test_without_credentials_the_walk_has_every_source(machine):
    told, steps = walk(machine)
    assert told["code"] == "CREDENTIALS_NOT_FOUND"
    assert [step[1] for step in steps] == ["nothing"] * 5
    assert steps[-1] == ("instance metadata", "nothing", "AWS_EC2_METADATA_DISABLED is set to true")
    assert all(f"{source}: {reason}" in told["message"] for source, _, reason in steps)


def test_a_wrong_profile_is_a_step(machine):
    machine.set(AWS_PROFILE="typo")
    told, steps = walk(machine)
    assert steps[0][:2] == ("environment", "nothing")
    assert steps[1:] == [("profile", "failed", told["message"])]


def test_the_walk_shows_no_secret_in_place_of_an_id(machine):
    machine.set(AWS_ACCESS_KEY_ID=new_secret(), AWS_SECRET_ACCESS_KEY="AKIAEXAMPLE000000001")
    told, _ = walk_with_a_warning(machine)
    assert "not shown" in told["access_key_id"]


def walk_with_a_warning(machine):
    run = machine.run("credentials", "--json")
    return json.loads(run.output), run.error
