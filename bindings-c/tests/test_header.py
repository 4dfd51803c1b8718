"""The header matches the libraries, and every compiler accepts it."""

import re

import pytest
from conftest import CRATE, PROGRAMS, REPOSITORY, STRICT, succeed

HEADER = (CRATE / "include/rdsign.h").read_text()
DECLARATIONS = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
FUNCTIONS = set(re.findall(r"\b(rdsign_\w+)\(", DECLARATIONS))
STATUSES = dict(re.findall(r"\b(RDSIGN_\w+) = (\d+)", DECLARATIONS))

# Includes the header twice: the second one must add nothing.
USE = """
#include <rdsign.h>
#include <rdsign.h>
int main(void) { return rdsign_status_name(RDSIGN_OK) == rdsign_version(); }
"""


def exported(library):
    """Returns the names that a shared library exports."""
    lines = succeed("nm", "--dynamic", "--defined-only", library).splitlines()
    return {line.split()[-1] for line in lines}


def test_exported_symbols_are_exactly_the_header_s(tree):
    assert len(FUNCTIONS) > 30
    assert exported(tree.libdir / "librdsign.so") == FUNCTIONS


@pytest.mark.parametrize(
    "compiler, standard",
    [(compiler, standard) for compiler in ("gcc", "clang") for standard in ("c99", "c11", "c17")]
    + [(compiler, standard) for compiler in ("g++", "clang++") for standard in ("c++11", "c++17")],
)
def test_the_header_compiles_without_a_warning(tree, tmp_path, compiler, standard):
    source = tmp_path / ("use.cpp" if "+" in standard else "use.c")
    source.write_text(USE)
    # -isystem would hide a warning in the header.
    flags = tree.pkg_config("--cflags")
    assert flags == [f"-I{tree.libdir / 'pkgconfig/../../include'}"]
    succeed(compiler, f"-std={standard}", *STRICT, *flags, "-c", source, "-o", tmp_path / "use.o")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_a_cplusplus_program_signs(tree, tmp_path, compiler):
    program = tmp_path / "cplusplus"
    flags = tree.pkg_config("--cflags", "--libs")
    source = PROGRAMS / "cplusplus.cpp"
    succeed(compiler, "-std=c++17", *STRICT, source, "-o", program, *flags)
    succeed(program, env={"LD_LIBRARY_PATH": tree.libdir})


def test_the_statuses_are_those_of_the_contract():
    text = (REPOSITORY / "tests/codes.tsv").read_text()
    columns, *lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert columns == ["code", "number", "kind"]
    assert STATUSES == {"RDSIGN_OK": "0"} | {f"RDSIGN_{code}": number for code, number, _ in lines}


def test_calls_c_leaves_no_function_and_no_status_out():
    source = (PROGRAMS / "calls.c").read_text()
    # No call can cause a bug in rdsign.
    for name in FUNCTIONS | STATUSES.keys() - {"RDSIGN_INTERNAL"}:
        assert re.search(rf"\b{name}\b", source), name


def test_the_shared_library_has_its_soname_and_needs_only_libc(tree):
    dynamic = succeed("readelf", "--dynamic", "--wide", tree.libdir / "librdsign.so")
    assert re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) == ["librdsign.so.0"]
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    glibc = {"libc.so.6", "libm.so.6", "libgcc_s.so.1"}
    assert {name for name in needed if not name.startswith("ld-linux")} <= glibc
    assert "(TEXTREL)" not in dynamic
