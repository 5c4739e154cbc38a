"""files.py: atomic writes of one file and of several."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from vocab.files import open_atomic, sha256, sha256_of, write_atomic, write_together


def test_sha256_gives_hex_digits() -> None:
    assert sha256(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_written_bytes_are_read_back_and_folders_are_made(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "folder" / "file.bin", b"\x00\xff\r\n")
    assert (tmp_path / "new" / "folder" / "file.bin").read_bytes() == b"\x00\xff\r\n"


def test_a_file_is_replaced_and_everyone_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_reader_never_sees_a_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen: list[bytes] = []
    sync = os.fsync

    def look(handle: int) -> None:
        seen.append(path.read_bytes())
        sync(handle)

    monkeypatch.setattr(os, "fsync", look)
    write_atomic(path, b"new")
    assert seen == [b"old"]


@pytest.mark.parametrize("failing", ["fsync", "replace", "chmod"])
def test_a_failure_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, failing, _full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert _folder(tmp_path) == {"file": b"old"}


def test_an_interrupt_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert _folder(tmp_path) == {"file": b"old"}


def test_a_disk_that_fills_up_at_the_second_file_leaves_both_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_together({one: b"old 1", two: b"old 2"})
    calls: list[int] = []

    def full_at_the_second(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            _full_disk()

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(OSError, match="No space left"):
        write_together({one: b"new 1", two: b"new 2"})
    assert _folder(tmp_path) == {"one": b"old 1", "two": b"old 2"}


def test_files_that_belong_together_are_all_replaced(tmp_path: Path) -> None:
    write_together({tmp_path / "one": b"1", tmp_path / "two": b"2"})
    assert _folder(tmp_path) == {"one": b"1", "two": b"2"}


def _full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_s_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ab" * 300_000)
    assert sha256_of(tmp_path / "x") == sha256(b"ab" * 300_000)


def test_a_text_file_gets_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open_atomic(path, 0o600) as file:
        file.write("caf\u00e9\r\n\ud800")
        assert not path.exists()
    assert path.read_bytes() == b"caf\xc3\xa9\r\n\\ud800"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_file_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="half"), open_atomic(path) as file:
        file.write("new")
        raise ValueError("half")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
