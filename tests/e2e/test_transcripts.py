"""Sessions that users of RDS know, command by command, with the messages that they see."""

import pytest

USERS = "ap-northeast-1:123456789012:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXY"
MEMBER_OF = "SELECT rolname FROM pg_roles WHERE pg_has_role('postgres', rolname, 'member')"


@pytest.fixture
def local(place):
    local = place.start()
    yield local
    assert local.stop() == 0


def test_a_new_user_logs_in_with_a_token_until_it_expires(local):
    local.as_postgres("REVOKE CREATE ON DATABASE testdb FROM iam_user")
    local.as_postgres("REVOKE CREATE ON SCHEMA public FROM iam_user")
    local.as_postgres("DROP USER iam_user")
    local.as_postgres("CREATE USER iam_user WITH LOGIN")
    local.as_postgres("GRANT rds_iam TO iam_user")
    key = local.keys["AKIALOCALIAMUSER0001"]
    assert f"arn:aws:rds-db:{USERS}/iam_user" in key["policies"][0]

    token = local.token("iam_user")
    conninfo = f"host={local.host} port={local.port} user=iam_user dbname=postgres"
    tls = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    done = local.psql(conninfo, sql=tls, password=token)
    assert (done.stdout, done.stderr, done.returncode) == ("t\n", "", 0)

    failed = local.client_error('PAM authentication failed for user "iam_user"')
    with local.configuration(("clock_offset_seconds = 0", "clock_offset_seconds = 901")):
        done = local.psql(conninfo, password=token)
        assert (done.stdout, done.stderr, done.returncode) == ("", failed, 2)
        assert "rdsign: refused (expired): the token expired at" in local.log.read_text()
    assert local.psql(conninfo, password=token).stdout == "iam_user\n"


def test_postgres_keeps_its_password_when_it_creates_users_for_tokens(local):
    """PostgreSQL 16 and later make it a member of the users that it creates."""
    local.as_postgres("CREATE USER made_here WITH LOGIN PASSWORD 'plain'")
    assert local.psql(password="plain", PGUSER="made_here").stdout == "made_here\n"
    local.as_postgres("GRANT rds_iam TO made_here")
    local.as_postgres("SELECT 'still by password'")
    done = local.psql(password="wrong", PGUSER="postgres")
    assert 'authentication failed for user "postgres"' in done.stderr
    local.refuse("plain", r"\(malformed\): .*", "made_here")
    with local.configuration((f"{USERS}/iam_user", f"{USERS}/made_here")):
        token = local.token("made_here")
        local.login(token, "made_here")
        sql = "GRANT rds_iam TO made_here"
        done = local.psql(sql=sql, password=token, PGUSER="made_here")
        assert done.stderr.startswith("ERROR:  ")
    local.as_postgres("REVOKE rds_iam FROM made_here")
    assert local.psql(password="plain", PGUSER="made_here").stdout == "made_here\n"


def test_postgres_changes_from_its_password_to_tokens_and_back(local):
    assert local.as_postgres("select current_user") == ["postgres"]
    before = local.as_postgres(MEMBER_OF)
    assert "rds_iam" not in before

    local.as_postgres("GRANT rds_iam TO postgres")
    pam = local.client_error('PAM authentication failed for user "postgres"')
    plain = local.client_error(
        'pg_hba.conf rejects connection for host "127.0.0.1", user "postgres", '
        'database "testdb", no encryption'
    )
    unverified = {"PGUSER": "postgres", "PGSSLMODE": "prefer"}
    done = local.psql(password=local.password, **unverified)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == pam + plain.removeprefix("psql: error: ")
    assert "rdsign: refused (malformed): not a token" in local.log.read_text()

    key = "AKIALOCALTESTUSER001"
    local.login(local.token("testuser", key), "testuser")
    token = local.token("postgres", key)
    refusal = local.refuse(token, r"\(not-allowed\): .*", "postgres")
    assert f"arn:aws:rds-db:{USERS}/postgres" in refusal

    only_testuser = f'"Resource": "arn:aws:rds-db:{USERS}/testuser"'
    both = f'"Resource": ["arn:aws:rds-db:{USERS}/testuser", "arn:aws:rds-db:{USERS}/postgres"]'
    with local.configuration((only_testuser, both)):
        conninfo = (
            f"host={local.host} port={local.port} dbname=testdb user=postgres password={token} "
            f"sslmode=verify-full sslrootcert={local.exports['PGSSLROOTCERT']}"
        )
        done = local.psql(conninfo, sql="SELECT current_database(), current_user")
        assert (done.stdout, done.stderr, done.returncode) == ("testdb|postgres\n", "", 0)

        during = local.psql(conninfo, sql=MEMBER_OF).stdout.splitlines()
        assert {"rds_iam", "rds_password", "rds_superuser", "postgres"} <= set(during)
        assert sorted(during) == sorted([*before, "rds_iam"])

        done = local.psql(conninfo, sql="REVOKE rds_iam FROM postgres")
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
        assert sorted(local.as_postgres(MEMBER_OF)) == sorted(before)
        done = local.psql(conninfo)
        assert "password authentication failed" in done.stderr
    assert local.as_postgres("select current_user") == ["postgres"]


# What RDS for PostgreSQL 16 shows to its master user, in the order of the catalog.
ROLES_OF_16 = """
    pg_read_all_data pg_write_all_data pg_monitor pg_read_all_settings pg_read_all_stats
    pg_stat_scan_tables pg_signal_backend pg_checkpoint pg_use_reserved_connections
    pg_create_subscription rds_superuser rds_replication rds_iam rds_password postgres
""".split()


def test_the_roles_of_postgres_are_those_of_rds_in_their_order(local):
    if local.major < 16:
        pytest.skip("older versions have other roles")
    local.as_postgres("GRANT rds_iam TO postgres")
    key = "AKIALOCALTESTUSER001"
    with local.configuration((f"{USERS}/testuser", f"{USERS}/postgres")):
        token = local.token("postgres", key)
        script = f"{MEMBER_OF};\nREVOKE rds_iam FROM postgres;\n{MEMBER_OF};\n"
        done = local.psql(stdin=script, password=token, PGUSER="postgres", PGDATABASE="postgres")
    assert (done.stderr, done.returncode) == ("", 0)
    without = [role for role in ROLES_OF_16 if role != "rds_iam"]
    # PostgreSQL 16 counts the owner of the database only from the REVOKE on.
    assert done.stdout.split() == [*ROLES_OF_16, "pg_database_owner", *without]
