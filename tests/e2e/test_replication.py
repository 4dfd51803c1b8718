"""Logical replication: who may start it, and when a token is enough."""

import re
import subprocess

import pytest

SLOT = "CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL pgoutput"
WITH_TOKENS = ("iam_auth_for_replication = false", "iam_auth_for_replication = true")


def replicate(local, password, sql="IDENTIFY_SYSTEM", username="iam_user"):
    return local.psql("replication=database", sql=sql, password=password, PGUSER=username)


@pytest.fixture
def replicator(shared):
    """iam_user may replicate, and has a password."""
    shared.as_postgres("GRANT rds_replication TO iam_user; ALTER ROLE iam_user PASSWORD 'plain'")
    yield
    shared.as_postgres("REVOKE rds_replication FROM iam_user; ALTER ROLE iam_user PASSWORD NULL")


def test_tokens_replicate_if_the_configuration_allows_it(shared, replicator):
    with shared.configuration(WITH_TOKENS):
        for sql in ("IDENTIFY_SYSTEM", SLOT):
            done = replicate(shared, shared.token(), sql)
            assert (done.stderr, done.returncode) == ("", 0)
        assert "|pgoutput" in done.stdout
        shared.login(shared.token())


def test_by_default_a_member_of_rds_iam_replicates_with_its_password_only(shared, replicator):
    before = len(shared.log.read_text())
    done = replicate(shared, shared.token())
    assert done.stderr == shared.client_error('password authentication failed for user "iam_user"')
    assert "rdsign: refused (wrong-password): a replication connection" in shared.log.read_text()[before:]
    done = replicate(shared, "plain")
    assert (done.stderr, done.returncode) == ("", 0)
    shared.refuse("plain", r"\(malformed\): .*")
    shared.login(shared.token())


def test_only_members_of_rds_replication_replicate(shared):
    refused = "must be superuser or replication role to start walsender|permission denied to start WAL sender"
    with shared.configuration(WITH_TOKENS):

        def may_replicate():
            done = replicate(shared, shared.token())
            assert done.returncode == 0 or re.search(f"FATAL:  ({refused})", done.stderr), done.stderr
            return done.returncode == 0

        assert not may_replicate()
        shared.as_postgres("CREATE ROLE team; GRANT rds_replication TO team")
        assert not may_replicate()
        shared.as_postgres("GRANT team TO iam_user")
        assert may_replicate()
        shared.as_postgres("DROP ROLE team")
        assert not may_replicate()
        shared.as_postgres("DO $$ BEGIN EXECUTE 'GRANT rds_replication ' || 'TO iam_user'; END $$")
        assert may_replicate()
        shared.as_postgres("BEGIN; REVOKE rds_replication FROM iam_user; ROLLBACK")
        assert may_replicate()
        shared.as_postgres("REVOKE rds_replication FROM iam_user")
        assert not may_replicate()


def test_postgres_replicates_with_its_password_and_makes_slots(shared):
    done = replicate(shared, shared.password, username="postgres")
    assert (done.stderr, done.returncode) == ("", 0)
    assert shared.as_postgres("SHOW wal_level") == ["logical"]
    created = "SELECT slot_name FROM pg_create_logical_replication_slot('kept', 'pgoutput')"
    assert shared.as_postgres(created) == ["kept"]
    shared.as_postgres("SELECT pg_drop_replication_slot('kept')")


def test_roles_that_replicate_are_altered_and_dropped_like_others(shared):
    """Up to version 15, PostgreSQL lets only superusers alter them."""
    shared.as_postgres("CREATE ROLE copier LOGIN IN ROLE rds_replication")
    for sql in ("PASSWORD 'plain'", "SET search_path = app", "RENAME TO copier2"):
        shared.as_postgres(f"SET client_min_messages = warning; ALTER ROLE copier {sql}")
    replicates = "SELECT rolname FROM pg_roles WHERE rolreplication AND NOT rolsuper ORDER BY 1"
    assert shared.as_postgres(replicates) == ["copier2", "postgres"]
    shared.as_postgres(f"ALTER ROLE postgres PASSWORD '{shared.password}'")
    done = shared.psql(sql="ALTER ROLE iam_user REPLICATION", password=shared.token())
    assert "ERROR:  " in done.stderr
    assert shared.as_postgres(replicates) == ["copier2", "postgres"]
    shared.as_postgres("DROP ROLE copier2")


def test_a_user_s_functions_do_not_run_as_the_superuser(shared):
    """A GRANT is followed by a statement of the superuser, with the search_path of the session."""
    trap = """
        create schema trap;
        create function trap.pg_has_role(oid, name, text) returns boolean language sql
            as 'select 1/0 = 1';
        create function trap.differs(boolean, boolean) returns boolean language sql as 'select 1/0 = 1';
        create operator trap.= (leftarg = boolean, rightarg = boolean, function = trap.differs);
        set search_path = trap, pg_catalog;
        create role trapped login;
        grant rds_replication to trapped;
        select rolreplication, current_user from pg_roles where rolname = 'trapped';
        drop role trapped;
        drop schema trap cascade;
    """
    done = shared.psql(
        stdin=f"set client_min_messages = warning; {trap}", password=shared.password, PGUSER="postgres"
    )
    assert (done.stderr, done.stdout) == ("", "t|postgres\n")


@pytest.fixture
def library(shared):
    """A library outside PostgreSQL's own folder that leaves a file next to itself when it is loaded."""
    folder = shared.place.base / "elsewhere"
    folder.mkdir(exist_ok=True)
    source = f"""
        #include <stdio.h>
        __attribute__((constructor)) static void run(void) {{ fclose(fopen("{shared.folder}/ran", "w")); }}
        void _PG_output_plugin_init(void *callbacks) {{ (void)callbacks; }}
    """
    compiler = ["cc", "-shared", "-fPIC", "-o", folder / "plugin.so", "-xc", "-"]
    subprocess.run(compiler, input=source, text=True, check=True)
    yield folder / "plugin"
    (shared.folder / "ran").unlink(missing_ok=True)


def test_a_plugin_is_loaded_from_the_folder_of_postgresql_only(shared, library):
    # The second is PostgreSQL's own, as in 15.20: it loads only the plugins of output_plugin_libraries.
    refused = (
        "ERROR:  access to a library outside PostgreSQL's own folder is not allowed\n",
        "may not be used as an output plugin\n",
    )
    for plugin in (library, f"{library}.so", f"../../../..{library}", f"$libdir/../../../../..{library}"):
        created = f"SELECT pg_create_logical_replication_slot('elsewhere', '{plugin}')"
        done = shared.psql(sql=created, password=shared.password, PGUSER="postgres")
        assert any(text in done.stderr for text in (*refused, "could not access file")), done.stderr
        created = f'CREATE_REPLICATION_SLOT elsewhere TEMPORARY LOGICAL "{plugin}"'
        done = replicate(shared, shared.password, created, username="postgres")
        assert any(text in done.stderr for text in (*refused, "could not access file")), done.stderr
        assert plugin != library or any(text in done.stderr for text in refused)
    assert not (shared.folder / "ran").exists()
    for plugin in ("pgoutput", "test_decoding"):
        created = f"SELECT slot_name FROM pg_create_logical_replication_slot('own', '{plugin}', true)"
        assert shared.as_postgres(created) == ["own"]
