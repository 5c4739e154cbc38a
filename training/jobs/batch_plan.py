"""What a Batch Transform takes, machines and files, computed without AWS."""

import re
from typing import NamedTuple

from training.files.rows import BatchError, Count

INSTANCE_TYPE = "ml.c5.xlarge"
# Each instance gets several files, so none waits for the slowest. The answers to a file fit in memory.
FILES_AN_INSTANCE = 4
MAX_FILE_BYTES, MAX_FILE_ROWS = 100_000_000, 100_000
_SIZE = re.compile(r"ml\.[a-z0-9-]+\.(\d*)(medium|large|xlarge)")


class Settings(NamedTuple):
    """The caller's choices: machines, model (None: the stage's newest), minutes to wait."""

    instances: int = 1
    instance_type: str = INSTANCE_TYPE
    model_name: str | None = None
    minutes: int = 120


def cores_of(instance_type: str) -> int:
    """Return an instance type's number of virtual cores. Raises BatchError for a malformed type.

    >>> cores_of("ml.c5.xlarge"), cores_of("ml.m5.12xlarge")
    (4, 48)
    """
    size = _SIZE.fullmatch(instance_type)
    if not size:
        raise BatchError(f"{instance_type!r} is no instance type; give one like {INSTANCE_TYPE}")
    return int(size[1] or 1) * 4 if size[2] == "xlarge" else 2


def file_bytes(counted: Count, instances: int) -> int:
    """Return the largest size of a file in bytes that leaves no machine without work."""
    return max(1, min(MAX_FILE_BYTES, -(-counted.bytes // (instances * FILES_AN_INSTANCE))))
