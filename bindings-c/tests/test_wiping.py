"""Checks that no secret stays in a C program: each source signs, everything is freed, and the memory is
searched from outside."""

import memory
import pytest
import sources
from conftest import ENVIRONMENT
from fake_aws import temporary_keys

CHAIN = [
    sources.profile_with_a_session_token,
    sources.credential_process,
    sources.role_with_source_profile,
    sources.web_identity,
    sources.sso_session,
    sources.container_with_an_authorization_file,
    sources.instance_metadata,
]

# Without this, the loader resolves a function when the program first calls it, and saves the vector
# registers on the stack. They may contain the end of the last text that was copied.
NOW = ["-Wl,-z,now"]


@pytest.mark.parametrize("source", ["keys", "callback"])
def test_memory_contains_no_secret_that_the_program_gave(source, program, secrets):
    keys = temporary_keys(source)
    lines = [keys.access_key_id, keys.secret_access_key, keys.session_token, ""]
    command = [program("wipe.c", *NOW), source]
    assert memory.kept(command, secrets, "\n".join(lines), ENVIRONMENT) == set()


@pytest.mark.parametrize("source", CHAIN, ids=lambda source: source.__name__)
def test_memory_contains_no_secret_that_was_fetched(source, program, secrets, fake, tmp_path):
    machine, flags = sources.alone(source, tmp_path, fake)
    command = [program("wipe.c", *NOW), "chain", *[flag for flag in flags if flag != "--profile"]]
    assert memory.kept(command, secrets, "", ENVIRONMENT | machine.environment) == set()
