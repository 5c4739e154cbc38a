"""Bars: on a terminal only, and never in what a command writes."""

import io
import sys
from pathlib import Path

import pytest
from tqdm import tqdm

from training.files import progress, rows


class Terminal(io.StringIO):
    """A standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("review\n" + "a good film\n" * 2_000, encoding="utf-8")
    return path


def read(path: Path) -> int:
    source = rows.open_source(path, rows.format_of(path))
    return sum(1 for _ in source.rows("checking"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_terminal_is_told_how_much_of_a_file_is_read(
    encoding: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("review\n" + "a good film\n" * 2_000, encoding=encoding)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0)
    seen: list[float] = []
    update = tqdm.update
    monkeypatch.setattr(tqdm, "update", lambda bar, n=1: seen.append(n) or update(bar, n))
    assert read(file) == 2_000
    assert "checking: " in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert 0.7 * file.stat().st_size < sum(seen) <= file.stat().st_size
    assert min(seen) >= 0


def test_a_pipe_gets_no_bar(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "DELAY_SECONDS", 0)
    assert read(file) == 2_000
    assert list(progress.with_bar([1, 2], "fitting", "fit")) == [1, 2]
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_what_is_soon_done_shows_no_bar(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "DELAY_SECONDS", 3600)
    assert read(file) == 2_000
    assert "checking" not in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_a_bar_starts_no_thread_that_would_keep_processes_from_being_forked(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    read(file)
    assert tqdm.monitor_interval == 0
