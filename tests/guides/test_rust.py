"""The guides for Rust. Their programs are built with the lock of rust/, next to what cargo has built for other tests."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from common import REPOSITORY
from guide import Guide, logged_in, shows
from pages import ENDPOINT

FOLDER = REPOSITORY / "target/guides-rust"
PROJECT = Path(__file__).with_name("rust")


def build(**programs):
    """Builds programs from their texts, and returns the folder with them."""
    shutil.rmtree(FOLDER / "src", ignore_errors=True)
    (FOLDER / "src/bin").mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(PROJECT / name, FOLDER)
    for name, text in programs.items():
        (FOLDER / f"src/bin/{name}.rs").write_text(text)
    command = ["cargo", "build", "--locked", "--quiet", "--target-dir", REPOSITORY / "target"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return REPOSITORY / "target/debug"


def version(crate):
    found = re.search(rf'^name = "{crate}"\nversion = "(.*)"$', (PROJECT / "Cargo.lock").read_text(), re.M)
    return f"{crate} {found[1]}"


def changed(text, *replacements):
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def programs():
    """The programs of the pages, and the same with mistakes."""
    main = Guide("tokio-postgres").files["src/main.rs"]
    no_tls = [
        ("use tokio_postgres_rustls::MakeRustlsConnect;\n", ""),
        ("    tls: MakeRustlsConnect,", "    #[allow(dead_code)]\n    tls: ClientConfig,"),
        ("connect(self.tls.clone())", "connect(tokio_postgres::NoTls)"),
        (".ssl_mode(SslMode::Require)", ".ssl_mode(SslMode::Prefer)"),
        ("MakeRustlsConnect::new(tls)", "tls"),
    ]
    sqlx = Guide("sqlx").files["src/main.rs"]
    return build(guide=main, guide_no_tls=changed(main, *no_tls), guide_sqlx=sqlx)


def rust_version():
    done = subprocess.run(["rustc", "--version"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return f"Rust {done.stdout.split()[1]}"


def test_tokio_postgres(rds, programs, tmp_path):
    guide = Guide("tokio-postgres")
    # What `cargo run` runs.
    assert guide.block("sh") == "cargo run --quiet\n"
    assert rds.run(programs / "guide", folder=tmp_path) == "iam_user\n"
    crates = map(version, ("tokio-postgres", "deadpool", "tokio-postgres-rustls"))
    logged_in(guide, *crates, rust_version())


def test_tokio_postgres_errors(rds, programs, tmp_path):
    stale, plain, distrusted = Guide("tokio-postgres").errors

    def fail(program, **variables):
        return rds.run(programs / program, folder=tmp_path, status=1, **variables)

    with rds.later():
        shows(stale, fail("guide"))
    shows(plain, fail("guide_no_tls"))
    shows(distrusted, fail("guide", PGSSLROOTCERT=REPOSITORY / "ca-bundle/rds.pem"))


@pytest.fixture
def run_sqlx(rds, programs, tmp_path):
    """Runs the page's command with its program. sqlx dials the name of the endpoint, so that leads to this machine."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 {ENDPOINT}\n")
    here = f"mount --bind {hosts} /etc/hosts && exec {programs / 'guide_sqlx'}"

    def run(authorities=rds.authorities, address=None, **options):
        shutil.copy(authorities, tmp_path / "rds.pem")
        page = Guide("sqlx").block("sh")
        command = page.replace("cargo run --quiet", f"unshare --map-root-user --mount sh -c '{here}'")
        assert command != page
        return rds.run("bash", "-euc", command, folder=tmp_path, PGHOSTADDR=address, **options)

    return run


def test_sqlx(rds, run_sqlx, programs, tmp_path):
    assert run_sqlx() == "iam_user\n"
    # This command starts a server of its own.
    local = (
        Guide("sqlx").block("sh", section="Tests").replace("cargo run --quiet", str(programs / "guide_sqlx"))
    )
    variables = dict.fromkeys(("PGHOSTADDR", "PGPORT", "PGSSLROOTCERT"))
    assert rds.run("bash", "-euc", local, folder=tmp_path, **variables) == "iam_user\n"
    logged_in(Guide("sqlx"), version("sqlx"), rust_version())


def test_sqlx_errors(rds, run_sqlx):
    stale, distrusted, address = Guide("sqlx").errors
    with rds.later():
        shows(stale, run_sqlx(status=1))
    shows(distrusted, run_sqlx(REPOSITORY / "ca-bundle/rds.pem", status=1))
    shows(address, run_sqlx(address="127.0.0.1", status=1))
