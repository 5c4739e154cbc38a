"""drift.py: says when what is asked is unlike the test split, and when nothing can be said."""

import json
import sys
from typing import Any

import pytest

from chalice_app.local import metrics as local_metrics
from chalicelib.stats import ReviewStats
from training.evaluation import drift

LINE = {"route": "/v1/sentiment", "method": "POST", "status": 200, "ms": 4.0}
FIGURES: dict[str, Any] = {
    "reviews": 400,
    "coverage": 0.9,
    "accuracy_outright": 0.95,
    "accuracy_positive": 0.94,
    "accuracy_negative": 0.96,
    "by_length": [{"reviews": 100, "tokens_to": bound} for bound in (128, 192, 320, 400)],
}
CARD = {"metrics": {"test": FIGURES, "warnings": {"flagged": {"truncated": 0.1}}}}


def told(*judged: ReviewStats) -> str:
    metrics = local_metrics.Metrics()
    metrics.watch(LINE, judged)
    return metrics.text()


def like_the_card(times: int = 1) -> list[ReviewStats]:
    """Forty reviews as the card has them: lengths in quarters, one in ten uncertain, one in ten cut."""
    made = []
    for number in range(40):
        sentiment = "uncertain" if number % 10 == 0 else ("positive", "negative")[number % 2]
        warnings = ("truncated",) if number % 10 == 5 else ()
        made.append(ReviewStats((100, 170, 300, 500)[number % 4], 100, 2, sentiment, warnings))
    return made * times


def run(monkeypatch: pytest.MonkeyPatch, metrics: str, card: object = CARD) -> int | str | None:
    """Run the script on an API's answers; return its exit status or its error."""
    monkeypatch.setattr(
        drift, "fetch", lambda url: (metrics if "metrics" in url else json.dumps(card)).encode()
    )
    monkeypatch.setattr(sys, "argv", ["drift.py", "http://127.0.0.1:1/"])
    with pytest.raises(SystemExit) as ended:
        drift.main()
    return ended.value.code


def test_reviews_like_those_of_the_test_split_are_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, told(*like_the_card(10))) == 0
    said = capsys.readouterr().out
    assert said.startswith("400 reviews were judged since the API's start.\n")
    assert said.endswith("They are like the reviews that the model was evaluated on.\n")
    assert "alike     10.0 % uncertain; 10.0 % on the test split" in said
    assert "2.0 % of their words are unknown" in said
    assert "DIFFERS" not in said


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (ReviewStats(100, 100, 2, "uncertain", ()), "uncertain; 10.0 % on the test split"),
        (ReviewStats(100, 100, 2, "negative", ()), "positive, of those not uncertain; 50.0 %"),
        (ReviewStats(4, 3, 0, "positive", ()), "of at most 128 tokens; 25.0 %"),
        (ReviewStats(100, 100, 2, "positive", ("not_english",)), "with the warning not_english; 0.0 %"),
    ],
)
def test_what_comes_more_often_than_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], other: ReviewStats, says: str
) -> None:
    assert run(monkeypatch, told(*like_the_card(5), *[other] * 200)) == 1
    differing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("DIFFERS")]
    assert any(says in line for line in differing), differing


def test_a_warning_without_a_figure_on_the_card_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = [review._replace(warnings=(*review.warnings, "mixed")) for review in like_the_card(10)]
    assert run(monkeypatch, told(*mixed)) == 0
    assert "mixed" not in capsys.readouterr().out


def test_a_difference_that_chance_makes_is_none() -> None:
    share = drift.Share("uncertain", 0.2, 0.1)
    assert not share.differs(40)
    assert share.differs(400)
    assert not drift.Share("uncertain", 0.14, 0.1).differs(1_000_000)


def test_a_length_inside_a_bucket_counts_by_its_part_of_it() -> None:
    traffic = drift.parse_metrics(told(*[ReviewStats(150, 10, 0, "positive", ())] * 10))
    assert drift._up_to(traffic, 128) == 0
    assert drift._up_to(traffic, 144) == pytest.approx(0.5)
    assert drift._up_to(traffic, 160) == 1
    endless = drift.parse_metrics(told(ReviewStats(9_000, 10, 0, "positive", ())))
    assert drift._up_to(endless, 5_000) == 0


def test_an_adapted_model_s_traffic_is_compared_with_what_it_was_adapted_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {**FIGURES, "accuracy_positive": 0.95, "accuracy_negative": 0.95, "positive_outright": 0.5}
    card = {"metrics": {"adaptation": {"after": figures, "flagged": {"truncated": 0.1}}}}
    assert run(monkeypatch, told(*like_the_card(10)), card) == 0
    assert "10.0 % uncertain; 10.0 % where it was adapted to" in capsys.readouterr().out


def test_few_reviews_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "5 reviews were judged so far" in str(run(monkeypatch, told(*like_the_card()[:5])))


@pytest.mark.parametrize("text", ["", "<html>", "verdict_reviews_total 1", "{}"])
def test_what_is_not_ours_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert "is this Verdict's API?" in str(run(monkeypatch, text))


@pytest.mark.parametrize("card", [{}, {"metrics": {}}, {"metrics": {"test": {}}}, []])
def test_a_card_without_figures_is_one_sentence(monkeypatch: pytest.MonkeyPatch, card: object) -> None:
    assert "make evaluate" in str(run(monkeypatch, told(*like_the_card()), card))


def test_an_api_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["drift.py", "http://127.0.0.1:1"])
    with pytest.raises(
        SystemExit, match="^drift: nothing answers at http://127.0.0.1:1/v1/metrics; start it"
    ):
        drift.main()
