"""The rows of a batch: read from a file, sent as JSON lines, joined with their predictions, written.

A file is CSV, TSV, an Excel sheet, JSON lines, or one review a line. A row's number in the file identifies
it, since its own id may be repeated. Nothing here holds more than a part of the file in memory.
"""

import argparse
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from training.files.explained import EXPLAINED, Explained, explained_cells, explained_columns, parse_explained
from training.files.formulas import guard, unguard
from training.files.progress import reading_bar
from training.files.reading import BatchError as BatchError
from training.files.reading import Noted, csv_lists, delimiter_of, sheet_lists, text_lines
from vocab import messages, typed
from vocab.messages import AspectsValue, MessageError
from vocab.messages.body import describe_type

COLUMNS = ("review", "text", "comment", "review_text", "content", "body", "message", "sentence")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "lines",
    ".xlsx": "xlsx",
}
FORMATS = ("csv", "tsv", "jsonl", "lines", "xlsx")
DELIMITERS = {"csv": ",", "tsv": "\t"}
# Names for --delimiter. A shell passes a tab as two characters, unless it is asked for one.
DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}
# The name of the only column of a file of plain lines.
LINES_COLUMN = "review"
# The columns added to a row. A name that the file already has gets a prefix.
ADDED = ("sentiment", "reason", "probability", "warnings", "model", "error", "detail")
ERROR_COLUMNS = ADDED[-2:]
# Of each aspect of a CSV row: its verdict, P(positive) of its clauses, and its part of the logit.
ASPECT_FIELDS = ("sentiment", "probability", "contribution")
PREFIX = "verdict_"
MAX_COLUMNS = 1_000
# One unit of work: small enough to share, and lost by a stop. The endpoint reads at most 4,000,000 bytes.
PART_ROWS, PART_BYTES = 250, 3_000_000
# The most bytes of a JSON line beside its review, and of a unit of UTF-16 in it: \\uXXXX.
LINE_BYTES, UNIT_BYTES = 50, 6
# A longer or wordier cell of the first row may be a review, so messages do not show it.
NAME_CHARACTERS, NAME_WORDS = 40, 4
# Messages show at most so many columns.
SHOWN_COLUMNS = 6
NO_ASPECTS: Mapping[str, dict[str, Any]] = {}
NOTHING_EXPLAINED: Explained = {}


class Row(NamedTuple):
    """A row of the file: its number from 0, its content, and its review or the error that it has.

    ``fields`` are a CSV row's cells, or the only cell of a plain line. ``line`` is a JSON line's text and
    ``values`` its object, None if it is no object. ``place`` names the row's first line in the file, and
    ``remark`` says what is odd about a row that can be read all the same.
    """

    number: int
    fields: list[str]
    line: str
    values: dict[str, Any] | None
    review: str
    error: MessageError | None
    place: str = ""
    remark: str = ""


class Source(NamedTuple):
    """A file of reviews: its path, format, column of the review, all columns, and a CSV's delimiter."""

    path: Path
    format: str
    column: str
    columns: list[str]
    delimiter: str = ","

    def rows(self, doing: str | None = None) -> Iterator[Row]:
        """Yield the rows, in order; on a terminal, a bar called ``doing`` shows how far the file is read.

        Raises BatchError when the whole file can't be read.
        """
        with reading_bar(self.path, doing) as noted:
            yield from _ROWS[self.format](self, noted)


class Count(NamedTuple):
    """Counts of a file: rows, rows with an error, and the lines and bytes to send.

    ``bytes`` is 0 where nobody asked for it.
    """

    rows: int
    unread: int
    sent: int
    bytes: int


class Part(NamedTuple):
    """Rows that are sent together: the part's number, the rows' numbers, and their reviews."""

    number: int
    ids: "array[int]"
    reviews: list[str]

    def lines(self) -> bytes:
        """Return the rows as JSON lines for the model."""
        return b"\n".join(map(to_line, self.ids, self.reviews))


class Prediction(NamedTuple):
    """The cells added to a row: a verdict, with a reason if it is uncertain, or an error with its detail.

    ``aspects`` are those that were asked for, as the API answers them; empty without any. ``explained`` holds
    the API's fields that explain the verdict; empty unless they were asked for.
    """

    sentiment: str = ""
    reason: str | None = None
    probability: float | None = None
    warnings: str = ""
    model: str = ""
    error: str = ""
    detail: str = ""
    aspects: Mapping[str, dict[str, Any]] = NO_ASPECTS
    explained: Explained = NOTHING_EXPLAINED


# --- reading ------------------------------------------------------------------------------------


def format_of(path: Path, format: str | None = None) -> str:
    """Return the named format or that of a file's suffix: one of FORMATS. Raises BatchError."""
    format = format or SUFFIXES.get(path.suffix.lower())
    if not format:
        raise BatchError(
            f"{path} has a name without a known format; call it {' or '.join(SUFFIXES)}, or"
            " name an input's with --format"
        )
    return format


def output_format(path: Path) -> str:
    """Return an output's format by its suffix. Raises BatchError."""
    if path.suffix.lower() not in SUFFIXES:
        raise BatchError(f"{path} has a name without a known format; call it .csv, .tsv or .jsonl")
    format = format_of(path)
    if format == "lines":
        raise BatchError(f"{path} would hold more than a text a line; call it .csv, .tsv or .jsonl")
    if format == "xlsx":
        raise BatchError(f"{path} can't be written, only read; call it .csv, .tsv or .jsonl")
    return format


def open_source(path: Path, format: str, column: str | None = None, delimiter: str | None = None) -> Source:
    """Open a file and find its columns and the one with reviews. Raises BatchError.

    ``delimiter`` is a CSV's; without one, the header tells it.
    """
    delimiter = _delimiter(path, format, delimiter)
    header = _columns(path, format, delimiter)
    name = _column(header, column)
    if name is None:
        lack = f"no column {column!r}" if column else "no column of reviews"
        where = f"{path}, of which only the first sheet is read," if format == "xlsx" else path
        raise BatchError(f"{where} has {lack}; it has {list_columns(header)}; {_remedy(header)}")
    if header.count(name) > 1:
        raise BatchError(f"{path} has two columns {name[:40]!r}; rename one")
    return Source(path, format, name, header, delimiter)


def header_of(path: Path, format: str, delimiter: str | None = None) -> list[str]:
    """Return the columns of a file. Raises BatchError."""
    return _columns(path, format, _delimiter(path, format, delimiter))


def _columns(path: Path, format: str, delimiter: str) -> list[str]:
    if format == "lines":
        return [LINES_COLUMN]
    return _json_keys(path) if format == "jsonl" else _header(path, format, delimiter)


def parse_delimiter(text: str) -> str:
    """Return the delimiter that a flag names: one character, or one of DELIMITER_NAMES. Raises ValueError.

    >>> parse_delimiter("tab"), parse_delimiter(";")
    ('\\t', ';')
    """
    sign = DELIMITER_NAMES.get(text.lower(), text)
    if len(sign) != 1 or sign in "\"'\r\n\0" or sign.isalnum():
        raise ValueError(f"a delimiter is one sign, such as ; or tab, got {text[:20]!r}")
    return sign


def add_format(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Add the flags that say how a file is to be read."""
    parser.add_argument("--format", choices=formats, help="the file's format (default: by its name)")
    parser.add_argument(
        "--delimiter",
        type=_delimiter_flag,
        metavar="SIGN",
        help="what parts a CSV's columns: , ; tab or another sign (default: , or ; by its first line)",
    )


def _delimiter_flag(text: str) -> str:
    try:
        return parse_delimiter(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _delimiter(path: Path, format: str, delimiter: str | None) -> str:
    """Return the delimiter of a file. Raises BatchError where it can have none."""
    if delimiter is not None and format not in DELIMITERS:
        raise BatchError(f"--delimiter is for CSV and TSV, and {path} is read as {format}; leave it out")
    return delimiter or (delimiter_of(path) if format == "csv" else DELIMITERS.get(format, ","))


def review_columns(header: list[str]) -> list[str]:
    """Return the columns with a usual name for reviews, the likeliest first."""
    plain = {name.strip().lower(): name for name in reversed(header)}
    return [plain[name] for name in COLUMNS if name in plain]


def list_columns(header: list[str]) -> str:
    """Format the first columns for a message. A long one may be a review, so only its length is shown.

    >>> list_columns(["id", "I liked it much more than I thought"])
    "'id', (35 characters)"
    """
    more = [f"{len(header) - SHOWN_COLUMNS:,} more"] if len(header) > SHOWN_COLUMNS else []
    return ", ".join([*map(_shown_name, header[:SHOWN_COLUMNS]), *more]) or "none"


def _shown_name(name: str) -> str:
    short = len(name) <= NAME_CHARACTERS and len(name.split()) <= NAME_WORDS
    return repr(name) if short else f"({len(name):,} characters)"


def _remedy(header: list[str]) -> str:
    if len(header) == 1 and "\t" in header[0]:
        return "its columns are cut by another sign than a comma; give --delimiter tab, or call it .tsv"
    return f"name one with {typed.choose('FLAGS=--column=NAME', '--column')}"


def _column(header: list[str], name: str | None) -> str | None:
    if name:
        return name if name in header else None
    return next(iter(review_columns(header)), None)


def count(source: Source, sized: bool = False, aspects: AspectsValue | None = None) -> Count:
    """Count the rows of a file, and with ``sized`` the bytes to send; check that all of it can be read.

    Raises BatchError.
    """
    rows = unread = sent = size = 0
    for row in source.rows("checking"):
        rows += 1
        if row.error:
            unread += 1
        else:
            sent += 1
            if sized:
                size += len(to_line(row.number, row.review, aspects)) + 1
    if not rows:
        raise BatchError(f"{source.path} holds no row; give a file with a review")
    return Count(rows, unread, sent, size)


def _header(path: Path, format: str, delimiter: str) -> list[str]:
    for _, header in _lists(path, format, delimiter):
        return header
    raise BatchError(f"{path} is empty; give a file with a header and a review")


def _json_keys(path: Path) -> list[str]:
    """Return every key of a file's objects, in order of appearance. Raises BatchError."""
    names: dict[str, None] = {}
    empty = True
    for _, line in text_lines(path):
        empty = False
        try:
            names.update(dict.fromkeys(_object(line)))
        except MessageError:
            continue
        if len(names) > MAX_COLUMNS:
            raise BatchError(f"{path} has objects of over {MAX_COLUMNS:,} names; send what you need")
    if empty:
        raise BatchError(f'{path} is empty; give a file with a line like {{"review": "..."}}')
    if not names:
        raise BatchError(f'{path} has no line that is an object like {{"review": "..."}}')
    return list(names)


def _lists(
    path: Path, format: str, delimiter: str, noted: Noted | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with their places in the file, its header first, without our guards."""
    rows = sheet_lists(path, noted) if format == "xlsx" else csv_lists(path, delimiter, noted)
    for place, cells in rows:
        yield place, [unguard(cell) if cell[:1] == "'" else cell for cell in cells]


def _table_rows(source: Source, noted: Noted | None) -> Iterator[Row]:
    width, unit = len(source.columns), "row" if source.format == "xlsx" else "line"
    lists = _lists(source.path, source.format, source.delimiter, noted)
    next(lists, None)
    for number, (place, fields) in enumerate(lists):
        # Some spreadsheets omit the empty cells at a row's end.
        cells = (fields + [""] * width)[:width]
        try:
            review, error = _cell(fields, source), None
        except MessageError as wrong:
            review, error = "", wrong
        yield Row(number, cells, "", None, review, error, f"{unit} {place:,}", _remark(fields, width))


def _cell(fields: list[str], source: Source) -> str:
    """Return a row's review. Raises MessageError, which holds the fields that have no column."""
    width, index = len(source.columns), source.columns.index(source.column)
    many = len(fields) > width and source.format != "xlsx"
    if not many and len(fields) > index:
        return _check(fields[index], source.column)
    lacks = ", ".join(map(_shown_name, source.columns[len(fields) :]))
    what = f"beyond them: {_listed(fields[width:])}" if many else f"it lacks {lacks}"
    raise MessageError(
        400,
        "malformed_csv",
        f"the row has {len(fields)} field{'s' * (len(fields) != 1)}, the header {width}; {what}; quote a"
        f" field that holds {_SIGN_NAMES.get(source.delimiter, repr(source.delimiter))}",
    )


def _remark(fields: list[str], width: int) -> str:
    """Return what is said of a sheet's cells that have no column; empty without any."""
    if len(fields) <= width:
        return ""
    return f"cells beyond the header: {_listed(fields[width:])}"


def _listed(fields: list[str]) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _json_rows(source: Source, noted: Noted | None) -> Iterator[Row]:
    for number, (place, line) in enumerate(text_lines(source.path, noted)):
        values = None
        try:
            values = _object(line)
            yield Row(number, [], line, values, _value(values, source.column), None, f"line {place:,}")
        except MessageError as error:
            yield Row(number, [], line, values, "", error, f"line {place:,}")


def _line_rows(source: Source, noted: Noted | None) -> Iterator[Row]:
    for number, (place, line) in enumerate(text_lines(source.path, noted)):
        try:
            yield Row(number, [line], "", None, _check(line), None, f"line {place:,}")
        except MessageError as error:
            yield Row(number, [line], "", None, "", error, f"line {place:,}")


_ROWS = {
    "csv": _table_rows,
    "tsv": _table_rows,
    "xlsx": _table_rows,
    "jsonl": _json_rows,
    "lines": _line_rows,
}
_SIGN_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _object(line: str) -> dict[str, Any]:
    values = messages.parse_json(line, "line")
    if not isinstance(values, dict):
        raise MessageError(
            400,
            "wrong_type",
            f'the line is {describe_type(values)}, no object like {{"review": "..."}}',
        )
    return values


def _value(values: dict[str, Any], column: str) -> str:
    if column not in values:
        raise MessageError(
            400,
            "missing_field",
            f"the line lacks {_shown_name(column)}; it has {list_columns(list(values))}",
        )
    return _check(values[column], column)


def _check(review: object, column: str | None = None) -> str:
    """Return a row's review. Raises MessageError, which says what is wrong with the row."""
    what = "the line" if column is None else _shown_name(column)
    if not isinstance(review, str):
        raise MessageError(
            400, "wrong_type", f"{what} is {describe_type(review)}; it must be a text in quotes"
        )
    if len(review) > messages.MAX_REVIEW_CHARACTERS:
        raise MessageError(
            413,
            "too_long",
            f"{what} has {len(review):,} characters, at most {messages.MAX_REVIEW_CHARACTERS:,} are read; cut"
            " it shorter, or into several rows",
        )
    return review


# --- sending ------------------------------------------------------------------------------------


def to_line(number: int, review: str, aspects: AspectsValue | None = None) -> bytes:
    """Return a row's JSON line for the model; its number is its id."""
    line = {"id": number, "review": review}
    return messages.to_json(line if aspects is None else line | {"aspects": aspects})


def parts(rows: Iterable[Row], most: int = PART_ROWS, most_bytes: int = PART_BYTES) -> Iterator[Part]:
    """Yield rows without an error in parts of at most ``most`` rows, or one row.

    The JSON lines of several rows have at most ``most_bytes`` bytes, with any escapes.
    """
    part, size = Part(0, array("Q"), []), 0
    for row in rows:
        if row.error:
            continue
        length = LINE_BYTES + UNIT_BYTES * len(row.review.encode("utf-16-le", "surrogatepass")) // 2
        if part.ids and (len(part.ids) == most or size + length > most_bytes):
            yield part
            part, size = Part(part.number + 1, array("Q"), []), 0
        part.ids.append(row.number)
        part.reviews.append(row.review)
        size += length
    if part.ids:
        yield part


def parse_predictions(data: bytes, ids: Iterable[int] | None = None) -> dict[int, Prediction]:
    """Parse a part's predictions, by row number. Raises BatchError for a malformed one.

    With ``ids``, exactly those rows must have a prediction, each one.
    """
    answers: dict[int, Prediction] = {}
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        number, answer = _parse_prediction(line)
        if number in answers:
            raise BatchError(f"row {number + 1:,} was answered twice; run it again, or look at the job's log")
        answers[number] = answer
    if ids is not None and answers.keys() != set(ids):
        odd = min(answers.keys() ^ set(ids))
        raise BatchError(f"row {odd + 1:,} did not come back as it was sent; run it again")
    return answers


def _parse_prediction(line: bytes) -> tuple[int, Prediction]:
    try:
        message = messages.parse_json(line)
        number = message["id"]
        if type(number) is not int:
            raise ValueError("an id is a row's number")
        if "error" in message:
            error = message["error"]
            return number, Prediction(error=_text(error["code"]) or "unknown", detail=_text(error["detail"]))
        probability = message["probability"]
        if type(probability) not in (int, float) or not 0 <= probability <= 1:
            raise ValueError("no probability")
        sentiment, reason = message["sentiment"], message["reason"]
        if sentiment not in messages.SENTIMENTS:
            raise ValueError("no sentiment")
        if reason not in (messages.REASONS if sentiment == "uncertain" else (None,)):
            raise ValueError("no reason")
        warnings = ";".join(_text(warning["code"]) for warning in message["warnings"])
        model = _text(message["model"]["id"])
        aspects = {name: _aspect(aspect) for name, aspect in message.get("aspects", {}).items()}
        return number, Prediction(
            sentiment,
            reason,
            float(probability),
            warnings,
            model,
            aspects=aspects or NO_ASPECTS,
            explained=parse_explained(message),
        )
    except (MessageError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BatchError("an answer is malformed; look at the job's log") from error


def _aspect(message: dict[str, Any]) -> dict[str, Any]:
    """Return what is answered of an aspect, when its cells are of the right kinds."""
    sentiment = message["sentiment"]
    if sentiment == messages.NOT_MENTIONED:
        return {"sentiment": sentiment}
    numbers = message["probability"], message["contribution"]
    if not {*map(type, numbers)} <= {int, float} or not 0 <= numbers[0] <= 1:
        raise ValueError("no probability of an aspect, or no contribution")
    if sentiment not in messages.SENTIMENTS or not isinstance(message["mentions"], list):
        raise ValueError("no verdict on an aspect, or no mentions")
    return message


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


# --- joining and writing ------------------------------------------------------------------------


def join(
    rows: Iterable[Row], predictions: Iterable[dict[int, Prediction]]
) -> Iterator[tuple[Row, Prediction]]:
    """Yield each row with its answer, in the file's order. ``predictions`` are in the order of the rows.

    The details name the row's place in the file. Raises BatchError when a row has no answer, or an answer
    no row.
    """
    left = iter(predictions)
    current: dict[int, Prediction] = {}
    for row in rows:
        if row.error:
            yield row, Prediction(error=row.error.code, detail=_placed(row, row.error.detail))
            continue
        if not current:
            current = next(left, {})
        answer = current.pop(row.number, None)
        if answer is None:
            raise BatchError(f"row {row.number + 1:,} has no answer; run it again, or look at the job's log")
        detail = answer.detail or row.remark
        yield row, answer._replace(detail=_placed(row, detail)) if detail else answer
    if current or any(left):
        raise BatchError("there are more answers than rows; has the file changed? run it again")


def _placed(row: Row, detail: str) -> str:
    return f"{row.place}: {detail}" if row.place else detail


class Wish(NamedTuple):
    """What is written of each row: its aspects by name, how far it is explained, and cells as they are."""

    aspects: Sequence[str] = ()
    explain: str = "none"
    raw: bool = False


def write(
    joined: Iterable[tuple[Row, Prediction]],
    source: Source,
    out: TextIO,
    format: str,
    aspects: AspectsValue | None = None,
    explain: str = "none",
    raw: bool = False,
) -> tuple[int, int]:
    """Write rows with their predictions. Return the number of rows, and of rows with an error.

    ``aspects`` and ``explain`` are those that the rows were judged by. ``raw`` writes the cells of a CSV
    without a guard against formulas. Raises BatchError where a row lacks what was asked for.
    """
    wish = Wish(aspect_names(aspects), explain, raw)
    lines = (_to_json if format == "jsonl" else _to_csv)(joined, source, out, wish, format)
    count = failed = 0
    for prediction in lines:
        count += 1
        failed += bool(prediction.error)
    return count, failed


def aspect_names(aspects: AspectsValue | None) -> list[str]:
    """Return the names of the aspects to judge, in order. Raises MessageError 400."""
    return [] if aspects is None else [aspect.name for aspect in messages.parse_aspects(aspects)]


def aspect_columns(names: Iterable[str]) -> list[str]:
    """Return the columns of a CSV that hold aspects, ASPECT_FIELDS of each.

    >>> aspect_columns(["music"])
    ['aspect music', 'aspect music probability', 'aspect music contribution']
    """
    return [
        f"aspect {name}" if field == "sentiment" else f"aspect {name} {field}"
        for name in names
        for field in ASPECT_FIELDS
    ]


def added_names(columns: list[str], more: Iterable[str] = ()) -> list[str]:
    """Return the names of the columns that are added to a file with these columns: ADDED, and ``more``.

    >>> added_names(["review", "sentiment"])
    ['verdict_sentiment', 'reason', 'probability', 'warnings', 'model', 'error', 'detail']
    """
    names: list[str] = []
    for name in (*ADDED, *more):
        while name in columns or name in names:
            name = PREFIX + name
        names.append(name)
    return names


def check_writable(source: Source, format: str) -> None:
    """Check that JSON can hold all columns. Raises BatchError."""
    twice = next((name for name in source.columns if source.columns.count(name) > 1), None)
    if format == "jsonl" and twice is not None:
        raise BatchError(f"{source.path} has two columns {twice[:40]!r}; rename one, or write .csv")


def _to_csv(
    joined: Iterable[tuple[Row, Prediction]], source: Source, out: TextIO, wish: Wish, format: str
) -> Iterator[Prediction]:
    delimiter = DELIMITERS[format]
    more = aspect_columns(wish.aspects) + explained_columns(wish.explain)
    guarded: Callable[[Iterable[str]], Iterable[str]] = iter if wish.raw else partial(map, guard)
    out.write(_csv_line(guarded(source.columns + added_names(source.columns, more)), delimiter))
    for row, answer in joined:
        cells = cells_of(row, source) + [_as_cell(getattr(answer, field)) for field in ADDED]
        cells += _aspect_cells(answer, wish.aspects)
        cells += explained_cells(_explained(answer, wish.explain), wish.explain)
        out.write(_csv_line(guarded(cells), delimiter))
        yield answer


def _explained(answer: Prediction, explain: str) -> Explained:
    """Return what explains an answer. Raises BatchError where it lacks what was asked for."""
    if not answer.error and any(name not in answer.explained for name in EXPLAINED[explain]):
        raise BatchError("an answer lacks its explanation; the service may be of an earlier version")
    return answer.explained


def _aspect_cells(answer: Prediction, names: Sequence[str]) -> list[str]:
    """Return the cells of a row's aspects; those of a row with an error are empty."""
    if answer.error:
        return [""] * (len(ASPECT_FIELDS) * len(names))
    found = _asked(answer, names)
    return [_as_cell(found[name].get(field)) for name in names for field in ASPECT_FIELDS]


def _asked(answer: Prediction, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what is answered of each aspect that was asked for. Raises BatchError where one lacks."""
    try:
        return {name: answer.aspects[name] for name in names}
    except KeyError as error:
        raise BatchError("an answer lacks an aspect; the model may be of an earlier version") from error


def _csv_line(cells: Iterable[str], delimiter: str) -> str:
    """Return two cells or more as a line of CSV (RFC 4180), as csv.writer does in more time."""
    return delimiter.join(map(_QUOTED[delimiter], cells)) + "\r\n"


def _quoted(special: re.Pattern[str], cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if special.search(cell) else cell


# How to write a cell, by the file's delimiter.
_QUOTED = {sign: partial(_quoted, re.compile(f'["\r\n{sign}]')) for sign in DELIMITERS.values()}


def _as_cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cells_of(row: Row, source: Source) -> list[str]:
    """Return a row's cells of CSV, one a column of its file."""
    if source.format == "jsonl":
        return [_as_cell((row.values or {}).get(name)) for name in source.columns]
    return row.fields


def to_bytes(text: str) -> bytes:
    """Return a file's bytes. JSON can hold half a character (a lone surrogate), which no file can."""
    return text.encode(errors="replace")


def _to_json(
    joined: Iterable[tuple[Row, Prediction]], source: Source, out: TextIO, wish: Wish, format: str
) -> Iterator[Prediction]:
    fields = EXPLAINED[wish.explain]
    names = added_names(source.columns, ("aspects", *fields))
    of_aspects, own = names[len(ADDED)], names[len(ADDED) + 1 :]
    for row, answer in joined:
        added = {
            name: getattr(answer, field)
            for field, name in zip(ADDED, names, strict=False)
            if _is_written(field, answer)
        }
        if wish.aspects and not answer.error:
            added[of_aspects] = _asked(answer, wish.aspects)
        explained = _explained(answer, wish.explain)
        added |= {name: explained[field] for field, name in zip(fields, own, strict=True) if explained}
        out.write(_with(row, source, added) + "\n")
        yield answer


def _is_written(field: str, answer: Prediction) -> bool:
    """Return whether a JSON line has a field: of an error those that say so, else the others."""
    if field == "detail" and answer.detail:
        return True
    return (field in ERROR_COLUMNS) == bool(answer.error)


def _with(row: Row, source: Source, added: dict[str, Any]) -> str:
    """Return a row as one JSON line; the text of a JSON input line stays as it was."""
    if source.format != "jsonl":
        return json.dumps(dict(zip(source.columns, row.fields, strict=True)) | added, ensure_ascii=False)
    if not row.values:
        return json.dumps(added)
    return f"{row.line[:-1].rstrip()}, {json.dumps(added)[1:]}"
