"""Each code in tests/codes.tsv is raised, by the exception class of its kind."""

import pytest
import rdsign
from conftest import NOON, signer
from harness import contract

CLASSES = {
    "request": rdsign.InvalidRequestError,
    "credentials": rdsign.CredentialsError,
    "internal": rdsign.Error,
}
EXPIRED = {"access_key_id": "akid", "secret_access_key": "secret", "expires_at": NOON}

# How to cause each code: the options of a signer that signs a token. INTERNAL is missing, because no
# input causes it.
WAYS = {
    "INVALID_HOSTNAME": {"hostname": ""},
    "INVALID_PORT": {"port": 0},
    "INVALID_USERNAME": {"username": ""},
    "INVALID_REGION": {"region": "EU"},
    "REGION_REQUIRED": {"hostname": "localhost"},
    "REGION_MISMATCH": {"region": "eu-west-1"},
    "INVALID_CREDENTIALS": {"access_key_id": "", "secret_access_key": "secret"},
    "INVALID_EXPIRES_IN": {"expires_in": 901},
    "SERVICE_MISMATCH": {"service": "dsql"},
    "INVALID_SIGNING_TIME": {"signing_time": NOON.replace(year=1969)},
    "CREDENTIALS_NOT_FOUND": {"access_key_id": None},
    "CREDENTIALS_EXPIRED": {"credentials": lambda: EXPIRED},
    "CREDENTIALS_FAILED": {"credentials": lambda: None},
    "CREDENTIALS_TIMEOUT": {"access_key_id": None, "credentials_timeout": 0.2},
}

KINDS = {code: kind for code, _, kind in contract("codes") if kind != "c"}


@pytest.mark.parametrize("code, kind", KINDS.items())
def test_each_code_is_raised_by_the_class_of_its_kind(code, kind, request):
    if code == "INTERNAL":
        error = rdsign.Error("text")
    else:
        if code == "CREDENTIALS_TIMEOUT":
            request.getfixturevalue("imds").hold()
        options = dict(WAYS[code])
        time = options.pop("signing_time", None)
        with pytest.raises(rdsign.Error) as caught:
            signer(**options).token(signing_time=time)
        error = caught.value
    assert (error.code, type(error)) == (code, CLASSES[kind])


def test_all_classes_derive_from_error_and_invalid_request_also_from_value_error():
    assert all(issubclass(kind, rdsign.Error) for kind in CLASSES.values())
    assert [issubclass(kind, ValueError) for kind in CLASSES.values()] == [True, False, False]
