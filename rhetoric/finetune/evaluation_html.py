"""An evaluation as one HTML page, without scripts or anything loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rhetoric.finetune.evaluation import Evaluation
    from rhetoric.finetune.metrics import Interval

__all__ = ["page"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
th:first-child, td:first-child, td.text { text-align: left }
.bar { position: relative; width: 12rem; height: .8rem; background: #eee }
.bar i, .bar b { position: absolute; top: 0; height: 100% }
.bar i { background: #9db8d9 } .bar b { width: 2px; background: #1d3f72 }
.matrix th { writing-mode: vertical-rl; transform: rotate(180deg) } .matrix th:first-child { writing-mode: initial;
transform: none }
.note { color: #666 }
"""


def page(result: Evaluation) -> str:
    """The page.

    Args:
        result: The evaluation.
    """
    parts = [
        f"<h1>{escape(result.model)}</h1>",
        f"<p>On {result.scores.rows:,} rows of {escape(result.data)}; brackets and bars are 95 % bootstrap "
        "intervals.</p>",
        *(f'<p class="note">Warning: {escape(line)}.</p>' for line in result.warnings),
        _overall(result),
        _labels(result),
        _comparison(result) if result.comparison else "",
        _confusion(result),
        _worst(result),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width"><title>Evaluation</title>'
        f"<style>{STYLE}</style></head><body>\n{chr(10).join(part for part in parts if part)}\n</body></html>\n"
    )


def _overall(result: Evaluation) -> str:
    scores = result.scores
    rows = [
        ("macro F1", str(scores.macro_f1)),
        ("micro F1", str(scores.micro_f1)),
        ("all labels of a row right", str(scores.subset_accuracy)),
        ("mean calibration error", f"{scores.calibration_error:.3f}"),
    ]
    left_out = f'<p class="note">No row mentions {escape(", ".join(result.not_in_data))}; left out of every figure.</p>'
    return _table((), rows) + (left_out if result.not_in_data else "")


def _labels(result: Evaluation) -> str:
    head = ("label", "precision", "recall", "F1", "", "rows", "predicted", "calibration error")
    rows = [
        (
            escape(label.label),
            f"{label.precision:.3f}",
            f"{label.recall:.3f}",
            str(label.f1),
            _bar(label.f1),
            f"{label.support}",
            f"{label.predicted}",
            f"{label.calibration_error:.3f}",
        )
        for label in result.scores.labels
    ]
    return "<h2>Labels</h2>" + _table(head, rows)


def _comparison(result: Evaluation) -> str:
    head = ("", "this model", "the other", "difference", "p")
    rows = [
        (
            escape(row.name.replace("_", " ")),
            f"{row.first:.3f}",
            f"{row.second:.3f}",
            f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]",
            f"{row.p_value:.3f}",
        )
        for row in result.comparison
    ]
    left_out = f'<p class="note">The other does not know {escape(", ".join(result.not_shared))}; left out here.</p>'
    title = f"<h2>Against {escape(result.against or '')}</h2>"
    return title + (left_out if result.not_shared else "") + _table(head, rows)


def _confusion(result: Evaluation) -> str:
    names = [*(escape(label.label) for label in result.scores.labels), "nothing"]
    largest = max((count for row in result.confusion for count in row), default=0) or 1
    head = "".join(f"<th>{name}</th>" for name in ("missed ↓, given instead →", *names))
    body = "".join(
        f"<tr><td>{name}</td>"
        + "".join(f'<td style="background: rgba(200, 60, 40, {n / largest:.2f})">{n or ""}</td>' for n in row)
        + "</tr>"
        for name, row in zip(names, result.confusion, strict=True)
    )
    return f'<h2>Confusion</h2><table class="matrix"><tr>{head}</tr>{body}</table>'


def _worst(result: Evaluation) -> str:
    rows = [
        (
            escape(error.place),
            f"{escape(error.label)} {'missed' if error.gold else 'given'} at {error.probability:.2f}",
            escape(error.text),
        )
        for error in result.worst
    ]
    return "<h2>Surest errors</h2>" + _table(("row", "error", "text"), rows) if rows else ""


def _bar(value: Interval) -> str:
    return (
        f'<div class="bar"><i style="left: {value.low:.1%}; width: {value.high - value.low:.1%}"></i>'
        f'<b style="left: {value.value:.1%}"></b></div>'
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are escaped already."""
    first = "".join(f"<th>{name}</th>" for name in head)
    body = "".join("<tr>" + "".join(f'<td class="text">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{first}</tr>' if first else ''}{body}</table>"
