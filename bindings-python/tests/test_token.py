"""A token is a password: only `value` shows its text."""

import copy
import logging
import pickle
from datetime import datetime, timedelta, timezone

import pytest
import rdsign
from conftest import NOON, signer

SHOWN = "<rdsign.Token, redacted, until 2024-08-26T22:15:00Z>"


@pytest.fixture
def token():
    return signer().token(signing_time=NOON)


def test_value_is_the_token_s_text(token):
    assert token.value.startswith(
        "mydb.abc123.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=iam_user&"
    )
    assert type(token.value) is str


def test_it_cannot_be_printed_by_accident(token, caplog):
    logging.getLogger().warning("connecting with %s", token)
    texts = [
        str(token),
        repr(token),
        f"{token}",
        f"{token!r}",
        f"{token!s:}",
        format(token, ">60"),
        "%s" % token,  # noqa: UP031
    ]
    texts += [
        f"{token}",
        str([token]),
        str({"token": token}),
        caplog.messages[0].partition("with ")[2],
    ]
    for text in texts:
        assert SHOWN in text
        assert "X-Amz" not in text


def test_it_cannot_be_pickled_or_copied(token):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot pickle an rdsign.Token: it is a password"):
            pickle.dumps(token, protocol)
    for copied in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="it is a password"):
            copied(token)


def test_it_cannot_be_constructed_or_changed(token):
    with pytest.raises(TypeError):
        rdsign.Token()
    with pytest.raises(AttributeError):
        token.value = "x"
    with pytest.raises(AttributeError):
        token.note = "x"
    with pytest.raises(TypeError):
        type("Sub", (rdsign.Token,), {})


def test_tokens_are_compared_by_identity(token):
    again = signer().token(signing_time=NOON)
    assert again.value == token.value
    assert again != token and token == token


def test_expires_at_is_an_aware_datetime_in_utc(token):
    assert token.expires_at == NOON + timedelta(seconds=900)
    assert token.expires_at.tzinfo is timezone.utc
    assert signer(expires_in=60).token(signing_time=NOON).expires_at == NOON + timedelta(seconds=60)


def test_expires_at_is_the_expiry_of_the_credentials_if_that_is_earlier():
    expiry = NOON + timedelta(seconds=120)
    keys = {"access_key_id": "akid", "secret_access_key": "secret", "expires_at": expiry}
    assert signer(credentials=lambda: keys).token(signing_time=NOON).expires_at == expiry


def test_expires_at_after_the_last_datetime_raises_overflow_error():
    last = signer().token(signing_time=datetime.max.replace(tzinfo=timezone.utc))
    assert "redacted" in repr(last)
    with pytest.raises(OverflowError):
        _ = last.expires_at


def test_a_token_outlives_its_signer():
    token = signer().token()
    assert token.value and token.expires_at > datetime.now(timezone.utc)


def test_a_signer_cannot_be_pickled_and_its_copy_is_itself():
    one = signer()
    with pytest.raises(TypeError, match="cannot pickle an rdsign.Signer: it may contain keys"):
        pickle.dumps(one)
    assert copy.copy(one) is one
    assert copy.deepcopy({"signer": one})["signer"] is one


def test_an_error_can_be_pickled():
    with pytest.raises(rdsign.InvalidRequestError) as caught:
        signer(port=0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.code, str(again)) == (
        rdsign.InvalidRequestError,
        "INVALID_PORT",
        str(caught.value),
    )


def test_token_async_waits_in_asyncio_only():
    """trio and curio drive coroutines like this, without a loop of asyncio."""

    def drive(one):
        try:
            one.token_async().send(None)
        except StopIteration as done:
            return done.value

    assert drive(signer()).value
    with pytest.raises(RuntimeError, match=r"^token_async\(\) can wait for credentials in asyncio only; .*"):
        drive(signer(credentials=lambda: {"access_key_id": "akid", "secret_access_key": "secret"}))
