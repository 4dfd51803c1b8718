"""What the drivers of Python do differently for Aurora DSQL: the database, and the pool of asyncpg."""

import asyncio

import asyncpg
import rdsign
import rdsign.asyncpg
from conftest import HOSTNAME, signer
from rdsign._libpq import prepare

CLUSTER = "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws"


def test_a_signer_says_its_service_and_the_database_to_log_in_to():
    assert (signer().service, signer().default_database) == ("rds", None)
    for options in (
        {"hostname": CLUSTER},
        {"hostname": "localhost", "region": "us-east-1", "service": "dsql"},
    ):
        own = signer(**options)
        assert (own.service, own.default_database, own.port) == ("dsql", "postgres", 5432)


def test_the_database_of_dsql_is_postgres_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("PGDATABASE", raising=False)
    login = {"host": CLUSTER, "user": "app"}
    assert prepare(login, None)[1]["dbname"] == "postgres"
    assert prepare({**login, "dbname": "other"}, None)[1]["dbname"] == "other"
    assert "dbname" not in prepare({**login, "host": HOSTNAME}, None)[1]
    assert rdsign.asyncpg.arguments(**login)["database"] == "postgres"
    assert rdsign.asyncpg.arguments(**login, database="other")["database"] == "other"
    assert "database" not in rdsign.asyncpg.arguments(f"postgresql://app@{CLUSTER}/other")
    assert "database" not in rdsign.asyncpg.arguments(host=HOSTNAME, user="app")
    monkeypatch.setenv("PGDATABASE", "of_the_environment")
    assert "dbname" not in prepare(login, None)[1]
    assert rdsign.asyncpg.arguments(**login)["database"] == "of_the_environment"


def test_the_certificate_of_dsql_is_verified_with_amazon_s_public_authorities(monkeypatch):
    for name in ("PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    _, parameters = prepare({"host": CLUSTER, "user": "app"}, None)
    assert (parameters["sslmode"], parameters["sslrootcert"]) == ("verify-full", rdsign.ca_bundle())
    context = rdsign.asyncpg.arguments(host=CLUSTER, user="app")["ssl"]
    assert (context.hostname, context.check_hostname) == (CLUSTER, True)
    names = {dict(pair[0] for pair in ca["subject"])["commonName"] for ca in context.get_ca_certs()}
    assert names >= {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)}


def test_a_pool_of_asyncpg_sends_only_what_dsql_knows():
    async def class_of(**parameters):
        return rdsign.asyncpg.create_pool(user="app", min_size=0, **parameters)._connection_class

    own = asyncio.run(class_of(host=CLUSTER))
    assert own.get_reset_query(None) == "RESET ALL;"
    assert issubclass(own, asyncpg.Connection)
    assert asyncio.run(class_of(host=HOSTNAME)) is asyncpg.Connection
    assert asyncio.run(class_of(host=CLUSTER, connection_class=asyncpg.Connection)) is asyncpg.Connection
