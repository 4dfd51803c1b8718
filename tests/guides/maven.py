"""Runs the programs of the guides for the JVM: with Maven and the page's own pom.xml, which uses only the files of
jvm/artifacts.lock.

RDSIGN_GUIDES_CLASSPATH, if it is set, has the packages of HikariCP and ScalikeJDBC: their programs then run without
Maven.
"""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from common import REPOSITORY, VERSION
from guide import logged_in
from pages import ENDPOINT

JAR = Path(os.environ.get("RDSIGN_JAR", REPOSITORY / "target/jvm/packed/rdsign.jar")).resolve()
CLASS_PATH = os.environ.get("RDSIGN_GUIDES_CLASSPATH")
LOCK = Path(__file__).with_name("jvm") / "artifacts.lock"
# Maven's own repository of the user must not get the JAR under test.
LOCAL = REPOSITORY / "target/guides-maven"
DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
DIAL = "&socketFactory=io.github.rdsign.postgresql.DialSocketFactory&rdsignDial=localhost:15432"
URL = (
    f"jdbc:postgresql://{ENDPOINT}/testdb?user=iam_user"
    "&authenticationPluginClassName=io.github.rdsign.postgresql.RdsignAuthenticationPlugin"
    "&sslmode=verify-full&sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory"
)
# For a program of Java that holds a connection: it waits for a line on standard input.
WAIT = 'System.out.println("held"); System.in.read();'
# The end of a class with a method that holds a connection of the pool, if the test has set a clock.
HOLDS = f"""javax.sql.DataSource pool) throws Exception {{
    if (System.getenv("RDSIGN_TEST_CLOCK") != null) {{ pool.getConnection(); {WAIT} }}
}} }}"""
# An expression of Java for a token, as a program has it that keeps one.
TOKEN = f'io.github.rdsign.Signer.builder().hostname("{ENDPOINT}").username("iam_user").build().password()'


def install():
    """Puts the JAR under test into a repository of Maven, as the command of README.md does. Returns its folder."""
    folder = LOCAL / f"io/github/rdsign/rdsign/{VERSION}"
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(JAR, folder / f"rdsign-{VERSION}.jar")
    with zipfile.ZipFile(JAR) as jar:
        pom = jar.read("META-INF/maven/io.github.rdsign/rdsign/pom.xml")
    (folder / f"rdsign-{VERSION}.pom").write_bytes(pom)
    return LOCAL


class Project:
    """The project of a guide: its files, and the command of the page."""

    def __init__(self, rds, folder, repository, guide):
        self.rds, self.guide = rds, guide
        self.folder = guide.write(folder / guide.name)
        self.class_path = CLASS_PATH
        tools = folder / "bin"
        tools.mkdir()
        self.written = folder / "class-path"
        maven = tools / "mvn"
        # The class path is for the programs with mistakes, which run without Maven.
        maven.write_text(
            f'#!/bin/sh\nPATH="{os.environ["PATH"]}" MAVEN_LOCK="{LOCK}" exec "{REPOSITORY}/tools/mvn" '
            f'-Dmaven.repo.local="{repository}" "$@" {DEPENDENCIES} -Dmdep.outputFile="{self.written}"\n'
        )
        maven.chmod(0o755)
        self.path = f"{tools}{os.pathsep}{rds.environment()['PATH']}"

    def shell(self, script, **options):
        """Runs a command of the page. Returns what it prints."""
        output = self.rds.run("bash", "-euc", script, folder=self.folder, PATH=self.path, **options)
        if self.written.exists():
            self.class_path = self.written.read_text()
        # Maven resets the terminal's colours at its end.
        return output.replace("\x1b[0m", "")

    @property
    def program(self):
        return self.guide.files["src/main/java/App.java"]

    def page(self, **options):
        """Runs the program as the page says. Returns what it prints."""
        command = self.guide.block("sh")
        if self.class_path is None:
            return self.shell(command, **options)
        return self.java(self.program, **options)

    def main(self, name, status=0, **options):
        """Runs the compiled program with this main class, without Maven. Returns what it prints."""
        path = f"{self.folder}/target/classes:{self.class_path}"
        return self.rds.run("java", "-cp", path, name, folder=self.folder, status=status, **options)

    def java(self, source, *replacements, name="App", status=0, **options):
        """Runs a program of one file, in which each first text is replaced with the second."""
        for old, new in replacements:
            assert old in source, old
            source = source.replace(old, new)
        file = self.folder / "changed" / f"{name}.java"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)
        path = f"{JAR}:{self.class_path}:{self.folder}/src/main/resources"
        return self.rds.run("java", "-cp", path, file, folder=self.folder, status=status, **options)


def here(rds, url=URL):
    """Returns a JDBC URL with the page's parameter for a tunnel, which here leads to this machine."""
    return f"{url}{DIAL}&sslrootcert={rds.authorities}".replace("localhost:15432", f"127.0.0.1:{rds.port}")


def direct(rds):
    """Returns the page's URL for this machine without a tunnel. The server's certificate has localhost, too."""
    return URL.replace(ENDPOINT, f"localhost:{rds.port}")


def token(rds):
    """Returns a token for iam_user, as a program has it that keeps one."""
    return rds.local.token(hostname=ENDPOINT, port=5432)


def pinned(project):
    """Returns the versions in the page's pom.xml, for what is not in the class path."""
    return dict(
        re.findall(
            r"<artifactId>(.*?)</artifactId>\s*<version>(.*?)</version>", project.guide.files["pom.xml"]
        )
    )


def java_version():
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    return "Java " + re.search(r'version "([\d.]+)', shown)[1]


def ran(project, *names):
    """Records the versions of these artifacts, by their names on the page, and of Java."""
    files = dict(re.findall(r"/([\w.-]+?)-(\d[\w.]*)\.jar", project.class_path))
    if project.class_path == CLASS_PATH:
        found = [str(file) for entry in CLASS_PATH.split(":") for file in Path(entry).parent.glob("*.jar")]
        files = dict(re.findall(r"/([\w.-]+?)-(\d[\w.]*)\.jar", "\n".join(found)))
    versions = [f"{title} {files[artifact]}" for title, artifact in names]
    logged_in(project.guide, *versions, java_version())
