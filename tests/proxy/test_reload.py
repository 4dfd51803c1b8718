"""Who may connect after SIGHUP, and what a proxy that reads its file does meanwhile."""

import errno
import os
import signal
import stat
import subprocess
import sys
import urllib.error

import own_network
import psycopg
import pytest
from common import PATIENCE, RDSIGN, wait_until
from test_config import log_in, reload
from test_health import Watched

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def not_reloaded(proxy):
    proxy.process.send_signal(signal.SIGHUP)
    return proxy.wait_for("not-reloaded")["message"]


def test_new_clients_must_give_the_password_that_a_reload_asks_for(start, config, passwords):
    config.write({"orders": {}})
    proxy = start(config.flag)
    with log_in(proxy, "orders", "iam_user") as open_session:
        config.write({"orders": {"password_file": str(passwords.file)}})
        reload(proxy)
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            log_in(proxy, "orders", "iam_user")
        assert open_session.execute("select 1").fetchone() == (1,)
    config.write({"orders": {}})
    reload(proxy)
    log_in(proxy, "orders", "iam_user").close()


# Runs in a network of its own, whose addresses nobody else reaches.
REACHABLE = """
import os, signal, subprocess, sys
import own_network
own_network.add_address("lo", "127.0.0.1")
file, later, *command = sys.argv[1:]
with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as proxy:
    for line in proxy.stderr:
        sys.stderr.write(line)
        if " listening " in line:
            os.replace(later, file)
            proxy.send_signal(signal.SIGHUP)
        elif "reloaded" in line:
            proxy.terminate()
"""


@pytest.mark.skipif(not own_network.is_possible(), reason=own_network.IMPOSSIBLE)
def test_an_address_that_others_reach_keeps_its_passwords(environment, config, certificate, passwords):
    # The authorities of the local RDS belong to a user who does not exist there.
    files = {"tls_cert": str(certificate.cert), "tls_key": str(certificate.key)}
    files |= {"listen": "0.0.0.0:0", "sslrootcert": str(certificate.cert)}
    config.write({"orders": files})
    later = config.path.rename(config.path.with_suffix(".later"))
    config.write({"orders": files | {"password_file": str(passwords.file)}})
    command = [*own_network.UNSHARE, sys.executable, "-c", REACHABLE, config.path, later]
    command += [RDSIGN, "proxy", config.flag]
    environment |= {"PYTHONPATH": os.path.dirname(own_network.__file__)}
    options = {"capture_output": True, "text": True, "timeout": PATIENCE, "env": environment}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **options)
    assert " not-reloaded " in done.stderr
    assert "listen: 0.0.0.0:0 can be reached from other machines, and clients give no password" in done.stderr


def test_a_socket_in_a_folder_that_was_opened_is_not_accepted_again(start, config, psql, tmp_path):
    folder = tmp_path / "socket"
    config.write({"orders": {"socket": str(folder)}})
    proxy = start(config.flag)
    proxy.wait_for("listening")
    folder.chmod(0o755)
    assert f"socket: {folder} is not a folder of this user alone; accepted: " in not_reloaded(proxy)
    folder.chmod(0o700)
    reload(proxy)
    assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_who_is_no_longer_allowed_is_refused(start, config, client_environment, tmp_path):
    folder = tmp_path / "socket"
    orders = {"socket": str(folder), "allow_uid": 65534}
    config.write({"orders": orders})
    proxy = start(config.flag)
    proxy.wait_for("listening")
    for above in folder.parents:
        if above != above.parent and str(above).startswith(str(tmp_path.parents[1])):
            above.chmod(above.stat().st_mode | 0o011)

    def as_nobody():
        command = [*NOBODY, "psql", "-XAtqc", "select 1", f"host={folder} user=iam_user dbname=testdb"]
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
        return subprocess.run(command, env=client_environment, **pipes)

    done = as_nobody()
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    config.write({"orders": orders | {"allow_uid": [65533]}})
    reload(proxy)
    assert as_nobody().returncode == 2
    assert proxy.wait_for("refused")["message"] == "user 65534 of this machine may not use this socket"


def test_the_folder_of_a_socket_opens_and_closes_with_allow_uid(start, config, psql, tmp_path):
    folder = tmp_path / "socket"
    config.write({"orders": {"socket": str(folder)}})
    proxy = start(config.flag)
    for more, mode in ({"allow_uid": 65534}, 0o711), ({}, 0o700), ({"allow_uid": 65534}, 0o711):
        config.write({"orders": {"socket": str(folder)} | more})
        reload(proxy)
        assert stat.S_IMODE(folder.stat().st_mode) == mode
        assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"
    assert len(proxy.lines("listening")) == 1


def test_health_ends_and_comes_back_with_its_key(start, config):
    config.write({"orders": {}}, health="127.0.0.1:0")
    watched = Watched(start(config.flag))
    assert watched.get("/startup")[0] == 200
    config.write({"bills": {}})
    reload(watched.proxy)
    with pytest.raises(urllib.error.URLError, match="refused"):
        watched.get("/startup")
    config.write({"bills": {}}, health="127.0.0.1:0")
    reload(watched.proxy)
    watched.address = watched.proxy.wait_for("health", 2)["address"]
    text = watched.get("/metrics")[1]
    assert 'endpoint="bills"' in text
    assert 'endpoint="orders"' not in text, "it was removed"


def test_sigterm_ends_a_proxy_that_cannot_read_its_file_to_the_end(start, config):
    config.write({"orders": {}})
    proxy = start(config.flag)
    proxy.wait_for("listening")
    config.path.unlink()
    os.mkfifo(config.path)
    proxy.process.send_signal(signal.SIGHUP)

    def opened():
        try:
            return os.open(config.path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            assert error.errno == errno.ENXIO
            return None

    writer = wait_until(opened, "the proxy reads")
    assert proxy.stop() == 0
    os.close(writer)
