"""Roles: source_profile, credential_source, chains of roles, and a role given by a flag."""

from itertools import product

from fake_aws import Answer, sts_error

from situations.login import LOGIN_FILES, LOGIN_PROFILE
from situations.processes import printed, running
from situations.situation import (
    CONFIG,
    CREDENTIALS,
    ROLE,
    Situation,
    key_id,
    keys,
    secret,
    section,
    variables,
)
from situations.sso import SESSION, SSO_FILES, SSO_PROFILE

REGION = "region = eu-west-1"
FROM_BASE = (f"role_arn = {ROLE}", "source_profile = base")
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@FAKE@/container/credentials"}
INSTANCE = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@FAKE@"}
DENIED = Answer(403, sts_error("AccessDenied", "no"))


def situations():
    yield from settings()
    yield from places()
    yield from sources()
    yield from credential_sources()
    yield from links()
    yield from on_top()


def app(*lines: str, base: str = "", more: str = "") -> dict[str, str]:
    """Returns a config file with these lines in the default profile, and a profile with keys."""
    return {CONFIG: section("default", REGION, *lines) + section("profile base", base or keys("base")) + more}


def settings():
    """Yields other settings of a role's profile."""
    many = [
        "role_session_name = jane@example.com",
        "role_session_name = jane doe",
        "role_session_name =",
        "role_session_name = x",
    ]
    many += [
        "external_id = 42",
        "external_id = a b",
        "external_id =",
        "external_id = 'quoted'",
        "external_id = a # b",
        "external_id = x;y",
    ]
    many += [
        "duration_seconds = 3600",
        "duration_seconds = 5",
        "duration_seconds = soon",
        "mfa_serial = arn:aws:iam::1:mfa/jane",
        "mfa_serial =",
    ]
    many += [
        "region = us-west-2",
        "sts_regional_endpoints = legacy",
        "sts_regional_endpoints = regional",
        "unknown = x",
    ]
    for line in many:
        yield Situation(f"also {line}", app(*FROM_BASE, line))
    both = app(*FROM_BASE, "external_id = 42", "role_session_name = jane")
    yield Situation("an external id and a session name", both)
    yield Situation(
        "the region of the source",
        {CONFIG: section("default", *FROM_BASE) + section("profile base", keys("base"), REGION)},
    )
    yield Situation(
        "the region of default",
        {
            CONFIG: section("profile app", *FROM_BASE)
            + section("default", REGION)
            + section("profile base", keys("base"))
        },
        flags={"profile": "app"},
    )
    yield Situation("a session name in the environment", both, {"AWS_ROLE_SESSION_NAME": "john"})
    yield Situation("a role in the environment alone", app(), {"AWS_ROLE_ARN": ROLE})
    yield Situation("a role in the environment too", app(*FROM_BASE), {"AWS_ROLE_ARN": f"{ROLE}-2"})
    yield Situation("denied", app(*FROM_BASE), aws={"sts": {"answer": DENIED}})
    yield Situation("answered with expired keys", app(*FROM_BASE), aws={"sts": {"lifetime": -60}})
    for arn in ("", "a-role", "arn:aws-cn:iam::123456789012:role/x", " "):
        yield Situation(f"role_arn = {arn!r}", app(f"role_arn = {arn}", "source_profile = base"))
    yield Situation("role_arn alone", app(f"role_arn = {ROLE}"))
    yield Situation("role_arn alone, with keys", app(f"role_arn = {ROLE}", keys("own")))
    yield Situation("source_profile alone", app("source_profile = base"))
    yield Situation("source_profile alone, with keys", app("source_profile = base", keys("own")))
    yield Situation(
        "credential_source alone",
        app("credential_source = Environment"),
        variables("env"),
        {"profile": "default"},
    )
    for name in ("gone", "", "default", "BASE", " base ", "'base'"):
        yield Situation(f"source_profile = {name!r}", app(f"role_arn = {ROLE}", f"source_profile = {name}"))
        yield Situation(
            f"source_profile = {name!r}, with keys",
            app(f"role_arn = {ROLE}", f"source_profile = {name}", keys("own")),
        )


def places():
    """Yields the files in which the role and its source are."""
    for role, source in product((CONFIG, CREDENTIALS), repeat=2):
        texts = {CONFIG: section("default", REGION), CREDENTIALS: ""}
        texts[role] += section("profile app" if role == CONFIG else "app", REGION, *FROM_BASE)
        texts[source] += section("profile base" if source == CONFIG else "base", keys("base"))
        yield Situation(f"the role in {role}, its source in {source}", texts, flags={"profile": "app"})
    files = app(*FROM_BASE) | {CREDENTIALS: section("base", keys("credentials"))}
    yield Situation("a source in both files", files)
    files = app(*FROM_BASE) | {CREDENTIALS: section("default", keys("credentials"))}
    yield Situation("keys in credentials next to the role", files)
    halves = {
        CONFIG: section("default", REGION, f"role_arn = {ROLE}"),
        CREDENTIALS: section("default", "source_profile = base") + section("base", keys("base")),
    }
    yield Situation("the role split between both files", halves)
    other = {CONFIG: section("default", REGION, f"role_arn = {ROLE}-1", "source_profile = base"),
             CREDENTIALS: section("default", f"role_arn = {ROLE}-2") + section("base", keys("base"))}  # fmt: skip
    yield Situation("the role in both files", other)
    files = {CONFIG: section("default", REGION, *FROM_BASE) + section("profile base", f"aws_access_key_id = {key_id('base')}"),
             CREDENTIALS: section("base", f"aws_secret_access_key = {secret('base')}")}  # fmt: skip
    yield Situation("the source's keys split between both files", files)


def sources():
    """Yields the kinds of source profiles."""
    output = {"output": printed("process", SessionToken="t")}
    many = {
        "a session token": (keys("base", "a-session"), {}),
        "an empty session token": (keys("base") + "aws_session_token =\n", {}),
        "a legacy session token": (keys("base") + "aws_security_token = legacy\n", {}),
        "a process": (running("cat @HOME@/output"), output),
        "a process and keys": (keys("base") + running("cat @HOME@/output"), output),
        "SSO": (SSO_PROFILE, SSO_FILES),
        "SSO and keys": (SSO_PROFILE + keys("base"), SSO_FILES),
        "a web identity": (
            f"role_arn = {ROLE}-web\nweb_identity_token_file = @HOME@/jwt\n",
            {"jwt": "a-jwt"},
        ),
        "a web identity and keys": (
            keys("base") + f"role_arn = {ROLE}-web\nweb_identity_token_file = @HOME@/jwt\n",
            {"jwt": "a-jwt"},
        ),
        "a login": (LOGIN_PROFILE, LOGIN_FILES),
        "nothing": (REGION, {}),
        "an id alone": (f"aws_access_key_id = {key_id('base')}", {}),
        "a secret alone": (f"aws_secret_access_key = {secret('base')}", {}),
        "empty keys": ("aws_access_key_id =\naws_secret_access_key =", {}),
        "a role without a source": (f"role_arn = {ROLE}-2", {}),
        "a role of the environment": (f"role_arn = {ROLE}-2\ncredential_source = Environment", {}),
    }
    for name, (base, files) in many.items():
        yield Situation(f"the source has {name}", app(*FROM_BASE, base=base, more=SESSION) | files)
    for name, env in product(
        ("nothing", "a web identity", "a role of the environment"), ({}, variables("env"))
    ):
        base, files = many[name]
        flag = {"profile": "default"} if env else {}
        title = f"by flag, the source has {name}" + (", keys in the environment" if env else "")
        yield Situation(title, app(*FROM_BASE, base=base, more=SESSION) | files, env, flag)


def credential_sources():
    values = [
        "Environment",
        "EcsContainer",
        "Ec2InstanceMetadata",
        "environment",
        "ECSCONTAINER",
        "SharedConfig",
        "Process",
        "",
    ]
    environments = {"all there": variables("env") | CONTAINER | INSTANCE, "none there": {}}
    for value, (name, environment) in product(values, environments.items()):
        files = app(f"role_arn = {ROLE}", f"credential_source = {value}")
        yield Situation(f"credential_source = {value}, {name}", files, environment, {"profile": "default"})
    half = {"AWS_ACCESS_KEY_ID": key_id("env")}
    for name, environment in {"half a pair": half, "a session token": variables("env", AWS_SESSION_TOKEN="t"),
                              "a legacy session token": variables("env", AWS_SECURITY_TOKEN="t")}.items():  # fmt: skip
        files = app(f"role_arn = {ROLE}", "credential_source = Environment")
        yield Situation(
            f"credential_source = Environment, {name}", files, environment, {"profile": "default"}
        )
    yield Situation(
        "both sources",
        app(*FROM_BASE, "credential_source = Environment"),
        variables("env"),
        {"profile": "default"},
    )
    by_variable = {"AWS_PROFILE": "app"} | CONTAINER
    files = {CONFIG: section("profile app", REGION, f"role_arn = {ROLE}", "credential_source = EcsContainer")}
    yield Situation("credential_source of a profile that a variable names", files, by_variable)


def links():
    """Yields chains of two and three roles, and loops."""

    def role(name, source, *more):
        return section(f"profile {name}", f"role_arn = {ROLE}-{name}", f"source_profile = {source}", *more)

    base, flags = section("profile base", keys("base")), {"profile": "c"}
    yield Situation("two roles", {CONFIG: role("c", "b", REGION) + role("b", "base") + base}, flags=flags)
    yield Situation(
        "three roles",
        {CONFIG: role("c", "b", REGION) + role("b", "a") + role("a", "base") + base},
        flags=flags,
    )
    yield Situation(
        "regions of their own",
        {CONFIG: role("c", "b", "region = eu-west-1") + role("b", "base", "region = us-east-2") + base},
        flags=flags,
    )
    yield Situation(
        "external ids of their own",
        {
            CONFIG: role("c", "b", REGION, "external_id = 42")
            + role("b", "base", "role_session_name = jane")
            + base
        },
        flags=flags,
    )
    yield Situation("a loop of two", {CONFIG: role("c", "b", REGION) + role("b", "c")}, flags=flags)
    yield Situation(
        "a loop of three", {CONFIG: role("c", "b", REGION) + role("b", "a") + role("a", "c")}, flags=flags
    )
    yield Situation(
        "a loop further down", {CONFIG: role("c", "b", REGION) + role("b", "a") + role("a", "b")}, flags=flags
    )
    yield Situation("itself", {CONFIG: role("c", "c", REGION)}, flags=flags)
    yield Situation("itself, with keys", {CONFIG: role("c", "c", REGION, keys("own"))}, flags=flags)
    yield Situation(
        "itself, with keys in credentials",
        {CONFIG: role("c", "c", REGION), CREDENTIALS: section("c", keys("own"))},
        flags=flags,
    )
    yield Situation(
        "itself, with a process",
        {CONFIG: role("c", "c", REGION, running("cat @HOME@/output")), "output": printed("process")},
        flags=flags,
    )
    yield Situation(
        "keys stop the chain",
        {CONFIG: role("c", "b", REGION) + role("b", "base", keys("own")) + base},
        flags=flags,
    )
    yield Situation(
        "keys in credentials stop the chain",
        {CONFIG: role("c", "b", REGION) + role("b", "base") + base, CREDENTIALS: section("b", keys("own"))},
        flags=flags,
    )
    end = section("profile b", f"role_arn = {ROLE}-b", "credential_source = EcsContainer")
    yield Situation("a chain from a container", {CONFIG: role("c", "b", REGION) + end}, CONTAINER, flags)
    end = section("profile b", f"role_arn = {ROLE}-b", "web_identity_token_file = @HOME@/jwt")
    yield Situation(
        "a chain from a web identity", {CONFIG: role("c", "b", REGION) + end, "jwt": "a-jwt"}, flags=flags
    )
    yield Situation("a chain to a gap", {CONFIG: role("c", "b", REGION) + role("b", "gone")}, flags=flags)


def on_top():
    """Yields a role given by a flag, with each base."""
    bases = {
        "keys": ({}, variables("env"), {}),
        "temporary keys": ({}, variables("env", AWS_SESSION_TOKEN="t"), {}),
        "default": ({CREDENTIALS: section("default", keys("base"))}, {}, {}),
        "a profile": ({CREDENTIALS: section("dev", keys("base"))}, {}, {"profile": "dev"}),
        "a role": (app(*FROM_BASE), {}, {}),
        "a container": ({}, CONTAINER, {}),
        "an instance": ({}, INSTANCE, {}),
        "nothing": ({}, {}, {}),
    }
    role = {"role_arn": f"{ROLE}-top", "region": "eu-central-1"}
    for name, (files, environment, flags) in bases.items():
        yield Situation(f"a role on top of {name}", files, environment, flags | role)
    for name, value in product(("external_id", "role_session_name"), ("jane", "")):
        yield Situation(f"a role on top, {name} {value!r}", {}, variables("env"), role | {name: value})
