"""The clients of the soak: how each is built and started, and where its credentials come from."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common import RDSIGN, REPOSITORY
from fake_aws import FakeAws, new_secret

CLIENTS = Path(__file__).parent / "clients"
BUILT = RDSIGN.parent
PYTHON = REPOSITORY / "target/venv-python/bin/python"  # has the wheel
MODULES = REPOSITORY / "target/node/tests"  # has the Node package
JAR = REPOSITORY / "target/jvm/packed/rdsign.jar"
JARS = REPOSITORY / "target/soak/jars"  # HikariCP and pgjdbc
ROLE = "arn:aws:iam::123456789012:role/a-role"


def container(fake: FakeAws, folder: Path) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.container_url, "AWS_EC2_METADATA_DISABLED": "true"}


def instance(fake: FakeAws, folder: Path) -> dict[str, str]:
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url}


def web_identity(fake: FakeAws, folder: Path) -> dict[str, str]:
    jwt = folder / "jwt"
    jwt.write_text(new_secret())
    names = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(jwt)}
    return names | {"AWS_ENDPOINT_URL_STS": fake.url, "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Program:
    """A client. `signers` is how many have a cache of their own: one, one at a time, or many."""

    name: str
    label: str
    source: object
    command: object
    signers: str = "one"


def python_of(name):
    return lambda folder, events, stop: [PYTHON, "-B", CLIENTS / name, events, stop]


def node(folder, events, stop):
    limits = ["--expose-gc", "--max-old-space-size=64"]
    return ["node", *limits, CLIENTS / "pool.mjs", events, stop, MODULES]


def java(folder, events, stop):
    limits = ["-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"]
    limits.append("-XX:-UseDynamicNumberOfCompilerThreads")
    return ["java", *limits, "-cp", f"{folder}:{JAR}:{JARS}/*", "Pool", events, stop]


def c(*more):
    return lambda folder, events, stop: [folder / "pool", events, stop, *more]


def command_line(folder, events, stop):
    return [sys.executable, "-B", CLIENTS / "cli.py", events, stop, RDSIGN]


PROGRAMS = [
    Program("python", "Python, psycopg pool", instance, python_of("pool.py")),
    Program("node", "Node, pg pool", container, node),
    Program("java", "Java, HikariCP", container, java),
    Program("c", "C, libpq", web_identity, c()),
    Program("cli", "the command line", container, command_line, "one at a time"),
    Program("python-forks", "Python that forks", container, python_of("forks.py"), "many"),
    Program("c-forks", "C that forks", instance, c("forks"), "many"),
]


def missing() -> list[Path]:
    """Returns what must be built first and is not there."""
    needed = [RDSIGN, BUILT / "librdsign_local_preload.so", BUILT / "librdsign_c.so", PYTHON]
    needed += [MODULES / "node_modules/rdsign", MODULES / "node_modules/pg", JAR, JARS]
    return [path for path in needed if not path.exists()]


def build(folder: Path) -> None:
    """Compiles the clients in C and Java."""
    library = BUILT / "librdsign_c.so"
    said = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    soname = re.search(r"SONAME.*\[(.*)\]", said)[1]
    (folder / soname).symlink_to(library)
    include = [f"-I{REPOSITORY}/bindings-c/include", "-I/usr/include/postgresql"]
    strict = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    link = [library, "-lpq", "-lpthread", f"-Wl,-rpath,{folder}"]
    subprocess.run(["cc", *strict, *include, "-o", folder / "pool", CLIENTS / "pool.c", *link], check=True)
    class_path = f"{JAR}:{JARS}/*"
    subprocess.run(["javac", "-cp", class_path, "-d", folder, CLIENTS / "Pool.java"], check=True)
