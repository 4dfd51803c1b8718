"""The STS that is called: its region, and the kind of endpoint."""

from itertools import product

from situations.purposes import OTHERS, REGION
from situations.situation import CONFIG, ROLE, Situation, keys, section, set_or_not, variables


def situations():
    yield from regions()
    yield from kinds()


def role(*lines: str) -> dict[str, str]:
    """Returns a profile with a role and these lines."""
    top = section("profile app", f"role_arn = {ROLE}", "source_profile = base", *lines)
    return {CONFIG: top + section("profile base", keys("base"))}


def regions():
    choices = {
        "AWS_REGION": (None, "", "us-west-1"),
        "AWS_DEFAULT_REGION": (None, "", "us-west-2"),
        "AWS_PROFILE": ("app",),
    }
    flags = ({}, {"region": "eu-north-1"})
    for (name, environment), line, flag in product(
        set_or_not(**choices), ("", "region = eu-west-1", "region ="), flags
    ):
        yield Situation(f"{name}, {line or 'no region'}; {flag or 'no flag'}", role(line), environment, flag)
        if line == "region =":
            continue
        top = {"role_arn": f"{ROLE}-top"} | flag
        keyed = {CONFIG: section("default", line)}
        plain = {k: v for k, v in environment.items() if k != "AWS_PROFILE"} | variables("env")
        yield Situation(f"on top: {name}, {line or 'no region'}; {flag or 'no flag'}", keyed, plain, top)


def kinds():
    tried = [
        "us-east-1",
        "eu-west-1",
        "us-gov-west-1",
        "cn-north-1",
        "us-iso-east-1",
        "eusc-de-east-1",
        "ap-southeast-7",
    ]
    tried += ["aws-global", "mars-north-1", "eu west 1", "fips-us-east-1", "us-east-1-fips"]
    for region in tried:
        yield Situation(f"region {region}", role(f"region = {region}"), flags={"profile": "app"})
    for name in ("EU-WEST-1", "eu-west-1a"):
        refused = Situation(f"region {name}", role(f"region = {name}"), flags={"profile": "app"})
        yield refused.but(REGION, "CREDENTIALS_FAILED")
    booleans = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
    values = ("true", "false", "True", "TRUE", "1", "yes", "", " true")
    for variable, value in product(booleans, values):
        yield Situation(
            f"{variable}={value}", role("region = us-east-2"), {"AWS_PROFILE": "app", variable: value}
        )
        if value in ("true", "1", ""):
            setting = variable.removeprefix("AWS_").lower()
            yield Situation(
                f"{setting} = {value}",
                role("region = us-east-2", f"{setting} = {value}"),
                {"AWS_PROFILE": "app"},
            )
    for region in ("us-east-2", "us-gov-west-1", "cn-north-1", "eu-west-1"):
        both = dict.fromkeys(booleans, "true") | {"AWS_PROFILE": "app"}
        yield Situation(f"FIPS and dual stack in {region}", role(f"region = {region}"), both)
    files, environment = (
        role("region = us-east-2", "use_fips_endpoint = true"),
        {"AWS_USE_FIPS_ENDPOINT": "false", "AWS_PROFILE": "app"},
    )
    yield Situation("FIPS: the variable before the profile", files, environment)
    for value, region in product(("legacy", "Legacy", "regional", "", "x"), ("eu-west-1", "eu-south-1")):
        files, environment = (
            role(f"region = {region}"),
            {"AWS_PROFILE": "app", "AWS_STS_REGIONAL_ENDPOINTS": value},
        )
        yield Situation(f"AWS_STS_REGIONAL_ENDPOINTS={value} in {region}", files, environment)
    yield from retries()
    for name in ("AWS_DEFAULTS_MODE", "AWS_ACCOUNT_ID_ENDPOINT_MODE", "AWS_REQUEST_CHECKSUM_CALCULATION"):
        wrong = Situation(f"{name}=x", role("region = eu-west-1"), {"AWS_PROFILE": "app", name: "x"})
        yield wrong.but(OTHERS, "sts 1 access_key_id")
    yield Situation(
        "AWS_SDK_UA_APP_ID=x", role("region = eu-west-1"), {"AWS_PROFILE": "app", "AWS_SDK_UA_APP_ID": "x"}
    )


def retries():
    values = {
        "AWS_RETRY_MODE": ("legacy", "standard", "adaptive", "Standard", "", "x"),
        "AWS_MAX_ATTEMPTS": ("1", "5", "0", "-1", "1.5", "", "x"),
    }
    for name, value in ((one, value) for one in values for value in values[one]):
        yield Situation(f"{name}={value}", role("region = eu-west-1"), {"AWS_PROFILE": "app", name: value})
        setting = name.removeprefix("AWS_").lower()
        yield Situation(
            f"{setting} = {value}", role("region = eu-west-1", f"{setting} = {value}"), {"AWS_PROFILE": "app"}
        )
        top = {"role_arn": ROLE, "region": "eu-west-1"}
        yield Situation(f"{name}={value}, a role on top", {}, variables("env") | {name: value}, top)
