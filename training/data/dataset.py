"""Download and load the IMDb Large Movie Review Dataset: splits, labels, films, duplicates.

    python -m training.data.dataset                     # download or check the archive, print the counts
    python -m training.data.dataset --review 10881_2    # print one development review

``--archive`` or ``IMDB_ARCHIVE`` names the archive; without them it is downloaded once into the cache
folder. Source: Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import argparse
import hashlib
import http.client
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from training.data import cache
from training.data.archives import ArchiveError, read_members

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 20
MAX_REVIEW_BYTES = 1_000_000
# The longest list of film addresses is 2.5 MB.
MAX_URLS_BYTES = 10_000_000
# The real archive is 216 MB once it is unpacked.
MAX_ARCHIVE_BYTES = 400_000_000
# Share of films in the development split, by a hash of their address: about 2,500 reviews.
DEVELOPMENT_SHARE = 0.12
COUNTS = {"train": 25_000, "unsup": 50_000, "test": 25_000}


class DataError(Exception):
    """The archive is missing, incomplete, changed, or of an unknown layout."""


class Review(NamedTuple):
    """A review of the archive. ``label`` is 1 positive, 0 negative, -1 unknown; ``stars`` 1 to 10 or 0."""

    name: str
    text: str
    label: int
    stars: int
    film: str


class Dataset(NamedTuple):
    """The splits. No review of ``train`` or ``unsup`` folds to the text of a test review."""

    train: list[Review]
    development: list[Review]
    unsup: list[Review]
    test: list[Review]
    left_out: dict[str, int]


def find_archive(path: str | None = None) -> Path:
    """Return the archive's path: ``path``, ``IMDB_ARCHIVE``, or the cached download.

    Raises DataError when the named file is missing or the download fails.
    """
    name = path or os.environ.get("IMDB_ARCHIVE")
    if name:
        archive = Path(name)
        if not archive.is_file():
            raise DataError(
                f"no IMDb archive at {archive}; unset IMDB_ARCHIVE (or drop --archive) to download it"
            )
        return archive
    return download(URL, cache.folder() / "aclImdb_v1.tar.gz", MD5)


def download(url: str, path: Path, md5: str) -> Path:
    """Download ``url`` to ``path`` and check its MD5. A stopped download is resumed.

    ``path`` exists only once its content is whole. Raises DataError.
    """
    if path.is_file():
        _check_md5(path, md5)
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, part)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        reason = str(reason).strip() or type(error).__name__
        raise DataError(
            f"the download of {url} stopped ({reason}); run it again to go on, or set IMDB_ARCHIVE"
        ) from error
    _check_md5(part, md5)
    os.replace(part, path)
    return path


def load(archive: Path) -> Dataset:
    """Load the archive's splits, which takes seconds. Raises DataError."""
    reviews = read_archive(archive)
    labelled, unsup, test = reviews["train"], reviews["unsup"], reviews["test"]
    test_texts = {fold(review.text) for review in test}
    new = [review for review in labelled if fold(review.text) not in test_texts]
    new_unsup = [review for review in unsup if fold(review.text) not in test_texts]
    left_out = {"train": len(labelled) - len(new), "unsup": len(unsup) - len(new_unsup)}
    train = [review for review in new if not in_development(review.film)]
    development = [review for review in new if in_development(review.film)]
    # Neither the word vectors nor the language model may learn from a development film's reviews.
    new_unsup = [review for review in new_unsup if not in_development(review.film)]
    return Dataset(train, development, new_unsup, test, left_out)


def read_archive(archive: Path) -> dict[str, list[Review]]:
    """Read every review of the archive, by split, in the order of their names. Raises DataError."""
    texts: dict[str, str] = {}
    films: dict[str, list[str]] = {}
    try:
        for name, data in _members(archive):
            if _URLS.fullmatch(name):
                films[_split_of_urls(name)] = data.decode("utf-8", errors="replace").split()
            else:
                texts[name] = data.decode("utf-8", errors="replace")
    except ArchiveError as error:
        raise DataError(f"{archive} is no usable tar.gz ({error}); get it again") from error
    splits: dict[str, list[Review]] = {"train": [], "unsup": [], "test": []}
    for name in sorted(texts):
        split, review = _review(name, texts[name], films)
        splits[split].append(review)
    counts = {split: len(reviews) for split, reviews in splits.items()}
    if counts != COUNTS:
        raise DataError(f"{archive} holds {counts}, expected {COUNTS}; get it again")
    return splits


_TAG = re.compile("<[^>]*>")
# Letters and digits of ASCII stay; every other byte becomes a space.
_KEPT = bytes(byte if byte < 128 and chr(byte).isalnum() else 32 for byte in range(256))


def fold(text: str) -> str:
    """Return a review's letters and digits in lower case: equal for the same review typed again.

    >>> fold("A <i>great</i> film!")
    'a great film'
    """
    kept = _TAG.sub(" ", text.lower()).encode("ascii", "replace").translate(_KEPT)
    return " ".join(kept.decode("ascii").split())


def in_development(film: str) -> bool:
    """Return whether a film belongs to the development split, by a hash of its address."""
    digest = hashlib.sha256(film.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < DEVELOPMENT_SHARE


def find_review(reviews: Iterable[Review], number: str) -> Review:
    """Return the review whose file has this number, such as 10881_2. Raises DataError."""
    for review in reviews:
        if Path(review.name).stem == number:
            return review
    raise DataError(f"no development review has the number {number!r}; the model's page names some")


_MEMBER = re.compile(r"aclImdb/(?:train|test)/(?:pos|neg|unsup)/\d{1,6}_\d{1,2}\.txt")
_URLS = re.compile(r"aclImdb/(?:train|test)/urls_(?:pos|neg|unsup)\.txt")


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the members with a known name. They are read in memory, so no path can escape."""
    with tqdm(total=100_000, desc="reading", unit=" reviews", disable=None) as progress:
        for name, data in read_members(archive, _limit, MAX_ARCHIVE_BYTES):
            yield name, data
            progress.update(bool(_MEMBER.fullmatch(name)))


def _limit(name: str) -> int | None:
    if _MEMBER.fullmatch(name):
        return MAX_REVIEW_BYTES
    return MAX_URLS_BYTES if _URLS.fullmatch(name) else None


def _split_of_urls(name: str) -> str:
    part = name.split("/")[1]
    return f"{part}/{name.rsplit('_', 1)[1].removesuffix('.txt')}"


def _review(name: str, text: str, films: dict[str, list[str]]) -> tuple[str, Review]:
    _, part, kind, file = name.split("/")
    number, stars = file.removesuffix(".txt").split("_")
    addresses = films.get(f"{part}/{kind}", [])
    if int(number) >= len(addresses):
        raise DataError(f"the archive names no film for {name}; get it again")
    label = {"pos": 1, "neg": 0}.get(kind, -1)
    split = "unsup" if kind == "unsup" else part
    return split, Review(f"{part}/{kind}/{file}", text, label, int(stars), addresses[int(number)])


def _fetch(url: str, part: Path) -> None:
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is already whole
            return
        raise
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        start = size if resumed else 0
        total = start + int(length) if length else None
        with (
            open(part, "ab" if resumed else "wb") as file,
            tqdm(total=total, initial=start, unit="B", unit_scale=True, desc="downloading") as progress,
        ):
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                progress.update(len(chunk))
    if total is not None and part.stat().st_size < total:
        raise OSError(f"{part.stat().st_size:,} of {total:,} bytes arrived")


def _check_md5(path: Path, md5: str) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != md5:
        path.unlink()
        raise DataError(
            f"{path.name} had MD5 {digest.hexdigest()}, expected {md5}, and was removed; run it again"
        )


def _described(review: Review) -> str:
    label = "positive" if review.label == 1 else "negative"
    return f"{review.name}: {label}, {review.stars} of 10 stars, {review.film}\n\n{review.text}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Download or check the IMDb archive and print its counts.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--review", metavar="NUMBER", help="print this development review, such as 10881_2")
    arguments = parser.parse_args()
    try:
        archive = find_archive(arguments.archive)
        data = load(archive)
        if arguments.review:
            print(_described(find_review(data.development, arguments.review)))
            return
    except DataError as error:
        sys.exit(f"dataset: {error}")
    print(f"archive      {archive}")
    for split in ("train", "development", "unsup", "test"):
        print(f"{split:12} {len(getattr(data, split)):,} reviews")
    print(
        f"left out     {data.left_out['train']} train and {data.left_out['unsup']} unsup reviews"
        " that are test reviews too"
    )


if __name__ == "__main__":
    main()
