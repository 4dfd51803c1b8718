"""The files in packaging/proxy/, which users copy. They are run as they are, except that the endpoint is the
local RDS, and that the ports are free ones.
"""

import configparser
import hashlib
import re
import shlex
import shutil
import signal
import subprocess
import tarfile

import psycopg
import pytest
import tomllib
import yaml
from common import PATIENCE, RDSIGN, REPOSITORY, VERSION
from conftest import as_toml
from test_config import run
from test_health import Watched

PACKAGING = REPOSITORY / "packaging/proxy"
DOCS = (REPOSITORY / "docs/proxy.md").read_text()
INSTALLED = "/usr/bin/rdsign"  # by the Debian package
SETTINGS = "/etc/rdsign/proxy.toml"


def text_of(name, with_optional=False):
    """Returns a file. Its optional lines are comments without a space after the sign."""
    text = (PACKAGING / name).read_text()
    return re.sub(r"^#(?=[\w[])", "", text, flags=re.M) if with_optional else text


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # keys have capitals
    parser.read(PACKAGING / name)
    return parser


@pytest.fixture
def service(config):
    """The service's command line, without the program. Its file of settings is a copy."""

    def service(with_optional=False, **replaced):
        text = text_of("proxy.toml", with_optional)
        text = re.sub("^hostname = .*", "\n".join(as_toml(config.server)), text, flags=re.M)
        for old, new in replaced.items():
            text, count = re.subn(f'^{old} = "127.0.0.1:.*"$', f'{old} = "{new}"', text, flags=re.M)
            assert count == 1, old
        config.path.write_text("connect_timeout = 120\n" + text)
        words = shlex.split(unit("rdsign-proxy.service")["Service"]["ExecStart"])
        assert words[:2] == [INSTALLED, "proxy"] and SETTINGS in words
        return [word.replace(SETTINGS, str(config.path)) for word in words[2:]]

    return service


@pytest.mark.parametrize("with_optional", [False, True])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this system has no systemd-analyze")
def test_systemd_accepts_the_units(tmp_path, with_optional):
    names = ["rdsign-proxy.service", "rdsign-proxy.socket"]
    for name in names:
        (tmp_path / name).write_text(text_of(name, with_optional).replace(INSTALLED, str(RDSIGN)))
    command = ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in names)]
    done = subprocess.run(command, text=True, capture_output=True, timeout=PATIENCE)
    # It may warn of other units of this machine, and of an unknown key with status 0.
    warnings = [line for line in done.stderr.splitlines() if "rdsign" in line]
    assert (done.returncode, warnings) == (0, [])


def test_the_service_s_commands_start_and_reload_the_proxy(start, service):
    section = unit("rdsign-proxy.service")["Service"]
    proxy = start(*service(listen="127.0.0.1:0", health="127.0.0.1:0"))
    assert proxy.can_connect()
    assert Watched(proxy).get("/readiness") == (200, "ready\n")
    command = section["ExecReload"].replace("$MAINPID", str(proxy.process.pid))
    subprocess.run(shlex.split(command), check=True, timeout=PATIENCE)
    proxy.wait_for("reloaded")
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait(PATIENCE) == 0


def test_the_service_waits_for_open_sessions_and_does_not_repeat_an_invalid_start(environment, service):
    section = unit("rdsign-proxy.service")["Service"]
    assert int(section["TimeoutStopSec"]) > tomllib.loads(text_of("proxy.toml"))["drain"]
    status, _, error = run(environment, *service(listen="0.0.0.0:6543"))
    assert "can be reached from other machines" in error
    assert section["RestartPreventExitStatus"].split() == [str(status)]


@pytest.mark.parametrize("with_optional", [False, True])
def test_check_accepts_the_settings(environment, config, service, with_optional):
    status, output, error = run(environment, "check", *service(with_optional))
    server = f"{config.server['hostname']} at 127.0.0.1 port {config.server['port']}"
    names = ["orders", "reports"] if with_optional else ["orders"]
    lines = [f"{name}: logged in to {server} as iam_user" for name in names]
    assert (status, output.splitlines(), error) == (0, lines, "")


def test_an_endpoint_listens_where_systemd_does():
    listens = [one.get("listen") for one in tomllib.loads(text_of("proxy.toml"))["endpoints"]]
    assert unit("rdsign-proxy.socket")["Socket"]["ListenStream"] in listens


def test_a_socket_of_the_settings_is_in_the_folder_of_the_service():
    section = unit("rdsign-proxy.service")["Service"]
    endpoints = tomllib.loads(text_of("proxy.toml", with_optional=True))["endpoints"]
    [socket] = [one["socket"] for one in endpoints if "socket" in one]
    assert socket.startswith(f"/run/{section['RuntimeDirectory']}/")
    # Other users, as in `allow_uid`, may enter it, and only the service may write to it.
    assert int(section["RuntimeDirectoryMode"], 8) & 0o033 == 0o011


@pytest.fixture
def pod():
    return yaml.safe_load(text_of("kubernetes.yaml"))["spec"]


def test_the_sidecar_answers_its_probes_and_the_program_logs_in(pod, start, config):
    [sidecar], [program] = pod["initContainers"], pod["containers"]
    assert sidecar["restartPolicy"] == "Always"
    flags = dict(flag.split("=", 1) for flag in sidecar["args"])
    assert flags.pop("--log-format") == "json"  # which all proxies of the tests have
    listen, health = flags["--listen"], flags["--health"]
    server = {f"--{name}": value for name, value in config.server.items()}
    flags |= server | {"--listen": "127.0.0.1:0", "--health": "127.0.0.1:0"}
    proxy = start(*(f"{name}={value}" for name, value in flags.items()))
    watched = Watched(proxy)

    ports = {port["name"]: port["containerPort"] for port in sidecar["ports"]}
    assert health == f"0.0.0.0:{ports['health']}", "the node's probes reach it"
    paths = set(re.findall(r"^\| `(/\w+)` \|", DOCS, re.M))
    for kind in ("startup", "liveness", "readiness"):
        probe = sidecar[f"{kind}Probe"]
        assert (probe["httpGet"]["port"], probe["timeoutSeconds"]) == ("health", 10)
        assert probe["httpGet"]["path"] == f"/{kind}" and f"/{kind}" in paths
        assert watched.get(probe["httpGet"]["path"])[0] == 200

    variables = {one["name"]: one["value"] for one in program["env"]}
    assert f"{variables['PGHOST']}:{variables['PGPORT']}" == listen
    names = {"PGHOST": "host", "PGUSER": "user", "PGDATABASE": "dbname", "PGSSLMODE": "sslmode"}
    given = {names[name]: value for name, value in variables.items() if name != "PGPORT"}
    with psycopg.connect(port=proxy.port, **given) as connection:
        assert connection.execute("select current_user").fetchone() == ("iam_user",)


def test_the_pod_has_no_secret_and_little_power(pod):
    variables = [one for container in pod["containers"] for one in container["env"]]
    assert "env" not in pod["initContainers"][0]
    assert [one["name"] for one in variables if not one["name"].startswith("PG")] == []
    assert "PGPASSWORD" not in [one["name"] for one in variables]
    context = pod["initContainers"][0]["securityContext"]
    assert context["runAsNonRoot"] and context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}


# The instructions of the last stage, and the script that unpacks the archive.
INSTRUCTIONS = re.sub(r"\\\n", "", text_of("Dockerfile")).splitlines()
IMAGE = INSTRUCTIONS[INSTRUCTIONS.index("FROM scratch") :]
[UNPACK] = [line.removeprefix("RUN ") for line in INSTRUCTIONS if "sha256sum" in line]


@pytest.mark.parametrize(
    "change, message",
    [
        (None, ""),
        ("archive", "FAILED"),
        ("sums", ""),
    ],
)
def test_the_image_has_the_program_of_an_archive_with_the_hash_of_the_release(tmp_path, change, message):
    platform = "linux-x86_64-musl"
    name = f"rdsign-{VERSION}-{platform}"
    (tmp_path / "program").write_text("the program")
    with tarfile.open(tmp_path / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "program", f"{name}/bin/rdsign")
        archive.add(REPOSITORY / "LICENSE", f"{name}/LICENSE")
    archive = tmp_path / f"{name}.tar.gz"
    line = f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n"
    if change == "archive":
        archive.write_bytes(archive.read_bytes() + b"\0")
    if change == "sums":
        line = line.replace(f"  {name}", f"  lib{name}")
    # The other files of the release are not here.
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  install.sh\n{line}")
    variables = {"VERSION": VERSION, "PLATFORM": platform, "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    pipes = {"text": True, "capture_output": True, "timeout": PATIENCE}
    done = subprocess.run(["sh", "-c", UNPACK], cwd=tmp_path, env=variables, **pipes)
    assert (done.returncode == 0) == (change is None), done.stderr
    assert message in done.stdout + done.stderr
    unpacked = [path for path in ("bin/rdsign", "LICENSE") if (tmp_path / path).exists()]
    assert unpacked == ([] if change else ["bin/rdsign", "LICENSE"])
    copied = [line.split()[2] for line in IMAGE if line.startswith("COPY --from=release ")]
    assert sorted(copied) == ["/release/LICENSE", "/release/bin/rdsign"]


def test_the_image_runs_the_proxy_as_nobody():
    [entry] = [line.removeprefix("ENTRYPOINT ") for line in IMAGE if line.startswith("ENTRYPOINT ")]
    assert yaml.safe_load(entry) == ["/rdsign", "proxy"], "so that the pod's args are flags"
    # Kubernetes compares only a number with runAsNonRoot.
    [user] = [line.removeprefix("USER ") for line in IMAGE if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_the_page_names_each_file():
    section = DOCS.partition("\n## Run it\n")[2].partition("\n## ")[0]
    names = [path.name for path in PACKAGING.iterdir()]
    assert len(names) >= 6
    assert [name for name in names if f"`{name}`" not in section] == []
