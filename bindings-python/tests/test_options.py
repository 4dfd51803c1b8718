"""The options of Signer. A wrong type raises TypeError; a wrong value raises an error with core's
code and message."""

import inspect
import sys
from datetime import datetime, timedelta, timezone
from enum import IntEnum

import pytest
import rdsign
from conftest import HOSTNAME, NOON, signer

TEXTS = [
    "hostname",
    "username",
    "region",
    "service",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "profile",
    "role_arn",
    "external_id",
    "role_session_name",
]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("wrong", [5, b"bytes", ["list"], object()], ids=lambda wrong: type(wrong).__name__)
def test_a_text_of_the_wrong_type_raises_a_type_error_that_names_the_option(name, wrong):
    with pytest.raises(TypeError, match=f"^{name}: has type {type(wrong).__name__}; accepted: a str$"):
        rdsign.Signer(**({"hostname": HOSTNAME, "username": "x"} | {name: wrong}))


@pytest.mark.parametrize("name", ["port", "expires_in"])
@pytest.mark.parametrize("wrong", [True, False, "5432", 5432.0, 5432.7, b"1", object()], ids=repr)
def test_a_number_of_the_wrong_type_raises_a_type_error_that_names_the_option(name, wrong):
    with pytest.raises(TypeError, match=f"^{name}: has type {type(wrong).__name__}; accepted: an int$"):
        signer(**{name: wrong})


@pytest.mark.parametrize("wrong", [True, "5", object(), timedelta(seconds=1)], ids=repr)
def test_a_timeout_of_the_wrong_type_raises_a_type_error(wrong):
    with pytest.raises(TypeError, match="^credentials_timeout: .* accepted: a number of seconds$"):
        signer(credentials_timeout=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 0.0, -1e300, float("nan"), -float("inf"), -(10**400)])
def test_a_timeout_that_is_not_positive_is_rejected(wrong):
    with pytest.raises(rdsign.InvalidRequestError, match="credentials timeout") as caught:
        signer(credentials_timeout=wrong)
    assert caught.value.code == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("long", [5, 0.001, 1e300, float("inf"), 10**400, None])
def test_a_timeout_has_no_maximum(long):
    assert signer(credentials_timeout=long).password()


@pytest.mark.parametrize("name, code", [("port", "INVALID_PORT"), ("expires_in", "INVALID_EXPIRES_IN")])
@pytest.mark.parametrize(
    "huge",
    [0, -1, 65536, 2**31, 2**32 + 5, 2**63 - 1, 2**63, -(2**63) - 1, 2**64 + 900, 10**30, 10**5000],
    ids=lambda huge: f"{huge.bit_length()} bits",
)
def test_integers_out_of_range_are_rejected_and_never_truncated(name, code, huge):
    with pytest.raises(rdsign.InvalidRequestError, match=f"^{name.replace('_', ' ')}: ") as caught:
        signer(**{name: huge})
    assert caught.value.code == code
    assert len(str(caught.value)) < 250


def test_integers_of_other_classes_are_integers():
    class Port(IntEnum):
        POSTGRESQL = 5433

    class Like:
        def __index__(self):
            return 5433

    assert signer(port=Port.POSTGRESQL).port == signer(port=Like()).port == 5433


def test_a_lone_surrogate_is_rejected_in_every_field_with_its_code():
    codes = {"hostname": "INVALID_HOSTNAME", "username": "INVALID_USERNAME", "region": "INVALID_REGION"}
    keys = dict.fromkeys(("access_key_id", "secret_access_key", "session_token"), "INVALID_CREDENTIALS")
    for name, code in (codes | keys).items():
        given = {"access_key_id": "akid", "secret_access_key": "secret"} | {name: "a\ud800b"}
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            signer(**given)
        assert caught.value.code == code
        assert str(caught.value).encode()  # the message can be printed


def test_the_first_code_is_raised_if_several_options_are_invalid():
    wrong = {"port": 0, "username": "a\0b", "region": "?", "expires_in": 0}
    codes = ["INVALID_PORT", "INVALID_USERNAME", "INVALID_REGION", "INVALID_EXPIRES_IN"]
    for name, code in zip(list(wrong), codes, strict=True):
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            signer(**wrong)
        assert caught.value.code == code
        del wrong[name]


@pytest.mark.parametrize("name", ["hostname", "username", "secret_access_key"])
def test_nul_is_rejected(name):
    given = {"access_key_id": "akid", "secret_access_key": "secret"} | {name: "a\0b"}
    with pytest.raises(rdsign.InvalidRequestError):
        signer(**given)


def test_options_are_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        rdsign.Signer(HOSTNAME, "iam_user")
    with pytest.raises(TypeError, match="unexpected keyword argument 'host'"):
        signer(host="x")
    with pytest.raises(TypeError, match="username"):
        rdsign.Signer(hostname=HOSTNAME)


def test_none_is_the_same_as_omitting_an_option_and_help_shows_the_defaults():
    shown = inspect.signature(rdsign.Signer).parameters
    assert (shown["port"].default, shown["expires_in"].default) == (5432, 900)
    names = [
        name for name in shown if name not in ("hostname", "username", "access_key_id", "secret_access_key")
    ]
    none = signer(access_key_id="akid", secret_access_key="secret", **dict.fromkeys(names))
    given = signer(access_key_id="akid", secret_access_key="secret", port=5432, expires_in=900)
    assert none.token(signing_time=NOON).value == given.token(signing_time=NOON).value
    assert all(shown[name].kind is inspect.Parameter.KEYWORD_ONLY for name in shown)


def test_the_region_comes_from_the_host_name_or_the_environment(monkeypatch):
    with pytest.raises(rdsign.InvalidRequestError) as caught:
        signer(hostname="db.example.com")
    assert caught.value.code == "REGION_REQUIRED"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert signer(hostname="db.example.com").region == "eu-west-3"
    assert signer().region == "eu-central-1"
    with pytest.raises(rdsign.InvalidRequestError) as caught:
        signer(region="eu-west-3")
    assert caught.value.code == "REGION_MISMATCH"


@pytest.mark.parametrize("wrong", [1724709600, 1724709600.0, "2024-08-26T22:00:00Z", NOON.date()], ids=repr)
def test_a_signing_time_of_the_wrong_type_raises_a_type_error(wrong):
    with pytest.raises(TypeError, match="^signing_time: .* accepted: an aware datetime$"):
        signer().token(signing_time=wrong)


def test_a_signing_time_without_a_time_zone_is_rejected():
    with pytest.raises(rdsign.InvalidRequestError, match="has no time zone") as caught:
        signer().token(signing_time=NOON.replace(tzinfo=None))
    assert caught.value.code == "INVALID_SIGNING_TIME"


def test_a_signing_time_may_be_in_any_zone_and_its_fraction_is_dropped():
    token = signer().token(signing_time=NOON).value
    late = NOON.replace(microsecond=999_999).astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert signer().token(signing_time=late).value == token
    last = datetime.max.replace(tzinfo=timezone.utc)
    assert "X-Amz-Date=99991231T235959Z" in signer().token(signing_time=last).value
    before = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
    with pytest.raises(rdsign.InvalidRequestError) as caught:
        signer().token(signing_time=before)
    assert caught.value.code == "INVALID_SIGNING_TIME"


def test_repr_shows_the_endpoint_and_no_keys():
    one = signer(access_key_id="AKIDSECRETLY", secret_access_key="hidden", session_token="hidden too")
    expected = f"rdsign.Signer(hostname='{HOSTNAME}', port=5432, username='iam_user', region='eu-central-1')"
    assert repr(one) == str(one) == expected
    assert (one.hostname, one.port, one.username, one.region) == (HOSTNAME, 5432, "iam_user", "eu-central-1")
    assert not hasattr(one, "__dict__")
    with pytest.raises(AttributeError):
        one.username = "other"
    assert sys.getsizeof(one) < 200
