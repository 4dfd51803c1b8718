"""Searches the memory of a program for secrets, and for everything that signs tokens in their place.

A process may keep half of a secret, so each one is searched in pieces.
"""

import hashlib
import hmac
import struct
import subprocess
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

PIECE = 16
PAGE = 4096

# When and where the programs sign, and where their STS is.
SIGNING_TIMES = [1724709600 + n * 100000 for n in range(3)]
REGION = "us-east-1"
STS_REGION = "eu-west-1"


def kept(command: Iterable[object], secrets: Iterable[str], given: str, env: dict[str, str]) -> set[str]:
    """Runs a program that reads `given`, signs at each of the times and prints the signatures backwards. It
    drops everything, and waits for a byte before and after. Returns the secrets, and everything derived from
    them, that its memory contains in the end."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen([str(part) for part in command], env=env, **pipes) as process:
        try:
            process.stdin.write(given.encode())
            signatures = [process.stdout.readline().decode().strip()[::-1] for _ in SIGNING_TIMES]
            assert process.stdout.readline() == b"signed\n"
            wanted = needles(secrets, signatures)
            # The search itself works: a signer keeps the key of the last day.
            assert any("signing key" in what for what in found(process.pid, wanted))
            process.stdin.write(b".")
            assert process.stdout.readline() == b"dropped\n"
            left = found(process.pid, wanted)
            process.stdin.write(b".")
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0
    return left


def needles(secrets: Iterable[str], signatures: list[str]) -> dict[bytes, str]:
    """Returns everything that a program had and must not keep, and what to call it."""

    def dates(*times: float) -> set[str]:
        return {datetime.fromtimestamp(time, timezone.utc).strftime("%Y%m%d") for time in times}

    needles = {}
    for secret in secrets:
        needles |= pieces(f"a secret of {len(secret)} characters", secret)
        # Longer ones are no secret access keys.
        if len(secret) > 40:
            continue
        for date in dates(*SIGNING_TIMES):
            needles |= derived(secret, date, REGION, "rds-db")
        for date in dates(datetime.now(timezone.utc).timestamp()):
            needles |= derived(secret, date, STS_REGION, "sts")
    for text in signatures:
        needles |= signature(text)
    return needles


def pieces(what: str, secret: str) -> dict[bytes, str]:
    """Returns the pieces of a secret, as it is and as it is in a token, and what to call them."""
    texts = {secret.encode(), quote(secret, safe="").encode()}
    starts = {text: [*range(0, len(text) - PIECE, PIECE), len(text) - PIECE] for text in texts}
    return {text[at : at + PIECE]: what for text, ats in starts.items() for at in ats}


def derived(secret: str, date: str, region: str, service: str) -> dict[bytes, str]:
    """Returns the keys that are derived from a secret access key for a day, and the states of their HMAC:
    whoever has one of them signs tokens."""
    found = {}
    key = b"AWS4" + secret.encode()
    for name, part in {
        "date key": date,
        "region key": region,
        "service key": service,
        "signing key": "aws4_request",
    }.items():
        key = hmac.digest(key, part.encode(), "sha256")
        found[key] = name
        for padding in (0x36, 0x5C):
            block = bytes(byte ^ padding for byte in key.ljust(64, b"\0"))
            state = sha256_state(block)
            found[block[:32]] = f"padded {name}"
            found[struct.pack("<8I", *state)] = f"HMAC state of the {name}"
            # The order in which x86 processors hash.
            a, b, c, d, e, f, g, h = state
            found[struct.pack("<4I", f, e, b, a)] = f"HMAC state of the {name}, in a register"
            found[struct.pack("<4I", h, g, d, c)] = f"HMAC state of the {name}, in a register"
    return found


def signature(text: str) -> dict[bytes, str]:
    """Returns a token's signature, in the forms in which it is computed."""
    return {
        text[:32].encode(): "signature",
        text[32:].encode(): "signature",
        bytes.fromhex(text): "signature",
    }


def found(process_id: int, needles: dict[bytes, str]) -> set[str]:
    """Returns which needles are in the writable memory of a process, and where."""
    memory = Path(f"/proc/{process_id}/mem")
    return {
        f"{what} in {where}"
        for where, data in _regions(memory, Path(f"/proc/{process_id}/maps").read_text().splitlines())
        for needle, what in needles.items()
        if needle in data
    }


def _regions(memory: Path, lines: list[str]) -> Iterable[tuple[str, bytes]]:
    with memory.open("rb", buffering=0) as file:
        for line in lines:
            span, mode, _, _, _, *path = line.split(None, 5)
            if mode.startswith("rw"):
                start, end = (int(number, 16) for number in span.split("-"))
                file.seek(start)
                data = file.read(end - start)
                pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
                yield "".join(path) or "a mapping", b"".join(page for page in pages if any(page))


def _primes(count: int) -> list[int]:
    primes: list[int] = []
    number = 2
    while len(primes) < count:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return primes


def _fraction_of_root(number: int, degree: int) -> int:
    """Returns the first 32 bits of the fraction of a root."""
    low, high = 0, number << 32
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number << 32 * degree else (low, middle - 1)
    return low & 0xFFFFFFFF


START = [_fraction_of_root(prime, 2) for prime in _primes(8)]
ROUNDS = [_fraction_of_root(prime, 3) for prime in _primes(64)]


def sha256_state(block: bytes) -> list[int]:
    """Returns the state of SHA-256 after one block, which hashlib does not show."""

    def turned(word: int, *bits: int) -> int:
        turns = [(word >> bit | word << 32 - bit) & 0xFFFFFFFF for bit in bits]
        return turns[0] ^ turns[1] ^ (turns[2] if len(turns) > 2 else 0)

    words = list(struct.unpack(">16I", block))
    for at in range(16, 64):
        one, other = words[at - 15], words[at - 2]
        mixed = (turned(one, 7, 18) ^ one >> 3) + (turned(other, 17, 19) ^ other >> 10)
        words.append((words[at - 16] + words[at - 7] + mixed) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = START
    for word, constant in zip(words, ROUNDS):
        first = h + turned(e, 6, 11, 25) + (e & f ^ ~e & g) + constant + word
        second = turned(a, 2, 13, 22) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g
    return [(one + other) & 0xFFFFFFFF for one, other in zip(START, (a, b, c, d, e, f, g, h))]


_padded = b"abc\x80" + bytes(52) + (24).to_bytes(8, "big")
assert struct.pack(">8I", *sha256_state(_padded)) == hashlib.sha256(b"abc").digest()
