"""Runs the command line for `python -m rdsign`: the program `rdsign` that the wheel installs.

pip puts programs in another folder than modules. Which one depends on how it was called.
"""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path


def places(package: Path, system: str) -> list[Path]:
    """Returns where pip may have put the program, for a system that `os.name` names."""
    # pip install --prefix
    above, scripts = (2, "Scripts") if system == "nt" else (3, "bin")
    folders = [
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", f"{os.name}_user")),
        package.parent / "bin",  # pip install --target
        *(folder / scripts for folder in list(package.parents)[above : above + 1]),
    ]
    return [folder / ("rdsign.exe" if system == "nt" else "rdsign") for folder in folders]


def program() -> Path:
    """Returns the path of the program. Ends the process if there is none."""
    for found in places(Path(__file__).resolve().parent, os.name):
        if found.is_file():
            return found
    sys.exit("rdsign: this installation has no command line; install the wheel")


def main() -> None:
    """Replaces this process by the program, with the same arguments. On Windows, waits for it."""
    command = [str(program()), *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    # There, execv would not wait. The console also sends Ctrl-C to the program, which decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command))


if __name__ == "__main__":
    main()
