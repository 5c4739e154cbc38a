"""The golden cases, which JavaScript's figures are held to as well."""

import json
from typing import Any

import pytest

from tests.support.report_cases import cases, report_on
from tests.training.report.rewrite_golden import FOLDER, contents, parsed
from training.report import table
from training.report.stop_words import STOP_WORDS


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", cases())
def test_a_case_has_its_golden_report(name: str) -> None:
    case = cases()[name]
    golden = load(name)
    assert golden["options"] == case.options
    assert golden["rows"] == case.rows
    assert json.loads(json.dumps(report_on(case))) == golden["report"]


def test_every_form_of_a_date_is_read_as_the_golden_file_says() -> None:
    golden = load("dates")
    assert golden == {text: parsed(text) for text in golden}
    assert golden.keys() == contents()["dates"].keys()


def test_the_golden_stop_words_are_ours() -> None:
    assert load("stop_words") == sorted(STOP_WORDS)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_the_parts_of_a_file_change_no_figure(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = cases()["many_groups"]
    whole = report_on(case)
    monkeypatch.setattr(table, "CHUNK_ROWS", rows)
    assert report_on(case, rows) == whole
