"""Texts come back to the standoff labels by id, whatever form they were downloaded in, and only the very texts."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

import pytest

from rhetoric import InputError
from training import hydrate
from training.data import ANNOTATIONS, sentence_id

FIRST = "We urge the harbour masters of Norland to light the buoys before the autumn storms begin."
SECOND = "The junta in Skarn has lied about the ferry for eleven months, and it lies today."
THIRD = "“We shall pay,” said the minister."
LOST = "This sentence is in no corpus."
SPEECH = f"Mr. President, I thank you for the floor. {FIRST}\n\n{SECOND} I shall be brief.\n"


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    folder = tmp_path / "annotations"
    folder.mkdir()
    lines = [
        f"{sentence_id(FIRST)}\tAPP\t-",
        f"{sentence_id(SECOND)}\tACC\tDEM,REJ",
        f"{sentence_id(THIRD)}\tCOM\t-",
        f"{sentence_id(LOST)}\t-\tEVA",
    ]
    (folder / "a.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def found(annotations: Path, *sources: Path) -> hydrate.Found:
    return hydrate.find(list(hydrate.read_labels(annotations)), sources)


def test_sentences_of_a_wrapped_text_are_found(annotations: Path, tmp_path: Path) -> None:
    file = tmp_path / "speech.txt"
    wrapped = SPEECH.replace("masters of Norland", "masters of\nNorland").replace("for eleven", "for  eleven")
    file.write_text("\ufeff" + wrapped, encoding="utf-8")
    result = found(annotations, file)
    assert list(result.texts.values()) == [FIRST, SECOND]
    assert result.missing == (sentence_id(THIRD), sentence_id(LOST))


def test_a_line_is_tried_as_it_stands(annotations: Path, tmp_path: Path) -> None:
    two = "No deal. No talks."
    (annotations / "b.tsv").write_text(f"{sentence_id(two)}\tREJ\t-\n", encoding="utf-8")
    file = tmp_path / "headlines.txt"
    file.write_text(f"Norland votes\n{two}\n", encoding="utf-8")
    assert list(found(annotations, file).texts.values()) == [two]


def test_every_format_is_read(annotations: Path, tmp_path: Path) -> None:
    record = {"meta": {"who": "x"}, "body": [{"text": SPEECH}, THIRD, 7, None]}
    plain = json.dumps(record)
    (tmp_path / "a.json").write_text(plain, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(plain + "\n\n" + json.dumps({"text": "x"}) + "\n", encoding="utf-8")
    with (tmp_path / "c.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "speech"], ["1", SPEECH], ["2", THIRD]])
    with (tmp_path / "d.tsv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([["1", SPEECH], ["2", THIRD]])
    (tmp_path / "e.jsonl.gz").write_bytes(gzip.compress(plain.encode()))
    for name in ("a.json", "b.jsonl", "c.csv", "d.tsv", "e.jsonl.gz"):
        result = found(annotations, tmp_path / name)
        assert list(result.texts.values()) == [FIRST, SECOND, THIRD], name


def test_folders_are_searched_and_counted_each(annotations: Path, tmp_path: Path) -> None:
    un, news = tmp_path / "un", tmp_path / "news"
    (un / "1999").mkdir(parents=True)
    news.mkdir()
    (un / "1999" / "a.txt").write_text(SPEECH, encoding="utf-8")
    (un / "map.png").write_bytes(b"\x89PNG")
    (news / "b.txt").write_text(f"{SECOND}\n{THIRD}\n", encoding="utf-8")
    result = found(annotations, un, news)
    assert result.counts == {un: 2, news: 2}
    assert result.missing == (sentence_id(LOST),)
    assert result.skipped == (un / "map.png",)


def test_a_changed_sentence_is_missing(annotations: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(SECOND.replace("eleven", "elev\u00e9n").encode("latin-1"))
    assert found(annotations, file).texts == {}


def test_the_command_writes_rows_missing_ids_and_a_report(
    annotations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "speech.txt", tmp_path / "out.jsonl"
    source.write_text(SPEECH, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["hydrate", str(source), "-o", str(out), "--annotations", str(annotations)])
    assert hydrate.main() == 0
    assert [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] == [
        {"id": sentence_id(FIRST), "text": FIRST, "labels": ["appeal"], "borderline": []},
        {"id": sentence_id(SECOND), "text": SECOND, "labels": ["accusation"], "borderline": ["demand", "rejection"]},
    ]
    missing = tmp_path / "out.jsonl.missing.txt"
    assert missing.read_text(encoding="utf-8").split() == [sentence_id(THIRD), sentence_id(LOST)]
    printed = capsys.readouterr().out
    assert f"2  {source}" in printed
    assert "2  of 4 sentences" in printed
    assert f"2  missing, listed in {missing}" in printed


def test_a_wrong_option_ends_with_two_and_writes_nothing(
    annotations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    monkeypatch.setattr(
        sys, "argv", ["hydrate", str(tmp_path / "no"), "-o", str(out), "--annotations", str(annotations)]
    )
    assert hydrate.main() == 2
    assert "no such file" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("line", ["0123456789ab\tAPP", "xyz\tAPP\t-", "0123456789ab\tZZZ\t-"])
def test_a_bad_annotation_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.tsv").write_text(f"0123456789ab\t-\t-\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.tsv, line 2"):
        hydrate.read_labels(tmp_path)


def test_a_folder_without_annotations_and_broken_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no annotation file"):
        hydrate.read_labels(tmp_path)
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "x"}\n{"text": \n', encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl, line 2: not JSON"):
        hydrate.find([], [file])


def test_the_project_s_annotations_are_read() -> None:
    labels = hydrate.read_labels(ANNOTATIONS)
    assert len(labels) > 1000
    assert any("resolve" in row.clear for row in labels.values())
