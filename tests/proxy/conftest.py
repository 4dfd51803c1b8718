"""Starts `rdsign proxy` for the tests, in front of a local RDS, and reads its log."""

import contextlib
import json
import os
import signal
import subprocess
import threading

import activated
import psycopg
import pytest
from common import NO_AWS, PATIENCE, RDSIGN, wait_until

pytest_plugins = ["shared_fixtures"]

# They need more programs and minutes: `make test-proxy-clients` runs them.
collect_ignore = [] if "RDSIGN_PROXY_CLIENTS" in os.environ else ["clients"]


class Proxy:
    """A running proxy. `log` has its lines so far, each as a dictionary. `sockets` are systemd's."""

    def __init__(self, environment, *flags, sockets=()):
        has_file = any(flag.startswith("--config") for flag in flags)
        if (
            not has_file
            and not sockets
            and not any(flag.startswith(("--listen", "--socket")) for flag in flags)
        ):
            flags += ("--listen=127.0.0.1:0",)
        if not has_file and not any(flag.startswith("--connect-timeout") for flag in flags):
            flags += ("--connect-timeout=120",)  # the default is too short on a busy machine
        command, options = activated.with_sockets(sockets, [RDSIGN, "proxy", "--log-format=json", *flags])
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=environment, text=True, **pipes, **options)
        self.text, self.log = "", []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        wait_until(lambda: self.lines("listening") or self.process.poll() is not None, "the proxy listens")
        assert self.lines("listening"), self.text
        self.addresses = [line["address"] for line in self.lines("listening")]

    def _read(self):
        for line in self.process.stderr:
            self.text += line
            with contextlib.suppress(json.JSONDecodeError):
                self.log.append(json.loads(line))

    @property
    def port(self):
        return int(self.addresses[0].rpartition(":")[2])

    @property
    def conninfo(self):
        return f"host=127.0.0.1 port={self.port} user=iam_user dbname=testdb"

    def can_connect(self):
        try:
            psycopg.connect(self.conninfo).close()
        except psycopg.OperationalError:
            return False
        return True

    def lines(self, event):
        return [line for line in self.log if line["event"] == event]

    def wait_for(self, event, count=1):
        """Waits for this many lines of an event. Returns the last one."""
        return wait_until(lambda: len(self.lines(event)) >= count and self.lines(event)[-1], event)

    def stop(self, how=signal.SIGTERM):
        """Stops it, if it still runs. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
        return status


@pytest.fixture
def environment(local, tmp_path):
    """The environment of a user of the local RDS, for the proxy."""
    own = local.place.environment() | local.exports | NO_AWS
    return own | {"HOME": str(tmp_path), "LANG": "C.UTF-8"}


@pytest.fixture
def start(environment):
    """Starts proxies, and stops them at the end. Fails if a log has a token or a secret."""
    proxies = []

    def start(*flags, sockets=(), **more):
        proxies.append(Proxy(environment | more, *flags, sockets=sockets))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.stop()
        assert "X-Amz" not in proxy.text
        assert environment["AWS_SECRET_ACCESS_KEY"] not in proxy.text
        assert "panicked" not in proxy.text


class ConfigFile:
    """A file for --config. Endpoints are given as their names and what they have besides the server."""

    def __init__(self, path, exports):
        self.path = path
        self.flag = f"--config={path}"
        self.server = {
            "hostname": exports["PGHOST"],
            "hostaddr": exports["PGHOSTADDR"],
            "port": int(exports["PGPORT"]),
            "sslrootcert": exports["PGSSLROOTCERT"],
        }

    def write(self, endpoints, **top):
        """Writes the file. `None` leaves a key out."""
        lines = as_toml({"connect_timeout": 120} | top)
        for name, more in endpoints.items():
            keys = self.server | {"name": name, "username": "iam_user", "listen": "127.0.0.1:0"}
            if "socket" in more:
                del keys["listen"]
            lines += ["[[endpoints]]", *as_toml(keys | more)]
        self.path.write_text("\n".join([*lines, ""]))


def as_toml(keys):
    # JSON's strings, numbers, booleans and arrays are TOML's, too.
    return [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]


@pytest.fixture
def config(local, tmp_path):
    return ConfigFile(tmp_path / "proxy.toml", local.exports)


@pytest.fixture
def proxy(start):
    """A proxy for iam_user."""
    return start()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost and 127.0.0.1, and flags to use it. Clients can trust it itself."""
    return Certificate(tmp_path / "tls")


class Certificate:
    def __init__(self, folder):
        folder.mkdir()
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.flags = [f"--tls-cert={self.cert}", f"--tls-key={self.key}"]
        self.verified = f"sslmode=verify-full sslrootcert={self.cert}"
        self.make()

    def make(self, *options):
        """Makes a new certificate in the same files."""
        options = options or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        make = ["openssl", "req", "-x509", *options, "-nodes", "-days", "2", "-subj", "/CN=test"]
        make += ["-addext", names, "-keyout", self.key, "-out", self.cert]
        subprocess.run(make, check=True, capture_output=True)
        self.key.chmod(0o600)

    def make_valid(self, start, end):
        """Makes a new certificate in the same files that is valid between times like 20210101000000Z."""
        folder = self.cert.parent
        (folder / "index.txt").write_text("")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\nx509_extensions=x\n"
            "[p]\ncommonName=supplied\n[x]\nbasicConstraints=CA:false\n"
        )
        request = ["openssl", "req", "-new", "-key", self.key, "-subj", "/CN=test", "-out", folder / "csr"]
        sign = ["openssl", "ca", "-config", folder / "ca.cnf", "-selfsign", "-keyfile", self.key]
        sign += ["-startdate", start, "-enddate", end, "-in", folder / "csr", "-out", self.cert]
        for command in (request, [*sign, "-notext", "-batch"]):
            subprocess.run(command, check=True, capture_output=True)


class Passwords:
    """A password file. `password` is the one of iam_user."""

    def __init__(self, file):
        self.file, self.password = file, "the secret"
        self.flag = f"--password-file={file}"
        self.write(iam_user=self.password)

    def write(self, **users):
        self.file.write_text("".join(self.line(user, password) for user, password in users.items()))
        self.file.chmod(0o600)

    @staticmethod
    def line(user, password):
        command = [RDSIGN, "proxy", "password", f"--username={user}"]
        options = {"input": password + "\n", "text": True, "timeout": PATIENCE, "check": True}
        return subprocess.run(command, stdout=subprocess.PIPE, **options).stdout


@pytest.fixture
def passwords(tmp_path):
    return Passwords(tmp_path / "passwords")


# A client knows nothing of AWS or of the server.
CLIENT = {name: os.environ[name] for name in ("PATH",)} | {"LANG": "C.UTF-8", "HOME": "/nonexistent"}


@pytest.fixture
def psql():
    def psql(conninfo, sql="select current_user", **variables):
        command = ["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql, conninfo]
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
        return subprocess.run(command, env=CLIENT | variables, **pipes)

    return psql


@pytest.fixture
def client_environment():
    return CLIENT
