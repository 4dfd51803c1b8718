"""The choice of keys: the environment's, or those of the profile that a flag or a variable names."""

from itertools import product

from situations.purposes import CONTROL, OLD_FILES
from situations.situation import (
    CONFIG,
    CREDENTIALS,
    Situation,
    key_id,
    keys,
    secret,
    section,
    set_or_not,
    variables,
)

FILES = {CREDENTIALS: section("default", keys("default")) + section("dev", keys("dev"))}
FILES |= {CONFIG: section("profile other", keys("other"))}


def situations():
    yield from of_the_environment()
    yield from ends()
    yield from of_profiles()
    yield from of_file_names()


def of_the_environment():
    choices = {
        "AWS_ACCESS_KEY_ID": (None, "", key_id("env")),
        "AWS_SECRET_ACCESS_KEY": (None, "", secret("env")),
        "AWS_SESSION_TOKEN": (None, "", "a-session"),
        "AWS_SECURITY_TOKEN": (None, "a-legacy-session"),
    }
    for name, environment in set_or_not(**choices):
        yield Situation(f"{name}; no files", {}, environment)
        if not any(variable.endswith("_TOKEN") for variable in environment):
            yield Situation(f"{name}; files", FILES, environment)
    blank = Situation("a space for the id", environment=variables("env") | {"AWS_ACCESS_KEY_ID": " "})
    yield blank.but(CONTROL, "INVALID_CREDENTIALS")
    yield Situation("keys in other case", environment={k.lower(): v for k, v in variables("env").items()})


def ends():
    times = {
        "none": None,
        "empty": "",
        "Z": "2099-01-01T00:00:00Z",
        "a fraction": "2099-01-01T00:00:00.123456Z",
        "+00:00": "2099-01-01T00:00:00+00:00",
        "+0000": "2099-01-01T00:00:00+0000",
        "a zone": "2099-01-01T02:00:00+02:00",
        "a space": "2099-01-01 00:00:00Z",
        "UTC": "2099-01-01T00:00:00UTC",
        "no zone": "2099-01-01T00:00:00",
        "expired": "2001-01-01T00:00:00Z",
        "a word": "soon",
        "a date": "2099-01-01",
        "a number": "4070908800",
    }
    for name, time in times.items():
        environment = variables("env", AWS_SESSION_TOKEN="a-session")
        if time is not None:
            environment["AWS_CREDENTIAL_EXPIRATION"] = time
        yield Situation(f"an expiry in the environment: {name}", environment=environment)


def of_profiles():
    chosen = {
        "AWS_PROFILE": (None, "", "default", "dev", "gone"),
        "AWS_DEFAULT_PROFILE": (None, "", "other", "gone"),
    }
    flags = ({}, {"profile": "other"}, {"profile": "gone"})
    for (name, environment), flag in product(set_or_not(**chosen), flags):
        yield Situation(f"{name}; {flag.get('profile', 'no flag')}", FILES, environment, flag)
        if not flag:
            yield Situation(f"{name}; keys set", FILES, environment | variables("env"))
    half = {"AWS_ACCESS_KEY_ID": key_id("env")}
    yield Situation("a profile by flag and half a pair of keys", FILES, half, {"profile": "dev"})
    for profile in ("DEV", "Default", " dev", "dev ", "profile dev"):
        yield Situation(f"profile {profile!r}", FILES, flags={"profile": profile})


def of_file_names():
    text = section("default", keys("default"))
    for variable, usual in (("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS), ("AWS_CONFIG_FILE", CONFIG)):
        for value in (
            "@HOME@/my file",
            "~/my file",
            "$HOME/my file",
            "${HOME}/my file",
            "my file",
            "",
            "@HOME@/gone",
            "@HOME@",
        ):
            yield Situation(
                f"{variable}={value}",
                {"my file": text, usual: section("default", keys("usual"))},
                {variable: value},
            )
        yield Situation(f"{variable} alone", {"f": text}, {variable: "@HOME@/f"})
    both = {"AWS_SHARED_CREDENTIALS_FILE": "@HOME@/one", "AWS_CONFIG_FILE": "@HOME@/one"}
    yield Situation("one file for both", {"one": text + section("profile a", keys("a"))}, both)
    yield Situation("no files")
    yield Situation("empty files", {CONFIG: "", CREDENTIALS: ""})
    for name in ("AWS_CREDENTIAL_FILE", "BOTO_CONFIG"):
        old = "[Credentials]\n" + keys("old") + "AWSAccessKeyId=AKIAOLD\nAWSSecretKey=x\n"
        yield Situation(f"{name} of boto 2", {"old": old}, {name: "@HOME@/old"}).but(
            OLD_FILES, "CREDENTIALS_NOT_FOUND"
        )
