"""`rhetoric compare` on files that `rhetoric score` wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rhetoric import RhetoricTagger

from .conftest import Run

EARLY = ["We are ready to meet without preconditions.", "Our delegations met on Tuesday in the old town hall."]
LATE = ["Norland must withdraw its boats from the strait at once.", "They will pay a heavy price for this attack."]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, bundled: RhetoricTagger) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("compare")
    paths = []
    for name, rows in (("a", [(2013, t) for t in EARLY]), ("b", [(2014, t) for t in LATE])):
        source = folder / f"{name}.jsonl"
        source.write_text("".join(json.dumps({"year": y, "text": t}) + "\n" for y, t in rows * 60), encoding="utf-8")
        paths.append(folder / f"{name}.scored.jsonl")
        bundled.score_file(source, paths[-1])
    both = folder / "both.jsonl"
    both.write_text("".join((folder / f"{name}.jsonl").read_text() for name in "ab"), encoding="utf-8")
    paths.append(folder / "both.scored.csv")
    bundled.score_file(both, paths[-1])
    return paths[0], paths[1], paths[2]


def test_the_table_names_what_moved(files: tuple[Path, Path, Path], run: Run) -> None:
    done = run("compare", files[0], files[1])
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "+50.0" in rows["demand"] and "**" in rows["demand"]
    assert "-50.0" in rows["conciliation"]
    assert "**" not in rows["evasion"]


def test_two_files_and_two_periods_of_one_are_the_same(files: tuple[Path, Path, Path], run: Run) -> None:
    two = json.loads(run("compare", files[0], files[1], "--json").out)
    one = json.loads(run("compare", files[2], "--split", "year=2014", "--json", "--by", "year").out)
    assert two["shifts"] == one["shifts"] or [s["difference"] for s in two["shifts"]] == [
        s["difference"] for s in one["shifts"]
    ]
    assert [group["value"] for group in one["groups"]] == ["2013", "2014"]


def test_rows_without_scores_are_told_once_when_a_file_is_split(
    tmp_path: Path, bundled: RhetoricTagger, run: Run
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [(2013, EARLY[0]), (2013, ""), (2014, LATE[0])]
    source.write_text("".join(json.dumps({"year": y, "text": t}) + "\n" for y, t in rows), encoding="utf-8")
    bundled.score_file(source, out)
    done = run("compare", out, "--split", "year=2014")
    assert "left out" not in done.out
    assert done.err.count("out.jsonl: 1 rows without scores are on neither side") == 1


def test_no_figure_is_cut_where_names_are_long_and_the_terminal_is_narrow(
    files: tuple[Path, Path, Path], run: Run, tmp_path: Path
) -> None:
    names = [tmp_path / f"general_debate_of_the_assembly_{year}.scored.jsonl" for year in (2013, 2014)]
    for source, path in zip(files, names, strict=False):
        path.write_bytes(source.read_bytes())
    done = run("compare", *names, columns=60)
    assert "…" not in done.out.replace(" … ", "").replace("0, …, near", "")
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert lines["conciliation"].split()[1:4] == ["50.0%", "0.0%", "-50.0"]
    assert max(map(len, done.out.splitlines()[2:18])) <= 80
    assert f"A: {names[0]}: 120 rows" in done.out


def test_a_file_that_a_spreadsheet_saved_is_read(files: tuple[Path, Path, Path], run: Run, tmp_path: Path) -> None:
    saved = tmp_path / "saved.csv"
    saved.write_bytes(b"\xef\xbb\xbf" + files[2].read_bytes())
    assert run("compare", saved, "--split", "year=2014").code == 0


def test_sides_of_a_split_are_told_apart_and_rows_on_none_are_counted(
    tmp_path: Path, bundled: RhetoricTagger, run: Run
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [(year, i % 3, text) for i, year in enumerate((2013, 2014, None, "n.d.")) for text in EARLY * 3]
    lines = [json.dumps({"year": y, "document": f"{y} {d}", "text": t}) + "\n" for y, d, t in rows]
    source.write_text("".join(lines) + lines[0].replace("2013 0", "2013 1"), encoding="utf-8")
    bundled.score_file(source, out)
    done = run("compare", out, "--split", "year=2014", "--json")
    result = json.loads(done.out)
    assert result["before"] == "out.jsonl with year < 2014" and result["rows_before"] == 7
    assert "out.jsonl: 12 rows without a year that can be put before or after 2014 are on neither side" in done.err
    few = (
        "fewer than 10 values of document on a side (out.jsonl with year < 2014: 2): the intervals are too narrow, and "
        "no label has * or **"
    )
    assert few in result["warnings"] and f"warning: {few}" in done.err
    table = run("compare", out, "--split", "year=2014")
    assert "drawn by values of document (2 in A, 1 in B)" in table.out and few in table.err


def test_two_rows_without_a_label_do_not_show_that_it_moved(tmp_path: Path, bundled: RhetoricTagger, run: Run) -> None:
    paths = []
    for name, texts in (("a", EARLY), ("b", [LATE[0]] * 6 + [EARLY[1]] * 12)):
        source = tmp_path / f"{name}.jsonl"
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        paths.append(tmp_path / f"{name}.scored.jsonl")
        bundled.score_file(source, paths[-1])
    table = run("compare", *paths).out
    demand = next(line for line in table.splitlines() if line.split()[:1] == ["demand"])
    assert demand.split()[1:4] == ["0.0%", "33.3%", "+33.3"] and "*" not in demand
    assert "Neither where a side has fewer than 10 rows or documents to draw." in table


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{a}"], 2, "Give two files"),
        (["{a}", "{b}", "--split", "year=2014"], 2, "Give two files"),
        (["{a}", "--split", "year"], 2, "COLUMN=VALUE"),
        (["{a}", "nowhere.csv"], 2, "nowhere.csv"),
    ],
)
def test_wrong_calls(arguments: list[str], code: int, message: str, files: tuple[Path, Path, Path], run: Run) -> None:
    done = run("compare", *(argument.format(a=files[0], b=files[1]) for argument in arguments))
    assert done.code == code and message in done.err and "Traceback" not in done.err
