"""Judge texts in SQL: verdict(text) and verdict_probability(text) as functions of a DuckDB connection."""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from verdict_sentiment.judging import ModelPath, open_judge, process_errors

try:
    import pyarrow as pa
except ImportError as error:
    raise ImportError(
        "pyarrow is not installed, which DuckDB's functions need; run:"
        " pip install 'verdict-sentiment[duckdb]'"
    ) from error

# By function: the field of a text's verdict, and DuckDB's and Arrow's type of it.
FUNCTIONS = {
    "verdict": ("sentiment", "VARCHAR", pa.string()),
    "verdict_probability": ("probability", "DOUBLE", pa.float64()),
}
# A query that calls both functions gives the same texts to each, one after the other in every thread.
KEPT_CHUNKS = 2 * (os.cpu_count() or 1)

# A text's verdict, as training/files/rows.py defines it.
Prediction = Any


def register_duckdb(connection: Any, model: ModelPath = None, workers: int | None = None) -> None:
    """Register the functions on a connection, in place of functions with these names.

    ``verdict(text)`` is positive, negative or uncertain; ``verdict_probability(text)`` is P(positive). Both
    are NULL for NULL, and for a text that can't be judged. ``model`` is a model's folder (default: the
    published model). A large table is shared by ``workers`` processes (default: cores), which stay with the
    connection. Raises TypeError for no connection, ValueError, or VerdictError for an unusable model.
    """
    if not hasattr(connection, "create_function"):
        raise TypeError(f"register_duckdb takes a DuckDB connection, got {type(connection).__name__}")
    predict = _predictor(model, workers)
    for name, (field, type_name, arrow_type) in FUNCTIONS.items():
        _remove(connection, name)
        function = _function(predict, field, arrow_type)
        connection.create_function(
            name, function, ["VARCHAR"], type_name, type="arrow", null_handling="special"
        )


def _predictor(
    model: ModelPath, workers: int | None
) -> Callable[[Sequence[str | None]], list[Prediction | None]]:
    """Return a function from texts to verdicts, None for None. DuckDB calls it in several threads."""
    judge, lock = open_judge(model, workers), threading.Lock()
    kept: deque[tuple[Sequence[str | None], list[Prediction | None]]] = deque(maxlen=KEPT_CHUNKS)

    def predict(texts: Sequence[str | None]) -> list[Prediction | None]:
        with lock, process_errors():
            for known, predictions in kept:
                if known == texts:
                    return predictions
            judged = judge.judge([text for text in texts if text is not None])
            found = iter([one.prediction for one in judged])
            kept.append((texts, [None if text is None else next(found) for text in texts]))
            return kept[-1][1]

    return predict


def _function(
    predict: Callable[[Sequence[str | None]], list[Prediction | None]], field: str, arrow_type: Any
) -> Callable[[Any], Any]:
    def values(texts: Any) -> Any:
        predictions = predict(texts.to_pylist())
        cells = [None if one is None or one.error else getattr(one, field) for one in predictions]
        return pa.array(cells, arrow_type)

    return values


def _remove(connection: Any, name: str) -> None:
    """Remove a Python function of this name, as when a notebook's cell is run again."""
    try:
        connection.remove_function(name)
    except Exception as error:  # DuckDB's own type, which this module does not import
        if "No function" not in str(error):
            raise
