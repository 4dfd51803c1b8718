"""The examples in other languages that call librdsign: each logs in, and sends its token nowhere else.

Lua's is part of `make test-c`. The others need more packages, and Go a network: `make test-guides` sets
RDSIGN_GUIDES and runs all.
"""

import os
import shutil

import pytest
from conftest import REPOSITORY, run, succeed
from test_login import logged_in

CACHE = REPOSITORY / "target/go"
# The command that runs the program in each folder.
GUIDES = {
    "luajit-libpq": ["luajit", "main.lua"],
    "ruby-pg": ["ruby", "-w", "main.rb"],
    "php-pgsql": ["php", "main.php"],
    "go-pgx": ["./go-pgx"],
}


@pytest.fixture(scope="module", params=GUIDES)
def guide(request, tree, scratch):
    """A command that runs an example from a copy of its folder."""
    if request.param != "luajit-libpq" and "RDSIGN_GUIDES" not in os.environ:
        pytest.skip("make test-guides runs it")
    if request.param == "go-pgx" and not shutil.which("go"):
        pytest.skip("there is no Go; accepted: 1.25 or later")
    folder = scratch / request.param
    shutil.copytree(REPOSITORY / "examples" / request.param, folder)
    found = {"PKG_CONFIG_PATH": tree.libdir / "pkgconfig"}
    if request.param == "go-pgx":
        own = {"GOPATH": CACHE, "GOCACHE": CACHE / "cache", "GOFLAGS": "-modcacherw -mod=readonly"}
        own |= {"CGO_LDFLAGS": f"-Wl,-rpath,{tree.libdir}", "CGO_LDFLAGS_ALLOW": "-Wl,-rpath.*"}
        succeed("go", "vet", ".", cwd=folder, env=found | own)
        succeed("go", "build", "-o", "go-pgx", cwd=folder, env=found | own)
    settings = [f"{name}={value}" for name, value in found.items()]
    return ["env", "-C", folder, *settings, *GUIDES[request.param]]


def test_it_logs_in_even_if_a_service_names_another_server(guide, recorder, tmp_path):
    settings = ["[dev]", "host=127.0.0.1", f"port={recorder.port}", "user=other", "sslmode=disable"]
    (tmp_path / "services").write_text("\n".join(settings))
    # rdsign local removes both variables.
    service = f"PGSERVICE=dev PGSERVICEFILE={tmp_path}/services"
    done = logged_in("sh", "-c", f'{service} "$@"', "sh", *guide)
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr
    assert "warning" not in done.stderr.lower()
    assert recorder.received == b""


@pytest.mark.parametrize("told", ["unset PGSSLROOTCERT", "PGSSLROOTCERT="])
def test_it_trusts_only_the_authorities_of_rds_unless_told_otherwise(guide, told):
    done = logged_in("sh", "-c", f'{told}; "$@"', "sh", *guide)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "certificate verify failed" in done.stderr or "unknown authority" in done.stderr


def test_it_reports_what_is_wrong_with_its_options(guide):
    done = run(*guide, env={"PGHOST": "localhost", "PGUSER": "iam_user"})
    assert (done.stdout, done.returncode) == ("", 1)
    assert "region: missing" in done.stderr
