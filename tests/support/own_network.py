"""Runs a command in its own network, in which the fake AWS has the addresses of AWS's metadata services.
Nothing outside can be reached from there.

    unshare --map-root-user --net python own_network.py ANSWERS COMMAND...

Writes to the file ANSWERS which service returned which access key ids.
"""

import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

from fake_aws import FakeAws

UNSHARE = ("unshare", "--map-root-user", "--net")
IMPOSSIBLE = "this machine does not let users create network namespaces"

INSTANCE, CONTAINER = "169.254.169.254", "169.254.170.2"

SIOCSIFADDR, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8916, 0x8913, 0x8914
UP = 1


def is_possible() -> bool:
    """Whether this machine lets a test create a network of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


def add_address(interface: str, address: str) -> None:
    """Sets the address of a network interface, and turns the interface on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = interface.encode().ljust(16, b"\0")
        family = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(control, SIOCSIFADDR, name + family)
        flags = fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(16))[16:18]
        raised = struct.pack("=H", struct.unpack("=H", flags)[0] | UP)
        fcntl.ioctl(control, SIOCSIFFLAGS, name + raised + bytes(14))


def main() -> int:
    """Runs the command and returns its exit status."""
    answers, *command = sys.argv[1:]
    for interface, address in [("lo", "127.0.0.1"), ("lo:1", INSTANCE), ("lo:2", CONTAINER)]:
        add_address(interface, address)
    with FakeAws((INSTANCE, 80)) as instance, FakeAws((CONTAINER, 80)) as container:
        done = subprocess.run(command)
        routes = [instance.imds, container.container]
        handed_out = {route.name: [keys.access_key_id for keys in route.handed_out] for route in routes}
        Path(answers).write_text(json.dumps(handed_out))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
