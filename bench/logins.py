"""Measures logins per second to a local RDS: with a token, and with a scram password.

Runs inside `rdsign local`. pgbench connects again for each transaction, always over TLS with verify-full.
The two kinds take turns. Each turn uses one token for all its logins, so the comparison is of the server's
work: PostgreSQL's scram against checking a signature and a policy.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import tomllib
from rows import QUICK, say


def main():
    rounds, logins = (5, 50) if QUICK else (15, 120)
    settings = tomllib.loads(Path(os.environ["RDSIGN_LOCAL_CONFIG"]).read_text())
    rates = {"token": [], "scram": []}
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("select 1;\n")
        script.flush()
        for _ in range(rounds):
            token = subprocess.run(["rdsign", "token"], capture_output=True, text=True, check=True)
            for kind, user, password in (
                ("token", os.environ["PGUSER"], token.stdout.strip()),
                ("scram", "postgres", settings["postgres_password"]),
            ):
                environment = os.environ | {"PGUSER": user, "PGPASSWORD": password}
                command = [pgbench(), "-n", "-C", "-t", str(logins), "-f", script.name]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                rates[kind].append(float(re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)[1]))
    say(
        "RDS on this machine",
        "logins with a token, one client",
        "logins per second",
        rates["token"],
        {"scram password": rates["scram"]},
    )


def pgbench():
    """Returns the path of pgbench. Debian installs it outside PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(found[-1]) if found else "pgbench"


if __name__ == "__main__":
    main()
