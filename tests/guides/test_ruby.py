"""The guide for Rails, whose program connects to rdsign proxy."""

import re
import socket
import subprocess

from guide import Guide, logged_in, shows
from harness import free_port
from pages import ENDPOINT


def test_rails(rds, tmp_path):
    guide = Guide("rails")
    guide.write(tmp_path)
    assert (
        rds.run("bash", "-euc", guide.block("sh"), folder=tmp_path, PROXY_PORT=free_port()) == "iam_user\n/\n"
    )
    ask = "require 'active_record'; print ActiveRecord::VERSION::STRING[/\\A\\d+\\.\\d+\\.\\d+/], ' ', RUBY_VERSION"
    done = subprocess.run(["ruby", "-e", ask], capture_output=True, text=True, check=True)
    record, ruby = done.stdout.split()
    logged_in(guide, f"Active Record {record}", f"Ruby {ruby}")


def test_the_errors_of_rails(rds, tmp_path):
    guide = Guide("rails")
    guide.write(tmp_path)
    refused, user, tls = guide.errors
    settings = tmp_path / "config/database.yml"
    text = settings.read_text()

    def fail(script):
        port = str(free_port())
        output = rds.run("bash", "-euc", script, folder=tmp_path, status=1, PROXY_PORT=port)
        # The server of this program is the proxy, with its own address.
        output = output.replace(f'"{ENDPOINT}" (10.0.0.5), port', '"127.0.0.1", port')
        return re.sub(rf"\b{port}\b", "6543", output)

    def through_the_proxy(old, new):
        assert old in text
        settings.write_text(text.replace(old, new))
        return fail(guide.block("sh"))

    shows(refused, fail("ruby app.rb"))
    shows(user, through_the_proxy("username: iam_user", "username: testuser"))
    shows(tls, through_the_proxy("pool: 5", "pool: 5\n  sslmode: require"))


def test_rails_does_not_wait_for_a_proxy_that_cannot_start(rds, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        script = Guide("rails").block("sh")
        output = rds.run("bash", "-euc", script, folder=tmp_path, status=1, PROXY_PORT=port)
    assert "rdsign: cannot listen on " in output
