"""The C programs and a librdsign that both have AddressSanitizer: `make test-sanitizers` builds it.

Programs and library have the runtime of nightly Rust. That of Debian's GCC may block a child of fork().
tokens.c and wipe.c are missing: a sanitizer keeps freed memory, and they look at memory themselves.
"""

import os

import pytest
from conftest import BUILT, PROGRAMS, STRICT, run, succeed
from test_programs import ARGUMENTS

RUNTIME = os.environ.get("RDSIGN_ASAN_RUNTIME")
if RUNTIME is None:
    pytest.skip("make test-sanitizers runs it", allow_module_level=True)


@pytest.fixture(scope="module")
def sanitized(tree, scratch):
    """Builds a program with AddressSanitizer, against a library that has it too."""

    def build(name):
        program = scratch / f"sanitized-{name}"
        flags = tree.pkg_config("--cflags")
        compile_ = ["clang", "-std=c11", "-g", "-O1", *STRICT, "-fsanitize=address", *flags]
        succeed(*compile_, "-c", PROGRAMS / name, "-o", f"{program}.o")
        # The library finds the functions of the runtime in the program.
        runtime = ["-Wl,--whole-archive", RUNTIME, "-Wl,--no-whole-archive", "-Wl,--export-dynamic"]
        libraries = [
            *tree.pkg_config("--libs"),
            f"-Wl,-rpath,{tree.libdir}",
            "-lpthread",
            "-ldl",
            "-lm",
            "-lrt",
        ]
        succeed("clang", f"{program}.o", "-o", program, *runtime, *libraries)
        return program

    return build


@pytest.mark.parametrize(
    "bug, words, place",
    [
        ("leak", "LeakSanitizer: detected memory leaks", "librdsign.so"),
        ("use-after-free", "AddressSanitizer: heap-use-after-free", "planted.c"),
        ("use-after-free-inside", "AddressSanitizer: heap-use-after-free", "librdsign.so"),
    ],
)
def test_a_planted_bug_is_found_on_both_sides(sanitized, bug, words, place):
    done = run(sanitized("planted.c"), bug)
    assert done.returncode != 0
    assert words in done.stderr
    # The frame that read or allocated the memory; those of the sanitizer's own functions come before.
    frames = [line for line in done.stderr.splitlines() if line.lstrip().startswith("#")]
    own = [line for line in frames if "alloc" not in line]
    assert place in own[0], done.stderr


def test_the_planted_program_without_a_bug_passes(sanitized):
    succeed(sanitized("planted.c"), "none")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_nothing_is_found(sanitized, name):
    assert BUILT.parts[-3] == "sanitizers", "RDSIGN_C_BUILT is not the library with the sanitizer"
    succeed(sanitized(name), *ARGUMENTS[name])
