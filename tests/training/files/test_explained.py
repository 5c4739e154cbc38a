"""What explains a row's verdict: the API's fields in JSON lines, the strongest parts in a CSV."""

import csv
import io
import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from training.endpoint import inference
from training.files import explained, processes, rows
from training.files.rows import BatchError, Prediction

TEXT = "Lovely music, lovely score! =Awful acting."
FIELDS: dict[str, Any] = {
    "text": TEXT,
    "sentences": [
        {"start": 0, "end": 27, "contribution": 2.5, "alone": 0.9, "without": 0.1},
        {"start": 28, "end": 42, "contribution": -3.0, "alone": 0.1, "without": 0.9},
    ],
    "words": [
        {"start": 0, "end": 6, "contribution": 1.5},
        {"start": 14, "end": 20, "contribution": 1.0},
        {"start": 26, "end": 27, "contribution": 0.75},
        {"start": 21, "end": 26, "contribution": 0.5},
        {"start": 29, "end": 34, "contribution": -3.0},
    ],
    "bias": -0.1,
}
SENTENCES = {name: FIELDS[name] for name in explained.EXPLAINED["sentences"]}


def answer_line(**more: Any) -> bytes:
    answer = {"sentiment": "negative", "reason": None, "probability": 0.2, "warnings": [], "id": 0}
    return json.dumps(answer | {"model": {"id": "m"}} | more).encode()


def written(folder: Path, format: str, explain: str, fields: dict[str, Any], raw: bool = False) -> str:
    path = folder / "a.jsonl"
    path.write_text(json.dumps({"text": TEXT}), encoding="utf-8")
    source, out = rows.open_source(path, "jsonl"), io.StringIO(newline="")
    predictions = rows.parse_predictions(answer_line(**fields))
    rows.write(rows.join(source.rows(), [predictions]), source, out, format, explain=explain, raw=raw)
    return out.getvalue()


def test_a_csv_gets_the_strongest_sentence_of_each_side_and_no_formula(tmp_path: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(written(tmp_path, "csv", "sentences", SENTENCES), newline=""))
    assert row["strongest positive sentence"] == "Lovely music, lovely score!"
    assert row["strongest negative sentence"] == "'=Awful acting."
    assert "strongest positive words" not in row


def test_a_csv_gets_the_strongest_words_too_each_once_and_no_sign(tmp_path: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(written(tmp_path, "csv", "words", FIELDS), newline=""))
    assert row["strongest positive words"] == "Lovely, lovely, score"
    assert row["strongest negative words"] == "Awful"
    assert row["strongest negative sentence"] == "'=Awful acting."


def test_json_lines_get_the_api_s_fields_and_keep_the_file_s_own_names(tmp_path: Path) -> None:
    told = json.loads(written(tmp_path, "jsonl", "words", FIELDS))
    assert told["text"] == told["verdict_text"] == TEXT
    assert {name: told[name] for name in ("sentences", "words", "bias")} == {
        name: FIELDS[name] for name in ("sentences", "words", "bias")
    }


def test_a_row_with_an_error_has_no_explanation(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n", encoding="utf-8")
    source = rows.open_source(tmp_path / "a.txt", "lines")
    for format in ("csv", "jsonl"):
        joined = rows.join(source.rows(), [{0: Prediction(error="no_token", detail="d")}])
        out = io.StringIO(newline="")
        assert rows.write(joined, source, out, format, explain="words") == (1, 1)
        assert out.getvalue().endswith("line 1: d,,,,\r\n" if format == "csv" else '"detail": "line 1: d"}\n')


def test_an_answer_without_its_explanation_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        BatchError, match="^an answer lacks its explanation; the service may be of an earlier"
    ):
        written(tmp_path, "csv", "words", SENTENCES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 5},
        {"sentences": [{"start": 0, "end": 400, "contribution": 1.0}]},
        {"sentences": [{"start": 3, "end": 2, "contribution": 1.0}]},
        {"sentences": [{"start": 0, "end": 2, "contribution": "1"}]},
        {"words": [{"start": 0}]},
        {"words": 5},
    ],
)
def test_a_malformed_explanation_is_one_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(BatchError, match="an answer is malformed"):
        rows.parse_predictions(answer_line(**FIELDS | wrong))


@pytest.mark.parametrize("explain", ["sentences", "words"])
def test_the_model_explains_rows_as_the_api_explains_a_review(explain: str, package: Path) -> None:
    model = inference.model_fn(package)
    texts = ["The plot is thin, but I loved the music.", "", "Awful acting!"]
    data = processes.predict_reviews(model, (array("Q", range(3)), texts), None, explain)
    first, second, third = map(json.loads, data.split(b"\n"))
    assert second["error"]["code"] == "no_token"
    for line, text in ((first, texts[0]), (third, texts[2])):
        answer = json.loads(json.dumps(model.answer(text, explain)))
        assert {name: line[name] for name in answer} == answer
    plain = json.loads(processes.predict_reviews(model, (array("Q", [0]), texts[:1])))
    assert (plain["sentiment"], plain["probability"]) == (first["sentiment"], first["probability"])
