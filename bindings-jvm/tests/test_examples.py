"""Runs examples/scala-scalikejdbc, the examples of docs/jvm.md, and the Maven command of README.md.

packaging/reactor runs examples/junit-hikaricp.
"""

import re
import shlex
import subprocess
from pathlib import Path

from conftest import JAR, REPOSITORY, java
from pages import ENDPOINT, example, page

PAGE = "docs/jvm.md"


def keys(server):
    return {name: value for name, value in server.exports.items() if name.startswith("AWS_")}


def test_the_batch_logs_in_and_works(place, server):
    done = java(place, "Batch", **server.exports)
    assert (done.stdout, done.stderr) == ("1000 rows as iam_user\n", "")


def test_the_batch_is_refused_without_the_permission(place, server):
    nothing = server.keys["AKIALOCALNOTHING0001"]
    exports = server.exports | {
        "AWS_ACCESS_KEY_ID": nothing["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": nothing["secret_access_key"],
    }
    before = len(server.log.read_text())
    done = java(place, "Batch", **exports)
    assert done.returncode == 1
    assert 'FATAL: PAM authentication failed for user "iam_user"' in done.stderr
    assert "X-Amz" not in done.stderr
    assert "rdsign: refused (not-allowed)" in server.log.read_text()[before:]


def test_the_java_example_logs_in(place, server, tmp_path):
    source = example(PAGE, "java")
    # It signs for the examples' endpoint and verifies it; here that is a server on this machine.
    here = f'.dial("127.0.0.1:{server.port}").property("sslrootcert", "{server.exports["PGSSLROOTCERT"]}")'
    before, build, after = source.rpartition(".build()")
    source = before + here + build + after
    (tmp_path / "Example.java").write_text(source)
    done = java(place, "Example.java", cwd=tmp_path, **keys(server))
    assert (done.stdout, done.stderr) == ("iam_user\n", "")


def test_the_example_of_events_prints_a_fetch(place, tmp_path):
    (tmp_path / "Events.java").write_text(example(PAGE, "java", 1))
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a secret"}
    done = java(place, "Events.java", cwd=tmp_path, **keys)
    assert done.stderr == ""
    assert re.fullmatch(
        r"info: credentials fetched from environment in \d+\.\d{3} s; they do not expire\n", done.stdout
    )


def test_the_scala_example_is_a_part_of_the_batch():
    batch = (REPOSITORY / "examples/scala-scalikejdbc/src/main/scala/Batch.scala").read_text()
    assert example(PAGE, "scala") in batch


def test_the_example_of_tests_is_a_part_of_examples_junit_hikaricp():
    source = (REPOSITORY / "examples/junit-hikaricp/src/test/java/example/VisitsTest.java").read_text()
    assert example("docs/testing.md", "java") in source


def test_the_url_logs_in(place, server, tmp_path):
    url = "".join(line.strip() for line in example(PAGE, "text").splitlines())
    assert ENDPOINT in url
    url += (
        f"&socketFactory=io.github.rdsign.postgresql.DialSocketFactory&rdsignDial=127.0.0.1:{server.port}"
        f"&sslrootcert={server.exports['PGSSLROOTCERT']}"
    )
    program = tmp_path / "Url.java"
    program.write_text(
        """
        class Url {
            public static void main(String[] arguments) throws Exception {
                try (var connection = java.sql.DriverManager.getConnection(arguments[0]);
                        var row = connection.createStatement().executeQuery("select current_user")) {
                    row.next();
                    System.out.println(row.getString(1));
                }
            }
        }
        """
    )
    done = java(place, program, url, cwd=tmp_path, **keys(server))
    assert (done.stdout, done.stderr) == ("iam_user\n", "")


def test_the_page_lists_the_parameters_of_the_plugin():
    source = REPOSITORY / "bindings-jvm/src/main/java/io/github/rdsign"
    names = set()
    for file in ("postgresql/UrlSigner.java", "internal/ConnectionCheck.java"):
        names |= set(re.findall(r'"(rdsign[A-Z]\w*)"', (source / file).read_text()))
    table = "\n".join(line for line in page(PAGE).splitlines() if line.startswith("| `rdsign"))
    assert names == set(re.findall(r"`(rdsign\w+)`", table))
    assert len(names) == 11


def test_maven_installs_the_jar(tmp_path):
    command = re.search(r"`(mvn \S*:install-file) -Dfile=dist/rdsign-[\d.]+\.jar`", page("README.md"))[1]
    # Gets the plugin, so that the command needs no network.
    plugin = shlex.split(command)[1].replace("install-file", "help")
    maven = [REPOSITORY / "tools/mvn", plugin, "-q"]
    subprocess.run(maven, cwd=tmp_path, check=True, capture_output=True)
    settings = tmp_path / "settings.xml"
    settings.write_text(
        "<settings><mirrors><mirror><id>local</id><mirrorOf>*</mirrorOf>"
        f"<url>file://{Path.home()}/.m2/repository</url></mirror></mirrors></settings>"
    )
    local = tmp_path / "repository"
    options = [f"-Dfile={JAR}", "-B", "-s", settings, f"-Dmaven.repo.local={local}"]
    done = subprocess.run([*shlex.split(command), *options], cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout
    (pom,) = (local / "io/github/rdsign/rdsign").glob("*/rdsign-*.pom")
    assert pom.with_suffix(".jar").read_bytes() == JAR.read_bytes()
    assert "<artifactId>rdsign</artifactId>" in pom.read_text()
