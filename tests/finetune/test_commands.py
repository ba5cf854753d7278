"""The commands for labelled data: what they print, write, refuse, and exit with."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rhetoric.finetune import TrainResult
from rhetoric.finetune.config import read_config
from rhetoric.model_folder import read_model_folder
from tests.cli.conftest import Run

from .conftest import make_rows

Write = Callable[..., Path]


def test_check_exits_0_on_sound_and_1_on_unsound_data(run: Run, tiny_folder: Path, write: Write) -> None:
    rows = make_rows(40)
    outcome = run("check", write(rows), "--base", tiny_folder)
    assert outcome.code == 0
    assert "sound to train on: 0 errors" in outcome.out
    assert "text from 'text', labels from 'labels'" in outcome.out
    rows[3]["labels"] = ["demnad"]
    path = write(rows)
    outcome = run("check", path, "--base", tiny_folder)
    assert outcome.code == 1
    assert f"error: {path} row 4: unknown label 'demnad'; did you mean 'demand'?" in outcome.out
    assert "not sound to train on" in outcome.out
    outcome = run("check", path, "--base", tiny_folder, "--json")
    assert outcome.code == 1
    report = json.loads(outcome.out)
    assert report["sound"] is False
    assert report["problems"][0]["row"] == 4


def test_check_lists_every_problem_if_asked(run: Run, tiny_folder: Path, write: Write) -> None:
    rows = make_rows(40)
    for row in rows[:9]:
        row["text"] = ""
    path = write(rows)
    short = run("check", path, "--base", tiny_folder).out
    assert "and 4 more of this kind (--all lists them)" in short
    assert run("check", path, "--base", tiny_folder, "--all").out.count("empty text") == 9


def test_check_reads_columns_by_name(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    lines = [f'"satz {i}",{"demand|threat" if i % 2 else ""}' for i in range(20)]
    path.write_text("\n".join(["Satz,Typ", *lines]), encoding="utf-8")
    outcome = run("check", path, "--base", tiny_folder, "--text-column", "Satz", "--label-column", "Typ", "--json")
    assert json.loads(outcome.out)["labels"]["threat"] == 10
    outcome = run("check", path, "--base", tiny_folder, "--text-column", "Stz")
    assert outcome.code == 2
    assert "no text column 'Stz'; did you mean 'Satz'?" in outcome.err


@pytest.mark.usefixtures("one_thread")
def test_train_writes_a_model_and_says_how_good_it_is(
    run: Run, tiny_folder: Path, write: Write, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    rows = make_rows(120)
    rows += [{"text": text, "labels": ["resolve"]} for text in ("never comment before any charter", "open law today .")]
    rows += [{"text": "ready , withdraw tomorrow dialogue !", "labels": ["appeal"]}]
    arguments = ["train", write(rows), "-o", out, "--base", tiny_folder, "--seed", 3]
    arguments += ["--set", "epochs=1", "--set", "max_tokens=24", "--set", "few_rows=0", "--set", "device=cpu"]
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.err
    assert read_model_folder(out).training["settings"]["seed"] == 3
    assert "macro F1" in outcome.out
    assert "threat: F1" in outcome.out
    assert "evasion: not in the data; decides like the base on" in outcome.out
    assert "appeal: on fewer than two clear rows; decides like the base on" in outcome.out
    assert "resolve: on no dev row, only on 2 training rows, so its F1 is not known; decides like" in outcome.out
    card = (out / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^\| resolve \| – \| – \| [\d.]+% \| on no dev row, only on 2 training rows, so", card, re.M)
    assert re.search(r"^\| evasion \| – \| – \| [\d.]+% \| not in the data \|$", card, re.M)
    assert "warning: fewer than 20 dev rows of demand (" in outcome.err
    rows = read_model_folder(out).training["rows"]["dev"]
    assert f"% of rows, measured on {rows} dev rows: fewer than 100 are too few to tell\n" in outcome.out
    assert (
        "on fewer than two clear rows, so taught only what the base itself says of these rows; the shared network may"
        in outcome.err
    )
    changed = f"base={tiny_folder}, seed=3, epochs=1, max_tokens=24, device=cpu, few_rows=0"
    assert outcome.err.startswith(
        f"settings other than the defaults: {changed}; all will stand in {out / 'config.yaml'}\n"
    )
    assert read_config(out / "config.yaml").to_dict() == read_model_folder(out).training["settings"]
    assert "dev macro F1" in outcome.err
    again = run(*arguments)
    assert again.code == 2
    assert f"{out} exists; remedy" in again.err
    outcome = run(*arguments, "--force", "--json")
    assert json.loads(outcome.out)["path"] == str(out)


@pytest.mark.parametrize(("rows", "remark"), [(99, ": fewer than 100 are too few to tell"), (100, "")])
def test_agreement_on_few_dev_rows_is_said_to_mean_little(
    run: Run, trained: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, remark: str
) -> None:
    monkeypatch.setattr("rhetoric.cli.train.train", lambda *_, **__: replace(trained, dev_rows=rows))
    lines = run("train", "data.csv", "-o", tmp_path / "model").out.splitlines()
    (line,) = (line for line in lines if line.startswith("evasion: "))
    assert line.endswith(f"% of rows, measured on {rows} dev rows{remark}")


def test_commands_take_the_semicolons_of_a_spreadsheet(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    lines = [f"{row['text']}, indeed;{'|'.join(row['labels'])}" for row in make_rows(40)]
    data.write_text("\n".join(["text;labels", *lines]), encoding="utf-8")
    assert "40 of 40 rows usable" in run("check", data, "--base", tiny_folder).out
    assert run("evaluate", tiny_folder, data).out.count("40 rows: macro F1") == 1
    assert run("suggest", data, "-n", 5, "-o", tmp_path / "next.csv", "--model", tiny_folder).code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "epoch=3"], "did you mean 'epochs'?"),
        (["--set", "epochs=x"], "epochs='x' is str"),
        (["--config", "absent.yaml"], "config absent.yaml cannot be read"),
        (["--base", "absent/folder/x"], "no model folder at 'absent/folder/x'"),
    ],
)
def test_train_refuses_wrong_calls(run: Run, write: Write, tmp_path: Path, options: list[str], message: str) -> None:
    outcome = run("train", write(make_rows(20)), "-o", tmp_path / "model", *options)
    assert outcome.code in (1, 2)
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "model").exists()


def test_an_error_about_the_data_stands_alone(run: Run, tiny_folder: Path, write: Write, tmp_path: Path) -> None:
    rows = make_rows(40)
    rows[3]["labels"] = ["demnad"]
    outcome = run("train", write(rows), "-o", tmp_path / "model", "--base", tiny_folder, "--set", "max_tokens=24")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "the data cannot be trained on: " in outcome.err and "did you mean 'demand'?" in outcome.err


@pytest.mark.usefixtures("one_thread")
def test_ctrl_c_says_how_to_go_on(
    run: Run, tiny_folder: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rhetoric.finetune.members.fit", interrupt)
    outcome = run(
        "train", write(make_rows(60)), "-o", tmp_path / "model", "--base", tiny_folder, "--set", "max_tokens=24"
    )
    assert outcome.code == 1
    assert "--resume" in outcome.err
    assert outcome.err.endswith("Stopped.\n")


def test_evaluate_prints_and_writes(
    run: Run, tiny_folder: Path, trained: TrainResult, write: Write, tmp_path: Path
) -> None:
    data, page = write(make_rows(60, seed=4)), tmp_path / "page.html"
    outcome = run("evaluate", trained.path, data, "--against", tiny_folder, "--html", page, "--worst", 3)
    assert outcome.code == 0, outcome.err
    assert "macro F1" in outcome.out
    assert f"against {tiny_folder}" in outcome.out
    assert page.read_text().startswith("<!doctype html>")
    refused = run("evaluate", trained.path, data, "--html", page)
    assert (refused.code, "exists; remedy: another name, or --force" in refused.err) == (2, True)
    result = json.loads(run("evaluate", trained.path, data, "--json").out)
    assert result["scores"]["rows"] == 60
    assert result["against"] is None
    result = json.loads(run("evaluate", tiny_folder, data, "--against", "bundled", "--json").out)
    assert result["against"] == "the bundled model"
    assert result["comparison"][0]["name"] == "macro_f1"
    outcome = run("evaluate", trained.path, data, "--html", tmp_path / "absent" / "page.html")
    assert outcome.code == 2
    assert "cannot be written" in outcome.err


def test_suggest_writes_rows_to_label(run: Run, tiny_folder: Path, write: Write, tmp_path: Path) -> None:
    pool, out = write(make_rows(80), "pool.jsonl"), tmp_path / "to_label.csv"
    outcome = run("suggest", pool, "-n", 12, "-o", out, "--model", tiny_folder)
    assert outcome.code == 0, outcome.err
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert {row["labels"] for row in rows} == {"?"}
    assert all(row["source"] == str(pool) for row in rows)
    unlabelled = run("check", out, "--base", tiny_folder)
    assert unlabelled.code == 1
    assert "not labelled yet '?'" in unlabelled.out
    assert run("suggest", pool, "-o", out, "--model", tiny_folder).code == 2
    assert run("suggest", pool, "-o", tmp_path / "x.xlsx", "--model", tiny_folder).code == 2
    assert run("suggest", pool, "-o", out, "--model", tiny_folder, "--force", "--exclude", out).code == 0
    with out.open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 68


def test_evaluate_warns_and_keeps_its_data_and_cuts_no_figure(run: Run, tiny_folder: Path, write: Write) -> None:
    rows = [row | {"document": "speech"} for row in make_rows(120)]
    data = write(rows, "data.jsonl")
    outcome = run("evaluate", tiny_folder, data, "--worst", 0, columns=40)
    assert outcome.code == 0
    assert outcome.err == (
        "warning: the rows have only one value of document: rows were drawn as if independent, and the intervals are "
        "too narrow\n"
    )
    assert "calibration" in outcome.out and "…" not in outcome.out
    assert len(json.loads(run("evaluate", tiny_folder, data, "--json").out)["warnings"]) == 1
    few = run("evaluate", tiny_folder, write(make_rows(20), "few.jsonl"), "--worst", 0).err
    assert few.startswith("warning: fewer than 20 rows of demand (") and few.count("\n") == 1
    before = data.read_bytes()
    outcome = run("evaluate", tiny_folder, data, "--html", data)
    assert outcome.code == 2 and "is what is read, and would be lost" in outcome.err
    assert data.read_bytes() == before


def test_suggest_does_not_replace_its_pool_and_goes_on_from_its_own_file(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    pool, out = tmp_path / "pool.csv", tmp_path / "next.csv"
    pool.write_text("body\n" + "".join(f'"{row["text"]}"\n' for row in make_rows(20)), encoding="utf-8")
    call = ["suggest", pool, "-n", 8, "--model", tiny_folder, "--text-column", "body"]
    outcome = run(*call, "-o", pool, "--force")
    assert outcome.code == 2 and "is what is read" in outcome.err
    assert run(*call, "-o", out).code == 0
    outcome = run(*call, "-o", tmp_path / "more.csv", "--exclude", out)
    assert outcome.code == 0, outcome.err
    texts = []
    for path in (out, tmp_path / "more.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            texts += [row["text"] for row in csv.DictReader(stream)]
    assert len(texts) == len(set(texts)) == 16
