"""Write one JSON line a request: what happened and how long it took, never what a review says."""

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

from chalicelib.measures import Judged

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_began: ContextVar[float] = ContextVar("began", default=0.0)
_line: ContextVar[dict[str, Any] | None] = ContextVar("line", default=None)
_judged: ContextVar[Sequence[Judged]] = ContextVar("judged", default=())
_watchers: list["Watcher"] = []
_late: deque[str] = deque()
# Another process may write to the same pipe: up to so many bytes at once stay together there.
WHOLE_BYTES = getattr(select, "PIPE_BUF", 512)
_writing = threading.Lock()

Watcher = Callable[[dict[str, Any], Sequence[Judged]], None]


def watch(watcher: Watcher) -> None:
    """Have every finished line shown to a watcher, with what was measured of the reviews behind it."""
    _watchers.append(watcher)


def begin(request_id: str, method: str, route: str) -> None:
    """Start the line of a request. ``route`` is the pattern, since a path may hold anything."""
    shown = method if method in METHODS else "OTHER"
    _began.set(time.monotonic())
    _line.set({"request_id": request_id, "method": shown, "route": route})
    _judged.set(())


def note(**fields: str | int | Mapping[str, int] | None) -> None:
    """Add fields to the line: lengths, counts and names, never a review, its ids or an error's text."""
    line = _line.get()
    if line is not None:
        line.update(fields)


def note_error(error: BaseException) -> None:
    """Add an unforeseen error's type and place; its text is left out, for it may quote the review."""
    note(**_place_of(error))


def note_judged(judged: Sequence[Judged]) -> None:
    """Keep what was measured of reviews for the watchers, and add its sums to the line."""
    _judged.set(judged)
    note(words=sum(one.words for one in judged), unknown=sum(one.unknown for one in judged))
    if warned := Counter(code for one in judged for code in one.warnings):
        note(warnings=warned)


def request_id() -> str:
    """Give the id of the request under way, or "" outside of one."""
    return str((_line.get() or {}).get("request_id", ""))


def write(status: int, late: bool = False) -> None:
    """Finish the line, write it to where Lambda's log takes it from, and show it to the watchers.

    With ``late`` it is written with the next line, or by ``flush``.
    """
    milliseconds = round((time.monotonic() - _began.get()) * 1000, 1)
    line = {**(_line.get() or {}), "status": status, "ms": milliseconds}
    print_line(line, late)
    for watcher in _watchers:
        try:
            watcher(line, _judged.get())
        except Exception as error:  # what only watches may cost no answer
            print_line({"request_id": request_id(), **_place_of(error)})


def print_line(line: Mapping[str, Any], late: bool = False) -> None:
    """Write a line to standard output, now or with the next one."""
    _late.append(json.dumps(line) + "\n")
    if not late:
        flush()


def flush() -> None:
    """Write the lines that wait, if any; a closed pipe costs the lines, not the answer."""
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
