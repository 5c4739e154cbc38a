"""The archive: hostile, half or changed ones are refused, downloads go on, and splits keep films apart."""

import hashlib
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.archive import tiny_members
from training.data import dataset
from training.data.dataset import DataError

ROOT = Path(__file__).resolve().parents[3]
MakeArchive = Callable[..., Path]


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# --- the tar ------------------------------------------------------------------------------------


def test_a_whole_archive_gives_each_review_its_label_stars_and_film(make_archive: MakeArchive) -> None:
    splits = dataset.read_archive(make_archive())
    assert {name: len(found) for name, found in splits.items()} == {"train": 6, "unsup": 3, "test": 4}
    by_name = {review.name: review for found in splits.values() for review in found}
    assert by_name["train/pos/1_10.txt"] == dataset.Review(
        "train/pos/1_10.txt", "The train pos film 1.", 1, 10, "http://film/train/pos/1"
    )
    assert by_name["test/neg/0_3.txt"][2:] == (0, 3, "http://film/test/neg/0")
    assert by_name["train/unsup/2_0.txt"][2:] == (-1, 0, "http://film/train/unsup/2")


def test_reviews_come_in_the_order_of_their_names_whatever_the_tar_s_order(make_archive: MakeArchive) -> None:
    forwards = dataset.read_archive(make_archive())
    backwards = dataset.read_archive(make_archive(dict(reversed(tiny_members().items()))))
    assert forwards == backwards


ESCAPES = [
    "../evil.txt",
    "../../aclImdb/train/pos/0_9.txt",
    "aclImdb/train/pos/../../../evil.txt",
    "/tmp/verdict-evil.txt",
    "aclImdb/train/pos//tmp/verdict-evil.txt",
    "aclImdb/train/pos/0_9.txt/../../evil",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_member_whose_path_escapes_is_not_read_and_nothing_is_written(
    name: str, make_archive: MakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    archive = make_archive(tiny_members() | {name: "evil"})
    before = tree(tmp_path)
    splits = dataset.read_archive(archive)
    assert "evil" not in {review.text for found in splits.values() for review in found}
    assert tree(tmp_path) == before
    assert not Path("/tmp/verdict-evil.txt").exists()


KINDS = {
    "a symbolic link": tarfile.SYMTYPE,
    "a hard link": tarfile.LNKTYPE,
    "a device": tarfile.CHRTYPE,
    "a pipe": tarfile.FIFOTYPE,
    "a folder": tarfile.DIRTYPE,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_review_that_is_no_plain_file_is_missed_by_the_count(
    kind: str, make_archive: MakeArchive, tmp_path: Path
) -> None:
    members = tiny_members()
    del members["aclImdb/train/pos/0_9.txt"]
    info = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
    info.type = KINDS[kind]
    info.linkname = "/etc/hostname" if kind == "a symbolic link" else "aclImdb/train/pos/1_10.txt"
    archive = make_archive(members, info)
    before = tree(tmp_path)
    with pytest.raises(DataError, match="'train': 5.*expected.*'train': 6.*get it again"):
        dataset.read_archive(archive)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["aclImdb/train/pos/0_9.txt", "aclImdb/train/urls_pos.txt"])
def test_a_huge_member_is_refused_before_it_is_read(name: str, tmp_path: Path, tiny_counts: dict) -> None:
    info = tarfile.TarInfo(name)
    info.size = 20_000_000_000  # the header alone: reading it would end in an EOFError
    path = tmp_path / "huge.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.fileobj.write(info.tobuf())
    with pytest.raises(DataError, match=f"{re.escape(name)} holds 20,000,000,000 bytes"):
        dataset.read_archive(path)


def test_a_missing_review_is_told_with_both_counts(make_archive: MakeArchive) -> None:
    members = tiny_members()
    del members["aclImdb/test/neg/1_1.txt"]
    with pytest.raises(DataError, match="'test': 3.*expected.*'test': 4"):
        dataset.read_archive(make_archive(members))


def test_a_review_too_many_is_told_with_both_counts(make_archive: MakeArchive) -> None:
    members = tiny_members()
    members["aclImdb/train/unsup/0_1.txt"] = "one more"
    with pytest.raises(DataError, match="'unsup': 4.*expected.*'unsup': 3"):
        dataset.read_archive(make_archive(members))


def test_a_review_without_its_film_is_refused_since_the_split_would_be_blind(
    make_archive: MakeArchive,
) -> None:
    members = tiny_members()
    del members["aclImdb/train/urls_neg.txt"]
    with pytest.raises(DataError, match="no film for aclImdb/train/neg/0_1.txt"):
        dataset.read_archive(make_archive(members))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6, 0.9])
def test_a_half_archive_is_told_in_one_sentence(share: float, make_archive: MakeArchive) -> None:
    members = tiny_members()
    # Digits that don't compress, so that the cut falls among reviews.
    members["aclImdb/train/pos/0_9.txt"] = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(200))
    archive = make_archive(members)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="is no usable tar.gz.*get it again"):
        dataset.read_archive(archive)


@pytest.mark.parametrize(
    "content", [b"<html>moved</html>", b"PK\x03\x04" + bytes(500), b"\x1f\x8b" + bytes(99)]
)
def test_a_file_that_is_no_archive_is_told_in_one_sentence(
    content: bytes, tmp_path: Path, tiny_counts: dict
) -> None:
    path = tmp_path / "other.tar.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="other.tar.gz is no usable tar.gz"):
        dataset.read_archive(path)


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_changed_byte_never_passes_for_another_review(
    data: st.DataObject, make_archive: MakeArchive
) -> None:
    archive = make_archive()
    whole = dataset.read_archive(archive)
    content = bytearray(archive.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    archive.write_bytes(content)
    try:
        assert dataset.read_archive(archive) == whole  # a byte of gzip's header says nothing
    except DataError:
        pass


# --- which archive ------------------------------------------------------------------------------


def test_the_archive_that_is_given_wins_over_the_environment(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMDB_ARCHIVE", "/nowhere/aclImdb_v1.tar.gz")
    archive = make_archive()
    assert dataset.find_archive(str(archive)) == archive


def test_an_archive_named_by_the_environment_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDB_ARCHIVE", "/nowhere/aclImdb_v1.tar.gz")
    with pytest.raises(DataError, match="no IMDb archive at /nowhere/aclImdb_v1.tar.gz; unset IMDB_ARCHIVE"):
        dataset.find_archive()


def test_a_missing_archive_ends_the_script_with_one_sentence_and_status_1() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.data.dataset", "--archive", "/nowhere/x.tar.gz"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "dataset: no IMDb archive at /nowhere/x.tar.gz;"
        " unset IMDB_ARCHIVE (or drop --archive) to download it\n"
    )


def test_the_script_prints_what_the_archive_holds(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dataset, "in_development", lambda film: film.endswith("/0"))
    monkeypatch.setattr(sys, "argv", ["dataset.py", "--archive", str(make_archive())])
    dataset.main()
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        "train 4 reviews",
        "development 2 reviews",
        "unsup 2 reviews",
        "test 4 reviews",
        "left out 0 train and 0 unsup reviews that are test reviews too",
    ]


def test_a_development_review_is_printed_by_its_number_and_no_other_is(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dataset, "in_development", lambda film: film.endswith("/0"))
    archive = str(make_archive())
    monkeypatch.setattr(sys, "argv", ["dataset.py", "--archive", archive, "--review", "0_9"])
    dataset.main()
    assert capsys.readouterr().out == (
        "train/pos/0_9.txt: positive, 9 of 10 stars, http://film/train/pos/0\n\nThe train pos film 0.\n"
    )
    # A train review, a test review, and none at all.
    for number in ("1_10", "0_8", "../0_9"):
        monkeypatch.setattr(sys, "argv", ["dataset.py", "--archive", archive, "--review", number])
        with pytest.raises(SystemExit, match=f"^dataset: no development review has the number '{number}'; "):
            dataset.main()


# --- the download -------------------------------------------------------------------------------

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(100))
MD5 = hashlib.md5(CONTENT).hexdigest()


class Shelf(ThreadingHTTPServer):
    """A server of CONTENT; ``how`` names its fault, and ``asked`` holds each request's Range."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ShelfHandler)
        self.how = "well"
        self.asked: list[str | None] = []
        self.halfway: Callable[[], None] = lambda: None
        self.url = f"http://127.0.0.1:{self.server_port}/data.tar.gz"


class _ShelfHandler(BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        how = self.server.how
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if how == "gone":
            return self.send_error(404)
        if how == "babbling":
            self.wfile.write(b"good morning\r\n\r\n")
            return None
        if how == "chunked and cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + CONTENT[:10])
            return None
        if how == "ignoring Range":
            start = 0
        elif start >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        half = CONTENT[start : (start + len(CONTENT)) // 2]
        self.wfile.write(half)
        self.server.halfway()
        if how != "cut":
            self.wfile.write(CONTENT[start + len(half) :])
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("no_proxy", "*")
    server = Shelf()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_download_brings_the_file_whole_and_leaves_no_part(shelf: Shelf, cache: Path) -> None:
    path = dataset.download(shelf.url, cache / "data.tar.gz", MD5)
    assert path.read_bytes() == CONTENT
    assert tree(cache) == {"data.tar.gz"}


def test_a_file_that_is_there_is_not_asked_for_again(shelf: Shelf, cache: Path) -> None:
    for _ in range(2):
        dataset.download(shelf.url, cache / "data.tar.gz", MD5)
    assert shelf.asked == [None]


def test_an_interrupted_download_says_how_to_go_on_and_does(shelf: Shelf, cache: Path) -> None:
    path = cache / "data.tar.gz"
    shelf.how = "cut"
    with pytest.raises(DataError, match=r"stopped \(1,600 of 3,200 bytes arrived\); run it again to go on"):
        dataset.download(shelf.url, path, MD5)
    assert tree(cache) == {"data.tar.gz.part"}
    shelf.how = "well"
    assert dataset.download(shelf.url, path, MD5).read_bytes() == CONTENT
    assert shelf.asked == [None, "bytes=1600-"]
    assert tree(cache) == {"data.tar.gz"}


def test_a_server_without_ranges_sends_all_again_and_the_file_is_right(shelf: Shelf, cache: Path) -> None:
    path = cache / "data.tar.gz"
    path.parent.mkdir()
    path.with_name("data.tar.gz.part").write_bytes(CONTENT[:1000])
    shelf.how = "ignoring Range"
    assert dataset.download(shelf.url, path, MD5).read_bytes() == CONTENT
    assert shelf.asked == ["bytes=1000-"]


def test_a_part_that_is_whole_already_becomes_the_file(shelf: Shelf, cache: Path) -> None:
    path = cache / "data.tar.gz"
    path.parent.mkdir()
    path.with_name("data.tar.gz.part").write_bytes(CONTENT)
    assert dataset.download(shelf.url, path, MD5).read_bytes() == CONTENT


def test_the_name_appears_only_once_the_content_is_whole(shelf: Shelf, cache: Path) -> None:
    path = cache / "data.tar.gz"
    seen = []
    shelf.halfway = lambda: seen.append(path.exists())
    dataset.download(shelf.url, path, MD5)
    assert seen == [False]
    assert path.exists()


def test_a_download_of_wrong_checksum_is_removed_and_named(shelf: Shelf, cache: Path) -> None:
    with pytest.raises(DataError, match=f"had MD5 {MD5}, expected {'0' * 32}, and was removed; run it again"):
        dataset.download(shelf.url, cache / "data.tar.gz", "0" * 32)
    assert tree(cache) == set()


def test_a_cached_file_that_changed_is_removed_and_named(shelf: Shelf, cache: Path) -> None:
    path = cache / "data.tar.gz"
    path.parent.mkdir()
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match=f"data.tar.gz had MD5 [0-9a-f]+, expected {MD5}, and was removed"):
        dataset.download(shelf.url, path, MD5)
    assert tree(cache) == set()


def test_a_full_disk_is_named_and_the_name_stays_free(shelf: Shelf, cache: Path) -> None:
    cache.mkdir()
    (cache / "data.tar.gz.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match="No space left on device"):
        dataset.download(shelf.url, cache / "data.tar.gz", MD5)
    assert not (cache / "data.tar.gz").exists()


@pytest.mark.parametrize("how", ["gone", "babbling", "chunked and cut"])
def test_a_server_that_misbehaves_is_one_sentence(how: str, shelf: Shelf, cache: Path) -> None:
    shelf.how = how
    with pytest.raises(DataError, match=f"the download of {shelf.url} stopped .*set IMDB_ARCHIVE"):
        dataset.download(shelf.url, cache / "data.tar.gz", MD5)
    assert not (cache / "data.tar.gz").exists()


def test_no_network_is_one_sentence(shelf: Shelf, cache: Path) -> None:
    shelf.shutdown()
    shelf.server_close()
    with pytest.raises(DataError, match="stopped .*Connection refused.*set IMDB_ARCHIVE"):
        dataset.download(shelf.url, cache / "data.tar.gz", MD5)


def test_without_any_path_the_archive_is_downloaded_into_the_cache(
    shelf: Shelf, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMDB_ARCHIVE", raising=False)
    monkeypatch.setattr(dataset, "URL", shelf.url)
    monkeypatch.setattr(dataset, "MD5", MD5)
    assert dataset.find_archive() == cache / "aclImdb_v1.tar.gz"


# --- the splits ---------------------------------------------------------------------------------


def film_in(development: bool) -> str:
    """Return the address of a film inside or outside the development split."""
    return next(
        film for n in range(1000) if dataset.in_development(film := f"http://film/{n}") is development
    )


def test_reviews_of_a_development_film_go_to_development_and_its_unsup_ones_nowhere(
    make_archive: MakeArchive,
) -> None:
    members = tiny_members()
    for name in members:
        if "urls" in name:
            count = members[name].count("\n")
            members[name] = "\n".join([film_in(True)] + [film_in(False)] * (count - 1))
    data = dataset.load(make_archive(members))
    assert {review.name for review in data.development} == {"train/neg/0_1.txt", "train/pos/0_9.txt"}
    assert {review.film for review in data.train} == {film_in(False)}
    assert {review.name for review in data.unsup} == {"train/unsup/1_0.txt", "train/unsup/2_0.txt"}
    assert len(data.test) == 4


def test_a_test_review_retyped_is_left_out_of_train_development_and_unsup(make_archive: MakeArchive) -> None:
    members = tiny_members()
    members["aclImdb/test/pos/0_8.txt"] = "What a film, isn't it?<br /><br />10/10"
    members["aclImdb/train/urls_pos.txt"] = f"{film_in(False)}\n{film_in(True)}\n{film_in(False)}\n"
    for name in ("pos/0_9", "pos/1_10", "unsup/1_0"):
        members[f"aclImdb/train/{name}.txt"] = "what a FILM -- isn't it <br>10 / 10."
    data = dataset.load(make_archive(members))
    assert data.left_out == {"train": 2, "unsup": 1}
    left = {review.name for review in data.train + data.development + data.unsup}
    assert not left & {"train/pos/0_9.txt", "train/pos/1_10.txt", "train/unsup/1_0.txt"}


def test_the_share_of_development_films_is_as_named() -> None:
    share = (
        sum(dataset.in_development(f"http://www.imdb.com/title/tt{n:07}/") for n in range(20_000)) / 20_000
    )
    assert abs(share - dataset.DEVELOPMENT_SHARE) < 0.01


def test_in_the_real_archive_no_film_is_on_both_sides(imdb: dataset.Dataset) -> None:
    development = {review.film for review in imdb.development}
    assert len(development) > 200
    assert not development & {review.film for review in imdb.train}
    assert not development & {review.film for review in imdb.unsup}


def test_in_the_real_archive_123_train_and_270_unsup_reviews_are_test_reviews(imdb: dataset.Dataset) -> None:
    # Counted the other way round, 269 test reviews stand in unsup.
    assert imdb.left_out == {"train": 123, "unsup": 270}
    assert len(imdb.train) + len(imdb.development) == 25_000 - 123
    assert len(imdb.test) == 25_000


def test_in_the_real_archive_no_test_review_is_left_in_training(imdb: dataset.Dataset) -> None:
    test = {re.sub("[^a-z]", "", review.text.lower().replace("<br />", "")) for review in imdb.test}
    for review in imdb.train + imdb.development + imdb.unsup:
        assert re.sub("[^a-z]", "", review.text.lower().replace("<br />", "")) not in test, review.name


def test_in_the_real_archive_labels_follow_the_stars(imdb: dataset.Dataset) -> None:
    for review in imdb.train + imdb.development + imdb.test:
        assert review.stars in ((7, 8, 9, 10) if review.label else (1, 2, 3, 4)), review.name
    assert {review.label for review in imdb.unsup} == {-1}
    assert sum(review.label for review in imdb.test) == 12_500
    assert 2_000 < len(imdb.development) < 3_500
    assert 0.45 < sum(review.label for review in imdb.development) / len(imdb.development) < 0.55
