"""Judge reviews: one or many, by a service or in this process."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Self

import httpx

from verdict_sentiment import calls, results
from verdict_sentiment.calls import Aspects, Review
from verdict_sentiment.exchange import Policy
from verdict_sentiment.http import AsyncHttpService, HttpService, Service
from verdict_sentiment.results import Answer, Health, Judged, Message

_DEFAULT = Policy()


class Verdict:
    """Judge film reviews: ``Verdict("https://api.example.com").sentiment("...")``.

    ``timeout`` limits one try and ``deadline`` a call with all its tries and waits, both in seconds. A
    passing failure is tried ``retries`` times more, after random waits that respect Retry-After.
    ``api_key`` is sent as X-Api-Key. ``client`` is an httpx client with your own proxies or certificates.
    One Verdict may serve many threads. Close it, or use it in a ``with`` block.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = _DEFAULT.timeout,
        retries: int = _DEFAULT.retries,
        deadline: float = _DEFAULT.deadline,
        client: httpx.Client | None = None,
    ) -> None:
        """Raise ValueError for a malformed URL or key; no request is sent yet."""
        self._service: Service = HttpService(url, api_key, Policy(timeout, retries, deadline), client)

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

    def sentiment(self, review: str, explain: str = "sentences", aspects: Aspects | None = None) -> Answer:
        """Judge one review; ``explain`` is "none", "sentences" or "words". Raises VerdictError.

        ``aspects`` are judged too: the list "film" or "product", or your own terms, such as
        ``{"music": ["music", "score"]}``.
        """
        message = self._service.ask(calls.sentiment(review, explain, aspects))
        return results.read_answer(message, explain, calls.aspect_names(aspects))

    def batch(
        self, reviews: Iterable[Review], explain: str = "none", aspects: Aspects | None = None
    ) -> Iterator[Judged]:
        """Judge reviews, or (id, review) pairs, in their order; ``aspects`` are those of ``sentiment``.

        Reviews are read as needed and sent in requests of up to 100 reviews and 1 MB. A bad review has its
        own error and harms no other. Raises VerdictError when the service fails; earlier results hold.
        """
        names = calls.aspect_names(aspects)
        for chunk in calls.batch(reviews, explain, aspects):
            message = self._service.ask(chunk.call) if chunk.call else None
            answers = results.read_batch(message, chunk.sent, explain, names) if message else []
            yield from calls.judged(chunk, answers)

    def model(self) -> Message:
        """Return the card of the model that answers. Raises VerdictError."""
        return results.read_card(self._service.ask(calls.CARD))

    def health(self) -> Health:
        """Return whether app and endpoint work, after one try. Raises VerdictError."""
        return results.read_health(self._service.ask(calls.HEALTH))

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
        url: str,
        api_key: str | None = None,
        *,
        timeout: float = _DEFAULT.timeout,
        retries: int = _DEFAULT.retries,
        deadline: float = _DEFAULT.deadline,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Raise ValueError for a malformed URL or key; no request is sent yet."""
        self._service = AsyncHttpService(url, api_key, Policy(timeout, retries, deadline), client)

    async def sentiment(
        self, review: str, explain: str = "sentences", aspects: Aspects | None = None
    ) -> Answer:
        """Judge one review, as ``Verdict.sentiment`` does. Raises VerdictError."""
        message = await self._service.ask(calls.sentiment(review, explain, aspects))
        return results.read_answer(message, explain, calls.aspect_names(aspects))

    async def batch(
        self, reviews: Iterable[Review], explain: str = "none", aspects: Aspects | None = None
    ) -> AsyncIterator[Judged]:
        """Judge reviews, or (id, review) pairs, as ``Verdict.batch`` does."""
        names = calls.aspect_names(aspects)
        for chunk in calls.batch(reviews, explain, aspects):
            message = await self._service.ask(chunk.call) if chunk.call else None
            answers = results.read_batch(message, chunk.sent, explain, names) if message else []
            for judged in calls.judged(chunk, answers):
                yield judged

    async def model(self) -> Message:
        """Return the card of the model that answers. Raises VerdictError."""
        return results.read_card(await self._service.ask(calls.CARD))

    async def health(self) -> Health:
        """Return whether app and endpoint work, after one try. Raises VerdictError."""
        return results.read_health(await self._service.ask(calls.HEALTH))

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
