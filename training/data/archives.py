"""Read an untrusted tar.gz: in memory, by name, within limits. Nothing is written to disk."""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

# Also bounds what tarfile reads for a member's header alone.
LARGEST_READ = 10_000_000
CHUNK_BYTES = 1 << 20

# Returns the most bytes that a member of this name may have, None to skip it.
Limit = Callable[[str], int | None]


class ArchiveError(Exception):
    """An archive is incomplete, changed, no archive at all, or over its limits."""


def read_members(path: Path, limit: Limit, most: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the plain files that ``limit`` allows, never links, folders or devices.

    ``most`` limits the bytes of the whole archive once it is unpacked. Raises ArchiveError.
    """
    try:
        with _Bounded(path, most) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                if member.isfile() and (allowed := limit(member.name)) is not None:
                    yield member.name, _content(tar, member, allowed)
            while stream.read(CHUNK_BYTES):  # tarfile stops before the end, where gzip has its checksum
                pass
    except ArchiveError:
        raise
    except Exception as error:  # a made-up header can make tarfile raise anything
        raise ArchiveError(str(error) or type(error).__name__) from error


class _Bounded(gzip.GzipFile):
    """A gzip stream that raises ArchiveError beyond ``most`` bytes."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(path, "rb")
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= LARGEST_READ:
            raise ArchiveError(f"it has a piece of {size} bytes, none is that long")
        self._check(self.tell() + size - CHUNK_BYTES)
        return super().read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return super().seek(offset, whence)

    def _check(self, offset: int) -> None:
        if offset > self._most:
            raise ArchiveError(f"it has over {self._most:,} bytes once it is unpacked, none is that large")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, allowed: int) -> bytes:
    if member.size > allowed:
        raise ArchiveError(f"{member.name} holds {member.size:,} bytes, none is that long")
    file = tar.extractfile(member)
    if file is None:
        return b""
    pieces = iter(lambda: file.read(CHUNK_BYTES), b"")
    return b"".join(pieces)
