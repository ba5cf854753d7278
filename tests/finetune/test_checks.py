"""What the check says of good data and of each way it can be bad."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from rhetoric.finetune import DataReport, TrainConfig, check
from rhetoric.finetune.data import read_labelled
from rhetoric.finetune.duplicates import hidden, near_duplicates, normalised

from .conftest import Rows, make_rows


@pytest.fixture
def base(tiny_folder: Path) -> TrainConfig:
    return TrainConfig(base=str(tiny_folder))


def kinds(report: DataReport) -> set[tuple[str, str]]:
    return {(p.severity, p.kind) for p in report.problems if p.kind != "label hardly there"}


def named(report: DataReport, kind: str) -> list[tuple[str, int | None, str]]:
    return [(p.source, p.row, p.value) for p in report.problems if p.kind == kind]


def test_sound_data_is_described(base: TrainConfig) -> None:
    rows = make_rows(60)
    rows[0] |= {"borderline": ["threat"], "labels": ["demand"]}
    report = check(rows, config=base)
    assert report.sound
    assert kinds(report) == set()
    assert report.files[0].rows == report.files[0].usable == 60
    for label in ("demand", "threat"):
        assert report.labels[label] == sum(label in row["labels"] for row in rows)
    assert report.borderline["threat"] == 1
    assert report.neutral == report.per_row[0] == sum(not row["labels"] for row in rows)
    both = sum({"demand", "threat"} <= set(row["labels"]) for row in rows)
    assert ("demand", "threat", both) in report.pairs
    assert report.lengths is not None
    assert report.lengths.longest == max(len(row["text"].split()[:-1]) + 2 + len(str(i)) for i, row in enumerate(rows))
    assert json.loads(json.dumps(report.to_dict()))["sound"] is True


def test_unknown_labels_are_named_with_the_nearest(base: TrainConfig) -> None:
    rows = make_rows(40)
    rows[7]["labels"] = ["demnad"]
    rows[9]["labels"] = ["demand, threat"]
    report = check(rows, config=base)
    assert named(report, "unknown label") == [("rows", 7, "demnad"), ("rows", 9, "demand, threat")]
    assert "did you mean 'demand'?" in report.problems[0].message
    assert "join them with |" in report.problems[1].message
    assert not report.sound


def test_labels_of_ones_own_need_no_asking(base: TrainConfig) -> None:
    own = {"urgent": "today", "vague": "any"}
    report = check(make_rows(40, clues=own), config=base)
    assert report.sound
    assert tuple(report.labels) == ("urgent", "vague")
    mixed = make_rows(40) + make_rows(40, clues=own, seed=1)
    assert ("error", "unknown label") in kinds(check(mixed, config=base))
    extended = check(mixed, config=base.changed({"extend": True}))
    assert extended.sound
    assert tuple(extended.labels)[-2:] == ("urgent", "vague")
    assert len(extended.labels) == 14


def test_neutral_is_no_label_unless_it_is_a_class(base: TrainConfig) -> None:
    rows = make_rows(40)
    for row in rows:
        row["labels"] = row["labels"] or ["neutral"]
    report = check(rows, config=base)
    assert report.sound
    assert "neutral" not in report.labels
    assert report.neutral == sum(row["labels"] == ["neutral"] for row in rows)
    rows[0]["labels"] = ["neutral", "demand"]
    assert named(check(rows, config=base), "neutral and more") == [("rows", 0, "neutral|demand")]
    classes = make_rows(40, clues={"neutral": "law", "sharp": "never"}, exclusive=True)
    assert tuple(check(classes, config=base.changed({"task": "single_label"})).labels) == ("neutral", "sharp")


def test_a_label_that_no_cell_could_hold_is_refused(base: TrainConfig) -> None:
    rows = make_rows(40, clues={"a|b": "law", "c": "never"})
    assert [p.value for p in check(rows, config=base).problems if p.kind == "| in a label"] == ["a|b"]


def test_labels_without_rows_are_not_taken_for_misspelt(base: TrainConfig) -> None:
    rows = make_rows(40)
    rows[0]["labels"] = ["demands"]
    assert named(check(rows, config=base.changed({"extend": True})), "labels alike")
    rows = make_rows(40, clues={"urgent": "today", "vague": "any"})
    config = base.changed({"extend": True, "labels": ["urgent", "vague", "demands"]})
    assert not named(check(rows, config=config), "labels alike")


def test_a_single_label_task_needs_one_class_a_row(base: TrainConfig) -> None:
    rows = make_rows(40, clues={"x": "law", "y": "never"}, exclusive=True)
    config = base.changed({"task": "single_label"})
    assert check(rows, config=config).sound
    rows[3]["labels"], rows[5]["labels"] = [], ["x", "y"]
    assert named(check(rows, config=config), "not one class") == [("rows", 3, ""), ("rows", 5, "x|y")]


def test_rare_and_absent_labels(base: TrainConfig) -> None:
    own = {"urgent": "today", "vague": "any"}
    rows = make_rows(40, clues=own)
    rows[11]["labels"] = ["once"]
    report = check(rows, config=base)
    assert named(report, "label seen once") == [("rows", 11, "once")]
    config = base.changed({"labels": ["urgent", "vague", "once", "never"]})
    assert named(check(rows, config=config), "label without rows") == [("all files", None, "never")]
    rows[12]["labels"] = ["once"]
    report = check(rows, config=base)
    assert report.sound
    assert kinds(report) == {("warning", "rare label")}
    assert "2 rows (11, 12)" in report.problems[0].message


def test_labels_that_the_data_lacks_are_not_said_to_stay_as_they_were(base: TrainConfig) -> None:
    lines = [p.message for p in check(make_rows(40), config=base).problems if p.kind == "label hardly there"]
    assert lines and all(
        line.startswith("0 rows, too few to learn from, so taught only what the base") for line in lines
    )
    assert all("the shared network may still move it a little; remedy: " in line for line in lines)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([{"text": f"text {i}", "labels": ["mine"]} for i in range(30)], "one class only"),
        ([{"text": f"text {i}", "labels": []} for i in range(30)], "no labels at all"),
        ([{"text": "text", "labels": ["demand"]}], "too few rows"),
        ([{"text": None, "labels": ["demand"]}], "too few rows"),
    ],
)
def test_data_without_a_contrast_is_unsound(base: TrainConfig, rows: Rows, kind: str) -> None:
    assert ("error", kind) in kinds(check(rows, config=base))


def test_labels_joined_by_commas_are_named(base: TrainConfig) -> None:
    rows = [{"text": f"text {i}", "labels": ["urgent", "vague", "urgent, vague"][i % 3]} for i in range(60)]
    assert named(check(rows, config=base), "labels joined") == [("all files", None, "urgent, vague")]


def test_a_label_that_only_the_dev_file_carries_is_not_unlearned(base: TrainConfig) -> None:
    train = [row for row in make_rows(120) if "demand" not in row["labels"]]
    report = check(train, make_rows(60, seed=1), config=base)
    (line,) = [p.message for p in report.problems if (p.kind, p.value) == ("label hardly there", "demand")]
    assert line.startswith("0 rows, too few to learn from")
    new = [{**row, "labels": [*row["labels"], "mine"]} if i % 3 else row for i, row in enumerate(make_rows(60, seed=1))]
    report = check(train, new, config=base.changed({"extend": True}))
    assert named(report, "label without rows") == [("all files", None, "mine")]


def test_names_that_may_be_one(base: TrainConfig) -> None:
    rows = make_rows(60, clues={"Urgent": "today", "urgent": "any"})
    assert named(check(rows, config=base), "labels alike")
    rows = make_rows(60, clues={"urgency": "today"})
    rows[0]["labels"], rows[1]["labels"] = ["urgnecy"], ["urgnecy"]
    report = check(rows, config=base)
    assert [(p.severity, p.value) for p in report.problems if p.kind == "labels alike"] == [("warning", "urgnecy")]
    numbered = make_rows(60, clues={"level_1": "today"})
    numbered[0]["labels"], numbered[1]["labels"] = ["level_2"], ["level_2"]
    assert not named(check(numbered, config=base), "labels alike")


def test_repeated_texts(base: TrainConfig) -> None:
    rows = make_rows(60)
    rows.append(dict(rows[4]))
    rows.append({"text": f"  {rows[5]['text'].upper()} ", "labels": ["evasion", "rejection"]})
    long = "we thank our friends for their open support before any talks begin today under the charter and the law"
    rows += [{"text": long, "labels": []}, {"text": f"{long} .", "labels": []}]
    report = check(rows, config=base)
    assert named(report, "duplicate") == [("rows", 60, rows[4]["text"])]
    assert [row for _, row, _ in named(report, "conflicting labels")] == [61]
    assert [row for _, row, _ in named(report, "near duplicate")] == [63]
    assert (report.exact_duplicates, report.conflicts, report.near_duplicates) == (2, 1, 1)
    assert report.sound


def test_many_contradictions_are_unsound(base: TrainConfig) -> None:
    rows = make_rows(60)
    rows += [{"text": row["text"], "labels": ["evasion"]} for row in rows[:10]]
    assert ("error", "conflicting labels") in kinds(check(rows, config=base))


def test_a_borderline_label_contradicts_nothing(base: TrainConfig) -> None:
    rows = make_rows(60)
    rows[0]["labels"] = ["demand"]
    rows.append({"text": rows[0]["text"], "labels": [], "borderline": ["demand"]})
    assert check(rows, config=base).conflicts == 0


def test_leaks_between_files(base: TrainConfig, write: Any) -> None:
    train, dev = make_rows(60), make_rows(30, seed=1)
    dev[2]["text"] = train[40]["text"].upper()
    for i, row in enumerate(train + dev):
        row["document"] = f"d{i}"
    dev[5]["document"] = "d3"
    one, other = write(train, "train.jsonl"), write(dev, "dev.jsonl")
    report = check(one, other, config=base)
    assert report.leaks == 1
    assert [(s, r) for s, r, _ in named(report, "leaks between files")] == [(str(other), 3)]
    assert f"{one} row 41" in str(report.errors[0])
    assert named(report, "group in two files") == [(str(other), None, "d3")]


def test_over_long_texts_are_listed(base: TrainConfig) -> None:
    rows = make_rows(40)
    rows[3]["text"] = "talks " * 40
    report = check(rows, config=base.changed({"max_tokens": 24}))
    assert [row for _, row, _ in named(report, "over-long text")] == [3]
    assert "42 tokens; training reads the first 24" in "".join(p.message for p in report.problems)
    assert report.lengths is not None
    assert report.lengths.over == 1


def test_near_duplicates_are_found_and_no_others() -> None:
    rng = random.Random(0)
    texts = [normalised(" ".join(f"w{rng.randrange(5000)}" for _ in range(25))) for _ in range(300)]
    copies = [f"{text} indeed" for text in texts[:100]]
    halves = [" ".join(text.split()[:13] + [f"v{i}" for i in range(12)]) for text in texts[100:200]]
    pairs = near_duplicates(texts + copies + halves)
    assert [(one, other) for one, other, _ in pairs] == [(i, 300 + i) for i in range(100)]
    assert all(overlap == pytest.approx(23 / 24) for _, _, overlap in pairs)


def test_names_are_hidden_where_near_duplicates_are_sought(base: TrainConfig) -> None:
    rows = make_rows(60)
    names = ("Russia", "the United States", "Emmanuel Macron")
    rows += [{"text": f"{name} welcomes the release of the ships", "labels": []} for name in names]
    report = check(rows, config=base)
    assert [row for _, row, _ in named(report, "near duplicate")] == [61]
    assert report.exact_duplicates == 0
    assert "100% the same as rows row 60, names of actors apart" in {p.message for p in report.problems}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Russia warns Kenya", "the United States warns a Kenyan"),
        ("Kenya's envoy spoke", "The United States’ envoy  spoke"),
        ("NATO met Merkel", "THE AFRICAN UNION MET MACRON"),
    ],
)
def test_texts_that_differ_in_names_alone_are_one(one: str, other: str) -> None:
    assert hidden(one) == hidden(other)


def test_states_organisations_and_leaders_stay_apart() -> None:
    assert len({hidden(f"{name} warns of a new war") for name in ("Russia", "NATO", "Emmanuel Macron", "Nobody")}) == 4


def test_repeats_in_another_group_are_told(base: TrainConfig) -> None:
    """The split goes by group, so training may have seen what dev measures."""
    rows = make_rows(60)
    long = "we thank our friends for their open support before any talks begin today under the charter and the law"
    rows += [{"text": text, "labels": []} for text in (long, f"{long} .", long)]
    rows += [{"text": text, "labels": []} for text in (f"{long} , .", long)]
    for i, row in enumerate(rows):
        row["document"] = f"d{min(i, 62)}" if i != 61 else "d60"
    report = check(rows, config=base)
    assert [row for _, row, _ in named(report, "near duplicate")] == [61]
    assert [row for _, row, _ in named(report, "near duplicate between groups")] == [63]
    assert [row for _, row, _ in named(report, "duplicate between groups")] == [62, 64]
    assert (report.near_duplicates, report.exact_duplicates) == (2, 2)
    assert str(report.problems[-1]).endswith("; the split goes by group, so they may stand on both sides of it")


def test_a_template_fills_no_bucket() -> None:
    """Rows that share most words but are not alike would otherwise be compared all with all."""
    texts = [f"the committee met on day {i} and heard a statement by the delegation of the state" for i in range(3000)]
    started = time.process_time()
    assert near_duplicates(texts) == []
    assert time.process_time() - started < 5  # takes 0.3 s; comparing all pairs takes 4 s for 3,000


def test_leaks_between_lists_are_seen(base: TrainConfig) -> None:
    """Lists have no name of their own."""
    rows = make_rows(60)
    report = check(rows, rows[:3], config=base)
    assert report.leaks == 3
    assert not report.sound
    assert [file.name for file in report.files] == ["rows 1", "rows 2"]


def test_one_column_of_0_and_1_is_read_once(base: TrainConfig) -> None:
    """Twice the rows take about twice the time: looking at the whole column for every row took ten times this."""
    rows = [{"text": f"We urge party {i} to talk about item {i * 7919}.", "threat": i % 2} for i in range(6000)]
    start = time.perf_counter()
    reading = read_labelled(rows, base.changed({"label_column": "threat"}))
    assert time.perf_counter() - start < 2
    assert sum(row.labels == ("threat",) for row in reading.rows) == 3000
