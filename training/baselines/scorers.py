"""Baselines as scorers: VADER, TextBlob, NB-LR, fastText.

Trained baselines learn from the train split alone. The cache folder keeps each whole one under ``peers/``, by
a hash of archive, vocabulary and options. Packages that only a baseline needs are imported by its function.
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

from training.data import cache, dataset
from training.evaluation.behaviour import Scorer
from vocab import vocabulary
from vocab.files import sha256, sha256_of
from vocab.messages import sigmoid
from vocab.text import clean, tokenize
from vocab.vocabulary import Vocabulary

# Renaming the folder or the card would train each kept baseline again.
FOLDER, CARD = "peers", "peer.json"
# fastText learns in the order of its lines and never shuffles, so this module shuffles them.
ORDER_SEED = 1
# Chosen on the development split among 1- to 3-grams, rates 0.25 and 0.5, 5 and 10 epochs, widths 10 and 50.
# One thread, since more threads give another result each time.
FASTTEXT_OPTIONS = {"wordNgrams": 2, "dim": 10, "epoch": 10, "lr": 0.25, "thread": 1, "verbose": 0}


class BaselineMissing(Exception):
    """A baseline is not installed here; the message names what to install."""


class Baseline(NamedTuple):
    """A scorer that a user could pick instead of Verdict.

    ``files`` are the weights and word lists that it reads, and ``how`` describes it in a few words.
    ``calibrated`` is true when its probabilities were already fitted on the development split.
    """

    name: str
    score: Scorer
    files: tuple[Path, ...]
    how: str
    calibrated: bool = False

    def size(self) -> int:
        """Return the bytes of its files, without packages and programs."""
        return sum(path.stat().st_size for path in self.files)

    def close(self) -> None:
        """End the program that it runs, if any."""
        if isinstance(self.score, _Lines):
            self.score.close()


class TrainingSource:
    """An archive's train split, the only one that baselines learn from.

    ``limit`` takes about that many reviews, spread over the split, for trial runs.
    """

    def __init__(self, archive: Path, limit: int | None = None) -> None:
        self.archive = archive
        self.limit = limit

    @cached_property
    def data(self) -> dataset.Dataset:
        """All splits, for scoring. Raises dataset.DataError."""
        return dataset.load(self.archive)

    @cached_property
    def train(self) -> list[dataset.Review]:
        """The train split's reviews, about ``limit`` of them."""
        return spread(self.data.train, self.limit)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The published model's vocabulary. Raises vocabulary.VocabularyError."""
        return vocabulary.load()

    @cached_property
    def digest(self) -> str:
        """The archive's SHA-256."""
        return sha256_of(self.archive)

    def keep(self, name: str, options: dict[str, Any], make: Callable[[Path], None]) -> Path:
        """Return a trained baseline's folder. ``make`` fills an empty folder unless a whole one is kept."""
        recipe = {
            "name": name,
            "archive_sha256": self.digest,
            "vocabulary": self.vocabulary.fingerprint,
            "limit": self.limit,
            "options": options,
        }
        key = sha256(json.dumps(recipe, sort_keys=True).encode())[:16]
        folder = cache.folder() / FOLDER / f"{name}-{key}"
        if not is_whole(folder):
            _fill(folder, recipe, make)
        return folder


# Returns a baseline. Raises BaselineMissing, or what its files raise.
Maker = Callable[[TrainingSource], Baseline]


def spread(reviews: list[dataset.Review], limit: int | None) -> list[dataset.Review]:
    """Return about ``limit`` reviews, evenly over the list; all of them for None."""
    return reviews if limit is None else reviews[:: max(1, len(reviews) // limit)]


def is_whole(folder: Path) -> bool:
    """Return whether each file of a kept baseline is the one that its card names."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return all(sha256_of(folder / name) == digest for name, digest in card["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def _fill(folder: Path, recipe: dict[str, Any], make: Callable[[Path], None]) -> None:
    """Train a baseline in a folder beside its own, and rename it when it is whole."""
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


def vader(source: TrainingSource | None = None) -> Baseline:
    """Return VADER's compound score, -1 to 1, as P(positive) = (1 + score) / 2. Raises BaselineMissing.

    Source: Hutto & Gilbert, "VADER", ICWSM 2014.
    """
    try:
        from vaderSentiment import vaderSentiment
    except ImportError as error:
        raise BaselineMissing("VADER is not installed: pip install -r requirements/baselines.txt") from error
    analyzer = vaderSentiment.SentimentIntensityAnalyzer()
    folder = Path(vaderSentiment.__file__).parent

    def score(texts: Sequence[str]) -> list[float]:
        return [(1 + analyzer.polarity_scores(clean(text))["compound"]) / 2 for text in texts]

    files = (folder / "vader_lexicon.txt", folder / "emoji_utf8_lexicon.txt")
    return Baseline("VADER", score, files, "a list of words and rules; (1 + compound) / 2")


def textblob(source: TrainingSource | None = None) -> Baseline:
    """Return TextBlob's polarity, -1 to 1, as P(positive) = (1 + polarity) / 2. Raises BaselineMissing."""
    try:
        from textblob import en
        from textblob.sentiments import PatternAnalyzer
    except ImportError as error:
        raise BaselineMissing(
            "TextBlob is not installed: pip install -r requirements/baselines.txt"
        ) from error
    analyzer = PatternAnalyzer()

    def score(texts: Sequence[str]) -> list[float]:
        return [(1 + analyzer.analyze(clean(text)).polarity) / 2 for text in texts]

    files = (Path(en.__file__).parent / "en-sentiment.xml",)
    return Baseline("TextBlob", score, files, "the pattern analyzer's list of words; (1 + polarity) / 2")


# --- NB-LR --------------------------------------------------------------------------------------


def nb_lr(source: TrainingSource) -> Baseline:
    """Return the n-gram model of ngrams.py, fitted on the train split. Raises BaselineMissing."""
    try:
        from training.recipe import ngrams
    except ImportError as error:
        raise BaselineMissing(
            "NB-LR needs scikit-learn: pip install -r requirements/baselines.txt"
        ) from error
    options = {"columns": ngrams.COLUMNS, "strength": ngrams.STRENGTH, "min_reviews": ngrams.MIN_REVIEWS}

    def make(folder: Path) -> None:
        ids = [np.array(source.vocabulary.encode_ids(review.text), dtype=np.int32) for review in source.train]
        fitted = ngrams.fit(ids, np.array([review.label for review in source.train]))
        np.savez_compressed(folder / "ngrams.npz", weights=fitted.weights, bias=fitted.bias)

    path = source.keep("nb-lr", options, make) / "ngrams.npz"
    with np.load(path, allow_pickle=False) as arrays:
        model = ngrams.Ngrams(arrays["weights"], float(arrays["bias"]))

    def score(texts: Sequence[str]) -> list[float]:
        ids = [np.array(source.vocabulary.encode_ids(text), dtype=np.int32) for text in texts]
        logits = model.logits(ids)
        return [sigmoid(float(logit)) if len(row) else 0.5 for row, logit in zip(ids, logits, strict=True)]

    return Baseline("NB-LR", score, (path, vocabulary.VOCABULARY), "words, pairs and triples by naive Bayes")


# --- fastText -----------------------------------------------------------------------------------


def fasttext(source: TrainingSource) -> Baseline:
    """Return a classifier of Debian's fasttext command, trained on the train split. Raises BaselineMissing.

    Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", EACL 2017. The command
    stays open: each text is a line to it and a line back.
    """
    command = shutil.which("fasttext")
    if command is None:
        raise BaselineMissing("the fasttext command is not installed: apt-get install fasttext")
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
            raise BaselineMissing(f"fasttext ended with {done.returncode}: {done.stderr.strip()[-200:]}")
        output.with_suffix(".vec").unlink()

    options = {**FASTTEXT_OPTIONS, "order": ORDER_SEED}
    path = source.keep("fasttext", options, make) / "fasttext.bin"
    score = _Lines([command, "predict-prob", str(path), "-", "1"])
    return Baseline("fastText", score, (path,), "words and pairs, averaged vectors, a linear head")


def _line(text: str) -> str:
    return " ".join(tokenize(clean(text)).names)


class _Lines:
    """The fasttext command as a scorer; the first text starts it."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, texts: Sequence[str]) -> list[float]:
        return [self._score(line) if (line := _line(text)) else 0.5 for text in texts]

    def _score(self, line: str) -> float:
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
        """End the command, if it runs."""
        if self.process is not None:
            self.process.communicate()
            self.process = None
