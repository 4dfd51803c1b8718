"""Writes what lists the guides from their front matters: the table of docs/guides/index.md, the menu of mkdocs.yml, and
the rows with drivers of README.md and docs/index.md, in both languages.

Run it with PYTHONPATH=tests/support:tests/guides after a change of a front matter, or after a merge.
"""

import re
from pathlib import Path

from common import REPOSITORY
from guide import FOLDER, NAMES, Guide

# The groups of the front matters in their order: their names in English and Japanese, and their manual in docs/ if
# there is one.
GROUPS = {
    "Shell": ("Shell", "シェル", "cli"),
    "Python": ("Python", "Python", "python"),
    "Node": ("Node", "Node", "node"),
    "JVM": ("Java and Scala", "Java と Scala", "jvm"),
    "Rust": ("Rust", "Rust", "rust"),
    "Go": ("Go", "Go", None),
    "Ruby": ("Ruby", "Ruby", None),
    "PHP": ("PHP", "PHP", None),
    "C": ("C", "C", "c"),
    "Programs": ("Programs", "プログラム", "proxy"),
    "Moving": ("Moving to rdsign", "rdsign への移行", None),
}
# Drivers that have no guide, but are in the manual of their group.
ONLY_IN_THE_MANUAL = {"Python": ["psycopg2"]}
INDEX, MENU = FOLDER / "index.md", REPOSITORY / "mkdocs.yml"
STARTS = [REPOSITORY / f"{name}{end}" for name in ("README", "docs/index") for end in (".md", ".ja.md")]
# Comments around the rows would divide the table, so the rows are those with a link to a guide.
ROWS = re.compile(r"(?:^\|.*\]\((?:docs/)?guides/(?!index\.).*\n)+", re.M)


def guides() -> list[Guide]:
    """Returns the guides by group, then by title."""
    order = list(GROUPS)
    return sorted(
        map(Guide, NAMES), key=lambda one: (order.index(one.meta["group"]), one.meta["title"].lower())
    )


def table_and_menu() -> "tuple[str, str]":
    """Returns the rows of the table and of the menu."""
    table = "".join(
        f"| {one.meta['group']} | [{one.meta['title']}]({one.name}.md) | {one.meta['runs']} |\n"
        for one in guides()
    )
    return table, "".join(f"      - guides/{name}.md\n" for name in ["index", *[g.name for g in guides()]])


def rows(start: Path) -> str:
    """Returns the rows of one of STARTS: for each group that has guides its name, its manual, and the guides."""
    japanese = start.name.endswith(".ja.md")
    folder = "docs/" if start.parent == REPOSITORY else ""
    text = ""
    for group, (name, name_ja, manual) in GROUPS.items():
        links = [link(one, folder, japanese) for one in guides() if one.meta["group"] == group]
        if not links:
            continue
        links += [f"[{driver}]({folder}{manual}.md)" for driver in ONLY_IN_THE_MANUAL.get(group, [])]
        if japanese:
            about = f"（[マニュアル]({folder}{manual}.md)）" if manual else ""
            text += f"| {name_ja}{about} | {'、'.join(links)} |\n"
        else:
            about = f" ([manual]({folder}{manual}.md))" if manual else ""
            text += f"| {name}{about} | {', '.join(links)} |\n"
    return text


def link(guide: Guide, folder: str, japanese: bool) -> str:
    """Returns a link to a guide, or to its Japanese page if there is one."""
    if japanese and (FOLDER / f"{guide.name}.ja.md").exists():
        own = Guide(f"{guide.name}.ja")
        return f"[{own.meta['title']}]({folder}guides/{own.name}.md)（日本語）"
    return f"[{guide.meta['title']}]({folder}guides/{guide.name}.md)"


def main() -> None:
    table, menu = table_and_menu()
    text = re.sub(r"(^\|---.*\n)(?:\|.*\n)*", lambda found: found[1] + table, INDEX.read_text(), flags=re.M)
    INDEX.write_text(text)
    MENU.write_text(re.sub(r"(?:^ +- guides/.*\n)+", menu, MENU.read_text(), flags=re.M))
    for start in STARTS:
        start.write_text(ROWS.sub(lambda _, start=start: rows(start), start.read_text(), count=1))


if __name__ == "__main__":
    main()
