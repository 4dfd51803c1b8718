"""Checks proxies with a user and a password, private certificate authorities, FIPS and dual-stack hosts.
A proxy records the destination of each request and forwards it to the fake AWS."""

import base64
import ssl

import pytest
from fake_aws import FakeAws, keys_file, long_lived_keys, new_secret
from fake_proxy import FakeProxy
from machine import signed_by
from sources import ROLE, START_URL, container, instance_metadata

STS = "sts.eu-central-1.amazonaws.com:443"
ON_TOP = ("--role-arn", ROLE, "--region", "eu-central-1")


@pytest.fixture
def aws(certificate):
    """Starts an AWS with a certificate that the system's authorities did not sign."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with FakeAws(tls=context) as fake:
        yield fake


@pytest.fixture
def keys(machine):
    """Sets keys in the environment, to assume a role with."""
    keys = long_lived_keys("env")
    machine.uses_keys(keys)
    machine.set(AWS_REGION="eu-central-1")
    return keys


# Certificate authorities.


@pytest.mark.parametrize("named_by", ["AWS_CA_BUNDLE", "ca_bundle", "ca_bundle of a profile by name"])
def test_a_bundle_s_authorities_are_trusted_next_to_the_system_s(named_by, machine, keys, aws, certificate):
    machine.set(AWS_ENDPOINT_URL_STS=aws.url)
    run = machine.run("credentials", *ON_TOP)
    assert "UnknownIssuer" in run.message and "AWS_CA_BUNDLE" in run.message, run
    bundle = machine.file("bundle.pem", "# Büro\n" + certificate[0].read_text())
    flags = ON_TOP
    if named_by == "AWS_CA_BUNDLE":
        machine.set(AWS_CA_BUNDLE=bundle)
    elif named_by == "ca_bundle":
        machine.config(f"[default]\nca_bundle = {bundle}\n")
    else:
        machine.credentials(keys_file("base", keys))
        profile = f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n"
        machine.config(f"{profile}ca_bundle = {bundle}\n")
        flags = ("--profile", "app")
    assert signed_by(machine.token(*flags)) == aws.sts.last().access_key_id


def test_the_environment_s_bundle_comes_before_the_profile_s(machine, keys, aws, certificate):
    machine.set(AWS_ENDPOINT_URL_STS=aws.url, AWS_CA_BUNDLE=certificate[0])
    machine.config(f"[default]\nca_bundle = {machine.home}/gone.pem\n")
    machine.token(*ON_TOP)
    machine.set(AWS_CA_BUNDLE="")
    run = machine.run("credentials", *ON_TOP)
    assert (run.code, "ca_bundle: " in run.message) == ("CREDENTIALS_FAILED", True), run


@pytest.mark.parametrize(
    "text", [None, "", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_an_unusable_bundle_is_named(text, machine, keys, aws):
    machine.set(AWS_ENDPOINT_URL_STS=aws.url)
    path = machine.home / "bundle.pem"
    if text is not None:
        path.write_text(text)
    machine.set(AWS_CA_BUNDLE=path)
    run = machine.run("credentials", *ON_TOP)
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert "AWS_CA_BUNDLE" in run.message and str(path) in run.message, run


def test_a_bundle_is_not_read_before_tls_is_needed(machine, fake):
    machine.uses_imds(fake.url)
    machine.set(AWS_CA_BUNDLE=machine.home / "gone.pem")
    machine.token()


# Proxies.


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("password", ["p%40ss%2Fword", "p@ss/word"])
def test_a_proxy_is_used_with_user_and_password(variable, password, machine, keys, aws, certificate):
    with FakeProxy(url=aws.url) as proxy:
        machine.set(AWS_CA_BUNDLE=certificate[0])
        machine.set(**{variable: f"http://user:{password}@{proxy.host}"})
        assert signed_by(machine.token(*ON_TOP)) == aws.sts.last().access_key_id
    expected = "Basic " + base64.b64encode(b"user:p@ss/word").decode()
    assert proxy.asked == [(STS, expected)]


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_hosts_in_no_proxy_are_called_directly(variable, machine, keys, aws, certificate):
    machine.set(AWS_CA_BUNDLE=certificate[0], AWS_ENDPOINT_URL_STS=aws.url)
    with FakeProxy(503) as proxy:
        machine.set(HTTPS_PROXY=f"http://{proxy.host}")
        machine.set(**{variable: "other.example, 127.0.0.1"})
        machine.token(*ON_TOP)
        assert proxy.asked == []


def test_http_proxy_is_used_for_an_endpoint_without_tls(machine, keys, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    with FakeProxy(url=fake.url) as proxy:
        machine.set(HTTP_PROXY=f"http://user:{new_secret()}@{proxy.host}")
        assert signed_by(machine.token(*ON_TOP)) == fake.sts.last().access_key_id
        assert len(proxy.asked) == 1 and proxy.asked[0][1].startswith("Basic ")
        proxy.status = 407
        run = machine.run("credentials", *ON_TOP)
        assert f"HTTP_PROXY: the proxy {proxy.host} answered 407" in run.message, run


@pytest.mark.parametrize("source", [instance_metadata, container])
def test_metadata_services_are_never_called_through_a_proxy(source, machine, fake):
    source(machine, fake, None)
    with FakeProxy(503) as proxy:
        machine.set(HTTP_PROXY=f"http://{proxy.host}", HTTPS_PROXY=f"http://{proxy.host}")
        machine.token()
        assert proxy.asked == []


@pytest.mark.parametrize(
    "status, words", [(407, "answered 407"), (503, "refused to connect"), (403, "refused to connect")]
)
def test_a_proxy_that_refuses_is_named_without_its_password(status, words, machine, keys):
    with FakeProxy(status) as proxy:
        machine.set(HTTPS_PROXY=f"http://user:{new_secret()}@{proxy.host}")
        run = machine.run("credentials", *ON_TOP)
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert f"HTTPS_PROXY: the proxy {proxy.host} {words}" in run.message, run


def test_an_unreachable_proxy_is_named(machine, keys):
    with FakeProxy() as gone:
        host = gone.host
    machine.set(https_proxy=f"http://user:{new_secret()}@{host}")
    run = machine.run("credentials", *ON_TOP)
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert f"https_proxy: the proxy {host} cannot be reached" in run.message, run


def test_a_proxy_with_another_scheme_is_rejected(machine, keys):
    machine.set(HTTPS_PROXY=f"socks5://user:{new_secret()}@proxy.corp:1080")
    run = machine.run("credentials", *ON_TOP)
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert 'HTTPS_PROXY: the proxy proxy.corp:1080 has the scheme "socks5"' in run.message, run


# FIPS and dual-stack hosts.


def role(machine):
    machine.uses_keys(long_lived_keys("env"))
    return ("--role-arn", ROLE)


def role_of_a_profile(machine):
    machine.credentials(keys_file("base", long_lived_keys()))
    return ("--profile", "app"), f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n"


def web_identity(machine):
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()), AWS_ROLE_ARN=ROLE)
    return ()


def web_identity_of_a_profile(machine):
    token = machine.file("jwt", new_secret())
    return ("--profile", "app"), f"[profile app]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n"


def sso(machine):
    machine.sso_token(START_URL, new_secret())
    account = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
    return (
        "--profile",
        "app",
    ), f"[profile app]\nsso_region = us-east-2\nsso_start_url = {START_URL}\n{account}"


STS_HOSTS = ("sts-fips.us-east-2.amazonaws.com:443", "sts.us-east-2.api.aws:443")
HOSTS = [
    (role, *STS_HOSTS),
    (role_of_a_profile, *STS_HOSTS),
    (web_identity, *STS_HOSTS),
    (web_identity_of_a_profile, *STS_HOSTS),
    (sso, "portal.sso-fips.us-east-2.amazonaws.com:443", "portal.sso.us-east-2.api.aws:443"),
]


@pytest.mark.parametrize("named_in", ["environment", "profile"])
@pytest.mark.parametrize("source, fips, dual_stack", HOSTS, ids=[source.__name__ for source, *_ in HOSTS])
def test_fips_and_dual_stack_hosts_are_called(source, fips, dual_stack, named_in, machine):
    machine.set(AWS_REGION="us-east-2")
    prepared = source(machine)
    flags, config = prepared if prepared and isinstance(prepared[0], tuple) else (prepared, "[default]\n")
    with FakeProxy(503) as proxy:
        machine.set(HTTPS_PROXY=f"http://{proxy.host}")
        for name, variable in [
            ("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT"),
            ("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT"),
        ]:
            in_environment = named_in == "environment"
            machine.config(config + ("" if in_environment else f"{name} = true\n"))
            machine.set(**{variable: "true" if in_environment else None})
            assert machine.run("credentials", *flags).code == "CREDENTIALS_FAILED"
            machine.set(**{variable: None})
    asked = list(dict.fromkeys(proxy.targets()))
    assert asked == [fips, dual_stack]
