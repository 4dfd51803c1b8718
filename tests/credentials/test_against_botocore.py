"""Checks that rdsign and the AWS CLI find the same keys by the same requests, or both find none.

A pinned botocore stands in for version 2 of the AWS CLI. oracle.py runs each situation in situations/
through both. situations/purposes.py lists the intended differences.
"""

import queue
import threading
from pathlib import Path

import pytest
from aws_proxy import Authority
from oracle import COMPARISONS, Sides
from pages import page
from situations import SITUATIONS
from situations.purposes import PURPOSES

# More than the number of cores, because workers spend part of their time waiting for AWS.
WORKERS = 3


@pytest.fixture(scope="session")
def comparisons(request, tmp_path_factory):
    """Compares each situation whose test was selected."""
    tests = [
        item for item in request.session.items if item.path == Path(__file__) and hasattr(item, "callspec")
    ]
    left = queue.SimpleQueue()
    for test in tests:
        left.put(test.callspec.params["name"])
    folder = tmp_path_factory.mktemp("oracle")
    authority = Authority(folder)
    workers = [
        threading.Thread(target=compare, args=(folder / str(n), authority, left)) for n in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return COMPARISONS


def compare(folder, authority, left):
    """Compares situations until none is left."""
    sides = Sides(folder, authority)
    try:
        while True:
            name = left.get_nowait()
            COMPARISONS[name] = sides.compare(SITUATIONS[name])
    except queue.Empty:
        pass
    finally:
        sides.close()


@pytest.mark.parametrize("name", SITUATIONS)
def test_rdsign_finds_what_botocore_finds(name, comparisons):
    comparison = comparisons[name]
    assert not comparison.problem, str(comparison)


def test_every_purpose_makes_a_difference(comparisons):
    if len(comparisons) < len(SITUATIONS):
        pytest.skip("some situations were not selected")
    used = set().union(*(comparison.purposes for comparison in comparisons.values()))
    assert used == set(PURPOSES)


def test_the_page_has_every_purpose():
    told = " ".join(page("docs/credentials.md").split())
    assert [purpose for purpose in PURPOSES if purpose not in told] == []
