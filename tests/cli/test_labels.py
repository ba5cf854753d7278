"""`rhetoric labels` and the help of the whole command."""

from __future__ import annotations

import json

from rhetoric.cli import COMMANDS
from rhetoric.taxonomy import LABELS, TAXONOMY

from .conftest import Run


def test_the_table_names_every_type_with_its_definition(run: Run) -> None:
    outcome = run("labels")
    assert outcome.code == 0
    for row in TAXONOMY:
        assert row.name in outcome.out
        assert row.definition in outcome.out


def test_json_is_the_taxonomy(run: Run) -> None:
    raw = json.loads(run("labels", "--json").out)
    assert [row["name"] for row in raw["types"]] == list(LABELS)
    assert raw["types"][0] == TAXONOMY[0].to_dict()


def test_help_lists_every_command_and_each_has_help(run: Run) -> None:
    listed = run("--help").out
    for name in COMMANDS:
        assert name in listed
        assert "Usage: rhetoric" in run(name, "--help").out
