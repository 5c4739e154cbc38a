"""Training and serving encode a review alike: equal ids and sentences on every installed Python.

1,000 real reviews and some hundred hostile strings go through the training path (training/data/corpus.py)
here, and through the Lambda's own import path in another process. The packages for another Python
are installed once into pytest's cache folder.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.support.missing import skip_or_fail
from tests.vocab.hostile import listed
from training.data import corpus, dataset
from vocab import text, vocabulary

ROOT = Path(__file__).resolve().parents[2]
MINORS = ("3.11", "3.12", "3.13")
# CI must compare these two; 3.12 in between is compared where it is installed.
PROMISED = ("3.11", "3.13")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = ("nltk", "beautifulsoup4")
REVIEWS = 1_000
HOSTILE = 300


class Trained(NamedTuple):
    """Reviews, training's ids of each, and the number of ids in each sentence."""

    reviews: list[str]
    ids: list[list[int]]
    lengths: list[list[int]]


@pytest.fixture(scope="module")
def real(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """1,000 reviews from train and unsup, with their ids and lengths in training's cache."""
    archive_data = dataset.read_archive(archive)
    chosen = [
        review
        for split in ("train", "unsup")
        for review in archive_data[split][:: len(archive_data[split]) * 2 // REVIEWS][: REVIEWS // 2]
    ]
    # The cache keeps reviews by split; which one a review is in makes no difference to its ids.
    quarter = len(chosen) // 4
    splits = [chosen[start : start + quarter] for start in range(0, len(chosen), quarter)]
    cached = tmp_path_factory.mktemp("corpus") / "corpus.npz"
    corpus._encode(dataset.Dataset(*splits, left_out={}), vocabulary.load(), cached)
    with np.load(cached, allow_pickle=False) as arrays:
        read = [corpus._split(arrays, name) for name in corpus.SPLITS]
    assert [name for split in read for name in split.names] == [review.name for review in chosen]
    return Trained(
        [review.text for review in chosen],
        [ids.tolist() for split in read for ids in split.ids],
        [lengths.tolist() for split in read for lengths in split.lengths],
    )


@pytest.fixture(scope="module")
def hostile() -> Trained:
    """Strings that try to break the text code, with their ids and lengths from training's function."""
    words = vocabulary.load()
    reviews = listed(HOSTILE)
    encoded = [words.encode(review) for review in reviews]
    return Trained(reviews, [one.ids for one in encoded], [one.lengths for one in encoded])


def test_training_and_lambda_share_one_text_code() -> None:
    for folder in (ROOT / "vocab", ROOT / "chalice_app" / "vendor" / "vocab"):
        assert (folder / "text.py").resolve() == Path(text.__file__).resolve()


@pytest.mark.parametrize("minor", MINORS)
def test_real_reviews_get_equal_ids_and_lengths_in_training_and_in_the_lambda(
    minor: str, real: Trained, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert len(real.reviews) == REVIEWS
    assert sum(map(len, real.ids)) > 100 * REVIEWS
    assert sum(map(len, real.lengths)) > 5 * REVIEWS
    _compare(real, minor, request, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("minor", MINORS)
def test_hostile_strings_get_equal_ids_and_lengths_in_training_and_in_the_lambda(
    minor: str, hostile: Trained, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert len(hostile.reviews) > HOSTILE
    _compare(hostile, minor, request, tmp_path)


def _compare(trained: Trained, minor: str, request: pytest.FixtureRequest, folder: Path) -> None:
    python, packages = _python(minor, request)
    served = _served(python, packages, trained.reviews, folder)
    assert served["python"].startswith(f"{minor}.")
    assert served["vocab"].startswith(str(ROOT / "chalice_app" / "vendor"))
    assert served["fingerprint"] == vocabulary.load().fingerprint
    for column in ("ids", "lengths"):
        for review, own, other in zip(trained.reviews, getattr(trained, column), served[column], strict=True):
            string = f"a string of {len(review)} characters, {ascii(review[:20])}..."
            assert own == other, f"{column} differ on {string}"
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(
            f"\n{len(trained.ids):,} reviews: equal ids and lengths on {sys.version.split()[0]}"
            f" and {served['python']}"
        )


def _served(python: str, packages: list[str], reviews: list[str], folder: Path) -> dict[str, Any]:
    reviews_file = folder / "reviews.json"
    reviews_file.write_text(json.dumps(reviews), encoding="utf-8")
    script = str(Path(__file__).with_name("encode_elsewhere.py"))
    command = [python, "-I", "-W", "error", script, str(reviews_file), *packages]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    return dict(json.loads(done.stdout))


def _python(minor: str, request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """Return an interpreter of a version and the folder of its packages; skip without one."""
    if minor == OWN:
        return sys.executable, []
    python = next(filter(None, (_working(path, minor) for path in _candidates(minor))), None)
    if python is None and minor in PROMISED:
        skip_or_fail(f"no python{minor} on this machine")
    if python is None:
        pytest.skip(f"NOT TESTED: no python{minor} on this machine")
    return python, [str(_packages(minor, request))]


def _candidates(minor: str) -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    installed = [str(path) for path in sorted(pyenv.glob(f"{minor}.*/bin/python"))]
    return [f"/usr/bin/python{minor}", shutil.which(f"python{minor}") or "", *installed]


def _working(path: str, minor: str) -> str | None:
    script = "import json, unicodedata, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-I", "-c", script], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return path if done.stdout.strip() == minor else None


def _packages(minor: str, request: pytest.FixtureRequest) -> Path:
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in PACKAGES]
    folder = request.config.cache.mkdir("skew") / "-".join([minor, *pins])
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["--quiet", "--target", str(unfinished), "--python-version", minor, "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "install", *options, *pins]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        skip_or_fail(f"pip could not install {' '.join(pins)} for Python {minor}")
    return unfinished.rename(folder)
