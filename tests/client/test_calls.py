"""Batches: reviews go into requests that the service accepts, in order, and none is lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verdict_sentiment import calls
from verdict_sentiment.errors import RefusedError
from vocab import messages

LONGEST = "x" * messages.MAX_REVIEW_CHARACTERS


def test_at_most_a_hundred_reviews_go_into_a_request() -> None:
    chunks = list(calls.batch(["good"] * 250, "none"))
    assert [len(chunk.sent) for chunk in chunks] == [100, 100, 50]


def test_a_request_has_no_more_bytes_than_are_read() -> None:
    widest = "\U0001f3ac" * messages.MAX_REVIEW_CHARACTERS
    chunks = list(calls.batch([LONGEST] * 30 + [widest] * 3, "words"))
    assert [len(chunk.sent) for chunk in chunks] == [19, 11, 1, 1, 1]
    sizes = [len(messages.to_json(chunk.call.message)) for chunk in chunks if chunk.call]
    assert max(sizes) <= messages.MAX_BODY_BYTES


def test_the_service_parses_the_request() -> None:
    (chunk,) = calls.batch([("a", "good"), ("a", "bad")], "words")
    assert chunk.call
    request = messages.parse_batch_request(messages.to_json(chunk.call.message), messages.JSON)
    assert ([item.review for item in request.items], request.explain) == (["good", "bad"], "words")


@pytest.mark.parametrize("review", [5, None, float("nan"), b"x", ("a", "b", "c"), ["x"], LONGEST + "x"])
def test_a_review_that_no_service_takes_is_not_sent_and_harms_no_other(review: Any) -> None:
    (chunk,) = calls.batch(["good", review, "bad"], "none")
    assert chunk.sent == [0, 2]
    refused = chunk.entries[1].refused
    assert isinstance(refused, RefusedError)
    assert refused.status in (400, 413)


def test_reviews_of_which_none_can_be_sent_make_no_call() -> None:
    (chunk,) = calls.batch([None], "none")  # type: ignore[list-item]
    assert chunk.call is None


@pytest.mark.parametrize("text", ["good", b"good", ""])
def test_one_text_is_not_taken_for_a_review_a_character(text: Any) -> None:
    with pytest.raises(RefusedError, match="^reviews must be several, got one (str|bytes); put it in a list"):
        next(calls.batch(text, "none"))


@pytest.mark.parametrize(
    ("reviews", "sentence"),
    [
        (5, "reviews must be several, got int; send a list of texts"),
        (None, "reviews must be several, got NoneType; send a list of texts"),
        ({"a": "good"}, r"got dict; send its items\(\) or values\(\)"),
    ],
)
def test_what_holds_no_reviews_is_refused_by_its_type(reviews: Any, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        next(calls.batch(reviews, "none"))


def test_an_async_source_is_for_the_async_client() -> None:
    async def reviews() -> AsyncIterator[str]:
        yield "good"

    with pytest.raises(RefusedError, match=r"which AsyncVerdict.batch reads"):
        next(calls.batch(reviews(), "none"))  # type: ignore[arg-type]


def test_no_review_makes_no_request() -> None:
    assert list(calls.batch([], "none")) == []


def test_reviews_are_taken_as_they_are_needed() -> None:
    reads = []

    def endless() -> Any:
        while True:
            reads.append(1)
            yield "good"

    next(calls.batch(endless(), "none"))
    assert len(reads) == calls.MAX_REVIEWS + 1


@given(st.lists(st.one_of(st.text(max_size=40), st.none()), max_size=230))
def test_each_review_is_in_one_request_at_its_place(reviews: list[Any]) -> None:
    chunks = list(calls.batch(reviews, "none"))
    entries = [entry for chunk in chunks for entry in chunk.entries]
    assert [entry.place for entry in entries] == list(range(len(reviews)))
    sent = [item for chunk in chunks if chunk.call for item in (chunk.call.message or {})["reviews"]]
    assert [item["review"] for item in sent] == [review for review in reviews if review is not None]
    assert [reviews[item["id"]] for item in sent] == [item["review"] for item in sent]


def test_an_unknown_level_of_explanation_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(RefusedError, match="explain must be one of none, sentences, words"):
        calls.sentiment("good", "everything")  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        next(calls.batch(["good"], "everything"))  # type: ignore[arg-type]
