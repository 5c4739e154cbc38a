"""Read files of rows as lists of cells: text in UTF-8 or UTF-16, CSV, and Excel sheets, a row at a time.

Each row comes with the number of the line, or of the sheet's row, at which it begins. Blank lines count.
"""

import csv
import warnings
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile, ZipFile

# A longer line has an unclosed quote, or is no text.
MAX_LINE_CHARACTERS = 10_000_000
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
EXCEL = "pip install 'verdict-sentiment[excel]'"
# A real workbook of a million rows has some 300 MB once it is unpacked.
MAX_WORKBOOK_BYTES = 4_000_000_000
# What a spreadsheet shows where a formula failed.
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
# Lines between two notes of how far a file is read.
NOTED_LINES = 200

# Takes how many bytes of a file have been read.
Noted = Callable[[int], object]


class BatchError(Exception):
    """A batch can't be run; the message says why and names a remedy."""


def csv_lists(path: Path, delimiter: str, noted: Noted | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield a CSV's rows, each with its first line's number, without blank lines. Raises BatchError.

    A misplaced quote would move all rows after it, so it is an error of the whole file.
    """
    csv.field_size_limit(MAX_LINE_CHARACTERS)
    with _opened(path, "") as file:
        reader = csv.reader(_whole_lines(file, path, noted), delimiter=delimiter, strict=True)
        first = 1
        try:
            for fields in reader:
                if fields:
                    yield first, fields
                first = reader.line_num + 1
        except csv.Error as error:
            begins = f", in the row that begins at line {first:,}" if first < reader.line_num else ""
            raise BatchError(
                f"{path} is no CSV at line {reader.line_num:,}{begins} ({error}); quote a field that holds a"
                " comma, a quote or a line break, and double the quotes in it"
            ) from error
        except UnicodeError as error:
            raise _undecodable(path, file, reader.line_num) from error


def delimiter_of(path: Path) -> str:
    """Return a CSV's delimiter: a semicolon where its first line holds more of them than commas."""
    _, line = next(text_lines(path), (0, ""))
    unquoted = "".join(line.split('"')[::2])
    return ";" if unquoted.count(";") > unquoted.count(",") else ","


def text_lines(path: Path, noted: Noted | None = None) -> Iterator[tuple[int, str]]:
    """Yield a text's lines with their numbers, stripped, without blank ones. Raises BatchError."""
    with _opened(path, "\n") as file:
        number = 0
        try:
            for line in _whole_lines(file, path, noted):
                number += 1
                if text := line.strip(" \t\r\n"):
                    yield number, text
        except UnicodeError as error:
            raise _undecodable(path, file, number) from error


def sheet_lists(path: Path, noted: Noted | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of an Excel workbook's first sheet, each with its number there, without empty ones.

    Rows have at least as many cells as the first. Raises BatchError.
    """
    try:
        import openpyxl
    except ModuleNotFoundError as error:
        raise BatchError(f"{path} needs openpyxl, which is not installed; run: {EXCEL}") from error
    _check_workbook(path)
    with path.open("rb") as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except Exception as error:  # openpyxl raises many types for a damaged file
            raise _no_workbook(path, error) from error
        width = 0
        for number, row in enumerate(_sheet_rows(path, book), 1):
            if noted and number % NOTED_LINES == 0:
                noted(file.tell())
            cells = [_as_text(value) for value in row]
            if filled := max((place for place, cell in enumerate(cells, 1) if cell), default=0):
                width = width or filled
                yield number, (cells + [""] * width)[: max(width, filled)]


def _sheet_rows(path: Path, book: Any) -> Iterator[tuple[object, ...]]:
    if not book.worksheets:
        raise BatchError(f"{path} has no sheet with rows; save one as the first sheet")
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise _no_workbook(path, error) from error
        if row is None:
            return
        yield row


def _check_workbook(path: Path) -> None:
    """Check that a file can be a workbook, before a library reads it. Raises BatchError."""
    try:
        with ZipFile(path) as file:
            size = sum(entry.file_size for entry in file.infolist())
    except OSError as error:
        raise BatchError(f"{path} can't be read: {error.strerror}") from error
    except BadZipFile as error:
        raise _no_workbook(path, error) from error
    if size > MAX_WORKBOOK_BYTES:
        raise BatchError(
            f"{path} has {size / 1e9:,.1f} GB once unpacked, too much for a workbook; save it as CSV"
        )


def _no_workbook(path: Path, error: Exception) -> BatchError:
    return BatchError(
        f"{path} is no Excel workbook that can be read ({type(error).__name__}); save it as .xlsx or CSV"
    )


def _as_text(value: object) -> str:
    """Return a cell as a CSV would hold it; a date in ISO's form, a failed formula as an empty cell.

    >>> _as_text(datetime(2026, 5, 3)), _as_text(4.0)
    ('2026-05-03', '4')
    """
    if value is None or value in ERRORS:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _opened(path: Path, newline: str) -> TextIO:
    try:
        return path.open(encoding=_encoding_of(path), newline=newline)
    except OSError as error:
        raise BatchError(f"{path} can't be read: {error.strerror}") from error


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in UTF_16_MARKS else "utf-8-sig"


def _whole_lines(file: TextIO, path: Path, noted: Noted | None = None) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        if noted and number % NOTED_LINES == 0:
            noted(file.buffer.tell())
        if len(line) > MAX_LINE_CHARACTERS:
            raise BatchError(
                f"{path} has a line {number:,} of over {MAX_LINE_CHARACTERS:,} characters; is it a file of"
                " reviews, one a line?"
            )
        yield line


def _undecodable(path: Path, file: TextIO, line: int) -> BatchError:
    place = f"after line {line:,}" if line else "near its start"
    name = "UTF-16, as its first bytes say" if file.encoding == "utf-16" else "UTF-8"
    return BatchError(f"{path} is not {name} ({place}); save it as UTF-8 and run this again")
