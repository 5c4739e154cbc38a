"""Write one JSON line a request: outcome, lengths and time, never a review's words."""

import contextlib
import json
import select
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from chalicelib.stats import ReviewStats

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_began: ContextVar[float] = ContextVar("began", default=0.0)
_line: ContextVar[dict[str, Any] | None] = ContextVar("line", default=None)
_stats: ContextVar[Sequence[ReviewStats]] = ContextVar("stats", default=())
_watchers: list["Watcher"] = []
_late: deque[str] = deque()
# Other processes write to the same pipe. A write of up to this many bytes is not split.
WHOLE_BYTES = getattr(select, "PIPE_BUF", 512)
_writing = threading.Lock()

Watcher = Callable[[dict[str, Any], Sequence[ReviewStats]], None]


def watch(watcher: Watcher) -> None:
    """Call a watcher with every finished line and the statistics of its reviews."""
    _watchers.append(watcher)


def begin(request_id: str, method: str, route: str) -> None:
    """Start the line of a request. ``route`` is the pattern, because a path may hold a caller's words."""
    shown = method if method in METHODS else "OTHER"
    _began.set(time.monotonic())
    _line.set({"request_id": request_id, "method": shown, "route": route})
    _stats.set(())


def note(**fields: str | int | Mapping[str, int] | None) -> None:
    """Add fields to the line: lengths, counts and names, never a review, its ids or an error's text."""
    line = _line.get()
    if line is not None:
        line.update(fields)


def note_error(error: BaseException) -> None:
    """Add an unexpected error's type and place, without its text, which may quote the review."""
    note(**_place_of(error))


def note_stats(stats: Sequence[ReviewStats]) -> None:
    """Add the sums of reviews' statistics to the line, and pass the statistics to the watchers."""
    _stats.set(stats)
    note(words=sum(review.words for review in stats), unknown=sum(review.unknown for review in stats))
    if warnings := Counter(code for review in stats for code in review.warnings):
        note(warnings=warnings)


def request_id() -> str:
    """Return the id of the current request, or "" outside of one."""
    return str((_line.get() or {}).get("request_id", ""))


def write(status: int, late: bool = False) -> None:
    """Finish the line, write it to standard output, and call the watchers.

    With ``late`` the line is written with the next one, or by ``flush``.
    """
    milliseconds = round((time.monotonic() - _began.get()) * 1000, 1)
    line = {**(_line.get() or {}), "status": status, "ms": milliseconds}
    print_line(line, late)
    for watcher in _watchers:
        try:
            watcher(line, _stats.get())
        except Exception as error:  # a watcher's error must not cost the answer
            print_line({"request_id": request_id(), **_place_of(error)})


def print_line(line: Mapping[str, Any], late: bool = False) -> None:
    """Write a line to standard output; with ``late`` together with the next one."""
    _late.append(json.dumps(line) + "\n")
    if not late:
        flush()


def flush() -> None:
    """Write the waiting lines. A closed pipe loses them without an error."""
    with _writing:
        text = ""
        while _late:
            if text and len(text) + len(_late[0]) > WHOLE_BYTES:
                _write(text)
                text = ""
            text += _late.popleft()
        _write(text)


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(text)
        sys.stdout.flush()


def _place_of(error: BaseException) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "at": f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"}
