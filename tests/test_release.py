"""What a release must agree on: one version everywhere, and a lock that holds what the core needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

import rhetoric

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name(requirement: str) -> str:
    return re.split(r"[\[<>=! ;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert rhetoric.__version__ == PROJECT["version"] == str(citation["version"])
    assert f"## {rhetoric.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_lock_holds_the_core_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^(\S+)==\S+.*((?:\n    --hash=sha256:[0-9a-f]{64}.*)+)", lock, re.M)
    assert {name(requirement) for requirement in PROJECT["dependencies"]} <= {entry[0] for entry in entries}
    assert len(entries) == len(re.findall(r"^[a-z0-9-]+==", lock, re.M))  # each with its hashes


def test_extras_are_those_the_messages_name() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "rhetoric").rglob("*.py"))
    extras = PROJECT["optional-dependencies"]
    assert set(re.findall(r'extra="(\w+)"', code)) == extras.keys() - {"all"}
    assert extras["all"] == [f"{PROJECT['name']}[{','.join(name for name in extras if name != 'all')}]"]
