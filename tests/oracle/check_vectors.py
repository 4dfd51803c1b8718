"""Compares tests/vectors.tsv with boto3, the reference for tokens.

For each line with a token, boto3's own `generate_db_auth_token`, or for DSQL
`generate_db_connect_auth_token` or `generate_db_connect_admin_auth_token`, computes the token again under a
frozen clock, without a network, and the bytes are compared. With `--write`, the tokens in the file are replaced
instead. boto3 signs most inputs that rdsign rejects, so it cannot check lines with an error: only their
form is checked here, and they do not count as passed. An empty session token is the same as a missing
one, so boto3 must get None for it. For each partition that botocore knows, a line must have a host name of
its domain.

    pip install -r requirements.txt && python check_vectors.py
"""

import argparse
import os
import re
import sys
from collections import Counter
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any
from unittest import mock

# With awscrt installed, as for other tests, botocore would sign with a clock that nothing here controls.
os.environ["BOTO_DISABLE_CRT"] = "true"

import boto3
import time_machine

VECTORS = Path(__file__).resolve().parent.parent / "vectors.tsv"
# The codes of invalid requests, in tests/codes.tsv.
CODES = {
    code
    for code, _, kind in (
        line.split("	")
        for line in VECTORS.with_name("codes.tsv").read_text().splitlines()
        if line and not line.startswith("#")
    )
    if kind == "request"
}
FEWEST_LINES = 120

NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
ESCAPE = re.compile(r"\\(?:x([0-7][0-9a-f])|([tnr\\]))")
FIELD = re.compile(rf"(?:[^\\\x00-\x1f\x7f]|{ESCAPE.pattern})*")

Vector = dict[str, str | None]

# As AWS's connectors find it: https://github.com/awslabs/aurora-dsql-connectors, go/pgx/dsql/util.go.
REGION_IN_DSQL_HOSTNAME = re.compile(r"[^.]\.dsql[^.]*\.([^.]+)\.on\.aws\.?\Z", re.IGNORECASE)
# In the names of RDS endpoints, the region is before or after the label of the service.
REGION_IN_HOSTNAME = re.compile(
    r"""[^.]\.
    (?: (?P<before>[a-z]+(-[a-z]+)+-[0-9]+)\.rds(-fips)?
      | rds(-fips)?\.(?P<after>[a-z]+(-[a-z]+)+-[0-9]+) )
    \.(?P<domain> amazonaws\.(com(\.cn)?|eu|au|uk) | c2s\.ic\.gov | sc2s\.sgov\.gov | cloud\.adc-e\.uk
      | csp\.hci\.ic\.gov )\.?\Z""",
    re.IGNORECASE | re.VERBOSE,
)


def unescape(field: str) -> str | None:
    """Reads a field of PostgreSQL's COPY text format."""
    if field == r"\N":
        return None
    if not FIELD.fullmatch(field):
        raise ValueError(f"invalid escapes in the field {field!r}")
    named = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else named[m[2]], field)


def parse(columns: list[str], line: str) -> Vector:
    """Reads a line into a dict by column. Raises ValueError if it is invalid."""
    vector = dict(zip(columns, map(unescape, line.split("\t")), strict=True))
    if not NAME.fullmatch(vector["name"] or ""):
        raise ValueError("the name is not in snake_case")
    if (vector["error"] is None) == (vector["token"] is None):
        raise ValueError("needs either an error or a token")
    if vector["error"] is not None and vector["error"] not in CODES:
        raise ValueError(f"{vector['error']} is not an error code of a request")
    return vector


@cache
def shared_session() -> Any:
    """Returns one session for all keys, which does not read the machine's AWS settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for name in "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE":
        os.environ[name] = os.devnull
    return boto3.Session(region_name="us-east-1")


@cache
def client_of(service: str, key_id: str, secret: str, session_token: str | None) -> Any:
    """Returns the client of a service that signs with these keys."""
    return shared_session().client(
        service,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=session_token,
    )


def place_of(vector: Vector) -> tuple[str, str]:
    """Returns the service and the region of a line."""
    hostname = vector["hostname"] or ""
    if match := REGION_IN_DSQL_HOSTNAME.search(hostname):
        return "dsql", match[1].lower()
    service = vector["service"] or "rds"
    if vector["region"] is not None:
        return service, vector["region"]
    match = REGION_IN_HOSTNAME.search(hostname)
    if match is None:
        raise ValueError(f"the region is missing, and {hostname} has none")
    return service, (match["before"] or match["after"]).lower()


def token_from_boto3(vector: Vector) -> str:
    """Returns boto3's token for a line, at the line's signing time."""
    given = {column: value or "" for column, value in vector.items()}
    session_token = given["session_token"] or None
    service, region = place_of(vector)
    client = client_of(service, given["access_key_id"], given["secret_access_key"], session_token)
    # boto3 always asks its request signer for 900 seconds, so change only this argument.
    signer = client._request_signer
    sign = signer.generate_presigned_url
    lifetime = {"expires_in": int(given["expires_in"] or 900)}
    with (
        mock.patch.object(signer, sign.__name__, lambda **k: sign(**k | lifetime)),
        time_machine.travel(int(given["signing_time"]), tick=False),
    ):
        if service == "dsql":
            of_admin = client.generate_db_connect_admin_auth_token
            of_others = client.generate_db_connect_auth_token
            generate = of_admin if given["username"] == "admin" else of_others
            return str(generate(given["hostname"], region, lifetime["expires_in"]))
        return str(
            client.generate_db_auth_token(
                DBHostname=given["hostname"],
                Port=int(given["port"] or 5432),
                DBUsername=given["username"],
                Region=region,
            )
        )


def partitions_without_a_vector(vectors: list[Vector]) -> list[str]:
    """Lists the partitions of botocore that have no token whose region is found in the host name."""
    loader = boto3.Session()._session.get_component("data_loader")
    matches = [
        REGION_IN_HOSTNAME.search(vector["hostname"] or "")
        for vector in vectors
        if vector["token"] is not None and vector["region"] is None
    ]
    found = [((m["before"] or m["after"]).lower(), m["domain"].lower()) for m in matches if m]
    return [
        partition["id"]
        for partition in loader.load_data("partitions")["partitions"]
        if not any(
            re.fullmatch(partition["regionRegex"], region) and domain == partition["outputs"]["dnsSuffix"]
            for region, domain in found
        )
    ]


def differences(kept: str, computed: str) -> str:
    """Lists the parts in which two tokens differ: host and port, and each parameter."""
    fields = [re.split("/[?]|&", token) for token in (kept, computed)]
    pairs = zip_longest(*fields, fillvalue="nothing")
    return "".join(f"\n  kept:  {a}\n  boto3: {b}" for a, b in pairs if a != b)


def main() -> int:
    """Checks the file or rewrites its tokens. Returns 1 if there is an error."""
    parser = argparse.ArgumentParser(description="Compare vectors.tsv with boto3.")
    parser.add_argument("--write", action="store_true", help="replace the tokens")
    write = parser.parse_args().write

    passed, faults = 0, []
    names: Counter[str] = Counter()
    codes, vectors = set(), []
    # Not splitlines(): a user name may contain other line separators of Unicode.
    lines = VECTORS.read_bytes().decode().removesuffix("\n").split("\n")
    header, *numbers = [n for n, line in enumerate(lines) if not line.startswith("#")]
    columns = lines[header].split("\t")
    for n in numbers:
        name = lines[n].partition("\t")[0]
        names[name] += 1
        try:
            vector = parse(columns, lines[n])
            codes.add(vector["error"])
            vectors.append(vector)
            if vector["token"] is None:
                continue
            token = token_from_boto3(vector)
            if write:
                lines[n] = lines[n].rpartition("\t")[0] + "\t" + token
            elif vector["token"] != token:
                raise ValueError("differs from boto3's" + differences(vector["token"], token))
            passed += 1
        except ValueError as error:
            faults.append(f"line {n + 1}, {name}: {error}")
    faults += [f"{k} lines have the name {name}" for name, k in names.items() if k > 1]
    faults += [f"no line has a host name of {id}" for id in partitions_without_a_vector(vectors)]
    faults += [f"no line has the error {code}" for code in sorted(CODES - codes)]
    if len(numbers) < FEWEST_LINES:
        faults.append(f"{len(numbers)} lines, fewer than {FEWEST_LINES}")
    if write:
        VECTORS.write_bytes(("\n".join(lines) + "\n").encode())
    print(*faults, f"{passed} passed, {len(faults)} failed", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
