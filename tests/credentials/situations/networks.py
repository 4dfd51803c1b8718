"""Connections to STS: configured endpoints, proxies and certificate authorities."""

from itertools import product

from situations.regions import role
from situations.situation import CONFIG, ROLE, Situation, keys, section, variables

APP = {"AWS_PROFILE": "app"}
REGION = "region = eu-west-1"
TOP = {"role_arn": ROLE, "region": "eu-west-1"}


def situations():
    yield from endpoints()
    yield from ignoring()
    yield from proxies()
    yield from authorities()


def endpoints():
    urls = [
        "@FAKE@",
        "@FAKE@/",
        "",
        "127.0.0.1:1",
        "sts.example",
        "ftp://sts.example",
        "http://",
        "https://sts.example",
        "HTTPS://sts.example/",
    ]
    for variable, url in product(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"), urls):
        yield Situation(f"{variable}={url}", role(REGION), APP | {variable: url})
        yield Situation(f"{variable}={url}, a role on top", {}, variables("env") | {variable: url}, TOP)
    for url in urls:
        yield Situation(f"endpoint_url = {url}", role(REGION, f"endpoint_url = {url}"), APP)
        services = section("services mine", "sts =", f"  endpoint_url = {url}")
        files = role(REGION, "services = mine")
        yield Situation(f"services: endpoint_url = {url}", {CONFIG: files[CONFIG] + services}, APP)
    other = "https://other.example"
    yield Situation(
        "the service's variable before the other",
        role(REGION),
        APP | {"AWS_ENDPOINT_URL": other, "AWS_ENDPOINT_URL_STS": "@FAKE@"},
    )
    yield Situation(
        "a variable before the profile",
        role(REGION, f"endpoint_url = {other}"),
        APP | {"AWS_ENDPOINT_URL": "@FAKE@"},
    )
    services = section("services mine", "sts =", "  endpoint_url = @FAKE@")
    files = role(REGION, "services = mine", f"endpoint_url = {other}")
    yield Situation("the services before the profile", {CONFIG: files[CONFIG] + services}, APP)
    yield Situation(
        "the general variable and the services",
        {CONFIG: files[CONFIG] + services},
        APP | {"AWS_ENDPOINT_URL": other},
    )
    yield Situation("missing services", role(REGION, "services = mine"), APP)
    yield Situation(
        "services of another service", {CONFIG: files[CONFIG] + services.replace("sts", "s3")}, APP
    )
    base = role(REGION)[CONFIG].replace("[profile base]\n", "[profile base]\nendpoint_url = @FAKE@\n")
    yield Situation("the endpoint of the source", {CONFIG: base}, APP)
    yield Situation(
        "an endpoint and a variable without a scheme for another service",
        role(REGION),
        APP | {"AWS_ENDPOINT_URL_S3": "x"},
    )
    fips = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL_STS": "@FAKE@"}
    yield Situation("an endpoint and FIPS", role(REGION), APP | fips)


def ignoring():
    for value in ("true", "false", "TRUE", "1", ""):
        files, variable = (
            role(REGION, "endpoint_url = @FAKE@"),
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": value},
        )
        yield Situation(
            f"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS={value}, an endpoint in the profile", files, APP | variable
        )
        yield Situation(f"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS={value}, an endpoint in a variable", role(REGION),
                        APP | variable | {"AWS_ENDPOINT_URL_STS": "@FAKE@"})  # fmt: skip
        files = role(REGION, "endpoint_url = @FAKE@", f"ignore_configured_endpoint_urls = {value}")
        yield Situation(f"ignore_configured_endpoint_urls = {value}", files, APP)


def proxies():
    off = {"HTTPS_PROXY": None}
    many = {
        "https_proxy": {"https_proxy": "@PROXY@"},
        "both cases": {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "@PROXY@"},
        "an empty one in lower case": {"HTTPS_PROXY": "@PROXY@", "https_proxy": ""},
        "a user": {"HTTPS_PROXY": "@USER_PROXY@"},
        "another in NO_PROXY": {"HTTPS_PROXY": "@PROXY@", "NO_PROXY": "localhost,.example.com"},
        "no scheme": {"HTTPS_PROXY": "@BARE_PROXY@"},
    }
    for name, environment in many.items():
        yield Situation(f"proxy: {name}", role(REGION), APP | off | environment)
    metadata = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@FAKE@/container/credentials"}
    yield Situation("a dead HTTP_PROXY and a container", {}, metadata | {"HTTP_PROXY": "http://127.0.0.1:1"})


def authorities():
    for name, environment, lines in [
        ("AWS_CA_BUNDLE", {"AWS_CA_BUNDLE": "@AUTHORITY@"}, ()),
        ("ca_bundle", {}, ("ca_bundle = @AUTHORITY@",)),
        ("AWS_CA_BUNDLE before ca_bundle", {"AWS_CA_BUNDLE": "@AUTHORITY@"}, ("ca_bundle = @HOME@/gone",)),
        ("an empty AWS_CA_BUNDLE", {"AWS_CA_BUNDLE": ""}, ("ca_bundle = @AUTHORITY@",)),
        ("no authority", {}, ()),
        ("AWS_CA_BUNDLE that is gone", {"AWS_CA_BUNDLE": "@HOME@/gone"}, ()),
        ("AWS_CA_BUNDLE that is none", {"AWS_CA_BUNDLE": "@HOME@/.aws/config"}, ()),
    ]:
        trust = {"SSL_CERT_FILE": None, "REQUESTS_CA_BUNDLE": None}
        yield Situation(name, role(REGION, *lines), APP | trust | environment)
    source = role(REGION)[CONFIG] + section("profile b", keys("b"))
    yield Situation(
        "ca_bundle of another profile", {CONFIG: source + section("default", "ca_bundle = @HOME@/gone")}, APP
    )
