"""Judges the records of a soak. Pure functions: they read no clock, file or process.

All times are seconds of the monotonic clock, which no test moves. A credential's end is a time of the wall
clock, which the soak lets jump; `Records.wall` maps one to the other. Every rule compares recorded times with
promises of docs/guarantees.md, such that a slow machine can only excuse a client:

- Credentials count as *handed over* when the fake AWS had sent all of a right answer.
- An error *could have been avoided* if credentials that are still valid were handed over while the call
  ran; if the call ended with more than a second of its bound left, and the source had not refused; or if
  the source was asked only once.
- A refused login *could have been avoided* if its newest credentials were still valid at its end; or if
  they had less than five seconds left at its start and the source was not asked for newer ones.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from faults import FINAL, GOOD, Ask
from processes import Process, Use, judge_process

# From docs/guarantees.md, in seconds.
ENDING = 5
# The longest pause before a source is asked again; and how much longer a caller waits for another's fetch.
PAUSE, WAIT_BEYOND = 1, 0.5
# How far apart two events may be that belong together, next to what the machine itself held up.
NEAR = 1
# A machine that let the soak itself wait for N seconds may let a program with many threads wait longer.
TURNS = 10


@dataclass
class Client:
    """What one client did, and what its source answered. `signers` is as in programs.py."""

    label: str
    signers: str = "one"
    events: list[dict] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    frozen: list[tuple[float, float]] = field(default_factory=list)
    status: int | None = 0

    @cached_property
    def handed_over(self) -> list[Ask]:
        """The answers with credentials that the client has got for certain: all of a right answer was
        sent, and nothing was slow in the time that a refresh waits, so the client had not given up."""
        slow = [ask for ask in self.asks if ask.done is None or ask.done - ask.arrived > 0.2]
        return [
            ask
            for ask in self.asks
            if ask.outcome == GOOD
            and ask.delivered
            and ask.end is not None
            and not any(overlaps(ask.done - 2, ask.done, one.arrived, one.done or ask.done) for one in slow)
        ]


@dataclass
class Records:
    """Everything that a soak recorded. `ahead` lists when the wall clock jumped, as (from, to, seconds
    ahead of the real one after it); `naps` by how much a sleep of the soak itself was too long, and when."""

    bound: float
    epoch: float
    clients: dict[str, Client]
    jumps: list[tuple[float, float, float]] = field(default_factory=list)
    naps: list[tuple[float, float]] = field(default_factory=list)
    refusals: Counter = field(default_factory=Counter)
    accepted: int = 0
    processes: list[Process] = field(default_factory=list)

    def wall(self, moment: float) -> float:
        """Returns the wall clock at a moment, in Unix seconds."""
        past = bisect_right([end for _, end, _ in self.jumps], moment)
        return self.epoch + moment + (self.jumps[past - 1][2] if past else 0)

    def jumped(self, start: float, end: float) -> bool:
        return any(overlaps(start, end, first, last) for first, last, _ in self.jumps)

    def slack(self, start: float, end: float) -> float:
        """Returns how much the machine may have held up a program in this time."""
        around = (nap for at, nap in self.naps if start - NEAR <= at <= end + NEAR)
        return NEAR + TURNS * max(around, default=0)


@dataclass
class Verdict:
    """A client's numbers, and what is wrong, as texts."""

    label: str
    logins: int = 0
    refused: int = 0
    refused_late: int = 0
    errors: int = 0
    errors_excused: int = 0
    broken: int = 0
    forks: int = 0
    late: int = 0
    longest: float = 0
    problems: list[str] = field(default_factory=list)


def overlaps(start: float, end: float, first: float, last: float) -> bool:
    return start <= last and first <= end


def judge_client(client: Client, records: Records) -> Verdict:
    verdict = Verdict(client.label)
    for event in client.events:
        if event["what"] == "login":
            judge_login(event, client, records, verdict)
        elif event["what"] == "token":
            judge_token(event, client, records, verdict)
        elif event["outcome"] == "ok":
            verdict.forks += 1
        else:
            verdict.problems.append(f"a forked child failed: {event['text']}")
    if not verdict.logins:
        verdict.problems.append("it made no login")
    if client.signers == "many" and not verdict.forks:
        verdict.problems.append("it made no fork")
    if client.status != 0:
        verdict.problems.append(f"it ended with the status {client.status}")
    verdict.problems = [f"{client.label}: {problem}" for problem in verdict.problems]
    return verdict


def judge_login(event: dict, client: Client, records: Records, verdict: Verdict) -> None:
    if event["outcome"] == "ok":
        verdict.logins += 1
    elif event["outcome"] != "refused":
        verdict.broken += 1
        verdict.problems.append(f"a login failed: {event['text']}")
    elif reason := avoidable_refusal(event, client, records):
        verdict.refused += 1
        verdict.problems.append(f"a token was refused, although {reason}")
    else:
        verdict.refused_late += 1


def avoidable_refusal(event: dict, client: Client, records: Records) -> str | None:
    """Returns why the server should have accepted a login that it refused, or None."""
    start, end = event["began"], event["ended"]
    if records.jumped(start, end):
        return None
    handed = client.handed_over
    if client.signers != "one":
        # The process or its parent fetched the credentials during the login or just before it.
        used = [ask for ask in handed if overlaps(start - 2 * records.bound, end, ask.arrived, ask.done)]
        are_valid = used and all(ask.end > records.wall(end) for ask in used)
        return "all its credentials were valid" if are_valid else None
    slack = records.slack(start, end)
    before = [ask.end for ask in handed if ask.done < start - slack]
    if not before:
        return None
    if max(before) > records.wall(end):
        return "newer credentials had been handed over"
    if max(before) - records.wall(start) >= ENDING:
        return None  # the login took longer than the credentials lived
    asked = any(overlaps(start - slack, end, ask.arrived, ask.done or end) for ask in client.asks)
    return None if asked else "its source was not asked for newer credentials"


def judge_token(event: dict, client: Client, records: Records, verdict: Verdict) -> None:
    start, end = event["began"], event["ended"]
    due = start + records.bound
    for first, last in client.frozen:
        if first <= due <= last:
            due = last
    held_up = sum(max(0, min(end, last) - max(start, first)) for first, last in client.frozen)
    verdict.longest = max(verdict.longest, end - start - held_up)
    beyond = end - due
    if beyond > WAIT_BEYOND + NEAR and beyond > WAIT_BEYOND + records.slack(start, end):
        verdict.late += 1
        verdict.problems.append(f"an answer came {beyond:.1f} s after the bound: {event['outcome']}")
    code = event["outcome"]
    if code == "ok":
        return
    if not code.startswith("CREDENTIALS_"):
        verdict.broken += 1
        verdict.problems.append(f"no token: {code}: {event['text']}")
    elif reason := avoidable_error(event, client, records):
        verdict.errors += 1
        verdict.problems.append(f"{code} after {end - start:.1f} s, although {reason}: {event['text']}")
    else:
        verdict.errors_excused += 1


def avoidable_error(event: dict, client: Client, records: Records) -> str | None:
    """Returns why there should have been a token instead of an error of credentials, or None."""
    start, end = event.get("since", event["began"]), event["ended"]
    slack = records.slack(start, end)
    asked = [ask for ask in client.asks if overlaps(start - NEAR, end, ask.arrived, ask.done or end)]
    is_refused = any(ask.outcome == FINAL for ask in asked)
    if not is_refused and end - start < records.bound - PAUSE:
        return "there was time left to ask again"
    if any(overlaps(start, end, first, last) for first, last in client.frozen):
        return None
    since = start if client.signers == "one at a time" else float("-inf")
    if client.signers != "many":
        handed = [ask for ask in client.handed_over if since <= ask.arrived and ask.done < end - slack]
        if any(ask.end > records.wall(end) for ask in handed):
            return "valid credentials had been handed over"
    if not is_refused and len(asked) < 2:
        return f"its source was asked {len(asked)} times"
    return None


def judge_server(records: Records, verdicts: list[Verdict]) -> list[str]:
    """Compares the server's log with what the clients say."""
    problems = [
        f"the server refused {count} tokens as {reason}"
        for reason, count in records.refusals.items()
        if reason != "expired"
    ]
    logins = sum(verdict.logins for verdict in verdicts)
    if logins > records.accepted:
        problems.append(f"the clients counted {logins} logins, the server {records.accepted}")
    return problems


@dataclass
class Result:
    """The verdicts of a soak, and all that is wrong."""

    verdicts: list[Verdict]
    uses: list[Use]
    faults: Counter
    asks: int
    problems: list[str]


def judge(records: Records) -> Result:
    verdicts = [judge_client(client, records) for client in records.clients.values()]
    uses = [judge_process(process) for process in records.processes]
    problems = [problem for verdict in verdicts for problem in verdict.problems]
    problems += [problem for use in uses for problem in use.problems]
    problems += judge_server(records, verdicts)
    asks = [ask for client in records.clients.values() for ask in client.asks]
    faults = Counter(ask.fault for ask in asks if ask.fault != "none")
    return Result(verdicts, uses, faults, len(asks), problems)
