"""`aws login`: the keys in its cache, and their renewal."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_aws import Answer

from situations.situation import CONFIG, CREDENTIALS, MARK, ROLE, Situation, key_id, keys, secret, section

SESSION = "arn:aws:iam::123456789012:user/jane"
LOGIN_PROFILE = f"login_session = {SESSION}\n"
FUTURE, PAST = "2099-01-01T00:00:00Z", "2001-01-01T00:00:00Z"


def private_key(form: serialization.PrivateFormat) -> str:
    """Returns a private key as PEM. It is always the same, so that every run has the same files."""
    key = ec.derive_private_key(1234567, ec.SECP256R1())
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


KEY = private_key(serialization.PrivateFormat.TraditionalOpenSSL)


def token(end: str = FUTURE, **more: object) -> dict[str, object]:
    """Returns the content of the cache. None leaves out a field."""
    access = {"accessKeyId": key_id("login"), "secretAccessKey": secret("login"), "sessionToken": "a-login"}
    access |= {"accountId": "123456789012", "expiresAt": end}
    whole = {"accessToken": access, "tokenType": "aws_sigv4", "refreshToken": MARK, "idToken": MARK}
    whole |= {"clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": KEY} | more
    return {name: value for name, value in whole.items() if value is not None}


def cached(session: str, content: object, folder: str = ".aws/login/cache") -> dict[str, str]:
    """Returns the cache file of a session, by its path."""
    name = hashlib.sha256(session.strip().encode()).hexdigest()
    return {f"{folder}/{name}.json": content if isinstance(content, str) else json.dumps(content)}


LOGIN_FILES = cached(SESSION, token())


def situations():
    config = {CONFIG: section("default", LOGIN_PROFILE, "region = eu-west-1")}
    many = {name: cached(SESSION, content) for name, content in tokens().items()}
    many |= {"not logged in": {}, "of another session": cached("another", token())}
    for name, files in many.items():
        yield Situation(name, config | files)
    yield Situation(
        "keys in credentials", config | LOGIN_FILES | {CREDENTIALS: section("default", keys("stale"))}
    )
    yield Situation("in credentials", {CREDENTIALS: section("default", LOGIN_PROFILE)} | LOGIN_FILES)
    yield Situation(
        "by flag", {CONFIG: section("profile dev", LOGIN_PROFILE)} | LOGIN_FILES, flags={"profile": "dev"}
    )
    yield Situation("an empty session", {CONFIG: section("default", "login_session =")} | cached("", token()))
    elsewhere = cached(SESSION, token(), "cache")
    for value in ("@HOME@/cache", "~/cache", "$HOME/cache", ""):
        yield Situation(
            f"AWS_LOGIN_CACHE_DIRECTORY={value}", config | elsewhere, {"AWS_LOGIN_CACHE_DIRECTORY": value}
        )
    passed = config | cached(SESSION, token(PAST))
    regions = {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2"}
    yield Situation("renewed where the environment says", passed, regions)
    yield Situation("renewed where the flag says", passed, flags={"region": "us-east-2"})
    yield Situation("renewed at a configured endpoint", passed, {"AWS_ENDPOINT_URL_SIGNIN": "@FAKE@"})
    for error in ("TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED", "INSUFFICIENT_PERMISSIONS"):
        refused = Answer(
            403,
            json.dumps({"error": error, "message": "no"}),
            headers={"x-amzn-ErrorType": "AccessDeniedException"},
        )
        yield Situation(f"refused: {error}", passed, aws={"signin": {"answer": refused}})
    source = section("default", f"role_arn = {ROLE}", "source_profile = base", "region = eu-west-1")
    yield Situation(
        "a source of a role", {CONFIG: source + section("profile base", LOGIN_PROFILE)} | LOGIN_FILES
    )


def tokens():
    pkcs8 = private_key(serialization.PrivateFormat.PKCS8)
    bare = base64.b64encode(b"no key").decode()
    return {
        "logged in": token(),
        "renewed": token(PAST),
        "renewed, with a region to sign in": token(PAST, signInRegion="ap-southeast-2"),
        "renewed, a key in PKCS 8": token(PAST, dpopKey=pkcs8),
        "renewed, a bad key": token(PAST, dpopKey=f"-----BEGIN EC PRIVATE KEY-----\n{bare}\n-----END EC PRIVATE KEY-----\n"),
        **{f"without {name}": token(**{name: None}) for name in ("refreshToken", "clientId", "dpopKey", "tokenType", "idToken")},
        "without an access token": token(accessToken=None),
        **{f"an expiry with {end[19:] or 'no zone'}": token(end) for end in
           ("2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00UTC", "2099-01-01T00:00:00", "2099-01-01T00:00:00.5Z")},
        "an expiry that is a word": token("soon"),
        "an empty file": "",
        "a list": "[]",
        "half a file": '{"accessToken": {',
    }  # fmt: skip
