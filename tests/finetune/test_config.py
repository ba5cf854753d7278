"""Settings: from YAML and the command line, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhetoric import InputError
from rhetoric.finetune.config import TrainConfig, read_config

CONFIGS = Path(__file__).parents[2] / "configs"
pytest.importorskip("yaml")


def test_the_documented_defaults_are_the_defaults() -> None:
    assert read_config(CONFIGS / "default.yaml") == TrainConfig()
    documented = (CONFIGS / "default.yaml").read_text()
    assert all(f"\n{name}: " in documented for name in TrainConfig().to_dict())


@pytest.mark.parametrize("name", ["few_labels", "single_label", "extend"])
def test_the_other_configs_change_something(name: str) -> None:
    assert read_config(CONFIGS / f"{name}.yaml") != read_config(CONFIGS / "default.yaml")


def test_what_is_not_default_makes_the_same_config() -> None:
    config = TrainConfig(labels=("a", "b"), epochs=3, dropout=0.1)
    assert config.not_default() == {"labels": ["a", "b"], "epochs": 3}
    assert TrainConfig().changed(config.not_default()) == config


def test_yaml_round_trip(tmp_path: Path) -> None:
    config = TrainConfig(labels=("a", "ß"), learning_rate=1e-5, report_to=("tensorboard",), base="owner/name")
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert read_config(path) == config


def test_settings_win_over_the_file_and_are_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("epochs: 3\nlearning_rate: 2e-4\n")
    config = read_config(path, ["epochs=5", "labels=[a, b]", "learning_rate=1e-4", "extend=true", "base=null"])
    assert (config.epochs, config.labels, config.learning_rate) == (5, ("a", "b"), 1e-4)
    assert config.extend
    assert config.base is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", "unknown setting 'epoch'; did you mean 'epochs'"),
        ("zzz=3", "unknown setting 'zzz'; remedy: one of base"),
        ("epochs", "has no value"),
        ("epochs=many", "epochs='many' is str"),
        ("epochs=2.5", "is float"),
        ("epochs=true", "is bool"),
        ("epochs=0", "epochs=0 is not possible"),
        ("learning_rate=-1", "learning_rate=-1.0 is not possible"),
        ("learning_rate=.nan", "learning_rate=nan is not possible"),
        ("freeze=all", "freeze='all' is not possible; remedy: one of words"),
        ("labels=[a, a]", "distinct names"),
        ("labels=[1, 2]", "distinct names"),
        ("seed=[", "cannot be read as YAML"),
    ],
)
def test_impossible_settings_are_named(setting: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_config(None, [setting])
    assert message in str(caught.value)


@pytest.mark.parametrize("content", ["- a\n", "a: [\n", "", "epoch: 3\n"])
def test_broken_files_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"config .*mine\.yaml"):
        read_config(path)
    with pytest.raises(InputError, match="absent"):
        read_config(tmp_path / "absent.yaml")
