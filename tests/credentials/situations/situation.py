"""What a situation is, and the parts that files are made of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

ROLE = "arn:aws:iam::123456789012:role/a-role"
# In every secret: no message may have it.
MARK = "sEcReT"
CONFIG, CREDENTIALS = ".aws/config", ".aws/credentials"


@dataclass(frozen=True)
class Situation:
    """Files below the home, variables (None removes a usual one), flags, and what AWS is told to do
    (attributes of the fake's routes, or of the fake itself). If it differs: the purpose, and the access
    key id that rdsign finds or its error code."""

    name: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    differs: str = ""
    rdsign: str = ""

    def but(self, differs: str, rdsign: str) -> "Situation":
        """The same, where rdsign differs on purpose."""
        return replace(self, differs=differs, rdsign=rdsign)

    def mentions(self, text: str) -> bool:
        """Whether a text comes from the situation itself."""
        given = [*self.files.values(), *self.environment.values(), *self.flags.values()]
        return any(text in one for one in given if isinstance(one, str))


def key_id(name: str) -> str:
    """The access key id of that name."""
    return f"AKIA{name.upper():X<16.16}"


def secret(name: str) -> str:
    """The secret access key that belongs to it."""
    return f"{MARK}/of+{name}"


def keys(name: str, token: str = "") -> str:
    """The lines of a section with keys."""
    lines = f"aws_access_key_id = {key_id(name)}\naws_secret_access_key = {secret(name)}\n"
    return lines + (f"aws_session_token = {token}\n" if token else "")


def variables(name: str, **more: str) -> dict[str, str]:
    """Keys in the environment."""
    return {"AWS_ACCESS_KEY_ID": key_id(name), "AWS_SECRET_ACCESS_KEY": secret(name)} | more


def section(name: str, *lines: str) -> str:
    """A section of a file; lines may end with a newline or not."""
    return f"[{name}]\n" + "".join(line.rstrip("\n") + "\n" for line in lines)


def set_or_not(**choices: Iterable[str | None]) -> Iterator[tuple[str, dict[str, str]]]:
    """All combinations of values of variables, None for unset: each with a name."""
    for values in product(*choices.values()):
        chosen = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        yield ", ".join(f"{name}={value}" for name, value in chosen.items()) or "nothing set", chosen
