"""Compares `rdsign.generate_db_auth_token` with the method of boto3's RDS client: the same arguments,
and the same bytes for 1,000 random requests at the same time. Does the same for the two methods of the
DSQL client."""

import inspect
import random
from datetime import datetime, timedelta, timezone

import boto3
import pytest
import rdsign
import time_machine
from conftest import HOSTNAME, NOON, signed_by

REQUESTS = 1000


@pytest.fixture
def keys(monkeypatch):
    """A function that sets the keys in the environment."""

    def keys(access_key_id="AKIAENVIRONMENT", secret_access_key="a secret", session_token=None):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_access_key)
        if session_token is None:
            monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        else:
            monkeypatch.setenv("AWS_SESSION_TOKEN", session_token)

    keys()
    return keys


def client(service="rds", **options):
    return boto3.Session(region_name="eu-central-1", **options).client(service)


def without_time(token):
    """Returns the parts of a token that do not depend on the time."""
    return token.partition("X-Amz-Date=")[0], len(token)


def test_its_parameters_are_boto3_s(keys):
    theirs = inspect.signature(client().generate_db_auth_token).parameters
    ours = inspect.signature(rdsign.generate_db_auth_token).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]
    assert [p.kind for p in ours.values()] == [p.kind for p in theirs.values()]


def test_its_tokens_are_boto3_s(keys):
    arguments = (HOSTNAME, 5432, "iam_user", "eu-central-1")
    names = ("DBHostname", "Port", "DBUsername", "Region")
    own = rdsign.generate_db_auth_token(*arguments)
    theirs = client().generate_db_auth_token(*arguments)
    for token in (own, rdsign.generate_db_auth_token(**dict(zip(names, arguments, strict=True)))):
        assert type(token) is str
        assert without_time(token) == without_time(theirs)
    assert without_time(rdsign.generate_db_auth_token(*arguments[:3])) == without_time(theirs)


def test_a_port_may_be_text_as_in_aws_s_examples(keys):
    own = rdsign.generate_db_auth_token(HOSTNAME, "5433", "iam_user")
    assert without_time(own) == without_time(client().generate_db_auth_token(HOSTNAME, "5433", "iam_user"))


@pytest.mark.parametrize("wrong", ["", "05432", " 5432", "+5432", "5432.0", "x", "٥٤٣٢", 5432.0, True, None])
def test_an_invalid_port_that_boto3_would_sign_is_rejected(wrong, keys):
    assert rdsign.generate_db_auth_token(HOSTNAME, 5432, "iam_user")
    assert rdsign.generate_db_auth_token(HOSTNAME, 1, "iam_user")
    with pytest.raises(TypeError, match="^(port|Port): "):
        rdsign.generate_db_auth_token(HOSTNAME, wrong, "iam_user")


@pytest.mark.parametrize("wrong", [0, 65536, "0", "65536", "9" * 3000, 10**50])
def test_a_port_out_of_range_is_rejected(wrong, keys):
    with pytest.raises((rdsign.InvalidRequestError, TypeError), match="^(port|Port): "):
        rdsign.generate_db_auth_token(HOSTNAME, wrong, "iam_user")


def test_a_change_of_the_environment_takes_effect(keys):
    assert signed_by(rdsign.generate_db_auth_token(HOSTNAME, 5432, "iam_user")) == "AKIAENVIRONMENT"
    keys("AKIAROTATED")
    assert signed_by(rdsign.generate_db_auth_token(HOSTNAME, 5432, "iam_user")) == "AKIAROTATED"
    keys("AKIAROTATED", session_token="a token")
    assert "Security-Token=a%20token" in rdsign.generate_db_auth_token(HOSTNAME, 5432, "iam_user")


def test_credentials_are_cached_between_calls(imds):
    for _ in range(3):
        token = rdsign.generate_db_auth_token(HOSTNAME, 5432, "iam_user")
        assert signed_by(token) == imds.last().access_key_id
    assert imds.count() == 1


def test_the_cache_of_signers_is_bounded(keys):
    for number in range(600):
        host = f"db{number}.abc123.eu-central-1.rds.amazonaws.com"
        assert rdsign.generate_db_auth_token(host, 5432, "iam_user").startswith(host)
    assert len(rdsign._signers) <= 256


CLUSTER = "4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws"
of_dsql = pytest.mark.parametrize(
    "name", ["generate_db_connect_auth_token", "generate_db_connect_admin_auth_token"]
)


@of_dsql
def test_the_functions_for_dsql_have_boto3_s_parameters_and_tokens(name, keys):
    ours, theirs = getattr(rdsign, name), getattr(client("dsql"), name)
    own, others = (list(inspect.signature(function).parameters.values()) for function in (ours, theirs))
    assert [(p.name, p.default, p.kind) for p in own] == [(p.name, p.default, p.kind) for p in others]
    for arguments in [(CLUSTER,), (CLUSTER, "eu-central-1"), (CLUSTER, None, 604_800)]:
        assert without_time(ours(*arguments)) == without_time(theirs(*arguments))
    names = {"Hostname": "db.example.com", "Region": "us-east-1", "ExpiresIn": 60}
    assert without_time(ours(**names)) == without_time(theirs(**names))


@of_dsql
def test_the_functions_for_dsql_reject_the_endpoint_of_rds_and_a_lifetime_over_a_week(name, keys):
    for arguments, code in [
        ((HOSTNAME,), "SERVICE_MISMATCH"),
        ((CLUSTER, None, 604_801), "INVALID_EXPIRES_IN"),
    ]:
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            getattr(rdsign, name)(*arguments)
        assert caught.value.code == code


# The differential test

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
ODD = "AZ09-_.~ !\"#$%&'()*+,/:;<=>?@[\\]^`{|}éß中文🔑\u2028\u0301"
REGIONS = ["us-east-1", "eu-central-1", "ap-northeast-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"]
BASE64 = LETTERS + LETTERS.upper() + "+/="


def text(pick, characters, longest):
    return "".join(pick.choices(characters, k=pick.randint(1, longest)))


def random_request(pick):
    """Makes a request with its keys. rdsign accepts most of them."""
    region = pick.choice(REGIONS)
    name = text(pick, LETTERS, 20) + "." + text(pick, LETTERS, 12)
    hostname = pick.choice(
        [
            f"{name}.{region}.rds.amazonaws.com",
            f"{name}.{region.upper()}.RDS.amazonaws.com.",
            f"{name}.cluster-ro-abc.{region}.rds.amazonaws.com",
            f"{name}.example.com",
            text(pick, LETTERS.upper() + "_-", 30),
            "127.0.0.1",
            "[2001:DB8::1]",
        ]
    )
    return {
        "hostname": hostname,
        "port": pick.choice([5432, 443, 80, 1, 65535, pick.randint(1, 65535)]),
        "username": text(pick, pick.choice([LETTERS, ODD]), 63),
        "region": region,
        # A letter first: rdsign refuses keys of blanks alone.
        "access_key_id": "A" + text(pick, pick.choice([LETTERS.upper(), ODD]), 19),
        "secret_access_key": "x" + text(pick, pick.choice([BASE64, ODD]), 79),
        "session_token": pick.choice([None, "x" + text(pick, BASE64, 1200), "x" + text(pick, ODD, 50)]),
    }


def test_1000_random_requests_give_the_same_bytes():
    seed = random.randrange(2**32)
    print("seed:", seed)
    pick = random.Random(seed)
    session = boto3.Session(region_name="us-east-1")
    rds = session.client("rds", aws_access_key_id="x", aws_secret_access_key="x")
    credentials = rds._request_signer._credentials
    accepted = 0
    while accepted < REQUESTS:
        request = random_request(pick)
        moment = NOON + timedelta(seconds=pick.randrange(-(10**9), 3 * 10**9))
        try:
            token = rdsign.Signer(**request).token(signing_time=moment).value
        except rdsign.InvalidRequestError:
            assert request["hostname"][0] in "-_" or request["hostname"][-1] in "-_", request
            continue
        keys = (request["access_key_id"], request["secret_access_key"], request["session_token"])
        credentials.access_key, credentials.secret_key, credentials.token = keys
        with time_machine.travel(moment, tick=False):
            theirs = rds.generate_db_auth_token(
                DBHostname=request["hostname"],
                Port=request["port"],
                DBUsername=request["username"],
                Region=request["region"],
            )
        assert token == theirs, request
        accepted += 1


def test_boto3_uses_the_frozen_clock():
    """Otherwise the differential test would prove nothing."""
    with time_machine.travel(NOON, tick=False):
        token = client(aws_access_key_id="x", aws_secret_access_key="y").generate_db_auth_token("h", 1, "u")
    assert "X-Amz-Date=20240826T220000Z" in token
    assert datetime.now(timezone.utc) > NOON
