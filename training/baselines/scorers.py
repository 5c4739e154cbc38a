"""What a user would pick instead, each as a scorer: VADER, TextBlob, NB-LR, fastText.

Trained peers learn from the train split alone and are kept, whole or not at all, in the cache folder
under ``peers/``, by a hash of archive, vocabulary and options. Packages that only peers need are
imported when they are asked for.
"""

import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.data import dataset
from vocab import vocabulary
from vocab.files import sha256, sha256_of
from vocab.messages import sigmoid
from vocab.text import clean, tokenize

# Gives P(positive) for each text, 0.5 where it can't be read.
Scorer = Callable[[Sequence[str]], list[float]]

CARD = "peer.json"
# Chosen on the development split among 1- to 3-grams, rates 0.25 and 0.5, 5 and 10 epochs, widths 10 and 50.
# One thread, since with more the result is another one each time.
# It learns in the order of its lines and never shuffles, so the order is ours.
ORDER_SEED = 1
FASTTEXT_OPTIONS = {"wordNgrams": 2, "dim": 10, "epoch": 10, "lr": 0.25, "thread": 1, "verbose": 0}


class PeerMissing(Exception):
    """A peer can't be had here; the message says what to install."""


class Peer(NamedTuple):
    """Something a user would pick instead.

    ``files`` are what it reads to score (weights, words), ``how`` says in a few words what it is.
    ``calibrated``: its probabilities were fitted on the development split already.
    """

    name: str
    score: Scorer
    files: tuple[Path, ...]
    how: str
    calibrated: bool = False

    def size(self) -> int:
        """Give the bytes of its files; packages and programs are not counted."""
        return sum(path.stat().st_size for path in self.files)

    def close(self) -> None:
        """End the program that it runs, where it runs one."""
        if isinstance(self.score, _Lines):
            self.score.close()


class Source:
    """What peers may learn from: the train split of an archive, and never another one.

    ``limit`` takes that many reviews spread over the split, for trial runs.
    """

    def __init__(self, archive: Path, limit: int | None = None) -> None:
        self.archive = archive
        self.limit = limit

    @cached_property
    def data(self) -> dataset.Dataset:
        """The splits; for scoring. Raises dataset.DataError."""
        return dataset.load(self.archive)

    @cached_property
    def train(self) -> list[dataset.Review]:
        """The reviews to learn from."""
        return spread(self.data.train, self.limit)

    @cached_property
    def words(self) -> vocabulary.Vocabulary:
        """The published model's vocabulary. Raises vocabulary.VocabularyError."""
        return vocabulary.load()

    @cached_property
    def digest(self) -> str:
        """The archive's SHA-256."""
        return sha256_of(self.archive)

    def keep(self, name: str, options: dict[str, Any], make: Callable[[Path], None]) -> Path:
        """Give the folder of a trained peer; ``make`` fills an empty one when none is kept, or none whole."""
        recipe = {
            "name": name,
            "archive_sha256": self.digest,
            "vocabulary": self.words.fingerprint,
            "limit": self.limit,
            "options": options,
        }
        key = sha256(json.dumps(recipe, sort_keys=True).encode())[:16]
        folder = dataset.cache_folder() / "peers" / f"{name}-{key}"
        if not is_whole(folder):
            _fill(folder, recipe, make)
        return folder


def spread(reviews: list[dataset.Review], limit: int | None) -> list[dataset.Review]:
    """Give about ``limit`` reviews, evenly over the list; all of them for None."""
    return reviews if limit is None else reviews[:: max(1, len(reviews) // limit)]


def is_whole(folder: Path) -> bool:
    """Say whether each file of a kept peer is the one that its card names."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return all(sha256_of(folder / name) == digest for name, digest in card["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def _fill(folder: Path, recipe: dict[str, Any], make: Callable[[Path], None]) -> None:
    """Make a peer in a folder beside its own, and give it its name when all of it is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        make(part)
        digests = {path.name: sha256_of(path) for path in sorted(part.iterdir())}
        card = json.dumps({**recipe, "files": digests}, indent=2)
        (part / CARD).write_text(card + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


# --- word lists ---------------------------------------------------------------------------------


def vader(source: Source | None = None) -> Peer:
    """Give VADER's compound score, -1 to 1, as P(positive) = (1 + score) / 2. Raises PeerMissing.

    Source: Hutto & Gilbert, "VADER", ICWSM 2014.
    """
    try:
        from vaderSentiment import vaderSentiment
    except ImportError as error:
        raise PeerMissing("VADER is not installed: pip install -r requirements/baselines.txt") from error
    analyzer = vaderSentiment.SentimentIntensityAnalyzer()
    folder = Path(vaderSentiment.__file__).parent

    def score(texts: Sequence[str]) -> list[float]:
        return [(1 + analyzer.polarity_scores(clean(text))["compound"]) / 2 for text in texts]

    files = (folder / "vader_lexicon.txt", folder / "emoji_utf8_lexicon.txt")
    return Peer("VADER", score, files, "a list of words and rules; (1 + compound) / 2")


def textblob(source: Source | None = None) -> Peer:
    """Give TextBlob's polarity, -1 to 1, as P(positive) = (1 + polarity) / 2. Raises PeerMissing."""
    try:
        from textblob import en
        from textblob.sentiments import PatternAnalyzer
    except ImportError as error:
        raise PeerMissing("TextBlob is not installed: pip install -r requirements/baselines.txt") from error
    analyzer = PatternAnalyzer()

    def score(texts: Sequence[str]) -> list[float]:
        return [(1 + analyzer.analyze(clean(text)).polarity) / 2 for text in texts]

    files = (Path(en.__file__).parent / "en-sentiment.xml",)
    return Peer("TextBlob", score, files, "the pattern analyzer's list of words; (1 + polarity) / 2")


# --- NB-LR --------------------------------------------------------------------------------------


def nb_lr(source: Source) -> Peer:
    """Give the n-gram model of ngrams.py, fitted on the train split. Raises PeerMissing."""
    try:
        from training.recipe import ngrams
    except ImportError as error:
        raise PeerMissing("NB-LR needs scikit-learn: pip install -r requirements/baselines.txt") from error
    options = {"columns": ngrams.COLUMNS, "strength": ngrams.STRENGTH, "min_reviews": ngrams.MIN_REVIEWS}

    def make(folder: Path) -> None:
        ids = [np.array(source.words.encode_ids(review.text), dtype=np.int32) for review in source.train]
        fitted = ngrams.fit(ids, np.array([review.label for review in source.train]))
        np.savez_compressed(folder / "ngrams.npz", weights=fitted.weights, bias=fitted.bias)

    path = source.keep("nb-lr", options, make) / "ngrams.npz"
    with np.load(path, allow_pickle=False) as arrays:
        model = ngrams.Ngrams(arrays["weights"], float(arrays["bias"]))

    def score(texts: Sequence[str]) -> list[float]:
        ids = [np.array(source.words.encode_ids(text), dtype=np.int32) for text in texts]
        logits = model.logits(ids)
        return [sigmoid(float(logit)) if len(one) else 0.5 for one, logit in zip(ids, logits, strict=True)]

    return Peer("NB-LR", score, (path, vocabulary.VOCABULARY), "words, pairs and triples by naive Bayes")


# --- fastText -----------------------------------------------------------------------------------


def fasttext(source: Source) -> Peer:
    """Give a classifier of Debian's fasttext command, trained on the train split. Raises PeerMissing.

    Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017. The command
    stays open, and a text is a line to it and back.
    """
    command = shutil.which("fasttext")
    if command is None:
        raise PeerMissing("the fasttext command is not installed: apt-get install fasttext")
    flags = [part for key, value in FASTTEXT_OPTIONS.items() for part in (f"-{key}", str(value))]

    def make(folder: Path) -> None:
        reviews = random.Random(ORDER_SEED).sample(source.train, len(source.train))
        with tempfile.TemporaryDirectory() as lines:
            train = Path(lines) / "train.txt"
            train.write_text(
                "".join(f"__label__{review.label} {_line(review.text)}\n" for review in reviews),
                encoding="utf-8",
            )
            output = folder / "fasttext"
            done = subprocess.run(
                [command, "supervised", "-input", str(train), "-output", str(output), *flags],
                capture_output=True,
                text=True,
            )
        if done.returncode:
            raise PeerMissing(f"fasttext ended with {done.returncode}: {done.stderr.strip()[-200:]}")
        output.with_suffix(".vec").unlink()

    options = {**FASTTEXT_OPTIONS, "order": ORDER_SEED}
    path = source.keep("fasttext", options, make) / "fasttext.bin"
    score = _Lines([command, "predict-prob", str(path), "-", "1"])
    return Peer("fastText", score, (path,), "words and pairs, averaged vectors, a linear head")


def _line(text: str) -> str:
    return " ".join(tokenize(clean(text)).names)


class _Lines:
    """The fasttext command as a scorer, started at the first text."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, texts: Sequence[str]) -> list[float]:
        return [self._ask(line) if (line := _line(text)) else 0.5 for text in texts]

    def _ask(self, line: str) -> float:
        if self.process is None:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, encoding="utf-8")
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            return 0.5
        share = min(float(answer[1]), 1.0)  # it prints 1.00001 at times
        return share if answer[0] == "__label__1" else 1 - share

    def close(self) -> None:
        """End the command."""
        if self.process is not None:
            self.process.communicate()
            self.process = None
