"""The benchmark of frames: each way judges a file, and one that is too slow is named."""

from pathlib import Path

import pytest

from bench import frames, samples
from tests.support.command import verdict

REVIEWS = ["I loved it, a lovely film.", "Dull, awful and far too long."]


def test_a_way_under_the_goal_is_named() -> None:
    rates = {frames.COMMAND: [1000.0, 2000.0, 1500.0]} | dict.fromkeys(frames.WAYS, [950.0, 1900.0, 1425.0])
    rates["polars"] = [800.0, 1600.0, 1400.0]
    lines = frames.report(rates).splitlines()
    assert lines[0] == "verdict file.csv     1,500 reviews/s"
    assert lines[1] == "pandas               1,425 reviews/s, 0.95 of it"
    assert lines[2] == "polars               1,400 reviews/s, 0.80 of it, less than 0.9"


@pytest.mark.slow
@pytest.mark.parametrize("way", frames.WAYS)
def test_each_way_writes_the_command_s_probabilities(way: str, tmp_path: Path) -> None:
    file = samples.write_csv(tmp_path / "reviews.csv", REVIEWS)
    frames.main(["--only", way, str(file), str(tmp_path / "out.csv")])
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    place = lines[0].split(",").index("probability") - len(lines[0].split(","))
    found = [float(line.split(",")[place]) for line in lines[1:]]
    rows = verdict("--local", str(file), "--json").out.splitlines()
    assert [f'"probability": {value}' in row for value, row in zip(found, rows, strict=True)] == [True, True]


def test_without_a_way_there_is_no_file() -> None:
    with pytest.raises(SystemExit):
        frames.main(["reviews.csv"])
