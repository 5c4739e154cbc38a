"""Limit the request rate of each client address on this machine, by a token bucket.

Answers carry the headers of draft-ietf-httpapi-ratelimit-headers-11. On AWS, API Gateway limits the rate.
"""

import hashlib
import math
import mmap
import os
import re
import secrets
import struct
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

# No client that waits for its answers reaches this rate: one gets about 350 verdicts a second, or over 1,000
# refusals.
DEFAULT = "10000/1"
OFF = "off"
# The number of buckets, and of neighbours among which a client's bucket lies. A new client takes the
# neighbour that was unused for the longest time.
BUCKETS, NEIGHBOURS = 1 << 14, 8
# A client's hash, its remaining tokens, and the time of that count.
_BUCKET = struct.Struct("<Qdd")
SECRET_BYTES = 16
_FORM = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})", re.ASCII)


class RateError(ValueError):
    """RATE_LIMIT has the wrong form."""


class Policy(NamedTuple):
    """The number of requests in a number of seconds. All of them may come at once."""

    quota: int
    seconds: int


class Turn(NamedTuple):
    """The limiter's answer to a request.

    ``passes``: whether the request may pass. ``left``: how many more may pass at once. ``wait``: the seconds
    until one more may pass.
    """

    policy: Policy
    passes: bool
    left: int
    wait: int

    def headers(self) -> dict[str, str]:
        """Return the turn as response headers."""
        return {
            "RateLimit-Policy": f'"client";q={self.policy.quota};w={self.policy.seconds}',
            "RateLimit": f'"client";r={self.left};t={self.wait}',
        }


def read_policy(text: str | None) -> Policy | None:
    """Parse RATE_LIMIT; None when it is off. Raises RateError.

    >>> read_policy("600/60")
    Policy(quota=600, seconds=60)
    """
    text = text or DEFAULT
    if text == OFF:
        return None
    match = _FORM.fullmatch(text)
    if not match:
        raise RateError(f"RATE_LIMIT must be like 600/60 (requests/seconds) or {OFF}, got {text[:30]!r}")
    return Policy(int(match[1]), int(match[2]))


class Buckets:
    """The buckets of all clients, in this process or, by a file of ``create``, shared among processes.

    Addresses are stored as keyed hashes. The key is not in the file, so the file reveals no address, and no
    client can choose an address that shares another's bucket.
    """

    def __init__(self, path: Path | None = None, secret: bytes = b"") -> None:
        self._secret = secret or secrets.token_bytes(SECRET_BYTES)
        self.lock: AbstractContextManager[object]
        self._table: bytearray | mmap.mmap
        if path:
            file = os.open(path, os.O_RDWR)  # stays open as long as this process runs
            self._table, self.lock = mmap.mmap(file, 0), FileLock(file)
        else:
            self._table, self.lock = bytearray(BUCKETS * _BUCKET.size), threading.Lock()

    @staticmethod
    def create(path: Path) -> None:
        """Create the file of empty buckets."""
        path.write_bytes(bytes(BUCKETS * _BUCKET.size))

    def get(self, client: str) -> tuple[int, int, tuple[float, float] | None]:
        """Return a client's hash, the offset of its bucket, and the bucket's tokens and time; None if new."""
        client_hash, first = self._place(client)
        oldest, oldest_time = first, math.inf
        for number in range(NEIGHBOURS):
            offset = first + number * _BUCKET.size
            bucket_hash, tokens, seconds = _BUCKET.unpack_from(self._table, offset)
            if bucket_hash == client_hash:
                return client_hash, offset, (tokens, seconds)
            if seconds < oldest_time:
                oldest, oldest_time = offset, seconds
        return client_hash, oldest, None

    def put(self, client_hash: int, offset: int, tokens: float, now: float) -> None:
        """Write a bucket at the offset that ``get`` returned."""
        _BUCKET.pack_into(self._table, offset, client_hash, tokens, now)

    def _place(self, client: str) -> tuple[int, int]:
        digest = hashlib.blake2b(client.encode(), key=self._secret, digest_size=8).digest()
        client_hash = int.from_bytes(digest, "little") | 1  # 0 is an empty bucket
        return client_hash, (client_hash >> 1) % (BUCKETS // NEIGHBOURS) * NEIGHBOURS * _BUCKET.size


class FileLock:
    """A lock among processes that have the same file open. It does not lock threads.

    The end of a process releases its lock.
    """

    def __init__(self, file: int) -> None:
        import fcntl  # missing on Windows, where the API runs as one process without this lock

        self._flock, self._file = fcntl.flock, file
        self._lock, self._unlock = fcntl.LOCK_EX, fcntl.LOCK_UN

    def __enter__(self) -> None:
        self._flock(self._file, self._lock)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._flock(self._file, self._unlock)


class Limiter:
    """A token bucket for each client: a request takes a token, and time refills the bucket."""

    def __init__(
        self, policy: Policy, now: Callable[[], float] = time.monotonic, buckets: Buckets | None = None
    ) -> None:
        self.policy = policy
        self._now = now
        self._buckets = buckets or Buckets()

    def take(self, client: str) -> Turn:
        """Use a token of the client's bucket when it holds one, and return the turn."""
        rate = self.policy.quota / self.policy.seconds
        with self._buckets.lock:
            client_hash, offset, bucket = self._buckets.get(client)
            now = self._now()
            tokens, seconds = bucket or (float(self.policy.quota), now)
            tokens = min(self.policy.quota, tokens + (now - seconds) * rate)
            passes = tokens >= 1
            tokens -= passes
            self._buckets.put(client_hash, offset, tokens, now)
        left = math.floor(tokens)
        return Turn(self.policy, passes, left, math.ceil((left + 1 - tokens) / rate))
