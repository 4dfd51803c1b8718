"""Computes figures from the measurements of a row, and compares them with the aims.

A figure is the median of its measurements. Some measurements are differences, such as the cost of a first
token compared with the bare interpreter, and a busy machine can make them meaningless. A figure that is
not above zero, or not above its own noise, is not shown and meets no aim.
"""

import statistics

# The number of parts that a run is split into to estimate its noise, and the noise from which a row is
# called noisy.
PARTS = 5
NOISY = 0.1
CANNOT_TELL = "cannot tell"


def figure(row, peer=None):
    """Returns the median of a peer's measurements, or of rdsign's if `peer` is None."""
    return statistics.median(_measurements(row, peer))


def _measurements(row, peer):
    return row["rdsign"] if peer is None else row["peers"][peer]


def _noise(row, peer=None):
    """Returns half the difference between the highest and the lowest median of the parts of the run.
    Returns None if there are too few measurements."""
    measurements = _measurements(row, peer)
    if len(measurements) < PARTS:
        return None
    ends = [len(measurements) * part // PARTS for part in range(PARTS + 1)]
    parts = [statistics.median(measurements[a:b]) for a, b in zip(ends, ends[1:], strict=False)]
    return (max(parts) - min(parts)) / 2


def can_tell(row, *peers):
    """Reports whether the figures of all these peers are above their noise; None is rdsign."""
    return all(figure(row, peer) > max(0, _noise(row, peer) or 0) for peer in peers)


def shown(row, peer=None):
    return number(figure(row, peer)) if can_tell(row, peer) else CANNOT_TELL


def is_noisy(row):
    everyone = (None, *row["peers"])
    return not can_tell(row, *everyone) or any(
        (_noise(row, peer) or 0) > NOISY * figure(row, peer) for peer in everyone
    )


def unsteadiness(row):
    """Returns the noise of rdsign's figure, in percent of the figure."""
    noise = _noise(row)
    return f"{100 * noise / figure(row):.0f} %" if noise is not None and can_tell(row, None) else ""


def times(row, peer):
    """Returns how many times faster or smaller rdsign is than a peer."""
    return number(_times(row, peer)) if can_tell(row, None, peer) else CANNOT_TELL


def _times(row, peer):
    ratio = figure(row, peer) / figure(row)
    return 1 / ratio if row["unit"].endswith(" per second") else ratio


def aims(row):
    """Yields each aim, and whether it was met."""
    for aim in row.get("aims", ()):
        if "more than" in aim:
            peer = aim["more than"]
            said = f"at most {number(aim['at most'])} more than {peer}: "
            yield said + _met(row, peer, lambda: figure(row) - figure(row, peer) <= aim["at most"])
        elif "at most" in aim:
            yield f"at most {number(aim['at most'])}: " + _met(
                row, None, lambda: figure(row) <= aim["at most"]
            )
        elif "times as fast as" in aim:
            peer = aim["times as fast as"]
            peers = {other.get("times as fast as") for other in row["aims"]} - {None}
            than = f" as {peer}" if len(peers) > 1 else ""
            yield f"{aim['times']} times as fast{than}: " + _met(
                row, peer, lambda: _times(row, peer) >= aim["times"]
            )
        else:
            peer = aim["times at most"]
            said = f"at most {aim['times']} times {peer}: "
            share = figure(row) / figure(row, peer) if can_tell(row, None, peer) else None
            said += "" if share is None else f"{share:.2f}, "
            yield said + _met(row, peer, lambda: share <= aim["times"])


def _met(row, peer, is_met):
    if not can_tell(row, None, peer):
        return CANNOT_TELL
    return "met" if is_met() else "missed"


def number(value):
    """Formats a figure with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
