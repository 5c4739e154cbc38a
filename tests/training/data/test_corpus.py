"""The encoded corpus and the vocabulary's builder, on a tiny archive."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.archive import tiny_members
from training.data import build_vocab, dataset
from training.data import corpus as corpora
from vocab import vocabulary

MakeArchive = Callable[..., Path]


@pytest.fixture(autouse=True)
def a_third_is_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "in_development", lambda film: film.endswith("/0"))


def test_splits_hold_the_ids_labels_and_stars_of_their_reviews(make_archive: MakeArchive) -> None:
    corpus = corpora.load(str(make_archive()))
    words = vocabulary.load()
    assert [len(getattr(corpus, name)) for name in corpora.SPLITS] == [4, 2, 2, 4]
    assert corpus.development.names == ["train/neg/0_1.txt", "train/pos/0_9.txt"]
    assert corpus.development.ids[1].tolist() == words.encode_ids("The train pos film 0.")
    assert corpus.development.lengths[1].tolist() == [len(corpus.development.ids[1])]
    assert corpus.development.labels.tolist() == [0, 1]
    assert corpus.development.stars.tolist() == [1, 9]
    assert corpus.fingerprint == words.fingerprint


def test_a_second_load_reads_the_cache_and_gives_the_same(
    make_archive: MakeArchive, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = str(make_archive())
    one = corpora.load(archive)
    monkeypatch.setattr(dataset, "load", lambda _: pytest.fail("the archive was read again"))
    other = corpora.load(archive)
    for name in corpora.SPLITS:
        for mine, theirs in zip(getattr(one, name), getattr(other, name), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    assert one[4:] == other[4:]
    assert [path.suffix for path in cache.iterdir()] == [".npz"]


def test_another_archive_is_not_served_from_the_cache(make_archive: MakeArchive) -> None:
    corpora.load(str(make_archive()))
    changed = tiny_members() | {"aclImdb/test/pos/0_8.txt": "Quite another text."}
    corpus = corpora.load(str(make_archive(changed)))
    assert corpus.test.ids[2].tolist() == vocabulary.load().encode_ids("Quite another text.")


def test_sentences_are_counted_as_the_vocabulary_splits_them(make_archive: MakeArchive) -> None:
    text = "It is good. Mr. Lee is not.<br /><br />4/10"
    corpus = corpora.load(str(make_archive(tiny_members() | {"aclImdb/test/pos/0_8.txt": text})))
    encoded = vocabulary.load().encode(text)
    assert len(encoded.lengths) == 3
    ids, lengths = corpus.test.ids[2], corpus.test.lengths[2]
    assert (ids.tolist(), lengths.tolist()) == (encoded.ids, encoded.lengths)
    assert (ids.dtype, lengths.dtype) == (np.int32, np.int32)


def test_a_review_without_a_token_is_left_out(make_archive: MakeArchive) -> None:
    corpus = corpora.load(str(make_archive(tiny_members() | {"aclImdb/test/pos/0_8.txt": "<br />"})))
    assert len(corpus.test) == 3
    assert "test/pos/0_8.txt" not in corpus.test.names


def test_a_disk_that_is_full_leaves_no_half_cache(
    make_archive: MakeArchive, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(handle: int) -> None:
        raise OSError(28, "No space left on device")

    archive = str(make_archive())
    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr("os.fsync", fsync)
        corpora.load(archive)
    assert list(cache.iterdir()) == []


def test_a_part_is_spread_over_the_split() -> None:
    ids = [np.array([n]) for n in range(10)]
    lengths = [np.array([n + 1]) for n in range(10)]
    split = corpora.Split([str(n) for n in range(10)], ids, lengths, np.arange(10) % 2, np.arange(10))
    part = split.part(5)
    assert part.names == ["0", "2", "4", "6", "8"]
    assert [row.tolist() for row in part.ids] == [[0], [2], [4], [6], [8]]
    assert [row.tolist() for row in part.lengths] == [[1], [3], [5], [7], [9]]
    assert part.stars.tolist() == [0, 2, 4, 6, 8]


# --- the vocabulary's builder -------------------------------------------------------------------


def build(monkeypatch: pytest.MonkeyPatch, archive: Path, out: Path, *flags: str) -> None:
    monkeypatch.setattr(
        sys,
        "argv",
        ["build_vocab.py", "--archive", str(archive), "--out", str(out), "--min-count", "1", *flags],
    )
    build_vocab.main()


def test_the_vocabulary_is_counted_on_train_and_unsup_reviews_alone(
    make_archive: MakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = tiny_members()
    for name, word in (
        ("train/pos/1_10", "trainword"),
        ("train/unsup/1_0", "unsupword"),
        ("train/pos/0_9", "developmentword"),
        ("test/pos/1_10", "testword"),
    ):
        members[f"aclImdb/{name}.txt"] = f"a {word}"
    out = tmp_path / "vocabulary.pkl"
    build(monkeypatch, make_archive(members), out)
    words = vocabulary.load(out).words
    assert {"trainword", "unsupword"} <= words.keys()
    assert not {"developmentword", "testword"} & words.keys()


def test_the_same_archive_gives_the_same_vocabulary(
    make_archive: MakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_archive()
    for name in ("one", "other"):
        build(monkeypatch, archive, tmp_path / name / "vocabulary.pkl")
    for file in ("vocabulary.pkl", "vocabulary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_a_folder_that_can_t_be_written_is_one_sentence(
    make_archive: MakeArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "vocabulary.pkl"
    with pytest.raises(SystemExit, match=f"^build_vocab: {out} can't be written"):
        build(monkeypatch, make_archive(), out)


def test_a_missing_archive_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="^build_vocab: no IMDb archive at /nowhere.tar.gz; "):
        build(monkeypatch, Path("/nowhere.tar.gz"), tmp_path / "vocabulary.pkl")
