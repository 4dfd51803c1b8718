"""Checks that the guides in docs/guides/ read as one book: sections, files, three errors, length, and what
lists them: a table, the menu, and the rows of the first pages. tests/guides/ runs their programs."""

import re

import index
import pytest
from common import REPOSITORY
from guide import FOLDER, NAMES, SECTIONS, Guide

GUIDES = [Guide(name) for name in NAMES]
every = pytest.mark.parametrize("one", GUIDES, ids=NAMES)


@every
def test_a_guide_has_the_sections_of_all_guides(one):
    assert list(one.meta) == ["title", "group", "runs"]
    assert one.meta["group"] in index.GROUPS
    assert one.body.lstrip().startswith(f"# {one.meta['title']}\n")
    assert re.findall("^## (.*)$", one.body, re.M) == SECTIONS


@every
def test_a_guide_has_a_program_a_command_that_runs_it_and_three_errors(one):
    def shown(section):
        return [block.language for block in one.blocks if block.section == section and not block.title]

    assert shown("Install") == ["sh"]
    assert any(block.title for block in one.blocks if block.section == "Program") or "sh" in shown("Program")
    assert "sh" in shown("Program")
    assert shown("What goes wrong").count("text") == 3


@every
def test_each_mistake_of_a_guide_has_a_name_a_text_and_a_fix(one):
    mistakes = one.body.partition(f"## {SECTIONS[-1]}\n")[2]
    assert re.findall(r"^(?:\*\*|```text)", mistakes, re.M) == ["**", "```text"] * 3
    assert not re.search(r"^```\n+(?:\*\*|\Z)", mistakes, re.M)


@every
def test_a_guide_fits_on_two_screens(one):
    # Besides its program: those of examples/ are as long as they need to be.
    program = sum(block.text.count("\n") for block in one.blocks if block.title)
    assert 40 <= len(one.page.splitlines()) - program <= 100


@every
def test_a_guide_links_to_what_all_guides_have_in_common(one):
    assert re.search(r"\]\(\.\./(how-it-works|faq)\.md", one.body)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.ja.md")))
def test_a_japanese_guide_has_the_versions_and_anchors_of_the_english_one(name):
    japanese, english = Guide(name), Guide(name.removesuffix(".ja"))
    assert japanese.meta == {**english.meta, "title": japanese.meta["title"]}
    assert japanese.body.lstrip().startswith(f"# {japanese.meta['title']}\n")
    anchors = [section.lower().replace(" ", "-") for section in SECTIONS]
    assert re.findall(r'^<a id="(.*)"></a>\n\n## ', japanese.body, re.M) == anchors


def test_the_table_and_the_menu_are_made_from_the_front_matters():
    # tests/guides/index.py writes them.
    table, menu = index.table_and_menu()
    assert index.INDEX.read_text().partition("|---")[2].partition("\n")[2] == table
    assert re.search(r"(?:^ +- guides/.*\n)+", index.MENU.read_text(), re.M)[0] == menu


@pytest.mark.parametrize("start", index.STARTS, ids=lambda start: str(start.relative_to(REPOSITORY)))
def test_the_first_pages_link_to_every_guide(start):
    assert [run[0] for run in index.ROWS.finditer(start.read_text())] == [index.rows(start)]
    for name in NAMES:
        assert re.search(rf"guides/{re.escape(name)}(\.ja)?\.md", index.rows(start)), name
