"""Rows in and out: columns found and kept, bad files and rows named, answers joined once."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.files import reading
from training.files import rows as batch_rows
from training.files.rows import BatchError, Prediction, Row, Source
from vocab import messages

GOOD = Prediction("positive", None, 0.9, "too_short", "verdict-1")
UNSURE = Prediction("uncertain", "mixed", 0.5, "", "verdict-1")


def save(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def opened(path: Path, column: str | None = None) -> Source:
    return batch_rows.open_source(path, batch_rows.format_of(path), column)


def read(path: Path, column: str | None = None) -> list[Row]:
    return list(opened(path, column).rows())


def written(path: Path, format: str, answers: dict[int, Prediction]) -> str:
    """Return the output for a file and the answers to its rows."""
    source, out = opened(path), io.StringIO(newline="")
    batch_rows.write(batch_rows.join(source.rows(), [answers] if answers else []), source, out, format)
    return out.getvalue()


def line(number: object, **more: Any) -> bytes:
    """Return an answer's JSON line as the endpoint writes it."""
    answer = {
        "sentiment": "positive",
        "reason": None,
        "probability": 0.9,
        "warnings": [{"code": "too_short", "detail": "short"}],
        "id": number,
        "model": {"id": "verdict-1", "vocabulary": "v", "uncertain": [0.4, 0.6]},
    }
    return json.dumps(answer | more).encode()


# --- finding the format and the column ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "named", "expected"),
    [
        ("a.csv", None, "csv"),
        ("a.JSONL", None, "jsonl"),
        ("a.ndjson", None, "jsonl"),
        ("a.tsv", None, "tsv"),
        ("a.txt", None, "lines"),
        ("a.txt", "csv", "csv"),
    ],
)
def test_the_format_is_told_by_the_name_or_named(name: str, named: str | None, expected: str) -> None:
    assert batch_rows.format_of(Path(name), named) == expected


def test_an_unknown_suffix_is_one_sentence() -> None:
    with pytest.raises(BatchError, match="^a.docx has a name without a known format; call it .csv or"):
        batch_rows.format_of(Path("a.docx"))


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ("id,review\n1,good\n", "review"),
        ("text,id\ngood,1\n", "text"),
        (" Comment ,id\ngood,1\n", " Comment "),
        ("text,review\na,b\n", "review"),
    ],
)
def test_the_review_is_in_the_first_column_that_is_called_so(
    content: str, column: str, tmp_path: Path
) -> None:
    assert opened(save(tmp_path, "a.csv", content)).column == column


def test_a_column_can_be_named(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review,opinion\nno,yes\n")
    assert [row.review for row in read(path, "opinion")] == ["yes"]
    path = save(tmp_path, "a.jsonl", '{"review": "no", "opinion": "yes"}')
    assert [row.review for row in read(path, "opinion")] == ["yes"]


def test_of_a_header_of_many_columns_the_first_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "wide.tsv"
    path.write_text("\t".join(f"column number {at}" for at in range(3_000)) + "\n")
    with pytest.raises(BatchError, match="'column number 5', 2,994 more; name one with") as caught:
        opened(path)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "id,film\n1,x\n"), ("a.jsonl", '{"id":1,"film":"x"}')]
)
def test_a_file_without_the_column_is_one_sentence_that_names_those_found(
    name: str, content: str, tmp_path: Path
) -> None:
    path = save(tmp_path, name, content)
    with pytest.raises(BatchError, match="has no column of reviews; it has 'id', 'film'; name one with"):
        opened(path)
    with pytest.raises(BatchError, match="has no column 'opinion'; it has 'id', 'film'; "):
        opened(path, "opinion")


def test_under_make_the_hint_names_a_column_as_make_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_TYPED", "make batch")
    with pytest.raises(BatchError, match="it has 'id'; name one with FLAGS=--column=NAME$"):
        opened(save(tmp_path, "a.csv", "id\n1\n"))


def test_half_a_character_is_written_as_a_question_mark() -> None:
    assert batch_rows.to_bytes("a\ud800b") == b"a?b"


def test_a_first_row_that_can_be_a_review_is_not_repeated(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "id,I would not watch it again\n1,x\n")
    with pytest.raises(BatchError, match=r"it has 'id', \(26 characters\); name one with") as caught:
        opened(path)
    assert "watch" not in str(caught.value)


def test_tabs_separate_the_fields_of_a_tsv(tmp_path: Path) -> None:
    path = save(tmp_path, "a.tsv", 'id\treview\n1\tgood, really\n2\t"a\ttab"\n')
    assert [row.review for row in read(path)] == ["good, really", "a\ttab"]


def test_a_plain_file_has_a_review_a_line(tmp_path: Path) -> None:
    path = save(tmp_path, "a.txt", '\ufeffgood\r\n\n "bad, really\n')
    assert [row.review for row in read(path)] == ["good", '"bad, really']


def test_a_plain_file_s_rows_are_written_with_a_column_of_reviews(tmp_path: Path) -> None:
    path = save(tmp_path, "a.txt", "good\n")
    answer = Prediction("positive", None, 0.9, "", "m")
    assert written(path, "tsv", {0: answer}).splitlines()[0].split("\t")[:2] == ["review", "sentiment"]
    assert json.loads(written(path, "jsonl", {0: answer}))["review"] == "good"


def test_an_output_of_plain_lines_is_refused() -> None:
    with pytest.raises(BatchError, match="^out.txt would hold more than a text a line; call it"):
        batch_rows.output_format(Path("out.txt"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize("content", ["", "\ufeff", "\n\n"])
def test_an_empty_file_is_one_sentence(name: str, content: str, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="is empty; give a file with a"):
        opened(save(tmp_path, name, content))


def test_json_lines_without_one_object_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match='has no line that is an object like {"review": "..."}'):
        opened(save(tmp_path, "a.jsonl", "half\n[]\n"))


def test_a_header_without_rows_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="holds no row; give a file with a review"):
        batch_rows.count(opened(save(tmp_path, "a.csv", "review\r\n")))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="can't be read: No such file"):
        opened(tmp_path / "none.csv")


# --- reading CSV --------------------------------------------------------------------------------


def test_a_byte_order_mark_crlf_blank_lines_and_quoted_line_breaks_are_read(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", '\ufeffreview,id\r\n"two\r\nlines, ""quoted""",1\r\n\r\nplain,2\r\n')
    assert [(row.review, row.fields[1]) for row in read(path)] == [
        ('two\r\nlines, "quoted"', "1"),
        ("plain", "2"),
    ]


def test_a_row_with_too_many_fields_or_without_the_review_has_an_error_of_its_own(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "id,review,more\n1,a, film,x\n2\n3,fine\n")
    rows = read(path)
    assert [row.error.code if row.error else "" for row in rows] == ["malformed_csv", "malformed_csv", ""]
    assert [row.error.detail for row in rows if row.error] == [
        'the row has 4 fields, the header 3; beyond them: ["x"]; quote a field that holds a comma',
        "the row has 1 field, the header 3; it lacks 'review', 'more'; quote a field that holds a comma",
    ]
    assert [row.fields for row in rows[1:]] == [["2", "", ""], ["3", "fine", ""]]


@pytest.mark.parametrize(
    ("content", "at"), [('review\n"never closed\nnext\n', 3), ('review\nfine\n"a"b\n', 3)]
)
def test_a_quote_that_would_move_the_rows_refuses_the_file_by_its_line(
    content: str, at: int, tmp_path: Path
) -> None:
    with pytest.raises(BatchError, match=f"is no CSV at line {at}[ ,]"):
        read(save(tmp_path, "a.csv", content))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_file_that_is_not_utf_8_is_one_sentence(name: str, tmp_path: Path) -> None:
    content = "review\nfilmé\n" if name == "a.csv" else '{"review": "filmé"}\n'
    with pytest.raises(BatchError, match="is not UTF-8 .*; save it as UTF-8"):
        read(save(tmp_path, name, content.encode("latin-1")))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_line_without_end_is_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_LINE_CHARACTERS", 50)
    content = "review\n" + "x" * 51 if name == "a.csv" else '{"review": "' + "x" * 51
    with pytest.raises(BatchError, match="of over 50 characters"):
        read(save(tmp_path, name, content))


def test_many_short_lines_in_one_open_quote_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_LINE_CHARACTERS", 50)
    with pytest.raises(
        BatchError,
        match="is no CSV at line 7, in the row that begins at line 2 .*field larger than field limit",
    ):
        read(save(tmp_path, "a.csv", 'review\n"' + "ten chars\n" * 60))


ODD_ROWS = [
    ("a.csv", 'review,id\n\n"two\nlines",1\n\n\na,film,2\nfine,3\n', ["line 3", "line 7", "line 8"]),
    ("a.csv", "review,id\r\n\r\na,film,2\r\n", ["line 3"]),
    ("a.csv", "review,id\r\ra,film,2\r", ["line 3"]),
    ("a.tsv", "review\tid\n\n\na\tfilm\t2\n", ["line 4"]),
    ("a.jsonl", '{"review": "a"}\n\n\n{"review": 5}\n', ["line 1", "line 4"]),
    ("a.txt", "\n\nfine\n\nfilm\n", ["line 3", "line 5"]),
]


@pytest.mark.parametrize(("name", "content", "places"), ODD_ROWS)
def test_a_row_s_place_is_its_first_line_and_blank_lines_count(
    name: str, content: str, places: list[str], tmp_path: Path
) -> None:
    assert [row.place for row in read(save(tmp_path, name, content))] == places


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("a.jsonl", '{"review": 5}', "'review' is number; it must be a text in quotes"),
        ("a.jsonl", '{"review": null}', "'review' is null; it must be a text in quotes"),
        ("a.jsonl", '{"review": NaN}', "NaN is no JSON number"),
        ("a.jsonl", '{"text": "x"}', "the line lacks 'review'; it has 'text'"),
        ("a.jsonl", "[1]", 'the line is list of length 1, no object like {"review": "..."}'),
        (
            "a.csv",
            "x" * 50_001,
            "'review' has 50,001 characters, at most 50,000 are read; cut it shorter, or",
        ),
        (
            "a.txt",
            "x" * 50_001,
            "the line has 50,001 characters, at most 50,000 are read; cut it shorter, or",
        ),
        ("a.csv", ",1", 'the row has 2 fields, the header 1; beyond them: ["1"]; quote a field that holds'),
    ],
)
def test_an_error_says_what_is_wrong_with_the_row_and_not_what_to_send(
    name: str, content: str, detail: str, tmp_path: Path
) -> None:
    first = {"a.jsonl": '{"review": "fine"}', "a.csv": "review", "a.txt": "fine"}[name]
    path = save(tmp_path, name, f"{first}\n\n{content}\n")
    text = written(path, "jsonl", {} if name == "a.csv" else {0: GOOD})
    told = json.loads(text.splitlines()[-1])
    assert told["detail"].startswith(f"line 3: {detail}")


def test_a_delimiter_can_be_named(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "id|review\n1|good, really; yes\n2|a|b\n")
    source = batch_rows.open_source(path, "csv", delimiter="|")
    first, second = source.rows()
    assert (source.columns, first.review) == (["id", "review"], "good, really; yes")
    assert second.error and second.error.detail.endswith("quote a field that holds '|'")
    with pytest.raises(BatchError, match="^--delimiter is for CSV and TSV, and .*a.jsonl is read as jsonl"):
        batch_rows.open_source(save(tmp_path, "a.jsonl", '{"review": "a"}'), "jsonl", delimiter=";")


@pytest.mark.parametrize(
    ("flag", "sign"), [("tab", "\t"), ("\\t", "\t"), ("Semicolon", ";"), ("|", "|"), ("\t", "\t")]
)
def test_a_delimiter_is_a_sign_or_its_name(flag: str, sign: str) -> None:
    assert batch_rows.parse_delimiter(flag) == sign


@pytest.mark.parametrize("flag", ["", ";;", '"', "a", "\n", "\r"])
def test_what_is_no_delimiter_is_one_sentence(flag: str) -> None:
    with pytest.raises(ValueError, match="a delimiter is one sign, such as ; or tab, got"):
        batch_rows.parse_delimiter(flag)


# --- reading JSON lines -------------------------------------------------------------------------

BAD_LINES = [
    ('{"review": "half', "malformed_json"),
    ('{"review": NaN}', "malformed_json"),
    ('{"review": "a", "review": "b"}', "malformed_json"),
    ("[" * 5000, "malformed_json"),
    ('"a text"', "wrong_type"),
    ("[1]", "wrong_type"),
    ("null", "wrong_type"),
    ('{"review": 5}', "wrong_type"),
    ('{"review": null}', "wrong_type"),
    ('{"review": ["a"]}', "wrong_type"),
    ('{"id": 1}', "missing_field"),
    ('{"review": "' + "x" * 50_001 + '"}', "too_long"),
]


@pytest.mark.parametrize(("bad", "code"), BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_has_an_error_of_its_own_and_the_others_are_read(
    bad: str, code: str, tmp_path: Path
) -> None:
    path = save(tmp_path, "a.jsonl", '{"review": "first"}\r\n' + bad + '\r\n\r\n{"review": "last"}')
    rows = read(path)
    assert [row.review for row in rows] == ["first", "", "last"]
    assert [row.error.code if row.error else "" for row in rows] == ["", code, ""]
    assert [row.number for row in rows] == [0, 1, 2]


def test_separators_that_only_unicode_knows_do_not_end_a_line(tmp_path: Path) -> None:
    path = save(tmp_path, "a.jsonl", '{"review": "a\u2028b\u0085c"}\n')
    assert [row.review for row in read(path)] == ["a\u2028b\u0085c"]


# --- sending ------------------------------------------------------------------------------------


def rows_of(*reviews: str) -> list[Row]:
    return [Row(number, [review], "", None, review, None) for number, review in enumerate(reviews)]


def test_a_part_is_full_by_rows_or_by_bytes_and_keeps_the_rows_numbers() -> None:
    rows = rows_of("a", "b", "c" * 100, "d", "e")
    assert [list(part.ids) for part in batch_rows.parts(rows, most=2)] == [[0, 1], [2, 3], [4]]
    assert [list(part.ids) for part in batch_rows.parts(rows, most_bytes=112)] == [[0, 1], [2], [3, 4]]
    assert [part.number for part in batch_rows.parts(rows, most=2)] == [0, 1, 2]


def test_a_row_that_can_t_be_sent_is_in_no_part(tmp_path: Path) -> None:
    path = save(tmp_path, "a.jsonl", '{"review": 1}\n{"review": "fine"}\n')
    (part,) = batch_rows.parts(read(path))
    assert (list(part.ids), part.lines()) == ([1], b'{"id":1,"review":"fine"}')
    counted = batch_rows.count(opened(path))
    assert (counted.rows, counted.unread, counted.sent) == (2, 1, 1)


@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=20))
def test_any_text_is_sent_as_one_line_each(reviews: list[str]) -> None:
    parts = list(batch_rows.parts(rows_of(*reviews), most=3, most_bytes=200))
    assert all(len(part.lines()) <= 200 or len(part.ids) == 1 for part in parts)
    sent = b"\n".join(part.lines() for part in parts)
    told = [json.loads(one) for one in sent.split(b"\n")]
    assert [one["review"] for one in told] == reviews
    assert [one["id"] for one in told] == list(range(len(reviews)))


# --- answers ------------------------------------------------------------------------------------


def test_answers_are_read_by_their_rows_numbers() -> None:
    refused = b'{"error":{"code":"no_token","detail":"nothing to read"},"id":3,"model":{"id":"verdict-1"}}'
    assert batch_rows.parse_predictions(b"\n".join([line(7), b"", refused]), [3, 7]) == {
        7: GOOD,
        3: Prediction(error="no_token", detail="nothing to read"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        b"<html>",
        b"[]",
        line("7"),
        line(True),
        line(7, sentiment="good"),
        line(7, reason="mixed"),
        line(7, sentiment="uncertain"),
        line(7, sentiment="uncertain", reason="tired"),
        line(7, sentiment="uncertain", reason=["mixed"]),
        line(7, probability=2),
        line(7, probability="0.9"),
        line(7, probability=True),
        line(7, warnings=None),
        line(7, warnings=["x"]),
        line(7, model="verdict-1"),
        line(7, model={"id": 5}),
        line(7, error="no"),
        line(7, error={"code": None, "detail": ""}),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_one_sentence(wrong: bytes) -> None:
    with pytest.raises(BatchError, match="^an answer is malformed; "):
        batch_rows.parse_predictions(wrong)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (line(1) + b"\n" + line(1), "row 2 was answered twice"),
        (line(1), "row 3 did not come back"),
        (line(1) + b"\n" + line(2) + b"\n" + line(3), "row 4 did not come back as it was sent"),
    ],
)
def test_each_row_must_come_back_once(data: bytes, why: str) -> None:
    with pytest.raises(BatchError, match=why):
        batch_rows.parse_predictions(data, [1, 2])


@pytest.mark.parametrize("reason", messages.REASONS)
def test_an_uncertain_answer_keeps_its_reason(reason: str) -> None:
    data = line(1, sentiment="uncertain", reason=reason)
    assert batch_rows.parse_predictions(data)[1].reason == reason


def test_rows_and_answers_are_joined_in_the_file_s_order_over_any_pieces() -> None:
    rows = rows_of("a", "b", "c")
    answers = [Prediction("positive", None, number / 10) for number in range(3)]
    for pieces in (
        [{0: answers[0]}, {2: answers[2], 1: answers[1]}],
        [{2: answers[2], 1: answers[1], 0: answers[0]}],
    ):
        joined = list(batch_rows.join(rows, pieces))
        assert joined == list(zip(rows, answers, strict=True))


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([{0: GOOD}], "row 2 has no answer"),
        ([{1: GOOD}, {0: GOOD}], "row 1 has no answer"),
        ([{0: GOOD, 1: GOOD, 2: GOOD}], "more answers than rows"),
        ([{0: GOOD, 1: GOOD}, {2: GOOD}], "more answers than rows"),
    ],
)
def test_a_row_without_answer_or_an_answer_without_row_is_one_sentence(
    pieces: list[dict[int, Prediction]], why: str
) -> None:
    with pytest.raises(BatchError, match=why):
        list(batch_rows.join(rows_of("a", "b"), pieces))


# --- writing ------------------------------------------------------------------------------------


def test_csv_comes_back_as_it_was_with_the_verdict_beside_it(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", 'id,review\n=1+1,"a\nb ""c"""\n=1+1,second\n3,third\n')
    answers = {0: GOOD, 1: Prediction(error="no_token", detail="nothing"), 2: UNSURE}
    text = written(path, "csv", answers)
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["id", "review", "sentiment", "reason", "probability", "warnings", "model", "error", "detail"],
        ["'=1+1", 'a\nb "c"', "positive", "", "0.9", "too_short", "verdict-1", "", ""],
        ["'=1+1", "second", "", "", "", "", "", "no_token", "line 4: nothing"],
        ["3", "third", "uncertain", "mixed", "0.5", "", "verdict-1", "", ""],
    ]


def test_what_is_added_to_a_csv_is_never_a_formula(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review\ngood\n")
    evil = Prediction("positive", "=r", 0.5, "@a", "=cmd()", "+b", "c")
    row = list(csv.reader(io.StringIO(written(path, "csv", {0: evil}), newline="")))[1]
    assert row == ["good", "positive", "'=r", "0.5", "'@a", "'=cmd()", "'+b", "line 2: c"]


FORMULAS = ["=1+1", " =1", "-bad", "'=1", "\tx", "\ufeff@x"]


@pytest.mark.parametrize("format", ["csv", "tsv"])
@pytest.mark.parametrize("review", FORMULAS)
def test_no_cell_is_a_formula_and_our_own_file_gives_the_review_back(
    review: str, format: str, tmp_path: Path
) -> None:
    path = save(tmp_path, "a.jsonl", json.dumps({"=id": -0.5, "review": review}))
    text = written(path, format, {0: GOOD})
    header, row = csv.reader(io.StringIO(text, newline=""), delimiter=batch_rows.DELIMITERS[format])
    assert (header[0], row[0], row[1]) == ("'=id", "-0.5", "'" + review)
    source = opened(save(tmp_path, f"again.{format}", text))
    assert (source.columns[0], [again.review for again in source.rows()]) == ("=id", [review])


def test_raw_writes_cells_as_they_are(tmp_path: Path) -> None:
    source, out = opened(save(tmp_path, "a.csv", "review\n=1+1\n")), io.StringIO(newline="")
    batch_rows.write(batch_rows.join(source.rows(), [{0: GOOD}]), source, out, "csv", raw=True)
    assert out.getvalue().splitlines()[1].startswith("=1+1,positive")


@pytest.mark.parametrize("review", ["a\rb", "a\nb", "a\r\nb", "", " ", '"', ",", "'", "\x00", "é\u2028"])
def test_a_csv_field_survives_reading_and_writing(review: str, tmp_path: Path) -> None:
    content = io.StringIO(newline="")
    csv.writer(content).writerows([["review"], [review]])
    text = written(save(tmp_path, "a.csv", content.getvalue()), "csv", {0: GOOD})
    assert list(csv.reader(io.StringIO(text, newline="")))[1][0] == review


@given(st.lists(st.text(st.sampled_from(',\t"\r\n ') | st.characters()), min_size=2))
@pytest.mark.parametrize("delimiter", batch_rows.DELIMITERS.values())
def test_a_line_of_csv_is_that_of_python_s_own_writer(delimiter: str, cells: list[str]) -> None:
    expected = io.StringIO(newline="")
    csv.writer(expected, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    assert batch_rows._csv_line(cells, delimiter) == expected.getvalue()


def test_the_bytes_to_send_are_counted_only_when_asked_for(tmp_path: Path) -> None:
    source = opened(save(tmp_path, "a.csv", 'id,review\n1,"Fine, ""é"""\n2\n3,Bad\n'))
    (part,) = batch_rows.parts(source.rows())
    assert batch_rows.count(source) == (3, 1, 2, 0)
    assert batch_rows.count(source, sized=True) == (3, 1, 2, len(part.lines()) + 1)


def test_a_json_line_comes_back_letter_by_letter_with_the_verdict_behind_it(tmp_path: Path) -> None:
    first = '{ "review":"\\u00e9 é", "id": 1.10, "big": 1e999, "n": {"a": [1]} }'
    path = save(tmp_path, "a.jsonl", first + '\n{"id": 2}\nhalf\n{}\n')
    lines = written(path, "jsonl", {0: GOOD}).split("\n")
    assert lines[0] == (
        '{ "review":"\\u00e9 é", "id": 1.10, "big": 1e999, "n": {"a": [1]}, "sentiment": "positive",'
        ' "reason": null, "probability": 0.9, "warnings": "too_short", "model": "verdict-1"}'
    )
    assert json.loads(lines[1]) == {
        "id": 2,
        "error": "missing_field",
        "detail": "line 2: the line lacks 'review'; it has 'id'",
    }
    assert [json.loads(one)["error"] for one in lines[2:4]] == ["malformed_json", "missing_field"]
    assert lines[4:] == [""]


def test_csv_becomes_json_lines_and_json_lines_csv(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "id,review\n007,é\n")
    told = json.loads(written(path, "jsonl", {0: GOOD}))
    assert told == {
        "id": "007",
        "review": "é",
        "sentiment": "positive",
        "reason": None,
        "probability": 0.9,
        "warnings": "too_short",
        "model": "verdict-1",
    }
    path = save(
        tmp_path, "a.jsonl", '{"review": "é"}\nhalf\n{"n": [1, {"a": null}], "id": null, "review": "b"}\n'
    )
    rows = list(csv.DictReader(io.StringIO(written(path, "csv", {0: GOOD, 2: GOOD}), newline="")))
    assert [(row["review"], row["n"], row["id"], row["error"]) for row in rows] == [
        ("é", "", "", ""),
        ("", "", "", "malformed_json"),
        ("b", '[1, {"a": null}]', "", ""),
    ]


def test_a_name_that_the_file_has_already_is_prefixed_also_the_second_time(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review,sentiment,verdict_sentiment,model\ngood,x,y,z\n")
    row = next(csv.DictReader(io.StringIO(written(path, "csv", {0: GOOD}), newline="")))
    assert (row["sentiment"], row["verdict_sentiment"], row["model"]) == ("x", "y", "z")
    assert (row["verdict_verdict_sentiment"], row["verdict_model"]) == ("positive", "verdict-1")
    path = save(tmp_path, "a.jsonl", '{"review": "a"}\n{"review": "b", "error": "mine"}\n')
    lines = written(path, "jsonl", {0: GOOD, 1: Prediction(error="no_token", detail="d")}).splitlines()
    assert json.loads(lines[1]) == {
        "review": "b",
        "error": "mine",
        "verdict_error": "no_token",
        "detail": "line 2: d",
    }


def test_two_columns_of_the_review_s_name_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="has two columns 'review'; rename one$"):
        opened(save(tmp_path, "a.csv", "review,review\na,b\n"))


def test_columns_cut_by_tabs_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="give --delimiter tab, or call it .tsv$"):
        opened(save(tmp_path, "a.csv", "review\tid\na\t1\n"))


def test_two_columns_of_one_name_stay_in_csv_and_are_refused_for_json_lines(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", "review,x,x\na,1,2\n")
    assert written(path, "csv", {0: GOOD}).splitlines()[1].startswith("a,1,2,positive")
    batch_rows.check_writable(opened(path), "csv")
    with pytest.raises(BatchError, match="has two columns 'x'; rename one, or write .csv"):
        batch_rows.check_writable(opened(path), "jsonl")
