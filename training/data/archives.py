"""Read a tar.gz that anybody may have made: in memory, by name, within limits, nothing onto the disk."""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

# Also bounds what tarfile reads for a member's header alone.
LARGEST_READ = 10_000_000
CHUNK_BYTES = 1 << 20

# Gives how many bytes a member of this name may have; None for one that is not wanted.
Limit = Callable[[str], int | None]


class ArchiveError(Exception):
    """An archive is half, changed, no archive at all, or larger than any of its kind."""


def read_members(path: Path, limit: Limit, most: int) -> Iterator[tuple[str, bytes]]:
    """Give name and content of the wanted plain files; links, folders and devices are none.

    ``most`` bounds the bytes of the whole archive once it is unpacked. Raises ArchiveError.
    """
    try:
        with _Bounded(path, most) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                if member.isfile() and (allowed := limit(member.name)) is not None:
                    yield member.name, _content(tar, member, allowed)
            while stream.read(CHUNK_BYTES):  # gzip's checksum stands at its end, and tarfile stops before it
                pass
    except ArchiveError:
        raise
    except Exception as error:  # whatever a made-up header leads tarfile to
        raise ArchiveError(str(error) or type(error).__name__) from error


class _Bounded(gzip.GzipFile):
    """A gzip stream that ends in an error where no archive of its kind reaches."""

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
