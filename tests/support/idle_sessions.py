"""Many idle sessions of a proxy, and how much memory they take. The tests and the benchmark share it.

2,000 backends of a PostgreSQL would need gigabytes, so the sessions end at a stub: a server to which every
login works, and whose sessions then only stay open.

    python idle_sessions.py CERTIFICATE KEY     runs the stub, which prints its port
"""

import contextlib
import re
import resource
import socket
import ssl
import subprocess
import sys
from pathlib import Path

ASK_FOR_PASSWORD = b"R\0\0\0\x08\0\0\0\x03"
LOGGED_IN = b"R\0\0\0\x08\0\0\0\0"
READY = b"Z\0\0\0\x05I"
STARTUP = b"\0\x03\0\0user\0iam_user\0database\0testdb\0\0"


def allow_many_files():
    """Raises this process's limit of open files as far as the system allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    sessions = []
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            with contextlib.suppress(OSError):  # a client that hangs up ends only its own session
                plain.recv(8)
                plain.sendall(b"S")
                session = context.wrap_socket(plain, server_side=True)
                session.recv(65536)
                session.sendall(ASK_FOR_PASSWORD)
                session.recv(65536)
                # A process ID and a secret, as each session of PostgreSQL has its own.
                own = len(sessions).to_bytes(4, "big") * 2
                session.sendall(LOGGED_IN + b"K\0\0\0\x0c" + own + READY)
                sessions.append(session)


@contextlib.contextmanager
def stub(certificate, key):
    """Runs the stub in a process of its own. Yields its port."""
    command = [sys.executable, __file__, certificate, key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def log_in(port, patience):
    """Logs in without a password. Returns the connection."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=patience)
    connection.sendall((4 + len(STARTUP)).to_bytes(4, "big") + STARTUP)
    answer = b""
    while not answer.endswith(READY):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError(f"the login failed: {answer}")
        answer += part
    return connection


def kilobytes_each(process_id, port, count, patience):
    """Opens so many sessions. Returns by how many kB of memory each has made the proxy grow."""
    with contextlib.ExitStack() as sessions:
        for _ in range(10):  # what a first login loads stays
            sessions.enter_context(log_in(port, patience))
        before = resident(process_id)
        for _ in range(count):
            sessions.enter_context(log_in(port, patience))
        return (resident(process_id) - before) / count


def resident(process_id):
    """Returns how many kB of a process are in memory."""
    return int(re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{process_id}/status").read_text())[1])


if __name__ == "__main__":
    allow_many_files()
    serve(*sys.argv[1:])
