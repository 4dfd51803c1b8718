"""One `rdsign local` for all guides, and the environment in which their programs reach it."""

import contextlib
import os
import re
import signal
import subprocess

import pytest
from common import PATIENCE, RDSIGN
from harness import line_of
from pages import ENDPOINT
from shared_fixtures import running_local

# Seconds. A token is valid for 900.
LATER = 960


class Rds:
    """RDS on this machine as the endpoint of the pages: it accepts tokens for port 5432 and for its own port.

    `local` is the server of harness.py, whose configuration a test may change inside a block.
    """

    def __init__(self, place, local):
        self.place, self.local = place, local
        self.port = local.port
        #: The file with the certificate authority of the server.
        self.authorities = local.exports["PGSSLROOTCERT"]

    def environment(self, **more) -> dict[str, str]:
        """Returns the environment for a program of a page. A variable that is None is left out.

        It has keys of iam_user, PGHOSTADDR and PGPORT, which say what to dial, and PGSSLROOTCERT. PGHOST, PGUSER and
        PGDATABASE are missing: the programs name them.
        """
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGHOSTADDR", "PGPORT", "PGSSLROOTCERT")
        own = {name: self.local.exports[name] for name in names}
        path = f"{RDSIGN.parent}{os.pathsep}{os.environ['PATH']}"
        merged = self.place.environment(PATH=path) | own | more
        return {name: str(value) for name, value in merged.items() if value is not None}

    def keys(self, access_key_id: str) -> dict[str, str]:
        """Returns the variables with an access key of the server."""
        key = self.local.keys[access_key_id]
        names = ("access_key_id", "secret_access_key", "session_token")
        return {f"AWS_{name.upper()}": key.get(name) for name in names}

    def run(self, *command, folder, status=0, stdin=None, clock=None, **variables):
        """Runs a command in a folder, with changes to the environment. Returns its standard output, or with a status
        other than 0 both outputs, as `shown` returns them.

        With a `clock` of clock.py, the program prints "held" when it holds a connection, and waits for a line before
        it opens another: 16 minutes pass meanwhile, for the server and for the program.
        """
        if clock:
            stdin, variables = "\n", variables | clock.environment
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # So that what a script started, such as a server, can end with it.
            start_new_session=True,
        )
        with process, contextlib.ExitStack() as meanwhile:
            try:
                if clock:
                    line = line_of(process)
                    assert line == "held\n", line + "".join(process.communicate(timeout=PATIENCE))
                    clock.jump(LATER)
                    meanwhile.callback(clock.jump, -LATER)
                    meanwhile.enter_context(self.later())
                printed, errors = process.communicate(stdin, timeout=4 * PATIENCE)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        output = printed + errors
        assert process.returncode == status, output
        assert "X-Amz-Signature" not in output
        return self.shown(output) if status else printed

    def shown(self, output: str) -> str:
        """Returns a program's output as a page shows it: the server has the endpoint's port and address.

        libpq names only the address if it got one from PGHOSTADDR, and else the name before it.
        """
        output = re.sub(rf"\b{self.port}\b", "5432", output)
        output = output.replace('server at "127.0.0.1", port', f'server at "{ENDPOINT}" (127.0.0.1), port')
        return output.replace("127.0.0.1", "10.0.0.5")

    @contextlib.contextmanager
    def later(self, seconds=LATER):
        """Moves the server's clock ahead inside the block: a token that is signed now has this age."""
        self.local.ask("clock", offset_seconds=seconds)
        try:
            yield
        finally:
            self.local.ask("clock", offset_seconds=0)


@pytest.fixture(scope="session")
def rds():
    """The server."""
    with running_local("--endpoint", f"{ENDPOINT}:5432", "--endpoint", ENDPOINT) as local:
        yield Rds(local.place, local)
