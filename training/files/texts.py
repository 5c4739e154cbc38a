"""Judge texts in memory, on all cores: what frames, the scikit-learn classifier and SQL share."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.endpoint import inference, ngram_weights
from training.endpoint.calibration import Calibration
from training.endpoint.inference import LoadedModel, Predicted
from training.endpoint.ngram_weights import NgramWeights
from training.files.pool import DiedError, Pool, open_pool
from training.files.processes import PROCESS_ROWS, TASK_ROWS
from training.files.rows import BatchError, Prediction
from vocab import messages
from vocab.aspects import Aspect
from vocab.messages import MessageError

# Models that stay loaded between calls, of about 20 MB each.
KEPT_MODELS = 2
# The explanations of an answer.
PARTS = ("sentences", "words")

Aspects = Sequence[Aspect] | None
# Texts, the level of explanation, and the aspects to judge, as ``messages.parse_aspects`` returns them.
Task = tuple[Sequence[str], str, Aspects]
Message = dict[str, Any]


class Judged(NamedTuple):
    """A text's verdict or its error, and its explanations by name, one of PARTS."""

    prediction: Prediction
    parts: Mapping[str, list[Message]] = {}


class Adapted(NamedTuple):
    """What adapting changes of a model: its head, float64 (pooled,) and a bias, calibration and band.

    ``ngrams`` are columns of the n-grams' table, int32 (n-grams,), and what their weights gain, float32.
    """

    weights: np.ndarray
    bias: float
    calibration: Calibration
    band: tuple[float, float]
    ngrams: tuple[np.ndarray, np.ndarray] | None = None

    def apply(self, model: LoadedModel) -> LoadedModel:
        """Return a model with this head. Its identity keeps the base's name."""
        weighing = model.network.weighing._replace(
            polarity_weight=self.weights, polarity_bias=np.array([self.bias])
        )
        return model._replace(
            network=model.network._replace(weighing=weighing, ngrams=self._table(model.network.ngrams)),
            calibration=self.calibration,
            identity=model.identity._replace(uncertain=self.band),
        )

    def _table(self, table: NgramWeights) -> NgramWeights:
        if self.ngrams is None:
            return table
        columns, weights = self.ngrams
        return ngram_weights.changed(table, columns, weights.astype(np.float64))


class Judge:
    """A model that judges many texts.

    The first call with texts enough for two processes starts them. They stay for later calls, until
    ``close`` or until an iteration is left early. Use one thread at a time.
    """

    def __init__(self, folder: Path, workers: int, adapted: Adapted | None = None) -> None:
        """Load a model's folder. Raises ModelFilesError or VocabularyError."""
        self.model = load(folder)
        self._folder, self._workers = folder, workers
        self._work = functools.partial(judge_texts, adapted)
        self._stack = ExitStack()
        self._pool: Pool | None = None

    def judge(self, texts: Sequence[str], explain: str = "none", aspects: Aspects = None) -> Iterator[Judged]:
        """Yield each text's verdict or error, in order. Raises BatchError when a process dies."""
        whole = False
        try:
            for results in self._results(texts, explain, aspects):
                yield from results
            whole = True
        except DiedError as error:
            raise BatchError(
                "a process died, perhaps for want of memory; run it again with workers=1"
            ) from error
        finally:
            if not whole:
                self.close()

    def close(self) -> None:
        """End the processes."""
        self._pool = None
        self._stack.close()

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _results(self, texts: Sequence[str], explain: str, aspects: Aspects) -> Iterable[list[Judged]]:
        starts = range(0, len(texts), TASK_ROWS)
        tasks: Iterator[Task] = ((texts[first : first + TASK_ROWS], explain, aspects) for first in starts)
        workers = min(self._workers, len(texts) // PROCESS_ROWS)
        if self._pool is None and workers > 1:
            pool = open_pool(self._work, self._folder, self.model, workers)
            self._pool = self._stack.enter_context(pool)
        return self._pool.map(tasks) if self._pool else (self._work(self.model, task) for task in tasks)


def load(folder: Path) -> LoadedModel:
    """Load a model's folder, or return it as loaded before. Raises ModelFilesError or VocabularyError."""
    card = folder / "model.json"
    return _load(folder.resolve(), card.stat().st_mtime_ns if card.is_file() else 0)


@functools.lru_cache(maxsize=KEPT_MODELS)
def _load(folder: Path, changed: int) -> LoadedModel:
    return inference.model_fn(folder)


def judge_texts(adapted: Adapted | None, model: LoadedModel, task: Task) -> list[Judged]:
    """Return the verdicts or errors of texts, with the network read as for a file's rows."""
    texts, explain, aspects = task
    model = adapted.apply(model) if adapted else model
    return [_judged(predicted, model) for predicted in model.predict_all(texts, explain, aspects)]


def failed(error: MessageError) -> Judged:
    """Return a text without a verdict."""
    return Judged(Prediction(error=error.code, detail=error.detail))


def to_judged(answer: Message, model: str) -> Judged:
    """Return an answer of the API, by the model with this id."""
    warnings = ";".join(warning["code"] for warning in answer["warnings"])
    prediction = Prediction(
        answer["sentiment"],
        answer["reason"],
        answer["probability"],
        warnings,
        model,
        aspects=answer.get("aspects", {}),
    )
    return Judged(prediction, {name: _parts(answer, name) for name in PARTS if name in answer})


def _judged(predicted: Predicted | MessageError, model: LoadedModel) -> Judged:
    if isinstance(predicted, MessageError):
        return failed(predicted)
    encoded, score, mentions = predicted
    return to_judged(messages.build_verdict(encoded, score, model.identity, mentions), model.identity.id)


def _parts(answer: Message, name: str) -> list[Message]:
    """Return sentences or words with their texts in place of offsets."""
    return [
        {"text": answer["text"][part["start"] : part["end"]]}
        | {key: value for key, value in part.items() if key not in ("start", "end")}
        for part in answer[name]
    ]
