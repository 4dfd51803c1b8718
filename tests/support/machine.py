"""A user's machine as rdsign sees it: a home with AWS files, and an environment that starts empty.
Nothing from the tests' own environment reaches rdsign, and rdsign uses only addresses that a test names.

Everything that a program prints here is searched for every secret that the tests have created.
"""

import hashlib
import json
import os
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from clock import Clock
from common import BOUND, HOSTNAME, PATIENCE, RDSIGN, REPOSITORY, signed_by
from fake_aws import Keys, now
from planted import shows_a_secret

PROBE = Path(os.environ.get("RDSIGN_PROBE", REPOSITORY / "target/debug/examples/probe")).resolve()

HOUR = 3600
# A token lives for 900 s. Keys that expire earlier are due for a refresh. So are, at random, keys with
# up to a fifth more time left.
EARLY, DUE = HOUR - 1100, HOUR - 890


def parameters(token: str) -> dict[str, str]:
    """Returns the parameters of a token."""
    return dict(parse_qsl(token.partition("?")[2]))


@dataclass(frozen=True)
class Run:
    """A finished run of rdsign."""

    status: int
    output: str
    error: str

    @property
    def code(self) -> str | None:
        """The error code, or None."""
        return self.error.split(": ")[1] if self.error.startswith("rdsign: ") else None

    @property
    def message(self) -> str:
        """The text after the code."""
        return self.error.partition(f"{self.code}: ")[2].removesuffix("\n")


class Machine:
    """A home and an environment for any number of runs. Its probes see `clock`."""

    def __init__(self, home: Path, clock: Clock | None = None):
        self.home = home
        self.clock = clock
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
        self.environment["AWS_EC2_METADATA_DISABLED"] = "true"
        # A log, if there were one, would be printed and searched, too.
        self.environment["RUST_LOG"] = "trace"
        self.folder = home / ".aws"
        self.folder.mkdir()

    def set(self, **variables: str | Path | None) -> None:
        """Sets variables of the environment. None removes a variable."""
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

    def sso_token(
        self, identifier: str, access_token: str, end: str = "2099-01-01T00:00:00Z", **more: str
    ) -> None:
        """Writes the file of `aws sso login` for a session name or a start URL."""
        folder = self.folder / "sso/cache"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha1(identifier.encode()).hexdigest()
        token = {"accessToken": access_token, "expiresAt": end} | more
        (folder / f"{name}.json").write_text(json.dumps(token))

    def uses_keys(self, keys: Keys) -> None:
        """Sets the environment variables for these keys."""
        self.set(
            AWS_ACCESS_KEY_ID=keys.access_key_id,
            AWS_SECRET_ACCESS_KEY=keys.secret_access_key,
            AWS_SESSION_TOKEN=keys.session_token,
        )

    def uses_imds(self, url: str) -> None:
        """Makes the machine an EC2 instance with its metadata service at `url`."""
        self.set(AWS_EC2_METADATA_DISABLED=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=url)

    def asks_once(self) -> None:
        """Lets the sources be asked only once, so that a failure that may pass is reported at once."""
        self.set(AWS_MAX_ATTEMPTS="1", AWS_METADATA_SERVICE_NUM_ATTEMPTS="1")

    def run(self, *arguments: str, before: tuple[str, ...] = (), bound: bool = True) -> Run:
        """Runs rdsign, through the program `before` if given. Fails if it prints a secret. Passes a
        credentials timeout that suits a busy machine, unless the arguments have one or `bound` is
        False."""
        command = [*before, str(RDSIGN), *arguments]
        if bound and "--credentials-timeout" not in arguments:
            command += ["--credentials-timeout", str(BOUND)]
        options = {"env": self.environment, "cwd": self.home, "text": True, "capture_output": True}
        done = subprocess.run(command, timeout=PATIENCE, stdin=subprocess.DEVNULL, **options)
        assert not shows_a_secret(done.stderr), "a secret is in the error"
        # A token contains the session token, escaped.
        escaped = done.stdout if arguments[0] != "token" else ""
        assert not shows_a_secret(escaped), "a secret is in the output"
        return Run(done.returncode, done.stdout, done.stderr)

    def found(self, *flags: str) -> dict[str, str | list[str]]:
        """Returns the lines of `rdsign credentials`, which must find credentials."""
        run = self.run("credentials", *flags)
        assert (run.status, run.error) == (0, ""), run
        shown: dict[str, str | list[str]] = {"tried before": [], "not used": []}
        for line in run.output.splitlines():
            name, _, value = line.partition(":")
            if isinstance(shown.get(name), list):
                shown[name].append(value.strip())
            else:
                shown[name] = value.strip()
        return shown

    def token(self, *flags: str, hostname: str = HOSTNAME, username: str = "iam_user") -> str:
        """Returns a token from `rdsign token`, which must succeed."""
        run = self.run("token", "--hostname", hostname, "--username", username, *flags)
        assert (run.status, run.error) == (0, ""), run
        return run.output.removesuffix("\n")

    def failure(self, *flags: str) -> Run:
        """Returns the failure of `rdsign credentials`; `rdsign token` must fail with the same code. Does not
        wait for a failure to pass, unless the machine says how often to ask."""
        files = [path for path in (self.folder / "config", self.folder / "credentials") if path.exists()]
        if not any(b"attempts" in path.read_bytes() for path in files):
            self.environment = {"AWS_MAX_ATTEMPTS": "1"} | self.environment
        run = self.run("credentials", *flags)
        again = self.run("token", "--hostname", HOSTNAME, "--username", "iam_user", *flags)
        assert run.status == again.status != 0, (run, again)
        assert run.code == again.code, (run, again)
        assert run.output == again.output == ""
        return run

    def probe(self, **options: object) -> "Probe":
        """Starts a program with a Signer of these options, which carries out one command after another."""
        return Probe(self, options)


class Probe:
    """A running tests/probe/main.rs, which documents the commands.

    `after` moves its clock ahead by this many seconds, as if the process had been frozen. Without it,
    the clock shows the real time, or the time at which the test stopped it.
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
        assert not shows_a_secret(error.decode()), "a secret is in the error"
        assert kind is not None or self.process.returncode == 0, error.decode()

    def tell(self, **command: object) -> None:
        """Sends a command without waiting for the answer."""
        after = command.pop("after", 0)
        if self.clock:
            self.clock.set(now().timestamp() + after if after or now.is_stopped else 0)
        if command["do"] == "signer":
            command.setdefault("timeout", BOUND)
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        """Returns the next answer, a token or an error. Fails if its debug output shows a secret."""
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
        """Returns the next `count` answers."""
        return [self.answer() for _ in range(count)]

    def ask(self, do: str = "token", **more: object) -> dict:
        """Sends a command and returns the answer."""
        self.tell(do=do, **more)
        return self.answer()

    def key(self, **more: object) -> str:
        """Asks for a token. Returns the access key id that signed it."""
        return key_of(self.ask(**more))


def key_of(answer: dict) -> str:
    """Returns the access key id of an answer, which must be a token."""
    assert "token" in answer, answer
    return signed_by(answer["token"])
