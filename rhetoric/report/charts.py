"""The charts of a report, as SVG and tables that read well without colour and without a mouse."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from rhetoric.report.figures import Figures, Part, Rate, when
from rhetoric.taxonomy import FAMILIES, FAMILY_OF

__all__ = [
    "balance_over_time",
    "families_over_time",
    "group_table",
    "legend",
    "overall",
    "signed",
    "together",
    "types_over_time",
]

LEFT, RIGHT, BOTTOM, TOP = 36, 12, 18, 8


def legend(labels: Sequence[str], families: Sequence[str]) -> str:
    """Which colour stands for which family, and which labels belong to it."""
    members = {family: ", ".join(name for name in labels if _family(name) == family) for family in families}
    items = "".join(f'<li class="{family}"><b>{family}</b> {escape(names)}</li>' for family, names in members.items())
    return f'<ul class="legend" aria-label="Families of labels">{items}</ul>' if items else ""


def overall(labels: Sequence[str], figures: Figures) -> str:
    """Bars of the label rates, with their intervals."""
    row, left, width = 22, 16 + 7.5 * max(map(len, labels)), 260
    top = max(rate.high for rate in figures.whole.rates) or 1.0
    marks = []
    order = sorted(range(len(labels)), key=lambda i: -figures.whole.rates[i].value)
    for place, i in enumerate(order):
        rate, y = figures.whole.rates[i], row * place

        def x(value: float) -> float:
            return left + width * value / top

        marks.append(
            f'<g class="{_family(labels[i])}"><title>{escape(labels[i])}: {_words(rate)}</title>'
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(labels[i])}</text>'
            f'<rect class="fill" x="{left}" y="{y + 5}" width="{x(rate.value) - left:.1f}" height="12"/>'
            f'<path class="whisker" d="M{x(rate.low):.1f} {y + 11}H{x(rate.high):.1f}"/>'
            f'<text x="{x(rate.high) + 8:.1f}" y="{y + 15}">{rate.value:.1%}</text></g>'
        )
    said = "; ".join(f"{labels[i]} {figures.whole.rates[i].value:.1%}" for i in order)
    return _svg(left + width + 60, row * len(labels) + 4, "Share of sentences that carry each label", said, marks)


def types_over_time(labels: Sequence[str], figures: Figures) -> str:
    """A small chart a label, all on one scale, so that they can be compared."""
    return _multiples(labels, figures.over_time, [part.rates for part in figures.over_time])


def families_over_time(figures: Figures) -> str:
    """A small chart a family: sentences with any label of it."""
    return _multiples(figures.families, figures.over_time, [part.families for part in figures.over_time])


def balance_over_time(figures: Figures) -> str:
    """The balance of each period that has one."""
    parts = [part for part in figures.over_time if part.balance is not None]
    if not parts:
        return "<p>No sentence is conflictual or cooperative.</p>"
    rates = [part.balance for part in parts if part.balance is not None]
    chart = _line(parts, rates, -1.0, 1.0, "Conflict–cooperation balance over time", width=440, height=180, ticks=5)
    return f'<figure class="balance">{chart}</figure>'


def group_table(column: str, labels: Sequence[str], parts: Sequence[Part], whole: Part) -> str:
    """Rates of each group; dark where a rate's interval leaves the rate of all rows out."""
    heads = _heads(labels)
    rows = []
    for part in (whole, *parts):
        cells = []
        for i, rate in enumerate(part.rates):
            apart = part is not whole and not rate.low <= whole.rates[i].value <= rate.high
            side = ("more" if rate.value > whole.rates[i].value else "less") if apart else ""
            cells.append(
                f'<td class="n {_family(labels[i])} {side}" title="{escape(labels[i])}: {_words(rate)}">'
                f"{100 * rate.value:.0f}<small>{100 * rate.low:.0f}–{100 * rate.high:.0f}</small></td>"
            )
        balance = (
            ""
            if part.balance is None
            else (
                f"{signed(part.balance.value)}<small>{signed(part.balance.low)} to {signed(part.balance.high)}</small>"
            )
        )
        rows.append(
            f'<tr{" class=whole" if part is whole else ""}><th>{escape(part.name)}</th><td class="n">{part.rows:,}</td>'
            f'{"".join(cells)}<td class="n">{balance}</td></tr>'
        )
    return (
        f'<div class="wide"><table class="groups"><thead><tr><th>{escape(column)}</th><th class="n">sentences</th>'
        f"{heads}"
        f'<th class="slant"><span>balance</span></th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def together(labels: Sequence[str], figures: Figures) -> str:
    """Of the sentences with the label of the row, the share that also carry that of the column, in percent."""
    heads = _heads(labels)
    rows = []
    for i, label in enumerate(labels):
        cells = []
        for j, other in enumerate(labels):
            share = figures.together[i, j]
            if i == j or np.isnan(share):
                cells.append('<td class="n soft">·</td>')
            else:
                title = f"{share:.0%} of the sentences with {label} also carry {other}"
                cells.append(
                    f'<td class="n shade" style="--w:{55 * share:.0f}%" title="{escape(title)}">{100 * share:.0f}</td>'
                )
        n = round(figures.whole.rates[i].value * figures.whole.rows)
        rows.append(
            f'<tr><th class="{_family(label)} name">{escape(label)}</th><td class="n">{n:,}</td>{"".join(cells)}</tr>'
        )
    return (
        f'<div class="wide"><table class="groups"><thead><tr><th></th><th class="n">sentences</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def signed(value: float) -> str:
    """A balance, with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def _heads(labels: Sequence[str]) -> str:
    return "".join(f'<th class="{_family(name)} name slant"><span>{escape(name)}</span></th>' for name in labels)


def _multiples(names: Sequence[str], parts: Sequence[Part], rates: Sequence[Sequence[Rate]]) -> str:
    top = _ceiling(max(rate.value for row in rates for rate in row))
    charts = []
    for i, name in enumerate(names):
        chart = _line(parts, [row[i] for row in rates], 0.0, top, f"{name}: share of sentences over time")
        charts.append(
            f'<figure class="{_family(name)}"><figcaption class="name">{escape(name)}</figcaption>{chart}</figure>'
        )
    return f'<div class="multiples">{"".join(charts)}</div>'


def _line(
    parts: Sequence[Part],
    rates: Sequence[Rate],
    bottom: float,
    top: float,
    title: str,
    *,
    width: int = 220,
    height: int = 116,
    ticks: int = 2,
) -> str:
    inner_w, inner_h = width - LEFT - RIGHT, height - TOP - BOTTOM
    first, last = when(parts[0].name), when(parts[-1].name)

    def x(i: int) -> float:
        return LEFT + inner_w * ((when(parts[i].name) - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return TOP + inner_h * (top - min(max(value, bottom), top)) / (top - bottom)

    def number(value: float) -> str:
        return f"{value:.1%}" if bottom == 0 else signed(value)

    marks = []
    for value in (bottom, (bottom + top) / 2, top):
        name = f"{100 * value:.3g}%" if bottom == 0 else f"{value:+.0f}".replace("-", "−") if value else "0"
        marks.append(
            f'<path class="grid" d="M{LEFT} {y(value):.1f}H{width - RIGHT}"/>'
            f'<text class="tick" x="{LEFT - 5}" y="{y(value) + 4:.1f}" text-anchor="end">{name}</text>'
        )
    upper = " ".join(f"{x(i):.1f},{y(rate.high):.1f}" for i, rate in enumerate(rates))
    lower = " ".join(f"{x(i):.1f},{y(rate.low):.1f}" for i, rate in reversed(list(enumerate(rates))))
    marks.append(f'<polygon class="band" points="{upper} {lower}"/>')
    points = " ".join(f"{x(i):.1f},{y(rate.value):.1f}" for i, rate in enumerate(rates))
    marks.append(f'<polyline class="line" points="{points}"/>')
    for i, (part, rate) in enumerate(zip(parts, rates, strict=True)):
        said = f"{part.name}: {number(rate.value)} (95 %: {number(rate.low)} to {number(rate.high)}), "
        marks.append(
            f'<circle class="dot" cx="{x(i):.1f}" cy="{y(rate.value):.1f}" r="{1.6 if len(parts) > 25 else 2.4}">'
            f"<title>{escape(said)}{part.rows:,} sentences</title></circle>"
        )
    shown = sorted({round(k * (len(parts) - 1) / max(ticks - 1, 1)) for k in range(min(ticks, len(parts)))})
    for i in shown:
        anchor = "middle" if len(shown) == 1 or 0 < i < len(parts) - 1 else "end" if i else "start"
        marks.append(
            f'<path class="grid" d="M{x(i):.1f} {height - BOTTOM}v4"/>'
            f'<text class="tick" x="{x(i):.1f}" y="{height - 3}" text-anchor="{anchor}">{escape(parts[i].name)}</text>'
        )
    least, most = (pick(range(len(rates)), key=lambda i: rates[i].value) for pick in (min, max))
    told = (("first", 0), ("last", len(parts) - 1), ("lowest", least), ("highest", most))
    said = "; ".join(f"{word} {number(rates[i].value)} ({parts[i].name})" for word, i in told)
    return _svg(width, height, title, said, marks)


def _svg(width: float, height: float, title: str, said: str, marks: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(said)}.</desc>{''.join(marks)}</svg>"
    )


def _family(name: str) -> str:
    """The family of a label, or the family itself."""
    return FAMILY_OF.get(name, name if name in FAMILIES else "own")


def _words(rate: Rate) -> str:
    return f"{rate.value:.1%} (95 %: {rate.low:.1%} to {rate.high:.1%})"


def _ceiling(share: float) -> float:
    """The next round share above one."""
    return next((step for step in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if step >= share * 1.05), 1.0)
