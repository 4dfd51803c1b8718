"""psycopg logs in to a local server at an endpoint of Aurora DSQL. The log has the reason of a refusal."""

import re

import psycopg
import pytest
import rdsign
from harness import Place

WHO = "select current_user, current_database()"


@pytest.fixture(scope="module")
def cluster():
    place = Place()
    local = place.start("--endpoint", "4abcdefghijklmnopqrstuvwxy.dsql.ap-northeast-1.on.aws")
    yield local
    assert local.stop() == 0
    place.close()


@pytest.mark.parametrize(
    ("key", "user", "reason"),
    [
        ("AKIALOCALADMIN000001", "admin", None),
        ("AKIALOCALADMIN000001", "testuser", "not-allowed"),
        ("AKIALOCALTESTUSER001", "testuser", None),
        ("AKIALOCALTESTUSER001", "iam_user", "not-granted"),
    ],
)
def test_psycopg_logs_in_as_a_role_that_is_granted(cluster, monkeypatch, key, user, reason):
    for name in ("PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, cluster.exports[name])
    for name in ("access_key_id", "secret_access_key"):
        monkeypatch.setenv(f"AWS_{name.upper()}", cluster.keys[key][name])
    parameters = {"host": cluster.host, "port": int(cluster.port), "user": user}
    before = len(cluster.log.read_text())
    if reason is None:
        with rdsign.psycopg.connect(**parameters) as connection:
            assert connection.execute(WHO).fetchone() == (user, "postgres")
    else:
        with pytest.raises(psycopg.OperationalError, match="unable to accept connection, access denied"):
            rdsign.psycopg.connect(**parameters)
    found = re.findall(r"rdsign: refused \((.*?)\)", cluster.log.read_text()[before:])
    assert found == ([] if reason is None else [reason])
