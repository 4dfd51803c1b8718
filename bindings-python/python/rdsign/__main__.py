"""Runs the command line for `python -m rdsign`: the program `rdsign` that the wheel installs.

pip puts programs in another folder than modules. Which one depends on how it was called.
"""

import os
import sys
import sysconfig
from pathlib import Path


def program() -> Path:
    """Returns the path of the program. Ends the process if there is none."""
    package = Path(__file__).resolve().parent
    folders = [
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", f"{os.name}_user")),
        package.parent / "bin",  # pip install --target
        *(folder / "bin" for folder in list(package.parents)[3:4]),  # pip install --prefix
    ]
    for folder in folders:
        found = folder / "rdsign"
        if found.is_file():
            return found
    sys.exit("rdsign: this installation has no command line; install the wheel")


def main() -> None:
    """Replaces this process by the program, with the same arguments."""
    path = program()
    os.execv(path, [str(path), *sys.argv[1:]])


if __name__ == "__main__":
    main()
