"""A model on disk: what is damaged or wrong is named, nothing else is trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rhetoric import ModelError, RhetoricTagger
from rhetoric.model_folder import LabelSpec, ModelFolder, locate_model, read_model_folder


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def files_of(folder: Path) -> list[str]:
    return list(json.loads((folder / "rhetoric.json").read_text())["files"])


def test_every_file_is_in_the_manifest(folder: Path) -> None:
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(files_of(folder)) == present - {"rhetoric.json"}


def test_the_bundled_model_has_a_name() -> None:
    assert locate_model("bundled") == locate_model(None)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "onnx/model_int8.onnx"])
def test_one_flipped_bit_is_noticed_and_the_file_named(folder: Path, name: str) -> None:
    file = folder / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match=rf"{name.split('/')[-1]} is damaged.*SHA-256"):
        RhetoricTagger.from_pretrained(folder)


def test_a_short_file_and_a_missing_file_are_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(ModelError, match="tokenizer.json is damaged: 2 bytes, expected"):
        RhetoricTagger.from_pretrained(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match="config.json cannot be read"):
        RhetoricTagger.from_pretrained(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "labels": [{"name": "x"}]}'])
def test_a_broken_manifest_is_named(folder: Path, content: str) -> None:
    (folder / "rhetoric.json").write_text(content)
    with pytest.raises(ModelError, match="rhetoric.json is damaged"):
        RhetoricTagger.from_pretrained(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"files": {}}, "no SHA-256 of config.json, model.safetensors, tokenizer.json"),
        ({"files": []}, "no SHA-256"),
        ({"labels": []}, "0 labels"),
        ({"max_tokens": 2}, "max_tokens 2"),
        ({"task": "other"}, "task 'other'"),
    ],
)
def test_a_manifest_that_cannot_be_is_named(folder: Path, change: dict[str, object], named: str) -> None:
    raw = json.loads((folder / "rhetoric.json").read_text())
    (folder / "rhetoric.json").write_text(json.dumps(raw | change))
    with pytest.raises(ModelError, match=rf"rhetoric.json is damaged .*{named}"):
        RhetoricTagger.from_pretrained(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [("slope", "steep"), ("slope", 0), ("threshold", None), ("threshold", 1.5), ("abstain", [0.7, 0.3])],
)
def test_numbers_of_a_label_that_cannot_be_are_named(folder: Path, field: str, value: object) -> None:
    raw = json.loads((folder / "rhetoric.json").read_text())
    raw["labels"][1][field] = value
    (folder / "rhetoric.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match="rhetoric.json is damaged"):
        RhetoricTagger.from_pretrained(folder)


def test_labels_are_distinct_and_as_many_as_outputs(folder: Path) -> None:
    raw = json.loads((folder / "rhetoric.json").read_text())
    first, *others = raw["labels"]
    (folder / "rhetoric.json").write_text(json.dumps(raw | {"labels": [first, first, *others[1:]]}))
    with pytest.raises(ModelError, match="12 labels, 11 names"):
        RhetoricTagger.from_pretrained(folder)
    (folder / "rhetoric.json").write_text(json.dumps(raw | {"labels": others}))
    with pytest.raises(ModelError, match="names 11 labels, the network of .* has 12 outputs"):
        RhetoricTagger.from_pretrained(folder)


def test_a_card_may_be_completed(folder: Path) -> None:
    (folder / "README.md").write_text("Trained on questionnaires of 2026, CC BY 4.0.\n")
    RhetoricTagger.from_pretrained(folder)


def test_a_newer_format_says_update(folder: Path) -> None:
    raw = json.loads((folder / "rhetoric.json").read_text())
    (folder / "rhetoric.json").write_text(json.dumps(raw | {"format": 99}))
    with pytest.raises(ModelError, match="format 99.*update the package"):
        RhetoricTagger.from_pretrained(folder)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no rhetoric\.json"):
        RhetoricTagger.from_pretrained(tmp_path)
    with pytest.raises(ModelError, match="no model folder at"):
        RhetoricTagger.from_pretrained(tmp_path / "absent")
    file = tmp_path / "file.txt"
    file.touch()
    with pytest.raises(ModelError, match="is a file, not a model folder"):
        RhetoricTagger.from_pretrained(file)


def test_a_hub_id_that_cannot_be_fetched_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(repo_id: str, revision: str | None, local_files_only: bool = False) -> str:
        raise OSError(f"offline: {repo_id} {revision}\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ModelError, match=r"'owner/model@v1' .*\(offline: owner/model v1\); remedy"):
        RhetoricTagger.from_pretrained("owner/model@v1")


def test_the_hub_is_asked_only_for_what_is_not_whole_in_the_cache(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[str | None] = []

    def deliver(repo_id: str, revision: str | None, local_files_only: bool = False) -> str:
        if not local_files_only:
            asked.append(revision)
            shutil.copytree(whole, folder, dirs_exist_ok=True)
        return str(folder)

    whole = shutil.copytree(folder, folder.with_name("hub"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", deliver)
    assert locate_model("owner/model@v1") == folder
    assert asked == []
    (folder / "tokenizer.json").unlink()  # as a download that was cut off leaves it
    RhetoricTagger.from_pretrained("owner/model@v1")
    assert asked == ["v1"]


def test_the_digest_tells_models_apart(folder: Path) -> None:
    before = read_model_folder(folder).digest
    raw = json.loads((folder / "rhetoric.json").read_text())
    raw["labels"][0]["threshold"] = 0.51
    (folder / "rhetoric.json").write_text(json.dumps(raw))
    assert read_model_folder(folder).digest != before


def model(task: str, slope: float, intercept: float) -> ModelFolder:
    labels = tuple(LabelSpec(name, 0.5, slope, intercept, (0.3, 0.7)) for name in "ab")
    return ModelFolder(Path(), task, labels, 24, {}, "")  # type: ignore[arg-type]


def test_calibration_is_platt_scaling() -> None:
    logits = np.array([[0.0, 2.0], [-500.0, 500.0]], np.float32)
    expected = 1 / (1 + np.exp(-(np.clip(logits, -20, 20) * 2 - 1)))
    assert np.allclose(model("multi_label", 2, -1).probabilities(logits), expected, atol=1e-6)


def test_single_label_probabilities_sum_to_one_a_row() -> None:
    scores = model("single_label", 0.5, 0).probabilities(np.array([[0.0, 2.0], [1e4, -1e4]], np.float32))
    assert np.allclose(scores, [[1 / (1 + np.e), np.e / (1 + np.e)], [1, 0]])
