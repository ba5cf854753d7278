"""CSV comes out as it came in: what opens the input opens the output, whichever separator a spreadsheet wrote."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from rhetoric import InputError, RhetoricTagger

from .conftest import rows, stopped


def table(path: Path, mark: str) -> Path:
    """The hundred rows with another separator, compressed if the name says so."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows()[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(rows())
    data = stream.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def cells(path: Path, mark: str) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter=mark))


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
@pytest.mark.parametrize("mark", [";", "\t"])
def test_the_output_has_the_separator_of_the_input(tiny: RhetoricTagger, tmp_path: Path, name: str, mark: str) -> None:
    tiny.score_file(table(tmp_path / "commas.csv", ","), tmp_path / "commas.out.csv")
    tiny.score_file(table(tmp_path / name, mark), tmp_path / "out.csv")
    made = cells(tmp_path / "out.csv", mark)
    assert len(made) == 101
    assert made == cells(tmp_path / "commas.out.csv", ",")


@pytest.mark.parametrize(
    ("inputs", "output", "mark"),
    [
        ({"a.csv": ";", "b.csv": ";"}, "out.csv", ";"),
        ({"a.csv": ";", "b.csv": ","}, "out.csv", ","),
        ({"a.csv": ";", "b.tsv": "\t"}, "out.csv", ","),
        ({"a.tsv": "\t"}, "out.csv", ","),
        ({"a.csv": ";"}, "out.tsv", "\t"),
    ],
)
def test_inputs_that_share_none_give_commas(
    tiny: RhetoricTagger, tmp_path: Path, inputs: dict[str, str], output: str, mark: str
) -> None:
    sources = [table(tmp_path / name, separator) for name, separator in inputs.items()]
    tiny.score_file(sources, tmp_path / output)
    assert cells(tmp_path / output, mark)[0][:5] == ["id", "text", "note", "weight", "labels"]


def test_a_header_that_would_be_misread_has_commas(tiny: RhetoricTagger, tmp_path: Path) -> None:
    """The names of labels are anybody's; here a prefix stands for one with a comma in it."""
    tiny.score_file(table(tmp_path / "in.csv", ";"), tmp_path / "out.csv", prefix="my, ")
    assert cells(tmp_path / "out.csv", ",")[0][:5] == ["id", "text", "note", "weight", "my, labels"]


def test_a_resumed_job_keeps_the_separator(tiny: RhetoricTagger, tmp_path: Path) -> None:
    source, output, whole = table(tmp_path / "in.csv.gz", ";"), tmp_path / "out.csv", tmp_path / "whole.csv"
    tiny.score_file(source, whole)
    stopped(tiny, source, output)
    assert tiny.score_file(source, output).resumed == 1
    assert output.read_bytes() == whole.read_bytes()
    output.unlink()
    stopped(tiny, source, output)
    manifest = tmp_path / "out.csv.job" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["identity"]["separator"] = ","
    manifest.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=r"differs in separator; remedy: .*--restart"):
        tiny.score_file(source, output)
