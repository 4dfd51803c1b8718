"""Measures `rdsign proxy`, next to the same server directly, a TCP relay and PgBouncer.

Runs inside `rdsign local`, and the ways to the server take turns. Directly and through the relay, which is
socat, the client encrypts and logs in with a token. Behind the proxy and PgBouncer the client is not
encrypted, as both are on its machine, and they check the server's certificate and name. PgBouncer has
session pooling, and a token as its password.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from logins import pgbench
from rows import QUICK, say

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))
import idle_sessions

ROUNDS, SECONDS, LOGINS, MEGABYTES, IDLE = (5, 1, 50, 50, 500) if QUICK else (15, 4, 200, 200, 2000)
CLIENTS = 8
PATIENCE = 60
# PgBouncer refuses to run as root, and this user can read the local server's authorities.
USER = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
PGBOUNCER_INI = """
[databases]
testdb = host=localhost port={server} user=iam_user password='{token}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = session
server_tls_sslmode = verify-full
server_tls_ca_file = {authorities}
ignore_startup_parameters = extra_float_digits
"""


def with_version(name, program):
    """Returns a program's name and version."""
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stdout
    return f"{name} {re.search('[0-9]+[.][0-9.]*[0-9]', said)[0]}"


PROXY, DIRECT = "rdsign", "directly"
RELAY, POOLER = with_version("socat", "socat"), with_version("PgBouncer", PGBOUNCER)


def main():
    idle_sessions.allow_many_files()
    with contextlib.ExitStack() as running:
        ways = start(running)
        as_postgres(pgbench(), "-i", "-q", "testdb")
        as_postgres("psql", "-qc", "grant select on all tables in schema public to iam_user", "testdb")
        queries(ways)
        new_connections(ways)
        copies(ways)
    memory()


def start(running):
    """Starts the proxy, the relay and PgBouncer. Returns the environment of a client for each way."""
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
    relay, pooler = free_port(), free_port()
    listen = f"TCP-LISTEN:{relay},bind=127.0.0.1,reuseaddr,fork"
    background(running, ["socat", listen, f"TCP:127.0.0.1:{os.environ['PGPORT']},nodelay"], relay)
    values = {"server": os.environ["PGPORT"], "token": token(), "port": pooler}
    config = folder / "pgbouncer.ini"
    config.write_text(PGBOUNCER_INI.format(**values, authorities=os.environ["PGSSLROOTCERT"]))
    config.chmod(0o600)
    if USER:
        shutil.chown(folder, "postgres")
        shutil.chown(config, "postgres")
    background(running, [*USER, PGBOUNCER, "--quiet", config], pooler)
    _, port = proxy(running)
    return {
        PROXY: plain(port),
        DIRECT: dict(os.environ),
        RELAY: os.environ | {"PGPORT": str(relay)},
        POOLER: plain(pooler),
    }


def proxy(running, *flags):
    """Starts a proxy. Returns its process ID and its port."""
    command = ["rdsign", "proxy", "--listen=127.0.0.1:0", "--max-logins-per-second=10000", *flags]
    command.append("--max-connections=3000")
    process = running.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    running.callback(process.terminate)
    line = process.stderr.readline()
    # Its log must be read, or the proxy would keep it.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process.pid, int(re.search(r"address=127\.0\.0\.1:(\d+)", line)[1])


def background(running, command, port):
    """Runs a program until the end, once it listens on the port."""
    process = running.enter_context(subprocess.Popen([str(word) for word in command]))
    running.callback(process.terminate)
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port)).close()
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{command[0]} does not listen")
        time.sleep(0.05)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def plain(port):
    """Returns the environment of a client that knows nothing of TLS and tokens."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_"))}
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "iam_user", "PGDATABASE": "testdb"}
    return others | where | {"PGSSLMODE": "disable"}


def token():
    return output("rdsign", "token").strip()


def output(*command, environment=None):
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def as_postgres(*command):
    own = {"PGUSER": "postgres", "PGPASSWORD": os.environ["RDSIGN_LOCAL_ADMIN_PASSWORD"]}
    subprocess.run(command, env=os.environ | own, check=True, capture_output=True)


def rate(environment, *flags):
    """Returns the transactions per second of pgbench."""
    text = output(pgbench(), "-n", *flags, environment=environment)
    return float(re.search(r"^tps = ([0-9.]+)", text, re.M)[1])


def in_turns(ways, measure, rounds=ROUNDS):
    """Measures each way in each round. Returns the measurements of rdsign, and those of its peers."""
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, environment in ways.items():
            # A token counts for 15 minutes, and all turns can take longer.
            own = {"PGPASSWORD": token()} if name in (DIRECT, RELAY) else {}
            found[name].append(measure(environment | own))
    return found.pop(PROXY), found


def queries(ways):
    flags = ["-S", "-c", str(CLIENTS), "-T", str(SECONDS)]
    rdsign, peers = in_turns(ways, lambda environment: rate(environment, *flags))
    aims = [{"times as fast as": POOLER, "times": 1}, {"times as fast as": RELAY, "times": 0.9}]
    say("rdsign proxy", f"pgbench -S, {CLIENTS} clients", "queries per second", rdsign, peers, aims=aims)


def new_connections(ways):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("select 1;\n")
        script.flush()
        flags = ["-C", "-t", str(LOGINS), "-f", script.name]
        two = {name: ways[name] for name in (PROXY, DIRECT)}
        rdsign, peers = in_turns(two, lambda environment: 1000 / rate(environment, *flags))
    aims = [{"at most": 1, "more than": DIRECT}]
    say("rdsign proxy", "a new connection and a query, one client", "ms", rdsign, peers, aims=aims)


def copies(ways):
    as_postgres("psql", "-qc", "create unlogged table copied (text text); grant all on copied to iam_user")
    three = {name: ways[name] for name in (PROXY, DIRECT, RELAY)}
    aims = [{"times as fast as": RELAY, "times": 0.9}]
    rows = f"select repeat('x', 999) from generate_series(1, {MEGABYTES}000)"
    with tempfile.TemporaryFile("w+") as file:
        file.write((999 * "x" + "\n") * MEGABYTES * 1000)

        def copy(sql, environment, **ends):
            file.seek(0)
            began = time.perf_counter()
            subprocess.run(["psql", "-XAtqwc", sql], env=environment, check=True, **ends)
            return MEGABYTES / (time.perf_counter() - began)

        to_client = (f"copy ({rows}) to stdout", {"stdout": subprocess.DEVNULL})
        to_server = ("truncate copied; copy copied from stdin", {"stdin": file})
        for name, (sql, ends) in {"client": to_client, "server": to_server}.items():
            rdsign, peers = in_turns(
                three, lambda environment: copy(sql, environment, **ends), max(5, ROUNDS // 2)
            )
            say("rdsign proxy", f"COPY to the {name}", "MB per second", rdsign, peers, aims=aims)


def memory():
    folder = Path(os.environ["RDSIGN_LOCAL_CONFIG"]).parent
    with contextlib.ExitStack() as running:
        stub = running.enter_context(idle_sessions.stub(folder / "server.pem", folder / "server.key"))
        for count, server, flags in ((IDLE, "a stub", [f"--hostport={stub}"]), (200, "PostgreSQL", [])):
            pid, port = proxy(running, *flags)
            each = idle_sessions.kilobytes_each(pid, port, count, PATIENCE)
            what = f"an idle session, of {count:,} to {server}"
            say("rdsign proxy", what, "kB of memory", [each], {}, aims=[{"at most": 40}])


if __name__ == "__main__":
    main()
