"""Judge a column of a frame (pandas, Polars, PyArrow): the frame comes back with the verdicts as columns."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from verdict_sentiment._packages import MessageError, load, messages
from verdict_sentiment.calls import Aspects
from verdict_sentiment.client import Verdict
from verdict_sentiment.judging import ModelPath, load_texts, open_judge, process_errors
from verdict_sentiment.literals import Explain

try:
    import narwhals as nw
    from narwhals.typing import IntoDataFrameT
except ImportError as error:
    raise ImportError(
        f"{error.name} is not installed, which frames need; run: pip install 'verdict-sentiment[frames]'"
    ) from error

# A text's verdict, as training/files/texts.py returns it.
Judged = Any

_NUMBERS = {"sentences": ("contribution", "alone", "without"), "words": ("contribution", "effect")}
_STRUCTS = {
    part: nw.Struct({"text": nw.String(), **dict.fromkeys(numbers, nw.Float64())})
    for part, numbers in _NUMBERS.items()
}
# The columns of each level of explanation, and what their lists hold.
_PARTS: dict[str, dict[str, nw.Struct]] = {
    "none": {},
    "sentences": {"sentences": _STRUCTS["sentences"]},
    "words": _STRUCTS,
}


def judge(
    frame: IntoDataFrameT,
    column: str | None = None,
    explain: Explain = "none",
    workers: int | None = None,
    model: ModelPath = None,
    url: str | None = None,
    aspects: Aspects | None = None,
) -> IntoDataFrameT:
    """Return the frame with the columns that `verdict file.csv` adds; rows, order and index stay.

    A missing text, or a cell that is no text, has an ``error`` of its own. ``column`` is the texts' (default:
    the only one with a usual name, such as review). ``explain`` is "none", "sentences" or "words"; the latter
    two add columns of these names, with lists. ``workers`` processes share the texts (default: cores).
    ``model`` is a model's folder (default: the published model). With ``url``, the service there judges, with
    the key in VERDICT_API_KEY. ``aspects``, as in ``Verdict.sentiment``, add three columns each: its verdict,
    its probability and its contribution.

    Raises TypeError for another kind of frame, ValueError for an argument that can't be used, and
    VerdictError when there are no verdicts.
    """
    if url is not None and (model is not None or workers is not None):
        raise ValueError("url asks a service; leave model and workers out, or leave url out")
    try:
        messages.check_explain(explain)
        parsed = None if aspects is None else messages.parse_aspects(aspects)
    except MessageError as error:
        raise ValueError(error.detail) from error
    narwhal = _open(frame)
    cells = _cells(narwhal, column)
    texts = [cell for cell in cells if isinstance(cell, str)]
    with process_errors():
        if url is None:
            verdicts = _here(texts, explain, model, workers, parsed)
        else:
            verdicts = _by_service(texts, explain, url, aspects)
        judged = iter([*tqdm(verdicts, total=len(texts), desc="judging", unit="review", disable=None)])
    failed = load_texts().failed
    rows = [failed(cell) if isinstance(cell, MessageError) else next(judged) for cell in cells]
    names = [aspect.name for aspect in parsed or ()]
    return narwhal.with_columns(*_columns(narwhal, rows, _PARTS[explain], names)).to_native()


def _open(frame: IntoDataFrameT) -> "nw.DataFrame[IntoDataFrameT]":
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise TypeError(
            f"judge takes a frame of pandas, Polars or PyArrow, got {type(frame).__name__}; call collect() on"
            " a lazy frame, to_frame() on a series"
        ) from error
    except nw.exceptions.DuplicateError as error:
        raise ValueError("two columns of the frame have the same name; rename one") from error


def _cells(frame: "nw.DataFrame[Any]", column: str | None) -> list[str | MessageError]:
    """Return the texts of a column, and an error for each cell without one. Raises ValueError."""
    name = _column(frame.columns, column)
    values, missing = frame[name].to_list(), frame[name].is_null().to_list()
    kinds = {type(value).__name__ for value, lacks in zip(values, missing, strict=True) if not lacks}
    if kinds and not any(isinstance(value, str) for value in values):
        raise ValueError(f"the column {name!r} holds no text but {min(kinds)}; name another with column=")
    return list(map(_cell, values, missing))


def _column(names: Sequence[str], column: str | None) -> str:
    """Return the column of texts. Raises ValueError."""
    if column is not None and column in names:
        return column
    rows = load("training.files.rows")
    found = rows.review_columns([name for name in names if isinstance(name, str)])
    if column is not None:
        lack = f"no column {column!r}; it has {rows.list_columns([*map(str, names)])}"
    elif found[1:]:
        lack = f"more than one column that may hold reviews: {rows.list_columns(found)}"
    elif found:
        return str(found[0])
    else:
        lack = f"no column of reviews; it has {rows.list_columns([*map(str, names)])}"
    raise ValueError(f"the frame has {lack}; name one with column=")


def _cell(value: object, missing: bool) -> str | MessageError:
    if missing:
        return MessageError(400, "missing_field", "the cell is missing; fill it with a text")
    try:
        return messages.check_review(value)
    except MessageError as error:
        return error


def _here(
    texts: Sequence[str], explain: Explain, model: ModelPath, workers: int | None, aspects: Any
) -> Iterator[Judged]:
    with open_judge(model, workers) as judge:
        yield from judge.judge(texts, explain, aspects)


def _by_service(
    texts: Iterable[str], explain: Explain, url: str, aspects: Aspects | None
) -> Iterator[Judged]:
    judging = load_texts()
    with Verdict(url) as verdict:
        for judged in verdict.batch(texts, explain, aspects):
            if judged.answer is None:
                error = judged.error
                assert error is not None
                yield judging.failed(MessageError(error.status or 0, error.code, error.detail))
            else:
                yield judging.to_judged(judged.answer.to_message(), judged.answer.model.id)


def _columns(
    frame: "nw.DataFrame[Any]", rows: Sequence[Judged], parts: Mapping[str, nw.Struct], aspects: Sequence[str]
) -> "Iterator[nw.Series[Any]]":
    """Yield the columns to add. What a row has not is null."""
    files, backend = load("training.files.rows"), frame.implementation
    names = iter(files.added_names(frame.columns, (*files.aspect_columns(aspects), *parts)))
    for field in files.ADDED:
        values = [getattr(row.prediction, field) for row in rows]
        yield _series(next(names), field, values, backend)
    for aspect, field in itertools.product(aspects, files.ASPECT_FIELDS):
        values = [row.prediction.aspects.get(aspect, {}).get(field) for row in rows]
        yield _series(next(names), field, values, backend)
    for part, struct in parts.items():
        # A column of pandas holds Python's own lists.
        kind = None if backend.is_pandas_like() else nw.List(struct)
        yield nw.new_series(next(names), [row.parts.get(part) for row in rows], kind, backend=backend)


def _series(name: str, field: str, values: Sequence[Any], backend: Any) -> "nw.Series[Any]":
    kind: Any = nw.Float64 if field in ("probability", "contribution") else nw.String
    return nw.new_series(name, [None if value == "" else value for value in values], kind, backend=backend)
