"""Each line of tests/vectors.tsv gives its token, byte for byte, or its error code."""

import re
from datetime import datetime, timedelta, timezone

import pytest
import rdsign
from common import REPOSITORY

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ESCAPE = re.compile(r"\\(?:x([0-7][0-9a-f])|([tnr\\]))")


def unescape(field):
    """Decodes a field of PostgreSQL's COPY text format. `\\N` becomes None."""
    if field == r"\N":
        return None
    named = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else named[match[2]], field)


def vectors():
    lines = (REPOSITORY / "tests/vectors.tsv").read_bytes().decode().removesuffix("\n").split("\n")
    columns, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [dict(zip(columns, map(unescape, row), strict=True)) for row in rows]


def answer(vector):
    """Returns the token of a vector, or the code of its error."""
    numbers = {"port", "expires_in"}
    others = {"name", "signing_time", "error", "token"}
    options = {k: int(v) if k in numbers and v else v for k, v in vector.items() if k not in others}
    # Omits missing values, so that the defaults apply.
    options = {k: v for k, v in options.items() if v is not None}
    try:
        signer = rdsign.Signer(**options)
        try:
            time = EPOCH + timedelta(seconds=int(vector["signing_time"]))
        except OverflowError:
            return "INVALID_SIGNING_TIME"  # no datetime has that year
        return signer.token(signing_time=time).value
    except rdsign.InvalidRequestError as error:
        return error.code


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_vector(vector):
    assert answer(vector) == (vector["token"] or vector["error"])


def test_there_are_vectors_of_both_kinds():
    tokens = [vector for vector in vectors() if vector["token"]]
    assert len(tokens) > 100 and len(vectors()) - len(tokens) > 100
