"""Installs each package of dist/ for a platform, and runs it: `vectors` checks all rows of
tests/vectors.tsv with the tests of the package's language, `login` logs in to `rdsign local`.

Both return what they saw. They raise Failure if something is wrong, and CannotRun if this machine cannot
run it.
"""

import re
import shutil
import sys
import zipfile
from pathlib import Path

from command_line import CommandLine
from common import REPOSITORY, VERSION
from running import (
    DIST,
    HERE,
    PROGRAMS,
    ROWS,
    VECTORS,
    CannotRun,
    Failure,
    count,
    empty,
    load,
    log_in,
    maven,
    psql,
    run,
    the_only,
)
from targets import UNPACKED, root

WITH_NUL = [row for row in ROWS if "\\x00" in row]
# Debian 12's.
PYTHON = "3.11"
NODE = "20.20.2"
JUNIT = "org.junit.platform:junit-platform-console-standalone:1.13.4"


class C:
    name = "librdsign"

    def __init__(self, target):
        self.target = target
        self.tree = DIST / ("c" if target.is_native else f"c-{target.name}")
        if not self.tree.exists():
            raise Failure(f"{self.tree.relative_to(REPOSITORY)} is missing: run make dist PLATFORMS=all")
        self.folder = empty(target.folder / self.name)

    def build(self, source, *more):
        """Builds a program with the flags that the tree's pkg-config file gives."""
        env = {"PKG_CONFIG_LIBDIR": str(self.tree / "lib/pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "rdsign", env=env)
        program = self.folder / source.stem
        run(
            *[*self.target.compiler(), "-dynamic", "-o", program, source, *more],
            *[*flags.split(), "-lpthread", f"-Wl,-rpath,{self.tree / 'lib'}"],
        )
        return program

    def vectors(self):
        program = self.build(REPOSITORY / "bindings-c/tests/programs/vectors.c")
        output = run(*self.target.command(program, VECTORS))
        return count(r"(\d+) passed, 0 failed", output, len(ROWS) - len(WITH_NUL))

    def login(self):
        if self.target.libc == "musl":
            # Debian has no libpq for musl.
            return psql(*self.target.command(self.build(PROGRAMS / "token.c")))
        bundle = f'-DCA_FILE="{self.tree}/share/rdsign/rds.pem"'
        example = self.build(REPOSITORY / "examples/c-libpq/main.c", bundle, *libpq(self.target))
        return log_in(*self.target.command(example))


def libpq(target):
    """Returns the compiler's arguments for libpq."""
    system = Path("/") if target.is_native else root(target)
    library = system / f"usr/lib/{target.architecture}-linux-gnu/libpq.so"
    return [f"-I{system / 'usr/include/postgresql'}", library]


class Wheel:
    name = "Python wheel"

    def __init__(self, target):
        self.target = target
        self.site = empty(target.folder / "site")
        # pip checks that a wheel is for the platform, whatever it runs on itself.
        options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target", self.site]
        pip = [sys.executable, "-m", "pip", "install", *options, "--python-version", PYTHON]
        wheel = the_only(f"rdsign-{VERSION}-cp39-abi3-*{target.wheel}*.whl")
        run(*pip, "--platform", target.wheel, "--no-index", "--no-deps", wheel)
        platforms = ["--platform", target.wheel]
        if target.libc == "gnu":
            # psycopg's wheels need a newer glibc than rdsign's.
            platforms += ["--platform", f"manylinux_2_28_{target.architecture}"]
        run(*pip, *platforms, "--require-hashes", "-r", HERE / "requirements.lock")
        command = target.command(self.site / "bin/rdsign", "--version", is_static=target.libc == "musl")
        if run(*command) != f"rdsign {VERSION}\n":
            raise Failure("the command line in the wheel does not run")
        self.python = target.command(python(target))
        self.env = {"PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1"}

    def vectors(self):
        test = "bindings-python/tests/test_vectors.py::test_vector"
        # conftest.py needs ssl, which the Python for musl does not have.
        options = ["-q", "--noconftest", "-p", "no:cacheprovider"]
        output = run(*self.python, "-m", "pytest", *options, test, env=self.env)
        return count(r"(\d+) passed in", output, len(ROWS))

    def login(self):
        if self.target.libc == "musl":
            # The Python for musl has no ctypes, which psycopg needs.
            return psql(*self.python, PROGRAMS / "print_token.py", env=self.env)
        return log_in(*self.python, PROGRAMS / "login.py", env=self.env)


def python(target):
    """Returns the Python of a platform."""
    if target.is_native:
        return f"python{PYTHON}"
    if target.libc == "gnu":
        return root(target) / f"usr/bin/python{PYTHON}"
    return run(HERE / "python-for-musl", target.architecture).strip()


class NodePackage:
    name = "Node package"

    def __init__(self, target):
        self.target = target
        self.folder = empty(target.folder / "node")
        files = [the_only(f"rdsign-{VERSION}.tgz"), the_only(f"rdsign-{target.node}-{VERSION}.tgz")]
        # npm refuses packages for another machine otherwise.
        run("npm", "install", "--offline", "--silent", "--force", *files, cwd=self.folder)
        for program in ("vectors.test.mjs", "support.mjs"):
            shutil.copy(REPOSITORY / "bindings-node/tests" / program, self.folder)
        shutil.copy(PROGRAMS / "login.mjs", self.folder)
        (self.folder / "node_modules/pg").symlink_to(REPOSITORY / "target/node/tests/node_modules/pg")

    def node(self, *arguments):
        if self.target.libc == "musl":
            library = self.folder / f"node_modules/@rdsign/{self.target.node}/rdsign.node"
            loaded = load(self.target, library, "napi_register_module_v1")
            raise CannotRun(f"{loaded}; neither Debian nor npm has Node for musl")
        if self.target.is_native:
            return ["node", *arguments]
        package = f"node-{self.target.node.removesuffix('-gnu')}"
        program = UNPACKED / package / "node_modules" / package / "bin/node"
        if not program.exists():
            # npm refuses packages for another architecture otherwise.
            npm = ["npm", "--silent", "install", "--no-save", "--ignore-scripts", "--force"]
            run(*npm, "--prefix", UNPACKED / package, f"{package}@{NODE}")
        return self.target.command(program, *arguments)

    def vectors(self):
        env = {"RDSIGN_REPOSITORY": str(REPOSITORY)}
        output = run(*self.node("--test-reporter=tap", "vectors.test.mjs"), env=env, cwd=self.folder)
        return count(r"# (\d+) vectors\n", output, len(ROWS))

    def login(self):
        return log_in(*self.node("login.mjs"), cwd=self.folder)


class Jar:
    name = "JAR"

    def __init__(self, target):
        self.target = target
        self.folder = empty(target.folder / "jvm")
        self.jars = self.find()
        library = f"META-INF/rdsign/{target.jar}/librdsign_jvm.so"
        self.library = self.folder / library
        for jar in self.jars:
            with zipfile.ZipFile(jar) as packed:
                if library in packed.namelist():
                    packed.extract(library, self.folder)
        if not self.library.exists():
            raise Failure(f"dist/{self.jars[-1].name} has no {library}: run make dist PLATFORMS=all")

        if target.libc == "gnu":
            tests = REPOSITORY / "bindings-jvm/src/test/java/io/github/rdsign"
            pom = (REPOSITORY / "bindings-jvm/pom.xml").read_text()
            driver = f"org.postgresql:postgresql:{re.search('<postgresql.version>(.*)<', pom)[1]}"
            self.classes = empty(self.folder / "classes")
            self.path = ":".join(map(str, [*self.jars, maven(JUNIT), maven(driver), self.classes]))
            sources = [tests / "VectorsTest.java", PROGRAMS / "Login.java"]
            run("javac", "-d", self.classes, "-cp", self.path, *sources)

    def find(self):
        """Returns the JARs of dist/ that are installed."""
        return [the_only(f"rdsign-{VERSION}.jar")]

    def java(self, *arguments):
        if self.target.libc == "musl":
            loaded = load(self.target, self.library, "Java_io_github_rdsign_Native_newSigner")
            raise CannotRun(f"{loaded}; Debian has no Java for musl")
        if self.target.is_native:
            return ["java", "-cp", self.path, *arguments]
        # qemu runs the interpreter faster than what the compiler would make.
        java = next((root(self.target) / "usr/lib/jvm").glob("java-*/bin/java"))
        return [*self.target.command(java), "-Xint", "-cp", self.path, *arguments]

    def vectors(self):
        console = ["org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner"]
        test = ["--select-class", "io.github.rdsign.VectorsTest", "--details", "summary"]
        output = run(*self.java(*console, *test), cwd=REPOSITORY / "bindings-jvm")
        return count(r"(\d+) tests successful", output, len(ROWS))

    def login(self):
        return log_in(*self.java("Login"))


class SmallJars(Jar):
    name = "small JARs"

    def find(self):
        return [the_only(f"rdsign-{VERSION}-{part}.jar") for part in ("without-natives", self.target.name)]


PACKAGES = [CommandLine, C, Wheel, NodePackage, Jar, SmallJars]
