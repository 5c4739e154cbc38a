"""Answer calls in this process, without a server, by the endpoint's hooks and the service's messages."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from verdict_sentiment._packages import MessageError, load, messages
from verdict_sentiment.calls import Call
from verdict_sentiment.errors import RefusedError, UnavailableError, VerdictError
from verdict_sentiment.exchange import Policy, too_slow
from verdict_sentiment.parallel import Stop, within
from verdict_sentiment.results import Message

INSTALL = "pip install 'verdict-sentiment[local]'"


class LocalService:
    """A loaded model behind the endpoint's hooks. One may serve many threads."""

    def __init__(self, model: str | os.PathLike[str] | None = None) -> None:
        """Load a model's folder, or the included model. Raises VerdictError."""
        hooks = load_hooks()
        with model_errors():
            self._model = hooks.model_fn(Path(model or hooks.MODEL_FOLDER))

    def ask(self, call: Call, timeout: float | None = None, stop: Stop | None = None) -> Message:
        """Return the answer of a service. Raises RefusedError, and UnavailableError after ``timeout``.

        Raises ValueError for another timeout. A request that runs is not stopped.
        """
        if timeout is None:
            return self._answer(call)
        seconds = Policy().for_call(timeout).timeout
        try:
            return within(seconds, lambda: self._answer(call), stop)
        except TimeoutError as error:
            raise _late(seconds) from error

    def _answer(self, call: Call) -> Message:
        route = _ROUTES.get(call.path)
        if route is None:
            detail = "nothing keeps feedback in this process; send it to a service whose owner set FEEDBACK"
            raise RefusedError(detail, code="feedback_off", status=404)
        try:
            return route(self, call.message or {})
        except MessageError as error:
            raise RefusedError(error.detail, code=error.code, status=error.status) from error

    def close(self) -> None:
        """Close nothing: there is no connection."""

    def _sentiment(self, message: Message) -> Message:
        answer: Message = self._model.answer(message["review"], message["explain"], _aspects(message))
        model = messages.model_message(self._model.identity)
        return {**answer, "model": model, "request_id": uuid.uuid4().hex}

    def _batch(self, message: Message) -> Message:
        items = [messages.Item(review=item["review"], id=item["id"]) for item in message["reviews"]]
        aspects = _aspects(message)
        answers = [self._item(item, message["explain"], aspects) for item in items]
        return messages.build_batch_answer(items, answers, self._model.identity, uuid.uuid4().hex)

    def _item(self, item: messages.Item, explain: str, aspects: Any) -> Message:
        try:
            answer: Message = self._model.answer(item.review, explain, aspects)
            return answer
        except MessageError as error:
            return {"error": {"status": error.status, "code": error.code, "detail": error.detail}}

    def _card(self, message: Message) -> Message:
        card: Message = self._model.card
        return card

    def _health(self, message: Message) -> Message:
        model = messages.model_message(self._model.identity)
        return {"status": "ok", "app": "ok", "endpoint": "ok", "model": model}


class AsyncLocalService:
    """A LocalService for asyncio: it judges in a thread, so the loop goes on."""

    def __init__(self, model: str | os.PathLike[str] | None = None) -> None:
        """Load a model's folder, or the included model. Raises VerdictError."""
        self._service = LocalService(model)

    async def ask(self, call: Call, timeout: float | None = None) -> Message:
        """Return the answer of a service. Raises RefusedError, UnavailableError and ValueError."""
        seconds = None if timeout is None else Policy().for_call(timeout).timeout
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(self._service.ask, call)
        except TimeoutError as error:
            raise _late(seconds or 0) from error

    async def close(self) -> None:
        """Close nothing: there is no connection."""


_ROUTES = {
    "/v1/sentiment": LocalService._sentiment,
    "/v1/sentiment/batch": LocalService._batch,
    "/v1/model": LocalService._card,
    "/v1/health": LocalService._health,
}


def _late(seconds: float) -> UnavailableError:
    return UnavailableError(too_slow(seconds), code="unreachable")


def _aspects(message: Message) -> Any:
    """Return the aspects of a request, parsed; None without any. Raises MessageError."""
    return messages.parse_aspects(message["aspects"]) if "aspects" in message else None


@contextmanager
def model_errors() -> Iterator[None]:
    """Raise VerdictError in place of the error of a model that can't be loaded."""
    hooks = load_hooks()
    try:
        yield
    except (hooks.ModelFilesError, hooks.VocabularyError) as error:
        raise VerdictError(str(error), code="model_unusable") from error


def load_hooks() -> Any:
    """Import the endpoint's hooks. Raises VerdictError when a requirement is not installed."""
    try:
        return load("training.endpoint.inference")
    except ModuleNotFoundError as error:
        raise VerdictError(
            f"{error.name} is not installed, which judging without a service needs; run: {INSTALL}",
            code="not_installed",
        ) from error
