"""What `make release` does to a clone of this repository."""

import os
import re
import shutil
import subprocess

import pytest
from common import REPOSITORY, VERSION

MAJOR, MINOR, PATCH = VERSION.split(".")
NEXT = f"{MAJOR}.{int(MINOR) + 1}.0"
# Git without this user's configuration. The day of the release is the second one of 2027.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "tests",
    "GIT_AUTHOR_EMAIL": "tests@localhost",
    "GIT_COMMITTER_NAME": "tests",
    "GIT_COMMITTER_EMAIL": "tests@localhost",
    "SOURCE_DATE_EPOCH": "1798848000",
}
# These keep old versions, or have versions of others.
KEEPERS = [":!CHANGELOG.md", ":!*.sum", ":!*-lock.json", ":!*requirements.lock", ":!*artifacts.lock"]


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def git(folder, *arguments):
    return run(folder, "git", *arguments)


def release(folder, *version):
    """Runs make release, whose errors it returns."""
    variables = [f"VERSION={one}" for one in version]
    command = ["make", "--silent", "--no-print-directory", "release", *variables]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


@pytest.fixture
def clone(tmp_path):
    """A clone with one commit: the files as they are here, also those that are not committed."""
    folder = tmp_path / "rdsign"
    for name in git(REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        source, target = REPOSITORY / name, folder / name
        if os.path.lexists(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    git(folder, "init", "--quiet")
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace("\n## [", "\n## [Unreleased]\n\n- A line.\n\n## [Old ", 1)
    )
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "before")
    git(folder, "tag", f"v{VERSION}")
    return folder


def test_a_release_is_one_commit_and_a_tag_with_every_version_changed(clone):
    before = set(git(clone, "grep", "-lIF", VERSION, "--", *KEEPERS).split())
    assert {"Cargo.toml", "Cargo.lock", "bindings-jvm/pom.xml", "README.md"} <= before

    assert release(clone, NEXT) == ""

    assert git(clone, "log", "--format=%s", "--reverse") == f"before\nci: release {NEXT}\n"
    assert git(clone, "tag", "--points-at", "HEAD") == f"v{NEXT}\n"
    assert git(clone, "cat-file", "-t", f"v{NEXT}") == "tag\n"
    assert git(clone, "status", "--porcelain") == ""
    changed = set(git(clone, "diff", "--name-only", "HEAD~1").split())
    assert changed == before | {"CHANGELOG.md"}
    rest = subprocess.run(
        ["git", "grep", "-nIwF", VERSION, "--", *KEEPERS], cwd=clone, capture_output=True, text=True
    )
    assert rest.stdout == ""
    assert (
        f"RDSIGN_VERSION_MINOR {NEXT.split('.')[1]}\n" in (clone / "bindings-c/include/rdsign.h").read_text()
    )
    # Versions of others that are the same stay.
    assert changed.isdisjoint(git(clone, "ls-files", "*.sum", "bindings-node/tests/*-lock.json").split())


def test_cargo_accepts_the_lock_of_a_release(clone):
    assert release(clone, NEXT) == ""
    run(clone, "cargo", "metadata", "--offline", "--locked", "--no-deps", "--format-version=1")


def test_the_changelog_gets_a_dated_section_and_an_empty_one(clone):
    before = (clone / "CHANGELOG.md").read_text()
    assert release(clone, NEXT) == ""
    after = (clone / "CHANGELOG.md").read_text()
    assert f"\n## [Unreleased]\n\n## [{NEXT}] - 2027-01-02\n\n- A line.\n\n## [Old " in after
    assert len(after) > len(before) - 100


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ((), "no version was given"),
        (("",), "no version was given"),
        (("1.0",), '"1.0" is not a version; accepted: three numbers, such as 0.2.0'),
        (("01.0.0",), '"01.0.0" is not a version'),
        (("v9.0.0",), '"v9.0.0" is not a version'),
        (("9.0.0-rc1",), '"9.0.0-rc1" is not a version'),
        ((VERSION,), f"the tag v{VERSION} exists"),
        (("0.0.1",), f"0.0.1 is not greater than {VERSION}"),
    ],
)
def test_a_bad_version_changes_nothing(clone, version, message):
    assert message in release(clone, *version)
    assert_unchanged(clone)


def test_a_version_is_compared_by_numbers(clone):
    assert release(clone, f"{MAJOR}.{int(MINOR) + 9}.0") == ""
    with (clone / "CHANGELOG.md").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace("## [Unreleased]\n", "## [Unreleased]\n\n- Another.\n"))
    git(clone, "commit", "--quiet", "--all", "--message", "more")
    assert release(clone, f"{MAJOR}.{int(MINOR) + 10}.0") == ""


def test_a_changed_tree_is_not_released(clone):
    (clone / "new").write_text("")
    assert "the working tree has changes" in release(clone, NEXT)
    (clone / "new").unlink()
    assert_unchanged(clone)


def test_nothing_to_tell_is_not_released(clone):
    changelog = clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("- A line.\n", ""))
    git(clone, "commit", "--quiet", "--all", "--amend", "--message", "before")
    assert "nothing is listed under Unreleased" in release(clone, NEXT)
    assert_unchanged(clone)


def test_a_line_with_the_old_version_that_stays_is_reported(clone):
    page = clone / "docs/c.md"
    page.write_text(page.read_text() + f"\nThis is {VERSION} of rdsign.\n")
    git(clone, "commit", "--quiet", "--all", "--amend", "--message", "before")
    error = release(clone, NEXT)
    assert re.search(rf"^docs/c.md:\d+:This is {VERSION} of rdsign\.$", error, re.M), error
    assert_unchanged(clone)


def test_a_tag_that_cannot_be_signed_leaves_no_commit(clone):
    git(clone, "config", "tag.gpgSign", "true")
    git(clone, "config", "gpg.program", "false")
    assert "release: git tag: " in release(clone, NEXT)
    assert_unchanged(clone)


def test_a_version_that_was_never_tagged_can_be_released(clone):
    git(clone, "tag", "--delete", f"v{VERSION}")
    assert release(clone, VERSION) == ""
    assert git(clone, "diff", "--name-only", "HEAD~1") == "CHANGELOG.md\n"


def assert_unchanged(clone):
    assert git(clone, "log", "--format=%s") == "before\n"
    assert git(clone, "tag") == f"v{VERSION}\n"
    assert git(clone, "status", "--porcelain") == ""
