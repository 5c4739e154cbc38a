"""Baselines beside the model on short cases: the held half, missing packages, and the command."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.baselines import behaviour as baselines
from training.baselines.scorers import Baseline, BaselineMissing, TrainingSource
from training.evaluation import behaviour

SENTENCES = [{"text": "A good film.", "half": half, "label": "positive"} for half in behaviour.HALVES]


def case(half: str) -> dict[str, Any]:
    return {
        "id": "x-1",
        "capability": "x",
        "half": half,
        "expect": "label",
        "label": "positive",
        "review": half,
    }


def test_baselines_score_the_held_half_alone_and_missing_ones_say_what_to_install(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    def score(texts: Any) -> list[float]:
        asked.extend(texts)
        return [0.9] * len(texts)

    def missing(source: TrainingSource) -> Baseline:
        raise BaselineMissing("it is not installed: get it")

    makers = {"Yes": lambda source: Baseline("Yes", score, (), ""), "Other": missing}
    cases = [case(half) for half in behaviour.HALVES]
    sentences = [{"text": "s", "half": "held", "label": "negative"}]
    rates, missing_ones = baselines.evaluate_baselines(TrainingSource(tmp_path), cases, sentences, makers)
    assert rates == {"Yes": {"x": 1.0, "overall": 1.0, "single sentences": 0.0}}
    assert missing_ones == ["it is not installed: get it"]
    assert set(asked) == {"held", "s"}


def test_the_command_puts_baselines_beside_the_model_and_publishes_the_model_s_rates(
    make_archive: Callable[..., Path],
    own_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(behaviour, "load_sentences", lambda reviews: SENTENCES)
    monkeypatch.setitem(sys.modules, "textblob", None)
    given = ["--publish", "--archive", str(make_archive()), "--model", str(own_package)]
    monkeypatch.setattr(sys, "argv", ["behaviour.py", *given])
    baselines.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["capability", "open", "held", "VADER", "NB-LR"]
    assert lines[-1].startswith("TextBlob is not installed: pip install")
    published = json.loads((own_package / "model.json").read_text(encoding="utf-8"))["metrics"]["behaviour"]
    names = {name for name in published if name != "command"}
    assert names == {row["capability"] for row in behaviour.load_cases()} | {"overall", "single sentences"}
    assert all(set(published[name]) == set(behaviour.HALVES) for name in names)


def test_a_missing_model_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["behaviour.py", "--model", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"^behaviour: .*model.json can't be read .*; name a folder"):
        baselines.main()
