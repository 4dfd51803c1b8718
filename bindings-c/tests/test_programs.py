"""Runs the C programs that use the library: directly, under valgrind, and with sanitizers."""

import pytest
from conftest import PROGRAMS, REPOSITORY, VERSION, run, succeed
from pages import example
from planted import FAILURES, planted, shows_a_secret

CODES = REPOSITORY / "tests/codes.tsv"
VECTORS = REPOSITORY / "tests/vectors.tsv"
ARGUMENTS = {
    "calls.c": [VERSION, CODES],
    "vectors.c": [VECTORS],
    "options.c": [],
    "threads.c": [],
    "fork.c": [],
}
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VALGRIND = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    # Neither includes what a process allocates once and keeps until its end.
    "--show-leak-kinds=definite,indirect",
    "--errors-for-leak-kinds=definite,indirect",
]


@pytest.mark.parametrize("name", ["calls.c", "options.c", "threads.c", "fork.c"])
def test_program(program, name):
    succeed(program(name), *ARGUMENTS[name])


def test_every_vector_that_c_can_express_has_its_token_or_its_status(program):
    lines = succeed(program("vectors.c"), VECTORS).splitlines()
    text = VECTORS.read_text()
    requests = [line for line in text.split("\n") if line and not line.startswith("#")][1:]
    with_nul = [line.split("\t")[0] for line in requests if "\\x00" in line]
    assert lines[:-1] == [f"skipped: {name}" for name in with_nul]
    passed = len(requests) - len(with_nul)
    assert lines[-1] == f"{passed} passed, 0 failed, {len(with_nul)} skipped"


def test_a_million_tokens_do_not_use_more_memory(program):
    succeed(program("tokens.c"), 1_000_000)


def test_freed_memory_contains_no_secret_and_no_token(program):
    succeed(program("wipe.c"))


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_no_secret(failure, program, tmp_path):
    done = run(program("failure.c"), env=planted(tmp_path, failure))
    assert (done.returncode, done.stderr) == (0, "")
    event, error = done.stdout.splitlines()
    assert error.startswith("CREDENTIALS_FAILED: credentials: ")
    assert event == f"warning: credentials not fetched: {error}"
    assert not shows_a_secret(done.stdout)


def test_the_example_of_events_is_part_of_that_program():
    assert example("docs/c.md", "c", 1) in (PROGRAMS / "failure.c").read_text()


def test_the_planted_program_without_a_bug_passes(program):
    succeed(program("planted.c"), "none")
    succeed(*VALGRIND, program("planted.c"), "none")
    succeed(program("planted.c", *SANITIZED), "none")


@pytest.mark.parametrize(
    "bug, words",
    [("leak", "definitely lost"), ("use-after-free", "Invalid read")],
)
def test_valgrind_finds_a_planted_bug(program, bug, words):
    done = run(*VALGRIND, program("planted.c"), bug)
    assert done.returncode == 99
    assert words in done.stderr


@pytest.mark.parametrize("name", ["calls.c", "vectors.c", "threads.c"])
def test_valgrind_finds_nothing(program, name):
    succeed(*VALGRIND, program(name), *ARGUMENTS[name])


@pytest.mark.parametrize(
    "bug, words",
    [
        ("leak", "LeakSanitizer: detected memory leaks"),
        ("use-after-free", "AddressSanitizer: heap-use-after-free"),
        ("overflow", "runtime error: signed integer overflow"),
    ],
)
def test_the_sanitizers_find_a_planted_bug(program, bug, words):
    done = run(program("planted.c", *SANITIZED), bug)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_sanitizers_find_nothing(program, name):
    succeed(program(name, *SANITIZED), *ARGUMENTS[name])
