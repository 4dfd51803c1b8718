"""Who may do what in the workflows. `make check` runs actionlint and zizmor, which know the rest."""

import re

import pytest
from common import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
MAKEFILE = (REPOSITORY / "Makefile").read_text()


def test_there_are_workflows():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "packages.yml", "release.yml", "weekly.yml"]


def jobs(path):
    """Returns the text of each job."""
    text = path.read_text().split("\njobs:\n")[1]
    parts = re.split(r"^  (\w[\w-]*):\n", text, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestEach:
    def test_actions_are_pinned_to_a_commit_with_the_version_in_a_comment(self, path):
        used = re.findall(r"uses: (.*)", path.read_text())
        assert used
        for action in used:
            pinned = re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
            assert pinned or action == "./.github/workflows/packages.yml", action

    def test_an_action_has_the_same_commit_everywhere(self, path):
        everywhere = "\n".join(other.read_text() for other in WORKFLOWS)
        for name in re.findall(r"uses: (.*)@", path.read_text()):
            assert len(set(re.findall(rf"uses: {re.escape(name)}@(.*)", everywhere))) == 1, name

    def test_only_the_publishing_job_has_more_rights_than_to_read(self, path):
        assert "\npermissions: {}\n" in path.read_text()
        for name, text in jobs(path).items():
            rights = dict(re.findall(r"^      ([a-z-]+): (read|write)\b", text, re.M))
            if name == "publish":
                assert rights == {"contents": "write", "id-token": "write", "attestations": "write"}
                assert "\n    environment: release\n" in text
            else:
                assert rights == {"contents": "read"}, name
                assert "secrets." not in text

    def test_no_checkout_leaves_a_token_behind(self, path):
        text = path.read_text()
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")

    def test_the_targets_of_make_exist(self, path):
        for target in re.findall(r"(?:run: |\$\(|^ +|\" )make ([a-z][\w-]*)", path.read_text(), re.M):
            assert re.search(rf"^{target}:", MAKEFILE, re.M), target


def test_npm_gets_files_and_no_repositories_of_github():
    release = (REPOSITORY / ".github/workflows/release.yml").read_text()
    [packages] = re.findall("for package in (.*); do", release)
    assert all(package.strip('"').startswith("./dist/") for package in packages.split())


def test_the_job_that_publishes_builds_no_code_of_others():
    packages, release = [
        path.read_text() for path in WORKFLOWS if path.name in ("packages.yml", "release.yml")
    ]
    assert re.findall(r"cargo publish.*", release) == ["cargo publish --locked --no-verify -p rdsign"]
    assert "cargo package --locked -p rdsign" in packages


def test_what_takes_longer_than_a_change_may_runs_each_week_and_by_hand():
    weekly = (REPOSITORY / ".github/workflows/weekly.yml").read_text()
    [events] = re.findall(r"^on:\n((?: .*\n)+)", weekly, re.M)
    assert re.findall(r"^  (\w+):", events, re.M) == ["schedule", "workflow_dispatch"]
    [cron] = re.findall(r'cron: "(.*)"', events)
    assert re.fullmatch(r"\d+ \d+ \* \* \d", cron)
    targets = ["make test-random", "make test-guides", "make test-proxy-clients"]
    assert re.findall(r"run: (make .*)", weekly) == targets
