"""Runs the examples of README.md and docs/. Only the port and the authorities are changed."""

import os
import re
import subprocess

import pytest
from harness import RDSIGN, REPOSITORY, Place, contract, ids
from pages import ENDPOINT, example, page


def column(number, start):
    """Returns the texts in backticks in a column of the table whose first line begins with `start`."""
    _, _, *rows = page("docs/errors.md").split(f"\n{start}", 1)[1].split("\n\n", 1)[0].splitlines()
    return {id for row in rows for id in re.findall("`(.*?)`", row.split("|")[number + 1])}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An RDS for the examples' endpoint and port, and the environment of its user."""
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    folder = tmp_path_factory.mktemp("docs")
    (folder / "global-bundle.pem").symlink_to(local.exports["PGSSLROOTCERT"])
    environment = place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
    keys = {k: v for k, v in local.exports.items() if k.startswith("AWS_")}
    # The examples dial the endpoint itself; here that is this machine.
    environment |= keys | {"PGHOSTADDR": "127.0.0.1"}
    yield local, folder, environment
    assert local.stop() == 0
    place.close()


def run(command, folder, environment, statement=None):
    return subprocess.run(
        command, cwd=folder, env=environment, input=statement, text=True, capture_output=True
    )


@pytest.mark.parametrize("path, number", [("README.md", 0), ("docs/cli.md", 0), ("docs/quick-start.md", 2)])
def test_the_example_of_exec_logs_in(server, path, number):
    local, folder, environment = server
    # The server listens on another port than the endpoint's, and has its own authority.
    here = {"PGSSLROOTCERT": local.exports["PGSSLROOTCERT"]}
    shown = example(path, "sh", number)
    script = shown.replace("rdsign exec", f"rdsign exec --hostport {local.port}")
    assert script != shown
    done = run(["bash", "-euc", script], folder, environment | here, "select 40 + 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "42" in done.stdout


def test_the_example_of_token_logs_in(server):
    local, folder, environment = server
    exported, _, _ = example("docs/cli.md", "sh").partition("rdsign exec")
    # PGPORT is the port that psql dials; the token is signed for 5432.
    script = example("docs/cli.md", "sh", 1).replace("rdsign token", "rdsign token --port 5432")
    ports = {"PGPORT": local.port}
    done = run(["bash", "-euc", exported + script], folder, environment | ports, "select 40 + 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "42" in done.stdout


def test_doctor_and_inspect_find_no_problem_with_a_valid_token(server):
    local, folder, environment = server
    endpoint = {"PGHOST": ENDPOINT, "PGUSER": "iam_user"}
    script = example("docs/cli.md", "sh", 2).replace(
        "rdsign doctor", f"rdsign doctor --hostport {local.port} --sslrootcert global-bundle.pem"
    )
    script = script.replace("rdsign inspect", "PGPASSWORD=$(rdsign token) rdsign inspect")
    done = run(["bash", "-euc", script], folder, environment | endpoint)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "All checks passed." in done.stdout
    assert "No problems found." in done.stdout


def test_the_quick_start_s_statements_and_doctor_let_a_new_user_in(server):
    local, folder, environment = server
    statements = example("docs/quick-start.md", "sql").replace("iam_user", "another")
    doctor = example("docs/quick-start.md", "sh", 3).replace(
        "rdsign doctor", f"rdsign doctor --hostport {local.port} --sslrootcert global-bundle.pem"
    )
    local.as_postgres(statements)
    try:
        with local.configuration(("/iam_user", "/another")):
            done = run(["bash", "-euc", doctor.replace("iam_user", "another")], folder, environment)
    finally:
        local.as_postgres("DROP USER another")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "All checks passed." in done.stdout


@pytest.mark.parametrize(
    "path, number, output",
    [("docs/aws-setup.md", 1, 0), ("docs/aws-setup.md", 2, 1), ("docs/quick-start.md", 1, None)],
)
def test_the_policy_and_the_statements_of_the_setup_are_what_rdsign_prints(server, path, number, output):
    _, folder, environment = server
    done = run(["bash", "-euc", example(path, "sh", number)], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    shown = example("docs/aws-setup.md", "text", 1 if output is None else output)
    lines = [line.strip() for line in done.stdout.splitlines()]
    for line in shown.splitlines():
        assert line.strip() in lines


def test_the_token_of_how_it_works_begins_as_every_token_does(server):
    local, *_ = server
    [shown] = example("docs/how-it-works.md", "text").splitlines()
    start = shown.removesuffix("…")
    assert len(start) > 100 and local.token(port="5432").startswith(start)


def test_the_policy_examples_print_a_policy_that_allows_the_login(server):
    _, folder, environment = server
    script = example("docs/cli.md", "sh", 3)
    done = run(["bash", "-euc", script], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'GRANT rds_iam TO "iam_user";\nallowed by policy.json' in done.stdout


def test_the_examples_for_dsql_print_two_tokens_and_a_policy_that_allows_the_login(server):
    _, folder, environment = server
    done = run(["bash", "-euc", example("docs/dsql.md", "sh")], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    start = "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws/?Action"
    of_admin, of_app = done.stdout.splitlines()
    assert of_admin.startswith(f"{start}=DbConnectAdmin&")
    assert of_app.startswith(f"{start}=DbConnect&")
    done = run(["bash", "-euc", example("docs/dsql.md", "sh", 1)], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "AWS IAM GRANT \"app\" TO 'arn:aws:iam::123456789012:role/app';\nallowed by" in done.stdout


def test_the_table_of_the_server_s_messages_has_every_answer_of_doctor():
    assert column(1, "| what the server says |") == ids("answer")


@pytest.mark.parametrize(
    "path, number, user",
    [
        ("README.md", 2, "iam_user"),
        ("docs/local-rds.md", 0, "iam_user"),
        ("docs/quick-start.md", 0, example("docs/quick-start.md", "text")),
        ("docs/local-rds.md", 2, "admin        | postgres"),
    ],
)
def test_the_example_of_rds_on_this_machine_logs_in(place, path, number, user):
    script = example(path, "sh", number)
    environment = place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
    done = run(["bash", "-euc", script], "/", environment)
    assert done.returncode == 0, done.stderr
    assert user in done.stdout


def test_the_example_of_a_grant_lets_the_key_be_the_role(place):
    local = place.start("--endpoint", "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws")
    local.as_postgres("create role app login")
    local.as_postgres("grant rds_iam to app")
    shown = "unable to accept connection, access denied"
    local.refuse(local.token("app"), r"\(not-granted\): .*", "app", shown=shown)
    with local.configuration(append="\n" + example("docs/local-rds.md", "toml")):
        local.login(local.token("app"), "app")
    local.stop()


def test_a_shell_reads_the_output_of_rds_on_this_machine(place, tmp_path):
    login = "PGPASSWORD=$(rdsign token) psql -XAtc 'select current_user'; kill $!; wait $!"
    environment = place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
    script = f"{example('docs/local-rds.md', 'sh', 1)}{login}"
    done = run(["bash", "-euc", script], tmp_path, environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "iam_user\n", "")


def test_the_rust_example_prints_a_password_that_logs_in(server):
    local, folder, environment = server
    source = (REPOSITORY / "core/examples/password.rs").read_text()
    assert source.endswith(example("docs/rust.md", "rust"))
    done = run([RDSIGN.parent / "examples/password"], folder, environment)
    assert (done.returncode, done.stderr) == (0, "")
    local.login(done.stdout.removesuffix("\n"))


def test_the_c_example_is_part_of_a_program_that_logs_in():
    program = (REPOSITORY / "examples/c-libpq/main.c").read_text()
    assert example("docs/c.md", "c") in program


def test_the_two_commands_are_targets_of_make():
    commands = re.findall(r"^make (\S+)", example("README.md", "sh", 3), re.M)
    assert commands == ["demo", "test"]
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in commands:
        assert re.search(rf"^{target}:", makefile, re.M)


def test_the_demo_shows_a_login_and_two_refusals():
    place = Place()
    demo = REPOSITORY / "local-rds/demo.sh"
    done = run([demo], REPOSITORY, place.environment(RDSIGN_BIN=str(RDSIGN)))
    place.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("rdsign: refused") == 2
    assert re.search(r"iam_user\s+\|.*TLSv1", done.stdout)


def test_the_table_of_the_log_has_every_refusal():
    assert column(0, "| ID in the log |") == ids("refusal", "local")


def test_the_table_of_inspect_has_every_finding():
    assert column(0, "| ID | severity |") == ids("finding")


def test_the_table_of_doctor_has_every_finding():
    assert column(1, "| step | ID |") == ids("doctor")


def test_the_table_of_codes_has_every_code():
    assert column(0, "| code |") == {code for code, *_ in contract("codes")}
