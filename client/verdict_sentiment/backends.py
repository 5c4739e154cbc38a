"""Choose where a command judges reviews: by the service at a URL, or in this process."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from verdict_sentiment._packages import load, messages
from verdict_sentiment.calls import MAX_REVIEWS, Aspects
from verdict_sentiment.client import Verdict
from verdict_sentiment.exchange import Policy
from verdict_sentiment.literals import Explain
from verdict_sentiment.local import INSTALL, load_hooks, model_errors
from verdict_sentiment.results import Judged

# The packages of the extra [local].
LIBRARIES = ("onnxruntime", "numpy", "nltk", "bs4")
MAX_WORKERS = 1024

# A part of a file, as training/files/rows.py cuts it.
Part = Any
# Takes parts, and yields each with its answers as JSON lines.
Judge = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]


class UsageError(Exception):
    """A command line that can't be executed. The sentence names a correct one."""


class Backend(NamedTuple):
    """A place that judges a file: the key of its answers, its function, and the most rows of a part."""

    key: tuple[str, ...]
    judge: Judge
    rows: int


def add_flags(parser: argparse.ArgumentParser, *, shared: bool = True) -> None:
    """Add the flags that choose the backend; ``shared`` if several processes may share a file."""
    group = parser.add_argument_group("where reviews are judged")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--url", help="by the service at this URL (default: VERDICT_URL)")
    where.add_argument("--local", action="store_true", help="in this process, whatever VERDICT_URL says")
    where.add_argument("--model", metavar="PATH", help="in this process, by the model in this folder")
    if shared:
        group.add_argument(
            "--workers",
            type=number,
            default=os.cpu_count() or 1,
            metavar="N",
            help="processes that share a file when it is judged here (default: cores)",
        )
    else:
        parser.set_defaults(workers=1)
    group.add_argument(
        "--timeout",
        type=seconds,
        default=Policy().timeout,
        metavar="S",
        help="limit of one try in seconds (default %(default)g)",
    )
    group.add_argument(
        "--deadline",
        type=seconds,
        default=Policy().deadline,
        metavar="S",
        help="limit of a call with all its tries in seconds (default %(default)g)",
    )


def url_of(options: argparse.Namespace) -> str | None:
    """Return the service's URL, or None to judge in this process. Raises UsageError."""
    if options.local or options.model is not None:
        return None
    url = options.url or os.environ.get("VERDICT_URL") or None
    if url is None and not is_installed():
        raise UsageError(
            f"no service is named; give --url or VERDICT_URL, or judge without one after {INSTALL}"
        )
    return url


def model_of(options: argparse.Namespace) -> str | None:
    """Return the model folder that --model names, None for the published model."""
    name: str | None = options.model
    return None if name is None or is_published(name) else name


def is_published(name: str) -> bool:
    """Return whether a name means the published model: "published", unless a folder is called so."""
    return name == "published" and not Path(name).exists()


def is_installed() -> bool:
    """Return whether the packages for judging in this process are installed."""
    return all(find_spec(name) for name in LIBRARIES)


def open_verdict(options: argparse.Namespace) -> Verdict:
    """Return the client for the chosen backend. Raises UsageError or VerdictError."""
    url = url_of(options)
    if url is None:
        return Verdict.local(model_of(options))
    key = os.environ.get("VERDICT_API_KEY") or None
    try:
        return Verdict(url, key, timeout=options.timeout, deadline=options.deadline)
    except ValueError as error:
        raise UsageError(f"{error}; look at --url, VERDICT_URL and VERDICT_API_KEY") from error


@contextmanager
def open_backend(
    options: argparse.Namespace, count: int, aspects: Aspects | None = None
) -> Iterator[Backend]:
    """Yield the backend for a file with so many rows to judge, by aspects too, and explained as asked.

    Raises UsageError or VerdictError.
    """
    if url_of(options) is None:
        folder, rows = Path(model_of(options) or load_hooks().MODEL_FOLDER), load("training.files.rows")
        processes, explain = load("training.files.processes"), options.explain
        with model_errors(), processes.open_hooks(folder, options.workers, count, aspects, explain) as hooks:
            yield Backend(("hooks", hooks.key), hooks.predict, rows.PART_ROWS)
        return
    with open_verdict(options) as verdict:
        card = verdict.model()
        service = ("service", card["id"], card["vocabulary"])
        yield Backend(service, lambda parts: _judge(verdict, parts, aspects, options.explain), MAX_REVIEWS)


def _judge(
    verdict: Verdict, parts: Iterable[Part], aspects: Aspects | None = None, explain: Explain = "none"
) -> Iterator[tuple[Part, bytes]]:
    """Yield parts with a service's answers, written as the endpoint writes them."""
    for part in parts:
        results = verdict.batch(zip(part.ids, part.reviews, strict=True), explain, aspects=aspects)
        yield part, b"\n".join(map(_line, results))


def _line(judged: Judged) -> bytes:
    if judged.answer is None:
        assert judged.error is not None
        error = {"code": judged.error.code, "detail": judged.error.detail}
        return messages.to_json({"error": error, "id": judged.id})
    return messages.to_json(judged.answer.to_message() | {"id": judged.id})


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
