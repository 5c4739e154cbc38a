"""Write a file whole or not at all, and name its content by SHA-256."""

import hashlib
import os
import tempfile
from pathlib import Path


def sha256(data: bytes) -> str:
    """Give the SHA-256 of bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Put bytes at ``path`` in one step: readers see the old file or the new one, never a half.

    Raises OSError (a full disk, no rights) and then leaves the old file and no other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
