"""The fixtures for pytest. An entry point of the wheel: nothing has to be imported or configured.

Settings of pytest.ini or pyproject.toml: `rds_options`, the options of `rdsign local`, and `rds_share`, which makes
the workers of pytest-xdist share one server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NoReturn, Optional

import pytest

from . import Database, LocalError, RdsLocal, UnavailableError

SHARED = pytest.StashKey[RdsLocal]()
INPUT = "rdsign_local"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rdsign")
    group.addoption(
        "--rds-required",
        action="store_true",
        help="fail the tests that need RDS if this machine has no PostgreSQL, instead of skipping them",
    )
    parser.addini("rds_options", "options of `rdsign local`, such as --version 17", type="args", default=[])
    parser.addini("rds_share", "let the workers of pytest-xdist share one server", type="bool", default=False)


def started(config: pytest.Config, options: Sequence[str] = ()) -> RdsLocal:
    """Starts a server. Skips the test if that is impossible on this machine."""
    try:
        return RdsLocal([*config.getini("rds_options"), *options])
    except UnavailableError as error:
        unavailable(config, str(error))


def unavailable(config: pytest.Config, reason: str) -> NoReturn:
    if config.getoption("--rds-required"):
        pytest.fail(f"--rds-required: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist where the shared server is, which the first one starts."""
    config: pytest.Config = node.config
    if not config.getini("rds_share"):
        return
    if SHARED not in config.stash:
        try:
            config.stash[SHARED] = RdsLocal(config.getini("rds_options"))
        except LocalError as error:
            kind = "unavailable" if isinstance(error, UnavailableError) else "failed"
            node.workerinput[INPUT] = {kind: str(error)}
            return
    node.workerinput[INPUT] = {"control": config.stash[SHARED].info["control"]}


def pytest_unconfigure(config: pytest.Config) -> None:
    if shared := config.stash.get(SHARED, None):
        del config.stash[SHARED]
        shared.stop()


@pytest.fixture(scope="session")
def rds_local_factory(pytestconfig: pytest.Config) -> Iterator[Callable[..., RdsLocal]]:
    """A function that starts a server with more options of `rdsign local`. It stops after the last test."""
    servers: list[RdsLocal] = []

    def start(*options: str) -> RdsLocal:
        servers.append(started(pytestconfig, options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def rds_local(pytestconfig: pytest.Config, rds_local_factory: Callable[..., RdsLocal]) -> Iterator[RdsLocal]:
    """A server for all tests of this process."""
    shared: Optional[dict[str, str]] = getattr(pytestconfig, "workerinput", {}).get(INPUT)
    if shared is None:
        yield rds_local_factory()
    elif reason := shared.get("unavailable"):
        unavailable(pytestconfig, reason)
    elif failure := shared.get("failed"):
        raise LocalError(failure)
    else:
        with RdsLocal.attach(shared["control"]) as server:
            yield server


@pytest.fixture
def rds(rds_local: RdsLocal) -> Iterator[Database]:
    """A fresh database, with a user and an access key of its own."""
    with rds_local.create_database() as database:
        yield database


@pytest.fixture
def rds_env(rds: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The same, and this process's environment is that of a program that logs in to it."""
    for name in os.environ.keys() - rds.environ().keys():
        monkeypatch.delenv(name)
    for name, value in rds.env.items():
        monkeypatch.setenv(name, value)
    return rds
