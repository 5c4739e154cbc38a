"""The rows that a report names: their texts, cut at the deciding sentence."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from tqdm import tqdm

from training.endpoint.inference import LoadedModel
from training.files.rows import Row, Source
from training.report import figures
from training.report.cells import rounded
from training.report.dates import NO_DATE, day_of
from training.report.figures import File
from training.report.table import MILLION, SENTIMENTS, Table, deciding_span
from vocab import messages
from vocab.messages import MessageError
from vocab.text import clean

MOST_CHARACTERS = 400
CUT = "\N{HORIZONTAL ELLIPSIS}"


def rows_of(
    report: dict[str, Any],
    file: File,
    source: Source,
    tables: Callable[[], Iterable[Table]],
    model: LoadedModel,
) -> dict[str, dict[str, Any]]:
    """Return the report's ``rows`` from the answers and from the file, which is read again."""
    numbers = np.array(figures.named_rows(report), dtype=np.int64)
    answers: dict[int, Any] = {}
    for table in tables():
        for answer in table.answers[np.isin(table.answers["number"], numbers)]:
            answers[int(answer["number"])] = answer
    shown = {}
    with tqdm(source.rows(), total=file.rows, desc="quoting", unit="row", disable=None) as rows:
        for row in rows:
            answer = answers.get(row.number + 1)
            if answer is not None:
                _explain(answer, row, model)
                shown[str(row.number + 1)] = row_of(row.number + 1, clean(row.review), answer, file)
    return shown


def row_of(number: int, text: str, answer: Any, file: File) -> dict[str, Any]:
    """Return a row of the report: its cleaned text, and what was said of it."""
    start, end = int(answer["start"]), int(answer["end"])
    day, group = int(file.dates[number - 1]), int(file.groups[number - 1])
    return {
        "text": cut(text, start),
        "date": None if day == NO_DATE else day_of(day).isoformat(),
        "group": None if group < 0 else file.names[group],
        "sentiment": SENTIMENTS[int(answer["sign"]) + 1],
        "probability": rounded(int(answer["probability"]) / MILLION),
        "sentence": cut(text[start:end], 0) if end > start else None,
    }


def cut(text: str, start: int) -> str:
    """Return a text of at most MOST_CHARACTERS, from a place on where it is longer.

    >>> cut("x" * 400 + "y", 399)[:3]
    '…xx'
    """
    begin = max(0, min(start, len(text) - MOST_CHARACTERS))
    piece = text[begin : begin + MOST_CHARACTERS]
    return (CUT if begin else "") + piece + (CUT if begin + MOST_CHARACTERS < len(text) else "")


def _explain(answer: Any, row: Row, model: LoadedModel) -> None:
    """Find the deciding sentence of a row that was judged without its sentences."""
    if answer["end"] or not answer["understood"]:
        return
    for predicted in model.predict_all([row.review], "sentences"):
        if not isinstance(predicted, MessageError):
            verdict = messages.build_verdict(predicted.encoded, predicted.score, model.identity)
            answer["start"], answer["end"] = deciding_span(verdict)
