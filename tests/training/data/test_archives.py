"""Archives made to harm: nothing reaches the disk, memory stays small, and each is refused in a sentence."""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from training.data import archives
from training.data.archives import ArchiveError, read_members

MOST = 30_000_000
ALLOWED = 1_000
# A piece of the stream, twice, and what tarfile keeps of members.
MEMORY_BYTES = 3 * archives.LARGEST_READ


def packed(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data, 1))
    return path


def tar_of(*members: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return out.getvalue()


def member(name: str, size: int = 0, **set_to: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for attribute, value in set_to.items():
        setattr(info, attribute, value)
    return info


def read(path: Path, wanted: str = "wanted") -> dict[str, bytes]:
    return dict(read_members(path, lambda name: ALLOWED if name == wanted else None, MOST))


def header(kind: bytes, size: int) -> bytes:
    """Return only a member's header, which announces so many bytes."""
    info = member("x", size, type=kind)
    return info.tobuf(tarfile.GNU_FORMAT)


def repeated_headers(count: int) -> bytes:
    """Return pax headers in a row, without a file after them."""
    record = b"11 path=ab\n"
    return (header(tarfile.XHDTYPE, len(record)) + record.ljust(512, b"\0")) * count


HARMFUL: dict[str, Callable[[], bytes]] = {
    "a header of 20 GB": lambda: header(tarfile.XHDTYPE, 20_000_000_000),
    "a long name of 20 GB": lambda: header(tarfile.GNUTYPE_LONGNAME, 20_000_000_000),
    "a header of 25 MB": lambda: header(tarfile.XHDTYPE, 25_000_000) + bytes(25_000_000),
    "headers without end": lambda: repeated_headers(2_000),
    "a wanted file that is too long": lambda: tar_of(member("wanted", ALLOWED + 1)),
    "a sparse file of 20 GB": lambda: tar_of(
        member(
            "wanted",
            3,
            pax_headers={
                "GNU.sparse.size": "20000000000",
                "GNU.sparse.map": "0,3",
                "GNU.sparse.numblocks": "1",
            },
        )
    ),
    "an unwanted file of 40 MB": lambda: tar_of(member("other", 40_000_000)),
    "40 MB after its end": lambda: tar_of(member("wanted", 3)) + bytes(40_000_000),
    "half a file": lambda: tar_of(member("wanted", 900))[:1_000],
    "no tar": lambda: b"review" * 200,
}


@pytest.mark.parametrize("what", HARMFUL)
def test_what_harms_is_refused_in_little_memory(what: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "bad.tar.gz", HARMFUL[what]())
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < MEMORY_BYTES
    finally:
        tracemalloc.stop()
    assert [one.name for one in tmp_path.iterdir()] == ["bad.tar.gz"]


@pytest.mark.parametrize(
    "name", ["../wanted", "/wanted", "wanted/../wanted", "./wanted", "wanted ", "WANTED"]
)
def test_a_file_is_known_by_its_exact_name(name: str, tmp_path: Path) -> None:
    assert read(packed(tmp_path / "a.tar.gz", tar_of(member(name, 3)))) == {}


KINDS = [
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
]


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files_are_read(kind: bytes, tmp_path: Path) -> None:
    odd = member("wanted", type=kind, linkname="/etc/hostname")
    assert read(packed(tmp_path / "a.tar.gz", tar_of(odd))) == {}


def test_a_sparse_file_within_the_limit_is_read_with_its_holes(tmp_path: Path) -> None:
    sparse = {"GNU.sparse.size": "9", "GNU.sparse.map": "0,3", "GNU.sparse.numblocks": "1"}
    path = packed(tmp_path / "a.tar.gz", tar_of(member("wanted", 3, pax_headers=sparse)))
    assert read(path) == {"wanted": bytes(9)}


def test_a_whole_archive_is_read_and_what_is_not_wanted_left_out(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.gz", tar_of(member("wanted", 3), member("other", 5)))
    assert read(path) == {"wanted": bytes(3)}


def test_a_broken_checksum_at_the_very_end_is_noticed(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.gz", tar_of(member("wanted", 3)))
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    with pytest.raises(ArchiveError, match="CRC"):
        read(path)


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file"):
        read(tmp_path / "none.tar.gz")
