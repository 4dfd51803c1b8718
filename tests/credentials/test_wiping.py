"""Checks that no secret stays in a Rust program that uses the wiping allocator: it signs, inspects its tokens
and drops everything, and its memory is searched from outside."""

import memory
import pytest
import sources
from common import REPOSITORY
from fake_aws import temporary_keys
from machine import PROBE
from pages import example

WIPING = PROBE.with_name("wiping")
CHAIN = [
    sources.profile_with_a_session_token,
    sources.credential_process,
    sources.web_identity,
    sources.container,
]


def test_the_program_names_the_allocator_as_the_page_does():
    assert example("docs/rust.md", "rust", 1) in (REPOSITORY / "tests/probe/wiping.rs").read_text()


def test_memory_contains_no_secret_that_the_program_gave(secrets):
    keys = temporary_keys("keys")
    lines = [keys.access_key_id, keys.secret_access_key, keys.session_token, ""]
    assert memory.kept([WIPING, "keys"], secrets, "\n".join(lines), {}) == set()


@pytest.mark.parametrize("source", CHAIN, ids=lambda source: source.__name__)
def test_memory_contains_no_secret_that_was_fetched(source, secrets, fake, tmp_path):
    machine, _ = sources.alone(source, tmp_path / "home", fake)
    assert memory.kept([WIPING, "chain"], secrets, "", machine.environment) == set()
