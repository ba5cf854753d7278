"""The public API: one result type, honest thresholds, and scores that depend on the text alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rhetoric import InputError, Prediction, RhetoricTagger
from rhetoric.taxonomy import LABELS

from .conftest import MAX_TOKENS, WORDS

ROOM = MAX_TOKENS - 2


def sentences(count: int, *, seed: int = 0, longest: int = 30) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, longest))) for _ in range(count)]


def test_labels_are_the_taxonomy_in_order(tiny: RhetoricTagger) -> None:
    assert tiny.labels == LABELS


@pytest.mark.parametrize("container", [list, tuple, iter, np.array, lambda texts: (t for t in texts)])
def test_any_iterable_of_str_gives_the_same_list(tiny: RhetoricTagger, container: Callable[..., object]) -> None:
    texts = sentences(7)
    assert tiny.predict(container(texts)) == tiny.predict(texts)  # type: ignore[arg-type]


def test_series_of_pandas_are_read(tiny: RhetoricTagger) -> None:
    pandas = pytest.importorskip("pandas")
    texts = sentences(5)
    assert tiny.predict(pandas.Series(texts, index=[9, 8, 7, 6, 5])) == tiny.predict(texts)


def test_nothing_in_gives_nothing_out(tiny: RhetoricTagger) -> None:
    assert tiny.predict([]) == []
    assert tiny.predict_proba([]).shape == (0, 12)


def test_one_and_many_agree(tiny: RhetoricTagger) -> None:
    texts = sentences(20)
    together = tiny.predict(texts)
    assert together == [tiny.predict_one(text) for text in texts] == list(tiny.predict_stream(iter(texts)))
    scores = np.array([list(p.scores.values()) for p in together], np.float32)
    assert np.array_equal(scores, tiny.predict_proba(texts))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_scores_depend_on_the_text_alone(tiny_folder: Path, tiny: RhetoricTagger, threads: int) -> None:
    """Alone, shuffled, reversed, in other batches, on other numbers of threads: the same bits."""
    texts = list(dict.fromkeys(sentences(300)))
    alone = np.concatenate([tiny.predict_proba([text]) for text in texts])
    other = RhetoricTagger.from_pretrained(tiny_folder, threads=threads, token_budget=64)
    order = random.Random(1).sample(range(len(texts)), len(texts))
    for rows in (range(len(texts)), range(len(texts) - 1, -1, -1), order):
        assert np.array_equal(other.predict_proba([texts[i] for i in rows]), alone[list(rows)])


def test_labels_are_the_scores_that_reach_their_threshold(tiny: RhetoricTagger) -> None:
    limits = tiny.thresholds
    for p in tiny.predict(sentences(50)):
        assert set(p.labels) == {name for name, score in p.scores.items() if score >= limits[name]}
        assert [p.scores[name] for name in p.labels] == sorted((p.scores[n] for n in p.labels), reverse=True)
        assert set(p.uncertain) == {name for name, score in p.scores.items() if 0.4 <= score <= 0.6}


def test_threshold_can_be_set_for_all_or_for_some(tiny: RhetoricTagger) -> None:
    texts = sentences(20)
    assert all(p.labels == () for p in tiny.predict(texts, threshold=1.0))
    assert all(len(p.labels) == 12 for p in tiny.predict(texts, threshold=0.0))
    assert tiny.predict(texts, threshold=np.float32(0.5)) == tiny.predict(texts, threshold=0.5)  # as scores are
    plain, changed = tiny.predict(texts), tiny.predict(texts, threshold={"demand": 0.0})
    assert [{"demand", *p.labels} for p in plain] == [set(p.labels) for p in changed]


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ({"demnd": 0.5}, "unknown label 'demnd'"),
        (1.5, "1.5 for 'demand' is no probability"),
        ({"threat": "x"}, "'x' for 'threat'"),
    ],
)
def test_impossible_thresholds_are_named(tiny: RhetoricTagger, threshold: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tiny.predict(["talks"], threshold=threshold)  # type: ignore[arg-type]


def test_long_text_carries_what_its_parts_carry(tiny: RhetoricTagger) -> None:
    words = sentences(1, seed=5, longest=1)[0].split() + random.Random(2).choices(WORDS, k=ROOM * 3)
    pieces = [words[s : s + ROOM] for s in [*range(0, len(words) - ROOM, ROOM // 2), len(words) - ROOM]]
    long = tiny.predict_one(" ".join(words))
    parts = tiny.predict_proba([" ".join(piece) for piece in pieces])
    assert np.array_equal(np.array(list(long.scores.values()), np.float32), parts.max(axis=0))
    assert long.n_tokens == len(words)
    assert not long.truncated
    cut = tiny.predict_one(" ".join(words), on_long="truncate")
    assert cut.truncated
    assert cut.scores == tiny.predict_one(" ".join(words[:ROOM])).scores
    with pytest.raises(InputError, match=r"texts\[1\] has"):
        tiny.predict(["talks", " ".join(words)], on_long="error")
    with pytest.raises(InputError, match="on_long='cut'"):
        tiny.predict(["talks"], on_long="cut")  # type: ignore[arg-type]


def test_a_stream_yields_before_it_has_read_all(tiny: RhetoricTagger) -> None:
    read = []

    def endless() -> object:
        for i in range(10**9):
            read.append(i)
            yield f"talks {i}"

    stream = tiny.predict_stream(endless())  # type: ignore[arg-type]
    assert isinstance(next(stream), Prediction)
    assert len(read) < 5000
    stream.close()


def test_an_error_in_the_stream_is_raised_and_ends_it(tiny: RhetoricTagger) -> None:
    def broken() -> object:
        yield from sentences(10)
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        tiny.predict(broken())  # type: ignore[arg-type]


def test_predictions_print_and_turn_into_json(tiny: RhetoricTagger) -> None:
    p = tiny.predict_one("we must begin talks")
    assert Prediction(**{**json.loads(json.dumps(p.to_dict())), "labels": p.labels, "uncertain": p.uncertain}) == p
    shown = Prediction(("demand",), {"demand": 0.876, "threat": 0.41}, ("threat",), True, 3)
    assert str(shown) == "demand 0.88 (uncertain: threat; truncated)"
    assert str(Prediction((), {"demand": 0.1}, (), False, 3)) == "neutral"


def test_rows_do_not_share_their_scores(tiny: RhetoricTagger) -> None:
    first, second = tiny.predict(["talks today", "talks today"])
    first.scores["demand"] = -1.0
    assert second.scores["demand"] >= 0


def test_document_offsets_are_those_of_the_text(tiny: RhetoricTagger) -> None:
    text = "Short Url\n\nWe must begin talks.  They said never!\r\n\r\n“Peace today,” the minister said.\n"
    document = tiny.tag_document(text)
    assert [s.text for s in document.sentences] == [text[s.start : s.end] for s in document.sentences]
    assert [s.text for s in document.sentences] == [
        "We must begin talks.",
        "They said never!",
        "“Peace today,” the minister said.",
    ]
    assert document.sentences[0].scores == tiny.predict_one("We must begin talks.").scores
    assert document.profile.n_sentences == 3
    assert json.loads(json.dumps(document.to_dict()))["sentences"][2]["quoted"] is False


@pytest.mark.parametrize("text", ["", " \n ", None, 3])
def test_empty_documents_are_refused(tiny: RhetoricTagger, text: object) -> None:
    with pytest.raises(InputError, match="empty or not text"):
        tiny.tag_document(text)  # type: ignore[arg-type]


def test_half_a_surrogate_pair_is_named(tiny: RhetoricTagger) -> None:
    text = "We talk. They said é \ud83d never!"
    with pytest.raises(InputError, match=r"texts\[1\] is not Unicode: half a surrogate pair at character 21.*remedy"):
        tiny.predict(["talks", text])
    with pytest.raises(InputError, match=r"^the document is not Unicode: half a surrogate pair at character 21.*rem"):
        tiny.tag_document(text)
    with pytest.raises(InputError, match="half a surrogate pair"):
        tiny.explain(text)
    remedied = text.encode("utf-8", "replace").decode()
    assert tiny.tag_document(remedied).text == text.replace("\ud83d", "?")
    assert tiny.predict([remedied, "peace 😀"])


@pytest.mark.parametrize("option", [{"threads": 0}, {"token_budget": 0}, {"engine": "abacus"}])
def test_impossible_options_are_refused(tiny_folder: Path, option: dict[str, object]) -> None:
    with pytest.raises(InputError, match="remedy"):
        RhetoricTagger.from_pretrained(tiny_folder, **option)  # type: ignore[arg-type]
