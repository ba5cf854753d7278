"""Results as HTML: fragments for notebooks, and a page for a document. No scripts, nothing loaded from elsewhere.

Everything that comes from a text is escaped. In a document the labels are drawn by the style sheet, from attributes,
so that the text of the page is the text of the document, to the letter: it can be searched and copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from rhetoric.explain import Explanation
from rhetoric.prediction import Document, Prediction, Profile, Sentence
from rhetoric.taxonomy import FAMILIES, FAMILY_OF

__all__ = ["FAMILY_COLOURS", "document", "document_page", "explanation", "page", "prediction", "profile", "sentence"]

# On white and on black; told apart by the colour-blind too, and never the only sign: the label stands beside it.
FAMILY_COLOURS = {
    "directive": ("#8a6d00", "#e3bf4a"),
    "coercive": ("#b3261e", "#ff8a80"),
    "adversarial": ("#8e3a9d", "#dd9bea"),
    "cooperative": ("#1b6e3c", "#74cf96"),
    "framing": ("#0b6080", "#6fc3e4"),
    "own": ("#555555", "#bbbbbb"),
}
LEGEND = (
    "Before a sentence stands who says it, and “quoted” if it is word for word",
    "After it stand its labels with their probabilities; “?”: careful readers may differ",
)
_LIGHT = "".join(f"--{name}:{light};" for name, (light, _) in FAMILY_COLOURS.items())
_DARK = "".join(f"--{name}:{dark};" for name, (_, dark) in FAMILY_COLOURS.items())
_FAMILIES = "".join(f".rhetoric .{name}{{--c:var(--{name})}}" for name in FAMILY_COLOURS)
STYLE = f"""
.rhetoric{{--ink:#1c1c1c;--soft:#666;--line:#ddd;--paper:#fff;{_LIGHT}color:var(--ink);background:var(--paper);
font:17px/1.65 Georgia,'Times New Roman',serif}}
@media screen and (prefers-color-scheme:dark){{
.rhetoric{{--ink:#e6e6e6;--soft:#a0a0a0;--line:#3a3a3a;--paper:#161616;{_DARK}}}}}
{_FAMILIES}
.rhetoric .text{{white-space:pre-wrap;overflow-wrap:anywhere;max-width:44rem}}
.rhetoric .s{{background:color-mix(in srgb,var(--c) 13%,transparent);box-shadow:inset 0 -2px var(--c);
border-radius:2px}}
.rhetoric .s::after,.rhetoric .said::before{{display:inline-block;box-sizing:border-box;max-width:100%;
white-space:normal;border-radius:3px;vertical-align:1px}}
.rhetoric .s::after{{content:attr(data-labels);font:600 11px/1.35 system-ui,sans-serif;color:var(--paper);
background:var(--c);padding:1px 5px;margin:0 3px 0 5px}}
.rhetoric .said::before{{content:attr(data-speaker);font:italic 11px/1.35 system-ui,sans-serif;color:var(--soft);
background:var(--paper);border:1px solid var(--line);padding:0 4px;margin-right:4px}}
.rhetoric .small,.rhetoric table{{font:13px/1.45 system-ui,sans-serif}}
.rhetoric .small{{color:var(--soft);margin:.3rem 0}}
.rhetoric table{{border-collapse:collapse;margin:.6rem 0;background:none;color:inherit}}
.rhetoric th,.rhetoric td{{padding:2px 14px 2px 0;text-align:left;border-bottom:1px solid var(--line);
background:none;font-weight:400;white-space:nowrap}}
.rhetoric thead th{{color:var(--soft);font-size:12px}}
.rhetoric .n{{text-align:right;font-variant-numeric:tabular-nums}}
.rhetoric .name{{color:var(--c);font-weight:600}}
.rhetoric .family th{{padding-top:9px;font-weight:400;font-style:italic}}
.rhetoric .family td{{padding-top:9px;color:var(--soft)}}
.rhetoric .family .bar{{opacity:.4}}
.rhetoric .label th{{padding-left:14px}}
.rhetoric .bar{{display:inline-block;height:.7em;background:var(--c);border-radius:1px;vertical-align:-1px}}
.rhetoric .track{{display:inline-block;width:min(11rem,18vw)}}
.rhetoric .for{{background:color-mix(in srgb,var(--cooperative) var(--w),transparent)}}
.rhetoric .against{{background:color-mix(in srgb,var(--coercive) var(--w),transparent);
text-decoration:underline dotted color-mix(in srgb,var(--ink) var(--w),transparent)}}
@media print{{.rhetoric,.rhetoric *{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
.rhetoric tr{{break-inside:avoid}}}}
"""


def page(title: str, body: str) -> str:
    """A whole page around a fragment.

    Args:
        title: Its title, plain text.
        body: HTML.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>html{{color-scheme:light dark}}body{{margin:0}}"
        "main{max-width:60rem;margin:0 auto;padding:1.5rem 1.1rem 4rem}h1{font:700 1.5rem/1.25 system-ui,sans-serif}"
        f"{STYLE}</style></head>\n"
        f'<body class="rhetoric"><main>\n<h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n'
    )


def document_page(result: Document, title: str) -> str:
    """The page of a document: its profile, then its text with the labels in it."""
    return page(title, _document(result))


def document(result: Document) -> str:
    """A document as a fragment with its own style, for notebooks."""
    return _fragment(_document(result))


def sentence(result: Sentence) -> str:
    """A sentence with its labels and speaker, as a document shows it."""
    return _fragment(f'<div class="text">{_sentence(result)}</div>')


def profile(result: Profile) -> str:
    """The figures of a document."""
    return _fragment(_profile(result, ()))


def prediction(result: Prediction) -> str:
    """The scores of one text, strongest first; of those under 0.05 only the number of them."""
    shown = sorted(
        (name for name in result.scores if result.scores[name] >= 0.05), key=lambda name: -result.scores[name]
    )
    rows = "".join(
        f'<tr class="{_family(name)}"><th class="name">{escape(name)}</th><td class="n">{result.scores[name]:.2f}</td>'
        f"<td>{_bar(result.scores[name])}</td><td>{'given' if name in result.labels else ''}"
        f"{' (uncertain)' if name in result.uncertain else ''}</td></tr>"
        for name in shown
    )
    notes = [] if result.labels else ["neutral: no label reaches its threshold"]
    if len(shown) < len(result.scores):
        notes.append(f"{len(result.scores) - len(shown)} labels under 0.05")
    if result.truncated:
        notes.append("truncated")
    return _fragment(f'<table><tbody>{rows}</tbody></table><p class="small">{"; ".join(notes)}</p>')


def explanation(result: Explanation) -> str:
    """The words that speak for each label (green) and against it (red, dotted); the strongest with figures."""
    legend = (
        '<p class="small"><span class="for" style="--w:40%">Green</span>: speaks for the label; '
        '<span class="against" style="--w:40%">red, dotted</span>: against it. Figures: change of the log-odds.</p>'
    )
    return _fragment("".join(_explained(result, label) for label in result.contributions) + legend)


def _fragment(body: str) -> str:
    return f'<style>{STYLE}</style><div class="rhetoric">{body}</div>'


def _family(label: str) -> str:
    return FAMILY_OF.get(label, "own")


def _bar(share: float) -> str:
    return f'<span class="track"><span class="bar" style="width:{100 * share:.1f}%"></span></span>'


def _document(result: Document) -> str:
    pieces, after = [], 0
    for sentence in result.sentences:
        pieces += [escape(result.text[after : sentence.start]), _sentence(sentence)]
        after = sentence.end
    pieces.append(escape(result.text[after:]))
    return f'{_profile(result.profile, LEGEND)}\n<div class="text">{"".join(pieces)}</div>'


def _sentence(sentence: Sentence) -> str:
    if not sentence.labels and not sentence.speaker and not sentence.quoted:
        return escape(sentence.text)
    classes, attributes = [], []
    if sentence.speaker or sentence.quoted:
        classes.append("said")
        said = [" ".join(sentence.speaker.split())] if sentence.speaker else []
        said += ["quoted"] if sentence.quoted else []
        attributes.append(f'data-speaker="{escape(" · ".join(said))}"')
    if sentence.labels:
        classes += ["s", _family(sentence.labels[0])]
        named = (
            f"{name}\xa0{sentence.scores[name]:.2f}{'?' if name in sentence.uncertain else ''}"
            for name in sentence.labels
        )
        attributes.append(f'data-labels="{escape(" · ".join(named))}"')
        attributes.append(f'title="{escape(_all_scores(sentence.scores))}"')
    return f'<span class="{" ".join(classes)}" {" ".join(attributes)}>{escape(sentence.text)}</span>'


def _all_scores(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {score:.2f}" for name, score in sorted(scores.items(), key=lambda item: -item[1]))


def _profile(profile: Profile, legend: Iterable[str]) -> str:
    if not profile.n_sentences:
        return '<p class="small">No sentence.</p>'
    heads = "<tr><th></th><th>sentences</th><th></th><th>mean score</th></tr>"
    notes = [f"{profile.n_sentences} sentences"]
    if profile.balance is not None:
        notes.append(
            f"Conflict–cooperation balance {profile.balance:+.2f}, from -1 (only coercive and adversarial sentences) "
            "to +1 (only cooperative ones)".replace("-", "−")
        )
    notes += legend
    rows = "".join(_profile_rows(profile))
    return (
        f'<p class="small">{". ".join(notes)}.</p>\n<details open><summary class="small">Profile</summary>'
        f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table></details>"
    )


def _profile_rows(profile: Profile) -> Iterable[str]:
    for family in [*FAMILIES, "own"]:
        if family in profile.family_share:
            share = profile.family_share[family]
            yield (
                f'<tr class="{family} family"><th class="name">{family}</th><td class="n">{share:.0%}</td>'
                f'<td>{_bar(share)}</td><td class="n"></td></tr>'
            )
        members = [name for name in profile.share if _family(name) == family]
        for name in sorted(members, key=lambda name: -profile.share[name]):
            yield (
                f'<tr class="{family} label"><th class="name">{escape(name)}</th>'
                f'<td class="n">{profile.share[name]:.0%}</td><td>{_bar(profile.share[name])}</td>'
                f'<td class="n">{profile.mean_score[name]:.2f}</td></tr>'
            )


def _explained(result: Explanation, label: str) -> str:
    values = result.contributions[label]
    strongest = max(max(map(abs, values), default=0.0), 0.1)
    pieces, after = [], 0
    for word, value in zip(result.words, values, strict=True):
        side = "for" if value > 0 else "against"
        pieces += [
            escape(result.text[after : word.start]),
            f'<span class="{side}" style="--w:{60 * abs(value) / strongest:.0f}%" title="{value:+.2f}">'
            f"{escape(word.text)}</span>",
        ]
        after = word.end
    pieces.append(escape(result.text[after:]))
    head = f'<span class="name">{escape(label)} {result.scores[label]:.2f}</span>'
    top = ", ".join(f"{word} {value:+.2f}" for word, value in result.top(label)) or "no single word"
    return f'<p class="{_family(label)}">{head}<br>{"".join(pieces)}</p><p class="small">{escape(top)}</p>'
