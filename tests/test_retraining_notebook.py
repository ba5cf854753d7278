"""The retraining notebook runs from its first cell to its last, and the retrained model is the better one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "retraining.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_retraining_notebook_runs() -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs the notebook")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(
        nbformat.v4.new_code_cell("import json; print(json.dumps([result.scores.macro_f1.value, test.shape[0]]))")
    )
    ran = nbclient.NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    outputs = ran.cells[-1].outputs[0].text
    macro_f1, rows = json.loads(outputs.splitlines()[-1])
    assert rows == 140
    assert macro_f1 > 0.5
