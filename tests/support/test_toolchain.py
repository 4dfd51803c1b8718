"""Checks that tools/install-missing lets cargo use an installed Rust of the pinned version, under whatever name
rustup has it, without a download."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = re.search(r'^channel = "(.*)"$', (ROOT / "rust-toolchain.toml").read_text(), re.M)[1]
HOST = "x86_64-unknown-linux-gnu"
RUSTUP = """#!/bin/sh
case $* in
"toolchain list") cat "$HOME/list" ;;
"show home") echo "$HOME" ;;
"run "*" rustc --version --verbose") cat "$HOME/toolchains/$2/about" ;;
"run "*" rustc --print sysroot") echo "$HOME/toolchains/$2" ;;
*) echo "unexpected: $*" >&2 && exit 1 ;;
esac
"""


@pytest.fixture
def installed(tmp_path):
    """Installs Rust under these names, and runs the script. Returns the toolchains afterwards."""

    def install(**versions):
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, text in {"rustup": RUSTUP, "cargo": "#!/bin/sh\n", "cc": "#!/bin/sh\n"}.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o700)
        toolchains = tmp_path / "toolchains"
        names = {f"{name}-{HOST}": version for name, version in versions.items()}
        for name, version in names.items():
            (toolchains / name).mkdir(parents=True)
            (toolchains / name / "about").write_text(f"rustc {version}\nhost: {HOST}\nrelease: {version}\n")
        (tmp_path / "list").write_text("".join(f"{name} (default)\n" for name in names))
        environment = {"HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            [ROOT / "tools/install-missing", "build"], env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return {path.name: path.resolve().name for path in toolchains.iterdir()}

    return install


def test_the_pinned_version_is_linked_if_it_has_another_name(installed):
    toolchains = installed(nightly="1.99.0-nightly", stable=VERSION)
    assert toolchains[f"{VERSION}-{HOST}"] == f"stable-{HOST}"
    assert len(toolchains) == 3


def test_the_pinned_version_is_not_linked_twice(installed):
    assert len(installed(stable=VERSION, **{VERSION: VERSION})) == 2


def test_another_version_is_not_linked(installed):
    assert installed(stable="1.0.0") == {f"stable-{HOST}": f"stable-{HOST}"}
