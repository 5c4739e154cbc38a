"""Answer the endpoint's calls in this process, by the endpoint's own hooks.

The server's first process loads the model before it forks, so its processes share the model's memory, and a
restarted process has the model of the others. ONNX Runtime survives a fork only without threads of its own:
with one thread a session it starts none (its thread_utils.cc), and numpy renews its threads in a fork.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import app as verdict_app
from chalicelib import endpoint, log
from chalicelib.endpoint_errors import ModelRefusal, log_error, problem_of
from training.endpoint import inference
from training.endpoint.inference import LoadedModel, ModelFilesError
from vocab import messages
from vocab.aspects import Mentions
from vocab.messages import Model, Score
from vocab.vocabulary import EncodedReview

Answer = TypeVar("Answer")


class Hooks:
    """The model in this process, with the calls and errors of chalicelib.endpoint.Endpoint.

    ``networks`` is the number of calls that are answered at once.
    """

    def __init__(self, model: LoadedModel, settings: endpoint.Settings, networks: int) -> None:
        self._model = model
        self._settings = settings
        self._turns = threading.BoundedSemaphore(networks)

    def invoke(self, body: bytes, request_id: str) -> bytes:
        """Answer a message. Raises Problem."""

        def answer() -> bytes:
            response = inference.respond(body, messages.JSON, messages.JSON, self._model)
            if response.status != 200:
                raise ModelRefusal(response.status)
            return response.body

        return self._call(answer, len(body), request_id)

    def score(
        self,
        encoded: Sequence[EncodedReview],
        explain: str,
        mentions: Sequence[Mentions] | None,
        size: int,
        request_id: str,
    ) -> tuple[Model, list[Score]]:
        """Score reviews without a message, as files are scored. Raises Problem.

        ``size`` is that of the message, in bytes, for the log.
        """

        def answer() -> tuple[Model, list[Score]]:
            try:
                return self._model.identity, self._model.score_encoded(encoded, explain, mentions)
            except Exception as error:
                raise ModelRefusal(500) from error

        return self._call(answer, size, request_id)

    def _call(self, answer: Callable[[], Answer], size: int, request_id: str) -> Answer:
        """Return an answer at its turn, and log a line as the local endpoint does. Raises Problem."""
        began = time.monotonic()
        status: int | None = 200
        try:
            if not self._turns.acquire(timeout=self._settings.seconds):
                raise TimeoutError
            try:
                return answer()
            except ModelRefusal as error:
                status = error.status
                raise
            finally:
                self._turns.release()
                _log(self._settings.name, request_id, status, size, began)
        except (ModelRefusal, TimeoutError) as error:
            raise log_error(problem_of(error, self._settings), error) from error


def load() -> LoadedModel:
    """Load the model of MODEL, by default the published one, for this process and its forks.

    Raises ModelFilesError or VocabularyError.
    """
    global _model
    words = verdict_app.app_vocabulary()
    folder = Path(os.environ.get("MODEL") or inference.MODEL_FOLDER)
    model = inference.model_fn(folder)
    if model.identity.vocabulary != words.fingerprint:
        raise ModelFilesError(f"the model in {folder} needs another vocabulary than the app read; restart it")
    _model = model._replace(vocabulary=words)  # one copy of the vocabulary in memory
    return _model


def install(networks: int) -> None:
    """Connect the app of this process to the loaded model, and load it where no process before has."""
    settings = endpoint.read_settings(os.environ)
    endpoint.in_process = Hooks(_model or load(), settings, networks)


def _log(name: str, request_id: str, status: int | None, size: int, began: float) -> None:
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    line = {"endpoint": name, "request_id": request_id, "status": status, "bytes": size, "ms": milliseconds}
    log.print_line(line, late=True)  # with the request's own line


_model: LoadedModel | None = None
