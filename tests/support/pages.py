"""Reads the code blocks of README.md and of the pages in docs/.

Tests read the examples that they run from here, so the examples in the pages are tested. `BLOCKS` lists
every code block and the test that runs it: a new block needs an entry and a test.
"""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENDPOINT = "mydb.abc123.eu-central-1.rds.amazonaws.com"  # the endpoint in all examples

IN_DOCS = "tests/e2e/test_docs.py"
IN_PAGES = "tests/e2e/test_pages.py"
IN_C = "bindings-c/tests/test_programs.py"
IN_PYTHON = "bindings-python/tests/test_examples.py"
IN_TESTING = "bindings-python/tests/test_testing.py"
IN_JVM = "bindings-jvm/tests/test_examples.py"
IN_JARS = "bindings-jvm/tests/test_natives.py"
IN_RUST = "tests/credentials/test_wiping.py"
IN_PROXY = "tests/proxy/test_docs.py"
IN_NODE = "bindings-node/tests/docs.test.mjs"
IN_NPM = "bindings-node/tests/install.test.mjs"
NOT_RUN = None  # the page says why, in a comment before the block
IN_NODE_EXAMPLE = "bindings-node/tests/example.test.mjs"

# For each page, its blocks in order: the language, and the test that runs the block. The pages in docs/errors/
# are not in this list: tests/e2e/test_error_pages.py has a situation for each. Nor are those in docs/guides/:
# tests/guides/ runs them. The blocks of a Japanese page
# are those of the English one.
BLOCKS = {
    "README.md": [
        ("sh", IN_DOCS),
        ("python", IN_PYTHON),
        ("sh", IN_PROXY),
        ("sh", IN_DOCS),
        ("sh", IN_DOCS),
    ],
    "docs/aws-setup.md": [
        ("sh", NOT_RUN),
        ("sh", IN_DOCS),
        ("text", IN_DOCS),
        ("sh", IN_DOCS),
        ("text", IN_DOCS),
    ],
    "docs/c.md": [("c", IN_DOCS), ("c", IN_C)],
    "docs/cli.md": [("sh", IN_DOCS), ("sh", IN_DOCS), ("sh", IN_DOCS), ("sh", IN_DOCS)],
    "docs/credentials.md": [],
    "docs/dsql.md": [("sh", IN_DOCS), ("sh", IN_DOCS)],
    "docs/errors.md": [],
    "docs/faq.md": [],
    "docs/guarantees.md": [],
    "docs/how-it-works.md": [("text", IN_DOCS)],
    "docs/index.md": [],
    "docs/jvm.md": [
        ("java", IN_JVM),
        ("scala", IN_JVM),
        ("text", IN_JVM),
        ("java", IN_JVM),
        ("xml", IN_JARS),
    ],
    "docs/limits.md": [],
    "docs/local-rds.md": [("sh", IN_DOCS), ("sh", IN_DOCS), ("sh", IN_DOCS), ("toml", IN_DOCS)],
    "docs/node.md": [("js", IN_NODE), ("js", IN_NODE), ("js", IN_NODE), ("sh", IN_NPM)],
    "docs/performance.md": [],
    "docs/platforms.md": [],
    "docs/proxy.md": [("sh", IN_PROXY)] * 5 + [("toml", IN_PROXY), ("sh", IN_PROXY)],
    "docs/python.md": [("python", IN_PYTHON), ("python", IN_PYTHON)],
    "docs/quick-start.md": [
        ("sh", IN_DOCS),
        ("text", IN_DOCS),
        ("sql", IN_DOCS),
        ("sh", IN_DOCS),
        ("sh", IN_DOCS),
        ("sh", IN_DOCS),
        ("python", IN_PYTHON),
    ],
    "docs/reliability.md": [],
    "docs/rust.md": [("rust", IN_DOCS), ("rust", IN_RUST)],
    "docs/security.md": [],
    "docs/testing.md": [
        ("python", IN_TESTING),
        ("python", IN_TESTING),
        ("js", IN_NODE_EXAMPLE),
        ("java", IN_JVM),
    ],
    # The next two have the first examples of docs/jvm.md and docs/rust.md.
    "bindings-jvm/README.md": [("java", IN_PAGES)],
    "core/README.md": [("rust", IN_PAGES)],
    "bindings-node/README.md": [("js", IN_NODE)],
    "bindings-python/README.md": [("python", IN_PYTHON), ("python", IN_PYTHON)],
}


def page(path):
    """Returns the text of the page at this path in the repository."""
    return (REPOSITORY / path).read_text()


def blocks(path):
    """Returns the code blocks of a page in order, each as (language, text)."""
    return re.findall(r'^```(\w*)(?: title="[^"\n]*")?\n(.*?)^```$', page(path), re.M | re.S)


def example(path, language, number=0):
    """Returns the code block with this number among those of a page in a language."""
    return [text for name, text in blocks(path) if name == language][number]
