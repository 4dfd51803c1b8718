"""Compares the version and the addresses of all packages with the workspace's in Cargo.toml."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from common import REPOSITORY, VERSION
from pages import page

NAMESPACE = {"": "http://maven.apache.org/POM/4.0.0"}
CRATES = sorted(
    str(file.relative_to(REPOSITORY))
    for folder in (".", "*", "*/*")
    for file in REPOSITORY.glob(f"{folder}/Cargo.toml")
    # fuzz/libfuzzer is not in the workspace.
    if file.parent != REPOSITORY and not {"target", "libfuzzer"} & set(file.parts)
)


def address(key):
    """Returns an address of [workspace.package]."""
    return re.search(rf'^{key} = "(.*)"$', page("Cargo.toml"), re.M)[1]


def pom(path):
    return ElementTree.fromstring(page(path))


@pytest.mark.parametrize("path", ["README.md", "docs/jvm.md", "docs/node.md", "docs/platforms.md"])
def test_pages_name_packages_of_this_version(path):
    versions = re.findall(r"\brdsign-(?:[a-z][\w-]*-)?(\d[\w.]*?)(?:\.tgz|\.jar|-linux)", page(path))
    assert set(versions) == {VERSION}


def test_the_packages_of_node_and_java_have_this_version():
    assert json.loads(page("bindings-node/package/package.json"))["version"] == VERSION
    assert pom("bindings-jvm/pom.xml").findtext("version", namespaces=NAMESPACE) == VERSION


@pytest.mark.parametrize("path", ["examples/lambda-pg", "examples/node-test"])
def test_the_examples_of_node_depend_on_this_version(path):
    assert json.loads(page(f"{path}/package.json"))["dependencies"]["rdsign"] == f"^{VERSION}"


@pytest.mark.parametrize("path", ["examples/scala-scalikejdbc", "examples/junit-hikaricp"])
def test_the_examples_of_the_jvm_depend_on_this_version(path):
    versions = {
        dependency.findtext("artifactId", namespaces=NAMESPACE): dependency.findtext(
            "version", namespaces=NAMESPACE
        )
        for dependency in pom(f"{path}/pom.xml").iterfind(".//dependency", NAMESPACE)
    }
    assert versions["rdsign"] == VERSION


def test_every_crate_has_the_workspace_s_version_and_only_core_is_published():
    assert len(CRATES) > 8
    for path in CRATES:
        assert "\nversion.workspace = true\n" in page(path), path
        assert ("\npublish = false\n" in page(path)) == (path != "core/Cargo.toml"), path


def test_all_packages_name_the_same_repository_and_homepage():
    repository, homepage = address("repository"), address("homepage")
    core = page("core/Cargo.toml")
    assert "\nrepository.workspace = true\n" in core
    assert "\nhomepage.workspace = true\n" in core
    node = json.loads(page("bindings-node/package/package.json"))
    assert node["repository"]["url"] == f"git+{repository}.git"
    assert node["homepage"] == homepage
    jvm = pom("bindings-jvm/pom.xml")
    assert jvm.findtext("scm/url", namespaces=NAMESPACE) == repository
    assert jvm.findtext("url", namespaces=NAMESPACE) == homepage
    python = page("bindings-python/pyproject.toml")
    assert re.search(r'^Repository = "(.*)"$', python, re.M)[1] == repository
    assert re.search(r'^Homepage = "(.*)"$', python, re.M)[1] == homepage
    _, organisation, _ = repository.removeprefix("https://").split("/")
    assert jvm.findtext("groupId", namespaces=NAMESPACE) == f"io.github.{organisation}"
