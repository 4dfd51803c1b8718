"""The archive of the command line: see packages.py."""

import re
import subprocess
import tarfile
from datetime import datetime, timedelta, timezone

from common import NO_AWS, VERSION, without_aws_and_postgres
from running import COLUMNS, ROWS, Failure, empty, log_in, the_only


class CommandLine:
    name = "rdsign"

    def __init__(self, target):
        package = f"rdsign-{VERSION}-{target.name}"
        with tarfile.open(the_only(f"{package}.tar.gz")) as archive:
            archive.extractall(empty(target.folder / self.name), filter="data")
        program = target.folder / self.name / package / "bin/rdsign"
        # That for musl is static: it needs no other libc.
        self.command = target.command(program, is_static=target.libc == "musl")

    def vectors(self):
        passed = 0
        for row in ROWS:
            vector = dict(zip(COLUMNS.split("\t"), map(unescaped, row.split("\t")), strict=True))
            if is_possible(vector):
                self.check(vector)
                passed += 1
        return f"{passed} of {len(ROWS)}"

    def check(self, vector):
        flags = ("hostname", "port", "username", "region", "expires_in", "service")
        arguments = [
            f"--{flag.replace('_', '-')}={vector[flag]}" for flag in flags if vector[flag] is not None
        ]
        keys = ("access_key_id", "secret_access_key", "session_token")
        env = {f"AWS_{key.upper()}": vector[key] for key in keys if vector[key] is not None}
        time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=int(vector["signing_time"]))
        command = [*self.command, "token", "--quiet", f"--signing-time={time:%Y-%m-%dT%H:%M:%SZ}", *arguments]
        environment = without_aws_and_postgres() | NO_AWS | env
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        error = re.match(r"rdsign: ([A-Z_]+): ", done.stderr) if done.returncode else None
        if (error and error[1], done.stdout or None) != (vector["error"], vector["token"]):
            raise Failure(f"{vector['name']}: {done}")

    def login(self):
        return log_in(*self.command, "exec", "--", "psql", "-XAtc", "select current_user")


def unescaped(field):
    """Decodes a field of PostgreSQL's COPY text format."""
    escaped = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    if field == "\\N":
        return None
    return re.sub(r"\\(x..|.)", lambda m: escaped.get(m[1]) or chr(int(m[1][1:], 16)), field)


def is_possible(vector):
    """Returns whether the command line can get such a request: its arguments and variables have no NUL,
    empty keys are the same as missing ones, and RFC 3339 has years of four digits."""
    has_nul = any(value and "\0" in value for value in vector.values())
    has_keys = vector["access_key_id"] and vector["secret_access_key"]
    return not has_nul and has_keys and 0 <= int(vector["signing_time"]) < 253402300800
