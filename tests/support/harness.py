"""Runs `rdsign local` for the tests, and logs in to it with the real psql.

Everything is below one base folder, which also has the TMPDIR of the started programs. rdsign should
have removed every file and process that a test finds there at its end.
"""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import tomllib
from common import PATIENCE, RDSIGN, REPOSITORY, wait_until, without_aws_and_postgres

LIBRARY = "librdsign_local_preload.so"
# `rdsign local` keeps its prepared data folders here, not in the cache folder of whoever runs the tests.
CACHE = REPOSITORY / "target/test-cache"


def other_postgres():
    """Returns the variables for the PostgreSQL of the package that RDSIGN_TEST_POSTGRES names, copied to a
    folder that every user can reach."""
    package = os.environ.get("RDSIGN_TEST_POSTGRES")
    if package is None:
        return {}
    folder = Path(tempfile.mkdtemp(prefix="rdsign-postgres-", dir="/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder)
    shutil.copytree(Path(package) / "native", folder / "native", symlinks=True)
    return {"RDSIGN_LOCAL_POSTGRES": str(folder / "native")}


POSTGRES = other_postgres()


def contract(name):
    """Returns the lines of tests/codes.tsv or tests/ids.tsv, each as a list of fields."""
    text = (REPOSITORY / f"tests/{name}.tsv").read_text()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")][1:]


def ids(*kinds):
    """Returns the ids of these kinds in tests/ids.tsv."""
    return {id for kind, id in contract("ids") if kind in kinds}


def kill(process):
    """Kills the process, and those of its group if it leads one."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextlib.contextmanager
def bounded(process):
    """Kills the process if the block waits for it too long."""
    timer = threading.Timer(PATIENCE, kill, [process])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def line_of(process):
    """Returns the next line of its output, or "" if it ends without one."""
    with bounded(process):
        return process.stdout.readline()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Place:
    """A program, the user who runs it, and the folder for all its files."""

    def __init__(self, as_user=None):
        self.base = Path(tempfile.mkdtemp(prefix="rdsign-e2e-", dir="/tmp"))
        self.base.chmod(0o755)
        self.temporary = self.base / "tmp"
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        self.prefix = []
        self.rdsign = RDSIGN
        self.started = []
        if as_user is not None:
            ids = [f"--reuid={as_user}", "--regid=65534", "--clear-groups"]
            self.prefix = ["setpriv", *ids, "env", f"HOME={self.base}/no-home"]
            self.rdsign = self.copy_of_the_program("bin")

    def copy_of_the_program(self, name, mode=0o755):
        """Copies the program and its library to a folder with this mode."""
        folder = self.base / name
        folder.mkdir()
        shutil.copy(RDSIGN, folder)
        shutil.copy(RDSIGN.parent / LIBRARY, folder)
        folder.chmod(mode)
        return folder / RDSIGN.name

    def arguments(self, *arguments):
        return [*self.prefix, str(self.rdsign), "local", *map(str, arguments)]

    def environment(self, **more):
        """Returns the tests' environment without variables that change what rdsign does."""
        CACHE.mkdir(parents=True, exist_ok=True)
        folders = {"TMPDIR": str(self.temporary), "XDG_CACHE_HOME": str(CACHE)}
        return without_aws_and_postgres() | POSTGRES | folders | more

    def popen(self, *arguments, env=None, **options):
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # The JARs in the home of whoever runs the tests are not for them.
        env = self.environment(**{"HOME": str(self.base)} | (env or {}))
        arguments = self.arguments(*arguments)
        # In its own session, so that close() also kills the command that it runs.
        options = pipes | {"text": True, "env": env, "cwd": "/", "start_new_session": True} | options
        self.started.append(subprocess.Popen(arguments, **options))
        return self.started[-1]

    def run(self, *arguments, env=None):
        """Runs it to its end. Returns (exit status, standard output, standard error)."""
        process = self.popen(*arguments, env=env)
        output, error = process.communicate(timeout=PATIENCE)
        return process.returncode, output, error

    def start(self, *arguments, env=None):
        return Local(self, self.popen("--json", *arguments, env=env, stdin=subprocess.PIPE))

    def processes(self):
        """Returns the processes that work below the base folder, such as those of PostgreSQL."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "cwd").startswith(str(self.base)):
                    found.append(int(process.name))
        return found

    def leftovers(self):
        return [*self.temporary.iterdir(), *self.processes()]

    def close(self):
        """Removes everything, and fails if the test left something behind."""
        leftovers = self.leftovers()
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: not self.processes(), "the end of all processes")
        shutil.rmtree(self.base)
        assert not leftovers


class Local:
    """An `rdsign local --json`. It runs until it is stopped."""

    def __init__(self, place, process):
        self.place = place
        self.process = process
        self.asked = 0
        self.ready = self.line()
        assert self.ready["event"] == "ready", self.ready["message"]
        self.major = self.ready["postgres_major"]
        self.exports = self.ready["environment"]["set"]
        self.config = Path(self.ready["config"])
        self.log = Path(self.ready["log"])
        self.folder = self.log.parent
        self.port = str(self.ready["port"])
        self.host = self.ready["host"]
        self.password = self.ready["administrator"]["password"]
        self.original = self.config.read_text()
        self.settings = tomllib.loads(self.original)
        self.keys = {key["access_key_id"]: key for key in self.settings["access_keys"]}

    def line(self):
        line = line_of(self.process)
        assert line, f"it ended: {self.process.stderr.read()}"
        return json.loads(line)

    def ask(self, verb, **members):
        """Sends a request and returns its answer. Fails if it is an error."""
        self.asked += 1
        self.process.stdin.write(json.dumps({"id": self.asked, "do": verb, **members}) + "\n")
        self.process.stdin.flush()
        while (line := self.line()).get("id") != self.asked:
            assert line["event"] != "stopped", line
        assert "error" not in line, line
        return line["ok"]

    def server_process(self):
        """Returns the process ID of PostgreSQL."""
        return self.ready["pid"]

    def stop(self, how=signal.SIGINT):
        """Stops it and returns its exit status. Fails if a backend has crashed."""
        assert "terminated by signal" not in self.log.read_text()
        self.process.send_signal(how)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    @contextlib.contextmanager
    def configuration(self, *replacements, append=""):
        """Changes the configuration inside the block: applies the replacements and appends the text."""
        text = self.original
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        self.config.write_text(text + append)
        try:
            yield
        finally:
            self.config.write_text(self.original)

    @contextlib.contextmanager
    def changed(self, name, edit):
        """Changes one of PostgreSQL's files inside the block, and waits until the server has read it."""
        file = self.folder / name
        before = file.read_text()
        assert edit(before) != before

        def put(content):
            seen = self.log.read_text().count("received SIGHUP")
            file.write_text(content)
            os.kill(self.server_process(), signal.SIGHUP)
            wait_until(lambda: self.log.read_text().count("received SIGHUP") > seen, "the reload")

        put(edit(before))
        try:
            yield
        finally:
            put(before)

    def token(self, username="iam_user", key="AKIALOCALIAMUSER0001", env=None, **flags):
        """Gets a token from `rdsign token`. `key` is a key id of the configuration, or a table like its own."""
        key = self.keys[key] if isinstance(key, str) else key
        names = ("access_key_id", "secret_access_key", "session_token")
        secrets = {f"AWS_{name.upper()}": key[name] for name in names if key.get(name)}
        flags = {"hostname": self.host, "port": self.port, "username": username} | flags
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
        arguments = [str(RDSIGN), "token", *flags]
        environment = self.place.environment(**secrets, **(env or {}))
        process = subprocess.run(arguments, env=environment, text=True, capture_output=True)
        assert process.returncode == 0, process.stderr
        return process.stdout.removesuffix("\n")

    def psql(self, conninfo="", sql="select current_user", stdin=None, password=None, **variables):
        """Runs the real psql with the exported variables. Returns the finished process."""
        environment = self.place.environment() | self.exports | variables
        if password is not None:
            environment["PGPASSWORD"] = password
        command = ["-c", sql] if stdin is None else []
        arguments = ["psql", "-XAtqw", *command, *([conninfo] if conninfo else [])]
        pipes = {"input": stdin or "", "capture_output": True, "text": True}
        return subprocess.run(arguments, env=environment, **pipes)

    def login(self, token, username="iam_user", **variables):
        """Logs in, and fails unless that works."""
        done = self.psql(password=token, PGUSER=username, **variables)
        assert (done.stdout, done.stderr, done.returncode) == (f"{username}\n", "", 0)

    def as_postgres(self, sql, **variables):
        """Runs a statement as the role postgres, with its password. Returns the lines of its output."""
        done = self.psql(sql=sql, password=self.password, PGUSER="postgres", **variables)
        assert (done.stderr, done.returncode) == ("", 0)
        return done.stdout.splitlines()

    def refuse(self, token, reason, username="iam_user", shown=None, **variables):
        """Fails unless the server refuses the login and only its log has the reason. Returns the refusal.

        `shown` is the message for the client, by default that of RDS.
        """
        before = self.ask("refusals")["mark"]
        done = self.psql(password=token, PGUSER=username, **variables)
        assert done.stderr == self.client_error(shown or f'PAM authentication failed for user "{username}"')
        assert done.returncode == 2
        refusals = self.ask("refusals", since=before)["refusals"]
        assert [refusal["user"] for refusal in refusals] == [username], refusals
        assert refusals[0]["id"] in ids("refusal", "local")
        text = "({id}): {reason}".format(**refusals[0])
        assert re.fullmatch(reason, text), text
        return text

    def client_error(self, message):
        """Returns what psql prints if the server rejects a connection with this message."""
        where = f'connection to server at "127.0.0.1", port {self.port}'
        return f"psql: error: {where} failed: FATAL:  {message}\n"
