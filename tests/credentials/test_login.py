"""Checks sessions of `aws login`: their keys and the renewal."""

import base64
import contextlib
import hashlib
import json
import subprocess
from functools import partial
from pathlib import Path

import pytest
from common import wait_until
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from fake_aws import keep_secret, new_secret, temporary_keys
from fake_proxy import FakeProxy
from machine import key_of, signed_by

SESSION = "arn:aws:iam::123456789012:user/jane"
VALID, EXPIRED = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def dpop_key():
    """Makes a key in the AWS CLI's format."""
    made = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    key = subprocess.run(made, check=True, capture_output=True, text=True).stdout
    keep_secret(*key.splitlines()[1:-1])
    return key


def login(machine, keys, end=VALID, **more):
    """Writes the file that `aws login` saves. Returns its path."""
    machine.config(f"[default]\nlogin_session = {SESSION}\nregion = eu-west-1\n")
    folder = machine.home / ".aws/login/cache"
    folder.mkdir(parents=True, exist_ok=True)
    names = ("accessKeyId", "secretAccessKey", "sessionToken")
    token = dict(zip(names, (keys.access_key_id, keys.secret_access_key, keys.session_token), strict=True))
    cached = {"accessToken": token | {"accountId": "123456789012", "expiresAt": end}}
    cached |= {"tokenType": "aws_sigv4", "refreshToken": new_secret(), "idToken": new_secret()}
    cached |= {"clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": dpop_key()} | more
    path = folder / f"{hashlib.sha256(SESSION.encode()).hexdigest()}.json"
    path.write_text(json.dumps(cached))
    return path


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def proven(proof):
    """Checks the signature of a DPoP proof against the key in its header. Returns the payload."""
    header, payload, signature = proof.split(".")
    key = json.loads(decoded(header))["jwk"]
    x, y = (int.from_bytes(decoded(key[name]), "big") for name in "xy")
    halves = decoded(signature)
    numbers = [int.from_bytes(half, "big") for half in (halves[:32], halves[32:])]
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(encode_dss_signature(*numbers), f"{header}.{payload}".encode(), ec.ECDSA(SHA256()))
    return json.loads(decoded(payload))


def test_the_keys_of_a_login_are_used_while_they_are_valid(machine):
    keys = temporary_keys("login")
    login(machine, keys)
    told = machine.found()
    assert told["source"] == "login session"
    assert told["access key id"] == f"{keys.access_key_id} (temporary)"
    assert told["expires at"] == VALID


def test_a_variable_may_name_the_folder_of_logins(machine):
    keys = temporary_keys("login")
    path = login(machine, keys)
    path.parent.rename(machine.home / "elsewhere")
    assert machine.failure().code == "CREDENTIALS_FAILED"
    machine.set(AWS_LOGIN_CACHE_DIRECTORY=machine.home / "elsewhere")
    assert signed_by(machine.token()) == keys.access_key_id


def test_expired_keys_are_renewed_and_written_back(machine, fake):
    path = login(machine, temporary_keys("login"), EXPIRED)
    before = json.loads(path.read_text())
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    assert signed_by(machine.token()) == fake.signin.last().access_key_id
    [request] = fake.signin.requests
    assert json.loads(request.body) == {
        "clientId": before["clientId"],
        "grantType": "refresh_token",
        "refreshToken": before["refreshToken"],
    }
    proof = proven(request.headers["dpop"])
    assert (proof["htm"], proof["htu"]) == ("POST", f"{fake.url}/v1/token")
    after = json.loads(path.read_text())
    assert after["accessToken"]["accessKeyId"] == fake.signin.last().access_key_id
    assert after["accessToken"]["accountId"] == "123456789012"
    assert after["refreshToken"] != before["refreshToken"]
    assert (after["idToken"], after["dpopKey"]) == (before["idToken"], before["dpopKey"])
    assert path.stat().st_mode & 0o777 == 0o600
    machine.token()
    assert fake.signin.count() == 1


def test_two_processes_renew_a_login_once(machine, fake):
    path = login(machine, temporary_keys("login"), EXPIRED)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    fake.signin.hold(1)
    with machine.probe() as first, machine.probe() as second:
        for probe in (first, second):
            probe.tell(do="token")
        fake.signin.wait_until("self.held == 1")
        for probe in (first, second):
            wait_until(partial(opens, probe, path), "both wait for their turn")
        fake.signin.release()
        keys = {key_of(probe.answer()) for probe in (first, second)}
    assert keys == {fake.signin.last().access_key_id}
    assert fake.signin.count() == 1


def opens(probe, path):
    """Whether this program has the file open."""
    opened = []
    for descriptor in Path(f"/proc/{probe.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            opened.append(descriptor.readlink())
    return path in opened


def test_a_login_that_another_program_renewed_is_used(machine, fake):
    login(machine, temporary_keys("login"), EXPIRED)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    newer = temporary_keys("login")

    def renew(_):
        login(machine, newer)

    fake.signin.respond(400, json.dumps({"error": "TOKEN_EXPIRED", "message": "used"}))
    fake.signin.answer.delay, fake.signin.answer.sleep = 1, renew
    assert signed_by(machine.token()) == newer.access_key_id


def test_a_login_that_cannot_be_renewed_says_what_to_do(machine, fake):
    login(machine, temporary_keys("login"), EXPIRED)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    fake.signin.respond(400, json.dumps({"error": "TOKEN_EXPIRED", "message": "The session expired"}))
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert "TOKEN_EXPIRED: The session expired" in run.message, run
    assert run.message.endswith("run `aws login --profile default`")


def test_keys_that_are_about_to_expire_are_used_if_they_cannot_be_renewed(machine, fake, stopped):
    keys = temporary_keys("login", 240)
    login(machine, keys, keys.expiration)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url, AWS_MAX_ATTEMPTS="1")
    fake.signin.respond(500)
    with machine.probe(expires_in=60) as probe:
        assert probe.key() == keys.access_key_id
    assert fake.signin.count() == 1


@pytest.mark.parametrize("field", ["dpopKey", "clientId", "refreshToken"])
def test_a_missing_field_is_named(field, machine, fake):
    login(machine, temporary_keys("login"), EXPIRED, **{field: None})
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    run = machine.failure()
    assert f"{field} is missing or invalid; run `aws login" in run.message, run
    assert fake.signin.requests == []


@pytest.mark.parametrize("content", [None, "", "[]", '{"accessToken": "x"}', '{"accessToken": {}}'])
def test_an_unreadable_login_is_named(content, machine):
    path = login(machine, temporary_keys("login"))
    path.unlink() if content is None else path.write_text(content)
    run = machine.failure()
    assert (run.code, str(path) in run.message) == ("CREDENTIALS_FAILED", True), run
    assert run.message.endswith("run `aws login --profile default`")


def test_a_renewal_calls_the_region_of_the_login(machine):
    with FakeProxy(503) as proxy:
        machine.set(HTTPS_PROXY=f"http://{proxy.host}")
        login(machine, temporary_keys("login"), EXPIRED)
        machine.failure()
        login(machine, temporary_keys("login"), EXPIRED, signInRegion="us-east-2")
        machine.failure()
    asked = list(dict.fromkeys(proxy.targets()))
    assert asked == ["eu-west-1.signin.aws.amazon.com:443", "us-east-2.signin.aws.amazon.com:443"]


def test_a_renewal_calls_no_host_that_the_login_makes_up(machine):
    with FakeProxy(503) as proxy:
        machine.set(HTTPS_PROXY=f"http://{proxy.host}")
        login(machine, temporary_keys("login"), EXPIRED, signInRegion="evil.example/")
        run = machine.failure()
    assert 'signInRegion: "evil.example/" is not a region; accepted: ' in run.message, run
    assert list(proxy.targets()) == []


def test_a_huge_lifetime_is_an_incomplete_answer(machine, fake):
    login(machine, temporary_keys("login"), EXPIRED)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url)
    keys = {name: new_secret() for name in ("accessKeyId", "secretAccessKey", "sessionToken")}
    fake.signin.respond(200, json.dumps({"accessToken": keys, "expiresIn": 2**64 - 1}))
    run = machine.failure()
    assert "renewing it failed: the answer has no complete keys; run `aws login" in run.message, run


def test_each_attempt_has_its_own_proof(machine, fake):
    login(machine, temporary_keys("login"), EXPIRED)
    machine.set(AWS_ENDPOINT_URL_SIGNIN=fake.url, AWS_MAX_ATTEMPTS="2")
    fake.signin.respond(500)
    assert machine.run("credentials").code == "CREDENTIALS_FAILED"
    first, second = (proven(request.headers["dpop"]) for request in fake.signin.requests)
    assert first["jti"] != second["jti"]
