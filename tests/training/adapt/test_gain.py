"""What labels gain: no group on both sides, and figures of both models in words."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.own_reviews import rows, save
from training.adapt import gain
from training.adapt.gain import Measured


@pytest.mark.parametrize("seed", range(5))
def test_no_group_gives_both_labels_and_test(seed: int) -> None:
    groups = np.random.default_rng(seed).integers(0, 40, 300)
    learned, held = gain.split(groups, 120, seed)
    assert learned.sum() == 120
    assert not set(groups[learned]) & set(groups[held])
    assert held.sum() > 150


def test_the_lines_name_the_gain_its_spread_and_the_worst_draw() -> None:
    accuracy = np.array([[0.80, 0.84], [0.80, 0.86]])
    ece = np.array([[0.05, 0.03], [0.05, 0.06]])
    lines = gain.lines_of("a.tsv", 987, 300, Measured(accuracy, ece, np.array([[0.5, 0.4]] * 2)))
    assert lines[0] == "a.tsv: 300 labels of 987 rows, mean of 2 draws"
    assert "80.0 % to 85.0 % (+5.0 ± 1.4 points)" in lines[1]
    assert "5.0 % to 4.5 % (in the worst draw +1.0 points)" in lines[2]
    assert "0.500 to 0.400" in lines[3]


def test_a_file_is_measured_by_the_command(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "own.csv", [*rows(160)])
    options = ["--labels", "80", "--draws", "1", "--workers", "1", "--model", str(made_package)]
    assert gain.main([str(path), *options]) == 0
    assert capsys.readouterr().out.startswith("own.csv: 80 labels of 160 rows, mean of 1 draws\n  accuracy")


def test_too_few_rows_for_a_test_are_one_sentence(
    made_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "own.csv", [*rows(60)])
    options = ["--labels", "300", "--workers", "1", "--model", str(made_package)]
    assert gain.main([str(path), *options]) != 0
    assert "gain: 60 rows are too few for 300 labels and a test" in capsys.readouterr().err
