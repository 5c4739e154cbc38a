"""Check an output before the work: nothing is replaced unless --force says so."""

import os
from pathlib import Path

from training.files.rows import BatchError
from vocab import typed

FORCE_HELP = "replace an output that exists"


def check_new(path: Path | None, force: bool, flag: str = "--out") -> None:
    """Check that a file can be written at ``path``, which ``flag`` named. Raises BatchError."""
    if path is None:
        return
    flag = typed.out(flag)
    if str(path) == "-":
        raise BatchError(f"{flag} takes a file's name, and - is none; nothing is written to standard output")
    if path.exists() and not path.is_file():
        raise BatchError(f"{path} is no file; choose another {flag}")
    if os.path.lexists(path) and not force:
        raise BatchError(
            f"{path} exists; add {typed.flag('--force')} to replace it, or choose another {flag}"
        )
    if not path.resolve().parent.is_dir():
        raise BatchError(
            f"there is no folder {path.parent} for the output; make it, or choose another {flag}"
        )
