"""The client against the app that `make run` starts."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.stack import Stack
from verdict_sentiment import (
    Answer,
    AsyncVerdict,
    Explain,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    Verdict,
)
from vocab import messages

KEY = "key-of-a-test"
REVIEWS = [
    "The plot is thin and the jokes fall flat. Still, I loved the music!",
    "<br>",
    "Not good. " * 300,
    "ein ganz wunderbarer Film, den ich sehr gerne gesehen habe",
    "\U0001f3ac caf\u00e9 \ud83d",
]


def plain(answer: Answer) -> str:
    """Return an answer as JSON, without the id of its request."""
    return json.dumps(answer.to_message() | {"request_id": ""})


@pytest.fixture(scope="module")
def verdict(stack: Stack) -> Any:
    with Verdict(stack.api) as client:
        yield client


@pytest.mark.parametrize("explain", messages.EXPLAIN)
def test_an_answer_is_the_api_s_byte_for_byte(stack: Stack, verdict: Verdict, explain: Explain) -> None:
    for review in REVIEWS[::2]:
        body = messages.to_json({"review": review, "explain": explain})
        headers = {"Content-Type": "application/json"}
        message = httpx.post(f"{stack.api}/v1/sentiment", content=body, headers=headers).json()
        assert plain(verdict.sentiment(review, explain)) == json.dumps(message | {"request_id": ""})


def test_aspects_are_the_api_s_byte_for_byte_also_under_asyncio(stack: Stack, verdict: Verdict) -> None:
    async def ask(review: str) -> list[Answer]:
        async with AsyncVerdict(stack.api) as client:
            batch = [judged.verdict() async for judged in client.batch([review], "none", "film")]
            return [await client.sentiment(review, "none", "film"), *batch]

    for review in REVIEWS[::2]:
        body = messages.to_json({"review": review, "explain": "none", "aspects": "film"})
        headers = {"Content-Type": "application/json"}
        message = httpx.post(f"{stack.api}/v1/sentiment", content=body, headers=headers).json()
        expected = json.dumps(message | {"request_id": ""})
        assert plain(verdict.sentiment(review, "none", "film")) == expected
        assert {*map(plain, asyncio.run(ask(review)))} == {expected}


def test_a_batch_gives_each_review_the_answer_it_gets_alone(verdict: Verdict) -> None:
    for judged, review in zip(verdict.batch(REVIEWS, "words"), REVIEWS, strict=True):
        if judged.error:
            with pytest.raises(RefusedError) as alone:
                verdict.sentiment(review)
            assert (judged.error.code, judged.error.detail) == (alone.value.code, alone.value.detail)
        else:
            assert plain(judged.verdict()) == plain(verdict.sentiment(review, "words"))


def test_a_batch_is_split_and_stays_in_order(verdict: Verdict) -> None:
    pairs = [(f"id-{number % 7}", f"film number {number} is good") for number in range(230)]
    results = list(verdict.batch(pairs))
    assert [(judged.index, judged.id) for judged in results] == [(n, pair[0]) for n, pair in enumerate(pairs)]
    assert all(judged.answer for judged in results)


def test_a_review_without_a_word_is_refused_in_the_api_s_words(verdict: Verdict) -> None:
    with pytest.raises(RefusedError, match="holds no word or sign") as caught:
        verdict.sentiment("<br>")
    assert (caught.value.status, caught.value.code) == (422, "no_token")
    assert caught.value.request_id


def test_model_and_health(stack: Stack, verdict: Verdict) -> None:
    assert verdict.model() == httpx.get(f"{stack.api}/v1/model").json()
    health = verdict.health()
    assert (health.ok, health.app, health.endpoint) == (True, "ok", "ok")
    assert health.model == verdict.model()["id"]


def test_the_client_that_does_not_block_gives_the_same(stack: Stack, verdict: Verdict) -> None:
    async def ask() -> Any:
        async with AsyncVerdict(stack.api) as client:
            answer = await client.sentiment(REVIEWS[0])
            many = [judged async for judged in client.batch(REVIEWS)]
            return answer, many, await client.model(), await client.health()

    answer, many, card, health = asyncio.run(ask())
    assert plain(answer) == plain(verdict.sentiment(REVIEWS[0]))
    assert [judged.answer is None for judged in many] == [False, True, False, False, False]
    assert (card, health) == (verdict.model(), verdict.health())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The app with the key KEY, a folder of feedback, and a rate limit that five requests exceed."""
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    folder = str(tmp_path_factory.mktemp("feedback"))
    running = Stack(AUTH="key", API_KEYS=hashed, API_KEY=KEY, RATE_LIMIT="3/1", FEEDBACK=folder)
    running.wait_for("Verdict is ready")
    yield running
    running.stop()


def test_a_service_that_wants_a_key_gets_it(guarded: Stack) -> None:
    with Verdict(guarded.api) as stranger, pytest.raises(UnauthorizedError) as caught:
        stranger.sentiment("good film")
    assert (caught.value.status, caught.value.code) == (401, "unauthorized")
    with Verdict(guarded.api, KEY) as verdict:
        assert verdict.sentiment("good film").model.id == verdict.model()["id"]


def test_a_service_that_holds_back_is_waited_for(guarded: Stack) -> None:
    with Verdict(guarded.api, KEY, retries=20) as verdict:
        assert sum(judged.answer is not None for judged in verdict.batch(["good film"] * 500)) == 500
    with Verdict(guarded.api, KEY, retries=0) as hasty, pytest.raises(RateLimitedError) as caught:
        for _ in range(20):
            hasty.sentiment("good film")
    assert (caught.value.status, caught.value.code) == (429, "too_many_requests")
    assert caught.value.retry_after


def test_feedback_is_kept_and_deleted(guarded: Stack) -> None:
    async def ask() -> None:
        async with AsyncVerdict(guarded.api, KEY, retries=20) as client:
            await client.delete_feedback(await client.send_feedback("good film", "positive"))

    with Verdict(guarded.api, KEY, retries=20) as verdict:
        answer = verdict.sentiment("good film")
        verdict.delete_feedback(verdict.send_feedback("good film", "negative", answer.model.id))
    asyncio.run(ask())


def test_a_service_without_a_place_for_feedback_refuses_it(verdict: Verdict) -> None:
    with pytest.raises(RefusedError) as caught:
        verdict.send_feedback("good film", "positive")
    assert (caught.value.status, caught.value.code) == (404, "feedback_off")


def test_requests_at_once_give_the_same_in_the_same_order(stack: Stack, verdict: Verdict) -> None:
    reviews = [f"film number {number} is good" for number in range(430)]

    async def ask() -> list[Any]:
        async with AsyncVerdict(stack.api) as client:
            return [judged async for judged in client.batch(reviews, concurrency=3)]

    one_by_one = [plain(judged.verdict()) for judged in verdict.batch(reviews)]
    at_once = [plain(judged.verdict()) for judged in verdict.batch(reviews, concurrency=3)]
    assert at_once == one_by_one == [plain(judged.verdict()) for judged in asyncio.run(ask())]
