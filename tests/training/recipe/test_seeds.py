"""The spread over seeds: its arithmetic, and that it belongs to the published model."""

import statistics
import sys
from pathlib import Path

import pytest

from training.recipe import seeds


def test_the_spread_is_mean_sample_deviation_least_and_most() -> None:
    spread = seeds.spread([{"a": 0.91, "b": 1.0}, {"a": 0.93, "b": 1.0}, {"a": 0.95, "b": 1.0}])
    assert spread["a"]["mean"] == pytest.approx(0.93)
    assert spread["a"]["sd"] == pytest.approx(0.02)
    assert (spread["a"]["min"], spread["a"]["max"]) == (0.91, 0.95)
    assert spread["b"]["sd"] == 0.0


def test_one_seed_has_no_spread() -> None:
    with pytest.raises(statistics.StatisticsError):
        seeds.spread([{"a": 1.0}])


@pytest.mark.parametrize("numbers", [["1"], ["2", "2"]])
def test_fewer_than_two_seeds_is_one_sentence(numbers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["seeds.py", "--seeds", *numbers])
    with pytest.raises(SystemExit, match="^seeds: a spread needs two different seeds or more$"):
        seeds.main()


def test_the_spread_of_other_networks_is_not_published() -> None:
    card = {"onnx_sha256": "a" * 64, "id": "verdict-aaaa"}
    seeds.check_published(card, dict(card))
    with pytest.raises(ValueError, match="published model is verdict-aaaa, seed 1's is verdict-bbbb"):
        seeds.check_published(card, {"onnx_sha256": "b" * 64, "id": "verdict-bbbb"})


def test_a_seed_is_trained_by_the_recipe_and_packaged_in_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    class Done:
        returncode = 0

    monkeypatch.setattr(seeds.subprocess, "run", lambda command: commands.append(command) or Done())
    folder = seeds.package_of(2)
    assert folder == cache / "best" / "package-2"
    module = ["-m", "training.recipe.reproduce"]
    assert commands[0][1:] == [*module, "--seed", "2", "--package", str(folder)]
    seeds.package_of(2, stored_targets=True)
    assert commands[1] == [*commands[0], "--stored-targets"]
    Done.returncode = 1
    with pytest.raises(SystemExit, match="the training with seed 2 failed"):
        seeds.package_of(2)
