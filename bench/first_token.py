"""Measures the CPU time and memory that the first token of a process adds to the bare interpreter.

    first_token.py LANGUAGE [--quick]

Every measurement starts a new process; the bare interpreter, rdsign and its peers take turns. Keys are in
the environment, as on Lambda and in containers. For Rust, other sources are measured, too.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rows import ENVIRONMENT, HOST, KEY_ID, PEERS, PORT, QUICK, REGION, SECRET, USER, say, versions

MEASURE = PEERS / "measure"
ROOT = Path(__file__).parents[1]
FIRST = "first token of a process"


@dataclass
class Comparison:
    """Commands that take turns, and their environment."""

    row: str
    # None for programs that measure themselves, and if the whole process counts.
    bare: list[str] | None
    rdsign: list[str]
    peers: dict[str, list[str]]
    # None removes a variable.
    environment: dict[str, str | None] = field(default_factory=dict)
    rounds: int = 41
    # The aims for CPU, in milliseconds, and for memory, in megabytes.
    aims: tuple[dict | None, dict | None] = (None, None)
    chart: str | None = "first"
    measures_itself: bool = False


def python():
    run = [sys.executable, "-c"]
    ours = f"import rdsign; rdsign.Signer(hostname={HOST!r}, username={USER!r}).token()"
    theirs = f"import boto3; boto3.client('rds').generate_db_auth_token({HOST!r}, {PORT}, {USER!r})"
    folders = [PEERS / "python" / name for name in ("rdsign", "boto3")]
    yield Comparison(
        row=FIRST,
        bare=[*run, "pass"],
        rdsign=[*run, ours],
        peers={versions("python")["boto3"]: [*run, theirs]},
        environment={"PYTHONPATH": os.pathsep.join(map(str, folders))},
        aims=({"at most": 3}, {"at most": 6}),
    )


def node():
    options = json.dumps({"hostname": HOST, "port": PORT, "username": USER, "region": REGION})

    def run(folder, code):
        script = PEERS / "node" / folder / ("first.js" if code else "bare.js")
        script.write_text(code)
        return ["node", str(script)]

    v3, v2 = (versions("node")[name] for name in ("@aws-sdk/rds-signer", "aws-sdk"))
    of_v3 = f"new (require('@aws-sdk/rds-signer').Signer)({options}).getAuthToken()"
    of_v2 = f"new (require('aws-sdk').RDS.Signer)({options}).getAuthToken({options})"
    yield Comparison(
        row=FIRST,
        bare=run("rdsign", ""),
        rdsign=run("rdsign", f"new (require('rdsign').Signer)({options}).tokenSync()"),
        peers={v3: run("rds-signer", of_v3), v2: run("aws-sdk", of_v2)},
        environment={"AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"},
        rounds=61,
        aims=({"at most": 3}, {"at most": 4}),
    )


def java():
    folder = PEERS / "jvm"
    run = ["java", "-cp", f"{folder}/classes:{folder}/rdsign/*"]
    theirs = ["java", "-cp", f"{folder}/classes:{folder}/rds/*", "FirstOfTheSdk"]
    yield Comparison(
        row=FIRST,
        bare=[*run, "Empty"],
        rdsign=[*run, "FirstOfRdsign"],
        peers={versions("jvm")["software.amazon.awssdk:rds"]: theirs},
        aims=({"at most": 40}, None),
    )


def shell():
    arguments = ["--hostname", HOST, "--port", str(PORT), "--username", USER, "--region", REGION]
    folder = PEERS / "python" / "awscli"
    aws = [sys.executable, str(folder / "bin" / "aws"), "rds", "generate-db-auth-token", *arguments]
    yield Comparison(
        row="a token, as a command",
        bare=None,
        rdsign=["rdsign", "token", *arguments],
        peers={versions("python")["awscli"]: aws},
        environment={"PYTHONPATH": str(folder)},
        rounds=31,
    )


def rust():
    sys.path.append(str(ROOT / "tests" / "support"))
    import fake_aws

    program = str(ROOT / "target" / "release" / "first-token")
    keys = json.dumps({"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET})
    files = {
        "a profile": f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n",
        "credential_process": f"[default]\ncredential_process = echo '{keys}'\n",
    }
    no_keys = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rdsign-bench-")))
        metadata = {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": stack.enter_context(fake_aws.FakeAws()).url,
            "AWS_EC2_METADATA_DISABLED": "false",
        }
        sources = {"the environment": {}, "instance metadata": no_keys | metadata}
        for source, text in files.items():
            (folder / source).write_text(text)
            sources[source] = no_keys | {"AWS_CONFIG_FILE": str(folder / source)}
        for source, environment in sources.items():
            comparison = Comparison(
                row=f"{FIRST}, keys from {source}",
                bare=None,
                rdsign=[program, "rdsign", source],
                peers={"aws-config": [program, "aws-config", source]},
                environment=environment,
                measures_itself=True,
                chart=None,
            )
            if source == "the environment":
                given = "rdsign, given keys"
                comparison.peers[given] = [program, "rdsign", "given keys"]
                comparison.aims = ({"at most": 0.15, "more than": given}, None)
                comparison.chart = "first"
            yield comparison


LANGUAGES = {"Python": python, "Node": node, "Java": java, "Shell": shell, "Rust": rust}


def measure(command, environment):
    """Runs a command. Returns milliseconds of CPU and megabytes of memory."""
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {run.stderr}")
    microseconds, kilobytes = map(float, run.stdout.split())
    return microseconds / 1e3, kilobytes * 1024 / 1e6


def compare(language, comparison):
    commands = {"bare": comparison.bare, "rdsign": comparison.rdsign, **comparison.peers}
    if not comparison.measures_itself:
        commands = {name: command and [MEASURE, *command] for name, command in commands.items()}
    environment = {
        name: value for name, value in (ENVIRONMENT | comparison.environment).items() if value is not None
    }
    runs = [
        {name: measure(command, environment) for name, command in commands.items() if command}
        for _ in range(1 + (9 if QUICK else comparison.rounds))
    ][1:]  # the first run fills the page cache
    for place, unit in enumerate(("ms of CPU", "MB of memory")):
        # Subtracts the bare interpreter of the same round: a slow moment slows both.
        added = {
            name: [round(run[name][place] - run.get("bare", (0, 0))[place], 3) for run in runs]
            for name in ("rdsign", *comparison.peers)
        }
        aim = comparison.aims[place]
        say(
            language,
            comparison.row,
            unit,
            added.pop("rdsign"),
            added,
            aims=[aim] if aim else [],
            chart=comparison.chart if place == 0 else None,
        )


def main():
    for comparison in LANGUAGES[sys.argv[1]]():
        compare(sys.argv[1], comparison)


main()
