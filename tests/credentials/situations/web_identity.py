"""A web identity (IRSA): in the environment, in a profile, or split between both."""

from itertools import product

from fake_aws import Answer, sts_error

from situations.situation import CONFIG, ROLE, Situation, keys, section, set_or_not

REGIONS = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
INVALID = Answer(400, sts_error("InvalidIdentityToken", "no"))


def situations():
    choices = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": (None, "", "@HOME@/jwt"),
        "AWS_ROLE_ARN": (None, "", f"{ROLE}-env"),
        "AWS_ROLE_SESSION_NAME": (None, "jane"),
    }
    profile = section("default", f"role_arn = {ROLE}-file", "web_identity_token_file = @HOME@/jwt2")
    for (name, environment), config in product(set_or_not(**choices), ("", profile)):
        files = {CONFIG: config, "jwt": "a-jwt", "jwt2": "another-jwt"}
        yield Situation(
            f"{name}; {'a profile, too' if config else 'no profile'}", files, environment | REGIONS
        )
    in_environment = {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/jwt", "AWS_ROLE_ARN": ROLE} | REGIONS
    for name, text in {
        "a newline": "a-jwt\n",
        "blanks": "  a-jwt  ",
        "nothing": "",
        "two lines": "a\nb\n",
        "a BOM": "\ufeffa-jwt",
    }.items():
        yield Situation(f"the token's file has {name}", {"jwt": text}, in_environment)
    yield Situation("the token's file is not UTF-8", {"jwt": b"a\xffb"}, in_environment)
    for path in ("jwt", "~/jwt", "$HOME/jwt"):
        yield Situation(
            f"the token's file is {path}",
            {"jwt": "a-jwt"},
            in_environment | {"AWS_WEB_IDENTITY_TOKEN_FILE": path},
        )
        lines = f"role_arn = {ROLE}", f"web_identity_token_file = {path}"
        yield Situation(
            f"the token's file is {path}, in a profile",
            {"jwt": "a-jwt", CONFIG: section("default", *lines)},
            REGIONS,
        )
    yield Situation("refused", {"jwt": "a-jwt"}, in_environment, aws={"sts": {"answer": INVALID}})
    lines = (f"role_arn = {ROLE}", "web_identity_token_file = @HOME@/jwt")
    more = ["role_session_name = jane", "role_session_name =", "source_profile = base", "external_id = 42", "region = us-west-2",
            "credential_source = Environment", "duration_seconds = 900"]  # fmt: skip
    for line in more:
        config = section("default", *lines, line) + section("profile base", keys("base"))
        yield Situation(f"also {line}", {CONFIG: config, "jwt": "a-jwt"}, {} if "region" in line else REGIONS)
    for missing in lines:
        left = section("default", *(line for line in lines if line != missing))
        yield Situation(f"a profile without {missing.split()[0]}", {CONFIG: left, "jwt": "a-jwt"}, REGIONS)
    named = {CONFIG: section("profile dev", *lines), "jwt": "a-jwt"}
    yield Situation("a profile by flag", named, REGIONS, {"profile": "dev"})
    yield Situation(
        "a profile by flag, another in the environment",
        named,
        in_environment | {"AWS_ROLE_ARN": f"{ROLE}-env"},
        {"profile": "dev"},
    )
    empty = {CONFIG: section("profile dev", "region = eu-west-1"), "jwt": "a-jwt"}
    yield Situation("an empty profile by flag", empty, in_environment, {"profile": "dev"})
    yield Situation("an empty profile by variable", empty, in_environment | {"AWS_PROFILE": "dev"})
