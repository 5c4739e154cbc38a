"""Every message and every error of the public API and of the endpoint."""

import json
import math
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.scores import additive_score
from tests.vocab.hostile import REVIEWS
from vocab import language, messages, vocabulary
from vocab.messages import (
    EndpointRequest,
    Item,
    MessageError,
    Model,
    ReviewRequest,
    Score,
    SentenceScore,
    WordScores,
)
from vocab.vocabulary import EncodedReview

WORDS = vocabulary.load()
MODEL = Model("bilstm-1", WORDS.fingerprint, (0.4, 0.6))
# No error may hold these, which stand for a review's words.
CANARY = "zanzibar canary"
FINE = "A warm, funny film. It is not bad at all!"
IDS_ITEM: dict[str, Any] = {"ids": [1], "sentences": [1]}

numbers = st.floats(-50, 50)


def score_of(encoded: EncodedReview, explain: str) -> Score:
    """Return a score of the review in which each token adds 0.5."""
    return additive_score(-0.25, [0.5] * len(encoded.ids), encoded.lengths, explain)


# --- a caller's request -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"review": "Fine"}', "application/json", ReviewRequest("Fine", "sentences")),
        (b'{"review": "Fine"}', None, ReviewRequest("Fine", "sentences")),
        (b'{"review": "Fine"}', "", ReviewRequest("Fine", "sentences")),
        (b'{"review": "Fine"}', " Application/JSON ; charset=utf-8", ReviewRequest("Fine", "sentences")),
        (b'\xef\xbb\xbf{"review": "Fine"}', None, ReviewRequest("Fine", "sentences")),
        (b' {"explain":"words","review":""}\r\n', None, ReviewRequest("", "words")),
        (b'{"review": "\\ud83d\\u0000"}', None, ReviewRequest("\ud83d\x00", "sentences")),
        (b'{"review": "[[[[[[[[[[[[[[[[[[[[[[[[\\"["}', None, ReviewRequest("[" * 24 + '"[', "sentences")),
        (b'{"review": "Fine"}', "text/plain", ReviewRequest('{"review": "Fine"}', "sentences")),
        ("caf\u00e9".encode(), "TEXT/plain; charset=UTF-8", ReviewRequest("caf\u00e9", "sentences")),
        (b"\xef\xbb\xbfFine", "text/plain", ReviewRequest("Fine", "sentences")),
        (b"", "text/plain", ReviewRequest("", "sentences")),
        (b"Fine", 'text/plain; format=flowed; charset="utf-8"', ReviewRequest("Fine", "sentences")),
        (b"Fine", "text/plain;charset=US-ASCII", ReviewRequest("Fine", "sentences")),
    ],
)
def test_a_request_is_read_as_json_or_as_text(
    body: bytes, content_type: str | None, expected: ReviewRequest
) -> None:
    assert messages.parse_review_request(body, content_type) == expected


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_each_way_to_explain_is_read(explain: str) -> None:
    body = json.dumps({"review": FINE, "explain": explain}).encode()
    assert messages.parse_review_request(body, None).explain == explain


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.sampled_from(messages.EXPLAIN))
def test_any_review_that_json_can_carry_is_read_unchanged(review: str, explain: str) -> None:
    body = json.dumps({"review": review, "explain": explain}).encode()
    # JSON writes two halves of a character apart, and reads them as one.
    whole = review.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert messages.parse_review_request(body, "application/json") == ReviewRequest(whole, explain)


@given(st.binary(), st.none() | st.text() | st.sampled_from([messages.JSON, messages.TEXT]))
def test_any_bytes_are_read_or_refused_and_never_raise_anything_else(
    body: bytes, content_type: str | None
) -> None:
    for read in (messages.parse_review_request, messages.parse_endpoint_request):
        try:
            read(body, content_type)
        except MessageError as refusal:
            assert refusal.status in (400, 413, 415)
            assert refusal.code and refusal.detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["review", "explain", "ids", "sentences", "reviews"]), inner
        )
    ),
)


@given(json_values)
def test_any_json_is_read_or_refused_and_never_raises_anything_else(value: object) -> None:
    body = json.dumps(value).encode()
    for read in (messages.parse_review_request, messages.parse_endpoint_request):
        try:
            read(body, None)
        except MessageError as refusal:
            assert refusal.status == 400


LONG = CANARY + "x" * messages.MAX_REVIEW_CHARACTERS
REFUSED: list[tuple[str, bytes, str | None, int, str, str]] = [
    ("a body over the limit", b" " * 1_000_001, None, 413, "too_large", "1,000,001 bytes, at most 1,000,000"),
    ("an endless text", b"a" * 1_000_001, "text/plain", 413, "too_large", "1,000,001 bytes"),
    ("a review over the limit", json.dumps({"review": LONG}).encode(), None, 413, "too_long", "50,015"),
    ("a text over the limit", LONG.encode(), "text/plain", 413, "too_long", "at most 50,000"),
    ("another content type", b"x", "text/html", 415, "unsupported_media_type", "'text/html'"),
    ("an endless content type", b"x", "a/" + "b" * 5_000, 415, "unsupported_media_type", "not read; send"),
    ("UTF-16 text", b"F\0", "text/plain; charset=utf-16", 415, "unsupported_media_type", "charset 'utf-16'"),
    ("Latin text", b"F", 'text/plain;CHARSET="ISO-8859-1"', 415, "unsupported_media_type", "'iso-8859-1'"),
    ("Latin JSON", b"{}", "application/json; a=b; charset=latin-1", 415, "unsupported_media_type", "UTF-8"),
    (
        "an endless charset",
        b"x",
        "text/plain; charset=" + "q" * 99,
        415,
        "unsupported_media_type",
        "q" * 40 + "'",
    ),
    ("JSON that is not UTF-8", b'{"review": "\xff"}', None, 400, "not_utf8", "byte 12"),
    ("text that is not UTF-8", b"caf\xe9 " + CANARY.encode(), "text/plain", 400, "not_utf8", "byte 3"),
    ("surrogates as UTF-8", b"\xed\xa0\x80", "text/plain", 400, "not_utf8", "send UTF-8"),
    ("no body", b"", None, 400, "malformed_json", "at character 0"),
    ("text sent as JSON", CANARY.encode(), None, 400, "malformed_json", 'send {"review": "..."}'),
    ("JSON cut short", b'{"review": "' + CANARY.encode(), None, 400, "malformed_json", "at character 11"),
    ("a BOM twice", b"\xef\xbb\xbf\xef\xbb\xbf{}", None, 400, "malformed_json", "no valid JSON"),
    ("two messages", b'{"review": "a"}{"review": "b"}', None, 400, "malformed_json", "at character 15"),
    ("a trailing comma", b'{"review": "a",}', None, 400, "malformed_json", "no valid JSON"),
    ("single quotes", b"{'review': 'a'}", None, 400, "malformed_json", "no valid JSON"),
    ("a raw control character", b'{"review": "a\nb"}', None, 400, "malformed_json", "no valid JSON"),
    ("NaN", b'{"review": NaN}', None, 400, "malformed_json", "NaN is no JSON number"),
    ("Infinity", b'{"review": Infinity}', None, 400, "malformed_json", "Infinity is no JSON number"),
    ("-Infinity", b'{"explain": -Infinity}', None, 400, "malformed_json", "-Infinity is no JSON number"),
    (
        "a number without end",
        b'{"review": ' + b"1" * 5_001 + b"}",
        None,
        400,
        "malformed_json",
        "5,001 digits",
    ),
    ("too deep lists", b"[" * 21 + b"]" * 21, None, 400, "malformed_json", "deeper than 20"),
    ("too deep objects", b'{"a":' * 21 + b"1" + b"}" * 21, None, 400, "malformed_json", "deeper than 20"),
    ("a depth without end", b"[" * 900_000, None, 400, "malformed_json", "deeper than 20"),
    (
        "a field twice",
        b'{"review": "a", "review": "b"}',
        None,
        400,
        "malformed_json",
        "a field is named twice",
    ),
    ("a list", b"[1, 2]", None, 400, "wrong_type", "must be an object, got list of length 2"),
    ("a string", json.dumps(CANARY).encode(), None, 400, "wrong_type", "got string of length 15"),
    ("null", b"null", None, 400, "wrong_type", "got null"),
    ("an unknown field", b'{"review": "a", "stars": 3}', None, 400, "unknown_field", "'stars' is not known"),
    ("an endless field", b'{"' + b"q" * 99 + b'": 1}', None, 400, "unknown_field", "'" + "q" * 30 + "'"),
    ("a broken field", b'{"\\ud800": 1}', None, 400, "unknown_field", "send only review, explain"),
    ("no review", b"{}", None, 400, "missing_field", 'send {"review": "..."}'),
    ("review null", b'{"review": null}', None, 400, "wrong_type", "must be a string, got null"),
    ("review a number", b'{"review": 1e999}', None, 400, "wrong_type", "must be a string, got number"),
    ("review a boolean", b'{"review": true}', None, 400, "wrong_type", "must be a string, got boolean"),
    ("review a list", json.dumps({"review": [CANARY]}).encode(), None, 400, "wrong_type", "list of length 1"),
    ("review an object", json.dumps({"review": {CANARY: 1}}).encode(), None, 400, "wrong_type", "got object"),
    ("explain unknown", b'{"review": "a", "explain": "all"}', None, 400, "bad_value", "got 'all'"),
    ("explain a boolean", b'{"review": "a", "explain": true}', None, 400, "bad_value", "got boolean"),
    ("explain a list", b'{"review": "a", "explain": []}', None, 400, "bad_value", "got list of length 0"),
    (
        "fields in each other's place",
        json.dumps({"review": "words", "explain": CANARY + " and more"}).encode(),
        None,
        400,
        "bad_value",
        "got string of length 24",
    ),
]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code", "says"),
    [case[1:] for case in REFUSED],
    ids=[case[0].replace(" ", "-") for case in REFUSED],
)
def test_a_bad_request_is_refused_with_what_was_wrong_and_none_of_its_words(
    body: bytes, content_type: str | None, status: int, code: str, says: str
) -> None:
    _refused(lambda: messages.parse_review_request(body, content_type), status, code, says)


def test_a_review_of_exactly_50000_characters_is_read_however_it_is_escaped() -> None:
    review = "\U0001f600" * messages.MAX_REVIEW_CHARACTERS
    body = json.dumps({"review": review, "explain": "sentences"}).encode()
    assert messages.parse_review_request(body, None).review == review


def test_depth_20_is_read() -> None:
    assert messages.parse_json("[" * 20 + "]" * 20)


@pytest.mark.parametrize("part", ["[", "{", '["', '"[', "\\[", "[]", '{"a":', "[[],", '"\\"[{'])
def test_brackets_without_end_are_refused_and_not_followed(part: str) -> None:
    with pytest.raises(MessageError):
        messages.parse_json(part * 100_000)


@pytest.mark.parametrize("review", ["", "<br>", " \n"])
def test_a_review_without_a_token_is_refused(review: str) -> None:
    _refused(lambda: messages.check_encoded(WORDS.encode(review)), 422, "no_token", "write a sentence")


def test_a_review_with_a_token_passes() -> None:
    encoded = WORDS.encode("!")
    assert messages.check_encoded(encoded) is encoded


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        (";", "application/json"),
        ("TEXT/Plain;charset=x", "text/plain"),
    ],
)
def test_media_type_is_lower_case_without_parameters(content_type: str | None, expected: str) -> None:
    assert messages.media_type(content_type) == expected


# --- verdict and warnings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "negative"),
        (0.399999, "negative"),
        (0.4, "negative"),
        (0.400001, "uncertain"),
        (0.5, "uncertain"),
        (0.599999, "uncertain"),
        (0.6, "positive"),
        (1.0, "positive"),
    ],
)
def test_the_edges_of_the_uncertain_band_are_verdicts(probability: float, expected: str) -> None:
    assert messages.sentiment_of(probability, MODEL) == expected


@pytest.mark.parametrize(("probability", "expected"), [(0.499999, "negative"), (0.5, "positive")])
def test_without_a_band_half_is_positive(probability: float, expected: str) -> None:
    assert messages.sentiment_of(probability, MODEL._replace(uncertain=(0.5, 0.5))) == expected


SURE, UNSURE = messages.build_score(0.5, [4.0]), messages.build_score(0.0, [0.125])
FRENCH = "Ce film est vraiment magnifique et les acteurs sont excellents."
NOT_UNDERSTOOD = [
    ("Qwzxv blorptastic frumious", "no_known_words"),
    ("!!! ???", "no_known_words"),
    ("\U0001f3ac \U0001f3ac", "no_known_words"),
    (FRENCH, "not_english"),
    (FRENCH * 50, "not_english"),
]


@pytest.mark.parametrize(
    ("opinion", "reason"), [("one_sided", "unclear"), ("mixed", "mixed"), ("none", "no_opinion")]
)
def test_a_verdict_has_a_reason_exactly_when_it_is_uncertain(opinion: str, reason: str) -> None:
    encoded = WORDS.encode(FINE)
    unsure, sure = (
        messages.judge(encoded, score._replace(opinion=opinion), MODEL) for score in (UNSURE, SURE)
    )
    assert (unsure.sentiment, unsure.reason) == ("uncertain", reason)
    assert (sure.sentiment, sure.reason) == ("positive", None)


@pytest.mark.parametrize("opinion", messages.OPINIONS)
@pytest.mark.parametrize(("review", "reason"), NOT_UNDERSTOOD)
def test_a_text_that_is_not_understood_is_uncertain_however_sure_the_network_is(
    review: str, reason: str, opinion: str
) -> None:
    judged = messages.judge(WORDS.encode(review), SURE._replace(opinion=opinion), MODEL)
    assert (judged.sentiment, judged.reason) == ("uncertain", reason)
    assert (judged.score.logit, judged.score.probability) == (0.5, 0.622459)
    assert reason in [warning["code"] for warning in judged.warnings]


@pytest.mark.parametrize(("review", "reason"), NOT_UNDERSTOOD)
@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_a_text_that_is_not_understood_has_no_contributions(review: str, reason: str, explain: str) -> None:
    encoded = WORDS.encode(review)
    answer = messages.build_answer(encoded, score_of(encoded, explain), MODEL, "r-1")
    assert (answer["sentiment"], answer["reason"]) == ("uncertain", reason)
    assert (answer["probability"], answer["bias"]) == (messages.rounded(messages.sigmoid(-0.25)), -0.25)
    parts = {"sentences": [], "words": []}
    asked = {"none": [], "sentences": ["sentences"], "words": ["sentences", "words"]}[explain]
    assert {key: answer[key] for key in answer if key in parts} == {key: parts[key] for key in asked}
    assert answer.get("text", encoded.text) == encoded.text


def test_the_language_of_a_text_is_guessed_once_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    guessed = []
    monkeypatch.setattr(language, "looks_english", lambda encoded: bool(guessed.append(encoded)))
    encoded = WORDS.encode(FINE)
    answer = messages.build_answer(encoded, score_of(encoded, "words"), MODEL, "r-1")
    assert (answer["reason"], guessed) == ("not_english", [encoded])


@pytest.mark.parametrize(("score", "codes"), [(SURE, ["mixed"]), (UNSURE, [])])
def test_a_mixed_review_with_a_verdict_has_a_warning(score: Score, codes: list[str]) -> None:
    encoded = WORDS.encode(FINE)
    judged = messages.judge(encoded, score._replace(opinion="mixed"), MODEL)
    assert [warning["code"] for warning in judged.warnings] == codes
    assert messages.judge(encoded, score, MODEL).warnings == []


def test_every_reason_is_a_known_one() -> None:
    assert {reason for _, reason in NOT_UNDERSTOOD} < set(messages.REASONS)
    assert {"mixed", "no_opinion", "unclear"} < set(messages.REASONS)
    assert len(messages.REASONS) == 5


@pytest.mark.parametrize(
    ("review", "codes"),
    [
        (FINE + " I loved every minute of it.", []),
        ("Good.", ["too_short"]),
        ("I hated it", ["too_short"]),
        ("not bad at all", ["too_short"]),
        ("A good film from start to end.", ["too_short"]),
        ("A good film from start to the end.", []),
        ("!!! ???", ["too_short", "no_known_words"]),
        ("Qwzxv blorptastic frumious", ["too_short", "no_known_words"]),
        ("Qwzxv blorptastic frumious " * 3, ["no_known_words"]),
        (FRENCH, ["not_english"]),
        ("A fine film. " * 150, ["truncated"]),
        ("Ce film est vraiment magnifique. " * 90, ["truncated", "not_english"]),
        (
            "\u041e\u0447\u0435\u043d\u044c \u0441\u043b\u0430\u0431\u043e, 10/10",
            ["too_short", "not_english"],
        ),
    ],
)
def test_each_warning_is_given_when_it_is_due_and_only_then(review: str, codes: list[str]) -> None:
    assert [warning["code"] for warning in messages.warnings_of(WORDS.encode(review))] == codes


def test_a_warning_says_how_much_was_cut_and_where() -> None:
    encoded = WORDS.encode("A fine film. " * 150)
    assert encoded.cut is not None
    start, end = encoded.cut
    [warning] = messages.warnings_of(encoded)
    assert f"600 tokens; characters {start:,} to {end:,}" in warning["detail"]


@given(REVIEWS)
def test_no_warning_holds_a_word_of_the_review(review: str) -> None:
    for warning in messages.warnings_of(WORDS.encode(f"{CANARY} {review}")):
        assert set(warning) == {"code", "detail"}
        assert "zanzibar" not in warning["detail"]


# --- the answer ---------------------------------------------------------------------------------


@given(REVIEWS, st.data())
def test_words_and_sentences_add_up_to_the_same_logit_and_probability(review: str, data: Any) -> None:
    encoded = WORDS.encode(review)
    assume(encoded.ids)
    understood = messages.build_verdict(encoded, SURE, MODEL)["sentiment"] == "positive"
    count = len(encoded.ids)
    pulls = data.draw(st.lists(numbers, min_size=count, max_size=count))
    score = additive_score(data.draw(numbers), pulls, encoded.lengths, "words")
    answer = messages.build_answer(encoded, score, MODEL, "r-1")
    words = math.fsum(word["contribution"] for word in answer["words"])
    sentences = math.fsum(sentence["contribution"] for sentence in answer["sentences"])
    assert words == pytest.approx(sentences, abs=1e-6)
    assert words + answer["bias"] == pytest.approx(score.logit if understood else score.bias, abs=1e-6)
    assert messages.sigmoid(words + answer["bias"]) == pytest.approx(answer["probability"], abs=1e-5)


@given(REVIEWS, st.sampled_from(messages.EXPLAIN))
def test_offsets_of_an_answer_point_into_its_text(review: str, explain: str) -> None:
    encoded = WORDS.encode(review)
    answer = json.loads(
        messages.to_json(messages.build_answer(encoded, score_of(encoded, explain), MODEL, "r"))
    )
    spans = [(word["start"], word["end"]) for word in answer.get("words", [])]
    all_are_there = explain == "words" and answer["reason"] not in ("no_known_words", "not_english")
    assert spans == (
        list(zip(encoded.tokens.starts, encoded.tokens.ends, strict=True)) if all_are_there else []
    )
    for sentence in answer.get("sentences", []):
        piece = answer["text"][sentence["start"] : sentence["end"]]
        assert piece and piece == piece.strip()


@pytest.mark.parametrize(
    ("explain", "more"),
    [("none", set()), ("sentences", {"text", "sentences"}), ("words", {"text", "sentences", "words"})],
)
def test_an_answer_holds_what_was_asked_for(explain: str, more: set[str]) -> None:
    encoded = WORDS.encode(FINE)
    answer = messages.build_answer(encoded, score_of(encoded, explain), MODEL, "r-1")
    always = {"sentiment", "reason", "probability", "warnings", "bias", "model", "request_id"}
    assert set(answer) == always | more
    assert (answer["sentiment"], answer["reason"]) == ("positive", None)
    assert answer["model"] == messages.model_message(MODEL)
    assert answer["request_id"] == "r-1"


def test_an_answer_says_of_each_sentence_how_it_reads_alone_and_how_the_review_reads_without_it() -> None:
    encoded = WORDS.encode("Not good. I loved the music!")
    sentences = [SentenceScore(-1.5, 0.1, 0.9), SentenceScore(2.0, 0.9, 0.1)]
    score = messages.build_score(0.0, [-1.5, 2.0])._replace(sentences=sentences)
    assert messages.build_answer(encoded, score, MODEL, "r-1")["sentences"] == [
        {"start": 0, "end": 9, "contribution": -1.5, "alone": 0.1, "without": 0.9},
        {"start": 10, "end": 28, "contribution": 2.0, "alone": 0.9, "without": 0.1},
    ]


def test_a_review_of_one_sentence_has_nothing_without_it() -> None:
    encoded = WORDS.encode("Good!")
    (sentence,) = messages.build_answer(encoded, score_of(encoded, "sentences"), MODEL, "r-1")["sentences"]
    assert sentence["without"] is None


def test_only_a_word_whose_effect_was_measured_has_one() -> None:
    encoded = WORDS.encode("Not good.")
    words = WordScores([-1.0, 0.25, 0.0], [-2.5, None, 0.0])
    score = messages.build_score(0.0, [-0.75])
    score = score._replace(sentences=[SentenceScore(-0.75, 0.3, None)], words=words)
    assert messages.build_answer(encoded, score, MODEL, "r-1")["words"] == [
        {"start": 0, "end": 3, "contribution": -1.0, "effect": -2.5},
        {"start": 4, "end": 8, "contribution": 0.25},
        {"start": 8, "end": 9, "contribution": 0.0, "effect": 0.0},
    ]


def test_an_answer_with_a_contribution_too_few_is_never_built() -> None:
    encoded = WORDS.encode(FINE)
    score = score_of(encoded, "words")
    assert score.sentences and score.words
    contributions, effects = score.words
    for short in (
        score._replace(sentences=score.sentences[1:]),
        score._replace(words=WordScores(contributions[1:], effects)),
        score._replace(words=WordScores(contributions, effects[1:])),
    ):
        with pytest.raises(ValueError, match="zip"):
            messages.build_answer(encoded, short, MODEL, "r-1")


@given(numbers, st.lists(numbers, max_size=400))
def test_a_score_is_the_sum_of_its_rounded_parts(bias: float, contributions: list[float]) -> None:
    score = messages.build_score(bias, contributions)
    parts = [messages.rounded(part) for part in contributions]
    assert math.fsum([score.bias, *parts]) == pytest.approx(score.logit, abs=1e-6)
    assert score.probability == pytest.approx(messages.sigmoid(score.logit), abs=1e-6)
    assert (score.sentences, score.words) == (None, None)


@given(numbers)
def test_rounding_leaves_no_minus_sign_at_zero(value: float) -> None:
    assert messages.rounded(value) == pytest.approx(value, abs=1e-6)
    assert math.copysign(1, messages.rounded(-abs(value) / 1e9)) == 1
    assert messages.rounded(messages.rounded(value)) == messages.rounded(value)


@given(st.lists(numbers, min_size=1, max_size=400), st.data())
def test_parts_are_rounded_so_that_they_add_up_exactly(parts: list[float], data: Any) -> None:
    total = messages.rounded(math.fsum(parts) + data.draw(st.floats(-1e-5, 1e-5)))
    split = messages.split_exactly(total, parts)
    assert len(split) == len(parts)
    assert messages.rounded(math.fsum(split)) == total
    assert split == [messages.rounded(part) for part in split]
    moved = [index for index, part in enumerate(parts) if split[index] != messages.rounded(part)]
    assert len(moved) <= 1
    assert all(abs(parts[index]) >= max(map(abs, parts)) - 1e-6 for index in moved)


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_a_score_is_sent_with_what_was_asked_for(explain: str) -> None:
    message = messages.score_message(score_of(WORDS.encode(FINE), explain))
    more = {"none": [], "sentences": ["sentences"], "words": ["sentences", "words"]}[explain]
    assert list(message) == ["logit", "probability", "bias", "opinion", *more]


@given(st.floats(allow_nan=False))
def test_sigmoid_lies_from_0_to_1_and_mirrors_itself(logit: float) -> None:
    assert 0 <= messages.sigmoid(logit) <= 1
    assert messages.sigmoid(logit) + messages.sigmoid(-logit) == pytest.approx(1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_never_leave(value: float) -> None:
    with pytest.raises(ValueError):
        messages.to_json({"probability": value})


def test_json_leaves_as_ascii_whatever_it_holds() -> None:
    assert messages.to_json({"text": "caf\u00e9 \ud800"}) == b'{"text":"caf\\u00e9 \\ud800"}'


# --- Lambda to endpoint -------------------------------------------------------------------------


@given(st.lists(REVIEWS, min_size=1, max_size=5), st.sampled_from(messages.EXPLAIN))
def test_the_endpoint_reads_the_ids_and_lengths_that_were_sent(reviews: list[str], explain: str) -> None:
    encoded = [WORDS.encode(review) for review in reviews]
    body = messages.build_endpoint_request(encoded, WORDS, explain)
    items = [Item(ids=one.ids, lengths=one.lengths) for one in encoded]
    assert messages.parse_endpoint_request(body, messages.JSON) == EndpointRequest(
        items, WORDS.fingerprint, explain
    )


def test_the_largest_request_fits() -> None:
    encoded = [WORDS.encode("zyzzyva " * 500)] * messages.MAX_ENDPOINT_REVIEWS
    body = messages.build_endpoint_request(encoded, WORDS, "words")
    assert len(messages.parse_endpoint_request(body, messages.JSON).items) == messages.MAX_ENDPOINT_REVIEWS


def test_a_request_without_a_wish_is_not_explained() -> None:
    body = json.dumps({"reviews": [IDS_ITEM]}).encode()
    assert messages.parse_endpoint_request(body, messages.JSON).explain == "none"


def test_the_card_is_asked_for() -> None:
    body = messages.build_describe_request()
    assert messages.parse_endpoint_request(body, messages.JSON) == EndpointRequest([], describe=True)


def test_reviews_and_ids_may_be_mixed_and_named() -> None:
    items = [{"review": "a", "id": 7}, {**IDS_ITEM, "id": "b"}, {"ids": [2, 3], "sentences": [1, 1]}]
    body = json.dumps({"reviews": items}).encode()
    assert messages.parse_endpoint_request(body, None) == EndpointRequest(
        [Item(review="a", id=7), Item(ids=[1], lengths=[1], id="b"), Item(ids=[2, 3], lengths=[1, 1])]
    )


def test_json_lines_hold_a_review_a_line_and_blank_lines_are_skipped() -> None:
    body = b'\xef\xbb\xbf{"review": "a", "id": "x"}\r\n\n {"review": "b\\nc"}\n'
    request = messages.parse_endpoint_request(body, "application/jsonlines")
    assert request == EndpointRequest([Item(review="a", id="x"), Item(review="b\nc")], lines=True)


def test_a_bad_line_spoils_no_other_and_keeps_its_id() -> None:
    body = b'{"review": 3, "id": "x"}\nnonsense\n{"review": "b"}\n{"review": "c", "id": true}'
    first, second, third, fourth = messages.parse_endpoint_request(body, messages.JSON_LINES).items
    assert (first.id, first.error and first.error.code) == ("x", "wrong_type")
    assert (second.id, second.error and second.error.code) == (None, "malformed_json")
    assert third == Item(review="b")
    assert (fourth.id, fourth.error and fourth.error.code) == (None, "wrong_type")


@pytest.mark.parametrize(
    ("item", "code", "says"),
    [
        ([CANARY], "wrong_type", "must be an object, got list of length 1"),
        (CANARY, "wrong_type", "must be an object, got string of length 15"),
        (None, "wrong_type", "must be an object, got null"),
        ({}, "missing_field", 'send either "ids" or "review"'),
        ({"ids": [1], "review": CANARY}, "missing_field", 'send either "ids" or "review"'),
        ({"sentences": [1]}, "missing_field", 'send either "ids" or "review"'),
        ({"review": CANARY, "sentences": [1]}, "unknown_field", "'sentences' is not known"),
        # the form before the network read sentences
        ({"ids": [1]}, "missing_field", 'sentences is missing; send {"ids": [...], "sentences": [...]}'),
        ({"ids": [1], "sentences": None}, "wrong_type", "sentences must be a list of integers, got null"),
        ({"ids": [1], "sentences": 1}, "wrong_type", "sentences must be a list of integers, got number"),
        ({"ids": [1], "sentences": [1.0]}, "wrong_type", "sentences must be a list of integers"),
        ({"ids": [1], "sentences": [True]}, "wrong_type", "sentences must be a list of integers"),
        ({"ids": [1], "sentences": CANARY}, "wrong_type", "got string of length 15"),
        ({"review": CANARY, "text": CANARY}, "unknown_field", "'text' is not known"),
        ({"review": [CANARY]}, "wrong_type", "review must be a string, got list of length 1"),
        ({"review": LONG}, "too_long", "review has 50,015 characters"),
        ({"ids": CANARY}, "wrong_type", "ids must be a list of integers, got string of length 15"),
        ({"ids": [1, 2.0]}, "wrong_type", "ids must be a list of integers"),
        ({"ids": [True]}, "wrong_type", "ids must be a list of integers"),
        ({"ids": ["1"]}, "wrong_type", "ids must be a list of integers"),
        ({"ids": [[1]]}, "wrong_type", "ids must be a list of integers"),
        ({"ids": None}, "wrong_type", "ids must be a list of integers, got null"),
        ({**IDS_ITEM, "id": 1.5}, "wrong_type", "id must be a string or an integer, got number"),
        ({**IDS_ITEM, "id": [CANARY]}, "wrong_type", "id must be a string or an integer, got list"),
        ({**IDS_ITEM, "id": False}, "wrong_type", "id must be a string or an integer, got boolean"),
    ],
)
def test_an_item_that_can_not_be_used_carries_its_error(item: object, code: str, says: str) -> None:
    body = json.dumps({"reviews": [item, IDS_ITEM]}).encode()
    bad, good = messages.parse_endpoint_request(body, messages.JSON).items
    assert good == Item(ids=[1], lengths=[1])
    assert bad.error is not None and bad.ids is None and bad.lengths is None and bad.review is None
    assert (bad.error.code, says in bad.error.detail) == (code, True), bad.error.detail
    assert "zanzibar" not in bad.error.detail


@pytest.mark.parametrize(
    ("message", "code", "says"),
    [
        ({}, "bad_value", "reviews must be a list of 1 to 100, got null"),
        ({"describe": False}, "bad_value", "reviews must be a list of 1 to 100, got null"),
        ({"reviews": []}, "bad_value", "got list of length 0"),
        ({"reviews": [{"ids": [1]}] * 101}, "bad_value", "got list of length 101"),
        ({"reviews": {"ids": [1]}}, "bad_value", "got object of length 1"),
        ({"reviews": CANARY}, "bad_value", "got string of length 15"),
        ({"reviews": [IDS_ITEM], "explain": 1}, "bad_value", "got number"),
        ({"reviews": [IDS_ITEM], "explain": "all"}, "bad_value", "got 'all'"),
        # the form before the network read sentences
        (
            {"reviews": [{"ids": [1]}], "explain": None},
            "bad_value",
            "explain must be one of none, sentences, words, got null",
        ),
        ({"reviews": [IDS_ITEM], "vocabulary": 7}, "wrong_type", "vocabulary must be a string"),
        ({"reviews": [IDS_ITEM], "review": CANARY}, "unknown_field", "'review' is not known"),
        ({"describe": "yes"}, "wrong_type", "describe must be true or false, got string of length 3"),
        ({"describe": 1}, "wrong_type", "describe must be true or false, got number"),
        ([], "wrong_type", "must be an object, got list of length 0"),
    ],
)
def test_a_bad_message_to_the_endpoint_is_refused(message: object, code: str, says: str) -> None:
    body = json.dumps(message).encode()
    _refused(lambda: messages.parse_endpoint_request(body, messages.JSON), 400, code, says)


@pytest.mark.parametrize("explain", [True, False])
def test_the_message_of_an_app_of_an_earlier_version_is_named(explain: bool) -> None:
    message = {"vocabulary": "b1041d6bee051825", "reviews": [{"ids": [300]}], "explain": explain}
    body = json.dumps(message).encode()
    says = "the app is of an earlier version than this endpoint; deploy both from one version"
    _refused(lambda: messages.parse_endpoint_request(body, messages.JSON), 409, "version_mismatch", says)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b" " * 4_000_001, messages.JSON, 413, "too_large"),
        (b"\n" * 4_000_001, messages.JSON_LINES, 413, "too_large"),
        (b"{}", "text/csv", 415, "unsupported_media_type"),
        (b"{}", messages.TEXT, 415, "unsupported_media_type"),
        (b"\xff", messages.JSON, 400, "not_utf8"),
        (b"\xff", messages.JSON_LINES, 400, "not_utf8"),
        (b'{"reviews": [{"ids": [NaN]}]}', messages.JSON, 400, "malformed_json"),
        (b'{"reviews": [{"ids": [1], "ids": [2]}]}', messages.JSON, 400, "malformed_json"),
        (b'{"reviews": [{"ids": [' + b"9" * 5_001 + b"]}]}", messages.JSON, 400, "malformed_json"),
    ],
)
def test_a_body_that_is_no_message_is_refused_by_the_endpoint(
    body: bytes, content_type: str, status: int, code: str
) -> None:
    _refused(lambda: messages.parse_endpoint_request(body, content_type), status, code)


@pytest.mark.parametrize("named", [None, "", "b1041d6bee051826", "x" * 10_000])
def test_ids_of_another_vocabulary_are_refused(named: str | None) -> None:
    _refused(
        lambda: messages.check_vocabulary(named, WORDS.fingerprint),
        409,
        "vocabulary_mismatch",
        f"trained with '{WORDS.fingerprint}'; deploy both from one version",
    )


def test_ids_of_the_own_vocabulary_pass() -> None:
    messages.check_vocabulary(WORDS.fingerprint, WORDS.fingerprint)


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ([], 422, "no_token"),
        ([0], 400, "bad_value"),
        ([5, -1], 400, "bad_value"),
        ([100], 400, "bad_value"),
        ([10**4_000], 400, "bad_value"),
        ([1] * 401, 400, "bad_value"),
    ],
)
def test_ids_without_a_row_in_the_network_are_refused(ids: list[int], status: int, code: str) -> None:
    _refused(lambda: messages.check_ids(ids, [len(ids)], vocabulary_size=100, max_tokens=400), status, code)


@pytest.mark.parametrize("ids", [[1], [99], [1, 99] * 200])
def test_ids_at_the_edges_pass(ids: list[int]) -> None:
    messages.check_ids(ids, [len(ids)], vocabulary_size=100, max_tokens=400)
    messages.check_ids(ids, [1] * len(ids), vocabulary_size=100, max_tokens=400)


@pytest.mark.parametrize(
    "lengths", [[], [2], [4], [1, 1], [3, 1], [3, 0], [0, 3], [4, -1], [-3], [10**4_000]], ids=repr
)
def test_sentences_that_do_not_share_out_the_ids_are_refused(lengths: list[int]) -> None:
    _refused(
        lambda: messages.check_ids([5, 6, 7], lengths, vocabulary_size=100, max_tokens=400),
        400,
        "bad_value",
        "sentences must hold lengths of 1 or more that add up to the 3 numbers of ids",
    )


# --- endpoint to Lambda -------------------------------------------------------------------------


@given(st.lists(REVIEWS, min_size=1, max_size=4), numbers, numbers, st.sampled_from(messages.EXPLAIN))
def test_an_answer_is_read_as_the_endpoint_wrote_it(
    reviews: list[str], bias: float, pull: float, explain: str
) -> None:
    encoded = [WORDS.encode(f"{review} good") for review in reviews]
    scores = [
        additive_score(bias, [pull] * len(one.ids), one.lengths, explain)._replace(opinion=opinion)
        for one, opinion in zip(encoded, cycle(messages.OPINIONS))
    ]
    assert messages.parse_endpoint_answer(_answer_body(scores), encoded, explain) == (MODEL, scores)


@pytest.mark.parametrize(
    ("explain", "more"), [("none", ["sentences", "words"]), ("sentences", ["words"]), ("words", [])]
)
def test_more_of_an_explanation_than_was_asked_for_is_left_out(explain: str, more: list[str]) -> None:
    answer, expected = {**GOOD, **dict.fromkeys(more, "nonsense")}, _score_of_two(explain)
    found = messages.parse_endpoint_answer(_endpoint_says([answer]), [_of_length(2)], explain)
    assert found == (MODEL, [expected])


SENTENCE: dict[str, Any] = {"contribution": 0.75, "alone": 0.7, "without": None}
EFFECTS = {"contributions": [0.5, 0.25], "effects": [0.4, None]}
GOOD = {
    "logit": 1.0,
    "probability": 0.731059,
    "bias": 0.25,
    "opinion": "mixed",
    "sentences": [SENTENCE],
    "words": EFFECTS,
}


@pytest.mark.parametrize(
    "change",
    [
        {"logit": 1.1},
        {"logit": None},
        {"logit": "1.0"},
        {"logit": True},
        {"logit": 10**400},
        {"probability": 0.74},
        {"probability": 1.5},
        {"probability": -0.731059},
        {"probability": [0.731059]},
        {"bias": 0.26},
        {"bias": None},
        {"opinion": None},
        {"opinion": "clear"},
        {"opinion": ["mixed"]},
        {"sentences": []},
        {"sentences": None},
        {"sentences": SENTENCE},
        {"sentences": [0.75]},
        {"sentences": [None]},
        {"sentences": "a"},
        {"sentences": [SENTENCE, {**SENTENCE, "contribution": 0.0}]},
        {"sentences": [{**SENTENCE, "contribution": 0.76}]},
        {"sentences": [{**SENTENCE, "contribution": None}]},
        {"sentences": [{**SENTENCE, "contribution": "0.75"}]},
        {"sentences": [{**SENTENCE, "alone": 1.1}]},
        {"sentences": [{**SENTENCE, "alone": -0.1}]},
        {"sentences": [{**SENTENCE, "alone": None}]},
        {"sentences": [{**SENTENCE, "alone": True}]},
        {"sentences": [{**SENTENCE, "without": 0.5}]},
        {"sentences": [{"contribution": 0.75, "alone": 0.7}]},
        {"sentences": [{"contribution": 0.75, "without": None}]},
        {"sentences": [{"alone": 0.7, "without": None}]},
        {"words": None},
        {"words": [0.5, 0.25]},
        {"words": {"contributions": [0.5, 0.25]}},
        {"words": {"effects": [0.4, None]}},
        {"words": {**EFFECTS, "contributions": [0.75]}},
        {"words": {**EFFECTS, "contributions": [0.5, 0.25, 0.0]}},
        {"words": {**EFFECTS, "contributions": [0.5, 0.26]}},
        {"words": {**EFFECTS, "contributions": [0.5, "0.25"]}},
        {"words": {**EFFECTS, "contributions": [0.5, None]}},
        {"words": {**EFFECTS, "contributions": [1, False]}},
        {"words": {**EFFECTS, "contributions": {"0": 0.5, "1": 0.25}}},
        {"words": {**EFFECTS, "contributions": None}},
        {"words": {**EFFECTS, "contributions": "ab"}},
        {"words": {**EFFECTS, "effects": [0.4]}},
        {"words": {**EFFECTS, "effects": [0.4, None, None]}},
        {"words": {**EFFECTS, "effects": [0.4, "0"]}},
        {"words": {**EFFECTS, "effects": [0.4, False]}},
        {"words": {**EFFECTS, "effects": [0.4, 10**400]}},
        {"words": {**EFFECTS, "effects": None}},
    ],
    ids=lambda change: repr(change)[:80],
)
def test_an_answer_whose_numbers_disagree_is_a_502(change: dict[str, Any]) -> None:
    encoded = [_of_length(2)]
    assert messages.parse_endpoint_answer(_endpoint_says([GOOD]), encoded, "words")
    body = _endpoint_says([{**GOOD, **change}])
    _refused(lambda: messages.parse_endpoint_answer(body, encoded, "words"), 502, "bad_endpoint_answer")


@pytest.mark.parametrize("without", [None, 1.5, -0.5, "0.5", True])
def test_a_review_of_two_sentences_has_a_probability_without_each(without: object) -> None:
    encoded = [WORDS.encode("Good. Good.")]
    first = {"contribution": 0.25, "alone": 0.6, "without": 0.7}
    second = {"contribution": 0.5, "alone": 0.7, "without": 0.6}
    plain = {key: GOOD[key] for key in ("logit", "probability", "bias", "opinion")}
    assert messages.parse_endpoint_answer(
        _endpoint_says([{**plain, "sentences": [first, second]}]), encoded, "sentences"
    )
    body = _endpoint_says([{**plain, "sentences": [first, {**second, "without": without}]}])
    _refused(lambda: messages.parse_endpoint_answer(body, encoded, "sentences"), 502, "bad_endpoint_answer")


def test_the_answer_of_an_endpoint_that_reads_no_sentences_is_a_502() -> None:
    plain = {key: GOOD[key] for key in ("logit", "probability", "bias", "opinion")}
    older = {**plain, "contributions": [0.5, 0.25]}
    for explain in ("sentences", "words"):
        body = _endpoint_says([older])
        _refused(
            lambda body=body, explain=explain: messages.parse_endpoint_answer(body, [_of_length(2)], explain),
            502,
            "bad_endpoint_answer",
        )


@pytest.mark.parametrize("field", GOOD)
def test_an_answer_that_lacks_a_field_is_a_502(field: str) -> None:
    body = _endpoint_says([{key: value for key, value in GOOD.items() if key != field}])
    _refused(
        lambda: messages.parse_endpoint_answer(body, [_of_length(2)], "words"), 502, "bad_endpoint_answer"
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5_000])
@pytest.mark.parametrize("field", ["logit", "probability", "bias"])
def test_an_answer_with_a_number_that_is_none_is_a_502(number: str, field: str) -> None:
    body = _endpoint_says([{**GOOD, field: "here"}]).replace(b'"here"', number.encode())
    _refused(
        lambda: messages.parse_endpoint_answer(body, [_of_length(2)], "words"), 502, "bad_endpoint_answer"
    )


@pytest.mark.parametrize("answers", [[], [GOOD, GOOD], None, 1, GOOD, [None], [[]], {"a": GOOD}, [CANARY]])
def test_answers_that_do_not_match_the_reviews_are_a_502(answers: object) -> None:
    body = _endpoint_says(answers)
    _refused(
        lambda: messages.parse_endpoint_answer(body, [_of_length(2)], "words"), 502, "bad_endpoint_answer"
    )


BROKEN_MODELS: list[object] = [
    None,
    "bilstm-1",
    [],
    {},
    {"id": 1, "vocabulary": "v", "uncertain": [0.4, 0.6]},
    {"id": "m", "vocabulary": None, "uncertain": [0.4, 0.6]},
    {"id": "m", "vocabulary": "v"},
    {"id": "m", "vocabulary": "v", "uncertain": None},
    {"id": "m", "vocabulary": "v", "uncertain": 0.5},
    {"id": "m", "vocabulary": "v", "uncertain": [0.5]},
    {"id": "m", "vocabulary": "v", "uncertain": [0.4, 0.5, 0.6]},
    {"id": "m", "vocabulary": "v", "uncertain": [0.6, 0.4]},
    {"id": "m", "vocabulary": "v", "uncertain": [-0.1, 0.6]},
    {"id": "m", "vocabulary": "v", "uncertain": [0.4, 1.1]},
    {"id": "m", "vocabulary": "v", "uncertain": ["0.4", "0.6"]},
    {"id": "m", "vocabulary": "v", "uncertain": [False, True]},
    {"id": "m", "vocabulary": "v", "uncertain": [0, 10**400]},
]


@pytest.mark.parametrize("model", BROKEN_MODELS, ids=lambda model: repr(model)[:60])
def test_an_answer_or_a_card_of_a_model_that_is_none_is_a_502(model: object) -> None:
    body = json.dumps({"model": model, "answers": [GOOD]}).encode()
    _refused(
        lambda: messages.parse_endpoint_answer(body, [_of_length(2)], "words"), 502, "bad_endpoint_answer"
    )
    card = json.dumps({"card": model}).encode()
    _refused(lambda: messages.parse_card(card), 502, "bad_endpoint_answer", "look at its log")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]", b"null", b'"card"', b"{}", b"[" * 50_000])
def test_a_body_that_is_no_answer_is_a_502(body: bytes) -> None:
    _refused(lambda: messages.parse_endpoint_answer(body, [], "none"), 502, "bad_endpoint_answer")
    _refused(lambda: messages.parse_card(body), 502, "bad_endpoint_answer")


def test_the_card_is_given_whole() -> None:
    card = {**messages.model_message(MODEL), "accuracy": 0.92, "seed": 1}
    assert messages.parse_card(messages.to_json({"card": card})) == card


@given(json_values)
def test_anything_an_endpoint_may_say_is_read_or_a_502(value: object) -> None:
    body = json.dumps({"model": messages.model_message(MODEL), "answers": value, "card": value}).encode()
    reads: list[Callable[[], object]] = [
        lambda: messages.parse_endpoint_answer(body, [_of_length(1)], "words"),
        lambda: messages.parse_card(body),
    ]
    for read in reads:
        try:
            read()
        except MessageError as refusal:
            assert (refusal.status, refusal.code) == (502, "bad_endpoint_answer")


def _of_length(count: int) -> EncodedReview:
    encoded = WORDS.encode("good " * count)
    assert len(encoded.ids) == count
    return encoded


def _score_of_two(explain: str) -> Score:
    """Return GOOD as it is read."""
    score = Score(1.0, 0.731059, 0.25, opinion="mixed")
    if explain != "none":
        score = score._replace(sentences=[SentenceScore(0.75, 0.7, None)])
    return score._replace(words=WordScores([0.5, 0.25], [0.4, None])) if explain == "words" else score


def _answer_body(scores: Sequence[Score]) -> bytes:
    return _endpoint_says([messages.score_message(score) for score in scores])


def _endpoint_says(answers: object) -> bytes:
    return json.dumps({"model": messages.model_message(MODEL), "answers": answers}).encode()


def _refused(action: Callable[[], object], status: int, code: str, says: str = "") -> None:
    with pytest.raises(MessageError) as refusal:
        action()
    error = refusal.value
    assert (error.status, error.code) == (status, code), error.detail
    assert says in error.detail
    assert str(error) == error.detail
    assert len(error.detail) < 250
    assert "zanzibar" not in error.detail
