"""What the measurements of a row, which run.py describes, come to."""

import statistics

# How many parts of a run are looked at apart, and how far off a figure may be to be trusted.
PARTS = 5
NOISY = 0.1


def figure(row, peer=None):
    """The median of a peer's measurements, or of rdsign's."""
    return statistics.median(_measurements(row, peer))


def _measurements(row, peer):
    return row["rdsign"] if peer is None else row["peers"][peer]


def _unsteadiness(row, peer=None):
    """How far from their middle the figures of some parts of the run lie, as a share of it; none
    where there was one measurement."""
    measurements = _measurements(row, peer)
    if len(measurements) < PARTS:
        return None
    ends = [len(measurements) * part // PARTS for part in range(PARTS + 1)]
    parts = [statistics.median(measurements[a:b]) for a, b in zip(ends, ends[1:], strict=False)]
    return (max(parts) - min(parts)) / 2 / abs(figure(row, peer))


def is_noisy(row):
    return any((_unsteadiness(row, peer) or 0) > NOISY for peer in (None, *row["peers"]))


def unsteadiness(row):
    share = _unsteadiness(row)
    return "" if share is None else f"{100 * share:.0f} %"


def times(row, peer):
    """How many times better rdsign is than a peer: faster, or smaller."""
    ratio = figure(row, peer) / figure(row)
    return 1 / ratio if row["unit"].endswith(" per second") else ratio


def aims(row):
    """What each aim is, and whether it was met."""
    ours = figure(row)
    for aim in row.get("aims", ()):
        if "more than" in aim:
            met = _met(ours - figure(row, aim["more than"]) <= aim["at most"])
            yield f"at most {number(aim['at most'])} more than {aim['more than']}: {met}"
        elif "at most" in aim:
            yield f"at most {number(aim['at most'])}: {_met(ours <= aim['at most'])}"
        elif "times as fast as" in aim:
            met = _met(times(row, aim["times as fast as"]) >= aim["times"])
            yield f"{aim['times']} times as fast: {met}"
        else:
            share = ours / figure(row, aim["times at most"])
            met = _met(share <= aim["times"])
            yield f"at most {aim['times']} times {aim['times at most']}: {share:.2f}, {met}"


def _met(whether):
    return "met" if whether else "missed"


def number(value):
    """A figure with three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
