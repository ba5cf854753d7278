"""Figures of the measurements; matplotlib is imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def bars(path: Path, names: Sequence[str], values: Sequence[float], title: str, note: str) -> None:
    """Horizontal bars from zero, ours first; each says its value and how many times faster the first is."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(names) + 1.6), layout="constrained")
    colours = ["#2b6cb0" if name.startswith("rhetoric") else "#a0aec0" for name in names]
    axes.barh(range(len(names)), values, color=colours)
    for i, value in enumerate(values):
        ratio = "" if i == 0 else f"  (first is {values[0] / value:.1f} ×)"
        axes.text(value, i, f" {value:,.0f}{ratio}", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, max(values) * 1.25)
    axes.set_xlabel("sentences a second")
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.text(0.01, -0.03, note, fontsize=7.5, color="#4a5568")
    figure.savefig(path, bbox_inches="tight")


def lines(path: Path, rows: Sequence[int], rates: Sequence[float], peaks: Sequence[float]) -> None:
    """Rate and peak memory over the number of rows."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 5), layout="constrained")
    for axes, values, label in ((above, rates, "sentences a second"), (below, peaks, "peak memory, MB")):
        axes.plot(rows, values, marker="o", color="#2b6cb0")
        axes.set_ylabel(label)
        axes.set_ylim(0, max(values) * 1.2)
        axes.spines[["top", "right"]].set_visible(False)
    below.set_xscale("log")
    below.set_xlabel("rows")
    figure.savefig(path)
