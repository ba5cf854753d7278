"""`rhetoric tag`: what goes in, what comes out, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rhetoric.cli.options import MAX_DOCUMENT_BYTES, parse_labels
from rhetoric.taxonomy import LABELS

from .conftest import Run

TEXT = "We must begin talks. They said never!"


def test_text_file_and_pipe_give_the_same(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "speech.txt"
    file.write_text(TEXT, encoding="utf-8")
    outputs = [
        run("tag", TEXT, "--model", tiny_folder, "--json"),
        run("tag", file, "--model", tiny_folder, "--json"),
        run("tag", "-", "--model", tiny_folder, "--json", stdin=TEXT.encode()),
    ]
    assert {outcome.code for outcome in outputs} == {0}
    assert {outcome.err for outcome in outputs} == {""}
    assert len({outcome.out for outcome in outputs}) == 1


def test_json_is_one_document(run: Run, tiny_folder: Path) -> None:
    document = json.loads(run("tag", TEXT, "--model", tiny_folder, "--json").out)
    assert document["text"] == TEXT
    assert [s["text"] for s in document["sentences"]] == ["We must begin talks.", "They said never!"]
    for sentence in document["sentences"]:
        assert TEXT[sentence["start"] : sentence["end"]] == sentence["text"]
        assert list(sentence["scores"]) == list(LABELS)
        assert all(score == round(score, 4) for score in sentence["scores"].values())


def test_the_table_shows_each_sentence_with_its_labels(run: Run, tiny_folder: Path) -> None:
    outcome = run("tag", TEXT, "--model", tiny_folder, "--threshold", "demand=0", "--threshold", "1")
    assert outcome.out == run("tag", TEXT, "--model", tiny_folder, "--threshold", "1", "--threshold", "demand=0").out
    assert "We must begin talks." in outcome.out
    assert outcome.out.count("demand") == 2
    assert "threat" not in outcome.out
    assert "2 sentences, 2 with labels" in outcome.out


def test_a_balance_of_all_labels_is_not_shown_with_only_some(run: Run, tiny_folder: Path) -> None:
    arguments = ["tag", TEXT, "--model", tiny_folder, "--threshold", "0"]
    assert "2 sentences, 2 with labels; conflict–cooperation balance" in " ".join(run(*arguments).out.split())
    some = run(*arguments, "--labels", "demand,threat").out
    assert "2 sentences, 2 with labels" in some and "balance" not in some
    assert "balance" not in run(*arguments, "--min-score", "0.01").out


def test_labels_and_min_score_narrow_the_output(run: Run, tiny_folder: Path) -> None:
    everything = ["--model", tiny_folder, "--json", "--threshold", "0"]
    whole = json.loads(run("tag", TEXT, *everything).out)["sentences"]
    narrowed = json.loads(run("tag", TEXT, *everything, "--labels", "threat, demand").out)["sentences"]
    assert all(set(s["labels"]) == {"threat", "demand"} for s in narrowed)
    limit = whole[0]["scores"]["demand"]
    strong = json.loads(run("tag", TEXT, *everything, "--labels", "demand", "--min-score", limit + 0.0001).out)
    expected = [s["text"] for s in whole if s["scores"]["demand"] > limit]
    assert [s["text"] for s in strong["sentences"]] == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tag", ""], "the text is empty"),
        (["tag", " \n"], "the text is empty"),
        (["tag", "speeches/missing.txt"], "no file at 'speeches/missing.txt'"),
        (["tag", "missing.txt"], "no file at 'missing.txt'"),
        (["tag", "my missing speech.TXT"], "no file at 'my missing speech.TXT'"),
        (["tag", "."], ". is a folder"),
        (["tag", "talks today", "--labels", "demnad"], "did you mean 'demand'?"),
        (["tag", "talks today", "--labels", ","], "--labels is empty"),
        (["tag", "talks today", "--threshold", "1.5"], "'1.5' is no probability"),
        (["tag", "talks today", "--threshold", "demand=high"], "'demand=high' is no probability"),
        (["tag", "talks today", "--threshold", "demnad=0.5"], "did you mean 'demand'?"),
        (["tag", "talks today", "--min-score", "7"], "--min-score"),
        (["tag"], "Missing argument"),
        (["tga", "talks"], "No such command"),
        (["tag", "talks", "--jsn"], "--json"),
    ],
)
def test_wrong_calls_end_with_code_2_and_one_line(
    run: Run, tiny_folder: Path, arguments: list[str], message: str
) -> None:
    outcome = run(*arguments, *(["--model", tiny_folder] if len(arguments) > 2 else []))
    assert outcome.code == 2
    assert outcome.out == ""
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"GIF89a\x00\x01", "binary file (NUL byte at offset 6)"),
        ("Die Außenministerin".encode("latin-1"), "is not UTF-8 (byte 0xdf at offset 6)"),
        (b"talks " * (MAX_DOCUMENT_BYTES // 6 + 1), "larger than 4 MB"),
    ],
)
def test_unusable_files_are_named(run: Run, tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "speech.txt"
    file.write_bytes(content)
    for outcome, name in ((run("tag", file), str(file)), (run("tag", "-", stdin=content), "standard input")):
        assert outcome.code == 2
        assert name in outcome.err
        assert message in outcome.err
        assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("text", ["Peace.", "He said so in the U.S.", "A and/or B.", "x" * 5000])
def test_a_text_is_not_taken_for_a_path(run: Run, tiny_folder: Path, text: str) -> None:
    assert json.loads(run("tag", text, "--model", tiny_folder, "--json").out)["text"] == text


def test_a_byte_order_mark_is_no_part_of_the_text(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "speech.txt"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert json.loads(run("tag", file, "--model", tiny_folder, "--json").out)["text"] == TEXT


def test_a_damaged_model_is_code_1(run: Run, tmp_path: Path) -> None:
    outcome = run("tag", "talks today", "--model", tmp_path)
    assert outcome.code == 1
    assert "holds no rhetoric.json" in outcome.err


def test_debug_shows_the_traceback(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "from rhetoric.cli import main; main()", "tag", "talks", "--model", tmp_path, "--debug"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "Traceback" in process.stderr


def test_an_unforeseen_error_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str) -> str:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("rhetoric.cli.tag.read_document", fail)
    outcome = run("tag", "talks today")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: ZeroDivisionError: surprise (run again with --debug for the traceback)\n"


def test_ctrl_c_stops_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(source: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("rhetoric.cli.tag.read_document", interrupt)
    outcome = run("tag", "talks today")
    assert (outcome.code, outcome.err.strip()) == (1, "Stopped.")


def test_html_is_a_page_with_the_labels_asked_for(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "speech.txt"
    file.write_text("You must withdraw at once. We thank our friends for their help.", encoding="utf-8")
    done = run("tag", file, "--html", "--labels", "solidarity")
    assert done.code == 0 and done.out.startswith("<!doctype html>")
    assert "<h1>speech.txt</h1>" in done.out
    assert 'data-labels="solidarity' in done.out and 'data-labels="demand' not in done.out
    assert "You must withdraw at once." in done.out
    assert "<h1>Tagged text</h1>" in run("tag", "We thank our friends for their help.", "--html").out
    assert run("tag", file, "--html", "--json").code == 2


def test_html_goes_to_a_file(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    call = ["tag", "“We must talk”, she said.", "--model", tiny_folder, "--html"]
    written = run(*call, "-o", page)
    assert (written.code, written.out) == (0, "")
    assert page.read_text(encoding="utf-8") == run(*call).out
    assert run(*call, "-o", "-").out == page.read_text(encoding="utf-8")
    again = run(*call, "-o", page)
    assert again.code == 2 and "exists; remedy: another name, or --force" in again.err
    assert run(*call, "-o", page, "--force").code == 0
    assert run(*call, "-o", tmp_path / "no" / "page.html").err.count("cannot be written") == 1
    assert run("tag", "Talks.", "-o", page).code == 2


def test_a_page_does_not_replace_its_text(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "speech.txt"
    file.write_text(TEXT, encoding="utf-8")
    outcome = run("tag", file, "--html", "-o", file, "--force")
    assert outcome.code == 2 and "is what is read, and would be lost; remedy: another name" in outcome.err
    assert file.read_text(encoding="utf-8") == TEXT


def test_a_table_is_not_silently_read_as_a_text(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "speeches.csv"
    file.write_text("id,text\n1,We must talk.\n", encoding="utf-8")
    outcome = run("tag", file, "--model", tiny_folder)
    assert outcome.code == 0
    assert outcome.err == (
        f"warning: {file} looks like a table, and is read as one running text; remedy: rhetoric score, for files of "
        "rows\n"
    )
    packed = tmp_path / "speeches.csv.gz"
    packed.write_bytes(b"\x1f\x8b\x08\x00")
    assert "(NUL byte at offset 3); remedy: rhetoric score, for files of rows" in run("tag", packed).err


def test_json_and_pages_go_to_a_file_unless_one_is_there(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    printed = run("tag", TEXT, "--model", tiny_folder, "--json").out
    out = tmp_path / "speech.json"
    assert run("tag", TEXT, "--model", tiny_folder, "--json", "-o", out).out == ""
    assert out.read_text(encoding="utf-8") == printed
    assert "exists; remedy" in run("tag", TEXT, "--model", tiny_folder, "--json", "-o", out).err
    assert run("tag", TEXT, "--model", tiny_folder, "--json", "-o", "-").out == printed
    assert run("tag", TEXT, "--model", tiny_folder, "-o", out).code == 2


def test_the_engine_can_be_chosen(run: Run, tiny_folder: Path) -> None:
    assert run("tag", TEXT, "--model", tiny_folder, "--device", "cpu", "--threads", "1").code == 0
    refused = run("tag", TEXT, "--model", tiny_folder, "--device", "tpu")
    assert (refused.code, "unknown device 'tpu'" in refused.err) == (2, True)


@pytest.mark.parametrize("locale", ["cp1252", "ascii"])
def test_a_file_gets_utf8_whatever_the_locale(tiny_folder: Path, tmp_path: Path, locale: str) -> None:
    text = "“We will not bow,” Łódź said."
    command = [sys.executable, "-m", "rhetoric", "tag", text, "--model", str(tiny_folder), "--json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": locale}, capture_output=True, check=True)
    assert json.loads(done.stdout.decode("utf-8"))["text"] == text


@pytest.mark.parametrize("arguments", [("labels",), ("score", "FILE", "-o", "-")])
def test_a_reader_that_leaves_is_no_failure(tiny_folder: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("".join(f"We must begin talks {i}.\n" for i in range(3000)), encoding="utf-8")
    model = ["--model", str(tiny_folder)] if arguments[0] == "score" else []
    words = [str(file) if word == "FILE" else word for word in arguments]
    process = subprocess.Popen(
        [sys.executable, "-m", "rhetoric", *words, *model], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert "Error" not in process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0


def test_a_label_may_hold_a_comma() -> None:
    assert parse_labels("war, of words", ("peace", "war, of words")) == ("war, of words",)
    assert parse_labels("peace,war", ("peace", "war")) == ("peace", "war")
