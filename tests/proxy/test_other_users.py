"""`--allow-uid`: other users of the machine on the proxy's Unix socket."""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import activated
import pytest
from common import PATIENCE, RDSIGN
from test_health import Watched

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

# No user of the machine.
ALLOWED, OTHER = 54321, 54322
SQL = "select current_user"
MAY_NOT = f"user {OTHER} of this machine may not use this socket"


@pytest.fixture
def folder():
    """A folder for a socket, which does not exist yet. Everybody can enter those above it."""
    above = Path(tempfile.mkdtemp(prefix="rdsign-users-", dir="/tmp"))
    above.chmod(0o711)
    yield above / "socket"
    shutil.rmtree(above)


@pytest.fixture
def log_in(client_environment, folder):
    """Runs psql as a user of the machine."""

    def log_in(user):
        command = ["psql", "-XAtqw", "-c", SQL, f"host={folder} user=iam_user dbname=testdb"]
        ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
        return subprocess.run(["setpriv", *ids, *command], env=client_environment, cwd="/", **pipes)

    return log_in


def make(folder, mode, owner=0):
    folder.mkdir()
    os.chown(folder, owner, owner)
    folder.chmod(mode)


def refused(environment, folder, *flags):
    """Returns the error of a proxy that may not listen in a folder."""
    command = [RDSIGN, "proxy", f"--socket={folder}", *flags]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
    done = subprocess.run(command, env=environment, **pipes)
    assert done.returncode == 2, done
    return done.stderr


def test_only_the_allowed_users_and_the_proxy_s_own_log_in(start, folder, log_in):
    proxy = start(f"--socket={folder}", f"--allow-uid={ALLOWED}", "--health=127.0.0.1:0")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    for user in (ALLOWED, os.geteuid()):
        assert log_in(user).stdout == "iam_user\n"
    assert proxy.lines("refused") == []
    done = log_in(OTHER)
    assert done.returncode == 2 and done.stdout == ""
    line = proxy.wait_for("refused")
    assert (line["level"], line["message"]) == ("warning", MAY_NOT)
    assert line["uid"] == OTHER and line["client"].startswith("process ")
    assert f"FATAL:  rdsign proxy: {MAY_NOT}\nHINT:  --allow-uid {OTHER} lets it in." in done.stderr
    assert len(proxy.lines("login")) == 2
    assert Watched(proxy).metrics()["connections_total"] == 3, "all, also those that are refused"


def test_a_flag_for_each_user_allows_several(start, folder, log_in):
    start(f"--socket={folder}", f"--allow-uid={ALLOWED}", f"--allow-uid={OTHER}")
    assert [log_in(user).stdout for user in (ALLOWED, OTHER)] == ["iam_user\n"] * 2


@pytest.mark.parametrize("mode", [0o711, 0o755])
def test_a_folder_that_others_can_only_read_is_accepted(start, folder, log_in, mode):
    make(folder, mode)
    start(f"--socket={folder}", f"--allow-uid={ALLOWED}")
    assert log_in(ALLOWED).stdout == "iam_user\n"
    assert stat.S_IMODE(folder.stat().st_mode) == mode


@pytest.mark.parametrize("mode, owner", [(0o777, 0), (0o775, 0), (0o755, ALLOWED), (0o700, OTHER)])
def test_a_folder_that_another_user_can_write_to_is_refused(environment, folder, mode, owner):
    make(folder, mode, owner)
    error = refused(environment, folder, f"--allow-uid={ALLOWED}")
    start, end = f"rdsign: socket: others can write to {folder}; accepted: ", "does not exist yet\n"
    assert error.startswith(start) and error.endswith(end), error
    assert list(folder.iterdir()) == []


def test_without_the_flag_a_folder_that_others_can_enter_is_refused(environment, folder):
    make(folder, 0o711)
    expected = f"rdsign: socket: {folder} is not a folder of this user alone; accepted: "
    assert refused(environment, folder).startswith(expected)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


def test_a_folder_that_the_allowed_users_cannot_enter_is_refused(start, environment, folder):
    make(folder, 0o700)
    error = refused(environment, folder, "--allow-uid=0", f"--allow-uid={ALLOWED}")
    assert error == (
        f"rdsign: allow uid: user {ALLOWED} cannot enter {folder}, which has the mode 0700; accepted: a folder "
        "with mode 0711 (`chmod 711`) or 0755, or one that does not exist yet\n"
    )
    start(f"--socket={folder}", "--allow-uid=0")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_of_systemd_keeps_its_mode(environment, folder):
    make(folder, 0o700)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / ".s.PGSQL.5432"))
        opened.listen()
        command, options = activated.with_sockets([opened], [RDSIGN, "proxy", f"--allow-uid={ALLOWED}"])
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, **options
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"rdsign: allow uid: user {ALLOWED} cannot enter {folder}, "), done
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_other_users_need_the_flag_on_a_socket_of_systemd_too(start, folder, log_in):
    make(folder, 0o755)
    path = folder / ".s.PGSQL.5432"
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))
        path.chmod(0o666)
        opened.listen()
        proxy = start(f"--allow-uid={ALLOWED}", sockets=[opened])
        assert log_in(ALLOWED).stdout == "iam_user\n"
        assert log_in(OTHER).stdout == ""
        proxy.wait_for("refused")
        proxy.stop()
        proxy = start(sockets=[opened])
        assert log_in(ALLOWED).stdout == ""
        assert proxy.wait_for("refused")["message"] == MAY_NOT.replace(str(OTHER), str(ALLOWED))


@pytest.mark.parametrize("mode, owner", [(0o777, 0), (0o755, ALLOWED)])
def test_a_folder_of_systemd_s_socket_that_others_can_write_to_is_refused(environment, folder, mode, owner):
    make(folder, mode, owner)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / ".s.PGSQL.5432"))
        opened.listen()
        command, options = activated.with_sockets([opened], [RDSIGN, "proxy"])
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE, **options
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"rdsign: socket: others can write to {folder}; accepted: "), done
