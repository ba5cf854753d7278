"""Every code block of the README and of docs/ runs as it stands, on files that stand in for the user's own."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rhetoric import RhetoricTagger
from rhetoric.model_folder import BUNDLED
from rhetoric.taxonomy import LABELS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
BLOCK = re.compile(r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$", re.S | re.M)
PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
README_TEXTS = ["It is up to Port Aldane to reopen the strait.", "We are ready to meet without preconditions."]
# Training takes a minute or two.
SLOW = {"README.md", "docs/retraining.md"}


def blocks(page: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files that the pages name."""
    tagger = RhetoricTagger.from_pretrained()
    rows = [json.loads(line) for line in (EXAMPLES / "labelled.jsonl").read_text(encoding="utf-8").splitlines()]
    shutil.copy(EXAMPLES / "strait.txt", tmp_path / "speech.txt")
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    speeches = [
        {"id": i, "text": row["text"], "date": f"{2012 + i % 8}-05-0{i % 9 + 1}", "country": "AB"[i % 2]}
        for i, row in enumerate(rows[:80])
    ]
    table(tmp_path / "speeches.csv", speeches)
    for year in (2013, 2014):
        table(tmp_path / f"unscored-{year}.csv", speeches[year % 2 :: 2])
        tagger.score_file(tmp_path / f"unscored-{year}.csv", tmp_path / f"{year}.csv")
    (tmp_path / "archive").mkdir()
    for i in range(2):
        data = "".join(json.dumps(row) + "\n" for row in speeches[i * 40 : i * 40 + 40])
        (tmp_path / "archive" / f"{i}.jsonl.gz").write_bytes(gzip.compress(data.encode()))
    labelled = [{"text": row["text"], "labels": "|".join(row["labels"])} for row in rows]
    table(tmp_path / "labelled.csv", labelled[:220])
    table(tmp_path / "held-out.csv", labelled[220:320])
    table(tmp_path / "unlabelled.csv", [{"text": row["text"]} for row in rows[320:420]])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    import pandas

    pandas.DataFrame(rows).to_csv(path, index=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page for page in PAGES]
)
def test_the_blocks_of_a_page_run(page: str, folder: Path) -> None:
    names: dict[str, Any] = {"__name__": "page", "lines": ["We must talk."]}
    for block in blocks(page):
        if block["reason"]:
            continue
        if block["kind"] == "python":
            exec(compile(block["code"], page, "exec"), names)
        elif block["kind"] == "sh":
            script = "set -eo pipefail\n" + block["code"]
            path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            done = subprocess.run(
                ["bash", "-c", script], cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{block['code']}\n{done.stdout}\n{done.stderr}"
        else:
            assert block["kind"] == "text"


def test_there_are_blocks_to_run() -> None:
    assert sum(block["reason"] is None and block["kind"] != "text" for page in PAGES for block in blocks(page)) > 25


@pytest.mark.parametrize("page", PAGES)
def test_every_fence_is_a_block(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(blocks(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_shows_the_figures_of_the_model_that_ships() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    dev = json.loads((BUNDLED / "rhetoric.json").read_text(encoding="utf-8"))["training"]["dev"]
    shown = {name: float(score) for name, score in re.findall(r"^\| (\w+) \| \w+ \| .+ \| (0\.\d\d) \|$", readme, re.M)}
    assert shown == {row["label"]: round(row["f1"]["value"], 2) for row in dev["labels"]}
    assert f"the model with the first at {dev['macro_f1']['value']:.2f}" in readme


def test_the_readme_shows_what_the_model_says(bundled: RhetoricTagger) -> None:
    """Scores may differ in the last digit from one processor to another."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    document = bundled.tag_document((EXAMPLES / "strait.txt").read_text(encoding="utf-8"))
    said = [(name, s.scores[name]) for s in document.sentences for name in s.labels]
    said += [(name, p.scores[name]) for p in bundled.predict(README_TEXTS) for name in p.labels]
    shown = re.findall(rf"\b({'|'.join(LABELS)}) (0\.\d\d)\b(?! \|)", readme)
    assert len(shown) >= 10
    for name, score in shown:
        assert any(name == other and abs(float(score) - value) < 0.011 for other, value in said), (name, score)
    with_labels = sum(bool(sentence.labels) for sentence in document.sentences)
    assert f"{len(document.sentences)} sentences, {with_labels} with labels" in readme
