"""Aspects in the client: requests, frozen values, answers that are believed, and lines for people."""

import dataclasses
import json
from types import MappingProxyType
from typing import Any

import pytest

from tests.client.conftest import make_answer
from tests.client.test_results import make_batch, make_item
from verdict_sentiment import Aspect, BadAnswerError, Mention, RefusedError, calls, results, show
from vocab import messages

OWN = {"music": ["music", "score"], "plot": ["plot"], "cast": ["cast"]}
NAMES = list(OWN)
FIRST = {"start": 0, "end": 4, "term": [1, 3], "negated": False, "contribution": 1.5}
SECOND = {"start": 5, "end": 9, "term": [5, 9], "negated": True, "contribution": -0.5}
MUSIC = {"sentiment": "positive", "reason": None, "probability": 0.9, "contribution": 1.25}
PLOT = {"sentiment": "uncertain", "reason": "mixed", "probability": 0.5, "contribution": -0.25}
ASPECTS: dict[str, Any] = {
    # Both name the second clause, so each has half of it.
    "music": MUSIC | {"mentions": [FIRST, SECOND]},
    "plot": PLOT | {"mentions": [SECOND]},
    "cast": {"sentiment": "not_mentioned"},
}


def message_of(explain: str = "none", **other: Any) -> dict[str, Any]:
    """Return an answer with aspects; they stand before the bias."""
    answer = make_answer()
    for name in {"none": ("sentences", "words"), "sentences": ("words",), "words": ()}[explain]:
        del answer[name]
    tail = {name: answer.pop(name) for name in ("bias", "model", "request_id")}
    return {**answer, "aspects": ASPECTS, **tail} | other


# --- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("aspects", ["film", OWN, MappingProxyType({"music": ("music", "score")})])
def test_the_service_parses_the_requests(aspects: Any) -> None:
    call = calls.sentiment("good", "none", aspects)
    assert call.message
    request = messages.parse_review_request(messages.to_json(call.message), messages.JSON)
    assert request.aspects == messages.parse_aspects(aspects)
    (chunk,) = calls.batch(["good", "bad"], "none", aspects)
    assert chunk.call
    batch = messages.parse_batch_request(messages.to_json(chunk.call.message), messages.JSON)
    assert batch.aspects == request.aspects


def test_without_aspects_a_request_has_none() -> None:
    call = calls.sentiment("good", "none")
    assert call.message == {"review": "good", "explain": "none"}


@pytest.mark.parametrize("aspects", ["films", {}, {"music": []}, {"music": "music"}, ["music"], 5])
def test_malformed_aspects_are_refused_before_anything_is_sent(aspects: Any) -> None:
    for ask in (
        lambda: calls.sentiment("good", "none", aspects),
        lambda: list(calls.batch(["good"], "none", aspects)),
        lambda: calls.aspect_names(aspects),
    ):
        with pytest.raises(RefusedError) as caught:
            ask()
        assert caught.value.status == 400


def test_a_request_with_wide_aspects_has_no_more_bytes_than_are_read() -> None:
    wide = {f"a{number}": ["x" * 100] * 50 for number in range(20)}
    chunks = list(calls.batch(["x" * 50_000] * 30, "none", wide))
    sizes = [len(messages.to_json(chunk.call.message)) for chunk in chunks if chunk.call]
    assert sum(len(chunk.sent) for chunk in chunks) == 30
    assert max(sizes) <= messages.MAX_BODY_BYTES


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_an_answer_turns_back_into_its_message(explain: str) -> None:
    message = message_of(explain)
    answer = results.read_answer(message, explain, NAMES)
    assert json.dumps(answer.to_message()) == json.dumps(message)


def test_aspects_are_frozen_values_in_the_request_s_order() -> None:
    aspects = results.read_answer(message_of(), "none", NAMES).aspects
    assert aspects == (
        Aspect("music", "positive", None, 0.9, 1.25, (_mention(FIRST), _mention(SECOND))),
        Aspect("plot", "uncertain", "mixed", 0.5, -0.25, (_mention(SECOND),)),
        Aspect("cast", "not_mentioned"),
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        aspects[0].sentiment = "negative"  # type: ignore[misc]
    assert len({*aspects}) == 3


def _mention(part: dict[str, Any]) -> Mention:
    start, end = part["term"]
    text = "good film"[part["start"] : part["end"]]
    return Mention(part["start"], part["end"], part["contribution"], (start, end), part["negated"], text=text)


def test_a_batch_s_items_have_their_aspects() -> None:
    item = make_item(0, text="good film", aspects=ASPECTS)
    (answer,) = results.read_batch(make_batch(item), [0], "none", NAMES)
    assert isinstance(answer, results.Answer) and answer.aspects is not None
    assert [aspect.name for aspect in answer.aspects] == NAMES


def test_without_aspects_asked_for_none_are_read() -> None:
    assert results.read_answer(message_of(), "none").aspects is None


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return {**ASPECTS, name: ASPECTS[name] | fields}


def renamed(**fields: Any) -> dict[str, Any]:
    return changed("plot", mentions=[SECOND | fields])


@pytest.mark.parametrize(
    "aspects",
    [
        None,
        [],
        {},
        {name: ASPECTS[name] for name in ("plot", "music", "cast")},
        {name: ASPECTS[name] for name in ("music", "plot")},
        {**ASPECTS, "more": ASPECTS["cast"]},
        changed("cast", sentiment="positive"),
        changed("cast", sentiment="odd"),
        changed("music", sentiment="negative"),
        changed("music", reason="mixed"),
        changed("music", probability=1.1),
        changed("music", probability=None),
        changed("music", contribution=1.0),
        changed("music", contribution=True),
        changed("music", mentions=[]),
        changed("plot", reason=None),
        renamed(start=-1),
        renamed(end=10),
        renamed(term=[4, 9]),
        renamed(term=[5, 10]),
        renamed(term=[7, 7]),
        renamed(term=[5]),
        renamed(term=[5, True]),
        renamed(negated=1),
        renamed(contribution="x"),
    ],
)
def test_aspects_of_another_form_are_a_bad_answer(aspects: Any) -> None:
    with pytest.raises(BadAnswerError):
        results.read_answer(message_of(aspects=aspects), "none", NAMES)


def test_aspects_come_with_their_text() -> None:
    message = message_of()
    del message["text"]
    with pytest.raises(BadAnswerError):
        results.read_answer(message, "none", NAMES)


# --- lines for people ---------------------------------------------------------------------------


def test_each_aspect_is_shown_with_its_clauses_and_the_others_in_a_line() -> None:
    answer = results.read_answer(message_of(), "none", NAMES)
    assert show.format_answer(answer).splitlines()[2:] == [
        "music: positive  P(positive) = 0.900  pull +1.25",
        "  +1.500  good",
        "  -0.500  film  (there is none)",
        "plot: uncertain: it praises and complains about equally  P(positive) = 0.500  pull -0.25",
        "  -0.500  film  (there is none)",
        "not mentioned: cast",
    ]
