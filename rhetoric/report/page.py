"""Puts a report together: charts and lists as plain HTML, and the rows, packed, for the list that can be searched."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rhetoric.clusters import cluster_column
from rhetoric.html import FAMILY_COLOURS
from rhetoric.report import charts
from rhetoric.report.figures import Figures, figures, guess_time
from rhetoric.report.method import method
from rhetoric.scored import Scored
from rhetoric.taxonomy import FAMILY_OF

__all__ = ["report"]

HERE = Path(__file__).parent
GROUP_NAMES = ("speaker", "country", "source", "actor", "party", "genre", "outlet")


def report(scored: Scored, *, time: str | None = None, by: Sequence[str] | None = None, title: str = "") -> str:
    """The page of a scored file.

    Args:
        scored: At least one scored row.
        time: Column of dates; None to guess it.
        by: Columns to group by; None for those with a usual name (speaker, country, source, …).
        title: Of the page; the file's name if empty.

    Returns:
        HTML that loads nothing from elsewhere.

    Raises:
        InputError: There is no row, no such column, or no date in the time column.
    """
    time = time if time is not None else guess_time(scored)
    if by is None:
        by = [name for name in scored.columns if name.lower() in GROUP_NAMES and name != time]
    found = figures(scored, time=time, by=by)
    title = title or scored.path.name
    colours = "".join(f".{name}{{--c:light-dark({light},{dark})}}" for name, (light, dark) in FAMILY_COLOURS.items())
    sections = [*_charts(scored, found, time), _typical(scored, found), _sentences(scored)]
    sections.append(_section("How to read this", "", method(scored, found, time=time)))
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>{colours}\n{_asset('page.css')}</style></head>\n<body>\n"
        f'<header><h1>{escape(title)}</h1><button id="theme" type="button">Light or dark</button>'
        f"<p>{_summary(scored, found, time)}</p></header>\n<main>\n{chr(10).join(sections)}\n</main>\n"
        f'<script id="rows" type="application/octet-stream">{_packed(scored, time, by)}</script>\n'
        f"<script>{_asset('page.js')}</script>\n</body></html>\n"
    )
    # Half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes a question mark.
    return html.encode("utf-8", "replace").decode("utf-8")


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _section(title: str, note: str, body: str, key: str = "") -> str:
    return f'<section{f" id={key}" if key else ""}><h2>{escape(title)}</h2><p class="note">{note}</p>{body}</section>'


def _summary(scored: Scored, found: Figures, time: str | None) -> str:
    parts = [f"{len(scored):,} sentences"]
    if found.over_time:
        parts.append(f"{escape(found.over_time[0].name)} to {escape(found.over_time[-1].name)}")
    labelled = float(scored.chosen.any(axis=1).mean())
    parts.append(f"{labelled:.0%} carry a label")
    if found.whole.balance is not None:
        parts.append(f"conflict–cooperation balance {charts.signed(found.whole.balance.value)}")
    if scored.errors:
        parts.append(f"<strong>{scored.errors:,} rows could not be scored and are left out</strong>")
    if found.undated:
        parts.append(f"<strong>{found.undated:,} rows have no date in {escape(str(time))}</strong>")
    return "; ".join(parts) + "."


def _charts(scored: Scored, found: Figures, time: str | None) -> list[str]:
    labels, n = scored.labels, len(scored)
    sections = [
        _section(
            "How often each type occurs",
            f"Share of all {n:,} sentences that carry the label. The thin line is the 95 % interval.",
            charts.overall(labels, found) + charts.legend(labels, found.families),
        )
    ]
    if len(found.over_time) > 1:
        sections += _over_time(labels, found, str(time))
    sections += [
        _section(
            f"By {column}",
            "Percent of the group's sentences that carry the label, with the 95 % interval. Shaded where the interval "
            "leaves the rate of all sentences out: ▲ above it, ▽ below; one cell in twenty does by chance.",
            charts.group_table(column, labels, parts, found.whole),
        )
        for column, parts in found.by.items()
    ]
    sections.append(
        _section(
            "What goes together",
            "Of the sentences with the label of the row, the percent that also carry the label of the column.",
            charts.together(labels, found),
        )
    )
    return sections


def _over_time(labels: Sequence[str], found: Figures, time: str) -> list[str]:
    sizes = [part.rows for part in found.over_time]
    scale = (
        f"Percent of the sentences of each {found.unit} (column {escape(time)}; {min(sizes):,} to {max(sizes):,} "
        f"sentences a {found.unit}), all on one scale. The shade is the 95 % interval, cut off at the top of the chart."
    )
    table = charts.group_table(str(found.unit), labels, found.over_time, found.whole)
    figures_of = f"<details><summary>The same in figures</summary>{table}</details>"
    sections = [
        _section(
            f"How the types moved, {found.unit} by {found.unit}",
            scale,
            charts.types_over_time(labels, found) + figures_of,
        )
    ]
    if found.families:
        sections += [
            _section(
                "How the families moved",
                f"{scale} A sentence counts once for each family of which it carries a label.",
                charts.families_over_time(found),
            ),
            _section(
                "Conflict and cooperation",
                f"Balance of each {found.unit}: +1 if all sentences that are either are cooperative (conciliation, "
                "commitment, solidarity), −1 if all are coercive or adversarial (threat, coercion, accusation, "
                "rejection, resolve), 0 if there are as many of each. The shade is the 95 % interval.",
                charts.balance_over_time(found),
            ),
        ]
    return sections


def _typical(scored: Scored, found: Figures) -> str:
    if scored.texts is None:
        return _section("Sentences", "The file has no column of texts.", "")
    texts = scored.texts

    def item(i: int, shown: Sequence[int]) -> str:
        chips = "".join(
            f'<span class="chip {FAMILY_OF.get(scored.labels[j], "own")}">{escape(scored.labels[j])} '
            f"{scored.scores[i, j]:.2f}</span>"
            for j in shown
        )
        return f"<li>{escape(texts[i])} {chips}</li>"

    lists = []
    for j, label in enumerate(scored.labels):
        rows = [i for i in found.typical[label] if scored.chosen[i, j]]
        if rows:
            items = "".join(item(i, [j]) for i in rows)
            lists.append(f'<h3 class="{FAMILY_OF.get(label, "own")} name">{escape(label)}</h3><ul>{items}</ul>')
    doubtful = "".join(
        item(i, np.flatnonzero(scored.uncertain[i]).tolist()) for i in found.doubtful if scored.uncertain[i].any()
    )
    typical = _section(
        "The most typical sentences",
        "The three with the highest score of each label; each text once.",
        f'<details><summary>Show</summary><div class="lists">{"".join(lists)}</div></details>',
    )
    return typical + _section(
        "The most doubtful sentences",
        "Those with most labels near their thresholds, on which careful readers may differ. Read some before you "
        "quote a rate.",
        f"<details><summary>Show</summary><ul>{doubtful or '<li>None.</li>'}</ul></details>",
    )


def _sentences(scored: Scored) -> str:
    if scored.texts is None:
        return ""
    return _section(
        "All sentences",
        f"Filter and search{'; press the name of a document to read it in order' if cluster_column(scored) else ''}. "
        "The bar and its colour stand for the family of the strongest label; a question mark for an uncertain one.",
        '<form id="filters" autocomplete="off"></form><p id="count" role="status">'
        "<noscript>This list needs JavaScript; the charts and tables do not.</noscript></p>"
        '<div id="list"></div>'
        '<button id="more" type="button" hidden>Show more</button>',
        "sentences",
    )


def _packed(scored: Scored, time: str | None, by: Sequence[str]) -> str:
    """The rows as gzipped JSON in base64, which no text can break out of; the page unpacks them."""
    if scored.texts is None:
        return ""
    document = cluster_column(scored)
    columns: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys([*by, *([document] if document else [])]):
        values = scored.values(name)
        names = sorted(set(values))
        place = {value: i for i, value in enumerate(names)}
        columns[name] = {"values": names, "rows": [place[value] for value in values]}
    data = {
        "labels": scored.labels,
        "families": [FAMILY_OF.get(name, "own") for name in scored.labels],
        "texts": scored.texts,
        # Two decimals in a byte are as much as anybody reads.
        "scores": base64.b64encode(np.rint(scored.scores * 100).astype(np.uint8).tobytes()).decode(),
        # 1 for a label given, 2 for one that is uncertain.
        "marks": base64.b64encode((scored.chosen + 2 * scored.uncertain.astype(np.uint8)).tobytes()).decode(),
        "columns": columns,
        "filters": list(dict.fromkeys(by)),
        "document": document,
        "time": None if time is None else scored.values(time),
    }
    return base64.b64encode(
        gzip.compress(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"), 6, mtime=0)
    ).decode()
