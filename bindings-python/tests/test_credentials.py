"""Sources of credentials: options, the chain, boto3 and botocore objects, and functions."""

import gc
import os
import signal
import threading
import weakref
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
import rdsign
import time_machine
from botocore.credentials import (
    Credentials,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
)
from common import BOUND
from conftest import HOSTNAME, NOON, signed_by, signer
from fake_aws import keys_file, long_lived_keys, temporary_keys
from planted import FAILURES, planted, shows_a_secret

ROLE = "arn:aws:iam::123456789012:role/a-role"
KEYS = {"access_key_id": "AKIAFUNCTION", "secret_access_key": "a secret", "session_token": "a token"}


def in_(seconds):
    return datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=seconds)


def raised(code, **options):
    """Checks that signing a token fails with a code. Returns the error."""
    with pytest.raises(rdsign.Error) as caught:
        signer(**options).token()
    assert caught.value.code == code, caught.value
    return caught.value


# The chain


def test_keys_in_the_environment_are_found(monkeypatch):
    keys = temporary_keys("env")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys.session_token)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", keys.expiration)
    one = rdsign.Signer(hostname=HOSTNAME, username="iam_user")
    assert signed_by(one.token()) == keys.access_key_id
    assert "X-Amz-Security-Token=" in one.password()


def test_the_instance_is_asked_once_and_again_when_its_keys_have_expired(imds):
    one = rdsign.Signer(hostname=HOSTNAME, username="iam_user", credentials_timeout=BOUND)
    first = one.token()
    assert signed_by(first) == imds.last().access_key_id
    assert one.password() and imds.count() == 1
    expiry = imds.last().expires_at
    imds.lifetime = 7200
    token = one.token(signing_time=expiry)
    assert signed_by(token) == imds.last().access_key_id != signed_by(first)
    assert imds.count() == 2


def test_a_profile_and_a_role_on_top_of_it(fake, tmp_path, monkeypatch):
    keys = long_lived_keys("file")
    file = tmp_path / "credentials"
    file.write_text(keys_file("work", keys))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
    assert signed_by(signer(profile="work").token()) == keys.access_key_id
    role = signer(profile="work", role_arn=ROLE, external_id="an id", role_session_name="tests")
    assert signed_by(role.token()) == fake.sts.last().access_key_id
    form = fake.sts.requests[-1].form
    assert (form["RoleArn"], form["ExternalId"], form["RoleSessionName"]) == (ROLE, "an id", "tests")


def test_a_role_on_top_of_a_function(fake, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
    one = signer(credentials=lambda: KEYS, role_arn=ROLE)
    assert signed_by(one.token()) == fake.sts.last().access_key_id
    assert fake.sts.requests[-1].signed_by == "AKIAFUNCTION"


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_no_secret(failure, tmp_path, monkeypatch, capfd):
    for name, value in planted(tmp_path, failure).items():
        monkeypatch.setenv(name, value)
    error = raised("CREDENTIALS_FAILED", access_key_id=None)
    assert str(error).startswith("credentials: ")
    assert not shows_a_secret(f"{error!r} {error} {error.__cause__}")
    assert tuple(capfd.readouterr()) == ("", "")


def test_no_source_is_credentials_not_found():
    error = raised("CREDENTIALS_NOT_FOUND", access_key_id=None, credentials=None, profile=None)
    assert isinstance(error, rdsign.CredentialsError)
    assert "AWS_ACCESS_KEY_ID is not set" in str(error)


def test_a_source_that_does_not_answer_is_credentials_timeout(imds):
    imds.hold()
    error = raised("CREDENTIALS_TIMEOUT", access_key_id=None, credentials_timeout=0.2)
    assert isinstance(error, rdsign.CredentialsError)


def test_expired_keys_are_credentials_expired():
    expired = KEYS | {"expires_at": in_(-1)}
    assert isinstance(raised("CREDENTIALS_EXPIRED", credentials=lambda: expired), rdsign.CredentialsError)


@pytest.mark.parametrize("microseconds", [0, 1, 500_000, 999_999])
def test_no_token_is_returned_after_its_own_expiry(microseconds):
    end = NOON + timedelta(microseconds=microseconds)
    one = signer(credentials=lambda: KEYS | {"expires_at": end})
    before = NOON - timedelta(seconds=1)
    assert before < one.token(signing_time=before).expires_at <= end
    for moment in (NOON, end):
        with pytest.raises(rdsign.CredentialsError) as caught:
            one.token(signing_time=moment)
        assert caught.value.code == "CREDENTIALS_EXPIRED"


def test_two_sources_are_rejected():
    for other in ({"access_key_id": "akid", "secret_access_key": "secret"}, {"profile": "work"}):
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            signer(credentials=lambda: KEYS, **other)
        assert caught.value.code == "INVALID_CREDENTIALS"


# boto3 and botocore


def session_with(credentials):
    session = botocore.session.Session()
    session._credentials = credentials
    return boto3.Session(botocore_session=session, region_name="eu-central-1")


def test_boto3_and_botocore_sessions_sign_like_given_keys():
    session = boto3.Session("AKIASESSION", "a secret", "a token", region_name="eu-central-1")
    own = session._session
    expected = signer(access_key_id="AKIASESSION", secret_access_key="a secret", session_token="a token")
    for given in (session, own, session.get_credentials(), lambda: session.get_credentials()):
        token = signer(credentials=given).token(signing_time=NOON)
        assert token.value == expected.token(signing_time=NOON).value
        assert token.expires_at == NOON + timedelta(seconds=900)


def test_a_session_without_credentials_is_reported():
    error = raised("CREDENTIALS_FAILED", credentials=boto3.Session())
    assert "the session has no credentials" in str(error)
    assert isinstance(error.__cause__, LookupError)


@pytest.mark.parametrize("kind", [RefreshableCredentials, DeferredRefreshableCredentials])
def test_refreshable_credentials_are_refreshed_before_they_expire(kind):
    clock, made = [NOON], []

    def metadata():
        made.append(f"ASIAREFRESH{len(made)}")
        expiry = clock[0] + timedelta(hours=1)
        return {
            "access_key": made[-1],
            "secret_key": "a secret",
            "token": "a token",
            "expiry_time": expiry.isoformat(),
        }

    arguments = {"refresh_using": metadata, "method": "tests", "time_fetcher": lambda: clock[0]}
    if kind is RefreshableCredentials:
        first = metadata()
        expiry = datetime.fromisoformat(first["expiry_time"])
        arguments |= {
            "access_key": first["access_key"],
            "secret_key": "a secret",
            "token": "t",
            "expiry_time": expiry,
        }
    one = signer(credentials=session_with(kind(**arguments)))

    def token(minutes):
        clock[0] = NOON + timedelta(minutes=minutes)
        return one.token(signing_time=clock[0])

    assert signed_by(token(0)) == signed_by(token(40)) == "ASIAREFRESH0"
    # rdsign asks 15 to 18 minutes before the expiry; botocore refreshes in the last 15 minutes.
    assert {signed_by(token(minutes)) for minutes in range(46, 60)} == {"ASIAREFRESH1"}


def test_a_token_expires_with_botocore_s_credentials():
    expiry = NOON + timedelta(minutes=5)
    refuse = {
        "refresh_using": lambda: 1 / 0,
        "method": "tests",
        "time_fetcher": lambda: NOON,
        "mandatory_timeout": 0,
    }
    credentials = RefreshableCredentials("ASIAENDING", "a secret", "t", expiry, **refuse)
    assert signer(credentials=credentials).token(signing_time=NOON).expires_at == expiry


def test_a_session_whose_keys_always_expire_soon_is_asked_at_most_twice():
    """botocore refreshes such keys on each call, and never has any that it keeps."""
    made = []

    def metadata():
        assert len(made) < 100, "asked without end"
        made.append(NOON + timedelta(minutes=10, seconds=len(made)))
        key = f"ASIASHORT{len(made)}"
        return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": made[-1].isoformat()}

    credentials = DeferredRefreshableCredentials(metadata, "tests", time_fetcher=lambda: NOON)
    one = signer(credentials=session_with(credentials))
    token = one.token(signing_time=NOON)
    assert signed_by(token) == "ASIASHORT2"
    assert token.expires_at == made[0], "the earlier of the two"
    assert signed_by(one.token(signing_time=NOON)) == "ASIASHORT2"
    assert len(made) == 2


def test_credentials_without_an_expiry_are_read_again():
    """For example, a program may replace the keys of a session."""
    credentials = Credentials("AKIAFIRST", "a secret")
    one = signer(credentials=credentials)

    def token(seconds):
        with time_machine.travel(moment := NOON + timedelta(seconds=seconds), tick=False):
            token = one.token(signing_time=moment)
        assert token.expires_at == moment + timedelta(seconds=900), "no lifetime is cut short"
        return signed_by(token)

    assert token(0) == "AKIAFIRST"
    credentials.access_key = "AKIASECOND"
    assert [token(seconds) for seconds in range(0, 601, 20)][-1] == "AKIASECOND"


def test_keys_and_their_expiry_come_from_the_same_refresh():
    """Another thread may refresh the credentials between the two reads."""

    class Racing:
        _expiry_time = NOON + timedelta(seconds=60)
        reads = 0

        def get_frozen_credentials(self):
            self.reads += 1
            if self.reads == 1:
                frozen = ReadOnlyCredentials("ASIAOLD", "a secret", "t", None)
                self._expiry_time = NOON + timedelta(hours=2)
                return frozen
            return ReadOnlyCredentials("ASIANEW", "a secret", "t", None)

    token = signer(credentials=Racing()).token(signing_time=NOON)
    assert (signed_by(token), token.expires_at) == ("ASIANEW", NOON + timedelta(seconds=900))


def test_async_credentials_are_rejected_with_a_message():
    class Aio:
        async def get_frozen_credentials(self):
            raise AssertionError

    error = raised("CREDENTIALS_FAILED", credentials=Aio())
    assert "async" in str(error)


# Functions


@pytest.mark.parametrize(
    "keys",
    [
        KEYS,
        {
            "AccessKeyId": "AKIAFUNCTION",
            "SecretAccessKey": "a secret",
            "SessionToken": "a token",
            "Expiration": in_(3600),
        },
        {
            "AccessKeyId": "AKIAFUNCTION",
            "SecretAccessKey": "a secret",
            "Token": "a token",
            "Expiration": in_(3600).isoformat(),
        },
        {
            "AccessKeyId": "AKIAFUNCTION",
            "SecretAccessKey": "a secret",
            "SessionToken": "a token",
            "Version": 1,
        },
        KEYS | {"expires_at": f"{in_(3600):%Y-%m-%dT%H:%M:%SZ}"},
        KEYS | {"expires_at": None},
        ReadOnlyCredentials("AKIAFUNCTION", "a secret", "a token", None),
        Credentials("AKIAFUNCTION", "a secret", "a token"),
        SimpleNamespace(access_key="AKIAFUNCTION", secret_key="a secret", token="a token"),
    ],
    ids=range(9),
)
def test_a_function_may_return_keys_in_each_of_these_shapes(keys):
    expected = signer(access_key_id="AKIAFUNCTION", secret_access_key="a secret", session_token="a token")
    token = signer(credentials=lambda: keys).token(signing_time=NOON)
    assert token.value == expected.token(signing_time=NOON).value


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"access_key_id": "x"}, "secret_access_key is missing"),
        ({"AccessKeyId": "x"}, "SecretAccessKey is missing"),
        (KEYS | {"expires": in_(60)}, "'expires' is not a key's name; accepted: access_key_id, "),
        (KEYS | {"expires_at": 1724709600}, "accepted: an aware datetime"),
        (KEYS | {"expires_at": datetime.now()}, "has no time zone"),
        (KEYS | {"expires_at": "soon"}, "soon"),
        (KEYS | {"secret_access_key": 5}, "secret_access_key: has type int"),
        (("AKIA", "a secret"), "it returned tuple; accepted: a boto3"),
        (None, "it returned NoneType"),
        ("AKIA", "it returned str"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_invalid_return_value_of_a_function_is_reported(wrong, words):
    error = raised("CREDENTIALS_FAILED", credentials=lambda: wrong)
    assert words in str(error)
    assert "a secret" not in str(error) and "a token" not in str(error)


def test_an_async_function_is_rejected_with_a_message():
    async def keys():
        return KEYS

    assert "async" in str(raised("CREDENTIALS_FAILED", credentials=keys))


def test_invalid_keys_of_a_function_are_an_invalid_request():
    error = raised("INVALID_CREDENTIALS", credentials=lambda: KEYS | {"secret_access_key": "a\nsecret"})
    assert isinstance(error, rdsign.InvalidRequestError)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "wrong", [5, "AKIA", KEYS, boto3.Session, object()], ids=lambda wrong: type(wrong).__name__
)
def test_credentials_of_the_wrong_type_raise_type_error_at_once(wrong):
    with pytest.raises(TypeError, match="^credentials: has type .*; accepted: a boto3 or botocore Session"):
        signer(credentials=wrong)


def test_a_function_is_called_lazily_and_not_again_while_its_keys_are_valid():
    calls = []
    one = signer(credentials=lambda: calls.append(1) or KEYS)
    assert calls == []
    for _ in range(10):
        one.password()
    assert len(calls) == 1


def test_a_function_is_called_again_before_its_keys_expire():
    calls = []

    def keys():
        calls.append(1)
        return KEYS | {"access_key_id": f"ASIA{len(calls)}", "expires_at": NOON + timedelta(hours=len(calls))}

    one = signer(credentials=keys)
    assert signed_by(one.token(signing_time=NOON)) == "ASIA1"
    assert signed_by(one.token(signing_time=NOON + timedelta(minutes=41))) == "ASIA1"
    assert signed_by(one.token(signing_time=NOON + timedelta(minutes=46))) == "ASIA2"


def test_an_exception_of_a_function_is_the_cause():
    class Sealed(Exception):
        pass

    def keys():
        raise Sealed("the vault is sealed")

    error = raised("CREDENTIALS_FAILED", credentials=keys)
    assert str(error).endswith("failed: Sealed: the vault is sealed")
    assert type(error.__cause__) is Sealed
    assert error.__cause__.__traceback__.tb_next is not None


def test_a_failure_does_not_affect_the_next_call():
    outcomes = [ValueError("not yet"), KEYS]

    def keys():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    one = signer(credentials=keys)
    with pytest.raises(rdsign.CredentialsError):
        one.token()
    assert one.token()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_exceptions_that_end_a_program_are_raised_unchanged(kind):
    def keys():
        raise kind

    with pytest.raises(kind):
        signer(credentials=keys).token()


def test_ctrl_c_during_a_refresh_is_raised():
    """Even if the old keys are still valid."""

    def keys():
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return KEYS | {"expires_at": NOON + timedelta(minutes=10)}

    calls = []
    one = signer(credentials=keys)
    one.token(signing_time=NOON)
    with pytest.raises(KeyboardInterrupt):
        one.token(signing_time=NOON + timedelta(minutes=5))


def test_ctrl_c_during_a_wait_in_rust_is_raised(imds):
    imds.hold()
    one = signer(access_key_id=None)

    def interrupt():
        imds.wait_until("self.held == 1")
        os.kill(os.getpid(), signal.SIGINT)
        imds.release()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        one.token()
    thread.join()


def test_other_threads_run_while_one_waits(imds):
    imds.hold()
    one = signer(access_key_id=None)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(one.token()))
    thread.start()
    # This thread can run only if the waiting one has released the interpreter's lock.
    imds.wait_until("self.held == 1")
    assert one.ready_token() is None
    imds.release()
    thread.join()
    assert signed_by(outcome[0]) == imds.last().access_key_id
    assert one.ready_token() is not None


def test_a_function_that_uses_its_own_signer_times_out():
    def keys():
        one.token()

    one = signer(credentials=keys, credentials_timeout=0.1)
    with pytest.raises(rdsign.CredentialsError) as caught:
        one.token()
    assert caught.value.__cause__.code == "CREDENTIALS_TIMEOUT"


def test_a_function_may_use_another_signer():
    inner = signer(credentials=lambda: 1 / 0)

    def keys():
        with pytest.raises(rdsign.CredentialsError):
            inner.token()
        return KEYS

    assert signed_by(signer(credentials=keys).token()) == "AKIAFUNCTION"


def test_an_object_and_its_own_signer_are_collected():
    class Database:
        def __init__(self):
            self.signer = signer(credentials=self.keys)

        def keys(self):
            return KEYS

    database = Database()
    assert database.signer.password()
    gone = weakref.ref(database)
    del database
    gc.collect()
    assert gone() is None


def test_a_function_is_freed_with_its_signer():
    class Keys:
        def __call__(self):
            return KEYS

    keys = Keys()
    gone = weakref.ref(keys)
    one = signer(credentials=keys)
    one.password()
    del keys, one
    assert gone() is None
