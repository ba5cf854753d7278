"""The notebooks run from their first cell to their last, and end with what they promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def ran(name: str, last: str) -> Any:
    """What a notebook prints in a cell put behind its own, as JSON."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs the notebook")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(f"import json; print(json.dumps({last}))"))
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(EXAMPLES)}})
    return json.loads(client.execute().cells[-1].outputs[0].text.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_retraining_notebook() -> None:
    macro_f1, rows = ran("retraining.ipynb", "[result.scores.macro_f1.value, test.shape[0]]")
    assert rows == 140
    assert macro_f1 > 0.5


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_notebook_of_speeches() -> None:
    balance, rows = ran("speeches.ipynb", "[balance.to_dict(), len(table)]")
    assert rows > 60 and len(balance) == 6
    assert balance["2029-03-04_Norland_Varga"] < 0 < balance["2029-11-30_Norland_Varga"]
