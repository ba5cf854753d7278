"""What this process may really use: granted cores, what the processor can do, whether there is a CUDA device.

`os.cpu_count()` reports the whole machine; a container or a batch system often grants less, and threads beyond
the grant make everything slower. Nothing here imports a heavy package: a CUDA device is found by its driver.
"""

from __future__ import annotations

import ctypes.util
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Processor", "cuda_visible", "processor", "usable_cores"]

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUPS_OF_THIS = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
# What matters to the engines, under the names that Linux (x86 and Arm) and macOS give it.
FLAGS = {
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "avx512_bf16": "BF16",
    "amx_int8": "AMX",
    "amx_bf16": "BF16",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
    "feat_dotprod": "DOTPROD",
    "feat_i8mm": "I8MM",
    "feat_bf16": "BF16",
}


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor.

    Attributes:
        model: The vendor's name of it, or the architecture where the system tells no name.
        flags: Instruction sets that matter here (AVX2, AVX512, VNNI, BF16, AMX, DOTPROD, I8MM, SVE), sorted;
            empty where the system does not tell.
    """

    model: str
    flags: tuple[str, ...]


def usable_cores(cgroup_root: Path = CGROUP_ROOT, cgroups_of_this: Path = CGROUPS_OF_THIS) -> int:
    """Cores granted by the affinity mask and by the cgroup quotas, whichever is fewest; at least one.

    Args:
        cgroup_root: Where cgroups are mounted (Linux).
        cgroups_of_this: Where Linux says which this process is in. In a container that is the root of what it sees;
            a batch system or systemd sets the quota further down.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [_quota_v2(folder / "cpu.max") for folder in _groups(cgroup_root, cgroups_of_this, "")]
    quotas += [_quota_v1(folder) for folder in _groups(cgroup_root / "cpu", cgroups_of_this, "cpu")]
    return max(1, min([affinity, *(math.ceil(quota) for quota in quotas if quota is not None)]))


def _groups(root: Path, cgroups_of_this: Path, controller: str) -> list[Path]:
    """The folder of this process's cgroup and those above it, up to the root; "" is the one hierarchy of version 2."""
    try:
        lines = cgroups_of_this.read_text().splitlines()
    except OSError:
        return [root]
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controller in controllers.split(","):
            own = root / path.lstrip("/")
            return [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return [root]


def _quota_v2(file: Path) -> float | None:
    try:
        limit, period = file.read_text().split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        return None


def _quota_v1(folder: Path) -> float | None:
    try:
        limit = int((folder / "cpu.cfs_quota_us").read_text())
        return None if limit < 0 else limit / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None


def processor(cpuinfo: Path = CPUINFO) -> Processor:
    """Name and instruction sets of the processor.

    Args:
        cpuinfo: Where Linux describes it.
    """
    described = _cpuinfo(cpuinfo) if sys.platform != "darwin" else _sysctl()
    model = described.get("model name") or platform.processor() or platform.machine() or "unknown"
    words = f"{described.get('flags', '')} {described.get('Features', '')}".split()
    return Processor(model, tuple(sorted({FLAGS[word] for word in words if word in FLAGS})))


def _cpuinfo(file: Path) -> dict[str, str]:
    """The first processor's lines: the others repeat them, and on a large machine they take long to read."""
    described = {}
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                described[name.strip()] = value.strip()
    except OSError:
        pass
    return described


def _sysctl() -> dict[str, str]:
    try:
        text = subprocess.run(
            ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"], capture_output=True, text=True, timeout=2, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    values = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    named = [name.rsplit(".", 1)[-1] for name, value in values.items() if value == "1"]
    return {"model name": values.get("machdep.cpu.brand_string", ""), "flags": " ".join(named).lower()}


def cuda_visible(driver: Path = NVIDIA_DRIVER) -> bool:
    """Whether an NVIDIA driver is loaded and `CUDA_VISIBLE_DEVICES` does not hide every device.

    Only a hint that costs nothing: whether torch can use the device is known after importing it.

    Args:
        driver: What the driver shows on Linux.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    loaded = bool(ctypes.util.find_library("nvcuda")) if sys.platform == "win32" else driver.exists()
    return loaded and not hidden
