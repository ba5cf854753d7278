"""Training from rows to a model folder: what is in it, what it learned, and from what it can be trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rhetoric import InputError, JobError, ModelError, RhetoricTagger
from rhetoric.finetune import TrainConfig, TrainResult, evaluate, suggest, train
from rhetoric.model_folder import read_model_folder
from rhetoric.taxonomy import LABELS

from .conftest import CLUES, OWN_CLUES, make_rows, settings, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_trained_folder_is_whole_and_scores(trained: TrainResult) -> None:
    folder = read_model_folder(trained.path)
    present = {p.relative_to(trained.path).as_posix() for p in trained.path.rglob("*") if p.is_file()}
    assert present == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "onnx/model_int8.onnx"),
        *("rhetoric.json", "README.md", "config.yaml", "history.jsonl"),
    }
    assert folder.names == trained.labels == LABELS
    assert not trained.path.with_name("model.training").exists()
    assert RhetoricTagger.from_pretrained(trained.path).predict_one("we must begin talks").scores.keys() == set(LABELS)


def test_the_tokenizer_neither_cuts_nor_pads(trained: TrainResult) -> None:
    tokenizer = json.loads((trained.path / "tokenizer.json").read_text())
    assert tokenizer["truncation"] is None
    assert tokenizer["padding"] is None


def test_it_learned_something(trained: TrainResult) -> None:
    assert trained.scores.macro_f1.value > 0.5
    assert trained.train_rows + trained.dev_rows == 300
    history = [json.loads(line) for line in (trained.path / "history.jsonl").read_text().splitlines()]
    losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    assert len(losses) == 6
    assert losses[-1] < losses[0]


def test_transformers_reads_the_folder_and_agrees_with_int8(trained: TrainResult) -> None:
    import torch
    import transformers
    from safetensors.torch import load_file

    model = transformers.AutoModelForSequenceClassification.from_pretrained(trained.path).float().eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained.path)
    assert {t.dtype for t in load_file(trained.path / "model.safetensors").values()} == {torch.float16}
    assert model.config.id2label == dict(enumerate(LABELS))
    texts = [row["text"] for row in make_rows(40, seed=9)]
    with torch.inference_mode():
        logits = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.numpy()
    theirs = read_model_folder(trained.path).probabilities(logits)
    ours = RhetoricTagger.from_pretrained(trained.path).predict_proba(texts)
    assert np.abs(theirs - ours).mean() < 0.02


def test_the_record_says_how_it_was_made(trained: TrainResult) -> None:
    record = read_model_folder(trained.path).training
    assert record["data"]["train"]["rows"] == 300
    assert record["settings"]["epochs"] == 6
    assert record["rows"] == {"train": trained.train_rows, "dev": trained.dev_rows}
    assert record["versions"]["torch"]
    assert record["dev"]["macro_f1"]["value"] == trained.scores.macro_f1.value
    card = (trained.path / "README.md").read_text()
    assert card.startswith("---\n")
    for heading in ("## Use", "## Quality", "## What became of the base's labels", "## Training", "## Limits"):
        assert f"\n{heading}\n" in card
    assert all(f"| {name} |" in card for name in LABELS)


def test_labels_the_data_never_names_keep_the_judgement_of_the_base(trained: TrainResult) -> None:
    kept = {old.label: old for old in trained.old_labels if old.f1_after is None}
    assert set(kept) == set(LABELS) - set(CLUES)
    assert np.mean([old.agreement for old in kept.values()]) > 0.85
    measured = [old for old in trained.old_labels if old.f1_after is not None]
    assert sum(old.f1_after - (old.f1_before or 0) for old in measured) > 0  # type: ignore[operator]


def test_labels_the_data_never_names_are_taught_by_the_base(tiny_folder: Path) -> None:
    from rhetoric.finetune.base import locate_base
    from rhetoric.finetune.data import read_labelled, to_data
    from rhetoric.finetune.run import _Kept

    config = settings(tiny_folder)
    data = to_data(read_labelled(make_rows(20), config).rows, ("threat", "evasion", "mine"), config)
    kept = _Kept(locate_base(tiny_folder), ["evasion"], data, data.take(np.arange(5)))
    taught = RhetoricTagger.from_pretrained(tiny_folder).predict_proba(data.texts)[:, LABELS.index("evasion")]
    assert np.array_equal(kept.train.targets[:, 1], taught)
    assert np.array_equal(kept.dev.targets[:, 1], taught[:5])
    assert np.array_equal(kept.dev_probabilities[:, 1], taught[:5])
    assert not kept.train.mask[:, 1].any()
    assert np.array_equal(kept.train.targets[:, [0, 2]], data.targets[:, [0, 2]])
    assert kept.train.mask[:, [0, 2]].all()


def test_the_same_seed_gives_the_same_weights(tiny_folder: Path, tmp_path: Path, trained: TrainResult) -> None:
    config = settings(tiny_folder)
    again = train(make_rows(300), tmp_path / "again", config=config)
    other = train(make_rows(300), tmp_path / "other", config=config.changed({"seed": 1}))
    assert weights(again.path) == weights(trained.path) != weights(other.path)
    assert again.scores == trained.scores


def test_unsound_data_is_refused_with_its_rows(tiny_folder: Path, tmp_path: Path) -> None:
    rows = make_rows(60)
    rows[3]["labels"], rows[8]["text"] = ["demnad"], ""
    with pytest.raises(InputError, match=r"rows row 8: empty text.*rows row 3: unknown label 'demnad'; did you mean"):
        train(rows, tmp_path / "model", config=settings(tiny_folder))
    with pytest.raises(InputError, match="too few rows '1'"):
        train(rows[:1], tmp_path / "model", config=settings(tiny_folder))
    assert list(tmp_path.iterdir()) == []


def test_impossible_bases_are_refused_before_training(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no config.json"):
        train(make_rows(60), tmp_path / "model", config=settings(tmp_path))
    with pytest.raises(InputError, match="layers=9, but .* has 2 layers; remedy: at most 2"):
        train(make_rows(60), tmp_path / "model", config=settings(tiny_folder, layers=9))
    with pytest.raises(InputError, match="max_tokens=500, but .* reads 64 tokens"):
        train(make_rows(60), tmp_path / "model", config=settings(tiny_folder, max_tokens=500))


def test_a_smaller_model_has_the_layers_asked_for(tiny_folder: Path, tmp_path: Path) -> None:
    result = train(make_rows(60), tmp_path / "model", config=settings(tiny_folder, layers=1, epochs=1))
    assert json.loads((result.path / "config.json").read_text())["num_hidden_layers"] == 1
    whole = (tiny_folder / "model.safetensors").stat().st_size
    assert (result.path / "model.safetensors").stat().st_size < whole
    texts = [row["text"] for row in make_rows(20)]
    tagger = RhetoricTagger.from_pretrained(result.path)
    float_weights = RhetoricTagger.from_pretrained(result.path, engine="torch")
    assert np.abs(tagger.predict_proba(texts) - float_weights.predict_proba(texts)).max() < 0.1


def test_kept_layers_are_spread_over_the_base(tiny_folder: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    from rhetoric.finetune.base import Base

    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 1200}
    deep = BertForSequenceClassification(BertConfig(num_hidden_layers=6, **shape))
    deep.save_pretrained(tmp_path)
    for file in tiny_folder.glob("tokenizer*"):
        shutil.copy(file, tmp_path)
    network, _ = Base(tmp_path, None).network(LABELS, "multi_label", layers=3)
    for kept, original in zip(network.bert.encoder.layer, (0, 2, 5), strict=True):
        expected = deep.bert.encoder.layer[original].output.dense.weight
        assert (kept.output.dense.weight == expected).all()


def test_new_labels_beside_the_old(tiny_folder: Path, tmp_path: Path) -> None:
    """Old heads keep their rows; labels the data never names decide nearly as before."""
    rows = make_rows(500, clues=OWN_CLUES)
    result = train(rows, tmp_path / "model", config=settings(tiny_folder, extend=True, epochs=10, patience=0))
    assert result.labels == (*LABELS, "urgent", "vague")
    assert {old.label for old in result.old_labels} == set(LABELS)
    assert np.mean([old.agreement for old in result.old_labels]) > 0.85
    assert result.scores.macro_f1.value > 0.55  # of the two new labels; 0.46 for giving both everywhere
    assert json.loads((result.path / "rhetoric.json").read_text())["taxonomy_version"] is None


def test_heads_of_the_base_are_taken_over(tiny_folder: Path) -> None:
    from rhetoric.finetune.base import locate_base

    base = locate_base(tiny_folder)
    before, _ = base.network(LABELS, "multi_label")
    after, _ = base.network(("new", "threat", "demand"), "multi_label")
    assert (after.classifier.weight[1] == before.classifier.weight[2]).all()
    assert (after.classifier.weight[2] == before.classifier.weight[0]).all()
    assert float(after.classifier.bias[0].detach()) == 0


def test_exclusive_classes(tiny_folder: Path, tmp_path: Path) -> None:
    rows = make_rows(300, clues={"calm": "talks", "sharp": "force", "warm": "friends"}, exclusive=True)
    config = settings(tiny_folder, task="single_label")
    result = train(rows, tmp_path / "model", config=config)
    tagger = RhetoricTagger.from_pretrained(result.path)
    predictions = tagger.predict([row["text"] for row in rows])
    assert all(len(p.labels) == 1 for p in predictions)
    assert all(sum(p.scores.values()) == pytest.approx(1, abs=1e-5) for p in predictions)
    right = [list(p.labels) == row["labels"] for p, row in zip(predictions, rows, strict=True)]
    assert np.mean(right) > 0.6
    assert all(file.stat().st_mode & 0o044 for file in result.path.rglob("*") if file.is_file())  # colleagues may read
    _check_what_knows_the_task(result.path, rows, tmp_path)


def _check_what_knows_the_task(model: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    """Evaluation, suggestions and a later training take the classes for exclusive without being told."""
    odd = [dict(row) for row in rows[:40]]
    odd[3]["labels"], odd[5]["labels"] = [], ["calm", "warm"]
    with pytest.raises(InputError, match=r"row 3: not one class; 0 classes.*row 5: not one class 'calm\|warm'"):
        evaluate(model, odd)
    tagger = RhetoricTagger.from_pretrained(model)
    leads = {}
    for row in rows:
        first, second, *_ = sorted(tagger.predict_one(row["text"]).scores.values(), reverse=True)
        leads[row["text"]] = first - second
    for suggestion in suggest(rows, 9, model=model):
        assert (suggestion.why,) == suggestion.labels
    assert min(leads, key=leads.__getitem__) in {suggestion.text for suggestion in suggest(rows, 9, model=model)}
    for extend in (False, True):
        more = make_rows(60, clues={"calm": "talks", "sharp": "force"} | ({"own": "law"} if extend else {}))
        config = settings(model, extend=extend)
        with pytest.raises(InputError, match="base of exclusive classes 'model'; .* remedy: --single-label"):
            train(more, tmp_path / "other", config=config)


def test_few_rows_fit_the_head_first(tiny_folder: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    seen: list[tuple[int, Mapping[str, float]]] = []
    config = settings(tiny_folder, few_rows=200, epochs=2, learning_rate=1e-9)
    result = train(
        make_rows(120),
        tmp_path / "model",
        config=config,
        say=lines.append,
        progress=lambda step, total, measured: seen.append((step, measured)),
    )
    assert any("the head is fitted on frozen embeddings first" in line for line in lines)
    assert seen[0][0] == 0
    assert "eval_macro_f1" in seen[0][1]
    assert result.best_step == 0  # at this learning rate fine-tuning cannot better the head
    untouched = train(make_rows(120), tmp_path / "other", config=config.changed({"few_rows": 0}))
    assert result.scores.macro_f1.value > untouched.scores.macro_f1.value


@pytest.mark.slow
def test_soft_targets_teach_what_they_say(tiny_folder: Path, tmp_path: Path) -> None:
    teacher = RhetoricTagger.from_pretrained(tiny_folder)
    texts = [row["text"] for row in make_rows(200)]
    scores = teacher.predict_proba(texts)
    rows = [
        {"text": text, "soft": dict(zip(teacher.labels, row.tolist(), strict=True)), "labels": list(p.labels)}
        for text, row, p in zip(texts, scores, teacher.predict(texts), strict=True)
    ]
    config = settings(tiny_folder, soft_column="soft", positive_weight="none", learning_rate=1e-4, epochs=1)
    result = train(rows, tmp_path / "model", config=config)
    assert np.mean([old.agreement for old in result.old_labels]) > 0.9


def test_a_dev_file_and_every_kind_of_source(tiny_folder: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    pandas = pytest.importorskip("pandas")
    datasets = pytest.importorskip("datasets")
    rows, dev = make_rows(80), write(make_rows(40, seed=1), "dev.jsonl")
    config = settings(tiny_folder, epochs=1)
    sources = (write(rows), pandas.DataFrame(rows), datasets.Dataset.from_list(rows))
    results = [train(source, tmp_path / f"m{i}", dev=dev, config=config) for i, source in enumerate(sources)]
    assert {(r.train_rows, r.dev_rows) for r in results} == {(80, 40)}
    assert len({weights(result.path) for result in results}) == 1


@pytest.mark.slow
def test_int8_that_costs_too_much_keeps_layers_in_float(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rhetoric.finetune import gate

    real = gate.int8_logits

    def spoilt(folder: Path, *arguments: Any) -> Any:
        logits = real(folder, *arguments)
        return logits if tried and tried[-1] else 0 * logits

    tried: list[Any] = []
    export = gate.export_onnx
    monkeypatch.setattr(gate, "export_onnx", lambda *a, **k: (tried.append(k["float_layers"]), export(*a, **k))[1])
    monkeypatch.setattr(gate, "int8_logits", spoilt)
    result = train(make_rows(300), tmp_path / "model", config=settings(tiny_folder, max_f1_loss=0.0))
    assert len(tried) == 2
    assert result.gate.parity.float_layers == ("layer0.narrow", "layer1.narrow")
    monkeypatch.setattr(gate, "int8_logits", lambda *a: 0 * real(*a))
    with pytest.raises(JobError, match="in int8 label '.*' loses"):
        train(make_rows(300), tmp_path / "other", config=settings(tiny_folder, max_f1_loss=0.0))
    assert not (tmp_path / "other").exists()


def test_reports_go_to_the_integrations_asked_for(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rhetoric.finetune.trainer import _arguments

    assert _arguments(TrainConfig(), 100, tmp_path).report_to == []
    assert _arguments(TrainConfig(report_to=("wandb",)), 100, tmp_path).report_to == ["wandb"]


def test_batches_hold_like_lengths_and_every_row_once() -> None:
    from rhetoric.finetune.trainer import LikeLengths

    lengths = np.random.default_rng(0).integers(3, 100, 1003)
    sampler = LikeLengths(lengths.tolist(), 16, seed=0)
    first, again = list(sampler), list(sampler)
    sampler.set_epoch(1)
    assert first == again != list(sampler)
    assert sorted(first) == list(range(1003))
    spread = [np.ptp(lengths[first[i : i + 16]]) for i in range(0, 992, 16)]
    assert np.mean(spread) < 10


def test_settings_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config is a dict; remedy: TrainConfig\(epochs=3"):
        train(make_rows(20), tmp_path / "model", config={"epochs": 3})  # type: ignore[arg-type]


def test_a_place_that_cannot_be_written_to_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/model\.training cannot be written \(Not a directory\); remedy"):
        train(make_rows(60), tmp_path / "file" / "model", config=settings(tiny_folder))
