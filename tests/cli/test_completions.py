"""The completions of bash, as a user gets them who presses Tab."""

import subprocess

import pytest
from harness import PATIENCE, RDSIGN

# Calls the function that bash calls for the last word.
TAB = """
source <("$RDSIGN" completions bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
declaration=$(complete -p rdsign)
function=${declaration#*-F }
${function%% *} rdsign "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def tab(tmp_path):
    """Returns what bash offers for the last of the words."""
    (tmp_path / "config").write_text("[profile dev]\n[profile prod]\n")
    (tmp_path / "credentials").write_text("[ops]\n")
    (tmp_path / "query.sql").touch()
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "rdsign").symlink_to(RDSIGN)
    environment = {
        "PATH": f"{bin}:/usr/bin:/bin",
        "RDSIGN": str(RDSIGN),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }

    def offered(*words):
        command = ["bash", "--norc", "-c", TAB, "bash", "rdsign", *words]
        pipes = {"capture_output": True, "text": True, "timeout": PATIENCE}
        done = subprocess.run(command, env=environment, cwd=tmp_path, **pipes)
        assert done.stderr == ""
        return set(done.stdout.split())

    return offered


@pytest.mark.parametrize(
    "words, expected",
    [
        (["tok"], {"token"}),
        (["token", "--port", "1", "--regi"], {"--region"}),
        (["token", "--profile", ""], {"dev", "ops", "prod"}),
        (["exec", "--profile", "de"], {"dev"}),
        (["doctor", "--region", "eu-central-"], {"eu-central-1", "eu-central-2"}),
        (["exec", "--", "rdsig"], {"rdsign"}),
        (["local", "--port", "1", "--", "rdsig"], {"rdsign"}),
        (["exec", "--dbname", "x", "--", "psql", "-f", "que"], {"query.sql"}),
    ],
    ids=" ".join,
)
def test_bash_completes(tab, words, expected):
    if words[-1] == "rdsig":
        assert expected <= tab(*words)
    else:
        assert tab(*words) == expected
