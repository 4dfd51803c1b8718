"""The wheel: its content, an installation without other packages, the modules that an import loads,
and its types."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import rdsign
from common import VERSION
from conftest import PROGRAMS, REPOSITORY, run
from pages import page

WHEEL = Path(os.environ["RDSIGN_WHEEL"]).resolve()
FIRST_TOKEN = """
import rdsign
signer = rdsign.Signer(hostname="a.b.eu-west-1.rds.amazonaws.com", username="x")
print(signer.token())
"""


@pytest.fixture(scope="module")
def names():
    with zipfile.ZipFile(WHEEL) as wheel:
        return wheel.namelist()


def test_one_wheel_is_for_python_3_9_and_later():
    assert re.fullmatch(rf"rdsign-{VERSION}-cp39-abi3-(manylinux|linux)[\w.]+\.whl", WHEEL.name)


def test_pip_fetches_the_wheel_for_a_lambda_on_another_machine_as_the_page_says(tmp_path):
    (tmp_path / "dist").mkdir()
    for architecture in ("x86_64", "aarch64"):
        for libc in ("manylinux_2_17_{0}.manylinux2014_{0}", "musllinux_1_2_{0}"):
            platform = libc.format(architecture)
            path = tmp_path / f"dist/rdsign-{VERSION}-cp39-abi3-{platform}.whl"
            information = f"rdsign-{VERSION}.dist-info"
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr("rdsign/platform", platform)
                wheel.writestr(
                    f"{information}/METADATA", f"Metadata-Version: 2.1\nName: rdsign\nVersion: {VERSION}\n"
                )
                wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n")
                wheel.writestr(f"{information}/RECORD", "")
    pattern = r"^\| Lambda on Graviton, Python \| `pip (.*)` \|$"
    arguments = re.search(pattern, page("docs/platforms.md"), re.M)[1].split(" ")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments], cwd=tmp_path, check=True)
    installed = (tmp_path / "package/rdsign/platform").read_text()
    assert installed == "manylinux_2_17_aarch64.manylinux2014_aarch64"


def test_it_contains_exactly_the_expected_files(names):
    own = {name.removeprefix("rdsign/") for name in names if name.startswith("rdsign/")}
    source = REPOSITORY / "bindings-python/python/rdsign"
    modules = [path for path in source.rglob("*.py*") if "__pycache__" not in path.parts]
    assert own == {str(path.relative_to(source)) for path in modules} | {
        "_rdsign.abi3.so",
        "py.typed",
        "rds.pem",
    }
    data = {name.partition(".data/")[2] for name in names if ".data/" in name}
    assert data == {"scripts/rdsign", "data/lib/rdsign/librdsign_local_preload.so"}
    information = {name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name}
    assert information == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_its_certificates_are_those_of_ca_bundle():
    bundle = Path(rdsign.ca_bundle())
    assert bundle.read_bytes() == (REPOSITORY / "ca-bundle/rds.pem").read_bytes()
    assert bundle.parent == Path(rdsign.__file__).parent


def test_it_contains_no_path_of_the_build_machine():
    with zipfile.ZipFile(WHEEL) as wheel:
        for name in wheel.namelist():
            # Builds for debugging have such paths; tools/without-paths keeps them out of the others.
            is_program = name.endswith((".so", "scripts/rdsign"))
            assert is_program or str(REPOSITORY).encode() not in wheel.read(name), name


def test_it_signs_in_an_environment_without_other_packages(tmp_path):
    run("-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", WHEEL]
    subprocess.run(list(map(str, install)), check=True)
    listed = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    assert listed.split(" @ ")[0] == "rdsign"
    keys = os.environ | {"AWS_ACCESS_KEY_ID": "akid", "AWS_SECRET_ACCESS_KEY": "secret"}
    command = [str(python), "-I", "-W", "error", "-c", FIRST_TOKEN]
    done = subprocess.run(command, env=keys, cwd=tmp_path, capture_output=True, text=True)
    assert re.fullmatch(r"<rdsign.Token, redacted, until .*Z>\n", done.stdout), done.stderr


def test_a_token_needs_no_module_that_is_slow_to_import(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "akid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    loaded = run("-I", "-S", "-c", "import sys; print(*sys.modules)").split()
    path = f"import sys; sys.path.insert(0, {str(Path(rdsign.__file__).parents[1])!r})\n"
    after = run("-I", "-S", "-c", path + FIRST_TOKEN + "print(*sys.modules)").splitlines()[-1].split()
    new = {name for name in after if name not in loaded}
    assert new == {"rdsign", "rdsign._errors", "rdsign._rdsign", "__future__"}


@pytest.mark.parametrize("module", ["asyncpg", "psycopg", "psycopg2", "sqlalchemy", "django"])
def test_an_import_error_names_the_missing_driver(module):
    blocked = f"import sys; sys.modules[{module!r}] = None\nimport rdsign\n"
    target = "rdsign.django.postgresql.base" if module == "django" else f"rdsign.{module}"
    code = f"{blocked}try:\n import {target}\nexcept ImportError as error:\n print(error.name)"
    assert run("-c", code).split(".")[0].strip() == module


# Types


def test_the_stubs_match_the_library():
    configuration = REPOSITORY / "bindings-python/pyproject.toml"
    run("-m", "mypy.stubtest", "rdsign", "--mypy-config-file", configuration, cwd=PROGRAMS)
    run("-m", "mypy", "--config-file", configuration, "-p", "rdsign", cwd=PROGRAMS)


def test_mypy_accepts_right_programs_and_reports_mistakes():
    command = ["-m", "mypy", "--strict", "--cache-dir", os.devnull]
    assert "Success" in run(*command, PROGRAMS / "typed.py", cwd=PROGRAMS)
    said = run(*command, PROGRAMS / "typed_wrongly.py", cwd=PROGRAMS, status=1)
    assert {int(line) for line in re.findall(r":(\d+): error", said)} == wrong_lines(), said


def test_pyright_accepts_right_programs_and_reports_mistakes():
    command = ["-m", "pyright", "--pythonpath", sys.executable]
    assert "0 errors, 0 warnings" in run(*command, PROGRAMS / "typed.py", cwd=PROGRAMS)
    said = run(*command, PROGRAMS / "typed_wrongly.py", cwd=PROGRAMS, status=1)
    assert {int(line) for line in re.findall(r":(\d+):\d+ - error", said)} == wrong_lines(), said


def wrong_lines():
    lines = (PROGRAMS / "typed_wrongly.py").read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
