"""The foot of a report: where the scores come from, what was left out, what the intervals are and what they are not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from rhetoric.clusters import FEW_CLUSTERS
from rhetoric.report.figures import Figures
from rhetoric.scored import Scored

__all__ = ["method"]


def method(scored: Scored, found: Figures, *, time: str | None) -> str:
    """A list of terms and notes, as HTML.

    Args:
        scored: The rows.
        found: Their figures.
        time: Column of dates.
    """
    summary = _summary(scored)
    notes = {
        "Rows": _rows(scored, found, summary, time),
        "Model": _model(summary),
        "Labels": "Each sentence is judged by itself, without the ones around it; it may carry several labels or none. "
        "A score is the calibrated probability of a label; a label is given where it reaches its threshold. "
        "“Uncertain” (a question mark beside a label) means that the score lies so close to the threshold that "
        "careful readers may differ.",
        "Intervals": _intervals(found),
        "Balance": "(cooperative − conflictual) / (cooperative + conflictual) sentences. Cooperative: conciliation, "
        "commitment, solidarity. Conflictual: any coercive or adversarial label. A sentence that is both counts on "
        "both sides. Demands, appeals and framing count on neither."
        if found.families
        else "",
        "Limits": "Intervals cover chance in drawing sentences, not the errors of the model. These are in its model "
        "card and differ from label to label: compare a label with itself, over time or between groups, rather than "
        "labels with each other. Where a rate matters, read the sentences. Reported speech counts like the author’s "
        "own words.",
        "This page": "One file that loads nothing and sends nothing. On paper the list of sentences appears only when "
        "it is filtered, as far as it is shown.",
    }
    return "<dl>" + "".join(f"<dt>{term}</dt><dd>{note}</dd>" for term, note in notes.items() if note) + "</dl>"


def _rows(scored: Scored, found: Figures, summary: Mapping[str, Any], time: str | None) -> str:
    parts = [f"{len(scored):,} sentences of {escape(scored.path.name)} are scored and counted"]
    if scored.errors:
        parts.append(f"{scored.errors:,} could not be scored and count nowhere")
    if found.undated:
        parts.append(f"{found.undated:,} have no date in column {escape(str(time))} and are missing over time only")
    if summary.get("quarantined"):
        parts.append(f"{_count(summary['quarantined'])} never came into the file (see the quarantine of the job)")
    if summary.get("truncated"):
        parts.append(f"of {_count(summary['truncated'])} only the beginning was read, being too long")
    errors = summary.get("errors")
    if isinstance(errors, dict) and errors:
        reasons = [f"{escape(reason)}: {_count(bad.get('count'))}" for reason, bad in errors.items()]
        parts.append(f"reasons of rows not scored: {', '.join(reasons)}")
    return "; ".join(parts) + "."


def _model(summary: Mapping[str, Any]) -> str:
    model, options = summary.get("model"), summary.get("options")
    if not isinstance(model, dict) or not isinstance(options, dict):
        return "Not known: the summary that <code>rhetoric score</code> writes beside its file was not found."
    digest, asked = str(model.get("digest", "not told"))[:12], options.get("threshold")
    thresholds = (
        f"set by hand ({escape(json.dumps(asked))})"
        if asked is not None
        else "those of the model, one a label, in its card"
    )
    parts = [f"fingerprint {escape(digest)}", f"engine {escape(str(model.get('engine')))}", f"thresholds {thresholds}"]
    if options.get("top"):
        parts.append(f"at most {escape(str(options['top']))} labels a sentence")
    return "; ".join(parts).capitalize() + "."


def _intervals(found: Figures) -> str:
    start = "95 %, after Wilson (1927)"
    if not (found.design_effect > 1).any():
        return f"{start}, taking sentences as independent, which sentences of one speech are not."
    few = ""
    if found.documents is not None and found.documents < FEW_CLUSTERS:
        few = f" These are only {found.documents}, so the intervals are too narrow."
    effect = float(np.median(found.design_effect))
    return (
        f"{start}, widened because sentences of one document resemble each other: the number of sentences is divided "
        "by the design effect (Kish, 1965), one a label, estimated from all documents; "
        f"its median is {effect:.1f}.{few}"
    )


def _summary(scored: Scored) -> Mapping[str, Any]:
    try:
        path = scored.path.with_name(f"{scored.path.name}.summary.json")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
