"""Chooses engine, device, precision, threads and token budget, and says why.

The rules cost no measurement and no heavy import: a processor runs the int8 graph in ONNX Runtime; a CUDA device,
where torch is installed, runs the float weights. What only a measurement can tell (is OpenVINO faster here, which
token budget) is measured when `rhetoric bench` asks for it, and remembered; see `stored.py`. What the caller sets
is never overruled: it is done, or it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from numbers import Integral
from pathlib import Path
from types import ModuleType

from rhetoric.engines.stored import recall
from rhetoric.errors import ExtraError, InputError, require
from rhetoric.machine import cuda_visible, usable_cores

__all__ = ["DEVICES", "ENGINES", "PRECISIONS", "Choice", "choose", "openvino_fits"]

ENGINES = ("onnx", "openvino", "torch")
DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "float16", "bfloat16", "int8")
# What each engine can compute in on each device; the first is the default.
POSSIBLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("onnx", "cpu"): ("int8",),
    ("openvino", "cpu"): ("int8",),
    ("torch", "cpu"): ("float32", "bfloat16"),
    ("torch", "cuda"): ("float16", "bfloat16", "float32"),
    ("torch", "mps"): ("float32", "float16"),
}
# On a processor a batch's widest activation (budget * 1536 floats, 3 MB) stays near the core that works on it;
# OpenVINO spends more on each batch, so its are larger. A device needs enough work to fill it; more only costs memory.
BUDGETS = {("onnx", "cpu"): 512, ("openvino", "cpu"): 1024, ("torch", "cpu"): 1024}
DEVICE_BUDGET = 32_768
OLDEST_OPENVINO = (2026, 3)  # 2026.2 misreads attention that is written as ONNX has it since opset 23


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model is computed on this machine.

    Attributes:
        engine: "onnx", "openvino" or "torch".
        device: "cpu", "cuda" (or "cuda:1", …) or "mps".
        precision: "int8", "float16", "bfloat16" or "float32".
        threads: Processor threads that compute.
        token_budget: Word pieces in a batch.
        reasons: Why, a line each.
    """

    engine: str
    device: str
    precision: str
    threads: int
    token_budget: int
    reasons: tuple[str, ...]


def choose(
    folder: Path,
    *,
    device: str | None = None,
    engine: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    token_budget: int | None = None,
) -> Choice:
    """Settles every setting that the caller leaves open.

    Args:
        folder: The model folder, to find what was measured for it.
        device: "cpu", "cuda", "cuda:1", "mps"; None to choose.
        engine: "onnx", "openvino" or "torch"; None to choose.
        precision: "float32", "float16", "bfloat16" or "int8"; None or "auto" to choose.
        threads: Processor threads; None for every core this process may use.
        token_budget: Word pieces in a batch; None to choose.

    Returns:
        The choice, with its reasons.

    Raises:
        InputError: An option is unknown, impossible here, or does not go with another.
        ExtraError: The engine asked for is not installed.
    """
    _check(device, engine, precision, threads, token_budget)
    reasons: list[str] = []
    engine_device = _engine_and_device(engine, device, reasons)
    threads = _threads(threads, reasons)
    measured = recall(folder, threads) if engine_device[1] == "cpu" else None
    if measured and engine is None and precision in (None, "auto", "int8") and engine_device == ("onnx", "cpu"):
        engine_device = (measured.engine, "cpu")
        reasons[0] = f"engine {measured.engine} on cpu: the fastest when `rhetoric bench` measured here"
    engine, device = engine_device
    precision = _precision(engine, device, precision, reasons)
    if token_budget is not None:
        reasons.append(f"token budget {token_budget}: asked for")
    elif measured and measured.engine == engine:
        token_budget = measured.token_budget
        reasons.append(f"token budget {token_budget}: the fastest when `rhetoric bench` measured here")
    else:
        token_budget = BUDGETS.get((engine, device), DEVICE_BUDGET)
        reasons.append(f"token budget {token_budget}: the default of {engine} on {device}")
    return Choice(engine, device, precision, threads, token_budget, tuple(reasons))


def _check(
    device: str | None, engine: str | None, precision: str | None, threads: int | None, token_budget: int | None
) -> None:
    if engine is not None and engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}; remedy: one of {', '.join(ENGINES)}, or leave it out")
    kind, colon, number = (device or "cpu").partition(":")
    if kind not in DEVICES or (colon and not (kind == "cuda" and number.isdecimal())):
        raise InputError(f"unknown device {device!r}; remedy: one of cpu, cuda, cuda:1, mps, or leave it out")
    if precision is not None and precision not in PRECISIONS:
        raise InputError(f"unknown precision {precision!r}; remedy: one of {', '.join(PRECISIONS)}")
    for name, value in (("threads", threads), ("token_budget", token_budget)):
        if value is not None and (not isinstance(value, Integral) or value < 1):
            raise InputError(f"{name}={value!r} is not possible; remedy: a whole number from 1, or leave it out")


def openvino_fits() -> bool:
    """Whether OpenVINO is installed in a version that computes the graph as it is meant."""
    from importlib import metadata  # takes a fifth of what importing the tagger does

    try:
        year, release = metadata.version("openvino").split(".")[:2]
    except metadata.PackageNotFoundError:
        return False
    return (int(year), int(release)) >= OLDEST_OPENVINO


def _engine_and_device(engine: str | None, device: str | None, reasons: list[str]) -> tuple[str, str]:
    if device is not None and device != "cpu":
        if engine not in (None, "torch"):
            raise InputError(f"engine {engine!r} computes on cpu only, not on {device!r}; remedy: engine='torch'")
        _check_device(device)
        reasons.append(f"engine torch on {device}: the device was asked for, and only torch computes there")
        return "torch", device
    if engine is not None:
        for_device = device or "cpu"
        if engine == "torch":
            _require_torch()
            for_device = device or ("cuda" if _cuda_works() else "cpu")
        elif engine == "openvino":
            require("openvino", extra="openvino")
            if not openvino_fits():
                from importlib import metadata

                year, release = OLDEST_OPENVINO
                raise ExtraError(
                    f"OpenVINO {metadata.version('openvino')} misreads the graph's attention, so its labels would be "
                    f"wrong; remedy: pip install 'openvino>={year}.{release}'"
                )
        reasons.append(f"engine {engine} on {for_device}: asked for")
        return engine, for_device
    if device is None and cuda_visible():
        if find_spec("torch") is None or find_spec("safetensors") is None:
            reasons.append("engine onnx on cpu: there is a CUDA device, but the extra [torch] is not installed")
            return "onnx", "cpu"
        if _cuda_works():
            reasons.append("engine torch on cuda: there is a CUDA device, and torch can use it")
            return "torch", "cuda"
        reasons.append("engine onnx on cpu: there is a CUDA device, but the installed torch cannot use it")
        return "onnx", "cpu"
    why = "the device was asked for" if device else "no CUDA device"
    reasons.append(f"engine onnx on cpu: {why}, and it is the fastest on a processor that needs no measuring")
    return "onnx", "cpu"


def _cuda_works() -> bool:
    """Asked of torch alone: WSL has CUDA without the driver's file that `cuda_visible` looks for."""
    import torch

    return torch.cuda.is_available()


def _require_torch() -> ModuleType:
    require("safetensors", extra="torch")
    return require("torch", extra="torch")


def _check_device(device: str) -> None:
    torch = _require_torch()
    kind, _, number = device.partition(":")
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise InputError("device='mps' is not possible: torch finds no Apple GPU; remedy: device='cpu'")
        return
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        cause = "this torch is built without CUDA" if torch.version.cuda is None else "torch finds no CUDA device"
        raise InputError(
            f"device={device!r} is not possible: {cause}; remedy: device='cpu', or a CUDA build and driver"
        )
    if int(number or 0) >= count:
        raise InputError(
            f"device={device!r} is not possible: there are {count} CUDA devices; remedy: a number from 0 to {count - 1}"
        )


def _precision(engine: str, device: str, wanted: str | None, reasons: list[str]) -> str:
    possible = POSSIBLE[engine, device.partition(":")[0]]
    if wanted not in (None, "auto"):
        if wanted not in possible:
            raise InputError(
                f"precision {wanted!r} is not possible with engine {engine} on {device}; remedy: "
                f"{' or '.join(possible)}{', or engine=torch' if engine != 'torch' and wanted != 'int8' else ''}"
            )
        reasons.append(f"precision {wanted}: asked for")
        return str(wanted)
    why = {
        "int8": "the graph that ships with the model",
        "float16": "the weights are kept in it, and it is nearer to float32 than bfloat16",
        "float32": "exact",
    }[possible[0]]
    reasons.append(f"precision {possible[0]}: {why}")
    return possible[0]


def _threads(wanted: int | None, reasons: list[str]) -> int:
    cores = usable_cores()
    if wanted is None:
        reasons.append(f"{cores} threads: every core this process may use")
        return cores
    beyond = f", although this process may use {cores} cores" if wanted > cores else ""
    reasons.append(f"{wanted} threads: asked for{beyond}")
    return wanted
