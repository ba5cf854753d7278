"""What is chosen from the machine, what was measured and what was asked for, and the words of refusals."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from rhetoric import ExtraError, InputError, RhetoricTagger
from rhetoric.engines import choice as module
from rhetoric.engines import stored
from rhetoric.engines.choice import choose
from rhetoric.engines.stored import Measured, recall, remember


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RHETORIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "usable_cores", lambda: 4)
    monkeypatch.setattr(module, "cuda_visible", lambda: False)


def test_a_processor_gets_the_int8_graph_on_every_core(tiny_folder: Path) -> None:
    chosen = choose(tiny_folder)
    assert (chosen.engine, chosen.device, chosen.precision) == ("onnx", "cpu", "int8")
    assert (chosen.threads, chosen.token_budget) == (4, 512)
    assert len(chosen.reasons) == 4


def test_a_cuda_device_gets_torch_if_torch_can_use_it(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cuda_visible", lambda: True)
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    monkeypatch.setattr(module, "_cuda_works", lambda: True)
    chosen = choose(tiny_folder)
    assert (chosen.engine, chosen.device, chosen.precision) == ("torch", "cuda", "float16")
    assert chosen.token_budget > 512
    assert choose(tiny_folder, device="cpu").engine == "onnx"
    monkeypatch.setattr(module, "_cuda_works", lambda: False)
    assert "cannot use it" in choose(tiny_folder).reasons[0]
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "extra [torch] is not installed" in choose(tiny_folder).reasons[0]


@pytest.mark.parametrize(("installed", "fits"), [("2026.2.1", False), ("2026.3.0", True), ("2027.0.0-1", True)])
def test_an_openvino_that_misreads_the_graph_is_not_used(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, installed: str, fits: bool
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: installed)
    monkeypatch.setattr(module, "require", lambda name, extra: None)
    assert module.openvino_fits() == fits
    if fits:
        assert choose(tiny_folder, engine="openvino").engine == "openvino"
    else:
        with pytest.raises(
            ExtraError, match=r"OpenVINO 2026\.2\.1 misreads .* remedy: pip install 'openvino>=2026\.3'"
        ):
            choose(tiny_folder, engine="openvino")


def test_what_is_asked_for_is_done_and_said(tiny_folder: Path) -> None:
    chosen = choose(tiny_folder, engine="onnx", threads=9, token_budget=64, precision="int8")
    assert (chosen.threads, chosen.token_budget) == (9, 64)
    assert all("asked for" in reason for reason in chosen.reasons)
    assert any("may use 4 cores" in reason for reason in chosen.reasons)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"engine": "tensorrt"}, "unknown engine 'tensorrt'"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"device": "cpu:1"}, "unknown device 'cpu:1'"),
        ({"device": "cuda:x"}, "unknown device 'cuda:x'"),
        ({"precision": "int4"}, "unknown precision 'int4'"),
        ({"threads": 0}, "threads=0 is not possible"),
        ({"threads": "2"}, "threads='2' is not possible; remedy: a whole number"),
        ({"token_budget": 0}, "token_budget=0 is not possible"),
        ({"engine": "onnx", "device": "cuda"}, "'onnx' computes on cpu only"),
        ({"engine": "onnx", "precision": "float16"}, "'float16' is not possible with engine onnx on cpu"),
        ({"precision": "float32"}, "remedy: int8, or engine=torch"),
    ],
)
def test_the_impossible_is_refused(tiny_folder: Path, wanted: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose(tiny_folder, **wanted)  # type: ignore[arg-type]


def test_torch_takes_no_int8_and_no_float16_on_a_processor(tiny_folder: Path) -> None:
    pytest.importorskip("torch")
    for precision in ("int8", "float16"):
        with pytest.raises(InputError, match=f"'{precision}' is not possible with engine torch on cpu"):
            choose(tiny_folder, engine="torch", device="cpu", precision=precision)


def test_a_missing_device_is_named(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"device='cuda' is not possible: .*remedy: device='cpu'"):
        choose(tiny_folder, device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose(tiny_folder, device="cuda:1").device == "cuda:1"
    with pytest.raises(InputError, match="there are 2 CUDA devices"):
        choose(tiny_folder, device="cuda:2")


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_missing_extra_is_named(tiny_folder: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *, extra: str) -> None:
        raise ExtraError(f"pip install 'diplomatic-rhetoric[{extra}]'")

    monkeypatch.setattr(module, "require", absent)
    with pytest.raises(ExtraError, match=rf"\[{engine}\]"):
        choose(tiny_folder, engine=engine)


def test_a_measurement_is_used_for_its_threads_and_model_only(tiny_folder: Path, tmp_path: Path) -> None:
    assert remember(tiny_folder, 4, Measured("openvino", 256, 9000.0))
    chosen = choose(tiny_folder)
    assert (chosen.engine, chosen.token_budget) == ("openvino", 256)
    assert "rhetoric bench" in chosen.reasons[0]
    assert choose(tiny_folder, threads=3).engine == "onnx"
    assert choose(tiny_folder, engine="onnx").token_budget == 512
    assert choose(tiny_folder, token_budget=64).token_budget == 64
    other = tmp_path / "other"
    other.mkdir()
    (other / "rhetoric.json").write_text("{}", encoding="utf-8")
    assert choose(other).engine == "onnx"


def test_other_versions_make_another_measurement(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tiny_folder, 4, Measured("onnx", 256, 1.0))
    monkeypatch.setattr(stored, "PACKAGES", ("numpy",))
    assert recall(tiny_folder, 4) is None


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b'{"key": 3}'])
def test_an_unreadable_cache_is_as_good_as_none(tiny_folder: Path, content: bytes) -> None:
    file = stored.cache_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert choose(tiny_folder).engine == "onnx"
    assert remember(tiny_folder, 4, Measured("onnx", 256, 1.0))
    assert choose(tiny_folder).token_budget == 256


@pytest.mark.parametrize("entry", [3, {}, {"engine": "x", "token_budget": 4, "tokens_per_second": 1}])
def test_a_senseless_entry_is_as_good_as_none(tiny_folder: Path, entry: object) -> None:
    remember(tiny_folder, 4, Measured("onnx", 256, 1.0))
    (key,) = json.loads(stored.cache_file().read_text(encoding="utf-8"))
    stored.cache_file().write_text(json.dumps({key: entry}), encoding="utf-8")
    assert choose(tiny_folder).token_budget == 512


def test_an_unwritable_cache_breaks_nothing(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("RHETORIC_CACHE", str(tmp_path / "file"))
    assert not remember(tiny_folder, 4, Measured("onnx", 256, 1.0))
    assert RhetoricTagger.from_pretrained(tiny_folder).choice.token_budget == 512


def test_the_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RHETORIC_CACHE")
    monkeypatch.setattr(stored.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert stored.cache_file() == tmp_path / "rhetoric" / "engines.json"
