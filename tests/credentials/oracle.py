"""Runs a situation through botocore and through rdsign, and compares the keys and requests of both.

Both get the same files below the same home, the same environment, and a fake AWS that hands out keys
in the same order. Values that differ between runs are replaced by their meaning: `sts 1` is the first
key that STS handed out.
"""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from aws_proxy import Authority, AwsProxy
from common import BOUND, NO_AWS
from fake_aws import FakeAws, Request
from machine import PROBE
from situations import Situation
from situations.purposes import as_if
from situations.situation import MARK

BOTOCORE = Path(__file__).with_name("botocore_side.py")
ATTRIBUTES = ("access_key_id", "secret_access_key", "session_token")
# The routes whose requests are compared. Instance metadata is left out, because both fetch its keys with
# different requests; the keys themselves are compared.
ASKED = ("sts", "sso", "sso_oidc", "signin", "container")
PANIC = "PANIC"
FORM = (
    "Action",
    "RoleArn",
    "ExternalId",
    "RoleSessionName",
    "SerialNumber",
    "WebIdentityToken",
    "DurationSeconds",
)


@dataclass
class Outcome:
    """The keys that one of the two found, or its error."""

    keys: dict[str, str | None] | None = None
    expires: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    error: str = ""
    message: str = field(default="", compare=False)

    def alike(self, other: "Outcome") -> bool:
        """Whether both found the same keys by the same requests, or both failed."""
        if self.error or other.error:
            return bool(self.error) == bool(other.error)
        return self == other

    def __str__(self) -> str:
        if self.error:
            return f"{self.error}: {self.message}"
        keys = ", ".join(f"{name} {value!r}" for name, value in self.keys.items())
        return "\n    ".join(
            [f"{keys}, {'with' if self.expires else 'without'} an expiry", *map(str, self.requests)]
        )


@dataclass
class Comparison:
    """The outcomes of both, the purposes for which they differ, and the problem, if any."""

    botocore: Outcome
    rdsign: Outcome
    purposes: set[str]
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.problem}\nbotocore: {self.botocore}\nrdsign: {self.rdsign}"


class Sides:
    """botocore and rdsign, which use the same home and the same proxy in turn."""

    def __init__(self, folder: Path, authority: Authority):
        folder.mkdir()
        self._home = folder / "home"
        self._home.mkdir()
        self._authority = authority
        self._proxy = AwsProxy(authority)
        command = [sys.executable, BOTOCORE]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = self._environment() | NO_AWS
        self._botocore = subprocess.Popen(command, env=environment, cwd=folder, **pipes)

    def close(self) -> None:
        """Stops botocore and the proxy."""
        self._botocore.stdin.close()
        self._botocore.wait()
        self._proxy.close()

    def compare(self, situation: Situation) -> Comparison:
        """Runs a situation through both."""
        rdsign = self._outcome(situation, self._ask_rdsign)
        botocore = self._outcome(situation, self._ask_botocore)
        purposes = set()
        if not rdsign.alike(botocore):
            similar, purposes = as_if(situation)
            if purposes:
                botocore = self._outcome(similar, self._ask_botocore)
        if situation.differs:
            purposes.add(situation.differs)
        return Comparison(botocore, rdsign, purposes, problem(situation, botocore, rdsign))

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self._home)}

    def _outcome(self, situation: Situation, ask) -> Outcome:
        with FakeAws() as fake:
            self._proxy.fake = fake
            return self._outcome_with(situation, ask, fake)

    def _outcome_with(self, situation: Situation, ask, fake: FakeAws) -> Outcome:
        for name, attributes in situation.aws.items():
            for attribute, value in attributes.items():
                setattr(fake.routes.get(name, fake), attribute, value)
        stands_for = {
            "@HOME@": str(self._home),
            "@FAKE@": fake.url,
            "@PROXY@": self._proxy.url,
            "@AUTHORITY@": str(self._authority.file),
            "@SSO_TOKEN@": fake.sso_access_token,
        }
        trusted = {"SSL_CERT_FILE": "@AUTHORITY@", "REQUESTS_CA_BUNDLE": "@AUTHORITY@"}
        usual = {"HTTPS_PROXY": "@PROXY@", "AWS_EC2_METADATA_DISABLED": "true"} | trusted
        given = {k: v for k, v in (usual | situation.environment).items() if v is not None}
        environment = self._environment() | {k: replaced(v, stands_for) for k, v in given.items()}
        self._write(situation, stands_for)
        flags = {k: replaced(v, stands_for) for k, v in situation.flags.items()}
        answer = ask(environment, flags)
        names = {value: name for name, value in stands_for.items()} | handed_out(fake)
        return outcome(answer, situation, names, fake)

    def _write(self, situation: Situation, stands_for: dict[str, str]) -> None:
        shutil.rmtree(self._home)
        self._home.mkdir()
        for name, content in situation.files.items():
            path = self._home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = replaced(content, stands_for).encode()
            path.write_bytes(content)

    def _ask_botocore(self, environment: dict[str, str], flags: dict[str, str]) -> dict:
        line = json.dumps({"environment": environment, "flags": flags})
        self._botocore.stdin.write(line + "\n")
        self._botocore.stdin.flush()
        return json.loads(self._botocore.stdout.readline())

    def _ask_rdsign(self, environment: dict[str, str], flags: dict[str, str]) -> dict:
        line = json.dumps({"do": "find", "timeout": BOUND} | flags)
        files = [path.read_bytes() for path in self._home.rglob("*") if path.is_file()]
        if not any(b"attempts" in file for file in files):
            environment = ONCE | environment
        options = {"text": True, "capture_output": True, "check": True, "timeout": 2 * BOUND}
        done = subprocess.run([PROBE], input=line, env=environment, cwd=self._home, **options)
        answer = json.loads(done.stdout)
        if answer.get("panicked"):
            return {"error": PANIC, "message": done.stderr}
        if "code" in answer:
            return {"error": answer["code"], "message": answer["message"]}
        # The probe shows expired keys, but rdsign would not sign with them.
        if answer["expires_at"] is not None and answer["expires_at"] <= time.time():
            return {"error": "CREDENTIALS_EXPIRED", "message": ""}
        return answer


def problem(situation: Situation, botocore: Outcome, rdsign: Outcome) -> str:
    """Returns the problem with rdsign's outcome, or an empty text."""
    if rdsign.error == PANIC:
        return "rdsign panics"
    if MARK in rdsign.message:
        return "rdsign shows a secret"
    if not situation.differs:
        return "" if rdsign.alike(botocore) else "rdsign does not find what botocore finds"
    if rdsign.alike(botocore):
        return f"rdsign does not differ from botocore any more: {situation.differs}"
    found = rdsign.error or rdsign.keys["access_key_id"]
    return (
        "" if found == situation.rdsign else f"rdsign does not find {situation.rdsign}: {situation.differs}"
    )


def replaced(text: str, stands_for: dict[str, str]) -> str:
    for name, value in stands_for.items():
        text = text.replace(name, value)
    return text


def handed_out(fake: FakeAws) -> dict[str, str]:
    """Returns the meaning of each text that this AWS handed out."""
    return {
        getattr(keys, attribute): f"{name} {number} {attribute}"
        for name, route in fake.routes.items()
        for number, keys in enumerate(route.handed_out, 1)
        for attribute in ATTRIBUTES
    }


def outcome(answer: dict, situation: Situation, names: dict[str, str], fake: FakeAws) -> Outcome:
    requests = [asked(name, one, situation, names) for name in ASKED for one in fake.routes[name].requests]
    if "error" in answer:
        return Outcome(error=answer["error"], message=answer["message"], requests=requests)
    keys = {name: names.get(answer[name], answer[name]) for name in ATTRIBUTES}
    return Outcome(keys, answer["expires_at"] is not None, requests)


def asked(name: str, request: Request, situation: Situation, names: dict[str, str]) -> dict[str, str]:
    """Returns the parts of a request that must be the same."""
    host = request.headers["host"].lower()
    about = {"to": name, "host": names.get(f"http://{host}", host)}
    about |= request.query
    if name == "sts":
        about |= {key: request.form[key] for key in FORM if key in request.form}
        if not situation.mentions(about.get("RoleSessionName", "")):
            about["RoleSessionName"] = "of its own"
        if signed := request.headers.get("authorization"):
            credential = signed.partition("Credential=")[2].partition(",")[0].split("/")
            about |= {"signed by": names.get(credential[0], credential[0]), "region": credential[2]}
        token = request.headers.get("x-amz-security-token")
        about["session token"] = names.get(token, token)
    if name in ("sso_oidc", "signin"):
        body = json.loads(request.body)
        about |= {key: str(body.get(key)) for key in ("clientId", "refreshToken", "grantType")}
    if name == "sso":
        token = request.headers.get("x-amz-sso_bearer_token", "")
        about["token"] = names.get(token, "another")
    if name == "container":
        about["authorization"] = request.headers.get("authorization", "")
    return about


# Lets rdsign report a failure that may pass at once.
ONCE = {"AWS_MAX_ATTEMPTS": "1", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1"}

# All comparisons so far, by the situation's name.
COMPARISONS: dict[str, Comparison] = {}


def summary() -> str:
    """Returns the line to print after the tests."""
    differ = sum(bool(one.purposes) for one in COMPARISONS.values())
    return f"{len(COMPARISONS)} situations compared with botocore, {differ} differ on purpose"
