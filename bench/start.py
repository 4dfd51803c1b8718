"""Measures how long a local RDS takes until it accepts connections, next to the same PostgreSQL set up by hand.

The first start of rdsign prepares a data folder, and is not measured. By hand means the commands that a
test suite would run: initdb, pg_ctl and createdb, without waiting for the disk, too. It gets neither TLS
nor RDS's roles. The two take turns.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rows import ENVIRONMENT, QUICK, say

# PostgreSQL refuses to run as root.
USER = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def main():
    rounds = 5 if QUICK else 25
    seconds = {"rdsign": [], "by hand": []}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o1777)
        environment = ENVIRONMENT | {"XDG_CACHE_HOME": folder, "TMPDIR": folder, "LC_ALL": "C", "TZ": "UTC"}
        version = rdsign(environment)[1]
        bin = programs(version)
        for count in range(rounds):
            seconds["rdsign"].append(rdsign(environment)[0])
            seconds["by hand"].append(by_hand(bin, f"{folder}/{count}", environment))
    say(
        "RDS on this machine",
        f"ready with PostgreSQL {version}, from the second start on",
        "seconds",
        seconds["rdsign"],
        {"initdb, pg_ctl, createdb": seconds["by hand"]},
        aims=[{"at most": 0.4}],
    )


def rdsign(environment):
    """Starts and stops a server. Returns how many seconds the start took, and the version of PostgreSQL."""
    start = time.perf_counter()
    process = subprocess.Popen(["rdsign", "local"], env=environment, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    took = time.perf_counter() - start
    process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode != 0:
        sys.exit("rdsign local did not start")
    return took, line.split("PostgreSQL ")[1].split()[0]


def by_hand(bin, data, environment):
    """Sets up a server with a database, and stops it. Returns how many seconds that took until it was ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    options = f"-F -p {port} -k {data} -c listen_addresses=127.0.0.1"
    where = ["--host=127.0.0.1", f"--port={port}", "--username=postgres"]

    def run(program, *arguments):
        command = [*USER, bin / program, *arguments]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, cwd="/")

    start = time.perf_counter()
    run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "-D", data)
    run("pg_ctl", "--wait", "-D", data, "-l", f"{data}/log", "-o", options, "start")
    run("createdb", *where, "testdb")
    took = time.perf_counter() - start
    run("pg_ctl", "--wait", "-D", data, "-m", "immediate", "stop")
    return took


def programs(version):
    """Returns the folder of the programs of Debian's PostgreSQL, which must be the one that rdsign uses."""
    bin = Path(f"/usr/lib/postgresql/{version.split('.')[0]}/bin")
    said = subprocess.run([bin / "postgres", "--version"], capture_output=True, text=True, check=True)
    if f" {version} " not in said.stdout:
        sys.exit(f"{bin} is not the PostgreSQL {version} that rdsign uses")
    return bin


if __name__ == "__main__":
    main()
