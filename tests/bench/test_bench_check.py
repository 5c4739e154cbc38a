"""`make bench-check`: a ratio worse by over a quarter fails, any other passes."""

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench import check, goals
from bench.measuring import Figure
from tests.bench.results import results
from training.evaluation import machine


def figures(text: float) -> list[Figure]:
    return [
        Figure("text", "Verdict", "ms", text, turns=[text]),
        Figure("text", "BeautifulSoup alone", "ms", 1.0, turns=[1.0]),
    ]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish one ratio: text takes twice BeautifulSoup's time. Skip archive and load."""
    path = tmp_path / "results.json"
    run = results() | {"figures": [figure._asdict() for figure in figures(2.0)]}
    path.write_text(json.dumps(run), encoding="utf-8")
    monkeypatch.setattr(check, "read_published", lambda: check_read(path))
    monkeypatch.setattr(check.samples, "find", lambda: None)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


check_read = check.read_published


def measured(monkeypatch: pytest.MonkeyPatch, figures: list[Figure]) -> None:
    monkeypatch.setattr(check.bench, "run", lambda *_: figures)


@pytest.mark.usefixtures("published")
def test_a_ratio_that_is_worse_by_over_a_quarter_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, figures(2.51))
    with pytest.raises(SystemExit, match="^bench-check: a ratio is worse by over 25 %$"):
        check.main([])
    assert "WORSE" in capsys.readouterr().out


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("text", [0.5, 2.0, 2.49])
def test_a_ratio_that_is_better_or_a_little_worse_passes(
    text: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, figures(text))
    check.main([])
    assert "WORSE" not in capsys.readouterr().out


def test_a_ratio_is_that_of_neighbouring_turns() -> None:
    """A machine that is three times slower half the time changes nothing; the medians' ratio is 4.6."""
    slow = (1.0, 3.0, 1.0, 3.0, 3.0)
    ours = Figure("text", "Verdict", median=6.0, turns=[2.0 * pace for pace in slow])
    theirs = Figure("text", "BeautifulSoup alone", median=1.3, turns=list(slow))
    assert goals.ratios([ours, theirs]) == {"text / BeautifulSoup": 2.0}


@pytest.mark.usefixtures("published")
def test_a_ratio_that_could_not_be_measured_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, [figures(2.0)[0], Figure("text", "BeautifulSoup alone", missing="it is gone")])
    with pytest.raises(SystemExit, match=r"^bench-check: not measured: text / BeautifulSoup \(it is gone\)$"):
        check.main([])


@pytest.mark.usefixtures("published")
def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, figures(2.0))
    monkeypatch.setattr(os, "getloadavg", lambda: (64.0, 0.0, 0.0))
    wait = functools.partial(check.measuring.wait_until_quiet, seconds=0.0)
    monkeypatch.setattr(check.measuring, "wait_until_quiet", wait)
    with pytest.raises(SystemExit, match="^bench-check: the load average is 64"):
        check.main([])


def test_without_published_ratios_it_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no ratios yet; run `make bench FLAGS=--publish` first"):
        check.read_published(tmp_path / "results.json")


def test_the_published_ratios_are_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results()), encoding="utf-8")
    ratios: dict[str, Any] = check.read_published(path)
    assert ratios["answer / VADER"] == 1.0


def test_of_two_published_runs_that_of_this_processor_counts(tmp_path: Path) -> None:
    for name, processor, ratio in (("results", "another", 1.0), ("results-beside", machine.describe(), 2.0)):
        run = results(**{"text / Verdict": 2 * ratio}) | {"machine": {"processor": processor}}
        (tmp_path / f"{name}.json").write_text(json.dumps(run), encoding="utf-8")
    assert check.read_published(tmp_path / "results.json")["text / NLTK"] == 2.0


@pytest.mark.usefixtures("published")
def test_a_ratio_that_is_not_published_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    more = [Figure("text", "NLTK tokens and Porter stems", "ms", 9.0, turns=[9.0])]
    measured(monkeypatch, figures(2.0) + more)
    with pytest.raises(SystemExit, match="^bench-check: not published: text / NLTK; run `make bench"):
        check.main([])


def test_a_run_of_before_turns_were_kept_has_its_medians_ratio() -> None:
    old = [figure._replace(turns=()) for figure in figures(3.0)]
    assert goals.ratios(old) == {"text / BeautifulSoup": 3.0}
