"""The notebook of frames: kept without outputs, and run from top to bottom as a newcomer would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import ROOT, WAIT_SECONDS, environment

EXAMPLES = ROOT / "client/examples"
NOTEBOOK = EXAMPLES / "frames.ipynb"


def cells(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in cells(NOTEBOOK):
        assert not cell.get("outputs") and cell.get("execution_count") is None
        assert cell["metadata"] == {}


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    path = tmp_path / NOTEBOOK.name
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.run_notebook", str(path), str(tmp_path)],
        cwd=ROOT,
        env=environment(IPYTHONDIR=str(tmp_path / "ipython"), PATH=os.environ["PATH"]),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    pandas, by_product, polars, sentences, duckdb, validated, predicted = [
        "".join(
            "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
            for output in cell["outputs"]
            if output.get("name") != "stderr"
        )
        for cell in cells(path)
        if cell["cell_type"] == "code"
    ]
    assert "probability" in pandas and "headphones" in by_product
    assert "missing_field" in polars and "Still, I loved the music!" in sentences
    assert "kettle" in duckdb and "negative" in duckdb
    assert "adapt=False: right for" in validated and "adapt=True: right for" in validated
    assert predicted.startswith("array([[")
