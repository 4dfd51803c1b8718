"""Runs the examples of README.md and docs/proxy.md. Only the port and the authorities are changed."""

import subprocess
import threading

import pytest
from common import NO_AWS, PATIENCE, RDSIGN
from harness import Place, free_port
from pages import ENDPOINT, example


@pytest.fixture
def server():
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    yield local
    assert local.stop() == 0
    place.close()


PAGE = example("docs/proxy.md", "sh"), example("docs/proxy.md", "sh", 1)
README = example("README.md", "sh", 1).splitlines()


@pytest.mark.parametrize("shown, client", [PAGE, README], ids=["docs", "readme"])
def test_the_examples_start_a_proxy_and_log_in(server, client_environment, shown, client):
    port = str(free_port())
    command = shown.replace(
        "rdsign proxy", f"exec {RDSIGN} proxy --hostport {server.port} --hostaddr 127.0.0.1"
    )
    keys = {name: value for name, value in server.exports.items() if name.startswith("AWS_")}
    environment = server.place.environment() | keys | NO_AWS
    environment |= {"PGSSLROOTCERT": server.exports["PGSSLROOTCERT"], "PGHOST": ENDPOINT, "PGUSER": "iam_user"}
    pipes = {"stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(["sh", "-euc", command.replace("6543", port)], env=environment, **pipes) as proxy:
        timer = threading.Timer(PATIENCE, proxy.kill)
        timer.start()
        try:
            assert f"listening address=127.0.0.1:{port} " in proxy.stderr.readline()
            script = client.replace("6543", port)
            options = {"input": "select 40 + 2", "capture_output": True, "text": True, "timeout": PATIENCE}
            done = subprocess.run(["sh", "-euc", script], env=client_environment, **options)
            assert (done.returncode, done.stderr) == (0, "")
            assert "42" in done.stdout
        finally:
            timer.cancel()
            proxy.terminate()
        assert proxy.wait(PATIENCE) == 0
