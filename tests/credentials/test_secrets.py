"""Checks that no failure shows a secret. The tests make every secret themselves, and `Machine.run` looks
for all of them in everything that rdsign prints, including its log."""

import json
from urllib.parse import quote

import pytest
from fake_aws import keys_file, new_secret, temporary_keys
from fake_proxy import FakeProxy
from machine import HOSTNAME, shows_a_secret
from sources import ROLE, START_URL, process_output

NO_SCHEME = "aws.example:8443"


# Each function sets up a source whose secrets are all known, and returns the flags that select it.


def role(machine):
    machine.uses_keys(temporary_keys("env"))
    return ("--role-arn", ROLE, "--external-id", new_secret(), "--region", "eu-central-1")


def role_of_a_profile(machine):
    machine.credentials(keys_file("base", temporary_keys("file")))
    secrets = f"external_id = {new_secret()}\nsource_profile = base\n"
    machine.config(f"[profile app]\nrole_arn = {ROLE}\n{secrets}region = eu-central-1\n")
    return ("--profile", "app")


def role_of_a_process(machine):
    output = machine.file("output", process_output(temporary_keys("process")))
    process = f"[profile base]\ncredential_process = cat {output} # {new_secret()}\n"
    machine.config(
        f"{process}[profile app]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-central-1\n"
    )
    return ("--profile", "app")


def web_identity(machine):
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret(300)), AWS_ROLE_ARN=ROLE)
    return ("--region", "eu-central-1")


def sso(machine):
    account = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
    session = f"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\n"
    machine.config(f"[profile dev]\nsso_session = corp\n{account}{session}")
    machine.sso_token("corp", new_secret())
    return ("--profile", "dev")


def sso_that_is_renewed(machine):
    flags = sso(machine)
    client = {"clientId": "tests", "clientSecret": new_secret(), "refreshToken": new_secret()}
    client["registrationExpiresAt"] = "2099-01-01T00:00:00Z"
    machine.sso_token("corp", new_secret(), "2020-01-01T00:00:00Z", **client)
    return flags


def container(machine):
    machine.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=new_secret())
    return ()


def instance(machine):
    machine.set(AWS_EC2_METADATA_DISABLED=None)
    return ()


SOURCES = [
    role,
    role_of_a_profile,
    role_of_a_process,
    web_identity,
    sso,
    sso_that_is_renewed,
    container,
    instance,
]
ENDPOINTS = ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]


def at(machine, url):
    """Points all endpoints to this URL, and the container to a path of it."""
    machine.set(**dict.fromkeys(ENDPOINTS, url))
    if "AWS_CONTAINER_AUTHORIZATION_TOKEN" in machine.environment:
        machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{url}/container/credentials")
    else:
        machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=None)


# Each function makes the machine's sources fail.


def an_address_without_a_scheme(machine, fake):
    at(machine, NO_SCHEME)


def an_invalid_address(machine, fake):
    at(machine, "http://[::1")


def nobody_there(machine, fake):
    with FakeProxy() as gone:
        at(machine, f"http://{gone.host}")


def tls_to_a_plain_server(machine, fake):
    at(machine, fake.url.replace("http:", "https:"))


def a_proxy_that_refuses(machine, fake):
    at(machine, f"https://{NO_SCHEME}")
    machine.set(HTTPS_PROXY=f"http://user:{quote(new_secret(), safe='')}@{fake.url.removeprefix('http://')}")


def a_proxy_of_another_kind(machine, fake):
    at(machine, f"https://{NO_SCHEME}")
    machine.set(HTTPS_PROXY=f"socks5h://{new_secret()}:{new_secret()}@proxy.example:1080")


def an_invalid_proxy(machine, fake):
    at(machine, f"https://{NO_SCHEME}")
    machine.set(HTTPS_PROXY=f"http://user:{new_secret()}@a proxy")


def all_routes(status, body):
    def fail(machine, fake):
        at(machine, fake.url)
        for route in fake.routes.values():
            route.respond(status, body)

    return fail


KEYS = [new_secret(), new_secret()]
ANSWERS = {
    "403 with words": (403, " ".join(KEYS)),
    "400 with JSON": (400, json.dumps({"SecretAccessKey": KEYS[0], "Token": KEYS})),
    "200 with half the JSON": (200, json.dumps({"roleCredentials": {"secretAccessKey": KEYS[0]}})[:-1]),
    "200 with other JSON": (200, json.dumps({"AccessKeyId": KEYS, "SecretAccessKey": {"a": KEYS[0]}})),
    "200 with XML": (200, f"<a><SecretAccessKey>{KEYS[0]}</SecretAccessKey><{KEYS[1][:3]}></a>"),
}
FAILURES = [
    an_address_without_a_scheme,
    an_invalid_address,
    nobody_there,
    tls_to_a_plain_server,
    a_proxy_that_refuses,
    a_proxy_of_another_kind,
    an_invalid_proxy,
    *[all_routes(*answer) for answer in ANSWERS.values()],
]
NAMES = [failure.__name__ for failure in FAILURES[: -len(ANSWERS)]] + list(ANSWERS)


@pytest.mark.parametrize("failure", FAILURES, ids=NAMES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_no_failure_shows_a_secret(source, failure, machine, fake):
    machine.set(RUST_LOG="trace", RUST_BACKTRACE="full", AWS_MAX_ATTEMPTS="1")
    flags = source(machine)
    failure(machine, fake)
    for command in [("credentials",), ("token", "--hostname", HOSTNAME, "--username", "u")]:
        run = machine.run(*command, *flags)
        assert run.status != 0 and run.code, run
        assert run.error.count("\n") == 1, run
        assert not any(rust in run.error for rust in ("Request {", "Response {", "panicked")), run
    fake.strays.clear()


def test_the_search_for_secrets_finds_them():
    assert shows_a_secret(f"a {KEYS[0]} b") and shows_a_secret(quote(KEYS[1], safe=""))
