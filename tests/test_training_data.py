"""The written sentences and the standoff annotations keep the format of the codebook."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from training import data

TRAINING = Path(__file__).parents[1] / "training"

FILES = sorted((TRAINING / "annotations").glob("*.tsv"))


def codes(cell: str) -> set[str]:
    return set() if cell == "-" else set(cell.split(","))


@pytest.mark.parametrize("file", [TRAINING / "written.tsv", *FILES], ids=lambda file: file.name)
def test_codes_are_known_and_never_both_clear_and_borderline(file: Path) -> None:
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for number, row in enumerate(rows):
        first, second = (0, 1) if file.name == "written.tsv" else (1, 2)
        clear, borderline = codes(row[first]), codes(row[second])
        assert len(row) == 3, (number, row)
        assert clear | borderline <= set(data.NAME_OF_CODE), (number, row)
        assert not clear & borderline, (number, row)


def test_annotated_ids_are_hashes_and_unique() -> None:
    ids = [line.split("\t")[0] for f in FILES if f.name.startswith("pool_") for line in f.read_text().splitlines()]
    assert all(len(key) == 12 and int(key, 16) >= 0 for key in ids)
    assert len(ids) == len(set(ids))


def test_sentence_id_ignores_width_and_white_space() -> None:
    assert data.sentence_id("ﬁve  talks\n") == data.sentence_id("five talks") != data.sentence_id("five talk")


def test_written_sentences_are_filled_with_varied_names() -> None:
    rows = data.read_written(4, seed=0)
    assert not any("{" in text for text in rows.texts)
    assert len(set(rows.texts[:4])) == 4  # the four copies of the first one
    assert rows.texts == data.read_written(4, seed=0).texts != data.read_written(4, seed=1).texts
    assert np.unique(rows.targets) == pytest.approx([0.0, data.BORDERLINE, 1.0])


def test_names_of_one_sentence_differ() -> None:
    for seed in range(50):
        first, second, third = data.fill("{A}|{B}|{C}", random.Random(seed)).split("|")
        assert len({first.lower(), second.lower(), third.lower()}) == 3


def test_rows_mark_clear_borderline_and_absent_cells() -> None:
    rows = data.make_rows(iter([("x", ["demand"], ["threat"], "s")]))
    assert rows.clear[0].nonzero()[0].tolist() == [0]
    assert (~rows.evaluated[0]).nonzero()[0].tolist() == [2]
