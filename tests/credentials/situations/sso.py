"""IAM Identity Center (SSO): sessions, start URLs, and the cache of `aws sso login`."""

import hashlib
import json
from itertools import product

from fake_aws import Answer

from situations import purposes
from situations.situation import CONFIG, CREDENTIALS, MARK, Situation, keys, section

START_URL = "https://d-0123456789.awsapps.com/start"
FUTURE = "2099-01-01T00:00:00Z"
ACCOUNT = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
URL = f"sso_start_url = {START_URL}\n"
REGION = "sso_region = eu-west-1\n"
REFUSED = Answer(403, json.dumps({"__type": "ForbiddenException", "message": "No access"}))
CLIENT = {"clientId": "a-client", "clientSecret": MARK, "registrationExpiresAt": FUTURE, "refreshToken": MARK}


def cached(identifier: str, **more: object) -> dict[str, str]:
    """Returns the cache file for a session's name or a start URL. None leaves out a field."""
    token = {
        "startUrl": START_URL,
        "region": "eu-west-1",
        "accessToken": "@SSO_TOKEN@",
        "expiresAt": FUTURE,
    } | more
    name = hashlib.sha1(identifier.encode()).hexdigest()
    return {f".aws/sso/cache/{name}.json": json.dumps({k: v for k, v in token.items() if v is not None})}


SSO_PROFILE = f"sso_session = corp\n{ACCOUNT}"
SESSION = section("sso-session corp", URL, REGION)
SSO_FILES = cached("corp")


def situations():
    yield from profiles()
    yield from caches()
    yield from sessions()


def profiles():
    """Yields profiles with all settings, and with one missing, duplicated or different."""
    whole = {"session": (SSO_PROFILE, SESSION), "start URL": (URL + REGION + ACCOUNT, "")}
    files = SSO_FILES | cached(START_URL)
    for kind, (profile, session) in whole.items():
        lines = profile.splitlines()
        for missing in ("nothing", *lines):
            left = section("default", *(line for line in lines if line != missing))
            yield Situation(f"{kind}, without {missing}", {CONFIG: left + session} | files)
            empty = section(
                "default", *(line.split("=")[0] + "=" if line == missing else line for line in lines)
            )
            if missing != "nothing":
                yield Situation(f"{kind}, empty {missing}", {CONFIG: empty + session} | files)
        yield Situation(
            f"{kind}, keys in credentials",
            {CONFIG: section("default", profile) + session, CREDENTIALS: section("default", keys("stale"))}
            | files,
        )
        yield Situation(
            f"{kind}, by flag",
            {CONFIG: section("profile dev", profile) + session} | files,
            flags={"profile": "dev"},
        )
        yield Situation(
            f"{kind}, all in credentials", {CREDENTIALS: section("default", profile), CONFIG: session} | files
        )
    beside = {"equal": URL + REGION, "equal URL": URL, "equal region": REGION, "another URL": URL.replace("start", "begin"),
              "another region": "sso_region = eu-west-2\n", "a slash more": URL.replace("/start", "/start/")}  # fmt: skip
    for name, lines in beside.items():
        yield Situation(
            f"beside the session: {name}", {CONFIG: section("default", SSO_PROFILE, lines) + SESSION} | files
        )


def caches():
    """Yields contents of the cache."""
    many = {
        "UTC": {"expiresAt": "2099-01-01T00:00:00UTC"},
        "+00:00": {"expiresAt": "2099-01-01T00:00:00+00:00"},
        "a fraction": {"expiresAt": "2099-01-01T00:00:00.123Z"},
        "no zone": {"expiresAt": "2099-01-01T00:00:00"},
        "a number": {"expiresAt": 4070908800},
        "a word": {"expiresAt": "soon"},
        "no end": {"expiresAt": None},
        "expired": {"expiresAt": "2001-01-01T00:00:00Z"},
        "expired, UTC": {"expiresAt": "2001-01-01T00:00:00UTC"},
        "no token": {"accessToken": None},
        "an empty token": {"accessToken": ""},
        "another token": {"accessToken": "another"},
        "with a client": CLIENT,
        "expired, with a client": {"expiresAt": "2001-01-01T00:00:00Z"} | CLIENT,
        "expired, with a client and more": {"expiresAt": "2001-01-01T00:00:00Z", "scopes": ["sso:account:access"]} | CLIENT,
        "expired, with an expired registration": {"expiresAt": "2001-01-01T00:00:00Z"}
        | CLIENT | {"registrationExpiresAt": "2001-01-01T00:00:00Z"},
        "expired, without a refresh token": {"expiresAt": "2001-01-01T00:00:00Z"} | CLIENT | {"refreshToken": None},
        "expired, without a client secret": {"expiresAt": "2001-01-01T00:00:00Z"} | CLIENT | {"clientSecret": None},
        "another start URL": {"startUrl": "https://another"},
        "without a start URL": {"startUrl": None, "region": None},
    }  # fmt: skip
    kinds = {"session": ("corp", SSO_PROFILE), "start URL": (START_URL, URL + REGION + ACCOUNT)}
    for (kind, (identifier, profile)), (name, token) in product(kinds.items(), many.items()):
        files = {CONFIG: section("default", profile) + SESSION} | cached(identifier, **token)
        yield Situation(f"{kind}, cached: {name}", files)
    for kind, (identifier, profile) in kinds.items():
        config = {CONFIG: section("default", profile) + SESSION}
        yield Situation(f"{kind}, not logged in", config)
        (file,) = cached(identifier)
        for name, text in {"empty": "", "a list": "[]", "half": '{"accessToken": "SE', "a word": "x"}.items():
            yield Situation(f"{kind}, the cache is {name}", config | {file: text})
        refused = {"sso": {"answer": REFUSED}}
        yield Situation(f"{kind}, no access", config | cached(identifier), aws=refused)


def sessions():
    """Yields names of sessions, and endpoints of SSO."""
    for written in ("sso-session corp", "sso-session 'corp'", 'sso-session "corp"', "sso-session  corp", "sso-session\tcorp",
                    "sso-session Corp", "sso_session corp", "sso-session", "corp", "SSO-SESSION corp"):  # fmt: skip
        files = {CONFIG: section("default", SSO_PROFILE) + section(written, URL, REGION)} | SSO_FILES
        yield Situation(f"[{written}]", files)
    for name in ("my corp", "équipe", "a.b", "a/b"):
        profile = section("default", f"sso_session = {name}", ACCOUNT)
        files = {CONFIG: profile + section(f"sso-session '{name}'", URL, REGION)} | cached(name)
        yield Situation(f"a session named {name}", files)
    yield Situation(
        "a session in credentials",
        {CONFIG: section("default", SSO_PROFILE), CREDENTIALS: SESSION} | SSO_FILES,
    )
    for url in (START_URL + "#/", START_URL + "/", START_URL.upper()):
        profile = section("default", f"sso_start_url = {url}", REGION, ACCOUNT)
        yield Situation(f"start URL {url}", {CONFIG: profile} | cached(url))
    for region in ("us-gov-west-1", "cn-north-1", "EU-WEST-1", "eu west 1"):
        session = section("sso-session corp", URL, f"sso_region = {region}")
        one = Situation(
            f"sso_region {region}", {CONFIG: section("default", SSO_PROFILE) + session} | SSO_FILES
        )
        yield one.but(purposes.REGION, "CREDENTIALS_FAILED") if region.isupper() else one
    config = {CONFIG: section("default", SSO_PROFILE, "region = us-east-2") + SESSION} | SSO_FILES
    yield Situation(
        "another region for the rest", config, {"AWS_DEFAULT_REGION": "us-west-2", "AWS_REGION": "us-west-2"}
    )
    for variable in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        yield Situation(f"{variable}", config, {variable: "true"})
    for setting in ("use_fips_endpoint", "use_dualstack_endpoint"):
        profile = section("default", SSO_PROFILE, f"{setting} = true")
        yield Situation(setting, {CONFIG: profile + SESSION} | SSO_FILES)
    for variable in ("AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL"):
        yield Situation(f"{variable}", config, {variable: "@FAKE@"})
