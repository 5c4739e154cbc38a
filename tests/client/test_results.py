"""Answers are accepted when every field is as agreed, and never otherwise."""

import copy
import dataclasses
import json
import math
import pickle
from typing import Any, get_args

import pytest

from tests.client.conftest import make_answer
from verdict_sentiment import Contribution, Explain, Sentence, Word, results
from verdict_sentiment.errors import BadAnswerError, RefusedError
from vocab import messages

MODEL = {"id": "verdict-1", "vocabulary": "v1", "uncertain": [0.4, 0.6]}


SENTENCE = make_answer()["sentences"][0]
# As ``make_answer``, in two sentences.
FIRST = {"start": 0, "end": 4, "contribution": 1.5, "alone": 0.85, "without": 0.4}
SECOND = {"start": 5, "end": 9, "contribution": -0.5, "alone": 0.4, "without": 0.85}


def make_item(number: int, **other: Any) -> dict[str, Any]:
    """Return one item of a batch's answer."""
    answer = make_answer()
    return (
        {"id": number}
        | {name: answer[name] for name in answer if name not in ("model", "request_id")}
        | other
    )


def make_batch(*items: dict[str, Any], model: Any = MODEL) -> dict[str, Any]:
    return {"answers": list(items), "model": model, "request_id": "r1"}


@pytest.mark.parametrize("explain", get_args(Explain))
def test_an_answer_turns_back_into_its_message(explain: Explain) -> None:
    message = make_answer()
    for name in {"none": ("text", "sentences", "words"), "sentences": ("words",), "words": ()}[explain]:
        del message[name]
    answer = results.read_answer(message, explain)
    assert json.dumps(answer.to_message()) == json.dumps(message)


def test_sentences_and_words_have_their_own_fields() -> None:
    answer = results.read_answer(make_answer(sentences=[FIRST, SECOND]), "words")
    first, second = Sentence(0, 4, 1.5, 0.85, 0.4, text="good"), Sentence(5, 9, -0.5, 0.4, 0.85, text="film")
    assert answer.sentences == (first, second)
    assert answer.words == (Word(0, 4, 1.5, 1.25, text="good"), Word(5, 9, -0.5, None, text="film"))
    assert answer.to_message()["sentences"] == [FIRST, SECOND]
    assert all(isinstance(part, Contribution) for part in (*answer.sentences, *answer.words))


@pytest.mark.parametrize("without", [None, 1.5, -0.1, True])
def test_a_review_of_two_sentences_has_a_probability_without_each(without: object) -> None:
    message = make_answer(sentences=[FIRST, {**SECOND, "without": without}])
    with pytest.raises(BadAnswerError):
        results.read_answer(message, "words")


def test_the_answer_of_an_older_service_is_none() -> None:
    older = [{"start": 0, "end": 9, "contribution": 1.0}]
    with pytest.raises(BadAnswerError, match="of this version"):
        results.read_answer(make_answer(sentences=older), "sentences")


@pytest.mark.parametrize("reason", messages.REASONS)
def test_an_uncertain_answer_carries_its_reason(reason: str) -> None:
    message = make_answer(sentiment="uncertain", reason=reason)
    answer = results.read_answer(message, "words")
    assert answer.reason == reason
    assert answer.to_message() == message


@pytest.mark.parametrize("reason", [None, "", "tired", "MIXED", 1, ["mixed"]])
def test_an_uncertain_answer_without_a_known_reason_is_none(reason: Any) -> None:
    with pytest.raises(BadAnswerError):
        results.read_answer(make_answer(sentiment="uncertain", reason=reason), "words")


def test_offsets_and_texts_count_code_points() -> None:
    message = make_answer(text="g\U0001f3acod film", sentences=[FIRST, SECOND])
    answer = results.read_answer(message, "sentences")
    assert [part.text for part in answer.sentences or ()] == ["g\U0001f3acod", "film"]


@pytest.mark.parametrize(
    ("sentiment", "probability", "confidence"),
    [("positive", 0.75, 0.75), ("negative", 0.25, 0.75), ("uncertain", 0.5, None)],
)
def test_confidence_is_that_of_the_stated_side(
    sentiment: str, probability: float, confidence: float | None
) -> None:
    reason = "unclear" if sentiment == "uncertain" else None
    message = make_answer(sentiment=sentiment, reason=reason, probability=probability)
    assert results.read_answer(message, "none").confidence == confidence


def test_an_answer_reads_as_a_line_and_its_repr_holds_no_text() -> None:
    answer = results.read_answer(make_answer(), "words")
    assert str(answer) == "positive, P(positive) = 0.750, warnings: too_short"
    assert repr(answer) == f"<Answer {answer}, sentences=1, words=2>"
    unclear = results.read_answer(make_answer(sentiment="uncertain", reason="mixed", warnings=[]), "none")
    assert str(unclear) == "uncertain (mixed), P(positive) = 0.750"


@pytest.mark.parametrize("explain", get_args(Explain))
def test_an_answer_survives_pickle_and_copy(explain: Explain) -> None:
    answer = results.read_answer(make_answer(), explain)
    assert pickle.loads(pickle.dumps(answer)) == copy.deepcopy(answer) == copy.copy(answer) == answer


def test_unknown_fields_are_ignored() -> None:
    assert results.read_answer(make_answer(mood="fine"), "words").sentiment == "positive"


def test_an_answer_can_t_be_changed() -> None:
    answer = results.read_answer(make_answer(), "words")
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.sentiment = "negative"  # type: ignore[misc]


@pytest.mark.parametrize("name", [name for name in make_answer()])
def test_an_answer_that_lacks_a_field_is_none(name: str) -> None:
    message = make_answer()
    del message[name]
    with pytest.raises(BadAnswerError, match="not in the agreed form"):
        results.read_answer(message, "words")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sentiment", "fine"),
        ("sentiment", None),
        ("sentiment", "negative"),
        ("sentiment", []),
        ("sentiment", "uncertain"),
        ("reason", "mixed"),
        ("reason", ""),
        ("reason", []),
        ("probability", 1.5),
        ("probability", -0.1),
        ("probability", "0.75"),
        ("probability", True),
        ("probability", math.inf),
        ("probability", 10**400),
        ("probability", 0.9),
        ("bias", None),
        ("bias", 7.0),
        ("warnings", None),
        ("warnings", [{"code": "x"}]),
        ("warnings", ["x"]),
        ("text", 5),
        ("text", "good"),
        ("sentences", [{**SENTENCE, "contribution": 2.0}]),
        ("sentences", [{**SENTENCE, "start": 9}]),
        ("sentences", [{**SENTENCE, "start": -1}]),
        ("sentences", [{**SENTENCE, "start": 0.0}]),
        ("sentences", [{**SENTENCE, "alone": 1.5}]),
        ("sentences", [{**SENTENCE, "alone": None}]),
        ("sentences", [{**SENTENCE, "without": 0.5}]),
        ("sentences", [{"start": 0, "end": 9, "contribution": 1.0, "alone": 0.5}]),
        ("sentences", [{"start": 0, "end": 9, "contribution": 1.0, "without": None}]),
        ("sentences", []),
        ("words", [{"start": 0, "end": 4, "contribution": 1.0, "effect": None}]),
        ("words", [{"start": 0, "end": 4, "contribution": 1.0, "effect": "1"}]),
        ("words", [{"start": 0, "end": 4, "contribution": 0.9}]),
        ("words", {}),
        ("words", None),
        ("model", {"id": 1, "vocabulary": "v", "uncertain": [0.4, 0.6]}),
        ("model", {"id": "m", "vocabulary": "v", "uncertain": [0.6, 0.4]}),
        ("model", None),
        ("request_id", 5),
    ],
)
def test_an_answer_with_a_wrong_value_is_none(name: str, value: Any) -> None:
    with pytest.raises(BadAnswerError):
        results.read_answer(make_answer(**{name: value}), "words")


def test_a_batch_s_answers_are_read_in_their_order() -> None:
    error = {"type": "t", "title": "t", "status": 422, "detail": "no word", "code": "no_token"}
    first, second = results.read_batch(make_batch(make_item(4), {"id": 7, "error": error}), [4, 7], "none")
    assert isinstance(first, results.Answer)
    assert (first.model.id, first.request_id) == ("verdict-1", "r1")
    assert isinstance(second, RefusedError)
    assert (second.status, second.code, second.detail, second.request_id) == (
        422,
        "no_token",
        "no word",
        "r1",
    )


@pytest.mark.parametrize(
    "message",
    [
        make_batch(),
        make_batch(make_item(0)),
        make_batch(make_item(1), make_item(0)),
        make_batch(make_item(0), make_item(1), make_item(2)),
        make_batch(make_item(0), make_item(True)),
        make_batch(make_item(0), make_item(1, probability=2)),
        make_batch(make_item(0), make_item(1), model=None),
        make_batch(make_item(0), {"id": 1, "error": {"code": "x", "detail": "y", "status": 200}}),
        make_batch(make_item(0), {"id": 1, "error": "broken"}),
        {"answers": "ab", "model": MODEL, "request_id": "r"},
        {"answers": [None, None], "model": MODEL, "request_id": "r"},
        {},
    ],
)
def test_a_batch_that_does_not_match_its_request_gives_no_verdict(message: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError):
        results.read_batch(message, [0, 1], "none")


def test_health_has_the_reason_of_a_failure() -> None:
    degraded = {"status": "degraded", "app": "ok", "endpoint": "unavailable", "model": None}
    health = results.read_health(degraded | {"code": "endpoint_busy", "detail": "too much"})
    assert (health.ok, health.endpoint, health.code) == (False, "unavailable", "endpoint_busy")
    with pytest.raises(BadAnswerError):
        results.read_health(degraded)


def test_a_card_that_names_no_model_is_none() -> None:
    assert results.read_card(MODEL | {"metrics": {}})["metrics"] == {}
    with pytest.raises(BadAnswerError):
        results.read_card({"metrics": {}})


@pytest.mark.parametrize("id", ["", "x", "0" * 31, "../../model", 5, None])
def test_an_id_of_feedback_that_is_none_is_a_bad_answer(id: Any) -> None:
    with pytest.raises(BadAnswerError):
        results.read_feedback_id({"id": id})
