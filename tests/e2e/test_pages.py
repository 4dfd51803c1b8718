"""Checks README.md, docs/ and the other pages: links, the list of code blocks, the figures."""

import re
import runpy

import pytest
from harness import REPOSITORY
from pages import BLOCKS, NOT_RUN, blocks, page

FOLDERS = [".", "docs", "docs/*", "bench", "bindings-*", "core", "examples/*"]
PAGES = sorted(
    str(file.relative_to(REPOSITORY)) for folder in FOLDERS for file in REPOSITORY.glob(f"{folder}/*.md")
)
# [text](target), [text]: target, and the src or srcset of an image. Code has no links.
LINK = re.compile(r'\]\(([^)\s]+)\)|^\[[^]]+\]: (\S+)|\bsrc(?:set)?="([^"]+)"', re.M)
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.M | re.S)


def links(path):
    """Returns the link targets of a page that are not web addresses."""
    found = ("".join(match.groups("")) for match in LINK.finditer(CODE.sub("", page(path))))
    return [target for target in found if not re.match(r"https?://", target)]


def anchors(path):
    """Returns the anchors that GitHub gives to the headings of a page, and the page's own."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page(path), flags=re.M | re.S), re.M)
    own = set(re.findall(r'<a id="(.*?)"></a>', page(path)))
    return own | {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(path):
    for target in links(path):
        name, _, anchor = target.partition("#")
        file = (REPOSITORY / path).parent / name if name else REPOSITORY / path
        if not file.exists():
            yield target
        elif anchor and anchor not in anchors(file.resolve().relative_to(REPOSITORY)):
            yield target


@pytest.mark.parametrize("path", PAGES)
def test_every_relative_link_resolves(path):
    assert list(broken(path)) == []


def test_every_code_block_has_a_test():
    shown = {path: [language for language, _ in blocks(path)] for path in BLOCKS}
    assert shown == {path: [language for language, _ in entries] for path, entries in BLOCKS.items()}
    for path, entries in BLOCKS.items():
        reasons = re.findall(r"^<!-- not run: .* -->\n```", page(path), re.M)
        assert len(reasons) == [test for _, test in entries].count(NOT_RUN)
        for _, test in entries:
            assert test is NOT_RUN or path.rpartition("/")[2] in (REPOSITORY / test).read_text(), (
                f"{test}: {path}"
            )


ENGLISH = [path for path in PAGES if path.startswith("docs/") and not path.endswith(".ja.md")]
JAPANESE = [path for path in PAGES if path.endswith(".ja.md")]


def targets(path):
    """Returns the pages that a page links to, as paths in the repository."""
    folder = (REPOSITORY / path).parent
    files = [(folder / target.partition("#")[0]).resolve() for target in links(path)]
    return {str(file.relative_to(REPOSITORY)) for file in files}


@pytest.mark.parametrize("start, pages", [("README.md", ENGLISH), ("README.ja.md", JAPANESE)])
def test_two_links_lead_from_the_readme_to_every_page(start, pages):
    assert len(pages) > 20
    reached = {start} | targets(start)
    for path in sorted(reached):
        if path.endswith(".md"):
            reached |= targets(path)
    assert set(pages) - reached == set()


@pytest.mark.parametrize(
    "package, guide", [("bindings-jvm/README.md", "docs/jvm.md"), ("core/README.md", "docs/rust.md")]
)
def test_the_page_of_a_package_has_the_first_example_of_its_guide(package, guide):
    assert blocks(package) == blocks(guide)[:1]


@pytest.mark.parametrize("package", ["bindings-jvm", "bindings-node", "bindings-python", "core"])
def test_links_of_a_package_s_page_lead_to_the_web(package):
    assert links(f"{package}/README.md") == []
    for path in re.findall(
        r"https://github.com/rdsign/rdsign/blob/main/([^)\s#]+)", page(f"{package}/README.md")
    ):
        assert (REPOSITORY / path).is_file(), path


def test_every_page_has_its_blocks_in_the_list():
    # The situations of test_error_pages.py cover the pages for error texts, and tests/guides/ the guides.
    covered = ("docs/errors/", "docs/guides/")
    assert {path for path in ENGLISH if not path.startswith(covered)} <= BLOCKS.keys()


@pytest.mark.parametrize(
    "path",
    [
        "docs/errors/pam-authentication-failed.md",
        "docs/platforms.md",
        "docs/testing.md",
        "docs/proxy.md",
        "README.ja.md",
    ],
)
def test_one_link_leads_from_the_readme_to_what_people_look_for(path):
    assert path in targets("README.md")


def spans(path):
    """Returns the commands, names and outputs in the text of a page."""
    text = re.sub(r"^```.*?^```$", "", page(path), flags=re.M | re.S)
    return sorted(" ".join(span.split()) for span in set(re.findall(r"`([^`]+)`", text)))


@pytest.mark.parametrize("path", JAPANESE)
def test_the_japanese_page_has_the_commands_and_outputs_of_the_english_one(path):
    english = path.replace(".ja.md", ".md")
    assert blocks(path) == blocks(english)
    assert re.findall("^```.*", page(path), re.M) == re.findall("^```.*", page(english), re.M)
    assert spans(path) == spans(english)
    assert page(path).count("\n#") == page(english).count("\n#")


@pytest.mark.parametrize("path", JAPANESE)
def test_the_japanese_page_has_the_links_of_the_english_one(path):
    of_the_english = {target for target in links(path.replace(".ja.md", ".md")) if ".ja." not in target}
    assert of_the_english - {target.replace(".ja.", ".") for target in links(path)} == set()


@pytest.mark.parametrize("path", JAPANESE)
def test_the_japanese_page_links_to_the_japanese_pages(path):
    for target in sorted(targets(path)):
        assert target.replace(".md", ".ja.md") not in JAPANESE or path.startswith("README"), target


def test_both_readmes_switch_the_language_in_their_first_line():
    assert "README.ja.md" in page("README.md").splitlines()[0]
    assert "README.md" in page("README.ja.md").splitlines()[0]


def test_the_pictures_are_those_that_the_program_draws():
    drawn = runpy.run_path(str(REPOSITORY / "tools/site/pictures.py"))["drawn"]()
    files = {file.name: file.read_text() for file in (REPOSITORY / "docs/pictures").iterdir()}
    assert files == drawn


def test_the_table_of_the_performance_is_of_the_last_benchmark():
    rows = re.findall(r"^\| .* \|$", page("docs/performance.md"), re.M)[1:]
    measured = set()
    for line in page("bench/RESULTS.md").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 7:
            measured.add(tuple(cells[column] for column in (1, 2, 3, 4, 7, 6)))
    assert len(rows) > 8
    for row in rows:
        assert tuple(cell.strip() for cell in row.split("|")[1:-1]) in measured, row


@pytest.mark.parametrize("path", ["README.md", "README.ja.md"])
def test_the_readme_fits_on_one_page(path):
    assert len(page(path).splitlines()) <= 130


@pytest.mark.parametrize(
    "row, language, what, unit",
    [
        ("the first token of a Python process", "Python", "first token of a process", "ms of CPU"),
        ("a token, as a command", "Shell", "a token, as a command", "ms of CPU"),
        ("what a Node package installs", "Node", "installed", "packages"),
    ],
)
def test_the_figures_are_those_of_the_last_benchmark(row, language, what, unit):
    found = re.search(rf"^\| {row} \| ([\d.]+) .*? \| ([\d.]+) .*?, (.*) \|$", page("README.md"), re.M)
    ours, theirs, peer = found.groups()
    peer = {"AWS CLI": "awscli"}.get(peer, peer)
    results = page("bench/RESULTS.md").splitlines()
    [line] = [line for line in results if line.startswith(f"| {language} | {what} | {unit} |")]
    measured = [cell.strip() for cell in line.split("|")]
    assert (measured[4], measured[7]) == (ours, theirs)
    assert measured[6].startswith(peer)


def test_the_figures_of_the_japanese_readme_are_those_of_the_english_one():
    def figures(path):
        return re.findall(r"\d[\d.]*", page(path).partition("|---|")[2].partition("<picture>")[0])

    assert len(figures("README.md")) > 5
    assert figures("README.ja.md") == figures("README.md")


def test_core_s_folders_use_only_what_architecture_md_says():
    base = {"allocator", "answers", "error", "limits", "message", "number", "system", "timestamp", "wipe"}
    table = (
        page("ARCHITECTURE.md")
        .split("Inside core", 1)[1]
        .split("\n| from | to |\n", 1)[1]
        .split("\n\n", 1)[0]
    )
    allowed = {}
    for row in table.splitlines()[1:]:
        _, sources, targets, _ = row.split("|")
        for source in re.findall(r"`(\w+)/`", sources):
            allowed[source] = set(re.findall(r"`(\w+)/`", targets))
    source = REPOSITORY / "core/src"
    folders = {folder.name for folder in source.iterdir() if folder.is_dir()} - base
    assert allowed.keys() | {"names"} == folders
    for file in source.rglob("*.rs"):
        # Names in comments and tests do not count.
        code = re.sub(r"//.*", "", file.read_text()).split("#[cfg(test)]\nmod tests", 1)[0]
        assert "crate::{" not in code, f"{file}: write one `use crate::…` for each folder"
        assert "super::super" not in code, f"{file}: start at `crate::`"
        used = set(re.findall(r"\bcrate::(\w+)", code)) & (folders | base)
        folder = file.relative_to(source).parts[0]
        if folder in folders:
            assert used <= base | {folder} | allowed.get(folder, set()), file
        elif folder != "lib.rs":
            assert used <= base, file
