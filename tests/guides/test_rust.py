"""The guide for Rust. Its program is built with the lock of rust/, next to what cargo has built for other tests."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from common import REPOSITORY
from guide import Guide, logged_in, shows

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
    """The program of the page, and the same with each mistake."""
    main = Guide("tokio-postgres").files["src/main.rs"]
    no_tls = [
        ("use tokio_postgres_rustls::MakeRustlsConnect;\n", ""),
        ("    tls: MakeRustlsConnect,", "    #[allow(dead_code)]\n    tls: ClientConfig,"),
        ("connect(self.tls.clone())", "connect(tokio_postgres::NoTls)"),
        (".ssl_mode(SslMode::Require)", ".ssl_mode(SslMode::Prefer)"),
        ("MakeRustlsConnect::new(tls)", "tls"),
    ]
    return build(guide=main, guide_no_tls=changed(main, *no_tls))


def test_tokio_postgres(rds, programs, tmp_path):
    guide = Guide("tokio-postgres")
    # What `cargo run` runs.
    assert guide.block("sh") == "cargo run --quiet\n"
    assert rds.run(programs / "guide", folder=tmp_path) == "iam_user\n"
    rust = subprocess.run(["rustc", "--version"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    crates = map(version, ("tokio-postgres", "deadpool", "tokio-postgres-rustls"))
    logged_in(guide, *crates, f"Rust {rust.stdout.split()[1]}")


def test_tokio_postgres_errors(rds, programs, tmp_path):
    stale, plain, distrusted = Guide("tokio-postgres").errors

    def fail(program, **variables):
        return rds.run(programs / program, folder=tmp_path, status=1, **variables)

    with rds.later():
        shows(stale, fail("guide"))
    shows(plain, fail("guide_no_tls"))
    shows(distrusted, fail("guide", PGSSLROOTCERT=REPOSITORY / "ca-bundle/rds.pem"))
