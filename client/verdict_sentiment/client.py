"""Judge reviews: one or many, by a service or in this process."""

import os
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import aclosing, closing
from types import TracebackType
from typing import Self

import httpx

from verdict_sentiment import calls, results
from verdict_sentiment.calls import Aspects, Review
from verdict_sentiment.exchange import Policy
from verdict_sentiment.http import AsyncHttpService, AsyncService, HttpService, Service, find_service
from verdict_sentiment.literals import Explain, Label
from verdict_sentiment.parallel import in_order, in_order_async
from verdict_sentiment.results import Answer, Health, Judged, Message

_DEFAULT = Policy()


class Verdict:
    """Judge film reviews: ``Verdict("https://api.example.com").sentiment("...")``.

    Without ``url`` or ``api_key``, VERDICT_URL and VERDICT_API_KEY name them. The key is sent as X-Api-Key.
    ``timeout`` limits one try and ``deadline`` a call with all its tries and waits, both in seconds. A
    passing failure is tried ``retries`` times more, after random waits that respect Retry-After. ``client``
    is an httpx client with your own proxies or certificates.

    Each method takes a ``timeout`` of its own: seconds for the whole call with its tries and waits. Of a
    batch, each request gets it.

    One Verdict may serve many threads, and goes on after a fork. Close it, or use it in a ``with`` block.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = _DEFAULT.timeout,
        retries: int = _DEFAULT.retries,
        deadline: float = _DEFAULT.deadline,
        client: httpx.Client | None = None,
    ) -> None:
        """Raise ValueError for a missing or malformed URL, key or limit; no request is sent yet."""
        policy = Policy(timeout, retries, deadline)
        self._service: Service = HttpService(*find_service(url, api_key), policy, client)

    @classmethod
    def local(cls, model: str | os.PathLike[str] | None = None) -> Self:
        """Return a Verdict that judges in this process, with the same answers. Needs the extra [local].

        ``model`` is a folder with model.onnx and model.json (default: the published model, included here).
        Raises VerdictError when the model can't be used, or the extra is not installed.
        """
        from verdict_sentiment.local import LocalService

        verdict = cls.__new__(cls)
        verdict._service = LocalService(model)
        return verdict

    def sentiment(
        self,
        review: str,
        explain: Explain = "sentences",
        aspects: Aspects | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """Judge one review; ``explain`` is "none", "sentences" or "words". Raises VerdictError.

        ``aspects`` are judged too: the list "film" or "product", or your own terms, such as
        ``{"music": ["music", "score"]}``.
        """
        message = self._service.ask(calls.sentiment(review, explain, aspects), timeout)
        return results.read_answer(message, explain, calls.aspect_names(aspects))

    def batch(
        self,
        reviews: Iterable[Review],
        explain: Explain = "none",
        aspects: Aspects | None = None,
        *,
        concurrency: int = 1,
        timeout: float | None = None,
    ) -> Generator[Judged, None, None]:
        """Judge reviews, or (id, review) pairs, in their order; ``aspects`` are those of ``sentiment``.

        Reviews are read as needed and sent in requests of up to 100 reviews and 1 MB, up to ``concurrency``
        of them at once. A bad review has its own error and harms no other. Raises VerdictError when the
        service fails; earlier results hold. An iteration that is left early ends its requests.
        """
        names = calls.aspect_names(aspects)
        chunks = calls.batch(reviews, explain, aspects)
        answered = in_order(chunks, lambda call, stop: self._service.ask(call, timeout, stop), concurrency)
        with closing(answered):
            for chunk, message in answered:
                answers = [] if message is None else results.read_batch(message, chunk.sent, explain, names)
                yield from calls.judged(chunk, answers)

    def send_feedback(
        self, review: str, label: Label, model: str = "", *, timeout: float | None = None
    ) -> str:
        """Send a review with its right label, and return the id that deletes it. Raises VerdictError.

        ``model`` is the id of the model that was wrong: ``answer.model.id``. The service stores the review,
        if its owner has set FEEDBACK; otherwise it refuses.
        """
        message = self._service.ask(calls.send_feedback(review, label, model), timeout)
        return results.read_feedback_id(message)

    def delete_feedback(self, id: str, *, timeout: float | None = None) -> None:
        """Delete feedback by the id that ``send_feedback`` returned. Raises VerdictError."""
        self._service.ask(calls.delete_feedback(id), timeout)

    def model(self, *, timeout: float | None = None) -> Message:
        """Return the card of the model that answers. Raises VerdictError."""
        return results.read_card(self._service.ask(calls.CARD, timeout))

    def health(self, *, timeout: float | None = None) -> Health:
        """Return whether app and endpoint work, after one try. Raises VerdictError."""
        return results.read_health(self._service.ask(calls.HEALTH, timeout))

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncVerdict:
    """Judge film reviews under asyncio, as Verdict does: ``await AsyncVerdict(url).sentiment("...")``."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = _DEFAULT.timeout,
        retries: int = _DEFAULT.retries,
        deadline: float = _DEFAULT.deadline,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Raise ValueError for a missing or malformed URL, key or limit; no request is sent yet."""
        policy = Policy(timeout, retries, deadline)
        self._service: AsyncService = AsyncHttpService(*find_service(url, api_key), policy, client)

    @classmethod
    def local(cls, model: str | os.PathLike[str] | None = None) -> Self:
        """Return an AsyncVerdict that judges in threads of this process, as ``Verdict.local`` does.

        The model is loaded at once, before this returns. Raises VerdictError.
        """
        from verdict_sentiment.local import AsyncLocalService

        verdict = cls.__new__(cls)
        verdict._service = AsyncLocalService(model)
        return verdict

    async def sentiment(
        self,
        review: str,
        explain: Explain = "sentences",
        aspects: Aspects | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """Judge one review, as ``Verdict.sentiment`` does. Raises VerdictError."""
        message = await self._service.ask(calls.sentiment(review, explain, aspects), timeout)
        return results.read_answer(message, explain, calls.aspect_names(aspects))

    async def batch(
        self,
        reviews: Iterable[Review] | AsyncIterable[Review],
        explain: Explain = "none",
        aspects: Aspects | None = None,
        *,
        concurrency: int = 1,
        timeout: float | None = None,
    ) -> AsyncGenerator[Judged, None]:
        """Judge reviews, or (id, review) pairs, as ``Verdict.batch`` does, also from an async iterable.

        ``reviews`` are read no faster than they are judged.
        """
        names = calls.aspect_names(aspects)
        chunks = calls.batch_async(reviews, explain, aspects)
        answered = in_order_async(chunks, lambda call: self._service.ask(call, timeout), concurrency)
        async with aclosing(answered):
            async for chunk, message in answered:
                answers = [] if message is None else results.read_batch(message, chunk.sent, explain, names)
                for judged in calls.judged(chunk, answers):
                    yield judged

    async def send_feedback(
        self, review: str, label: Label, model: str = "", *, timeout: float | None = None
    ) -> str:
        """Send a review with its right label, as ``Verdict.send_feedback`` does. Raises VerdictError."""
        message = await self._service.ask(calls.send_feedback(review, label, model), timeout)
        return results.read_feedback_id(message)

    async def delete_feedback(self, id: str, *, timeout: float | None = None) -> None:
        """Delete feedback by the id that ``send_feedback`` returned. Raises VerdictError."""
        await self._service.ask(calls.delete_feedback(id), timeout)

    async def model(self, *, timeout: float | None = None) -> Message:
        """Return the card of the model that answers. Raises VerdictError."""
        return results.read_card(await self._service.ask(calls.CARD, timeout))

    async def health(self, *, timeout: float | None = None) -> Health:
        """Return whether app and endpoint work, after one try. Raises VerdictError."""
        return results.read_health(await self._service.ask(calls.HEALTH, timeout))

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
