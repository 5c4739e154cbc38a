"""Fixtures for all tests, and the reasons for missing archives and browsers."""

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.aws_server import AwsServer
from tests.support.faulty_stack import FaultyStack
from tests.support.missing import skip_or_fail
from tests.support.model import leaning_package
from tests.support.stack import ROOT, Stack
from training.data import dataset
from training.data.dataset import Dataset

# Processes that tests start import from the root too, as the environments of `make` do.
PATHS = (ROOT, ROOT / "chalice_app", ROOT / "client")
os.environ["PYTHONPATH"] = os.pathsep.join(map(str, PATHS))

# The shell has the same engine without a window, and opens a page in less than half of the time.
BROWSERS = ("chromium-headless-shell", "chromium")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")


def archive_missing() -> str:
    """Return why tests on the IMDb archive can't run; empty when they can."""
    path = os.environ.get("IMDB_ARCHIVE")
    if not path:
        return "IMDB_ARCHIVE is not set"
    return "" if Path(path).is_file() else f"no file at IMDB_ARCHIVE={path}"


def chromium_missing() -> str:
    """Return why tests in a browser can't run; empty when they can."""
    return "" if CHROMIUM else "chromium is not installed (or name it: CHROMIUM=/path)"


def pytest_report_header() -> list[str]:
    lines = []
    if reason := archive_missing():
        lines.append(f"NOT TESTED, {reason}: equal ids on real reviews, the dataset's splits, app accuracy")
    if reason := chromium_missing():
        lines.append(f"NOT TESTED, {reason}: the page in a real browser")
    if not shutil.which("buildah"):
        lines.append("NOT TESTED, buildah is not installed: the container image")
    return lines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that take minutes first, so that the last worker does not work alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def imdb(archive: Path) -> Dataset:
    """The real dataset."""
    return dataset.load(archive)


@pytest.fixture(scope="session")
def archive() -> Iterator[Path]:
    """The real IMDb archive; a worker reads it once. Without one, its tests are skipped, and fail in CI."""
    if reason := archive_missing():
        skip_or_fail(reason)
    path = Path(os.environ["IMDB_ARCHIVE"])
    read, read_once = dataset.load, cache(dataset.load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "load", lambda asked: (read_once if asked == path else read)(asked))
        yield path


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one, its tests are skipped, and fail in CI."""
    if reason := chromium_missing():
        skip_or_fail(reason)
    return CHROMIUM


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole app, started once as `make run` starts it."""
    running = Stack()
    try:
        running.wait_for("Verdict is ready")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The app with two models, as `make run BESIDE=...` starts it: one that calls all positive, and ours."""
    leaning = tmp_path_factory.mktemp("leaning")
    leaning_package(leaning, by=16.0)
    running = Stack(MODEL=str(leaning), BESIDE="training/endpoint/model")
    try:
        running.wait_for("Verdict is ready")
        running.models = (leaning, ROOT / "training/endpoint/model")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def faulty_stack() -> Iterator[FaultyStack]:
    """API and page in front of an endpoint with switchable faults, started once."""
    running = FaultyStack()
    yield running
    running.stop()


@pytest.fixture
def faulty(faulty_stack: FaultyStack) -> Iterator[FaultyStack]:
    """The same API, page and endpoint, without a fault at the start."""
    faulty_stack.heal()
    yield faulty_stack
    faulty_stack.heal()


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """AWS on loopback, started once."""
    running = AwsServer(tmp_path_factory.mktemp("aws") / "server.log")
    yield running
    running.stop()


@pytest.fixture
def aws(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """An empty account; this process's environment variables lead to no other."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in aws_server.env.items():
        monkeypatch.setenv(name, value)
    aws_server.reset()
    return aws_server
