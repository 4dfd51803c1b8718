"""Writes the table of docs/guides/index.md and the menu of mkdocs.yml from the front matters of the guides.

Run it with PYTHONPATH=tests/support:tests/guides after a change of a front matter, or after a merge.
"""

import re

from common import REPOSITORY
from guide import FOLDER, NAMES, Guide

GROUPS = ["Shell", "Python", "Node", "JVM", "Rust", "Go", "Ruby", "PHP", "C", "Programs", "Moving"]
INDEX, MENU = FOLDER / "index.md", REPOSITORY / "mkdocs.yml"


def table_and_menu() -> "tuple[str, str]":
    """Returns the rows of the table and of the menu: by group, then by title."""
    guides = sorted(map(Guide, NAMES), key=lambda g: (GROUPS.index(g.meta["group"]), g.meta["title"].lower()))
    table = "".join(
        f"| {g.meta['group']} | [{g.meta['title']}]({g.name}.md) | {g.meta['runs']} |\n" for g in guides
    )
    return table, "".join(f"      - guides/{name}.md\n" for name in ["index", *[g.name for g in guides]])


def main() -> None:
    table, menu = table_and_menu()
    text = re.sub(r"(^\|---.*\n)(?:\|.*\n)*", lambda found: found[1] + table, INDEX.read_text(), flags=re.M)
    INDEX.write_text(text)
    MENU.write_text(re.sub(r"(?:^ +- guides/.*\n)+", menu, MENU.read_text(), flags=re.M))


if __name__ == "__main__":
    main()
