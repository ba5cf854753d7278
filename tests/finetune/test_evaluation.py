"""Figures of a model on labelled data are those of the tagger's own decisions."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.finetune import TrainResult, evaluate
from rhetoric.taxonomy import LABELS

from .conftest import CLUES, make_rows


def test_figures_are_those_of_the_tagger(tiny_folder: Path) -> None:
    rows = make_rows(120)
    result = evaluate(tiny_folder, rows)
    predictions = RhetoricTagger.from_pretrained(tiny_folder).predict([row["text"] for row in rows])
    for score in result.scores.labels:
        hits = sum(
            score.label in row["labels"] and score.label in p.labels for row, p in zip(rows, predictions, strict=True)
        )
        assert score.predicted == sum(score.label in p.labels for p in predictions)
        assert score.support == sum(score.label in row["labels"] for row in rows)
        assert score.recall == pytest.approx(hits / score.support)
    assert tuple(score.label for score in result.scores.labels) == tuple(name for name in LABELS if name in CLUES)
    assert set(result.not_in_data) == set(LABELS) - set(CLUES)
    assert json.loads(json.dumps(result.to_dict()))["scores"]["rows"] == 120


def test_borderline_cells_do_not_count(tiny_folder: Path) -> None:
    rows = make_rows(60)
    without = evaluate(tiny_folder, rows).scores.labels[0]
    for row in rows:
        row["borderline"] = [] if "demand" in row["labels"] else ["demand"]
    masked = evaluate(tiny_folder, rows).scores.labels[0]
    assert masked.recall == without.recall
    assert masked.predicted == round(masked.recall * masked.support)
    assert masked.precision in (0, 1)


def test_the_surest_errors_come_first(tiny_folder: Path) -> None:
    rows = make_rows(60)
    result = evaluate(tiny_folder, rows, worst=7)
    assert len(result.worst) == 7
    gaps = [abs(error.probability - error.gold) for error in result.worst]
    assert gaps == sorted(gaps, reverse=True)
    for error in result.worst:
        row = rows[int(error.place.split()[-1])]
        assert row["text"] == error.text
        assert (error.label in row["labels"]) == error.gold
    assert evaluate(tiny_folder, rows, worst=0).worst == ()


def test_a_better_model_is_seen_to_be_better(tiny_folder: Path, trained: TrainResult) -> None:
    rows = make_rows(200, seed=7)
    result = evaluate(trained.path, rows, against=tiny_folder)
    overall = {row.name: row for row in result.comparison}
    assert overall["macro_f1"].first == pytest.approx(result.scores.macro_f1.value)
    assert overall["macro_f1"].difference.low > 0
    assert overall["macro_f1"].p_value < 0.05
    backwards = evaluate(tiny_folder, rows, against=trained.path)
    assert backwards.comparison[0].difference.value == pytest.approx(-overall["macro_f1"].difference.value)


class Checker(HTMLParser):
    """Collects text, and fails on tags that are never closed."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_shows_text_as_text(tiny_folder: Path) -> None:
    rows = make_rows(60)
    for row in rows:
        row["text"] = f"<script>alert(1)</script> & {row['text']}"
    page = evaluate(tiny_folder, rows, against=tiny_folder).to_html()
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.links == []
    assert "<script" not in page
    assert "<script>alert(1)</script> &" in checker.text
    for heading in ("Labels", "Against", "Confusion", "Surest errors"):
        assert heading in checker.text


def test_data_that_cannot_be_evaluated_on_is_refused(tiny_folder: Path) -> None:
    rows = make_rows(20)
    rows[4]["labels"], rows[6]["text"] = ["demnad"], None
    with pytest.raises(InputError, match=r"row 6: missing text"):
        evaluate(tiny_folder, rows)
    with pytest.raises(InputError, match=r"not know: 'demnad' from row 4 on, 1 in all \(did you mean 'demand'\?\); "):
        evaluate(tiny_folder, rows[:6])
    rows[4]["labels"] = ["neutral", "demand"]
    with pytest.raises(InputError, match=r"row 4: neutral and more 'neutral\|demand'; neutral means no label"):
        evaluate(tiny_folder, rows[:6])
    with pytest.raises(InputError, match="carries no label"):
        evaluate(tiny_folder, [{"text": "talks", "labels": []}])


@pytest.mark.parametrize(
    ("documents", "warnings"),
    [
        (
            1,
            (
                "the rows have only one value of document: rows were drawn as if independent, and the intervals are "
                "too narrow",
            ),
        ),
        (4, ("the rows have only 4 values of document: the intervals are too narrow",)),
        (10, ()),
    ],
)
def test_few_documents_are_warned_of(tiny_folder: Path, documents: int, warnings: tuple[str, ...]) -> None:
    rows = [row | {"document": f"d{i % documents}"} for i, row in enumerate(make_rows(120))]
    result = evaluate(tiny_folder, rows)
    assert result.warnings == warnings
    assert result.scores.micro_f1.low < result.scores.micro_f1.high
    assert all(line in result.to_html() for line in warnings)
    assert evaluate(tiny_folder, make_rows(120)).warnings == ()


def test_labels_with_few_rows_are_warned_of_in_one_line(tiny_folder: Path) -> None:
    rows = make_rows(120)
    left = [row for row in rows if "demand" not in row["labels"]]
    rows = left + [row for row in rows if "demand" in row["labels"]][:19]
    enough = [name for name in CLUES if sum(name in row["labels"] for row in rows) >= 20]
    (line,) = evaluate(tiny_folder, rows).warnings
    assert line.startswith("fewer than 20 rows of demand (19)") and "remedy: " in line
    assert enough and not any(name in line for name in enough)


def test_labels_that_the_other_model_does_not_know_are_named(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RhetoricTagger.from_pretrained(tiny_folder)
    labels = tuple(name for name in real.labels if name not in ("demand", "threat"))
    other = SimpleNamespace(labels=labels, predict=real.predict)
    monkeypatch.setattr(RhetoricTagger, "from_pretrained", lambda model: real if model == tiny_folder else other)
    result = evaluate(tiny_folder, make_rows(60), against="other")
    assert result.not_shared == ("demand", "threat")
    assert [row.name for row in result.comparison[3:]] == ["conciliation", "solidarity"]
    assert "does not know demand, threat; left out" in result.to_html()
