"""README's plots show the card's figures, the same card gives the same bytes, and none is stale."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from bench import drawing
from tools import draw_plots
from training.evaluation import metrics

NAMES = ("reliability.svg", "risk-coverage.svg", "errors-by-length.svg")


def card(reviews: int = 3_000) -> dict[str, Any]:
    """Return a card whose test figures are those of drawn reviews."""
    chooser = np.random.default_rng(0)
    logits = chooser.normal(0, 4, reviews)
    probabilities = metrics.probabilities_of(logits)
    labels = (chooser.random(reviews) < probabilities).astype(int)
    lengths = chooser.integers(10, 400, reviews)
    figures = {
        **metrics.summary(probabilities, labels, (0.3, 0.7)),
        "by_length": metrics.by_length(probabilities, labels, lengths, (0.3, 0.7)),
        "risk_coverage": metrics.risk_coverage(probabilities, labels),
        "reliability": metrics.reliability(probabilities, labels),
    }
    return {"id": "verdict-0123456789ab", "metrics": {"test": figures}}


def words_of(path: Path) -> list[str]:
    """Return all texts of a drawing in order, its title first."""
    tree = ElementTree.parse(path)
    return ["".join(node.itertext()) for node in tree.iter() if node.tag.split("}")[-1] in ("title", "text")]


def test_each_drawing_says_the_card_s_figures_in_words(tmp_path: Path) -> None:
    drawn = card()
    figures = drawn["metrics"]["test"]
    paths = draw_plots.draw(drawn, tmp_path)
    assert [path.name for path in paths] == list(NAMES)
    reliability, risk, errors = map(words_of, paths)
    assert f"ECE {100 * figures['ece']:.2f} %" in reliability
    assert "15 bins of 200 test reviews" in reliability
    assert f"{100 * figures['accuracy_of_surest_90']:.2f} % of the surest 90 %" in risk
    for quarter in figures["by_length"]:
        assert f"{quarter['tokens_from']}–{quarter['tokens_to']}" in errors
        assert f"{100 * (1 - quarter['accuracy']):.1f} %" in errors
    assert {"negative, called positive", "positive, called negative"} <= set(errors)


def bars(path: Path, colour: str) -> list[float]:
    """Return the heights of the drawn bars of a colour, in points."""
    text = path.read_text(encoding="utf-8")
    paths = re.findall(rf'<path d="M ([^"]*)z\s*" clip-path="[^"]*" style="fill: {colour}"', text)
    heights = []
    for path_data in paths:
        ys = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", path_data)]
        heights.append(max(ys) - min(ys))
    return heights


def test_bars_are_as_high_as_the_share_of_each_error(tmp_path: Path) -> None:
    drawn = card()
    path = draw_plots.draw(drawn, tmp_path)[2]
    quarters = drawn["metrics"]["test"]["by_length"]
    expected = [
        quarter["confusion"][key] for key in ("false_positive", "false_negative") for quarter in quarters
    ]
    heights = bars(path, drawing.BLUE) + bars(path, drawing.ORANGE)
    assert len(heights) == 8
    scale = sum(expected) / sum(heights)
    assert [scale * height for height in heights] == pytest.approx(expected, rel=1e-3)


def test_the_same_card_gives_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        draw_plots.draw(card(), folder)
    for name in NAMES:
        data = (first / name).read_bytes()
        assert data == (second / name).read_bytes()
        assert b"dc:date" not in data


def test_the_paper_is_white_under_dark_words_whatever_the_page(tmp_path: Path) -> None:
    for path in draw_plots.draw(card(), tmp_path):
        text = path.read_text(encoding="utf-8")
        first = re.search(r'<g id="patch_1">\s*<path d="([^"]*)" style="fill: #ffffff"', text)
        assert first, path
        assert {"331.2", "244.8"} <= set(re.findall(r"[\d.]+", first[1]))


def test_the_development_split_stands_in_where_test_has_no_such_figures(tmp_path: Path) -> None:
    drawn = card()
    full = drawn["metrics"].pop("test")
    drawn["metrics"] = {"development": full, "test": dict(full)}
    del drawn["metrics"]["test"]["risk_coverage"]
    reliability, risk, _ = map(words_of, draw_plots.draw(drawn, tmp_path))
    assert "15 bins of 200 test reviews" in reliability
    assert "3,000 development reviews" in risk


def test_a_drawing_without_figures_names_the_command(tmp_path: Path) -> None:
    for path in draw_plots.draw({"id": "verdict-x", "metrics": {"test": {}}}, tmp_path):
        assert "not measured yet: make evaluate" in words_of(path)


def test_quarters_without_a_confusion_show_their_errors_as_one(tmp_path: Path) -> None:
    drawn = card()
    for quarter in drawn["metrics"]["test"]["by_length"]:
        del quarter["confusion"]
    words = words_of(draw_plots.draw(drawn, tmp_path)[2])
    assert "called wrongly" in words
    assert "negative, called positive" not in words


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_drawing_has_the_committed_card_s_figures(name: str, tmp_path: Path) -> None:
    published = json.loads(draw_plots.CARD.read_text(encoding="utf-8"))
    draw_plots.draw(published, tmp_path)
    assert words_of(draw_plots.DOCS / name) == words_of(tmp_path / name), "run `python -m tools.draw_plots`"
    assert words_of(tmp_path / name)[0].endswith(published["id"])


def test_a_card_that_can_t_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_plots, "CARD", tmp_path / "none.json")
    with pytest.raises(SystemExit, match=r"^plots: .*none.json can't be read .*; restore it from git"):
        draw_plots.main()
