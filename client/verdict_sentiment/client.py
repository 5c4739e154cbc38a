"""The client: one review or many to their verdicts, by a service or in this process."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Self

import httpx

from verdict_sentiment import calls, results
from verdict_sentiment.calls import Review
from verdict_sentiment.exchange import Policy
from verdict_sentiment.http import AsyncHttpService, HttpService, Service
from verdict_sentiment.results import Answer, Health, Judged, Message

_DEFAULT = Policy()


class Verdict:
    """Judges film reviews. ``Verdict("https://api.example.com").sentiment("...")``

    ``timeout`` is the limit of one try and ``deadline`` that of a call with all its tries and waits, in
    seconds. Failures that pass by themselves are tried ``retries`` times more, at random moments, no earlier
    than the service asks for. ``api_key`` goes as X-Api-Key. Give ``client`` for proxies or certificates of
    your own. One Verdict may serve many threads; close it, or use it in a ``with`` block.
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
        """Raises ValueError when the URL or the key can't be one; nothing is asked yet."""
        self._service: Service = HttpService(url, api_key, Policy(timeout, retries, deadline), client)

    @classmethod
    def local(cls, model: str | os.PathLike[str] | None = None) -> Self:
        """Give a Verdict that asks nobody: the same answers in this process, by the extra [local].

        ``model`` is a folder with model.onnx and model.json (default: the published one, which comes along).
        Raises VerdictError when it can't be used, or the extra is not installed.
        """
        from verdict_sentiment.local import HooksService

        made = cls.__new__(cls)
        made._service = HooksService(model)
        return made

    def sentiment(self, review: str, explain: str = "sentences") -> Answer:
        """Judge one review; ``explain`` is "none", "sentences" or "words". Raises VerdictError."""
        return results.read_answer(self._service.ask(calls.sentiment(review, explain)), explain)

    def batch(self, reviews: Iterable[Review], explain: str = "none") -> Iterator[Judged]:
        """Judge reviews, or (id, review) pairs, one after the other and in their order.

        They are taken as they are needed, and sent by up to 100 and 1 MB. A review that can't be judged has
        its own error and harms no other. Raises VerdictError when the service fails; what was given until
        then is good.
        """
        for chunk in calls.batch(reviews, explain):
            message = self._service.ask(chunk.call) if chunk.call else None
            answers = results.read_batch(message, chunk.sent, explain) if message else []
            yield from calls.judged(chunk, answers)

    def model(self) -> Message:
        """Give the card of the model that answers. Raises VerdictError."""
        return results.read_card(self._service.ask(calls.CARD))

    def health(self) -> Health:
        """Say whether app and endpoint work; asked once, not again. Raises VerdictError."""
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
    """The same for asyncio: ``await AsyncVerdict(url).sentiment("...")``; all that Verdict says holds."""

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
        """Raises ValueError when the URL or the key can't be one; nothing is asked yet."""
        self._service = AsyncHttpService(url, api_key, Policy(timeout, retries, deadline), client)

    async def sentiment(self, review: str, explain: str = "sentences") -> Answer:
        """Judge one review; ``explain`` is "none", "sentences" or "words". Raises VerdictError."""
        return results.read_answer(await self._service.ask(calls.sentiment(review, explain)), explain)

    async def batch(self, reviews: Iterable[Review], explain: str = "none") -> AsyncIterator[Judged]:
        """Judge reviews, or (id, review) pairs, as ``Verdict.batch`` does."""
        for chunk in calls.batch(reviews, explain):
            message = await self._service.ask(chunk.call) if chunk.call else None
            answers = results.read_batch(message, chunk.sent, explain) if message else []
            for one in calls.judged(chunk, answers):
                yield one

    async def model(self) -> Message:
        """Give the card of the model that answers. Raises VerdictError."""
        return results.read_card(await self._service.ask(calls.CARD))

    async def health(self) -> Health:
        """Say whether app and endpoint work; asked once, not again. Raises VerdictError."""
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
