"""Situations in which credentials are looked for: files, environment and flags, as data.

botocore decides what is right in each, unless purposes.py has a reason for rdsign to differ. In texts,
`@HOME@`, `@FAKE@` and the other names of oracle.py stand for what a run has there.
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
    """All of them by name, which says where each comes from."""
    found: dict[str, Situation] = {}
    for module in MODULES:
        for situation in module.situations():
            name = f"{module.__name__.rpartition('.')[2]}: {situation.name}"
            assert name not in found, f"two situations have one name: {name}"
            found[name] = situation
    return found


SITUATIONS = collected()
