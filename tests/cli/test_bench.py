"""`rhetoric bench` on the tiny model."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from rhetoric.engines.stored import recall

from .conftest import Run


@pytest.fixture(autouse=True)
def cache_of_its_own_and_little_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RHETORIC_CACHE", str(tmp_path))
    monkeypatch.setattr(importlib.import_module("rhetoric.bench.probe"), "TRIED", (("onnx", 512),))
    monkeypatch.setattr("rhetoric.bench.PROBE_SECONDS", 0.0)
    monkeypatch.setattr("rhetoric.bench.MEASURE_SECONDS", 0.0)


def test_json_has_speeds_settings_and_reasons(run: Run, tiny_folder: Path) -> None:
    outcome = run("bench", "--model", tiny_folder, "--count", 50, "--threads", 1, "--no-peers", "--json")
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    (row,) = report["measurements"]
    assert row["name"] == "rhetoric"
    assert row["sentences_per_second"] > 0
    assert row["padding_waste"] == 0
    assert any(trial["default"] for trial in report["trials"])
    assert report["choice"]["threads"] == 1
    assert report["choice"]["reasons"]
    kept = recall(tiny_folder, 1)
    assert kept is not None
    assert (kept.engine, kept.token_budget) == (report["choice"]["engine"], report["choice"]["token_budget"])


def test_the_table_says_why(run: Run, tiny_folder: Path) -> None:
    outcome = run("bench", "--model", tiny_folder, "--count", 50, "--threads", 1, "--no-peers")
    assert outcome.code == 0, outcome.err
    for word in ("sentences/s", "peak memory", "1 threads: asked for", "when `rhetoric bench` measured here"):
        assert word in outcome.out


def test_a_missing_model_is_an_error(run: Run) -> None:
    outcome = run("bench", "--model", "no/such/folder")
    assert outcome.code == 1
    assert "no model folder" in outcome.err
