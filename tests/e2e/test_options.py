"""The options of `rdsign local`, and unusual machines that it must work on."""

import os
import shutil
import socket
import subprocess

import pytest

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


def test_data_is_kept_and_used_again(users_place):
    data = users_place.temporary / "kept"
    first = users_place.start("--data", data)
    first.as_postgres("CREATE TABLE kept AS SELECT 42 AS answer; GRANT SELECT ON kept TO PUBLIC")
    assert first.stop() == 0
    again = users_place.start("--data", data)
    assert again.original == first.original
    assert again.psql(sql="TABLE kept", password=again.token()).stdout == "42\n"
    assert again.stop() == 0
    assert users_place.processes() == []
    shutil.rmtree(data)


def test_a_changed_password_is_set_at_the_next_start(users_place):
    data, init = users_place.temporary / "kept", users_place.base / "init.sql"
    init.write_text("select 1;\n")
    first = users_place.start("--data", data)
    assert first.stop() == 0
    config = data / "config.toml"
    config.write_text(first.original.replace(first.password, "it's \\\\ another"))
    again = users_place.start("--data", data, "--init", init)
    assert again.password == "it's \\ another"
    assert again.as_postgres("select current_user") == ["postgres"]
    assert again.stop() == 0
    shutil.rmtree(data)


def test_data_in_use_and_other_folders_are_rejected(place):
    data = place.base / "kept"
    local = place.start("--data", data)
    status, _, error = place.run("--data", data, "--", "true")
    assert (status, "in use by another rdsign local" in error) == (1, True)
    local.login(local.token())
    local.stop()

    others = place.base / "others"
    others.mkdir()
    (others / "thesis.txt").touch()
    status, _, error = place.run("--data", others, "--", "true")
    assert (status, "was not created by rdsign local" in error) == (2, True)
    assert os.listdir(others) == ["thesis.txt"]


def test_data_left_by_a_killed_launcher_is_used_again(place):
    data = place.base / "kept"
    killed = place.start("--data", data)
    killed.as_postgres("CREATE TABLE kept ()")
    killed.process.kill()
    killed.process.communicate()
    again = place.start("--data", data)
    assert again.as_postgres("SELECT 'kept'::regclass") == ["kept"]
    again.stop()


def test_a_given_configuration_is_used_where_it_is(users_place, shared):
    config = users_place.base / "config.toml"
    config.write_text(shared.original.replace("123456789012", "210987654321"))
    config.chmod(0o644)
    local = users_place.start("--config", config)
    assert local.config == config
    assert local.keys.keys() == shared.keys.keys()
    token = local.token()
    local.login(token)
    with local.configuration(("/iam_user", "/somebody")):
        local.refuse(token, r"\(not-allowed\): .*210987654321.*")
    local.login(token)
    local.stop()


@root_only
@pytest.mark.parametrize("mode, groups", [(0o600, "--clear-groups"), (0o640, "--groups=0")])
def test_a_configuration_that_the_server_cannot_read_is_copied(place, shared, mode, groups):
    config = place.base / "config.toml"
    config.write_text(shared.original)
    config.chmod(mode)
    place.prefix = ["setpriv", groups]
    local = place.start("--config", config)
    assert local.config.parent == local.folder
    assert f"edit the copy instead: {local.config}" in local.ready["remark"]
    local.login(local.token())
    local.stop()


def test_a_configuration_that_is_a_pipe_is_copied(users_place, shared):
    config = users_place.base / "config.toml"
    config.write_text(shared.original)
    config.chmod(0o644)
    script = 'cat "$1" | "$0" local --config /dev/stdin -- "$0" exec -- psql -Atc "select 7"'
    arguments = [*users_place.prefix, "sh", "-c", script, users_place.rdsign, config]
    environment = users_place.environment()
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
    assert "/dev/stdin is not a regular file; edit the copy instead: " in done.stderr


@pytest.mark.parametrize(
    "change, problem",
    [
        (('region = "', 'regoin = "'), "unknown field `regoin`"),
        (("endpoints = [", "endpoints = [] #"), "endpoints: "),
    ],
)
def test_an_invalid_configuration_is_reported_at_the_start(place, shared, change, problem):
    config = place.base / "config.toml"
    config.write_text(shared.original.replace(*change))
    status, _, error = place.run("--config", config, "--", "true")
    assert status == 2
    assert str(config) in error and problem in error
    assert place.leftovers() == []


def test_the_given_port_is_used(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, error = place.run("--port", port, "--", "true")
        assert (status, f"port {port}" in error) == (1, True)
    local = place.start("--port", port)
    assert local.port == str(port)
    local.login(local.token())
    local.stop()


def test_given_endpoints_are_accepted_and_in_the_certificate(place):
    host = "other.cluster-xyz.eu-west-3.rds.amazonaws.com"
    local = place.start("--endpoint", host, "--endpoint", "alias.example.com:6543")
    assert (local.host, local.settings["region"]) == (host, "eu-west-3")
    local.login(local.token())
    alias = {"hostname": "alias.example.com", "port": "6543", "region": "eu-west-3"}
    local.login(local.token(**alias), PGHOST="alias.example.com")
    done = local.psql(password=local.token(), PGHOST="mydb.abc123.ap-northeast-1.rds.amazonaws.com")
    assert "does not match host name" in done.stderr
    local.stop()

    config = place.base / "config.toml"
    config.write_text(local.original)
    config.chmod(0o644)
    added = place.start("--config", config, "--endpoint", "added.example.com")
    assert added.host == "added.example.com"
    added.login(added.token(region="eu-west-3"))
    added.login(added.token(hostname=host), PGHOST=host)
    added.stop()


def test_an_endpoint_of_another_region_is_rejected(place, shared):
    """The server would refuse every token for it."""
    other = "a.xyz.us-east-1.rds.amazonaws.com"
    config = place.base / "config.toml"
    config.write_text(shared.original.replace(f'"{shared.host}"', f'"{shared.host}", "{other}"'))
    for options in (["--config", config], ["--endpoint", shared.host, "--endpoint", other]):
        status, _, error = place.run(*options, "--", "true")
        assert status == 2
        assert f"endpoint: {other} is in us-east-1" in error
        assert "accepted: endpoints of one region" in error


def test_init_files_run_as_postgres_in_their_order(users_place):
    first, second = users_place.base / "first.sql", users_place.base / "it's second.sql"
    first.write_text("create table t as select current_user, current_database();\n")
    second.write_text("copy t from stdin;\nfrom\tcopy\n\\.\ngrant select on t to iam_user;\n")
    local = users_place.start("--init", first, "--init", second)
    assert local.psql(sql="table t", password=local.token()).stdout == "postgres|testdb\nfrom|copy\n"
    local.stop()


def test_the_log_is_cut_while_an_init_file_runs(place):
    file = place.base / "flood.sql"
    file.write_text(
        "do $$ begin for i in 1..70 loop raise log '%', repeat('x', 1 << 20); end loop; end $$;\n"
        '\\! until [ "$(stat -c %s "$RDSIGN_LOCAL_LOG")" -lt 60000000 ]; do sleep 0.1; done\n'
    )
    assert place.run("--init", file, "--", "true")[0] == 0


def test_an_error_in_an_init_file_names_the_file_and_the_line(place):
    file = place.base / "broken.sql"
    file.write_text("create table t ();\n\ncreate nothing u ();\ncreate table v ();\n")
    status, output, error = place.run("--init", file, "--", "echo", "started")
    assert (status, output) == (2, "")
    assert f'{file}:3: ERROR:  syntax error at or near "nothing"' in error
    assert place.leftovers() == []

    status, _, error = place.run("--init", place.base / "missing.sql", "--", "true")
    assert (status, f"--init: reading {place.base}/missing.sql: " in error) == (1, True)


def test_an_init_file_cannot_lock_later_ones_out(place):
    data, file = place.temporary / "kept", place.base / "grant.sql"
    file.write_text(
        "create role app login;\ngrant rds_iam to app;\ncreate role g in role rds_iam;\n"
        "do $$ begin grant g to postgres; exception when others then raise notice '%', sqlerrm; end $$;\n"
        "grant rds_iam to postgres;\n"
    )
    status, _, error = place.run("--data", data, "--init", file, "--", "true", env={"PGOPTIONS": "-c x.y=1"})
    problem = "postgres cannot be in rds_iam: files of --init log in as it, with its password; GRANT rds_iam"
    assert status == 2
    assert f"{file}:4: NOTICE:  {problem} to another role" in error
    assert f"{file}:5: ERROR:  {problem} to another role" in error

    file.write_text("select 1;\n")
    local = place.start("--data", data)
    local.as_postgres("grant rds_iam to postgres")
    local.stop()
    status, _, error = place.run("--data", data, "--init", file, "--", "true")
    assert status == 2
    assert "--init: postgres is in rds_iam, so the server refuses its password. Start without --init" in error

    local = place.start("--data", data)
    policy = local.keys["AKIALOCALIAMUSER0001"]["policies"][0]
    with local.configuration((policy, policy.replace("/iam_user", "/postgres"))):
        sql = "revoke rds_iam from postgres"
        assert local.psql(sql=sql, password=local.token("postgres"), PGUSER="postgres").stderr == ""
    local.as_postgres("select 1")
    local.stop()
    shutil.rmtree(data)


def test_the_certificate_passes_strict_verification(shared):
    arguments = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", shared.host]
    certificates = ["-CAfile", shared.folder / "ca.pem", shared.folder / "server.pem"]
    done = subprocess.run(["openssl", "verify", *arguments, *certificates], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert shared.psql(password=shared.token(), PGHOST="localhost").returncode == 0


def test_without_postgresql_it_says_how_to_install_it(place):
    status, _, error = place.run("--", "true", env={"RDSIGN_LOCAL_POSTGRES": str(place.base)})
    assert status == 1
    assert "apt-get install postgresql" in error and str(place.base) in error


def test_a_postgresql_that_is_too_old_is_rejected(place):
    old = place.base / "old"
    old.mkdir()
    for program in ("postgres", "initdb"):
        (old / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.23 (Debian)'\n")
        (old / program).chmod(0o755)
    status, _, error = place.run("--", "true", env={"RDSIGN_LOCAL_POSTGRES": str(old)})
    assert status == 1
    assert "13.23" in error and "accepted: 14 to 18" in error


def test_without_its_library_it_says_where_it_looked(place):
    place.rdsign = place.copy_of_the_program("bin")
    (place.base / "bin/librdsign_local_preload.so").unlink()
    status, _, error = place.run("--", "true")
    assert status == 1
    assert f"{place.base}/bin/librdsign_local_preload.so" in error


def test_a_library_that_cannot_be_loaded_is_an_error(place):
    broken = place.base / "broken.so"
    broken.write_text("not a library")
    status, _, error = place.run("--", "true", env={"RDSIGN_LOCAL_LIBRARY": str(broken)})
    assert status == 1
    assert "could not load library" in error
    assert place.leftovers() == []


@root_only
def test_the_program_may_be_where_only_root_can_go(place):
    place.rdsign = place.copy_of_the_program("private", mode=0o700)
    local = place.start()
    local.login(local.token())
    local.stop()


@root_only
def test_a_temporary_folder_that_the_server_cannot_enter_is_not_used(place):
    closed = place.base / "closed"
    closed.mkdir(mode=0o700)
    local = place.start(env={"TMPDIR": str(closed)})
    assert local.folder.parent != closed
    local.login(local.token())
    local.stop()
    assert list(closed.iterdir()) == [] and not local.folder.exists()


def test_the_temporary_folder_may_be_a_link(place):
    link = place.base / "link"
    link.symlink_to(place.temporary)
    local = place.start(env={"TMPDIR": str(link)})
    assert local.folder.parent == place.temporary
    assert local.stop() == 0


def test_a_temporary_folder_that_everyone_can_replace_is_not_used(place):
    parent = place.base / "open"
    parent.mkdir()
    parent.chmod(0o777)
    local = place.start(env={"TMPDIR": str(parent)})
    assert local.folder.parent != parent
    assert local.stop() == 0
    assert list(parent.iterdir()) == []


def test_paths_may_contain_spaces_and_colons(place):
    awkward = place.temporary / "it's a: folder"
    awkward.mkdir()
    awkward.chmod(0o1777)
    local = place.start(env={"TMPDIR": str(awkward)})
    assert local.folder.parent == awkward
    local.login(local.token())
    local.stop()
    awkward.rmdir()
