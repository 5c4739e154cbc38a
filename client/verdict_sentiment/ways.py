"""Where a command's reviews are judged: by the service at a URL, or in this process."""

import argparse
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from verdict_sentiment._shared import contract
from verdict_sentiment.calls import MAX_BYTES, MAX_REVIEWS
from verdict_sentiment.client import Verdict
from verdict_sentiment.exchange import Policy
from verdict_sentiment.results import Judged

# What the extra [local] installs.
LIBRARIES = ("onnxruntime", "numpy", "nltk", "bs4")
INSTALL = "pip install 'verdict-sentiment[local]'"


class UsageError(Exception):
    """What was typed can't be done, in one sentence with what to type instead."""


class Way(NamedTuple):
    """Where a file is judged: what its answers hang on, who answers its parts, and how large these may be."""

    key: tuple[str, ...]
    answering: Any
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
        "--timeout",
        type=_seconds,
        default=Policy().timeout,
        metavar="S",
        help="seconds that a service has for one try (default %(default)g)",
    )
    group.add_argument(
        "--deadline",
        type=_seconds,
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
    """Give what judges reviews. Raises UsageError."""
    url = url_of(options)
    if url is None:
        raise UsageError("judging in this process is not there yet; give --url")
    key = os.environ.get("VERDICT_API_KEY") or None
    try:
        return Verdict(url, key, timeout=options.timeout, deadline=options.deadline)
    except ValueError as error:
        raise UsageError(f"{error}; look at --url, VERDICT_URL and VERDICT_API_KEY") from error


def way_of(options: argparse.Namespace, verdict: Verdict) -> Way:
    """Give the way of a file. Raises VerdictError when the service does not answer."""
    card = verdict.model()
    return Way(("service", card["id"], card["vocabulary"]), _Asking(verdict).answered, MAX_REVIEWS, MAX_BYTES)


class _Asking:
    """Asks a service for parts, and puts its answers as the endpoint writes them."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def answered(self, parts: Iterable[Any]) -> Iterator[tuple[Any, bytes]]:
        for part in parts:
            lines = map(contract.parse_json, part.data.split(b"\n"))
            asked = [(line["id"], line["review"]) for line in lines]
            yield part, b"\n".join(map(_line, self._verdict.batch(asked)))


def _line(one: Judged) -> bytes:
    if one.answer is None:
        assert one.error is not None
        return contract.to_json({"error": {"code": one.error.code, "detail": one.error.detail}, "id": one.id})
    return contract.to_json(one.answer.to_message() | {"id": one.id})


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"must be seconds, more than 0 and at most a day, got {value:g}")
    return value
