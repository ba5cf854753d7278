"""ARCHITECTURE.md is true: every import between the rooms stands in its table, and the rules it stands for hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rhetoric

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rhetoric"
ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)
LONGEST_FILE = 420


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """Rooms that a file imports, also inside functions and for type checking only."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "rhetoric":
            modules |= {f"rhetoric.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    names = {name.split(".")[1] for name in modules if name.startswith("rhetoric.")}
    # What the top exports stands in other rooms.
    return {"__init__" if name in rhetoric.__all__ or name == "__version__" else name for name in names}


def actual() -> dict[str, set[str]]:
    rooms: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        room = room_of(file)
        rooms.setdefault(room, set()).update(imported(file) - {room})
    return rooms


def documented() -> dict[str, set[str]]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return {room: set(re.findall(r"`(\w+)`", cells)) for room, cells in ROW.findall(text)}


def test_the_table_is_what_the_code_does() -> None:
    rooms, table = actual(), documented()
    assert rooms.keys() == table.keys()
    for room, imports in rooms.items():
        assert imports == table[room], f"{room}: the code imports {sorted(imports)}, ARCHITECTURE.md says otherwise"


@pytest.mark.parametrize(
    ("rooms", "never"),
    [
        (("engines", "batching", "runner"), ("tagger", "prediction", "taxonomy", "documents", "cli")),
        (("prediction", "taxonomy", "errors", "machine"), ("engines", "tagger", "scoring")),
    ],
)
def test_lower_rooms_know_nothing_of_higher_ones(rooms: tuple[str, ...], never: tuple[str, ...]) -> None:
    table = actual()
    for room in rooms:
        assert not table[room] & set(never)


def test_only_the_command_line_knows_the_command_line_and_the_trainer() -> None:
    for room, imports in actual().items():
        assert room in ("cli", "__main__") or "cli" not in imports
        assert room == "cli" or "finetune" not in imports


def test_no_file_is_too_long_to_have_one_idea() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {str(file): length for file, length in lengths.items() if length > LONGEST_FILE} == {}
