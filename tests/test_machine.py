"""The number of usable cores under affinity masks and cgroup quotas."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rhetoric.machine import Processor, cuda_visible, processor, usable_cores


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)


@pytest.mark.parametrize(
    ("content", "cores"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("?", 8)]
)
def test_cgroup_v2_quota_caps_the_affinity_mask(tmp_path: Path, content: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", 8), ("300000", 3), ("1600000", 8)])
def test_cgroup_v1_quota_caps_the_affinity_mask(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("membership", "controller", "content"),
    [("0::/job/step", "", "100000 100000"), ("3:memory:/else\n4:cpu,cpuacct:/job/step", "cpu", "100000")],
)
def test_the_quota_of_a_group_between_the_root_and_this_process_counts(
    tmp_path: Path, membership: str, controller: str, content: str
) -> None:
    group, own = tmp_path / controller / "job", tmp_path / "cgroup"
    (group / "step").mkdir(parents=True)
    own.write_text(membership + "\n")
    if controller:
        (group / "cpu.cfs_quota_us").write_text(content)
        (group / "cpu.cfs_period_us").write_text("100000")
    else:
        (group / "cpu.max").write_text(content)
        (group / "step" / "cpu.max").write_text("max 100000")
    assert usable_cores(tmp_path, own) == 1
    assert usable_cores(tmp_path, tmp_path / "no such file") == 8


def test_without_cgroups_the_affinity_mask_counts(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 8


CPUINFO = """processor\t: 0
model name\t: Example 9000
flags\t\t: fpu avx2 avx512f avx512_vnni amx_int8 avx512_bf16 amx_bf16

processor\t: 1
model name\t: Another
flags\t\t: sve
"""


def test_the_processor_is_named_with_the_instruction_sets_that_matter(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(CPUINFO, encoding="utf-8")
    assert processor(file) == Processor("Example 9000", ("AMX", "AVX2", "AVX512", "BF16", "VNNI"))


def test_arm_lists_them_under_another_name(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n", encoding="utf-8")
    assert processor(file).flags == ("DOTPROD", "I8MM")


def test_a_system_that_tells_nothing_still_has_a_name(tmp_path: Path) -> None:
    found = processor(tmp_path / "absent")
    assert found.model
    assert found.flags == ()


@pytest.mark.parametrize(("visible", "found"), [(None, True), ("0,1", True), ("", False), ("-1", False)])
def test_cuda_is_visible_unless_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, found: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert not cuda_visible(tmp_path / "version")
    (tmp_path / "version").write_text("driver", encoding="utf-8")
    assert cuda_visible(tmp_path / "version") is found
