"""Reads the guides in docs/guides/, and records what their tests ran.

A guide is a page with a front matter, six sections, and a complete program in blocks with the titles of files. Its
test writes these files, runs the program against RDS on this machine, causes the three errors of the page, and calls
`logged_in`. The record is in target/guides/, from where table.py makes the table of `make test-guides`.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from common import REPOSITORY

FOLDER = REPOSITORY / "docs/guides"
RECORD = REPOSITORY / "target/guides/record.jsonl"
NAMES = sorted(path.stem for path in FOLDER.glob("*.md") if "." not in path.stem and path.stem != "index")
SECTIONS = ["Install", "Program", "Pools and reconnects", "TLS and tunnels", "Tests", "What goes wrong"]
# A machine has its own versions of these. What ran there is in the table, and may differ from the page.
OF_THE_MACHINE = {"Active Record", *"bash Go Java libpq Node PHP PostgreSQL psql Python Ruby Rust".split()}


class Block(NamedTuple):
    """A code block of a guide: its number on the page, its section, and `title`, the name of a file, or None."""

    number: int
    section: str
    language: str
    title: "str | None"
    text: str


class Guide:
    """The guide docs/guides/NAME.md."""

    def __init__(self, name: str):
        self.name = name
        self.page = (FOLDER / f"{name}.md").read_text()
        _, front, self.body = re.split(r"^---\n", self.page, maxsplit=2, flags=re.M)
        #: The front matter: title, group, runs.
        self.meta = dict(line.split(": ", 1) for line in front.splitlines())
        #: The names and versions of `runs`, such as {"psycopg": "3.3.9"}.
        self.runs = dict(one.rsplit(" ", 1) for one in self.meta["runs"].split(", "))
        self.blocks = list(_blocks(self.body))

    @property
    def files(self) -> dict[str, str]:
        """The texts of the files, by their names."""
        return {block.title: self._used(block).text for block in self.blocks if block.title}

    def write(self, folder: Path) -> Path:
        """Writes the files to a folder, and returns it."""
        for title, text in self.files.items():
            file = Path(folder) / title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Path(folder)

    def block(self, language: str, n: int = 0, section: "str | None" = None) -> str:
        """Returns the text of a block without a title: the one with this number, outside of Install or in a section."""
        found = [
            block
            for block in self.blocks
            if not block.title
            and block.language == language
            and (block.section == section or (section is None and block.section != "Install"))
        ]
        return self._used(found[n]).text

    @property
    def errors(self) -> list[str]:
        """The texts of the three errors of the last section, each without the last line's end."""
        found = [b for b in self.blocks if (b.section, b.language) == (SECTIONS[-1], "text")]
        return [self._used(block).text.removesuffix("\n") for block in found]

    def _used(self, block: Block) -> Block:
        _record(guide=self.name, block=block.number)
        return block


def _blocks(body: str):
    """Yields the code blocks of a page."""
    section, number = "", 0
    pattern = (
        r'^## (?P<section>[^\n]*)$|^```(?P<language>\w+)(?: title="(?P<title>[^"\n]*)")?\n(?P<text>.*?)^```$'
    )
    for found in re.finditer(pattern, body, re.M | re.S):
        if found["section"]:
            section = found["section"]
        else:
            yield Block(number, section, found["language"], found["title"], found["text"])
            number += 1


def _record(**row) -> None:
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    with RECORD.open("a") as file:
        file.write(json.dumps(row) + "\n")


def logged_in(guide: Guide, *versions: str) -> None:
    """Records that the program of a guide logged in, with these versions, such as "psycopg 3.3.9".

    Fails if the page's `runs` has other names, or another version of what a lock pins.
    """
    ran = dict(version.rsplit(" ", 1) for version in versions)
    assert ran.keys() == guide.runs.keys(), f"{guide.name}: {ran}"
    for name in ran.keys() - OF_THE_MACHINE:
        assert ran[name] == guide.runs[name], f"{guide.name}: the lock has {name} {ran[name]}"
    _record(guide=guide.name, versions=list(versions))


def locked(lock: Path, name: str) -> str:
    """Returns a package and its version in a requirements.lock, such as "psycopg 3.3.9"."""
    found = re.search(rf"^{re.escape(name)}(?:\[.*?\])?==([^ ;]+)", lock.read_text(), re.M | re.I)
    return f"{name} {found[1]}"


def shows(text: str, output: str) -> None:
    """Fails unless the output of a program has the lines of this text, whole or from their start."""
    assert text in output, (
        f"the page has:\n{text}\n\nthe program printed:\n{output[:500]}\n...\n{output[-1500:]}"
    )
