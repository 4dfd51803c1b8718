"""Causes each error of docs/errors/, and compares what the client and rdsign say with the page.

A page shows in its first block what the client sees, and in the next two a command that finds the cause,
and a part of what that says; then often the fix. For each page, a situation below causes the error against
RDS on this machine. It runs the fix of the page, and the login must then work.
"""

import contextlib
import os
import re
import socket
import subprocess
from datetime import datetime, timedelta, timezone

import pytest
from common import NO_AWS, PATIENCE
from harness import RDSIGN, REPOSITORY, Place
from pages import ENDPOINT, blocks, example, page

PAGES = sorted(file.stem for file in (REPOSITORY / "docs/errors").glob("*[a-z].md") if "." not in file.stem)
PSQL = "psql -wXAt -d ${DATABASE:-postgres} -c 'select current_user'"
DSQL = "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws"
WITHOUT_KEYS = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


class User:
    """A user's machine: runs commands against one server, whose endpoint it dials on this machine."""

    def __init__(self, local, port, folder):
        self.local, self.port = local, port
        self.folder = folder
        self.environment = local.place.environment(PATH=f"{RDSIGN.parent}:{os.environ['PATH']}")
        # Without the log of `rdsign local`, the reason of a refusal is unknown, as on RDS.
        self.environment |= {k: v for k, v in local.exports.items() if not k.startswith("RDSIGN_")} | NO_AWS
        self.environment |= {"HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(self, script, more):
        """Runs a script with these variables, of which None unsets one. Returns what it prints."""
        # The server listens on another port than its endpoint's, and has its own authority.
        script = re.sub(
            r"\brdsign (doctor|exec)\b(?! --hostaddr)", rf"rdsign \1 --hostport {self.port}", script
        )
        script = script.replace("--hostport 15432", f"--hostport {self.port}")
        script = script.replace("rdsign ca-bundle", f"cat {self.local.exports['PGSSLROOTCERT']}")
        merged = self.environment | more
        merged = {name: value for name, value in merged.items() if value is not None}
        pipes = {"capture_output": True, "text": True, "timeout": PATIENCE}
        done = subprocess.run(["bash", "-uc", script], env=merged, cwd=self.folder, **pipes)
        return done.stdout + done.stderr

    def token(self, username="iam_user", **flags):
        return self.local.token(username, port="5432", **flags)

    def logs_in(self, more, user="iam_user"):
        shown = self.run(PSQL, more)
        assert shown == f"{user}\n"


def spaced(text):
    return " ".join(text.split())


def shows(text, shown):
    """Fails unless the output has each paragraph of the page's block; `…` stands for any text."""
    pattern = re.escape(spaced(text).replace("10.0.0.7", "127.0.0.1"))
    assert re.search(pattern.replace("…", ".*?").replace(r"\ ", " "), spaced(shown)), shown


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    yield User(local, local.port, tmp_path_factory.mktemp("errors"))
    assert local.stop() == 0
    place.close()


@pytest.fixture(scope="module")
def user_of_dsql(tmp_path_factory):
    place = Place()
    local = place.start("--endpoint", DSQL)
    local.as_postgres("create role app login")
    local.as_postgres("grant rds_iam to app")
    yield User(local, local.port, tmp_path_factory.mktemp("dsql"))
    assert local.stop() == 0
    place.close()


@contextlib.contextmanager
def sql(user, before, after):
    """Runs statements as an administrator, and others afterwards."""
    for statement in before:
        user.local.as_postgres(statement)
    try:
        yield
    finally:
        for statement in after:
            user.local.as_postgres(statement)


# A situation is a generator: it yields the variables of the failing login, fixes it, and checks that.


def pam_authentication_failed(user):
    nothing = user.local.keys["AKIALOCALNOTHING0001"]
    keys = {
        "AWS_ACCESS_KEY_ID": nothing["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": nothing["secret_access_key"],
    }
    yield keys | {"PGPASSWORD": user.token(key=nothing)}
    user.logs_in({"PGPASSWORD": user.token()})


def after_15_minutes(user):
    now = datetime.now(timezone.utc)
    old, young = [(now - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ") for age in (901, 300)]
    yield {"PGPASSWORD": user.token(signing_time=old)}
    user.logs_in({"PGPASSWORD": user.token(signing_time=young)})


def pg_hba_conf_rejects_connection(user):
    token = {"PGPASSWORD": user.token()}
    yield token | {"PGSSLMODE": "disable"}
    fix = example("docs/errors/pg-hba-conf-rejects-connection.md", "sh", 1)
    user.run("rdsign ca-bundle > global-bundle.pem", {})
    shown = user.run(fix + PSQL, token | {"PGSSLMODE": "disable"})
    assert shown == "iam_user\n"


def grant(user, slug, more):
    """A user outside of rds_iam, whom the statement of the page puts into it."""
    with sql(user, ["create user app password 'x'"], ["drop user app"]):
        app = {"PGUSER": "app", "PGPASSWORD": user.token("app")}
        yield app | more
        user.local.as_postgres(example(f"docs/errors/{slug}.md", "sql"))
        with user.local.configuration(("/iam_user", "/app")):
            user.logs_in(app, "app")


def no_pg_hba_conf_entry(user):
    """rds.force_ssl on RDS: the rule for users with passwords is only for connections with TLS."""
    rule = "host      all      all      all     md5"
    with user.local.changed(
        "rules.conf", lambda text: text.replace(rule, rule.replace("host   ", "hostssl"))
    ):
        yield from grant(user, "no-pg-hba-conf-entry", {"PGSSLMODE": "disable"})


def password_authentication_failed(user):
    yield from grant(user, "password-authentication-failed", {})


def no_password_supplied(user):
    yield {}
    shown = user.run(example("docs/errors/no-password-supplied.md", "sh", 1), {"PGPORT": "5432"})
    assert "iam_user" in shown


def role_may_not_log_in(user):
    with (
        sql(user, ["create role reports", "grant rds_iam to reports"], ["drop role reports"]),
        user.local.configuration(("/iam_user", "/reports")),
    ):
        reports = {"PGUSER": "reports", "PGPASSWORD": user.token("reports")}
        yield reports
        user.local.as_postgres(example("docs/errors/role-may-not-log-in.md", "sql"))
        user.logs_in(reports, "reports")


def database_does_not_exist(user):
    app = {"DATABASE": "app", "PGPASSWORD": user.token()}
    yield app
    with sql(user, [example("docs/errors/database-does-not-exist.md", "sql")], ['drop database "app"']):
        user.logs_in(app)


def permission_denied_for_database(user):
    app = {"DATABASE": "app", "PGPASSWORD": user.token()}
    closed = ['create database "app"', 'revoke connect on database "app" from public']
    with sql(user, closed, ['drop database "app"']):
        yield app
        user.local.as_postgres(example("docs/errors/permission-denied-for-database.md", "sql"))
        user.logs_in(app)


def too_many_connections(user):
    token = {"PGPASSWORD": user.token()}
    limit = "alter role iam_user connection limit"
    with sql(user, [f"{limit} 0"], [f"{limit} -1"]):
        yield token
        user.local.as_postgres(example("docs/errors/too-many-connections.md", "sql"))
        user.logs_in(token)


def certificate_verify_failed(user):
    token = {"PGPASSWORD": user.token()}
    done = subprocess.run([RDSIGN, "ca-bundle"], stdout=subprocess.PIPE, check=True)
    (user.folder / "others.pem").write_bytes(done.stdout)
    # doctor's own authorities are those of RDS, which did not sign the certificate of this server either.
    yield token | {"PGSSLROOTCERT": "others.pem", "DOCTOR": {"PGSSLROOTCERT": ""}}
    user.run(example("docs/errors/certificate-verify-failed.md", "sh", 1), {})
    user.logs_in(token | {"PGSSLROOTCERT": "global-bundle.pem"})


def certificate_of_another_name(user):
    yield {"PGHOST": "db.example.com", "PGPASSWORD": user.token()}
    shown = user.run(example("docs/errors/certificate-of-another-name.md", "sh", 1), {"PGPORT": "5432"})
    assert "iam_user" in shown


def root_certificate_missing(user):
    token = {"PGPASSWORD": user.token(), "PGSSLROOTCERT": None}
    # On RDS, doctor needs no file. Here it needs the authority of this server.
    yield token | {"DOCTOR": {"PGSSLROOTCERT": user.environment["PGSSLROOTCERT"]}}
    fix = example("docs/errors/root-certificate-missing.md", "sh", 1)
    assert user.run(fix + PSQL, token) == "iam_user\n"


def unknown_host(user):
    unknown = {"PGHOST": f"{ENDPOINT}.invalid", "PGHOSTADDR": None, "PGPASSWORD": user.token()}
    yield unknown
    user.logs_in(unknown | {"PGHOST": ENDPOINT, "PGHOSTADDR": "127.0.0.1"})


@contextlib.contextmanager
def another_port(user, listens):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if listens:
            other.listen()
        user.port = str(other.getsockname()[1])
        try:
            yield {"PGPORT": user.port, "PGCONNECT_TIMEOUT": "2" if listens else "60"}
        finally:
            user.port = user.local.port


def connection_refused(user):
    token = {"PGPASSWORD": user.token()}
    with another_port(user, listens=False) as port:
        yield token | port
    user.logs_in(token)


def timeout(user):
    token = {"PGPASSWORD": user.token()}
    with another_port(user, listens=True) as port:
        yield token | port
    user.logs_in(token)


def dsql_access_denied(user):
    app = {"PGUSER": "app", "PGPASSWORD": user.local.token("app", key="AKIALOCALADMIN000001")}
    yield app
    granted = '\n[[iam_grants]]\nrole = "app"\nto = ["AKIALOCALIAMUSER0001"]\n'
    with user.local.configuration(append=granted):
        user.logs_in(app | {"PGPASSWORD": user.local.token("app", key="AKIALOCALIAMUSER0001")}, "app")
    shown = user.run(example("docs/errors/dsql-access-denied.md", "sh", 1), {})
    assert '"dsql:DbConnect"' in shown and 'AWS IAM GRANT "app"' in shown


def no_credentials(user):
    yield WITHOUT_KEYS | {"CLIENT": "rdsign token"}
    assert "AKIALOCALIAMUSER0001" in user.run("rdsign credentials", {})


def expired_credentials(user):
    yield {"AWS_CREDENTIAL_EXPIRATION": "2024-08-26T22:00:00Z", "CLIENT": "rdsign token"}
    assert ENDPOINT in user.run("rdsign token", {})


def region_missing(user):
    nowhere = {"AWS_REGION": None}
    yield nowhere | {"CLIENT": "rdsign token --hostname db.example.com"}
    shown = user.run(example("docs/errors/region-missing.md", "sh", 1), nowhere)
    assert shown.startswith("db.example.com:") and "%2Feu-central-1%2Frds-db" in shown


@pytest.mark.parametrize("slug", [slug for slug in PAGES if slug != "index"])
def test_the_page_shows_what_happens_and_its_fix_works(request, slug):
    user = request.getfixturevalue("user_of_dsql" if slug.startswith("dsql") else "user")
    (_, error), (language, command), (_, told) = blocks(f"docs/errors/{slug}.md")[:3]
    assert language == "sh"
    with contextlib.closing(globals()[slug.replace("-", "_")](user)) as situation:
        more = next(situation)
        variables = {name: value for name, value in more.items() if name not in ("CLIENT", "DOCTOR")}
        shows(error, user.run(more.get("CLIENT", PSQL), variables))
        variables |= more.get("DOCTOR", {}) | {"PGPORT": "5432"}
        shows(told, user.run(command, variables))
        assert next(situation, None) is None


def test_the_index_names_each_page():
    assert sorted(re.findall(r"\]\(([a-z0-9-]+)\.md\)", page("docs/errors/index.md"))) == sorted(
        set(PAGES) - {"index"}
    )


def cause(user, refusal):
    """Returns the token that a server refuses for this reason, and the options of `user.local.refuse`."""
    now = datetime.now(timezone.utc)
    at = {-1: now - timedelta(seconds=901), 1: now + timedelta(hours=1)}
    at = {sign: time.strftime("%Y-%m-%dT%H:%M:%SZ") for sign, time in at.items()}
    session = user.local.keys["ASIALOCALSESSION0001"]
    mine = user.local.keys["AKIALOCALIAMUSER0001"]
    return {
        "not-allowed": lambda: user.token(key="AKIALOCALNOTHING0001"),
        "expired": lambda: user.token(signing_time=at[-1]),
        "wrong-endpoint": lambda: user.token(hostname="localhost", region="eu-central-1"),
        "wrong-user": lambda: user.token("IAM_USER"),
        "wrong-region-or-service": lambda: user.token().replace(
            "eu-central-1%2Frds-db", "eu-west-1%2Frds-db"
        ),
        "not-yet-valid": lambda: user.token(signing_time=at[1]),
        "wrong-session-token": lambda: user.token(key=session | {"session_token": None}),
        "wrong-signature": lambda: user.token(key=mine | {"secret_access_key": "of-another-key"}),
        "unknown-access-key": lambda: user.token(key=mine | {"access_key_id": "AKIAEXAMPLE000000001"}),
        "malformed": lambda: user.token()[:200],
    }[refusal]()


REFUSALS = re.findall(r"^\| `(.*?)` \|", page("docs/errors/pam-authentication-failed.md"), re.M)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_each_cause_of_the_table_is_refused_for_that_reason(user, refusal):
    assert len(REFUSALS) == 10
    user.local.refuse(cause(user, refusal), rf"\({refusal}\): .*")
    user.local.login(user.token())
