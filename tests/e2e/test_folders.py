"""Folders and files that another user of the machine prepared or can change: nothing is read, loaded or
run from them, and no secret is written to them."""

import os
import shutil
import stat

import pytest
from common import RDSIGN
from harness import LIBRARY

OTHER = 1  # the user daemon, whom PostgreSQL never runs as
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root creates files of other users")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refused(place, data, problem):
    """Fails unless the folder is refused for this reason, and stays as it is."""
    before = sorted(os.listdir(data))
    status, _, error = place.run("--data", data, "--", "true")
    assert (status, problem in error) == (2, True), error
    assert "accepted: what you own and only you can write to" in error
    assert sorted(os.listdir(data)) == before


@root_only
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "empty"])
def test_a_folder_that_another_user_prepared_is_refused(users_place, marked):
    data = users_place.base / "shared"
    data.mkdir()
    data.chmod(0o777)
    if marked:
        (data / "rdsign-local.lock").touch(0o666)
        os.chown(data / "rdsign-local.lock", OTHER, OTHER)
    os.chown(data, OTHER, OTHER)
    if marked or users_place.prefix:
        refused(users_place, data, f"{data}: belongs to the user daemon")
        assert mode(data) == 0o777
    else:  # root takes an empty folder over, and nobody else can enter it from then on
        assert users_place.run("--data", data, "--", "true")[0] == 0
        assert mode(data) == 0o700
        assert data.stat().st_uid not in (OTHER, 0)


@pytest.fixture
def kept(place):
    """A folder of `--data` that was used before."""
    data = place.base / "parent/kept"
    data.parent.mkdir()
    data.parent.chmod(0o755)
    assert place.run("--data", data, "--", "true")[0] == 0
    return data


def test_a_folder_that_others_can_write_to_is_refused(place, kept):
    for path in (kept, kept / "config.toml", kept / "data", kept / "data/postgresql.auto.conf"):
        before = mode(path)
        for more in (0o020, 0o002) if path.name != "config.toml" else (0o002,):
            path.chmod(before | more)
            refused(place, kept, f"{path}: other users can write to it")
        path.chmod(before)
    assert place.run("--data", kept, "--", "true")[0] == 0


@root_only
def test_a_file_of_another_user_in_the_folder_is_refused(place, kept):
    names = ["rdsign-local.lock", "config.toml", "data/pg_ident.conf", "data/base/1/PG_VERSION"]
    for path in (kept / name for name in names):
        owner = path.stat()
        os.chown(path, OTHER, OTHER)
        refused(place, kept, f"{path}: belongs to the user daemon")
        os.chown(path, owner.st_uid, owner.st_gid)
    assert place.run("--data", kept, "--", "true")[0] == 0


def test_a_folder_that_everyone_can_replace_is_refused(place, kept):
    kept.parent.chmod(0o777)
    refused(place, kept, f"{kept.parent}: everyone can replace the files in it")
    kept.parent.chmod(0o1777)
    assert place.run("--data", kept, "--", "true")[0] == 0


@root_only
def test_a_folder_that_another_user_can_replace_is_refused(place, kept):
    os.chown(kept.parent, OTHER, OTHER)
    refused(place, kept, f"{kept.parent}: belongs to the user daemon")
    new = kept.parent / "new"
    new.mkdir()
    refused(place, new, f"{kept.parent}: belongs to the user daemon")
    os.chown(kept.parent, 0, 0)
    assert place.run("--data", kept, "--", "true")[0] == 0


def test_missing_parents_of_the_folder_are_open_and_removed_on_failure(users_place):
    base = users_place.temporary / "new"
    assert users_place.run("--data", base / "sub/data", "--", "true")[0] == 0
    assert [mode(base), mode(base / "sub"), mode(base / "sub/data")] == [0o755, 0o755, 0o700]
    if not users_place.prefix and os.geteuid() == 0:
        closed = users_place.base / "closed"
        closed.mkdir(mode=0o700)
        status, _, error = users_place.run("--data", closed / "sub/data", "--", "true")
        assert (status, "cannot enter this folder" in error) == (1, True)
        assert list(closed.iterdir()) == []
    shutil.rmtree(base)


def test_a_folder_of_another_setup_is_refused(place, kept):
    """Its roles and its settings are those of the version that created it."""
    mark = kept / "data/rdsign-local.setup"
    content = mark.read_text()
    for change in (lambda: mark.write_text(content + "-- more"), mark.unlink):
        change()
        status, _, error = place.run("--data", kept, "--", "true")
        assert (status, "created by a version of rdsign with other roles or settings" in error) == (2, True)
    assert (kept / "data/PG_VERSION").exists()


def test_a_folder_that_was_opened_is_closed_again(place, kept):
    kept.chmod(0o755)
    (kept / "config.toml").chmod(0o644)
    assert place.run("--data", kept, "--", "true")[0] == 0
    assert (mode(kept), mode(kept / "config.toml")) == (0o700, 0o600)


def test_a_configuration_that_an_editor_opened_for_the_group_is_closed_again(place, kept):
    config = kept / "config.toml"
    config.chmod(0o664)
    assert place.run("--data", kept, "--", "true")[0] == 0
    assert mode(config) == 0o600
    kept.chmod(0o750)  # the group could have changed it
    config.chmod(0o664)
    refused(place, kept, f"{config}: other users can write to it")


def test_an_empty_folder_of_ones_own_is_closed(place):
    data = place.base / "own"
    data.mkdir()
    data.chmod(0o777)
    script = "umask 0; exec $RDSIGN local --data $DATA -- true"
    environment = {"RDSIGN": str(place.rdsign), "DATA": str(data)}
    assert place.run("--", "sh", "-c", script, env=environment)[0] == 0
    assert (mode(data), mode(data / "config.toml")) == (0o700, 0o600)
    open_files = [path for path in data.rglob("*") if not path.is_symlink() and mode(path) & 0o022]
    assert open_files == []


def test_a_library_that_everyone_can_write_to_is_refused(place):
    place.rdsign = place.copy_of_the_program("bin")
    library = place.base / "bin/librdsign_local_preload.so"
    library.chmod(0o666)
    status, _, error = place.run("--", "true")
    assert (status, f"{library}: everyone can write to it" in error) == (2, True)


@pytest.mark.parametrize("option", ["--config", "--init"])
def test_a_given_file_that_everyone_can_write_to_is_refused(place, shared, option):
    file = place.base / "file"
    file.write_text(shared.original if option == "--config" else "select 1")
    file.chmod(0o666)
    status, _, error = place.run(option, file, "--", "true")
    assert (status, f"{file}: everyone can write to it" in error) == (2, True)
    file.chmod(0o664)
    assert place.run(option, file, "--", "true")[0] == 0


def given(place, shared, kind, folder):
    """Returns a file in `folder` that rdsign reads, the arguments that name it, and the environment."""
    file = folder / "given"
    if kind == "library":
        shutil.copy(RDSIGN.parent / LIBRARY, file)
        return file, (), {"RDSIGN_LOCAL_LIBRARY": str(file)}
    file.write_text(shared.original if kind == "config" else "select 1")
    return file, (f"--{kind}", file), {}


@pytest.mark.parametrize("kind", ["config", "init", "library"])
def test_a_given_file_that_everyone_can_replace_is_refused(place, shared, kind):
    folder = place.base / "open"
    folder.mkdir()
    folder.chmod(0o777)
    file, arguments, environment = given(place, shared, kind, folder)
    link = place.base / "link"
    link.symlink_to(file)
    for path in (file, link):
        if kind == "library":
            environment = {"RDSIGN_LOCAL_LIBRARY": str(path)}
        else:
            arguments = (f"--{kind}", path)
        status, _, error = place.run(*arguments, "--", "true", env=environment)
        assert (status, f"{folder}: everyone can replace the files in it" in error) == (2, True), error
    folder.chmod(0o755)
    assert place.run(*arguments, "--", "true", env=environment)[0] == 0


@root_only
@pytest.mark.parametrize("kind", ["config", "init", "library"])
def test_a_given_file_of_another_user_is_refused(place, shared, kind):
    file, arguments, environment = given(place, shared, kind, place.base)
    os.chown(file, OTHER, OTHER)
    status, _, error = place.run(*arguments, "--", "true", env=environment)
    assert (status, f"{file}: belongs to the user daemon" in error) == (2, True), error


@root_only
def test_a_pipe_in_the_folder_does_not_block_the_start(place, kept):
    """The user that PostgreSQL runs as can put one there."""
    for name in ("data/PG_VERSION", "data/postmaster.pid", "rdsign-local.lock"):
        path = kept / name
        content = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        os.chown(path, kept.stat().st_uid, kept.stat().st_gid)
        refused(place, kept, f"{path}: is not a file or a folder")
        path.unlink()
        if content is not None:
            path.write_bytes(content)
            os.chown(path, kept.stat().st_uid, kept.stat().st_gid)
    assert place.run("--data", kept, "--", "true")[0] == 0
