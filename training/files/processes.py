"""The local predictor of a batch: processes on this machine's cores, each with the endpoint's hooks."""

import json
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from training.endpoint import calibration, inference, ngram_weights, opinion, packing, scoring, weighing
from training.endpoint.inference import LoadedModel
from training.files.parts import key_of
from training.files.pool import DiedError, Pool, open_pool
from training.files.rows import BatchError, Part
from vocab import messages, vocabulary
from vocab.aspects import Aspect
from vocab.files import sha256_of
from vocab.messages import AspectsValue, EndpointRequest, Item, MessageError

# Reviews of a task. At a file's end a process idles for a task's time at most.
TASK_ROWS = 32
# Another process is worth its start from so many reviews on.
PROCESS_ROWS = 100


class DeadProcessError(BatchError):
    """A process died before the file was done."""


class Hooks(NamedTuple):
    """The endpoint's hooks for the parts of a file.

    ``key`` identifies everything that an answer depends on. ``predict`` takes parts, and yields each with its
    answers as JSON lines.
    """

    key: str
    predict: Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


def predict_lines(model: LoadedModel, data: bytes, aspects: AspectsValue | None = None) -> bytes:
    """Predict JSON lines as the endpoint does: one line for each, in order; judge the aspects too."""
    request = inference.input_fn(data, messages.JSON_LINES)
    if aspects is not None:
        parsed = messages.parse_aspects(aspects)
        request = request._replace(items=[item._replace(aspects=parsed) for item in request.items])
    return inference.output_fn(inference.predict_fn(request, model), messages.JSON_LINES)[0]


def model_key(model: LoadedModel) -> str:
    """Return a key of everything that a prediction depends on: network, card and code."""
    names = ("id", "onnx_sha256", "vocabulary", *calibration.FIELDS, opinion.FIELD, "uncertain", "max_tokens")
    modules = (inference, scoring, packing, weighing, ngram_weights, opinion, calibration)
    code = [Path(str(module.__file__)) for module in modules]
    code += sorted(Path(vocabulary.__file__).parent.rglob("*.py"))
    return key_of(*(json.dumps(model.card[name]) for name in names), *map(sha256_of, code))


def predict_reviews(
    model: LoadedModel,
    task: tuple["array[int]", list[str]],
    aspects: AspectsValue | None = None,
    explain: str = "none",
) -> bytes:
    """Predict rows, by their numbers and reviews, as ``predict_lines`` does from their JSON lines.

    ``explain`` adds the API's explanation of each.
    """
    parsed = None if aspects is None else messages.parse_aspects(aspects)
    if explain != "none":
        return b"\n".join(map(messages.to_json, _explained(model, task, parsed, explain)))
    items = [Item(review=review, id=number, aspects=parsed) for number, review in zip(*task, strict=True)]
    predictions = inference.predict_fn(EndpointRequest(items, lines=True), model)
    return inference.output_fn(predictions, messages.JSON_LINES)[0]


def _explained(
    model: LoadedModel,
    task: tuple["array[int]", list[str]],
    aspects: Sequence[Aspect] | None,
    explain: str,
) -> Iterator[dict[str, Any]]:
    for number, predicted in zip(task[0], model.predict_all(task[1], explain, aspects), strict=True):
        if isinstance(predicted, MessageError):
            answer: dict[str, Any] = {"error": {"code": predicted.code, "detail": predicted.detail}}
        else:
            encoded, scored, mentions = predicted
            answer = messages.build_verdict(encoded, scored, model.identity, mentions)
        yield answer | {"id": number, "model": messages.model_message(model.identity)}


@contextmanager
def open_hooks(
    folder: Path, workers: int, rows: int, aspects: AspectsValue | None = None, explain: str = "none"
) -> Iterator[Hooks]:
    """Yield the hooks of a model for a file with so many rows, in at most so many processes.

    ``aspects`` are judged too, and ``explain`` says how far. Raises ModelFilesError or VocabularyError.
    """
    model = inference.model_fn(folder)
    workers = min(workers, rows // PROCESS_ROWS)
    if workers < 2:
        yield Hooks(model_key(model), lambda parts: predict_parts(parts, model, None, aspects, explain))
        return
    work = partial(predict_reviews, aspects=aspects, explain=explain)
    with open_pool(work, folder, model, workers) as pool:
        yield Hooks(model_key(model), lambda parts: predict_parts(parts, model, pool))


def predict_parts(
    parts: Iterable[Part],
    model: LoadedModel,
    pool: Pool | None = None,
    aspects: AspectsValue | None = None,
    explain: str = "none",
) -> Iterator[tuple[Part, bytes]]:
    """Yield each part with its answers, in order.

    Without a pool, this process answers, by ``aspects`` and ``explain`` too. Raises BatchError when a process
    dies.
    """
    if pool is None:
        for part in parts:
            yield part, predict_reviews(model, (part.ids, part.reviews), aspects, explain)
        return
    yield from ((part, b"\n".join(answers)) for part, answers in map_parts(pool, parts))


def map_parts(pool: Pool, parts: Iterable[Part]) -> Iterator[tuple[Part, list[Any]]]:
    """Yield each part with the results of its tasks, in order. Raises BatchError when a process dies.

    A task is the ids and reviews of some rows. The yielded parts have no reviews any more.
    """
    sent: deque[tuple[Part, int]] = deque()
    results = pool.map(_tasks(parts, sent))
    try:
        for first in results:
            part, count = sent.popleft()
            yield part, [first, *islice(results, count - 1)]
    except DiedError as error:
        raise DeadProcessError(
            "a process died, perhaps for want of memory; run it again to go on, or give --workers 1"
        ) from error


def _tasks(
    parts: Iterable[Part], sent: "deque[tuple[Part, int]]"
) -> Iterator[tuple["array[int]", list[str]]]:
    """Yield the rows of parts a few at a time, and note each part with its number of tasks."""
    for part in parts:
        tasks = [slice(first, first + TASK_ROWS) for first in range(0, len(part.ids), TASK_ROWS)]
        sent.append((part._replace(reviews=[]), len(tasks)))
        yield from ((part.ids[rows], part.reviews[rows]) for rows in tasks)
