"""`rdsign exec`, `pgpass`, `token --quiet` and `ca-bundle` with the real programs of PostgreSQL."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from harness import PATIENCE, RDSIGN

BUNDLE = (Path(__file__).resolve().parents[2] / "ca-bundle/rds.pem").read_text()


def rdsign(*arguments, env, **options):
    pipes = {"text": True, "capture_output": True, "timeout": PATIENCE}
    return subprocess.run([RDSIGN, *arguments], env=env, **(pipes | options))


def exec(*command, env, flags=()):
    return rdsign("exec", *flags, "--", *command, env=env)


def test_psql_logs_in(environment):
    done = exec("psql", "-XAtc", "select current_user", env=environment)
    assert (done.stdout, done.stderr, done.returncode) == ("iam_user\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["-U", "other"],
            'user: "other" is not the user that the token is signed for, "iam_user"; accepted: "iam_user", '
            "or no user (--username of rdsign)",
        ),
        (
            ["-p", "1"],
            'port: "1" is not the port that the token is signed for, {port}; accepted: {port}, or no port '
            "(--port of rdsign, or --hostport to dial another port)",
        ),
        (
            ["dbname=testdb password=hunter2"],
            "password: would replace the token; accepted: no password (rdsign sets PGPASSWORD)",
        ),
    ],
)
def test_arguments_with_which_the_login_would_be_refused_are_named(local, environment, arguments, words):
    before = local.log.read_text()
    done = exec("psql", *arguments, "-c", "select 1", env=environment)
    assert (done.stderr, done.returncode) == (f"rdsign: {words}\n".format(port=local.port), 2)
    assert local.log.read_text() == before
    own = ["-U", "iam_user", "-p", str(local.port)]
    assert exec("psql", *own, "-XAtc", "select 1", env=environment).stdout == "1\n"


@pytest.mark.parametrize(
    ("variable", "field", "flag", "argument"),
    [("PGHOST", "hostname", "--hostname HOST", "-h"), ("PGUSER", "username", "--username USER", "-U")],
)
def test_a_target_that_only_the_program_s_arguments_name_is_not_taken_from_them(
    local, environment, variable, field, flag, argument
):
    value = environment.pop(variable)
    done = exec("psql", argument, value, "-c", "select 1", env=environment)
    assert done.returncode == 2
    assert f": {field}: missing; accepted: " in done.stderr
    assert done.stderr.endswith(
        f". Arguments of psql do not count: use `rdsign exec {flag} -- psql …`, or set {variable}\n"
    )
    done = exec("psql", env=environment, flags=[f"--port={local.port}"])
    assert done.stderr.endswith(f" (--{field} or {variable})\n")


def test_flags_override_variables(local, environment):
    right = {"hostname": local.host, "port": local.port, "username": "iam_user", "dbname": "testdb"}
    right |= {"hostaddr": "127.0.0.1"}
    wrong = environment | {"PGHOST": "wrong", "PGPORT": "1", "PGUSER": "wrong", "PGDATABASE": "wrong"}
    wrong |= {"PGHOSTADDR": "127.0.0.2"}
    flags = [f"--{name}={value}" for name, value in right.items()]
    sql = "select current_user, current_database()"
    done = exec("psql", "-XAtc", sql, env=wrong, flags=flags)
    assert (done.stdout, done.stderr) == ("iam_user|testdb\n", "")


def test_hostport_changes_only_the_dialed_port(local, environment):
    with local.configuration(("endpoints = [", f'endpoints = ["{local.host}:5432", ')):
        flags = ["--port=5432", f"--hostport={local.port}"]
        done = exec("psql", "-XAtc", "select 1", env=environment, flags=flags)
        assert (done.stdout, done.stderr) == ("1\n", "")


def test_pg_dump_opens_several_connections(environment, tmp_path):
    dump = tmp_path / "dump"
    done = exec("pg_dump", "-Fd", "-j3", "-f", dump, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert (dump / "toc.dat").exists()


def test_pgbench_opens_a_connection_for_each_transaction(environment, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("select 1;\n")
    done = exec("pgbench", "-nC", "-c4", "-j2", "-t3", "-f", script, env=environment)
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 12/12" in done.stdout


def test_the_program_replaces_rdsign_and_no_argument_has_the_token(environment):
    shown = exec("sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline; echo; cat /proc/$$/comm", env=environment)
    assert "X-Amz" not in shown.stdout and "/proc/" in shown.stdout
    assert shown.stdout.endswith("\nsh\n")


def test_the_program_has_rdsign_s_process_id_and_sets_the_exit_status(environment):
    process = subprocess.Popen(
        [RDSIGN, "exec", "--", "sh", "-c", "echo $$; exit 7"], env=environment, stdout=subprocess.PIPE
    )
    output, _ = process.communicate(timeout=PATIENCE)
    assert (int(output), process.returncode) == (process.pid, 7)


def test_sslmode_is_verify_full_unless_it_is_set(environment):
    show = ["sh", "-c", "echo $PGSSLMODE $PGSSLROOTCERT"]
    assert exec(*show, env=environment | {"PGSSLMODE": "require"}).stdout.startswith("require ")
    del environment["PGSSLMODE"]
    own = environment["PGSSLROOTCERT"]
    assert exec(*show, env=environment).stdout == f"verify-full {own}\n"


def test_the_bundle_is_written_once_to_a_private_folder(environment, tmp_path):
    del environment["PGSSLROOTCERT"]
    show = ["sh", "-c", "echo $PGSSLROOTCERT"]
    path = Path(exec(*show, env=environment).stdout.strip())
    assert path.parent == tmp_path / ".cache/rdsign"
    assert path.read_text() == BUNDLE
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    first = path.stat().st_ino
    assert exec(*show, env=environment).stdout.strip() == str(path)
    assert path.stat().st_ino == first
    path.write_text("changed")
    exec(*show, env=environment)
    assert path.read_text() == BUNDLE
    assert list(path.parent.iterdir()) == [path]


def test_psql_trusts_only_the_bundle(environment):
    del environment["PGSSLROOTCERT"]
    done = exec("psql", "-c", "select 1", env=environment)
    assert done.returncode == 2
    assert "certificate verify failed" in done.stderr


def test_without_a_cache_folder_the_bundle_is_in_memory(environment):
    del environment["PGSSLROOTCERT"]
    show = ["sh", "-c", "echo $PGSSLROOTCERT; cat $PGSSLROOTCERT; sh -c 'cat $PGSSLROOTCERT'"]
    done = exec(*show, env=environment | {"HOME": "/dev/null"})
    assert done.stdout.split("\n", 1)[0].startswith("/proc/self/fd/")
    assert done.stdout.split("\n", 1)[1] == BUNDLE * 2


def test_a_folder_that_others_can_write_to_is_not_used(environment, tmp_path):
    del environment["PGSSLROOTCERT"]
    folder = tmp_path / ".cache/rdsign"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    done = exec("sh", "-c", "echo $PGSSLROOTCERT", env=environment)
    assert done.stdout.startswith("/proc/self/fd/")
    assert list(folder.iterdir()) == []


def test_a_program_that_cannot_be_started_is_named(environment, tmp_path):
    missing = tmp_path / "missing"
    done = exec(missing, env=environment)
    assert (done.returncode, done.stderr) == (127, f"rdsign: {missing}: no such program\n")
    file = tmp_path / "file"
    file.write_text("")
    done = exec(file, env=environment)
    assert done.returncode == 126
    assert done.stderr.startswith(f"rdsign: {file}: cannot be started: ")


@pytest.mark.parametrize("command", [("token",), ("exec", "--", "env"), ("pgpass",), ("doctor",)])
def test_a_list_of_hosts_is_refused_in_one_sentence(environment, command):
    hosts = "a.abc123.eu-west-1.rds.amazonaws.com,b.abc123.eu-west-1.rds.amazonaws.com"
    for more in ({"PGPORT": "5432,5432"}, {"PGPORT": "5432"}):
        done = rdsign(*command, env=environment | {"PGHOST": hosts} | more)
        assert f'hostname: "{hosts}" is a list of hosts; accepted: a bare' in done.stdout + done.stderr
        assert "X-Amz" not in done.stdout


def test_without_credentials_no_program_runs(environment):
    del environment["AWS_ACCESS_KEY_ID"]
    done = exec("sh", "-c", "echo run", env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rdsign: CREDENTIALS_NOT_FOUND: ")


def test_a_line_of_pgpass_logs_in(local, environment, tmp_path):
    for flags in ([], ["--dbname=testdb"]):
        done = rdsign("pgpass", *flags, env=environment)
        assert (done.stderr, done.returncode, done.stdout.count("\n")) == ("", 0, 1)
        database = "testdb" if flags else "*"
        assert done.stdout.startswith(f"{local.host}:{local.port}:{database}:iam_user:")
        file = tmp_path / "pgpass"
        file.write_text(done.stdout)
        file.chmod(0o600)
        local.login(None, PGPASSFILE=str(file))


def test_the_example_of_pgpass_logs_in(environment, tmp_path):
    shutil.copy(environment.pop("PGSSLROOTCERT"), tmp_path / "global-bundle.pem")
    assert environment.pop("PGSSLMODE") == "verify-full"
    example = rdsign("pgpass", "--help", env=environment).stdout.split("\nExample:\n")[1]
    own = environment | {"PATH": f"{RDSIGN.parent}:{os.environ['PATH']}", "PSQLRC": os.devnull}
    pipes = {"text": True, "capture_output": True, "timeout": PATIENCE}
    done = subprocess.run(
        ["bash", "-euc", example], input="select current_user", cwd=tmp_path, env=own, **pipes
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "iam_user" in done.stdout


def test_quiet_prints_only_the_token(local, environment):
    done = rdsign("token", "--quiet", env=environment)
    assert (done.stderr, done.returncode) == ("", 0)
    assert not done.stdout[-1].isspace()
    local.login(done.stdout)
    del environment["AWS_ACCESS_KEY_ID"]
    done = rdsign("token", "-q", env=environment)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("rdsign: CREDENTIALS_NOT_FOUND: ")


def test_pgadmin_s_command_runs_in_a_shell(local, environment):
    """pgAdmin replaces the three words, runs the text in a shell and strips the output."""
    command = "rdsign token -q --hostname %HOSTNAME% --port %PORT% --username %USERNAME%"
    assert command in rdsign("token", "--help", env=environment).stdout
    for word, value in [("%HOSTNAME%", local.host), ("%PORT%", local.port), ("%USERNAME%", "iam_user")]:
        command = command.replace(word, value)
    path = f"{RDSIGN.parent}:{os.environ['PATH']}"
    own = {k: v for k, v in environment.items() if not k.startswith("PG")} | {"PATH": path}
    done = subprocess.run(command, shell=True, env=own, text=True, capture_output=True, check=True)
    local.login(done.stdout.strip())


def test_the_bundle_is_printed_completely_by_region_and_as_a_list(environment):
    assert rdsign("ca-bundle", env=environment).stdout == BUNDLE
    part = rdsign("ca-bundle", "--region", "eu-central-1", env=environment).stdout
    assert 0 < part.count("BEGIN CERTIFICATE") < BUNDLE.count("BEGIN CERTIFICATE") / 5
    assert all(f"{pem}-----END" in BUNDLE for pem in part.split("-----END")[:-1])
    listed = rdsign("ca-bundle", "--list", env=environment).stdout.splitlines()
    assert len(listed) == BUNDLE.count("BEGIN CERTIFICATE")
    line = next(line for line in listed if "eu-central-1 Root CA RSA2048" in line)
    assert line.split() == [
        "Amazon",
        "RDS",
        "eu-central-1",
        "Root",
        "CA",
        "RSA2048",
        "G1",
        "eu-central-1",
        "2061-05-21",
    ]
    assert all(len(line) <= 80 for line in listed)


def test_a_region_without_authorities_is_rejected(environment):
    for region, message in [("mars-north-1", "region: the bundle has no "), ("EU", "INVALID_REGION: ")]:
        done = rdsign("ca-bundle", "--region", region, env=environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"rdsign: {message}")


def test_a_token_in_the_wrong_place_is_not_shown(environment):
    token = rdsign("token", env=environment).stdout.strip()
    signature = token.partition("X-Amz-Signature=")[2]
    assert len(signature) == 64
    policy = ["--region=eu-central-1", "--account=123456789012", "--resource-id=db-ABC", "--username=u"]
    for arguments in [
        ["token", token],
        [token],
        ["token", "--port", token],
        ["doctor", f"--port={token}"],
        ["exec", f"--hostaddr={token}", "--", "true"],
        ["exec", "--", token],
        ["policy", "check", token, *policy],
        ["doctor", "--sslrootcert", token],
        ["local", "--config", token],
    ]:
        done = rdsign(*arguments, env=environment)
        assert done.returncode != 0, arguments
        said = done.stdout + done.stderr
        assert token[:50] in said and signature not in said, arguments
        assert "X-Amz-Signature" not in said, arguments


def test_a_reader_that_stops_reading_gets_no_error(environment):
    command = f"{RDSIGN} ca-bundle | head -n 1"
    done = subprocess.run(["sh", "-c", command], env=environment, text=True, capture_output=True)
    assert (done.stderr, done.stdout.count("\n")) == ("", 1)
