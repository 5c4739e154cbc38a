"""Agreement, kappa and who is right, on answers counted by hand."""

import pytest

from training.files.rows import Prediction
from training.shadow import agreement
from training.shadow.agreement import Pair
from training.shadow.comprehend import SIDES
from training.shadow.services import answer_of

WORDS = tuple(SIDES)


def pair(number: int, ours: float, word: str, label: int | None = None, sure: float = 0.7) -> Pair:
    """Return a row with our P(positive), uncertain from 0.4 to 0.6, and the other's word."""
    side = "uncertain" if 0.4 <= ours <= 0.6 else "positive" if ours > 0.5 else "negative"
    scores = {name: sure if name == word else (1 - sure) / 3 for name in WORDS}
    return Pair(number, label, Prediction(side, None, ours), answer_of(scores, SIDES, word))


PAIRS = [
    pair(0, 0.9, "POSITIVE"),
    pair(1, 0.8, "POSITIVE"),
    pair(2, 0.1, "NEGATIVE"),
    pair(3, 0.9, "NEGATIVE"),
    pair(4, 0.5, "MIXED"),
    pair(5, 0.5, "NEUTRAL"),
    pair(6, 0.7, "NEUTRAL"),
    pair(7, 0.45, "NEGATIVE"),
]


def test_rows_agree_when_their_sides_do_and_mixed_and_neutral_are_uncertain() -> None:
    found = agreement.agreement_of(PAIRS, WORDS)
    assert (found.strict.hits, found.strict.rows, found.strict.share) == (5, 8, 0.625)
    assert (found.decided.hits, found.decided.rows) == (3, 4)
    assert found.table == {
        "positive": {"POSITIVE": 2, "NEGATIVE": 1, "NEUTRAL": 1, "MIXED": 0},
        "negative": {"POSITIVE": 0, "NEGATIVE": 1, "NEUTRAL": 0, "MIXED": 0},
        "uncertain": {"POSITIVE": 0, "NEGATIVE": 1, "NEUTRAL": 1, "MIXED": 1},
    }


def test_kappa_takes_away_what_chance_would_give() -> None:
    # Sides: ours 4, 1, 3 of 8 and theirs 2, 3, 3; chance (4*2 + 1*3 + 3*3) / 64.
    chance = 20 / 64
    assert agreement.agreement_of(PAIRS, WORDS).kappa == pytest.approx((0.625 - chance) / (1 - chance))


def test_kappa_is_not_defined_where_both_always_answer_the_same() -> None:
    assert agreement.agreement_of([pair(0, 0.9, "POSITIVE")], WORDS).kappa is None


def test_no_share_is_claimed_without_rows() -> None:
    found = agreement.agreement_of([pair(0, 0.5, "MIXED")], WORDS).decided
    assert (found.rows, found.share, found.interval) == (0, None, None)


def test_one_row_tells_next_to_nothing() -> None:
    strict = agreement.agreement_of([pair(0, 0.9, "POSITIVE")], WORDS).strict
    assert strict.interval == (pytest.approx(0.025), 1.0)


def test_disagreements_come_widest_apart_first() -> None:
    apart = agreement.disagreements_of(PAIRS)
    assert [one.number for one in apart] == [3, 7, 6]
    assert apart[0].gap == pytest.approx(0.9 - 0.2)
    assert agreement.disagreements_of(PAIRS[:3]) == []


def test_the_likelier_side_counts_and_mcnemar_s_test_compares() -> None:
    rows = [pair(number, 0.9, "NEGATIVE", label=1) for number in range(6)]
    rows += [pair(6, 0.1, "POSITIVE", label=1), pair(7, 0.55, "POSITIVE", label=1), pair(8, 0.9, "POSITIVE")]
    found = agreement.rightness_of(rows)
    assert found is not None
    assert (found.rows, found.ours.hits, found.theirs.hits) == (8, 7, 2)
    assert (found.only_ours, found.only_theirs) == (6, 1)
    assert found.p == pytest.approx(2 * (1 + 7) / 2**7)
    assert (found.ours_decided.hits, found.ours_decided.rows) == (6, 7)
    assert (found.theirs_decided.hits, found.theirs_decided.rows) == (2, 8)


def test_an_answer_between_both_sides_is_right_for_neither_label() -> None:
    for label in (0, 1):
        found = agreement.rightness_of([pair(0, 0.5, "MIXED", label=label, sure=1.0)])
        assert found is not None
        assert (found.ours.hits, found.theirs.hits, found.p) == (0, 0, 1.0)


def test_without_labels_nobody_is_right() -> None:
    assert agreement.rightness_of(PAIRS) is None


def test_labels_of_an_unknown_service_come_with_the_positive_ones_first() -> None:
    ours = Prediction("positive", None, 0.9)
    rows = [
        Pair(
            0,
            None,
            ours,
            answer_of({"1 star": 0.2, "5 stars": 0.8}, {"1 star": "negative", "5 stars": "positive"}),
        )
    ]
    assert agreement.words_of(rows, ()) == ["5 stars", "1 star"]
    assert agreement.words_of(PAIRS, WORDS) == list(WORDS)
