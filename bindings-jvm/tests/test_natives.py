"""The JARs that packaging/pack writes: one with all native libraries, one without, one for each platform."""

import re
import shutil
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import pytest
from common import REPOSITORY
from conftest import JAR
from pages import blocks

WITHOUT = JAR.with_name(f"{JAR.stem}-without-natives.jar")
SPLIT = REPOSITORY / "bindings-jvm/packaging/split"
PROGRAM = """
    class Known {
        public static void main(String[] arguments) {
            System.out.println(io.github.rdsign.Signer.builder()
                    .hostname("prod-instance.us-east-1.rds.amazonaws.com").port(3306).username("peccy")
                    .accessKeyId("akid").secretAccessKey("secret").build()
                    .token(java.time.Instant.ofEpochSecond(1724709600L)).value().replaceAll(".*=", ""));
        }
    }
"""
SIGNATURE = "dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89\n"


def names(jar):
    with zipfile.ZipFile(jar) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def library_of(jar):
    return [name for name in names(jar) if name.startswith("META-INF/rdsign/")]


def the_part():
    """Returns the JAR with the library for this machine."""
    parts = [part for part in JAR.parent.glob(f"{JAR.stem}-*.jar") if part != WITHOUT]
    [own] = [part for part in parts if library_of(part) == [own_library()]]
    return own


def own_library():
    os, architecture = subprocess.check_output(["uname", "-sm"], text=True).lower().split()
    return f"META-INF/rdsign/{os}/{architecture}/glibc/librdsign_jvm.so"


def run(folder, *options):
    """Runs the program with JARs in an empty folder."""
    (folder / "Known.java").write_text(PROGRAM)
    return subprocess.run(["java", *options, "Known.java"], cwd=folder, capture_output=True, text=True)


def copied(folder, *jars):
    return [shutil.copy(jar, folder / jar.name) and jar.name for jar in jars]


@pytest.mark.parametrize("form", ["all natives", "without natives, and a platform's"])
def test_the_jars_in_an_empty_folder_sign_the_known_token(tmp_path, form):
    jars = [JAR] if form == "all natives" else [WITHOUT, the_part()]
    done = run(tmp_path, "-cp", ":".join(copied(tmp_path, *jars)))
    assert (done.stdout, done.stderr) == (SIGNATURE, "")


def test_as_a_module_rdsign_finds_the_platform_s_jar_on_either_path(tmp_path):
    module, part = copied(tmp_path, WITHOUT, the_part())
    named = ["--add-modules", "io.github.rdsign"]
    done = run(tmp_path, "-p", module, *named, "-cp", part)
    assert (done.stdout, done.stderr) == (SIGNATURE, "")
    platform = part.removeprefix(f"{JAR.stem}-").removesuffix(".jar").replace("-", ".")
    named[1] += f",io.github.rdsign.{platform}"
    done = run(tmp_path, "-p", f"{module}:{part}", *named)
    assert (done.stdout, done.stderr) == (SIGNATURE, "")


def test_without_natives_the_error_names_the_classifier_to_add(tmp_path):
    done = run(tmp_path, "-cp", *copied(tmp_path, WITHOUT))
    assert done.returncode == 1
    classifier = the_part().stem.removeprefix(f"{JAR.stem}-")
    assert f"tried: {own_library()} in the JARs: missing; " in done.stderr
    assert f"add io.github.rdsign:rdsign with the classifier {classifier};" in done.stderr


def test_the_parts_have_all_files_of_the_whole_jar_and_no_library_twice():
    part = the_part()
    assert set(names(WITHOUT)) == {name for name in names(JAR) if not name.startswith("META-INF/rdsign/")}
    assert names(part) == ["META-INF/MANIFEST.MF", "META-INF/LICENSE", own_library()]
    assert WITHOUT.stat().st_size <= 200_000


def test_each_platform_gets_a_jar_with_its_name(tmp_path):
    whole = tmp_path / "rdsign-1.jar"
    shutil.copy(WITHOUT, whole)
    platforms = {
        "linux/aarch64/glibc/librdsign_jvm.so": "linux-aarch64",
        "linux/x86_64/musl/librdsign_jvm.so": "linux-x86_64-musl",
        "macos/aarch64/librdsign_jvm.dylib": "macos-aarch64",
        "windows/x86_64/rdsign_jvm.dll": "windows-x86_64",
    }
    with zipfile.ZipFile(whole, "a") as archive:
        for place in platforms:
            archive.writestr(f"META-INF/rdsign/{place}", place)
    old = tmp_path / "rdsign-1-linux-removed.jar"
    old.touch()
    subprocess.run([sys.executable, SPLIT, whole], check=True)
    assert not old.exists()
    for place, classifier in platforms.items():
        part = tmp_path / f"rdsign-1-{classifier}.jar"
        assert library_of(part) == [f"META-INF/rdsign/{place}"]
        with zipfile.ZipFile(part) as archive:
            assert archive.read(f"META-INF/rdsign/{place}").decode() == place


def test_the_dependencies_in_the_page_are_jars_that_pack_writes():
    [text] = [text for language, text in blocks("docs/jvm.md") if language == "xml"]
    dependencies = ElementTree.fromstring(f"<all>{text}</all>")
    classifiers = [entry.findtext("classifier") for entry in dependencies]
    assert {entry.findtext("artifactId") for entry in dependencies} == {"rdsign"}
    assert classifiers[0] == WITHOUT.stem.removeprefix(f"{JAR.stem}-")
    assert re.fullmatch(r"linux-(x86_64|aarch64)(-musl)?", classifiers[1])
