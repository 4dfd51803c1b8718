"""The judge of the soak, with records that are made up: each count fails a run that should fail, and none
fails one that should not."""

from collections import Counter

import pytest
from faults import Ask
from judge import Client, Records, judge
from processes import Process, slope

BOUND = 5


def token(began, ended, outcome="ok", **more):
    return {"what": "token", "began": began, "ended": ended, "outcome": outcome, "text": "", **more}


def login(began, ended, outcome="ok"):
    return {"what": "login", "began": began, "ended": ended, "outcome": outcome, "text": ""}


def fork(outcome="ok"):
    return {"what": "fork", "began": 1, "ended": 2, "outcome": outcome, "text": ""}


def good(arrived, end, done=None, delivered=True, fault="none"):
    """A right answer with credentials that end at this time of the wall clock, which starts at 0."""
    done = arrived + 0.01 if done is None else done
    return Ask(0, "container", fault, arrived, done, delivered, "ASIA", end)


def bad(fault, arrived, done=None):
    return Ask(0, "container", fault, arrived, arrived + 0.01 if done is None else done, True)


def records(events=(), asks=(), **more):
    """The records of one client that has also logged in once."""
    of_client = {name: more.pop(name) for name in ("signers", "frozen", "status") if name in more}
    client = Client("it", events=[login(0, 0.1), *events], asks=list(asks), **of_client)
    return Records(BOUND, 0, {"it": client}, **({"accepted": 100} | more))


def problems(*arguments, **more):
    return judge(records(*arguments, **more)).problems


def test_a_quiet_run_has_no_problem():
    assert problems([token(1, 1.1), login(1, 2)], [good(1, 12)]) == []


def test_a_client_without_a_login_fails_the_run():
    made = records()
    made.clients["it"].events = [token(1, 1.1)]
    assert judge(made).problems == ["it: it made no login"]


def test_a_client_that_does_not_end_as_it_should_fails_the_run():
    for status in (None, -9, 1):
        assert problems(status=status) == [f"it: it ended with the status {status}"]


def test_a_failed_child_and_no_child_at_all_fail_the_run():
    assert problems([fork()], signers="many") == []
    assert problems(signers="many") == ["it: it made no fork"]
    assert problems([fork(), fork("failed")], signers="many") == ["it: a forked child failed: "]


def test_a_login_that_fails_otherwise_fails_the_run():
    assert problems([login(1, 2, "failed")]) == ["it: a login failed: "]


def test_an_error_of_another_kind_fails_the_run():
    for code in ("INTERNAL", "INVALID_CREDENTIALS", "failed"):
        assert problems([token(1, 7, code)]) == [f"it: no token: {code}: "]


# Refused logins.

REFUSALS = {
    "newer credentials lay there": (
        [good(1, 12), good(5, 16)],
        [login(10, 13, "refused")],
        "newer credentials had been handed over",
    ),
    "credentials with four seconds left, and nobody asked": (
        [good(1, 12)],
        [login(8.5, 13, "refused")],
        "its source was not asked for newer credentials",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_avoidable_refusal_fails_the_run(case):
    asks, events, reason = REFUSALS[case]
    assert problems(events, asks) == [f"it: a token was refused, although {reason}"]


EXCUSED_REFUSALS = {
    "six seconds were left, the login took longer": ([good(1, 12)], [login(6, 13, "refused")]),
    "nobody has newer ones": ([good(1, 12), bad("503", 9)], [login(9, 13, "refused")]),
    "the newer ones were not delivered": (
        [good(1, 12), good(6, 20, delivered=False), bad("503", 9)],
        [login(9, 13, "refused")],
    ),
    "the newer ones came late": ([good(1, 12), good(8.6, 20)], [login(8.5, 13, "refused")]),
    "the client may have given up before": (
        [good(1, 12), good(4, 20, done=4.6, fault="slow"), bad("503", 9)],
        [login(9, 13, "refused")],
    ),
}


@pytest.mark.parametrize("case", EXCUSED_REFUSALS)
def test_a_refusal_that_could_not_be_avoided_is_only_counted(case):
    asks, events = EXCUSED_REFUSALS[case]
    result = judge(records(events, asks))
    assert (result.problems, result.verdicts[0].refused_late) == ([], 1)


def test_credentials_of_a_process_of_its_own_must_have_ended():
    for signers in ("one at a time", "many"):
        events = [login(1, 3, "refused"), fork()]
        expected = ["it: a token was refused, although all its credentials were valid"]
        assert problems(events, [good(1.2, 9)], signers=signers) == expected
        assert problems(events, [good(1.2, 2.5)], signers=signers) == []


def test_a_jump_ends_credentials_and_excuses_logins_across_it():
    jump = (10, 10.001, 100)
    asks = [good(1, 12), good(11, 120)]
    # The wall clock is at 113.
    assert problems([login(9, 13, "refused")], asks[:1], jumps=[jump]) == []
    expected = ["it: a token was refused, although newer credentials had been handed over"]
    assert problems([login(12.5, 13, "refused")], asks, jumps=[jump]) == expected


def test_the_server_may_refuse_for_no_other_reason():
    assert problems(refusals=Counter(expired=3)) == []
    assert problems(refusals=Counter({"unknown-access-key": 2})) == [
        "the server refused 2 tokens as unknown-access-key"
    ]


def test_the_server_has_accepted_each_login_that_a_client_counts():
    assert problems(accepted=1) == []
    assert problems(accepted=0) == ["the clients counted 1 logins, the server 0"]


# Errors of credentials.

FAILED = "CREDENTIALS_FAILED"
ERRORS = {
    "it gave up after a second": ([bad("503", 1)], [token(1, 2, FAILED)], "there was time left to ask again"),
    "credentials were handed over while it waited": (
        [bad("503", 1.5), good(2, 30)],
        [token(1, 6, FAILED)],
        "valid credentials had been handed over",
    ),
    "credentials were held": (
        [good(1, 30), bad("503", 10), bad("503", 13)],
        [token(10, 15, FAILED)],
        "valid credentials had been handed over",
    ),
    "it asked only once": ([bad("hang", 1, 6)], [token(1, 6, FAILED)], "its source was asked 1 times"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_avoidable_error_fails_the_run(case):
    asks, events, reason = ERRORS[case]
    [problem] = problems(events, asks)
    assert problem.startswith("it: CREDENTIALS_FAILED after ") and f"although {reason}: " in problem


EXCUSED_ERRORS = {
    "the source refused": ([bad("403", 1)], [token(1, 1.1, FAILED)]),
    "it asked until the bound": ([bad("503", 1), bad("hang", 1.2, 6)], [token(1, 6, FAILED)]),
    "the credentials have ended": ([good(1, 12), bad("503", 10), bad("503", 13)], [token(10, 15, FAILED)]),
    "the right answer came just at the end": ([bad("503", 1), good(5.5, 30)], [token(1, 6, FAILED)]),
    "the error of a fetch that began before": (
        [bad("503", 1), bad("503", 3)],
        [token(4, 6, FAILED, since=1)],
    ),
}


@pytest.mark.parametrize("case", EXCUSED_ERRORS)
def test_an_error_that_could_not_be_avoided_is_only_counted(case):
    asks, events = EXCUSED_ERRORS[case]
    result = judge(records(events, asks))
    assert (result.problems, result.verdicts[0].errors_excused) == ([], 1)


def test_a_frozen_client_is_excused_for_what_it_missed_but_not_for_giving_up():
    asks = [bad("503", 1), good(2, 30)]
    assert problems([token(1, 9, FAILED)], asks, frozen=[(1.5, 8)]) == []
    assert len(problems([token(1, 4, FAILED)], asks[:1], frozen=[(1.5, 3)])) == 1


# Seconds to the answer.


@pytest.mark.parametrize("outcome", ["ok", FAILED])
def test_an_answer_after_the_bound_fails_the_run(outcome):
    asks = [bad("503", 1), bad("503", 3)]
    assert problems([token(1, 7.4, outcome)], asks) == []
    assert problems([token(1, 7.6, outcome)], asks) == [
        f"it: an answer came 1.6 s after the bound: {outcome}"
    ]


def test_a_freeze_across_the_bound_and_a_machine_that_stood_still_are_not_the_client_s():
    asks = [bad("503", 1), bad("503", 3)]
    late = [token(1, 13, FAILED)]
    assert len(problems(late, asks)) == 1
    assert problems(late, asks, frozen=[(2, 12)]) == []
    assert len(problems(late, asks, frozen=[(2, 5)])) == 1
    assert problems(late, asks, naps=[(7, 2)]) == []
    assert len(problems(late, asks, naps=[(70, 2)])) == 1


# Processes.


def process(minutes, memory=lambda n: 1000, descriptors=lambda n: 10, threads=lambda n: 4):
    """A process with a sample every second."""
    numbers = range(round(minutes * 60))
    return Process("it", 100, [(n, memory(n), descriptors(n), threads(n)) for n in numbers])


def test_a_slope_is_that_of_a_line():
    assert slope([(0, 100), (60, 150), (120, 200)]) == pytest.approx(50)


def test_memory_that_grows_after_the_first_minute_fails_the_run():
    grows = process(10, memory=lambda n: 1000 + 2 * n)
    assert problems(processes=[grows]) == ["it: its memory grows by 120 KiB a minute"]
    starts = process(10, memory=lambda n: 1000 + 100 * min(n, 60))
    assert problems(processes=[starts]) == []
    # A runtime that compiles for some minutes, and one that collects.
    stops = process(10, memory=lambda n: 1000 + 20 * min(n, 240))
    collects = process(10, memory=lambda n: 3000 - 4 * min(n, 300) + 2 * max(0, n - 330))
    assert problems(processes=[stops, collects]) == []
    late = process(10, memory=lambda n: 1000 + 4 * max(0, n - 240))
    assert problems(processes=[late]) == ["it: its memory grows by 240 KiB a minute"]
    # Too short to tell.
    assert problems(processes=[process(3, memory=lambda n: 1000 + 2 * n)]) == []


@pytest.mark.parametrize("what", ["descriptors", "threads"])
def test_a_number_that_grows_fails_the_run(what):
    leaks = process(1, **{what: lambda n: 10 + n // 5 + n % 3})
    [problem] = problems(processes=[leaks])
    assert problem.startswith(f"it: its {what} grow from ")
    assert problems(processes=[process(1, **{what: lambda n: 10 + n % 10})]) == []
    starts = process(10, **{what: lambda n: 10 + min(n, 59)})
    assert problems(processes=[starts]) == []


def test_a_process_that_nobody_watched_fails_the_run():
    assert problems(processes=[Process("it", 100)]) == ["it: it was not watched"]
