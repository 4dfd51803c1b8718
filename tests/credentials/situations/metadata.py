"""Metadata services: the endpoint of a container, and instance metadata."""

import json

from fake_aws import Answer

from situations.purposes import EXPIRED
from situations.situation import Situation, key_id, secret, set_or_not, variables

FUTURE = "2099-01-01T00:00:00Z"
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
WORKS = {FULL: "@FAKE@/container/credentials"}
INSTANCE = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@FAKE@"}


def situations():
    yield from containers()
    yield from instances()
    yield from versions()


def answered(name: str, **more: object) -> Answer:
    keys = {
        "AccessKeyId": key_id(name),
        "SecretAccessKey": secret(name),
        "Token": "t",
        "Expiration": FUTURE,
    } | more
    return Answer(200, json.dumps({k: v for k, v in keys.items() if v is not None}))


def containers():
    choices = {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": (None, "", "Basic eA=="),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": (None, "", "@HOME@/token", "@HOME@/gone"),
    }
    for name, environment in set_or_not(**choices):
        token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            token = "Bearer x"
        aws = {"": {"container_authorization": token or None}}
        yield Situation(f"container: {name}", {"token": "Bearer x"}, WORKS | environment, aws=aws)
    yield Situation("container: a token with a newline", {"token": "Bearer x\n"}, WORKS
                    | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@HOME@/token"}, aws={"": {"container_authorization": "Bearer x"}})  # fmt: skip
    yield Situation("container: an empty relative address", {}, WORKS | {RELATIVE: ""})
    yield Situation("container: an empty full address", {}, {FULL: ""})
    for address in ("http://192.0.2.1/keys", "an address", "ftp://127.0.0.1/", "http://example.com/keys"):
        yield Situation(f"container: {address}", {}, {FULL: address})
    many = {"a session token": {}, "no token": {"Token": None}, "no end": {"Expiration": None}, "no id": {"AccessKeyId": None},
            "an account": {"AccountId": "1"}, "an expiry with +00:00": {"Expiration": "2099-01-01T00:00:00+00:00"},
            "an expiry with a fraction": {"Expiration": "2099-01-01T00:00:00.123Z"}, "an expiry without a time zone": {"Expiration": "2099-01-01T00:00:00"},
            "an expiry in the past": {"Expiration": "2001-01-01T00:00:00Z"}, "an empty token": {"Token": ""}}  # fmt: skip
    for name, more in many.items():
        yield Situation(
            f"container answers with {name}",
            {},
            WORKS,
            aws={"container": {"answer": answered("container", **more)}},
        )
    for status in (400, 403, 404):
        refusal = Answer(status, json.dumps({"Code": "AccessDeniedException", "Message": "no"}))
        yield Situation(f"container answers {status}", {}, WORKS, aws={"container": {"answer": refusal}})


def instances():
    yield Situation("instance", {}, INSTANCE)
    for value in ("true", "True", "TRUE", "false", "1", "yes", ""):
        yield Situation(
            f"instance, AWS_EC2_METADATA_DISABLED={value}",
            {},
            INSTANCE | {"AWS_EC2_METADATA_DISABLED": value},
        )
    for value in ("@FAKE@/", "", "127.0.0.1:1338", "http://", "not an address"):
        disabled = {"AWS_EC2_METADATA_DISABLED": "true"} if value == "" else {}
        yield Situation(
            f"instance at {value!r}", {}, INSTANCE | disabled | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": value}
        )
    many = {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": ("IPv4", "ipv6", "IPV6", "x", ""), "AWS_EC2_METADATA_V1_DISABLED": ("true", "false", "x", ""),
            "AWS_METADATA_SERVICE_TIMEOUT": ("10", "0", "-1", "0.5", "x", ""), "AWS_METADATA_SERVICE_NUM_ATTEMPTS": ("3", "0", "-1", "x", "")}  # fmt: skip
    for name, value in ((one, value) for one in many for value in many[one]):
        yield Situation(f"instance, {name}={value}", {}, INSTANCE | {name: value})
    for route in ("imds_token", "imds_role", "imds"):
        for status in (400, 403, 404, 405):
            yield Situation(
                f"instance, {route} answers {status}", {}, INSTANCE, aws={route: {"answer": Answer(status)}}
            )
    for text in ("", "two\nlines", "<html>"):
        yield Situation(
            f"instance, the role is {text!r}", {}, INSTANCE, aws={"imds_role": {"answer": Answer(200, text)}}
        )
    many = {"no end": {"Expiration": None}, "no token": {"Token": None}, "a failure": {"Code": "Failed", "AccessKeyId": None},
            "an expiry without a time zone": {"Expiration": "2099-01-01T00:00:00"}, "more": {"Code": "Success", "Type": "AWS-HMAC"}}  # fmt: skip
    for name, more in many.items():
        yield Situation(
            f"instance answers with {name}",
            {},
            INSTANCE,
            aws={"imds": {"answer": answered("instance", **more)}},
        )
    passed = Situation("instance, expired keys", {}, INSTANCE, aws={"imds": {"lifetime": -60}})
    yield passed.but(EXPIRED, "CREDENTIALS_EXPIRED")
    yield Situation("instance with keys in the environment", {}, INSTANCE | variables("env"))


def versions():
    """Yields an instance that has only version 1 of the service."""
    for status in (403, 404, 405):
        aws = {"": {"imds_has_version_1": True}, "imds_token": {"answer": Answer(status)}}
        yield Situation(f"instance, version 1 alone, {status}", {}, INSTANCE, aws=aws)
        yield Situation(
            f"instance, version 1 alone and switched off, {status}",
            {},
            INSTANCE | {"AWS_EC2_METADATA_V1_DISABLED": "true"},
            aws=aws,
        )
