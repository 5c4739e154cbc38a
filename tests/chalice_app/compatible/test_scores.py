"""compatible/scores.py: four classes from a verdict, which add up and agree with it."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compatible.scores import NOT_UNDERSTOOD, class_of, class_scores
from vocab import messages
from vocab.messages import Model
from vocab.messages.answers import sentiment_of

BANDS = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: (min(pair), max(pair)))
PUBLISHED = (0.349, 0.651)


def verdict_of(probability: float, band: tuple[float, float], opinion: str = "one_sided") -> dict[str, Any]:
    """Return the verdict that messages.judge would give."""
    sentiment = sentiment_of(probability, Model("m", "v", band))
    reason = {"one_sided": "unclear", "none": "no_opinion"}.get(opinion, opinion)
    warned = opinion == "mixed" and sentiment != "uncertain"
    return {
        "sentiment": sentiment,
        "reason": reason if sentiment == "uncertain" else None,
        "probability": probability,
        "warnings": [{"code": "mixed", "detail": "."}] if warned else [],
    }


@given(st.integers(0, 10**6), BANDS, st.sampled_from(messages.OPINIONS))
def test_scores_add_up_and_the_verdict_s_own_is_the_largest(
    millionths: int, band: tuple[float, float], opinion: str
) -> None:
    verdict = verdict_of(millionths / 10**6, band, opinion)
    scores = class_scores(verdict, band)
    assert all(0 <= score <= 1 for score in scores)
    assert math.fsum(scores) == pytest.approx(1, abs=1e-12)
    assert getattr(scores, class_of(verdict)) == max(scores)
    assert class_of(verdict) == verdict["sentiment"] or verdict["sentiment"] == "uncertain"


@given(st.integers(0, 10**6 - 1), st.sampled_from(messages.OPINIONS))
def test_a_small_step_of_the_probability_is_a_small_step_of_the_scores(millionths: int, opinion: str) -> None:
    first, second = (
        class_scores(verdict_of(number / 10**6, PUBLISHED, opinion), PUBLISHED)
        for number in (millionths, millionths + 1)
    )
    assert max(abs(a - b) for a, b in zip(first, second, strict=True)) < 1e-5


@given(st.integers(0, 10**6 - 1))
def test_more_probable_is_never_less_positive(millionths: int) -> None:
    first, second = (
        class_scores(verdict_of(number / 10**6, PUBLISHED), PUBLISHED)
        for number in (millionths, millionths + 1)
    )
    assert second.positive >= first.positive - 1e-15
    assert second.negative <= first.negative + 1e-15


@pytest.mark.parametrize("opinion", messages.OPINIONS)
def test_praise_and_complaint_are_mixed_and_every_other_doubt_is_neutral(opinion: str) -> None:
    for probability in (0.02, 0.5, 0.98):
        scores = class_scores(verdict_of(probability, PUBLISHED, opinion), PUBLISHED)
        assert (scores.mixed > 0) == (opinion == "mixed")
        assert (scores.neutral > 0) == (opinion != "mixed")


def test_at_an_edge_of_the_band_the_verdict_s_side_and_the_doubt_are_even() -> None:
    for edge, side in ((0.651, "positive"), (0.349, "negative")):
        verdict = verdict_of(edge, PUBLISHED)
        scores = class_scores(verdict, PUBLISHED)
        assert verdict["sentiment"] == side
        assert getattr(scores, side) == scores.neutral


@pytest.mark.parametrize("reason", ["no_known_words", "not_english"])
@pytest.mark.parametrize("probability", [0.01, 0.5, 0.99])
def test_a_text_that_was_not_understood_is_neutral_whatever_its_probability(
    reason: str, probability: float
) -> None:
    verdict = {"sentiment": "uncertain", "reason": reason, "probability": probability, "warnings": []}
    assert class_of(verdict) == "neutral"
    assert class_scores(verdict, PUBLISHED) == NOT_UNDERSTOOD
    assert math.fsum(NOT_UNDERSTOOD) == pytest.approx(1)
