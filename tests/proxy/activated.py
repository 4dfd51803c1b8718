"""Runs a command with open sockets, as systemd starts a service.

python activated.py FD,FD... COMMAND...
"""

import fcntl
import os
import socket
import sys
from collections.abc import Sequence

FIRST = 3
UNUSED = 100  # above all that a command gets here


def run(sockets: list[int], command: list[str]) -> None:
    """Becomes the command, which has the sockets as descriptors 3, 4 and so on."""
    # A socket may have the number that another one gets.
    copies = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, UNUSED) for one in sockets]
    for one in sockets:
        os.close(one)
    for descriptor, copy in enumerate(copies, FIRST):
        os.dup2(copy, descriptor)
    activation = {"LISTEN_FDS": str(len(sockets)), "LISTEN_PID": str(os.getpid())}
    # The caller's own values count.
    os.execve(command[0], command, activation | os.environ)


def with_sockets(sockets: Sequence[socket.socket], command: Sequence) -> tuple[Sequence, dict]:
    """Returns a command that gets the sockets as systemd passes them, and the options to start it."""
    if not sockets:
        return command, {}
    descriptors = [one.fileno() for one in sockets]
    numbers = ",".join(map(str, descriptors))
    return [sys.executable, __file__, numbers, *command], {"pass_fds": descriptors}


if __name__ == "__main__":
    run([int(number) for number in sys.argv[1].split(",")], sys.argv[2:])
