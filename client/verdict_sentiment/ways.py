"""Where a command's reviews are judged: by the service at a URL, or in this process."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from verdict_sentiment._shared import load, messages
from verdict_sentiment.calls import MAX_BYTES, MAX_REVIEWS
from verdict_sentiment.client import Verdict
from verdict_sentiment.exchange import Policy
from verdict_sentiment.local import INSTALL, HooksService, load_hooks
from verdict_sentiment.results import Judged

# What the extra [local] installs.
LIBRARIES = ("onnxruntime", "numpy", "nltk", "bs4")
MAX_WORKERS = 1024

# A part of a file, as training/files/rows.py cuts it, and its answers as JSON lines.
Part = Any
Answering = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]
# The same, given how many rows are sent in all.
Hooks = Callable[[Iterable[Part], int], Iterator[tuple[Part, bytes]]]


class UsageError(Exception):
    """What was typed can't be done, in one sentence with what to type instead."""


class Way(NamedTuple):
    """Where a file is judged: what its answers hang on, who answers its parts, and how large these may be."""

    key: tuple[str, ...]
    answering: Answering
    rows: int
    bytes: int


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where reviews are judged."""
    group = parser.add_argument_group("where reviews are judged")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--url", help="by the service at this URL (default: VERDICT_URL)")
    where.add_argument("--local", action="store_true", help="in this process, whatever VERDICT_URL says")
    where.add_argument("--model", metavar="PATH", help="in this process, by the model in this folder")
    group.add_argument(
        "--workers",
        type=number,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that share a file when no service is asked (default: cores)",
    )
    group.add_argument(
        "--timeout",
        type=seconds,
        default=Policy().timeout,
        metavar="S",
        help="seconds that a service has for one try (default %(default)g)",
    )
    group.add_argument(
        "--deadline",
        type=seconds,
        default=Policy().deadline,
        metavar="S",
        help="seconds that a call may take with all its tries (default %(default)g)",
    )


def url_of(options: argparse.Namespace) -> str | None:
    """Give the service's URL, or None when reviews are judged in this process. Raises UsageError."""
    if options.local or options.model is not None:
        return None
    url = options.url or os.environ.get("VERDICT_URL") or None
    if url is None and not is_installed():
        raise UsageError(
            f"no service is named; give --url or VERDICT_URL, or judge without one after {INSTALL}"
        )
    return url


def is_installed() -> bool:
    """Say whether reviews can be judged in this process."""
    return all(find_spec(name) for name in LIBRARIES)


def open_verdict(options: argparse.Namespace) -> Verdict:
    """Give what judges reviews. Raises UsageError, or VerdictError when it can't be had here."""
    url = url_of(options)
    if url is None:
        return Verdict.local(options.model)
    key = os.environ.get("VERDICT_API_KEY") or None
    try:
        return Verdict(url, key, timeout=options.timeout, deadline=options.deadline)
    except ValueError as error:
        raise UsageError(f"{error}; look at --url, VERDICT_URL and VERDICT_API_KEY") from error


def hooks(options: argparse.Namespace, path: Path) -> AbstractContextManager[Hooks | None]:
    """Give what answers a file's parts in this process and in some of its own; None if a service does.

    A long file's processes start here. Raises UsageError or VerdictError.
    """
    if url_of(options) is not None:
        return nullcontext()
    HooksService(_folder(options))  # says in a sentence what is wrong with it
    started: AbstractContextManager[Hooks] = load("training.files.processes").answering(
        _folder(options), path, options.workers
    )
    return started


@contextmanager
def open_way(options: argparse.Namespace, here: Hooks | None, sent: int) -> Iterator[Way]:
    """Give the way of a file of which so many rows are sent. Raises UsageError or VerdictError."""
    if here:
        rows, key = load("training.files.rows"), load("training.files.processes").model_key(_folder(options))
        yield Way(("hooks", key), lambda parts: here(parts, sent), rows.PART_ROWS, rows.PART_BYTES)
        return
    with open_verdict(options) as verdict:
        card = verdict.model()
        service = ("service", card["id"], card["vocabulary"])
        yield Way(service, lambda parts: _asked(verdict, parts), MAX_REVIEWS, MAX_BYTES)


def _folder(options: argparse.Namespace) -> Path:
    return Path(options.model or load_hooks().MODEL_FOLDER)


def _asked(verdict: Verdict, parts: Iterable[Part]) -> Iterator[tuple[Part, bytes]]:
    """Ask a service for parts, and put its answers as the endpoint writes them."""
    for part in parts:
        lines = map(messages.parse_json, part.data.split(b"\n"))
        judged = verdict.batch((line["id"], line["review"]) for line in lines)
        yield part, b"\n".join(map(_line, judged))


def _line(one: Judged) -> bytes:
    if one.answer is None:
        assert one.error is not None
        return messages.to_json({"error": {"code": one.error.code, "detail": one.error.detail}, "id": one.id})
    return messages.to_json(one.answer.to_message() | {"id": one.id})


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"must be seconds, more than 0 and at most a day, got {value:g}")
    return value


def number(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"must lie from 1 to {MAX_WORKERS}, got {value}")
    return value
