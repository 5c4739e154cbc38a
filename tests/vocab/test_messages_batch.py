"""Several reviews in one request: parsing, the error of each bad one, and the answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scores import additive_score
from vocab import messages, vocabulary
from vocab.messages import BatchRequest, Item, MessageError, Model

WORDS = vocabulary.load()
MODEL = Model("bilstm-1", WORDS.fingerprint, (0.4, 0.6))
CANARY = "zanzibar canary"
MANY = messages.MAX_BATCH_REVIEWS


def read(body: bytes | str, kind: str | None = messages.JSON, explain: str | None = None) -> BatchRequest:
    data = body.encode() if isinstance(body, str) else body
    return messages.parse_batch_request(data, kind, explain)


def items_of(*reviews: object) -> list[Item]:
    return read(json.dumps({"reviews": reviews})).items


def refusal(body: bytes | str, kind: str | None = messages.JSON, explain: str | None = None) -> MessageError:
    with pytest.raises(MessageError) as caught:
        read(body, kind, explain)
    assert CANARY not in caught.value.detail
    return caught.value


# --- JSON ---------------------------------------------------------------------------------------


def test_reviews_are_read_in_their_order_with_the_ids_that_were_sent() -> None:
    request = read(
        '{"reviews": [{"review": "a", "id": "x"}, {"id": 7, "review": "b"}, {"review": "c"}]}', None
    )
    assert request == BatchRequest(
        [Item(review="a", id="x"), Item(review="b", id=7), Item(review="c")], "none"
    )


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_each_way_to_explain_is_read_from_the_body_or_the_query(explain: str) -> None:
    body = json.dumps({"reviews": [{"review": "a"}], "explain": explain})
    assert read(body, explain=None).explain == explain
    assert read(body, explain=explain).explain == explain
    assert read('{"reviews": [{"review": "a"}]}', explain=explain).explain == explain


def test_a_query_that_asks_for_another_explanation_than_the_body_is_refused() -> None:
    wrong = refusal('{"reviews": [{"review": "a"}], "explain": "words"}', explain="none")
    assert (wrong.status, wrong.code) == (400, "bad_value")
    assert wrong.detail == "explain is none in the query, and another in the body; send one"


def test_a_query_that_can_not_be_used_is_refused_beside_a_body_that_can() -> None:
    wrong = refusal('{"reviews": [{"review": "a"}], "explain": "words"}', explain="false")
    assert (wrong.status, wrong.code) == (400, "bad_value")


@pytest.mark.parametrize(
    ("review", "code", "says"),
    [
        ([CANARY], "wrong_type", "must be an object, got list of length 1"),
        (CANARY, "wrong_type", "must be an object, got string of length 15"),
        (None, "wrong_type", "must be an object, got null"),
        ({}, "missing_field", "review is missing"),
        ({"review": [CANARY]}, "wrong_type", "review must be a string, got list of length 1"),
        ({"review": "x", "text": CANARY}, "unknown_field", "'text' is not known; send only id, review"),
        ({"review": "x", "explain": "none"}, "unknown_field", "'explain' is not known"),
        ({"review": "x", "ids": [1]}, "unknown_field", "'ids' is not known"),
        ({"review": CANARY * 4000}, "too_long", "review has 60,000 characters"),
        ({"review": "x", "id": 1.5}, "wrong_type", "id must be a string or an integer, got number"),
        ({"review": "x", "id": [CANARY]}, "wrong_type", "id must be a string or an integer, got list"),
        ({"review": "x", "id": True}, "wrong_type", "id must be a string or an integer, got boolean"),
        ({"review": "x", "id": None}, "wrong_type", "id must be a string or an integer, got null"),
    ],
)
def test_a_bad_item_carries_its_error_and_harms_no_other(review: object, code: str, says: str) -> None:
    first, bad, last = items_of({"review": "a"}, review, {"review": "b"})
    assert (first, last) == (Item(review="a"), Item(review="b"))
    assert bad.error and bad.review is None
    assert (bad.error.code, says in bad.error.detail) == (code, True), bad.error.detail
    assert CANARY not in bad.error.detail


def test_a_bad_item_keeps_its_id() -> None:
    assert [item.id for item in items_of({"id": "x"}, {"id": 5, "review": 5}, {"id": 1.5})] == ["x", 5, None]


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ("{", 400, "malformed_json", "no valid JSON"),
        (b'{"reviews": "\xff"}', 400, "not_utf8", "not UTF-8"),
        ("[]", 400, "wrong_type", "must be an object"),
        ("{}", 400, "missing_field", "reviews is missing"),
        ('{"reviews": {}}', 400, "wrong_type", "reviews must be a list, got object"),
        ('{"reviews": []}', 400, "bad_value", "there is no review; send 1 to 100"),
        ('{"reviews": [], "review": 1}', 400, "unknown_field", "'review' is not known"),
        ('{"reviews": [{"review": "x"}], "explain": "all"}', 400, "bad_value", "explain must be one of"),
        ('{"reviews": [{"review": "x", "review": "y"}]}', 400, "malformed_json", "named twice"),
        ('{"reviews": [{"review": NaN}]}', 400, "malformed_json", "NaN is no JSON number"),
        ('{"reviews": ' + "[" * 30 + "]" * 30 + "}", 400, "malformed_json", "nests deeper"),
        (json.dumps({"reviews": [{}] * 101}), 413, "too_many_reviews", "101 reviews came, at most 100"),
        (b" " * 1_000_001, 413, "too_large", "1,000,001 bytes"),
    ],
)
def test_what_makes_a_whole_request_unusable_is_named(
    body: bytes | str, status: int, code: str, says: str
) -> None:
    error = refusal(body)
    assert (error.status, error.code, says in error.detail) == (status, code, True), error.detail


def test_a_hundred_reviews_are_read() -> None:
    assert len(items_of(*[{"review": "x"}] * MANY)) == MANY


@pytest.mark.parametrize(
    "kind", [messages.TEXT, "text/html", "multipart/form-data", "text/csv; charset=latin-1"]
)
def test_another_content_type_is_refused(kind: str) -> None:
    assert (refusal("x", kind).status, refusal("x", kind).code) == (415, "unsupported_media_type")


# --- JSON lines and CSV -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [messages.JSON_LINES, messages.NDJSON, "Application/JSONLines; charset=UTF-8"]
)
def test_lines_hold_a_review_each_and_blank_ones_are_skipped(kind: str) -> None:
    body = '{"id": 1, "review": "a"}\r\n\n  \n{"review": "b\\n"}'
    assert read(body, kind, "words") == BatchRequest([Item(review="a", id=1), Item(review="b\n")], "words")


def test_a_bad_line_is_told_so_and_harms_no_other() -> None:
    body = f'{CANARY}\n{{"review": "a"}}\n{{"review": "x", "explain": "none"}}'
    bad, good, unknown = read(body, messages.JSON_LINES).items
    assert bad.error and bad.error.detail.startswith("the line is no valid JSON at character 0")
    assert good == Item(review="a")
    assert unknown.error and unknown.error.code == "unknown_field"


@pytest.mark.parametrize("kind", [messages.JSON_LINES, messages.CSV])
def test_a_bad_explain_of_the_query_refuses_lines_and_csv(kind: str) -> None:
    body = 'review\n"x"' if kind == messages.CSV else '{"review": "x"}'
    assert refusal(body, kind, "all").code == "bad_value"


def test_csv_has_a_header_with_review_and_perhaps_id() -> None:
    body = '\ufeffid, review\r\n7,"Dull, and ""far"" too\r\nlong."\r\n\r\n,fine\r\n'
    assert read(body, messages.CSV).items == [
        Item(review='Dull, and "far" too\r\nlong.', id="7"),
        Item(review="fine"),
    ]
    assert read("review\na\n", messages.CSV).items == [Item(review="a")]


def test_a_row_of_another_length_is_told_so_and_harms_no_other() -> None:
    bad, good = read("id,review\n1,a,b\n2,c\n", messages.CSV).items
    assert bad.error and (bad.error.code, bad.error.status) == ("malformed_csv", 400)
    assert "the row has 3 fields, the first line 2" in bad.error.detail
    assert good == Item(review="c", id="2")


def test_a_long_cell_is_a_review_that_is_too_long_and_no_more() -> None:
    bad, good = read(f"review\n{'a' * 200_000}\nfine\n", messages.CSV).items
    assert bad.error and bad.error.code == "too_long"
    assert good == Item(review="fine")


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        ("", 400, "missing_field", "must name each column once"),
        ("id\n1", 400, "missing_field", "must name each column once"),
        ("review,review\na,b", 400, "missing_field", "must name each column once"),
        ("review,label\na,b", 400, "unknown_field", "'label' is not known; send only id, review"),
        ("review\n", 400, "bad_value", "there is no review"),
        ('review\n"a" b', 400, "malformed_csv", "the body is no CSV"),
        ('review\n"a', 400, "malformed_csv", "the body is no CSV"),
        (b"review\ncaf\xe9", 400, "not_utf8", "not UTF-8"),
        ("review\n" + "a\n" * 101, 413, "too_many_reviews", "101 reviews came"),
    ],
)
def test_what_makes_a_whole_csv_unusable_is_named(
    body: bytes | str, status: int, code: str, says: str
) -> None:
    error = refusal(body, messages.CSV)
    assert (error.status, error.code, says in error.detail) == (status, code, True), error.detail


KINDS = [messages.JSON, messages.JSON_LINES, messages.NDJSON, messages.CSV]


@given(st.binary() | st.text().map(str.encode), st.none() | st.text() | st.sampled_from(KINDS), st.text())
def test_any_bytes_are_read_or_refused_and_never_raise_anything_else(
    body: bytes, kind: str | None, explain: str
) -> None:
    try:
        messages.parse_batch_request(body, kind, explain)
    except MessageError as error:
        assert error.status in (400, 413, 415)
        assert error.code and error.detail


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_of_5_000_digits_is_refused_by_name(sign: str) -> None:
    line = f'{{"id": {sign}{"1" * 5_000}, "review": "a"}}'
    error = refusal(f'{{"reviews": [{line}]}}')
    assert (error.status, error.code) == (400, "malformed_json")
    assert "5,000 digits, at most 100 are read; send a longer id as a string" in error.detail
    item, whole = read(f'{line}\n{{"id": {"1" * 100}, "review": "a"}}', messages.JSON_LINES).items
    assert item.error is not None and item.error.detail == error.detail
    assert whole.id == int("1" * 100)


# --- the answer ---------------------------------------------------------------------------------


def verdict(review: str, explain: str) -> dict[str, Any]:
    encoded = WORDS.encode(review)
    scored = additive_score(0.25, [0.5] * len(encoded.ids), encoded.lengths, explain)
    return messages.build_verdict(encoded, scored, MODEL)


def test_answers_stand_in_order_with_the_ids_that_were_sent_first() -> None:
    items = [
        Item(review="a", id="x"),
        Item(error=MessageError(422, "no_token", "x"), id=0),
        Item(review="b"),
    ]
    answers: list[dict[str, Any]] = [{"sentiment": "positive"}, {"error": {}}, {"sentiment": "negative"}]
    built = messages.build_batch_answer(items, answers, MODEL, "r1")
    assert json.dumps(built["answers"]) == (
        '[{"id": "x", "sentiment": "positive"}, {"id": 0, "error": {}}, {"sentiment": "negative"}]'
    )
    assert built["model"] == messages.model_message(MODEL)
    assert built["request_id"] == "r1"


def test_no_model_is_named_when_none_was_asked() -> None:
    assert messages.build_batch_answer([], [], None, "r1")["model"] is None


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_a_verdict_among_others_is_the_answer_alone_without_model_and_request(explain: str) -> None:
    encoded = WORDS.encode("A warm, funny film. It is not bad at all!")
    scored = additive_score(0.25, [0.5] * len(encoded.ids), encoded.lengths, explain)
    alone = messages.build_answer(encoded, scored, MODEL, "r1")
    assert {**verdict(encoded.text, explain), "model": alone["model"], "request_id": "r1"} == alone


def test_what_lambda_could_not_send_is_refused_with_what_to_do() -> None:
    one = verdict("\U0001f600\n" * 5_000, "words")
    items = [Item(review="x")] * MANY
    with pytest.raises(
        MessageError, match="send fewer reviews in a request, or have less explained"
    ) as error:
        messages.build_batch_answer(items, [one] * MANY, MODEL, "r1")
    assert (error.value.status, error.value.code) == (413, "too_large")


@pytest.mark.slow
def test_what_is_not_refused_fits_lambda_s_six_megabytes() -> None:
    one = verdict('"word"\n' * 150, "words")
    item, answers = [Item(review="x")], [one]
    while True:
        try:
            built = messages.build_batch_answer(item * len(answers), answers, MODEL, "r1")
        except MessageError:
            break
        answers = answers + [one] * 5
    body = messages.to_json(built).decode()
    assert 5_500_000 < len(json.dumps({"statusCode": 200, "headers": {}, "body": body})) < 6_291_556
