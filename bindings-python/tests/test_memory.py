"""Memory use does not grow over a million tokens, new signers and failed calls."""

import gc
import logging
import resource

import pytest
import rdsign
from conftest import HOSTNAME, signer

MILLION = 1_000_000
ROOM = 2 << 20  # bytes; a leak of a token's text alone would be 350 MB


def resident():
    """Returns the resident memory in bytes."""
    gc.collect()
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize()


def growth(do, times):
    """Returns by how many bytes memory grows over many calls. A tenth more calls warm up first."""
    for _ in range(times // 10):
        do()
    before = resident()
    for _ in range(times):
        do()
    return resident() - before


def test_a_million_tokens_leave_nothing_behind():
    one = signer(session_token="a token")
    assert growth(one.token, MILLION // 2) < ROOM
    assert growth(one.password, MILLION // 2) < ROOM


def fails():
    with pytest.raises(rdsign.InvalidRequestError):
        signer(port=0, username="x" * 1000)


def no_credentials(one):
    with pytest.raises(rdsign.CredentialsError):
        one.token()


def test_signers_and_failures_leave_nothing_behind(monkeypatch):
    # pytest keeps each line that is logged.
    monkeypatch.setattr(logging.getLogger("rdsign"), "propagate", False)
    assert growth(lambda: signer(credentials=lambda: {}).hostname, 20_000) < ROOM
    assert growth(fails, 20_000) < ROOM
    one = rdsign.Signer(hostname=HOSTNAME, username="x", credentials=lambda: 1 / 0)
    assert growth(lambda: no_credentials(one), 20_000) < ROOM
    assert growth(lambda: signer().token().expires_at, 20_000) < ROOM
