"""A user's machine, as far as rdsign sees one: a home with AWS files, and an environment made from
nothing. What the tests' own environment holds never reaches rdsign, and neither does any address
but the ones a test names.

Whatever a program prints here is searched for every secret that the tests have made.
"""

import hashlib
import json
import os
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote

from clock import Clock
from common import BOUND, HOSTNAME, PATIENCE, RDSIGN, REPOSITORY, signed_by
from fake_aws import Keys, known_secrets, now

PROBE = Path(os.environ.get("RDSIGN_PROBE", REPOSITORY / "target/debug/examples/probe")).resolve()

HOUR = 3600
# A token lives for 900 s. Keys that have less left are due for a refresh, and so are, by chance, keys
# that have up to a fifth more.
EARLY, DUE = HOUR - 1100, HOUR - 890


def shows_a_secret(text: str) -> bool:
    """Whether a text holds a secret as it is, or escaped."""
    return any(secret in text or quote(secret, safe="") in text for secret in known_secrets())


def parameters(token: str) -> dict[str, str]:
    """The parameters of a token."""
    return dict(parse_qsl(token.partition("?")[2]))


@dataclass(frozen=True)
class Run:
    """A finished run of rdsign."""

    status: int
    output: str
    error: str

    @property
    def code(self) -> str | None:
        """The error code, where it ended with one."""
        return self.error.split(": ")[1] if self.error.startswith("rdsign: ") else None

    @property
    def message(self) -> str:
        """What follows the code."""
        return self.error.partition(f"{self.code}: ")[2].removesuffix("\n")


class Machine:
    """A home and an environment, for any number of runs; the clock is that of its probes."""

    def __init__(self, home: Path, clock: Clock | None = None):
        self.home = home
        self.clock = clock
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
        self.environment["AWS_EC2_METADATA_DISABLED"] = "true"
        self.folder = home / ".aws"
        self.folder.mkdir()

    def set(self, **variables: str | Path | None) -> None:
        """Sets variables of the environment; None removes one."""
        for name, value in variables.items():
            self.environment.pop(name, None)
            if value is not None:
                self.environment[name] = str(value)

    def config(self, text: str) -> None:
        """Writes ~/.aws/config."""
        (self.folder / "config").write_text(text)

    def credentials(self, text: str) -> None:
        """Writes ~/.aws/credentials."""
        (self.folder / "credentials").write_text(text)

    def file(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Writes a file in the home."""
        path = self.home / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def sso_token(self, identifier: str, access_token: str, end: str = "2099-01-01T00:00:00Z", **more: str) -> None:
        """Writes what `aws sso login` leaves behind for a session's name or a start URL."""
        folder = self.folder / "sso/cache"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha1(identifier.encode()).hexdigest()
        token = {"accessToken": access_token, "expiresAt": end} | more
        (folder / f"{name}.json").write_text(json.dumps(token))

    def uses_keys(self, keys: Keys) -> None:
        """Puts keys into the environment."""
        self.set(
            AWS_ACCESS_KEY_ID=keys.access_key_id,
            AWS_SECRET_ACCESS_KEY=keys.secret_access_key,
            AWS_SESSION_TOKEN=keys.session_token,
        )

    def uses_imds(self, url: str) -> None:
        """Lets the machine be an EC2 instance whose metadata service is there."""
        self.set(AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=url)

    def run(self, *arguments: str, before: tuple[str, ...] = (), bound: bool = True) -> Run:
        """Runs rdsign, perhaps by another program; no secret may be printed. It gets a bound that no
        busy machine exceeds, unless the arguments have one or the default is wanted."""
        command = [*before, str(RDSIGN), *arguments]
        if bound and "--credentials-timeout" not in arguments:
            command += ["--credentials-timeout", str(BOUND)]
        options = {"env": self.environment, "cwd": self.home, "text": True, "capture_output": True}
        done = subprocess.run(command, timeout=PATIENCE, stdin=subprocess.DEVNULL, **options)
        assert not shows_a_secret(done.stderr), "a secret is in the error"
        # A token holds the session token, escaped, and nothing else that is secret.
        escaped = done.stdout if arguments[0] != "token" else ""
        assert not shows_a_secret(escaped), "a secret is in the output"
        return Run(done.returncode, done.stdout, done.stderr)

    def found(self, *flags: str) -> dict[str, str | list[str]]:
        """What `rdsign credentials` tells, which must find some."""
        run = self.run("credentials", *flags)
        assert (run.status, run.error) == (0, ""), run
        told: dict[str, str | list[str]] = {"tried before": []}
        for line in run.output.splitlines():
            name, _, value = line.partition(":")
            if name == "tried before":
                told[name].append(value.strip())
            else:
                told[name] = value.strip()
        return told

    def token(self, *flags: str, hostname: str = HOSTNAME, username: str = "iam_user") -> str:
        """A token of `rdsign token`, which must work."""
        run = self.run("token", "--hostname", hostname, "--username", username, *flags)
        assert (run.status, run.error) == (0, ""), run
        return run.output.removesuffix("\n")

    def failure(self, *flags: str) -> Run:
        """How both `rdsign token` and `rdsign credentials` fail, which must be alike."""
        run = self.run("credentials", *flags)
        again = self.run("token", "--hostname", HOSTNAME, "--username", "iam_user", *flags)
        assert run.status == again.status != 0, (run, again)
        assert run.code == again.code, (run, again)
        assert run.output == again.output == ""
        return run

    def probe(self, **options: object) -> "Probe":
        """A program with a Signer of those options, to be asked one thing after the other."""
        return Probe(self, options)


class Probe:
    """tests/probe/main.rs at work: see there for what it can be told.

    `after` is a number of seconds: the clock shows it that much later, as to a process that was
    frozen until then. Without one it shows the real time, or the second at which a test stopped it.
    """

    def __init__(self, machine: Machine, options: dict[str, object]):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.clock = machine.clock
        environment = machine.environment | (self.clock.environment if self.clock else {})
        self.process = subprocess.Popen([PROBE], env=environment, cwd=machine.home, **pipes)
        self._unread = b""
        self.tell(do="signer", **options)

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None:
            self.process.kill()
        _, error = self.process.communicate(timeout=PATIENCE)
        assert kind is not None or self.process.returncode == 0, error.decode()

    def tell(self, **command: object) -> None:
        """Tells it what to do, and does not wait for the answer."""
        after = command.pop("after", 0)
        if self.clock:
            self.clock.set(now().timestamp() + after if after or now.is_stopped else 0)
        if command["do"] == "signer":
            command.setdefault("timeout", BOUND)
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        """Its next answer: a token or an error, neither of which shows a secret when logged."""
        while b"\n" not in self._unread:
            readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            assert readable, f"no answer within {PATIENCE} s"
            text = os.read(self.process.stdout.fileno(), 1 << 20)
            assert text, self.process.stderr.read().decode()
            self._unread += text
        line, _, self._unread = self._unread.partition(b"\n")
        answer = json.loads(line)
        assert not shows_a_secret(json.dumps({k: v for k, v in answer.items() if k != "token"}))
        return answer

    def answers(self, count: int) -> list[dict]:
        """As many answers."""
        return [self.answer() for _ in range(count)]

    def ask(self, do: str = "token", **more: object) -> dict:
        """Tells it what to do, and gives its answer."""
        self.tell(do=do, **more)
        return self.answer()

    def key(self, **more: object) -> str:
        """The access key id that signs a token."""
        return key_of(self.ask(**more))


def key_of(answer: dict) -> str:
    """The access key id of an answer that must be a token."""
    assert "token" in answer, answer
    return signed_by(answer["token"])
