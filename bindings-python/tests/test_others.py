"""Libraries without a module of their own log in with a few lines: those of the table in docs/python.md."""

import ssl

import peewee
import pg8000.dbapi
import pytest
import rdsign

WHO = "select current_user"


@pytest.fixture
def signer(local, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, local.exports[name])
    return rdsign.Signer(hostname=local.host, port=int(local.port), username="iam_user")


def test_pg8000(signer, local):
    context = ssl.create_default_context(cafile=local.exports["PGSSLROOTCERT"])
    context.check_hostname = False  # the test dials 127.0.0.1
    connection = pg8000.dbapi.connect(
        host="127.0.0.1",
        port=signer.port,
        user=signer.username,
        database="testdb",
        password=signer.password(),
        ssl_context=context,
    )
    cursor = connection.cursor()
    cursor.execute(WHO)
    assert list(cursor.fetchone()) == ["iam_user"]
    connection.close()


def test_peewee(signer):
    class Database(peewee.PostgresqlDatabase):
        def _connect(self):
            return rdsign.psycopg2.connect(dbname=self.database, **self.connect_params)

    database = Database("testdb", signer=signer)
    for _ in range(2):
        assert database.execute_sql(WHO).fetchone() == ("iam_user",)
        database.close()
