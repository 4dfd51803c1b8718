"""Secrets in the inputs of a failing fetch, for the tests that a language prints none of them."""

from urllib.parse import quote

from fake_aws import known_secrets, new_secret

ROLE = "arn:aws:iam::123456789012:role/a-role"

# Nothing listens at port 1, and an address without a scheme is none.
FAILURES = {
    "a proxy that is not there": {"HTTPS_PROXY": "http://user:SECRET@127.0.0.1:1"},
    "a proxy of another kind": {"HTTPS_PROXY": "socks5://user:SECRET@127.0.0.1:1"},
    "an address without a scheme": {"AWS_ENDPOINT_URL_STS": "sts.example:8443"},
    "nobody there": {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"},
}


def planted(folder, failure):
    """The variables of a web identity that fails so; what they lead to is all secret."""
    jwt = folder / "jwt"
    jwt.write_text(new_secret(300))
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(jwt), "AWS_ROLE_ARN": ROLE, "AWS_REGION": "eu-west-1"}
    variables |= {"AWS_MAX_ATTEMPTS": "1", "RUST_LOG": "trace", "RUST_BACKTRACE": "1"}
    secret = quote(new_secret(), safe="")
    return variables | {name: text.replace("SECRET", secret) for name, text in FAILURES[failure].items()}


def shows_a_secret(text):
    """Whether a text holds a secret as it is, or escaped."""
    return any(secret in text or quote(secret, safe="") in text for secret in known_secrets())
