"""Defines a situation, and makes parts of files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

ROLE = "arn:aws:iam::123456789012:role/a-role"
# Part of every secret, so no message may contain it.
MARK = "sEcReT"
CONFIG, CREDENTIALS = ".aws/config", ".aws/credentials"


@dataclass(frozen=True)
class Situation:
    """Files below the home, variables (None removes a default one), flags, and attributes of the fake
    AWS's routes or of the fake itself. If rdsign differs from botocore on purpose: the purpose, and the
    access key ID that rdsign finds or its error code."""

    name: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    differs: str = ""
    rdsign: str = ""

    def but(self, differs: str, rdsign: str) -> "Situation":
        """Returns the same situation, in which rdsign differs for this purpose."""
        return replace(self, differs=differs, rdsign=rdsign)

    def mentions(self, text: str) -> bool:
        """Whether the situation contains this text."""
        given = [*self.files.values(), *self.environment.values(), *self.flags.values()]
        return any(text in one for one in given if isinstance(one, str))


def key_id(name: str) -> str:
    """Returns an access key ID made from the name."""
    return f"AKIA{name.upper():X<16.16}"


def secret(name: str) -> str:
    """Returns a secret access key made from the name."""
    return f"{MARK}/of+{name}"


def keys(name: str, token: str = "") -> str:
    """Returns the lines of a section with keys."""
    lines = f"aws_access_key_id = {key_id(name)}\naws_secret_access_key = {secret(name)}\n"
    return lines + (f"aws_session_token = {token}\n" if token else "")


def variables(name: str, **more: str) -> dict[str, str]:
    """Returns the variables for keys in the environment."""
    return {"AWS_ACCESS_KEY_ID": key_id(name), "AWS_SECRET_ACCESS_KEY": secret(name)} | more


def section(name: str, *lines: str) -> str:
    """Returns a section of a file. The lines may lack their newlines."""
    return f"[{name}]\n" + "".join(line.rstrip("\n") + "\n" for line in lines)


def set_or_not(**choices: Iterable[str | None]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields all combinations of values of variables with their names. None means unset."""
    for values in product(*choices.values()):
        chosen = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        yield ", ".join(f"{name}={value}" for name, value in chosen.items()) or "nothing set", chosen
