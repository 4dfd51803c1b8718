"""Checks with strace that rdsign opens, connects to and starts nothing that a token does not need.

For each thing that must not happen, another test shows a run in which it does happen."""

import re
import shutil
import ssl

import pytest
from fake_aws import FakeAws, keys_file, long_lived_keys, new_secret
from machine import HOSTNAME, Run, signed_by
from sources import ROLE, process_output

if shutil.which("strace") is None:
    pytest.skip("these tests need strace: apt-get install strace", allow_module_level=True)

TRUST = ("/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/lib/ssl", "/etc/ca-certificates")


class Trace:
    """The system calls of one run of `rdsign token`."""

    def __init__(self, machine, *flags, hostname=HOSTNAME):
        folder = machine.home / "traces"
        folder.mkdir()
        calls = "trace=%file,%network,%process,epoll_create1,eventfd2"
        # One file per thread: in a shared file, strace splits calls that overlap ("<unfinished ...>").
        strace = ("strace", "-ff", "--quiet=all", "-e", calls, "-o", str(folder / "of"))
        arguments = ("token", "--hostname", hostname, "--username", "iam_user", *flags)
        self.run: Run = machine.run(*arguments, before=strace)
        self.calls = [line for file in folder.iterdir() for line in file.read_text().splitlines()]
        assert any(call.startswith("execve(") for call in self.calls)

    def named(self, *names):
        """Returns the calls with these names, except those that found no file."""
        found = (call for call in self.calls if call.split("(")[0] in names)
        return [call for call in found if not call.endswith("(No such file or directory)")]

    def opened(self, *folders):
        """Returns the files below these folders that the run tried to open, existing or not."""
        paths = [found[1] for call in self.calls if (found := re.search(r'"(/[^"]*)"', call))]
        return [path for path in paths if path.startswith(folders)]

    def key(self):
        """Returns the access key ID that signed the token."""
        assert self.run.status == 0, self.run
        return signed_by(self.run.output)


def test_keys_in_the_environment_open_no_roots_no_socket_and_no_thread(machine):
    machine.uses_keys(keys := long_lived_keys("env"))
    # Files that rdsign could read.
    machine.config("[default]\nregion = eu-west-1\n")
    machine.credentials(keys_file("default", long_lived_keys("file")))
    trace = Trace(machine)
    assert trace.key() == keys.access_key_id
    assert trace.opened(*TRUST) == []
    assert trace.opened(str(machine.folder)) == []
    assert trace.named("socket", "socketpair", "connect") == []
    assert trace.named("clone", "clone3", "fork", "vfork") == []
    assert trace.named("epoll_create1", "eventfd2") == []


def test_a_profile_with_static_keys_opens_no_roots_no_socket_and_no_thread(machine):
    machine.credentials(keys_file("work", keys := long_lived_keys("file")))
    trace = Trace(machine, "--profile", "work")
    assert trace.key() == keys.access_key_id
    assert str(machine.folder / "credentials") in trace.opened(str(machine.folder))
    assert trace.opened(*TRUST) == []
    assert trace.named("socket", "socketpair", "connect") == []
    assert trace.named("epoll_create1", "eventfd2") == []
    assert trace.named("clone", "clone3", "fork", "vfork") == []


def test_a_fetch_opens_each_file_once(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", long_lived_keys()))
    machine.config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-west-1\n")
    trace = Trace(machine, "--profile", "app", "--role-arn", f"{ROLE}-2")
    assert trace.key() == fake.sts.last().access_key_id
    opened = [call for call in trace.named("open", "openat") if str(machine.folder) in call]
    assert sorted(call.split('"')[1] for call in opened) == [
        f"{machine.folder}/{name}" for name in ("config", "credentials")
    ]


def test_a_region_of_the_profile_opens_no_roots_and_no_socket(machine):
    machine.uses_keys(keys := long_lived_keys("env"))
    machine.config("[default]\nregion = eu-west-1\n")
    trace = Trace(machine, hostname="localhost")
    assert trace.key() == keys.access_key_id
    assert trace.opened(*TRUST) == []
    assert trace.named("socket", "connect") == []


def test_a_credential_process_opens_no_roots_and_no_socket(machine):
    output = machine.file("output", process_output(keys := long_lived_keys("process")))
    machine.config(f"[default]\ncredential_process = cat '{output}'\n")
    trace = Trace(machine)
    assert trace.key() == keys.access_key_id
    assert trace.opened(*TRUST) == []
    assert [call for call in trace.named("socket", "connect") if "AF_INET" in call] == []
    assert trace.named("clone", "clone3", "fork", "vfork")


@pytest.mark.parametrize("source", ["instance metadata", "container"])
def test_a_metadata_service_opens_no_roots_and_no_thread(source, machine, fake):
    if source == "container":
        machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    else:
        machine.uses_imds(fake.url)
    trace = Trace(machine)
    assert trace.key().startswith("ASIA")
    assert trace.opened(*TRUST) == []
    assert trace.named("clone", "clone3", "fork", "vfork") == []
    connected = [call for call in trace.named("connect") if "AF_INET" in call]
    assert connected and all('inet_addr("127.0.0.1")' in call for call in connected)


def test_sts_opens_the_roots(machine, fake):
    machine.asks_once()
    machine.uses_keys(long_lived_keys("env"))
    # Nothing listens there any more, but the roots are read before the connection is made.
    machine.set(AWS_ENDPOINT_URL_STS=fake.url.replace("http:", "https:"))
    fake.close()
    trace = Trace(machine, "--role-arn", ROLE)
    assert trace.run.code == "CREDENTIALS_FAILED"
    assert trace.opened(*TRUST)


def test_tls_trusts_only_the_system_s_roots(machine, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with FakeAws(tls=context) as fake:
        token = machine.file("jwt", new_secret())
        machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE, AWS_ENDPOINT_URL_STS=fake.url)
        run = machine.run("credentials", "--region", "eu-central-1")
        assert (run.code, "certificate" in run.message) == ("CREDENTIALS_FAILED", True), run
        assert fake.sts.requests == []
        # This variable names the file of the system's roots.
        machine.set(SSL_CERT_FILE=certificate[0])
        assert signed_by(machine.token()) == fake.sts.last().access_key_id
