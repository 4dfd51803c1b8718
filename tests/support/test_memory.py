"""Checks that the search of a program's memory finds every kind of secret."""

import subprocess
import sys

import memory

# Holds the bytes that it is told in hexadecimal digits.
HOLD = """
import sys
held = [bytes.fromhex(digits) for digits in sys.stdin.readline().split()]
print("held", flush=True)
sys.stdin.readline()
"""


def found(wanted, held):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdin.write(" ".join(needle.hex() for needle in held).encode() + b"\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"held\n"
        return {what.rpartition(" in ")[0] for what in memory.found(child.pid, wanted)}


def test_each_kind_is_found():
    wanted = memory.needles(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"], ["0123456789abcdef" * 4])
    kinds = set(wanted.values())
    assert {"signature", "signing key", "HMAC state of the signing key", "a secret of 40 characters"} < kinds
    assert found(wanted, []) == set()
    assert found(wanted, wanted) == kinds
