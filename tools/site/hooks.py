"""Adds to the site what pages of docs/ link to outside of docs/, such as SECURITY.md, and gives each language
an index for the search.

A link such as `../SECURITY.md` works where the repository is read. For the site, the file is added as
`repository/SECURITY.md`, and the link is changed. Pages become pages, other files are copied, and a
folder becomes a list of its files. A link to a file that does not exist stops the build.

Adds the references of the APIs, too: Python's from the docstrings of the package, without importing it, Node's
from its declarations, and C's from the header. Java's and Rust's are sites of their own, which `make docs` adds
later.
"""

import json
import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parents[2]
ADDED = "repository"  # the folder of the site with these files
JAPANESE = "README.ja.md"  # instead of it, the site has docs/index.ja.md
LINK = re.compile(r'(\]\(|^\[[^]\n]+\]: |\bsrc(?:set)?=")([^)\s#"]+)', re.M)
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.M | re.S)

# The modules with a public API, as mkdocstrings names them.
PYTHON = ["", ".psycopg", ".psycopg2", ".asyncpg", ".sqlalchemy", ".django.postgresql", ".testing"]


# A reference that is a site of its own: its folder, and what it documents.
SITES = {
    "java": ("Java", "java/index.html", "all classes of the JAR"),
    "rust": ("Rust", "rust/rdsign/index.html", "the crate `rdsign` with its feature `chain`"),
}


def references(language):
    """Yields the name and the text of each page with a reference."""
    python = "".join(f"\n::: rdsign{module}\n" for module in PYTHON)
    yield "api/python.md", f"# Python: reference\n{python}"
    declarations = (REPOSITORY / "bindings-node/package").glob("*.d.ts")
    declarations = sorted(declarations, key=lambda file: (file.name != "index.d.ts", file.name))
    node = "".join(f"\n## {file.name}\n\n```ts\n{file.read_text()}```\n" for file in declarations)
    yield "api/node.md", f"# Node: reference\n{node}"
    header = (REPOSITORY / "bindings-c/include/rdsign.h").read_text()
    for name, (title, path, what) in SITES.items():
        # Not Markdown, whose links must lead to a page.
        path = path if language == "en" else f"../../api/{path}"
        yield f"api/{name}.md", f'# {title}: reference\n\n<a href="{path}">The reference</a> has {what}.\n'
    yield "api/c.md", f"# C: reference\n\nThis is `rdsign.h`.\n\n```c\n{header}```\n"


def outside(target, folder):
    """Returns the path in the repository that a link in this folder leads to, or None if it is a web address
    or in docs/."""
    path = posixpath.normpath(posixpath.join(folder, target))
    if re.match(r"[a-z]+:", target) or path.startswith("docs/"):
        return None
    return path


def text_of(path):
    """Returns the text of the page for a file or folder of the repository."""
    file = REPOSITORY / path
    if file.is_dir():
        names = sorted(child.name for child in file.iterdir() if child.is_file())
        return f"# {path}\n\n" + "".join(f"- [{name}]({path.rpartition('/')[2]}/{name})\n" for name in names)
    return file.read_text()


def name_of(path):
    """Returns the name that a file or folder of the repository has in the site's sources."""
    return f"{ADDED}/{path}.md" if (REPOSITORY / path).is_dir() else f"{ADDED}/{path}"


def added(config, name, **source):
    """Returns a file to add to the site. Each language has its own, with its own menu."""
    file = File.generated(config, name, **source)
    language = config.plugins["i18n"].current_language
    if language != "en":
        file.dest_uri = f"{language}/{file.dest_uri}"
    return file


def linked(text, folder):
    for _, target in LINK.findall(CODE.sub("", text)):
        path = outside(target, folder)
        if path and path != JAPANESE:
            yield path


@event_priority(-200)  # after i18n, which accepts only files in docs/
def on_files(files, config):
    pages = [file for file in files if file.src_uri.endswith(".md") and not file.src_uri.startswith(ADDED)]
    waiting = []
    for page in pages:
        folder = posixpath.dirname(f"docs/{page.src_uri}")
        waiting += linked(page.content_string, folder)
    seen = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.startswith("..") or not (REPOSITORY / path).exists():
            raise PluginError(f"a page links to {path}, which does not exist")
        name = name_of(path)
        if name.endswith(".md"):
            text = text_of(path)
            files.append(added(config, name, content=text))
            waiting += linked(text, posixpath.dirname(path))
        else:
            files.append(added(config, name, abs_src_path=str(REPOSITORY / path)))
    for name, text in references(config.plugins["i18n"].current_language):
        files.append(added(config, name, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    source = page.file.src_uri
    here = posixpath.dirname(source)
    # The folder that links start from: in the repository for an added page, else in docs/.
    folder = posixpath.dirname(source.removeprefix(f"{ADDED}/"))
    folder = folder if source.startswith(f"{ADDED}/") else posixpath.normpath(f"docs/{folder}")

    def replaced(match):
        before, target = match.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        if re.match(r"[a-z]+:", target):
            return match[0]
        name = path.removeprefix("docs/") if path.startswith("docs/") else name_of(path)
        name = "index.md" if path == JAPANESE else name
        return before + posixpath.relpath(name, here or ".")

    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", markdown, flags=re.M | re.S)
    parts[::2] = [LINK.sub(replaced, part) for part in parts[::2]]
    return "".join(parts)


# After the offline plugin, which writes the index of the language that was built last.
@event_priority(-200)
def on_post_build(config):
    """Writes the index that the search reads from a file. A page searches the pages in its own language, and
    those that are only in English."""
    folder = Path(config.site_dir) / "search"
    source = folder / "search_index.json"
    if not source.exists():
        return
    index = json.loads(source.read_text())
    docs = index["docs"]
    japanese = [doc for doc in docs if doc["location"].startswith("ja/")]
    translated = {doc["location"].partition("#")[0].removeprefix("ja/") for doc in japanese}
    english = [doc for doc in docs if not doc["location"].startswith("ja/")]
    only_english = [doc for doc in english if doc["location"].partition("#")[0] not in translated]
    others = {"config": {**index["config"], "lang": ["en"]}, "docs": english}
    of_japanese = {"config": index["config"], "docs": japanese + only_english}
    (folder / "search_index.js").write_text(
        f'var __index = document.documentElement.lang === "ja" ? {json.dumps(of_japanese)} : {json.dumps(others)};'
    )
