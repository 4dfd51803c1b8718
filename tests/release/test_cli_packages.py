"""The packages of the command line: what is in them, and how they are installed. They are packed with the
programs that the tests built; tests/platforms runs those of dist/.
"""

import functools
import hashlib
import http.server
import os
import platform
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from common import PATIENCE, REPOSITORY, VERSION, wait_until, without_aws_and_postgres
from harness import free_port

DEBUG = REPOSITORY / "target/debug"
PACKAGING = REPOSITORY / "cli/packaging"
MACHINE = platform.machine()
PLATFORM = f"linux-{MACHINE}"
NAME = f"rdsign-{VERSION}-{PLATFORM}"
COMMANDS = ("rdsign", "rdsign-token", "rdsign-exec", "rdsign-policy-check", "rdsign-local")
ENVIRONMENT = without_aws_and_postgres() | {"SOURCE_DATE_EPOCH": "1798848000"}


def run(*command, fails=False, **options):
    options = {"env": ENVIRONMENT} | options
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A folder with the packages for this machine, as make dist leaves it."""
    folder = tmp_path_factory.mktemp("packages")
    built, manual, packages = folder / "built", folder / "manual", folder / "dist"
    for each in (built, packages):
        each.mkdir()
    for name in ("rdsign", "librdsign_local_preload.so"):
        run("strip", "-o", built / name, DEBUG / name)
    run(DEBUG / "examples/manual", manual)
    run(PACKAGING / "pack", PLATFORM, built, manual, packages)
    run(PACKAGING / "finish", packages)
    return packages


def install(dist, prefix, *arguments, source=None, **options):
    return run("sh", dist / "install.sh", "--prefix", prefix, "--from", source or dist, *arguments, **options)


def assert_installed(prefix):
    assert run(prefix / "bin/rdsign", "--version") == f"rdsign {VERSION}\n"
    pages = {path.name for path in (prefix / "share/man/man1").iterdir()}
    assert {f"{name}.1" for name in COMMANDS} <= pages
    assert (prefix / "lib/rdsign/librdsign_local_preload.so").is_file()


def test_the_script_installs_from_a_folder(dist, tmp_path):
    output = install(dist, tmp_path / "prefix")
    assert_installed(tmp_path / "prefix")
    assert f"Installed rdsign {VERSION}: {tmp_path}/prefix/bin/rdsign\n" in output
    assert "to PATH" in output


def test_the_script_installs_again_over_a_running_program(dist, tmp_path):
    install(dist, tmp_path)
    command = [tmp_path / "bin/rdsign", "inspect"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as waiting:  # for a token
        install(dist, tmp_path)
        assert waiting.poll() is None
    assert_installed(tmp_path)


def test_the_script_downloads_from_a_server(dist, tmp_path):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=dist)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            install(dist, tmp_path / "prefix", source=address)
            error = install(dist, tmp_path / "no", source=f"{address}/no", fails=True)
        finally:
            server.shutdown()
    assert_installed(tmp_path / "prefix")
    assert f"install.sh: {address}/no/SHA256SUMS cannot be downloaded" in error
    assert not (tmp_path / "no").exists()


def test_an_archive_with_another_hash_is_not_installed(dist, tmp_path):
    copy = tmp_path / "dist"
    copy.mkdir()
    for name in ("SHA256SUMS", f"{NAME}.tar.gz"):
        shutil.copy(dist / name, copy)
    with (copy / f"{NAME}.tar.gz").open("ab") as archive:
        archive.write(b"\0")
    error = install(dist, tmp_path / "prefix", source=copy, fails=True)
    assert f"{NAME}.tar.gz has the SHA-256 " in error
    assert "nothing was installed" in error
    assert not (tmp_path / "prefix").exists()


@pytest.mark.parametrize(
    ("system", "machine", "message"),
    [
        ("Darwin", "arm64", "no archive for Darwin; accepted: Linux"),
        ("Linux", "riscv64", "no archive for riscv64; accepted: x86_64, aarch64"),
    ],
)
def test_the_script_says_which_platforms_there_are(system, machine, message, dist, tmp_path):
    (tmp_path / "uname").write_text(
        f"#!/bin/sh\ncase $1 in -s) echo {system} ;; -m) echo {machine} ;; esac\n"
    )
    (tmp_path / "uname").chmod(0o755)
    env = ENVIRONMENT | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert message in install(dist, tmp_path / "prefix", env=env, fails=True)
    assert not (tmp_path / "prefix").exists()


def test_a_system_without_glibc_gets_the_static_program(dist, tmp_path):
    (tmp_path / "getconf").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "getconf").chmod(0o755)
    env = ENVIRONMENT | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert f"has no {NAME}-musl.tar.gz" in install(dist, tmp_path / "prefix", env=env, fails=True)


def test_the_script_refuses_arguments_that_it_does_not_know(dist, tmp_path):
    assert "unknown argument: --dir; accepted: --prefix DIR" in install(dist, tmp_path, "--dir", fails=True)
    assert "--from: missing" in install(dist, tmp_path, "--from", fails=True)


def test_the_debian_package_installs_the_program_its_pages_and_the_completions(dist, tmp_path):
    (package,) = dist.glob("*.deb")
    fields = run("dpkg-deb", "--field", package)
    assert f"Version: {VERSION}\n" in fields
    run("dpkg-deb", "--extract", package, tmp_path)
    assert run(tmp_path / "usr/bin/rdsign", "--version") == f"rdsign {VERSION}\n"
    for name in COMMANDS:
        page = run("gzip", "-dc", tmp_path / f"usr/share/man/man1/{name}.1.gz")
        assert f".TH {name} 1" in page
        assert VERSION in page
    for path in ("bash-completion/completions/rdsign", "zsh/vendor-completions/_rdsign"):
        assert "rdsign" in (tmp_path / "usr/share" / path).read_text()
    assert " usr/bin/rdsign\n" in run("dpkg-deb", "--info", package, "md5sums")


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian_finds_nothing_in_the_debian_package(dist):
    (package,) = dist.glob("*.deb")
    done = subprocess.run(["lintian", package], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_packing_again_gives_the_same_bytes(dist, tmp_path):
    built, one, two = tmp_path / "built", tmp_path / "one", tmp_path / "two"
    for folder in (built, one, two):
        folder.mkdir()
    for name in ("rdsign", "librdsign_local_preload.so"):
        (built / name).write_bytes(b"small")  # packs faster
    run(PACKAGING / "pack", PLATFORM, built, dist.parent / "manual", one)
    for name in ("rdsign", "librdsign_local_preload.so"):
        os.utime(built / name, (0, 0))
    run(PACKAGING / "pack", PLATFORM, built, dist.parent / "manual", two)
    packed = [path for path in one.iterdir() if path.is_file()]
    assert {path.suffix for path in packed} == {".gz", ".deb"}
    for path in packed:
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name


def test_the_checksums_name_every_file(dist):
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.iterdir() if path.is_file()
    }
    del hashes["SHA256SUMS"]
    assert sorted(lines) == sorted(f"{digest}  {name}" for name, digest in hashes.items())
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=dist)


def test_the_formula_names_the_archives_that_are_there(dist):
    formula = (dist / "rdsign.rb").read_text()
    assert not re.search("@[A-Z]+@", formula)
    digest = hashlib.sha256((dist / f"{NAME}.tar.gz").read_bytes()).hexdigest()
    assert re.findall(r'url ".*/(.*)"\n\s*sha256 "(.*)"', formula) == [(f"{NAME}.tar.gz", digest)]
    assert f"releases/download/v{VERSION}/{NAME}.tar.gz" in formula
    assert "depends_on :linux" in formula


@pytest.mark.parametrize("name", ["Dockerfile", "local.Dockerfile"])
def test_what_an_image_copies_is_in_the_repository_or_in_dist(name, dist):
    text = (PACKAGING / name).read_text()
    default = re.search(r"^ARG PLATFORM=(\S+)$", text, re.M)[1]
    assert (
        default
        in re.search("^ALL_PLATFORMS := (.*)$", (REPOSITORY / "Makefile").read_text(), re.M)[1].split()
    )
    sources = [line.split()[-2] for line in re.findall("^COPY (?!--from)(.*)$", text, re.M)]
    assert sources
    for source in sources:
        # The archives of all platforms are alike.
        own = source.replace("${VERSION}", VERSION).replace("${PLATFORM}", PLATFORM)
        path = dist / own.removeprefix("dist/") if own.startswith("dist/") else REPOSITORY / own
        assert path.exists(), source
    assert re.search(r"^USER (65532:65532|postgres)$", text, re.M)


@pytest.mark.skipif(not shutil.which("socat"), reason="socat is not installed")
def test_the_image_forwards_connections_to_the_local_rds(dist, tmp_path, request):
    # Root's PostgreSQL runs as another user, who must get to its data.
    folder = tempfile.TemporaryDirectory(prefix="rdsign-image-")
    request.addfinalizer(folder.cleanup)
    Path(folder.name).chmod(0o755)
    port = str(free_port())
    prefix = tmp_path / "prefix"
    install(dist, prefix)
    output = tmp_path / "output"
    env = ENVIRONMENT | {
        "PATH": f"{prefix}/bin:{os.environ['PATH']}",
        "RDSIGN_FORWARD_ADDRESS": "127.0.0.2",
        "RDSIGN_FORWARD_PORT": port,
        "RDSIGN_DATA": str(Path(folder.name) / "data"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with output.open("w") as file:
        server = subprocess.Popen([PACKAGING / "local-in-container"], env=env, stdout=file, stderr=file)
    try:
        wait_until(
            lambda: "# The certificate" in output.read_text() or server.poll() is not None, "the variables"
        )
        assert server.poll() is None, output.read_text()
        variables = dict(
            word.split("=", 1)
            for line in re.findall("^export (.*)$", output.read_text(), re.M)
            for word in line.split(" ")
        )
        assert variables["PGPORT"] == port
        certificate = re.search(r"rdsign-local:(\S+)", output.read_text())[1]
        variables |= {"PGHOSTADDR": "127.0.0.2", "PGSSLROOTCERT": certificate}
        command = [
            prefix / "bin/rdsign",
            "exec",
            "--hostaddr",
            "127.0.0.2",
            "--",
            "psql",
            "-XAtc",
            "select current_user",
        ]
        log_in = lambda: subprocess.run(  # noqa: E731
            command, env=env | variables, capture_output=True, text=True
        )
        wait_until(lambda: "refused" not in log_in().stderr, "the forwarder")
        done = log_in()
        assert done.stdout == "iam_user\n", done.stderr
    finally:
        server.terminate()
        server.wait(PATIENCE)
