"""Files with a known cause, and the report that names it first."""

import csv
import io
import json
from pathlib import Path

import pytest

from bench import planted
from training.report import report

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", planted.cases())
def test_a_planted_cause_is_named_first(name: str, tmp_path: Path) -> None:
    case, out = planted.cases()[name], tmp_path / "report.json"
    (tmp_path / "reviews.csv").write_bytes(planted.write(case, 600, seed=11))
    assert report.main([str(tmp_path / "reviews.csv"), "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert planted.is_found(case.cause, written)
    first = written["moved"][0]
    low, high = first["interval"]
    assert low * high > 0, "chance alone could explain it"
    if name == "an aspect's tone":
        assert abs(first["tone"]) > 5 * abs(first["often"])
    if name == "an aspect's mentions":
        assert abs(first["often"]) > 5 * abs(first["tone"])
    assert written["comparison"]["simpson"] == (name == "the mix of films")


def test_the_rows_of_a_cause_speak_of_it(tmp_path: Path) -> None:
    case, out = planted.cases()["an aspect's tone"], tmp_path / "report.json"
    data = planted.write(case, 600, seed=11)
    (tmp_path / "reviews.csv").write_bytes(data)
    assert report.main([str(tmp_path / "reviews.csv"), "--json", str(out)]) == 0
    numbers = json.loads(out.read_text(encoding="utf-8"))["moved"][0]["rows"]
    every = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    rows = [every[number - 1] for number in numbers]
    words = [subject.lower() for subject in planted.SUBJECTS["music"]]
    assert len(rows) == 20
    assert all(any(word in row["review"].lower() for word in words) for row in rows)
    assert len({row["date"] >= "2026-03-22" for row in rows}) == 1
