"""Running a proxy: its signals, sockets, limits and credentials."""

import json
import os
import signal
import stat
import subprocess
import time

import psycopg
import pytest
from common import PATIENCE, RDSIGN


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_open_sessions(proxy, how):
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        proxy.process.send_signal(how)
        assert proxy.wait_for("stopping")["sessions"] == 1
        assert not proxy.can_connect()
        assert connection.execute("select 1").fetchone() == (1,)
        assert proxy.process.poll() is None
    assert proxy.process.wait(PATIENCE) == 0
    assert proxy.wait_for("stopped")["closed_sessions"] == 0


@pytest.mark.parametrize("flags, signals", [(["--drain=0"], 1), (["--drain=600"], 2)])
def test_sessions_are_closed_after_the_wait_or_a_second_signal(start, flags, signals):
    proxy = start(*flags)
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        for _ in range(signals):
            proxy.process.send_signal(signal.SIGTERM)
            proxy.wait_for("stopping")
        assert proxy.process.wait(PATIENCE) == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    assert proxy.wait_for("stopped")["closed_sessions"] == 1


def test_a_socket_is_for_its_user_alone_and_vanishes_with_the_proxy(start, psql, tmp_path):
    folder = tmp_path / "socket"
    proxy = start(f"--socket={folder}")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [address] = proxy.addresses
    assert address == str(folder / ".s.PGSQL.5432")
    assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"
    assert proxy.wait_for("login")["client"].startswith("process ")
    assert proxy.stop() == 0
    assert list(folder.iterdir()) == []


def test_a_socket_that_a_killed_proxy_left_is_replaced(environment, start, psql, tmp_path):
    folder = tmp_path / "socket"
    first = start(f"--socket={folder}")
    command = [RDSIGN, "proxy", f"--socket={folder}"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 1 and "a program already listens on" in done.stderr
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    assert [file.name for file in folder.iterdir()] == [".s.PGSQL.5432"]
    start(f"--socket={folder}", "--listen=127.0.0.1:0")
    assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"


def test_a_folder_that_others_can_enter_is_refused(environment, tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    command = [RDSIGN, "proxy", f"--socket={folder}"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert f"rdsign: socket: {folder} is not a folder of this user alone; accepted: " in done.stderr


def test_a_file_that_is_no_socket_is_not_removed(environment, tmp_path):
    file = tmp_path / "socket/.s.PGSQL.5432"
    file.parent.mkdir(mode=0o700)
    file.write_text("kept")
    command = [RDSIGN, "proxy", f"--socket={file.parent}"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr.startswith(f"rdsign: socket: {file}: "), done.stderr
    assert file.read_text() == "kept"


@pytest.mark.parametrize(
    "folder, status, problem",
    [
        ("missing/socket", 1, "{above} does not exist; accepted: a folder in one that exists"),
        ("x" * 100, 2, "{folder} is too long for the path of a socket; accepted: a shorter one"),
    ],
)
def test_a_folder_that_cannot_be_made_is_refused(environment, tmp_path, folder, status, problem):
    folder = tmp_path / folder
    command = [RDSIGN, "proxy", f"--socket={folder}"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    expected = problem.format(above=folder.parent, folder=folder)
    assert (done.returncode, done.stderr) == (status, f"rdsign: socket: {expected}\n")
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_the_machine_is_refused(start, tmp_path, client_environment):
    folder = tmp_path / "socket"
    proxy = start(f"--socket={folder}")
    # As if an administrator had opened it later.
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)
    for above in folder.parents:
        if above != above.parent and str(above).startswith(str(tmp_path.parents[1])):
            above.chmod(above.stat().st_mode | 0o011)
    conninfo = f"host={folder} user=iam_user dbname=testdb"
    command = [
        "setpriv",
        "--reuid=nobody",
        "--regid=65534",
        "--clear-groups",
        "psql",
        "-XAtqc",
        "select 1",
        conninfo,
    ]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
    done = subprocess.run(command, env=client_environment, **pipes)
    assert done.returncode == 2 and done.stdout == ""
    assert proxy.wait_for("refused")["message"] == "user 65534 of this machine may not use this socket"


def test_more_logins_than_allowed_wait_for_their_turn(start):
    # The bucket holds one login, and each further one waits a second longer.
    proxy = start("--max-logins-per-second=1")
    began = time.monotonic()
    for _ in range(3):
        psycopg.connect(proxy.conninfo).close()
    assert time.monotonic() - began >= 2


def known(keys):
    """Returns the configuration that makes the local RDS know these keys."""
    allow = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
    names = ("access_key_id", "secret_access_key", "session_token")
    lines = [f"{name} = {json.dumps(getattr(keys, name))}" for name in names]
    lines.append(f"policies = ['{json.dumps({'Version': '2012-10-17', 'Statement': [allow]})}']")
    return "\n".join(["", "[[access_keys]]", *lines, ""])


def test_credentials_that_expired_during_a_sleep_are_replaced(local, start, clock, fake):
    source = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.container_url, "AWS_ACCESS_KEY_ID": ""}
    fake.container.lifetime = 3600
    proxy = start("--credentials-timeout=60", **source, **clock.environment)
    assert not proxy.can_connect(), "the local RDS does not know the keys yet"
    first = fake.container.last()
    with local.configuration(append=known(first)):
        psycopg.connect(proxy.conninfo).close()
    # The machine slept for two hours, and so did the server's clock.
    clock.jump(7200)
    fake.container.lifetime = 3 * 3600
    ahead = ("clock_offset_seconds = 0", "clock_offset_seconds = 7200")
    with local.configuration(ahead, append=known(first)):
        assert not proxy.can_connect(), "the keys of before are used no more"
    with local.configuration(ahead, append=known(fake.container.last())):
        psycopg.connect(proxy.conninfo).close()
    assert fake.container.count() == 2
    proxy.wait_for("credentials", 2)
    assert [line["level"] for line in proxy.lines("credentials")] == ["info", "info"]
