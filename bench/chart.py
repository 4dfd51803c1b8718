"""Draws two charts of the results, light and dark: the cost of a warm token, the cost of the first token
of a process, and the size of what is installed."""

import matplotlib

matplotlib.use("svg")
# Keep text as text, and write the same file for the same results.
matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "rdsign", "font.family": "sans-serif"}
import matplotlib.pyplot as plt  # noqa: E402, the backend comes first
from figures import can_tell, figure, number  # noqa: E402

# Readable on GitHub's light and dark pages, also by people who cannot tell red from green.
THEMES = {
    "light": {"text": "#1f2328", "ours": "#0969da", "theirs": "#b8c0ca", "grid": "#d8dee4"},
    "dark": {"text": "#e6edf3", "ours": "#58a6ff", "theirs": "#5b646e", "grid": "#30363d"},
}
# For each "chart" of a row: the title, and the factor from the row's unit to the chart's.
PANELS = {
    "warm": ("One token, warm, with a long-lived key: µs of CPU", 1e-3),
    "first": ("First token of a process, keys in the environment: ms of CPU", 1),
    "installed": ("Installed, with all dependencies: MB", 1),
}


def bars(report, panel, scale):
    """Yields (label, value, whether it is ours) for each bar of a panel, in the order of the rows.
    Skips figures that are not above their noise."""
    for row in report["rows"]:
        if row.get("chart") != panel:
            continue
        if can_tell(row, None):
            yield f"rdsign ({row['language']})", figure(row) * scale, True
        # Skips what an aim compares with, such as the hashing: nobody can use that instead.
        held_against = {
            aim.get(kind) for aim in row.get("aims", ()) for kind in ("times at most", "more than")
        }
        for name in row["peers"]:
            if name not in held_against and can_tell(row, name):
                yield name, figure(row, name) * scale, False


def draw(report, folder):
    """Writes chart-light.svg and chart-dark.svg."""
    for theme, colours in THEMES.items():
        panels = [(title, list(bars(report, panel, scale))) for panel, (title, scale) in PANELS.items()]
        panels = [(title, found) for title, found in panels if found]
        heights = [len(found) + 1.6 for _, found in panels]
        drawing, axes = plt.subplots(
            len(panels),
            1,
            figsize=(8, 0.27 * sum(heights)),
            height_ratios=heights,
            layout="constrained",
            squeeze=False,
        )
        for axis, (title, found) in zip(axes[:, 0], panels, strict=True):
            draw_panel(axis, title, found, colours)
        drawing.savefig(folder / f"chart-{theme}.svg", transparent=True, metadata={"Date": None})
        plt.close(drawing)


def draw_panel(axis, title, found, colours):
    labels, values, ours = zip(*found, strict=True)
    places = range(len(found))[::-1]
    axis.barh(places, values, 0.72, color=[colours["ours" if own else "theirs"] for own in ours])
    axis.set_xscale("log")
    axis.set_xlim(min(values) / 2, max(values) * 2.5)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_yticks(places, labels, color=colours["text"], fontsize=9)
    axis.set_title(title, loc="left", color=colours["text"], fontsize=10)
    axis.set_axisbelow(True)
    axis.grid(axis="x", color=colours["grid"], linewidth=0.6)
    axis.tick_params(axis="x", colors=colours["text"], labelsize=8, length=0, which="both")
    axis.tick_params(axis="y", length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    for place, value in zip(places, values, strict=True):
        axis.annotate(
            number(value),
            (value, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            color=colours["text"],
            fontsize=9,
        )
