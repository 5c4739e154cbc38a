"""Write files atomically, and hash them with SHA-256."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits, without loading the whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_file(path: Path) -> bool:
    """Return whether a path is a plain file: no folder, pipe or device, and no link to one or to a file."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file in one step: readers see the old file or the new one, never a part.

    Raises OSError for a full disk or missing rights. The old file then stays, and no other is left.
    """
    write_together({path: data}, mode)


@contextmanager
def open_atomic(path: Path, mode: int = 0o644) -> Iterator[TextIO]:
    """Open a text file for writing, in UTF-8. It gets its name only once it is whole."""
    with _naming(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # JSON can name half a character, which UTF-8 can't encode.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            with _naming(path):
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def write_together(contents: dict[Path, bytes], mode: int = 0o644) -> None:
    """Write several files like ``write_atomic``: all are on the disk before the first is replaced."""
    temporaries: dict[Path, str] = {}
    try:
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _naming(path):
                handle, temporaries[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            os.chmod(temporaries[path], mode)
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
    except BaseException:
        for temporary in temporaries.values():
            Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file to write in an OSError, in place of a temporary file or none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
