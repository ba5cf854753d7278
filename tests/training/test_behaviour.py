"""The behaviour tests are well formed, apart from all training text, and the bundled model passes enough of them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from rhetoric import InputError, RhetoricTagger
from rhetoric.taxonomy import LABELS
from training import behaviour
from training.behaviour import Case, read_cases, run

ROOT = Path(__file__).parents[2]
CAPABILITIES = read_cases()
CASES = [case for cases in CAPABILITIES.values() for case in cases]
# Least share of sentences the bundled model passes: its own rate when it was made, rounded down to a twentieth.
FLOORS = {
    "demand_appeal": 0.90,
    "headlines": 0.96,
    "long_sentences": 0.96,
    "narration": 1.00,
    "negation": 0.88,
    "noise": 0.96,
    "questions": 0.86,
    "quotations": 0.96,
    "reported_conditional": 0.86,
    "topic_words": 1.00,
    "upper_case": 1.00,
    "veiled_threats": 0.82,
}


def normalised(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def trigrams(text: str) -> set[tuple[str, ...]]:
    words = normalised(text).split()
    return set(zip(words, words[1:], words[2:], strict=False))


def examples() -> list[str]:
    lines = (ROOT / "examples" / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def written() -> list[str]:
    lines = (ROOT / "training" / "written.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[2] for line in lines if not line.startswith("#")]


def test_every_capability_has_enough_sentences_and_a_floor() -> None:
    assert CAPABILITIES.keys() == FLOORS.keys()
    assert {name: len(cases) for name, cases in CAPABILITIES.items() if len(cases) < 25} == {}


def test_no_text_stands_twice() -> None:
    texts = [" ".join(case.text.split()) for case in CASES]
    assert len(texts) == len(set(texts))


def test_every_label_is_required_somewhere_and_forbidden_somewhere() -> None:
    assert {label for case in CASES for label in case.present} == set(LABELS)
    assert {label for case in CASES for label in case.absent} == set(LABELS)


def test_pairs_have_at_least_two_sentences() -> None:
    for name, cases in CAPABILITIES.items():
        pairs = [case.pair for case in cases if case.pair is not None]
        assert all(pairs.count(pair) >= 2 for pair in pairs), name


def test_long_sentences_are_long() -> None:
    assert all(len(case.text.split()) >= 60 for case in CAPABILITIES["long_sentences"])


def test_noise_and_upper_case_expect_the_same_of_both_twins() -> None:
    for name in ("noise", "upper_case"):
        expected: dict[str | None, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        for case in CAPABILITIES[name]:
            assert expected.setdefault(case.pair, (case.present, case.absent)) == (case.present, case.absent)


def test_upper_case_twins_are_the_same_words() -> None:
    cases = CAPABILITIES["upper_case"]
    assert [case.text.upper() for case in cases[::2]] == [case.text for case in cases[1::2]]


def test_no_sentence_is_an_example_or_close_to_training_text() -> None:
    others = examples() + written()
    assert not {normalised(case.text) for case in CASES} & {normalised(text) for text in others}
    holders = defaultdict(set)
    for text in others:
        for trigram in trigrams(text):
            holders[trigram].add(text)
    for case in CASES:
        own = trigrams(case.text)
        for text in set().union(*(holders[trigram] for trigram in own if trigram in holders)):
            theirs = trigrams(text)
            assert len(own & theirs) <= 0.6 * len(own | theirs), (case.text, text)


def test_no_written_sentence_is_an_example_or_stands_twice() -> None:
    texts = [normalised(text) for text in written()]
    assert not set(texts) & {normalised(text) for text in examples()}
    assert len(texts) == len(set(texts))


@pytest.fixture(scope="module")
def tagger() -> RhetoricTagger:
    return RhetoricTagger.from_pretrained(threads=2)


def test_the_bundled_model_passes_enough(tagger: RhetoricTagger) -> None:
    results = run(tagger, CAPABILITIES)
    rates = {name: round(result.rate, 3) for name, result in results.items()}
    assert {name: rate for name, rate in rates.items() if rate < FLOORS[name]} == {}
    assert sum(result.n - len(result.failures) for result in results.values()) >= 0.9 * len(CASES)


def test_a_missing_and_an_unwanted_label_fail_and_break_their_pair(tagger: RhetoricTagger) -> None:
    plain, other = "We urge all parties to exercise restraint.", "The committee met on Tuesday."
    assert "appeal" in tagger.predict_one(plain).labels
    cases = [
        Case(plain, ("appeal",), ("evasion",), "good"),
        Case(other, (), ("appeal",), "good"),
        Case(plain, (), ("appeal",), "bad"),
        Case(other, (), ("appeal",), "bad"),
        Case(other, ("appeal",), ()),
    ]
    (result,) = run(tagger, {"x": cases}).values()
    assert (result.n, result.passed, result.pairs, result.pairs_passed) == (5, 3, 2, 1)
    assert [failure.text for failure in result.failures] == [plain, other]
    assert [list(failure.unwanted) for failure in result.failures] == [["appeal"], []]
    assert [list(failure.missing) for failure in result.failures] == [[], ["appeal"]]
    assert json.loads(json.dumps(result.to_dict()))["passed"] == 3
    assert plain in behaviour.table({"x": result})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": "x", "present": []}, "fields"),
        ({"text": "x", "present": [], "absent": [], "note": ""}, "fields"),
        ({"text": "x", "present": ["menace"], "absent": []}, "'menace' is not a label"),
        ({"text": "x", "present": ["threat"], "absent": ["threat"]}, "both"),
        ({"text": "x", "present": [], "absent": []}, "nothing is expected"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: dict[str, object], words: str) -> None:
    (tmp_path / "odd.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(InputError, match=rf"odd\.jsonl, line 1: .*{words}"):
        read_cases(tmp_path)
