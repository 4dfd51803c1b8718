"""Situations of a search for credentials: files, environment and flags, as data.

botocore's result is the expected one, unless purposes.py lists a reason for rdsign to differ. oracle.py
replaces `@HOME@`, `@FAKE@` and similar names by the values of the run.
"""

from situations import (
    chains,
    choice,
    lines,
    login,
    metadata,
    names,
    networks,
    precedence,
    processes,
    regions,
    sso,
    web_identity,
)
from situations.situation import Situation

__all__ = ["SITUATIONS", "Situation"]

MODULES = (
    choice, precedence, lines, names, chains, processes, sso, login, web_identity, regions, networks, metadata
)  # fmt: skip


def collected() -> dict[str, Situation]:
    """Returns all situations by name. Each name starts with the module's name."""
    found: dict[str, Situation] = {}
    for module in MODULES:
        for situation in module.situations():
            name = f"{module.__name__.rpartition('.')[2]}: {situation.name}"
            assert name not in found, f"two situations have one name: {name}"
            found[name] = situation
    return found


SITUATIONS = collected()
