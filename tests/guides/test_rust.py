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


# A line on standard input ends the wait of a program that holds a connection.
WAIT = 'println!("held"); std::io::stdin().read_line(&mut String::new())?;'


@pytest.fixture(scope="module")
def programs():
    """The programs of the pages, and the same with mistakes. Those whose names end in held and kept hold a connection
    and open another, which gets the first token in those that keep it."""
    main = Guide("tokio-postgres").files["src/main.rs"]
    no_tls = [
        ("use tokio_postgres_rustls::MakeRustlsConnect;\n", ""),
        ("    tls: MakeRustlsConnect,", "    #[allow(dead_code)]\n    tls: ClientConfig,"),
        ("connect(self.tls.clone())", "connect(tokio_postgres::NoTls)"),
        (".ssl_mode(SslMode::Require)", ".ssl_mode(SslMode::Prefer)"),
        ("MakeRustlsConnect::new(tls)", "tls"),
    ]
    get = "let client = pool.get()"
    held = changed(main, (get, f"let _held = pool.get().await; {WAIT} {get}"))
    sign = "let token = self.signer.token_async().await?;"
    once = "static ONCE: std::sync::OnceLock<rdsign::Token> = std::sync::OnceLock::new();"
    kept = changed(held, (sign, f"{once} {sign} let token = ONCE.get_or_init(|| token);"))
    sqlx = Guide("sqlx").files["src/main.rs"]
    query = "let user: String"
    sqlx_held = changed(sqlx, (query, f"let _held = database.pool().await?.acquire().await?; {WAIT} {query}"))
    return build(
        guide=main,
        guide_no_tls=changed(main, *no_tls),
        guide_held=held,
        guide_kept=kept,
        guide_sqlx=sqlx,
        guide_sqlx_held=sqlx_held,
        guide_sqlx_kept=changed(
            sqlx_held, ("fetch_one(database.pool().await?)", "fetch_one(&database.pool)")
        ),
    )


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


def test_tokio_postgres_errors(rds, programs, clock, tmp_path):
    stale, plain, distrusted = Guide("tokio-postgres").errors

    def fail(program, **variables):
        return rds.run(programs / program, folder=tmp_path, status=1, **variables)

    assert rds.run(programs / "guide_held", folder=tmp_path, clock=clock) == "iam_user\n"
    shows(stale, fail("guide_kept", clock=clock))
    shows(plain, fail("guide_no_tls"))
    shows(distrusted, fail("guide", PGSSLROOTCERT=REPOSITORY / "ca-bundle/rds.pem"))


@pytest.fixture
def run_sqlx(rds, programs, tmp_path):
    """Runs the page's command with its program. sqlx dials the name of the endpoint, so that leads to this machine."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 {ENDPOINT}\n")

    def run(program="guide_sqlx", authorities=rds.authorities, address=None, **options):
        here = f"mount --bind {hosts} /etc/hosts && exec {programs / program}"
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


def test_sqlx_errors(run_sqlx, clock):
    stale, distrusted, address = Guide("sqlx").errors
    assert run_sqlx("guide_sqlx_held", clock=clock) == "iam_user\n"
    shows(stale, run_sqlx("guide_sqlx_kept", clock=clock, status=1))
    shows(distrusted, run_sqlx(authorities=REPOSITORY / "ca-bundle/rds.pem", status=1))
    shows(address, run_sqlx(address="127.0.0.1", status=1))
