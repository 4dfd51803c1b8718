"""Builds programs against an installed tree with pkg-config and CMake, shared and static."""

import os
import re
from pathlib import Path

import pytest
from conftest import BUILT, CRATE, PROGRAMS, REPOSITORY, STRICT, VERSION, Tree, install, run, succeed

SOURCE = PROGRAMS / "calls.c"
ARGUMENTS = [VERSION, REPOSITORY / "tests/codes.tsv"]
BUNDLE = (REPOSITORY / "ca-bundle/rds.pem").read_text()
CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(user C)
find_package(rdsign {version} REQUIRED)
add_executable(user "{source}")
target_link_libraries(user {target})
message(STATUS "found ${{rdsign_VERSION}} and ${{rdsign_CA_FILE}}")
"""


def needs_the_shared_library(program):
    return "librdsign.so.0" in succeed("readelf", "--dynamic", program)


def test_pkg_config_links_the_shared_library(tree, tmp_path):
    program = tmp_path / "user"
    flags = tree.pkg_config("--cflags", "--libs")
    succeed("gcc", "-std=c11", *STRICT, SOURCE, "-o", program, *flags)
    assert needs_the_shared_library(program)
    succeed(program, *ARGUMENTS, env={"LD_LIBRARY_PATH": tree.libdir})
    assert tree.pkg_config("--modversion") == [VERSION]


def test_pkg_config_static_links_a_program_that_needs_no_library(tree, tmp_path):
    program = tmp_path / "user"
    flags = tree.pkg_config("--static", "--cflags", "--libs")
    # glibc warns here that looking up hosts still needs its shared libraries.
    succeed("gcc", "-std=c11", "-static", SOURCE, "-o", program, *flags)
    assert "(NEEDED)" not in succeed("readelf", "--dynamic", program)
    succeed(program, *ARGUMENTS)


def test_a_dynamic_program_can_link_the_static_library(tree, tmp_path):
    program = tmp_path / "user"
    flags = tree.pkg_config("--static", "--cflags", "--libs")
    flags = ["-l:librdsign.a" if flag == "-lrdsign" else flag for flag in flags]
    succeed("gcc", "-std=c11", *STRICT, SOURCE, "-o", program, *flags)
    assert not needs_the_shared_library(program)
    succeed(program, *ARGUMENTS)


def cmake(tree, folder, target, version=VERSION):
    text = CMAKE.format(version=version, source=SOURCE, target=target)
    (folder / "CMakeLists.txt").write_text(text)
    # CMake must search only the tree.
    options = [f"-DCMAKE_PREFIX_PATH={tree.libdir.parent}", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=NO"]
    return run("cmake", "-S", folder, "-B", folder / "build", *options)


@pytest.mark.parametrize("target", ["rdsign::rdsign", "rdsign::rdsign_static"])
def test_cmake_finds_and_links(tree, tmp_path, target):
    configured = cmake(tree, tmp_path, target)
    assert configured.returncode == 0, configured.stderr
    authorities = re.search(f"found {VERSION} and (.*)", configured.stdout)[1]
    assert Path(authorities).read_text() == BUNDLE
    succeed("cmake", "--build", tmp_path / "build")
    program = tmp_path / "build/user"
    assert needs_the_shared_library(program) == (target == "rdsign::rdsign")
    succeed(program, *ARGUMENTS)


@pytest.mark.parametrize("version", ["0.0.1", "0.1"])
def test_cmake_accepts_a_request_for_an_older_version(tree, tmp_path, version):
    assert cmake(tree, tmp_path, "rdsign::rdsign", version).returncode == 0


@pytest.mark.parametrize("version", ["0.99", "1.0"])
def test_cmake_rejects_a_request_for_a_newer_version(tree, tmp_path, version):
    configured = cmake(tree, tmp_path, "rdsign::rdsign", version)
    assert configured.returncode != 0
    assert f'compatible with requested version "{version}"' in " ".join(configured.stderr.split())


def test_the_shared_library_is_versioned(tree):
    assert os.readlink(tree.libdir / "librdsign.so") == "librdsign.so.0"
    assert os.readlink(tree.libdir / "librdsign.so.0") == f"librdsign.so.{VERSION}"


@pytest.mark.parametrize(
    "options, want",
    [
        ({"PREFIX": "/usr"}, ["/usr", "/usr/lib", "/usr/include", "/usr/share"]),
        (
            {"PREFIX": "/usr", "LIBDIR": "/usr/lib/x86_64-linux-gnu"},
            ["/usr", "/usr/lib/x86_64-linux-gnu", "/usr/include", "/usr/share"],
        ),
        (
            {"PREFIX": "/opt/rdsign", "LIBDIR": "/lib64", "INCLUDEDIR": "/srv/headers", "DATADIR": "/srv"},
            ["/opt/rdsign", "/lib64", "/srv/headers", "/srv"],
        ),
    ],
)
def test_files_go_below_destdir_but_do_not_name_it(built, tmp_path, options, want):
    install(built, tmp_path, **options)
    tree = Tree(tmp_path / want[1][1:])
    variables = ("prefix", "libdir", "includedir", "cafile")
    found = [tree.pkg_config(f"--variable={name}")[0] for name in variables]
    assert found == [*want[:3], f"{want[3]}/rdsign/rds.pem"]
    assert (tmp_path / found[3][1:]).read_text() == BUNDLE
    assert (tmp_path / want[2][1:] / "rdsign.h").read_text() == (CRATE / "include/rdsign.h").read_text()
    for file in tmp_path.rglob("*.[pc]*"):
        if file.suffix in (".pc", ".cmake"):
            assert str(tmp_path) not in file.read_text(), file
    config = (tree.libdir / "cmake/rdsign/rdsignConfig.cmake").read_text()
    path = re.search(r"CMAKE_CURRENT_LIST_DIR}/(\S*include|\S*headers)", config)[1]
    from_here = os.path.join(want[1], "cmake/rdsign", path)
    assert os.path.normpath(from_here) == want[2]


def test_make_install_uses_the_given_folders(tmp_path):
    # CARGO=true: the library is built already, with the features that the other tests share.
    make = ["make", "--no-print-directory", "install", "CARGO=true", f"BUILT={BUILT}"]
    succeed(*make, "PREFIX=/usr", "LIBDIR=/usr/lib64", f"DESTDIR={tmp_path}", cwd=REPOSITORY)
    assert (tmp_path / "usr/lib64/librdsign.so").resolve().exists()
    assert (tmp_path / "usr/lib64/librdsign.a").exists()
    assert (tmp_path / "usr/lib64/pkgconfig/rdsign.pc").exists()
    assert (tmp_path / "usr/include/rdsign.h").exists()


def test_private_libraries_are_those_that_rustc_lists(tree, tmp_path):
    # An empty crate needs those of the standard library. If the dependencies needed more, the programs
    # above would not link.
    (tmp_path / "empty.rs").touch()
    rustc = ["rustc", "--crate-type=staticlib", "--print=native-static-libs", "empty.rs"]
    printed = run(*rustc, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    named = re.search(r"native-static-libs: (.*)", printed.stderr)[1].split()
    # The C compiler adds these two itself, and with -static there is no shared libgcc_s.
    wanted = [library for library in named if library not in ("-lc", "-lgcc_s")]
    assert tree.pkg_config("--static", "--libs-only-l") == ["-lrdsign", *wanted]
    config = (tree.libdir / "cmake/rdsign/rdsignConfig.cmake").read_text()
    assert f'INTERFACE_LINK_LIBRARIES "{";".join(name[2:] for name in wanted)}"' in config
