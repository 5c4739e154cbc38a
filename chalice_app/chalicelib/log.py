"""Write one JSON line a request: what happened and how long it took, never what a review says."""

import contextlib
import json
import sys
import time
import traceback
from contextvars import ContextVar
from pathlib import Path
from typing import Any

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_began: ContextVar[float] = ContextVar("began", default=0.0)
_line: ContextVar[dict[str, Any] | None] = ContextVar("line", default=None)


def begin(request_id: str, method: str, route: str) -> None:
    """Start the line of a request. ``route`` is the pattern, since a path may hold anything."""
    shown = method if method in METHODS else "OTHER"
    _began.set(time.monotonic())
    _line.set({"request_id": request_id, "method": shown, "route": route})


def note(**fields: str | int | None) -> None:
    """Add fields to the line: lengths, counts and names, never a review, its ids or an error's text."""
    line = _line.get()
    if line is not None:
        line.update(fields)


def note_error(error: BaseException) -> None:
    """Add an unforeseen error's type and place; its text is left out, for it may quote the review."""
    frames = traceback.extract_tb(error.__traceback__)
    note(error=type(error).__name__, at=f"{Path(frames[-1].filename).name}:{frames[-1].lineno}")


def request_id() -> str:
    """Give the id of the request under way, or "" outside of one."""
    return str((_line.get() or {}).get("request_id", ""))


def write(status: int) -> None:
    """Finish the line and write it to standard output, where Lambda's log takes it from."""
    milliseconds = round((time.monotonic() - _began.get()) * 1000, 1)
    line = json.dumps({**(_line.get() or {}), "status": status, "ms": milliseconds})
    with contextlib.suppress(OSError, ValueError):  # a closed pipe costs the line, not the answer
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
