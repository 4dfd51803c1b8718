"""What the README shows does what it says: its examples run as they stand there."""

import os
import re
import subprocess

import pytest

from harness import RDSIGN, REPOSITORY, Place, contract, ids

README = (REPOSITORY / "README.md").read_text()
ENDPOINT = "mydb.abc123.eu-central-1.rds.amazonaws.com"  # the one the README signs for


def example(heading, language, number=0):
    """The first block in that language below a heading, or a later one."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return section.split(f"```{language}\n")[number + 1].split("```", 1)[0]


def column(number, start):
    """What stands in backticks in one column of the table whose first line starts like that."""
    _, _, *rows = README.split(f"\n{start}", 1)[1].split("\n\n", 1)[0].splitlines()
    found = [id for row in rows for id in re.findall("`(.*?)`", row.split("|")[number + 1])]
    assert len(found) == len(set(found)), found
    return set(found)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An RDS at the README's endpoint and port, and the environment of someone who uses it."""
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    folder = tmp_path_factory.mktemp("readme")
    (folder / "global-bundle.pem").symlink_to(local.exports["PGSSLROOTCERT"])
    environment = place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
    keys = {k: v for k, v in local.exports.items() if k.startswith("AWS_")}
    # The README dials the endpoint itself; here its name leads to this machine.
    environment |= keys | {"PGHOSTADDR": "127.0.0.1"}
    yield local, folder, environment
    assert local.stop() == 0
    place.close()


def run(command, folder, environment, statement=None):
    return subprocess.run(
        command, cwd=folder, env=environment, input=statement, text=True, capture_output=True
    )


def test_the_shell_examples_log_in(server):
    local, folder, environment = server
    exported, _, _ = example("In a shell", "sh").partition("rdsign exec")
    # The endpoint's port leads to this machine, too, where the server has another; and the
    # authorities are the server's.
    here = {"PGSSLROOTCERT": local.exports["PGSSLROOTCERT"]}
    script = example("In a shell", "sh").replace("rdsign exec", f"rdsign exec --hostport {local.port}")
    done = run(["bash", "-euc", script], folder, environment | here, "select 40 + 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "42" in done.stdout

    # libpq's port and what is signed are one here: PGPORT; the server answers to 5432 as well.
    script = example("In a shell", "sh", 1).replace("rdsign token", "rdsign token --port 5432")
    ports = {"PGPORT": local.port}
    done = run(["bash", "-euc", exported + script], folder, environment | ports, "select 40 + 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "42" in done.stdout


def test_the_examples_of_a_refusal_find_nothing_where_nothing_is_wrong(server):
    local, folder, environment = server
    endpoint = {"PGHOST": ENDPOINT, "PGUSER": "iam_user"}
    script = example("Why was I refused?", "sh").replace(
        "rdsign doctor", f"rdsign doctor --hostport {local.port} --sslrootcert global-bundle.pem"
    )
    script = script.replace("rdsign inspect", "PGPASSWORD=$(rdsign token) rdsign inspect")
    done = run(["bash", "-euc", script], folder, environment | endpoint)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "All is well." in done.stdout
    assert "Nothing is wrong with it." in done.stdout


def test_the_policy_examples_write_a_policy_that_allows(server):
    _, folder, environment = server
    script = example("Why was I refused?", "sh", 1)
    done = run(["bash", "-euc", script], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'GRANT rds_iam TO "iam_user";\nallowed by policy.json' in done.stdout


def test_the_table_of_the_server_s_messages_has_every_answer_of_doctor():
    assert column(1, "| what the server says |") == ids("answer")


def test_the_example_of_rds_on_this_machine_logs_in(place):
    script = example("RDS on this machine", "sh")
    environment = place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
    done = run(["bash", "-euc", script], "/", environment)
    assert done.returncode == 0, done.stderr
    assert "iam_user" in done.stdout


def test_the_rust_example_prints_a_password_that_logs_in(server):
    local, folder, environment = server
    source = (REPOSITORY / "core/examples/password.rs").read_text()
    assert source.endswith(example("In Rust", "rust"))
    done = run([RDSIGN.parent / "examples/password"], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    local.login(done.stdout.removesuffix("\n"))


def test_the_c_example_is_a_part_of_the_program_that_logs_in():
    program = (REPOSITORY / "examples/c-libpq/main.c").read_text()
    assert example("In C, with libpq", "c") in program


def test_the_table_of_the_log_has_every_refusal():
    assert column(0, "| id in the log |") == ids("refusal", "local")


def test_the_table_of_codes_has_every_code():
    assert column(0, "| code |") == {code for code, _, kind in contract("codes") if kind != "c"}
