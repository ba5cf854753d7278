"""How many processors this process may really use, and what they can do.

`os.cpu_count()` reports the whole machine; a container or a batch system often grants less, and threads beyond
the grant make everything slower.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["usable_cores"]

CGROUP_ROOT = Path("/sys/fs/cgroup")


def usable_cores(cgroup_root: Path = CGROUP_ROOT) -> int:
    """Cores granted by the affinity mask and by the cgroup quota, whichever is fewer; at least one.

    Args:
        cgroup_root: Where cgroups are mounted (Linux).
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota_v2(cgroup_root / "cpu.max")
    if quota is None:
        quota = _quota_v1(cgroup_root / "cpu")
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


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
