"""Open the model that judges many texts in this process, and say in one sentence what hinders it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import current_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verdict_sentiment._packages import load
from verdict_sentiment.errors import VerdictError
from verdict_sentiment.local import load_hooks, model_errors

if TYPE_CHECKING:
    from training.files.texts import Adapted, Judge

ModelPath = str | os.PathLike[str] | None


def open_judge(model: ModelPath, workers: int | None, adapted: "Adapted | None" = None) -> "Judge":
    """Load a model's folder, or the included model, for so many processes. Close the judge after use.

    Raises ValueError for another number than 1 or more, VerdictError for a model that can't be used.
    """
    folder, count = folder_of(model), count_workers(workers)
    with model_errors():
        judge: Judge = load_texts().Judge(folder, count, adapted)
        return judge


def folder_of(model: ModelPath) -> Path:
    """Return a model's folder, or the included one's. Raises VerdictError without the extra [local]."""
    return Path(model or load_hooks().MODEL_FOLDER)


def load_texts() -> Any:
    """Import what judges texts. Raises VerdictError without the extra [local]."""
    load_hooks()
    return load("training.files.texts")


def count_workers(workers: int | None) -> int:
    """Return how many processes may share the work: by default as many as there are cores.

    A process of a multiprocessing pool can't start others. Raises ValueError.
    """
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ValueError(f"workers must be a whole number from 1 on, got {workers!r}")
    return 1 if current_process().daemon else workers or os.cpu_count() or 1


@contextmanager
def process_errors() -> Iterator[None]:
    """Raise VerdictError in place of a dead process's error."""
    try:
        yield
    except load("training.files.rows").BatchError as error:
        raise VerdictError(str(error), code="process_died") from error
