"""Measures what a package installs together with its dependencies: megabytes, and number of packages.

installed.py python|node|jvm
"""

import sys

from rows import PEERS, folder_of, say, versions

# For each kind: its language, the files that identify a package, and how many rdsign may consist of.
KINDS = {
    "python": ("Python", "*.dist-info", 1),
    # The second one is the library for the platform.
    "node": ("Node", "package.json", 2),
    "jvm": ("Java", "*.jar", 1),
}


def megabytes(folder):
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6


def packages(folder, mark):
    found = list(folder.rglob(mark))
    if mark == "package.json":
        # A package may contain more files with this name, in deeper folders.
        found = [file for file in found if place_of(file.parent) == "node_modules"]
    return len(found)


def place_of(package):
    """Returns the name of the folder that contains an npm package, whose name may have a scope."""
    scope = package.parent
    return (scope.parent if scope.name.startswith("@") else scope).name


def main():
    kind = sys.argv[1]
    language, mark, most = KINDS[kind]
    folders = {"rdsign": "rdsign"} | {
        name: folder_of(called) for called, name in versions(kind).items() if called != "awscli"
    }
    for unit, count, more in [
        ("MB", megabytes, {"chart": "installed"}),
        ("packages", lambda folder: packages(folder, mark), {"aims": [{"at most": most}]}),
    ]:
        counted = {name: [count(PEERS / kind / folder)] for name, folder in folders.items()}
        say(language, "installed", unit, counted.pop("rdsign"), counted, **more)


if __name__ == "__main__":
    main()
