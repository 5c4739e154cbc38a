"""Labels of a file: page and command give the same figures; labels.test.mjs reads the golden table."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.evaluation import significance
from training.files import labelled

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE.parent / "golden" / "labels.json").read_text(encoding="utf-8"))
COLUMNS = [case for case in GOLDEN["columns"] if {"positive", "negative"} & set(case["meaning"])]
SECONDS = 60
COPIES = 5
# Without a text or a known label, a repeated text, and a text with both labels.
ODD_ROWS = [("", "9"), (" ", "-7"), ("No label.", ""), ("Neither.", "neutral")]


def ran(node: str, *arguments: str, message: str = "") -> str:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [node, *arguments],
        input=message.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=clean | {"NODE_NO_WARNINGS": "1"},
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def table(cells: list[str]) -> str:
    """Write a CSV with each label several times, and rows that no figure counts."""
    rows = [(f"Text {at}.", cell) for at, cell in enumerate(cells * COPIES)]
    repeated = [(f" text  {at}. ", cell) for at, cell in enumerate(cells)]
    contrary = [("Text 0.", cell) for cell in cells]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("text", "label"), *ODD_ROWS, *rows, *repeated, *contrary])
    return out.getvalue()


def by_command(path: Path, probabilities: np.ndarray) -> dict[str, Any]:
    """Return what compare makes of a labelled file, given both models' P(positive), float64 (rows, 2)."""
    rows = labelled.read(path)
    before, after = probabilities[rows.numbers].T
    lost, won, p = significance.mcnemar(before, after, rows.labels)
    return {
        "rows": rows.numbers.tolist(),
        "labels": rows.labels.tolist(),
        "counts": {name: count for name, count in rows.counts.items() if count and name != "rows"},
        "accuracies": [int(((one >= 0.5) == rows.labels).sum()) for one in (before, after)],
        "lost": lost,
        "won": won,
        "p": pytest.approx(p, rel=1e-12),
    }


@pytest.mark.parametrize("case", COLUMNS, ids=[case["why"] for case in COLUMNS])
def test_page_and_command_give_the_same_figures_on_the_same_file(
    case: dict[str, Any], node: str, tmp_path: Path
) -> None:
    text = table(case["cells"])
    path = tmp_path / "held.csv"
    path.write_text(text, encoding="utf-8", newline="")
    probabilities = np.random.default_rng(0).random((text.count("\r\n"), 2))
    message = {"name": path.name, "text": text, "probabilities": probabilities.tolist()}
    page = json.loads(ran(node, str(HERE / "figures_of.mjs"), message=json.dumps(message)))
    assert page.pop("scale") == case["scale"]
    assert page == by_command(path, probabilities)


def test_the_figures_are_proved_on_every_scale() -> None:
    assert {case["scale"] for case in COLUMNS} == set(labelled.SCALES)
