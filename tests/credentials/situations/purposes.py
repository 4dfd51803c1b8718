"""The intended differences from the AWS CLI. docs/credentials.md has the same sentences.

Most purposes have a rule that changes a situation, for example by unsetting an empty variable: rdsign must
then do in the original what botocore does in the changed one. The other purposes have no rule; a
situation with such a purpose states rdsign's result itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from situations.situation import Situation

ENVIRONMENT = (
    "Complete keys in the environment are used without opening a file, even if `AWS_PROFILE` is wrong."
)
ORDER = "`AWS_REGION` and `AWS_PROFILE` come before `AWS_DEFAULT_REGION` and `AWS_DEFAULT_PROFILE`."
EMPTY = "An empty variable counts as unset, and an empty setting in a file as missing."
VERSION_1 = "Version 1 of the instance metadata service is never asked."
EXPIRED = "Expired keys are refused."
ALONE = "A profile that a flag or an option names is the only source: no container and no instance is asked."
ODD_LINE = (
    "A line that cannot be read, or a section that appears twice, stops only the profile it belongs to."
)
COMMENT = "A comment behind a key, a region or an ARN is not a part of it."
BLANKS = "Blanks around the name of a section do no harm."
REGION = "A region with upper-case letters is refused, and so is a zone such as `eu-west-1a`."
CONTROL = (
    "A key or session token that is blank or has a control character in it is refused: it can never work."
)
ENCODING = "A byte order mark at the start of a file is skipped."
SHELL = "`credential_process` is run by `sh`, so `~`, `$HOME` and `|` work."
OTHERS = "Variables, and nested blocks such as `s3 =`, that do not matter for credentials are not checked."
FILE_EXPIRY = "The expiry that some tools write next to the keys in a file is read."
OLD_FILES = "The files of boto 2 and of the EC2 tools (`BOTO_CONFIG`, `AWS_CREDENTIAL_FILE`) are not read."

# In the order of the page.
PURPOSES = (
    ENVIRONMENT, ORDER, EMPTY, EXPIRED, VERSION_1, ALONE, ODD_LINE, COMMENT, BLANKS, REGION, CONTROL, ENCODING, FILE_EXPIRY,
    SHELL, OTHERS, OLD_FILES,
)  # fmt: skip


def as_if(situation: Situation) -> tuple[Situation, set[str]]:
    """Returns the situation changed by all rules, and the purposes whose rules changed it."""
    found = set()
    for purpose, rule in RULES.items():
        changed = rule(situation)
        if changed != situation:
            found.add(purpose)
            situation = changed
    return situation, found


def without_empty(situation: Situation) -> Situation:
    files = {
        name: "".join(not_empty(text)) if isinstance(text, str) else text
        for name, text in situation.files.items()
    }
    environment = {name: value or None for name, value in situation.environment.items()}
    return replace(situation, files=files, environment=environment)


def not_empty(text: str) -> Iterator[str]:
    """Yields the lines of a file except empty settings. One that continues in the next line is not empty."""
    lines = text.splitlines(keepends=True)
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if not re.fullmatch(r"\w+ *=\s*", line) or re.match(r"\s+\S", after):
            yield line


def in_order(situation: Situation) -> Situation:
    environment = dict(situation.environment)
    if environment.get("AWS_REGION"):
        environment["AWS_DEFAULT_REGION"] = environment.pop("AWS_REGION")
    if environment.get("AWS_PROFILE"):
        environment.pop("AWS_DEFAULT_PROFILE", None)
    return replace(situation, environment=environment)


def without_files(situation: Situation) -> Situation:
    if situation.flags or not all(
        situation.environment.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ):
        return situation
    left = {name: value for name, value in situation.environment.items() if not name.endswith("_PROFILE")}
    return replace(situation, files={}, environment=left)


def without_version_1(situation: Situation) -> Situation:
    if not situation.aws.get("", {}).get("imds_has_version_1"):
        return situation
    return replace(situation, environment=situation.environment | {"AWS_EC2_METADATA_V1_DISABLED": "true"})


# In the order in which they apply.
RULES: dict[str, Callable[[Situation], Situation]] = {
    EMPTY: without_empty,
    ORDER: in_order,
    ENVIRONMENT: without_files,
    VERSION_1: without_version_1,
}
