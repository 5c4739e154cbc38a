"""Aspects in rows: columns of a CSV, the API's object in JSON lines, and bytes unchanged without them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.files.test_rows import GOOD, line, opened, save
from training.files import rows as batch_rows
from training.files.aspects_flag import read_aspects
from training.files.parts import key_of
from training.files.rows import BatchError, Prediction
from vocab import messages
from vocab.messages import AspectsValue

OWN: AspectsValue = {"music": ["music", "score"], "plot": ["plot"]}
MENTION = {"start": 0, "end": 9, "term": [4, 9], "negated": False, "contribution": -1.25}
MUSIC = {
    "sentiment": "negative",
    "reason": None,
    "probability": 0.1,
    "contribution": -1.25,
    "mentions": [MENTION],
}
PLOT = {"sentiment": "not_mentioned"}
JUDGED = GOOD._replace(aspects={"music": MUSIC, "plot": PLOT})


def written(
    path: Path, format: str, answers: dict[int, Prediction], aspects: AspectsValue | None = OWN
) -> str:
    source, out = opened(path), io.StringIO(newline="")
    batch_rows.write(batch_rows.join(source.rows(), [answers]), source, out, format, aspects)
    return out.getvalue()


def test_a_csv_gets_three_columns_an_aspect(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review\nfine\nbad\n")
    text = written(path, "csv", {0: JUDGED, 1: Prediction(error="no_token", detail="nothing")})
    header, first, second = csv.reader(io.StringIO(text, newline=""))
    assert header[8:] == [
        "aspect music",
        "aspect music probability",
        "aspect music contribution",
        "aspect plot",
        "aspect plot probability",
        "aspect plot contribution",
    ]
    assert first[8:] == ["negative", "0.1", "-1.25", "not_mentioned", "", ""]
    assert second[6:] == ["no_token", "line 3: nothing", *[""] * 6]


def test_json_lines_get_the_api_s_object(tmp_path: Path) -> None:
    path = save(tmp_path, "a.jsonl", '{"review": "fine"}\n{"review": "bad"}\n')
    text = written(path, "jsonl", {0: JUDGED, 1: Prediction(error="no_token", detail="nothing")})
    first, second = map(json.loads, text.splitlines())
    assert list(first)[-1] == "aspects" and first["aspects"] == {"music": MUSIC, "plot": PLOT}
    assert "aspects" not in second


def test_columns_of_the_same_name_are_prefixed(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review,aspect music\nfine,mine\n")
    row = next(csv.DictReader(io.StringIO(written(path, "csv", {0: JUDGED}), newline="")))
    assert (row["aspect music"], row["verdict_aspect music"]) == ("mine", "negative")
    path = save(tmp_path, "a.jsonl", '{"review": "fine", "aspects": "mine"}\n')
    told = json.loads(written(path, "jsonl", {0: JUDGED}))
    assert told["aspects"] == "mine" and told["verdict_aspects"]["music"] == MUSIC


def test_aspects_whose_columns_would_share_a_name_have_their_own() -> None:
    names = batch_rows.added_names([], batch_rows.aspect_columns(["music", "music probability"]))
    assert len(set(names)) == len(names) == 7 + 6


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_without_aspects_every_byte_is_as_before(format: str, tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review\nfine\n")
    assert written(path, format, {0: JUDGED}, None) == written(path, format, {0: GOOD}, None)
    assert "aspect" not in written(path, format, {0: GOOD}, None)
    assert batch_rows.to_line(1, "fine") == b'{"id":1,"review":"fine"}'
    assert key_of("a", "b") == key_of("a", "b", aspects=None) != key_of("a", "b", aspects=OWN)


def test_an_answer_without_an_aspect_is_one_sentence(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review\nfine\n")
    for format in ("csv", "jsonl"):
        with pytest.raises(BatchError, match="lacks an aspect"):
            written(path, format, {0: GOOD})


def test_answers_with_aspects_are_parsed() -> None:
    (found,) = batch_rows.parse_predictions(line(0, aspects={"music": MUSIC, "plot": PLOT})).values()
    assert found == JUDGED


@pytest.mark.parametrize(
    "aspects",
    [
        [],
        "film",
        {"music": None},
        {"music": {}},
        {"music": {"sentiment": "odd"}},
        {"music": MUSIC | {"probability": 1.5}},
        {"music": MUSIC | {"probability": True}},
        {"music": MUSIC | {"contribution": "=1"}},
        {"music": MUSIC | {"sentiment": "=cmd()"}},
        {"music": MUSIC | {"mentions": None}},
    ],
)
def test_a_malformed_aspect_is_a_malformed_answer(aspects: Any) -> None:
    with pytest.raises(BatchError, match="an answer is malformed"):
        batch_rows.parse_predictions(line(0, aspects=aspects))


def test_lines_for_a_transform_carry_the_aspects_and_are_counted_with_them(tmp_path: Path) -> None:
    source = opened(save(tmp_path, "a.csv", "review\nfine\nbad\n"))
    lines = [batch_rows.to_line(number, review, OWN) for number, review in enumerate(("fine", "bad"))]
    assert [json.loads(one)["aspects"] for one in lines] == [OWN, OWN]
    assert batch_rows.count(source, True, OWN).bytes == sum(len(one) + 1 for one in lines)


# --- the flag -----------------------------------------------------------------------------------


def test_the_flag_names_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_aspects("film") == "film"
    path = save(tmp_path, "own.json", "\ufeff" + json.dumps(OWN))
    assert read_aspects(str(path)) == OWN


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "it is no JSON in UTF-8 like"),
        (b"\xff", "it is no JSON in UTF-8 like"),
        (b"[]", "aspects must be an object or a list's name, got list of length 0"),
        (b'{"music": []}', "the terms of 'music' are 0"),
        (b'{"a": ["x"], "a": ["y"]}', "it is no JSON in UTF-8 like"),
    ],
)
def test_a_file_that_names_no_aspects_is_one_sentence(content: bytes, says: str, tmp_path: Path) -> None:
    path = save(tmp_path, "own.json", content)
    with pytest.raises(BatchError) as caught:
        read_aspects(str(path))
    assert str(caught.value).startswith(f"--aspects {path}: ") and says in str(caught.value)


def test_a_list_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        BatchError, match="takes film, product or a JSON file; 'films' can't be read: No such"
    ):
        read_aspects("films")
    with pytest.raises(BatchError, match="can't be read: Is a directory"):
        read_aspects(str(tmp_path))
    assert messages.SHIPPED
