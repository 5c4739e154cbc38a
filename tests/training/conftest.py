"""Fixtures of the training tests: a cache folder of their own, model packages, tiny archives."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archive import TINY_COUNTS, tiny_members, write_archive
from tests.support.model import random_package
from tests.support.stage import build_folder, chalice, cloud, functions, runtime, whole_site
from training.data import dataset
from training.endpoint import inference

__all__ = ["build_folder", "chalice", "cloud", "functions", "runtime", "whole_site"]

# Before torch is loaded, here and in the scripts that tests start: many threads on tiny networks, beside
# other work, take a hundred times as long as one.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of this test alone."""
    monkeypatch.setenv("VERDICT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def made_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package with random weights, which tests must not change."""
    folder = tmp_path_factory.mktemp("package")
    random_package(folder)
    return folder


@pytest.fixture(scope="session")
def package(request: pytest.FixtureRequest) -> Path:
    """The published model, or the random package without one; tests must not change it."""
    published = inference.MODEL_FOLDER
    if (published / "model.json").is_file():
        return published
    return Path(request.getfixturevalue("made_package"))


@pytest.fixture
def own_package(made_package: Path, tmp_path: Path) -> Path:
    """A copy of the random package that the test may break."""
    return Path(shutil.copytree(made_package, tmp_path / "model"))


@pytest.fixture(scope="session")
def model(package: Path) -> inference.LoadedModel:
    """The loaded package."""
    return inference.model_fn(package)


@pytest.fixture
def tiny_counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The counts of ``tiny_members``, in place of the real archive's."""
    monkeypatch.setattr(dataset, "COUNTS", TINY_COUNTS)
    return TINY_COUNTS


@pytest.fixture
def make_archive(tmp_path: Path, tiny_counts: dict[str, int]) -> Callable[..., Path]:
    """Return a function that writes an archive of members, by default a whole tiny one."""

    def make(members: dict[str, str] | None = None, *others: tarfile.TarInfo) -> Path:
        return write_archive(
            tmp_path / "tiny.tar.gz", tiny_members() if members is None else members, *others
        )

    return make
