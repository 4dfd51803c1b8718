"""The launcher's promises: what a command gets, and that nothing is left behind, however it ends."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from common import PATIENCE, wait_until
from harness import free_port, line_of

LOGIN = "PGPASSWORD=$($RDSIGN token) psql -XAtc 'select current_user'"


def started(place, script, **options):
    """Starts a command next to a server, and waits for its first line."""
    process = place.popen("--", "sh", "-c", script, **options)
    return process, line_of(process).strip()


def test_a_command_logs_in_and_sets_the_exit_status(users_place):
    rdsign = {"RDSIGN": str(users_place.rdsign)}
    status, output, error = users_place.run("--", "sh", "-c", f"{LOGIN}; exit 7", env=rdsign)
    assert (status, output) == (7, "iam_user\n")
    assert "ready in" in error and "server.log" in error
    assert users_place.leftovers() == []


def test_psql_itself_may_be_the_command(place, shared):
    """Uses a token that was signed before the start: the port and the configuration are known."""
    config = place.base / "config.toml"
    config.write_text(shared.original)
    port = free_port()
    token = {"PGPASSWORD": shared.token(port=port)}
    psql = ["--config", config, "--port", port, "--", "psql", "-XAtc", "select current_user"]
    assert place.run(*psql, env=token)[:2] == (0, "iam_user\n")
    later = ("clock_offset_seconds = 0", "clock_offset_seconds = 901")
    config.write_text(shared.original.replace(*later))
    status, output, error = place.run(*psql, env=token)
    assert (status, output) == (2, "")
    assert 'FATAL:  PAM authentication failed for user "iam_user"' in error


def test_a_command_gets_the_server_s_variables_and_no_others(place):
    profile = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "PGSERVICE": "mine", "KEPT": "mine"}
    status, output, _ = place.run("--", "env", env=profile)
    assert status == 0
    variables = dict(line.split("=", 1) for line in output.splitlines())
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PGSERVICE"} & set(variables)
    assert variables["KEPT"] == "mine"
    assert variables["AWS_ACCESS_KEY_ID"] == "AKIALOCALIAMUSER0001"
    assert variables["AWS_REGION"] == "ap-northeast-1"
    assert variables["PGHOST"] == "mydb.abc123.ap-northeast-1.rds.amazonaws.com"
    assert variables["PGHOSTADDR"] == "127.0.0.1"
    assert (variables["PGUSER"], variables["PGDATABASE"]) == ("iam_user", "testdb")
    assert variables["PGSSLMODE"] == "verify-full"
    names = {"AWS_SECRET_ACCESS_KEY", "PGPORT", "PGSSLROOTCERT"}
    names |= {"RDSIGN_LOCAL_ADMIN_PASSWORD", "RDSIGN_LOCAL_CONFIG", "RDSIGN_LOCAL_LOG"}
    assert names <= set(variables)


def test_the_administrator_logs_in_with_the_password_in_the_variable(place):
    script = 'PGUSER=postgres PGPASSWORD="$RDSIGN_LOCAL_ADMIN_PASSWORD" psql -XAtc "select current_user"'
    assert place.run("--", "sh", "-c", script)[:2] == (0, "postgres\n")


def test_a_shell_reads_the_output(place, tmp_path):
    process = place.popen()
    lines = [line_of(process)]
    while not lines[-1].startswith("# Stop:"):
        lines.append(line_of(process))
        assert lines[-1], process.stderr.read()
    (tmp_path / "env").write_text("".join(lines))
    environment = place.environment(RDSIGN=str(place.rdsign))
    for read in [". ./env", 'eval "$(cat env)"']:
        done = subprocess.run(
            ["sh", "-euc", f"{read}; {LOGIN}"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "iam_user\n", "")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_command_gets_the_first_key_s_session_token(place, shared):
    config = place.base / "config.toml"
    start, iam_user, testuser, session, nothing = shared.original.split("[[access_keys]]")
    config.write_text("[[access_keys]]".join([start, session, iam_user, testuser, nothing]))
    script = f"echo $AWS_SESSION_TOKEN; {LOGIN}"
    env = {"RDSIGN": str(place.rdsign)}
    status, output, _ = place.run("--config", config, "--", "sh", "-c", script, env=env)
    token = shared.keys["ASIALOCALSESSION0001"]["session_token"]
    assert (status, output.splitlines()) == (0, [token, "iam_user"])


def test_the_log_is_bounded_and_goes_on(place):
    local = place.start()
    with local.log.open("a") as log:
        log.writelines(f"{line:099}\n" for line in range(700_000))

    def is_cut():
        with local.log.open() as log:
            return log.read(6) == "rdsign"

    # It may be cut before the last line is written.
    wait_until(is_cut, "the log to be cut")
    with local.log.open("a") as log:
        log.write("written after the cut\n")
    local.login(local.token())
    lines = local.log.read_text().splitlines()
    assert lines[0].startswith("rdsign: the log was cut to its last lines")
    assert "written after the cut" in lines
    assert "rdsign: accepted: " in lines[-1]
    assert local.stop() == 0


def test_ctrl_c_stops_it_and_nothing_is_left(users_place):
    local = users_place.start()
    assert local.stop(signal.SIGINT) == 0
    assert users_place.leftovers() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_it_too(place, how):
    local = place.start()
    assert local.stop(how) == 0
    assert place.leftovers() == []


def test_a_signal_during_the_start_stops_it_and_nothing_is_left(users_place):
    programs = a_postgresql_whose_initdb_never_ends(users_place.base)
    process = users_place.popen(env={"RDSIGN_LOCAL_POSTGRES": str(programs)})
    wait_until(lambda: users_place.processes(), "initdb")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted" in error
    assert users_place.leftovers() == []


def a_postgresql_whose_initdb_never_ends(base):
    """Creates a folder of PostgreSQL's programs. Returns the folder."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    real = installed[-1].parent if installed else Path(shutil.which("initdb")).parent
    folder = base / "programs"
    folder.mkdir()
    (folder / "postgres").write_text(f'#!/bin/sh\nexec "{real}/postgres" "$@"\n')
    # initdb does its work first, so that there is something to leave behind.
    (folder / "initdb").write_text(f'#!/bin/sh\n"{real}/initdb" "$@"; sleep 1000\n')
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_forwarded_to_the_command(place, how):
    process, _ = started(place, "echo ready; exec sleep 1000")
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + how
    assert place.leftovers() == []


def test_a_command_may_continue_after_sigint(place):
    go_on = place.base / "go-on"
    script = f"trap 'echo interrupted' INT; echo ready; until [ -e {go_on} ]; do sleep 0.05; done; exit 5"
    process, _ = started(place, script)
    process.send_signal(signal.SIGINT)
    assert line_of(process) == "interrupted\n"
    assert place.processes(), "the server still runs"
    go_on.touch()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 5


def test_a_command_that_ignores_sigterm_is_killed(place):
    process, _ = started(place, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGKILL
    assert place.leftovers() == []


COUNTS_SIGINT = """
import os, signal, sys
count = 0
def interrupted(*_):
    global count
    count += 1
def terminated(*_):
    print(count)
    sys.exit()
signal.signal(signal.SIGINT, interrupted)
signal.signal(signal.SIGTERM, terminated)
os.setpgid(0, 0)
print("ready", flush=True)
while True:
    signal.pause()
"""
TAKES_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_ctrl_c_at_the_terminal_is_not_forwarded(place):
    """The terminal sends SIGINT to the command, too, so forwarding it would send it twice. This
    command has left the terminal's process group, so any SIGINT that it gets was forwarded."""
    master, terminal = os.openpty()
    command = place.arguments("--", "python3", "-c", COUNTS_SIGINT)
    process = subprocess.Popen(
        ["python3", "-c", TAKES_THE_TERMINAL, *command],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=place.environment(),
        start_new_session=True,
    )
    place.started.append(process)
    os.close(terminal)
    assert line_of(process) == "ready\n"
    os.write(master, b"\x03")
    assert os.read(master, 2) == b"^C"  # the terminal echoes it after it has sent the signal
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE)
    os.close(master)
    assert (process.returncode, output) == (0, "0\n")


def test_after_kill_9_server_and_command_end_too(users_place):
    process, command = started(users_place, "echo $$; exec sleep 1000")
    assert users_place.processes()
    process.kill()
    process.communicate()
    wait_until(lambda: not users_place.processes(), "the server's end")
    wait_until(lambda: not os.path.exists(f"/proc/{command}"), "the command's end")
    assert len(users_place.leftovers()) == 1
    assert users_place.run("--", "true")[0] == 0
    assert users_place.leftovers() == []


def test_other_running_servers_are_not_stopped(place):
    local = place.start()
    assert place.run("--", "true")[0] == 0
    local.login(local.token())
    assert local.stop() == 0


def test_the_command_ends_if_the_server_dies(place):
    process, _ = started(place, "echo ready; exec sleep 1000")
    folder = next(place.temporary.iterdir())
    server = int((folder / "data/postmaster.pid").read_text().splitlines()[0])
    os.kill(server, signal.SIGKILL)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "PostgreSQL exited unexpectedly" in error
    wait_until(lambda: not place.leftovers(), "the backends' end")


@pytest.mark.parametrize("name, status", [("missing", 127), ("not-a-program", 126)])
def test_a_command_that_cannot_be_run_gives_the_shell_s_status(place, name, status):
    (place.base / "not-a-program").touch()
    command = place.base / name
    got, output, error = place.run("--", command)
    assert (got, output) == (status, "")
    assert f"rdsign: {command}: " in error
    assert place.leftovers() == []
