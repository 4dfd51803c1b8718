"""The command line that the wheel brings: `rdsign` and `python -m rdsign`, wherever pip installs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from common import PATIENCE, VERSION
from conftest import run

WHEEL = Path(os.environ["RDSIGN_WHEEL"]).resolve()


def output(*command, status=0, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE, **options
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_pip_installs_the_command():
    program = Path(sys.executable).parent / "rdsign"
    assert output(program, "--version") == f"rdsign {VERSION}\n"
    assert run("-m", "rdsign", "--version") == f"rdsign {VERSION}\n"


def test_arguments_input_and_status_are_passed_on():
    command = [sys.executable, "-m", "rdsign", "inspect", "--json"]
    assert '"malformed"' in output(*command, input="a b", status=1)
    assert output(sys.executable, "-m", "rdsign", "token", "--port", "x y", status=2) == ""


def test_its_rds_on_this_machine_starts(tmp_path):
    program = Path(sys.executable).parent / "rdsign"
    script = f"{program} token | {program} inspect && psql -Atc 'select 1' \"password=$({program} token)\""
    done = output(program, "local", "--", "sh", "-c", script, cwd=tmp_path)
    assert done.endswith("\n1\n")


@pytest.mark.parametrize("option", ["--target", "--prefix"])
def test_it_is_found_next_to_the_package(option, tmp_path):
    quiet = ("--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--ignore-installed")
    output(sys.executable, "-m", "pip", "install", *quiet, option, tmp_path / "there", WHEEL)
    [package] = (tmp_path / "there").rglob("rdsign/__main__.py")
    # -S: the rdsign of this environment is not found.
    there = os.environ | {"PYTHONPATH": str(package.parents[1])}
    where = "import rdsign.__main__ as main, sysconfig; sysconfig.get_path = lambda *_: '/none'; print(main.program())"
    assert run("-S", "-c", where, env=there) == f"{tmp_path / 'there/bin/rdsign'}\n"


@pytest.mark.parametrize(
    ("system", "package", "program"),
    [
        ("posix", "/there/rdsign", "/there/bin/rdsign"),
        ("posix", "/there/lib/python3.11/site-packages/rdsign", "/there/bin/rdsign"),
        ("nt", "/there/rdsign", "/there/bin/rdsign.exe"),
        ("nt", "/there/Lib/site-packages/rdsign", "/there/Scripts/rdsign.exe"),
    ],
)
def test_it_is_looked_for_where_pip_puts_it_on_each_system(system, package, program):
    from rdsign.__main__ import places

    assert Path(program) in places(Path(package), system)


def test_a_package_without_the_command_says_so(tmp_path):
    package = tmp_path / "rdsign"
    package.mkdir()
    import rdsign.__main__ as main

    (package / "__main__.py").write_text(Path(main.__file__).read_text())
    program = "import sysconfig, runpy; sysconfig.get_path = lambda *_: '/none'; runpy.run_path('rdsign', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "rdsign: this installation has no command line; install the wheel\n",
    )
