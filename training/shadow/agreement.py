"""Compare the answers of Verdict and another service: agreement, and who is right where labels are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.evaluation import risk_control, significance
from training.files.rows import Prediction
from training.shadow.services import NEGATIVE, POSITIVE, SIDES, UNCERTAIN, Answer

# A difference is told apart from chance from here on.
LEVEL = 0.05


class Pair(NamedTuple):
    """A row that both services answered: its number, its label (1, 0 or None), and both answers."""

    number: int
    label: int | None
    ours: Prediction
    theirs: Answer

    @property
    def lean(self) -> float:
        """Verdict's P(positive)."""
        return self.ours.probability or 0.0

    @property
    def gap(self) -> float:
        """How far the two answers are apart, from 0 to 1."""
        return abs(self.lean - self.theirs.lean)


class Share(NamedTuple):
    """A share of rows with Clopper and Pearson's 95 % interval; None without rows."""

    hits: int
    rows: int
    share: float | None
    interval: tuple[float, float] | None


class Agreement(NamedTuple):
    """How often two services agree.

    ``strict`` is over all rows, with the sides positive, negative and uncertain. ``decided`` is over the rows
    that both call positive or negative. ``kappa`` is Cohen's, over all rows; None where it is not defined.
    ``table`` counts rows by Verdict's side and the other's word.
    """

    strict: Share
    decided: Share
    kappa: float | None
    table: dict[str, dict[str, int]]


class Rightness(NamedTuple):
    """Who is right on the labelled rows.

    ``ours`` and ``theirs`` take each answer's likelier side. ``ours_decided`` and ``theirs_decided`` are over
    the rows that each calls positive or negative. ``only_ours`` and ``only_theirs`` count the rows that one
    alone gets right, and ``p`` is that of McNemar's exact test.
    """

    rows: int
    ours: Share
    theirs: Share
    ours_decided: Share
    theirs_decided: Share
    only_ours: int
    only_theirs: int
    p: float


def share_of(count: int, rows: int) -> Share:
    """Return a share with its interval."""
    return (
        Share(count, rows, count / rows, risk_control.interval(count, rows))
        if rows
        else Share(0, 0, None, None)
    )


def words_of(pairs: Sequence[Pair], known: Sequence[str]) -> list[str]:
    """Return the other service's words: those known, then those that came, from Z to A.

    So labels such as POSITIVE, "5 stars" and LABEL_1 come first.
    """
    came = {word for pair in pairs for word in pair.theirs.scores}
    return [*known, *sorted(came - set(known), reverse=True)]


def agreement_of(pairs: Sequence[Pair], words: Sequence[str]) -> Agreement:
    """Return how often both services agree; ``words`` are the other's words, in the order of the table."""
    table = {side: dict.fromkeys(words, 0) for side in SIDES}
    both = dict.fromkeys(((ours, theirs) for ours in SIDES for theirs in SIDES), 0)
    for pair in pairs:
        table[pair.ours.sentiment][pair.theirs.word] += 1
        both[pair.ours.sentiment, pair.theirs.side] += 1
    same = {side: both[side, side] for side in SIDES}
    decided = sum(count for sides, count in both.items() if UNCERTAIN not in sides)
    return Agreement(
        share_of(sum(same.values()), len(pairs)),
        share_of(same[POSITIVE] + same[NEGATIVE], decided),
        _kappa(both, len(pairs)),
        table,
    )


def rightness_of(pairs: Sequence[Pair]) -> Rightness | None:
    """Return who is right on the labelled rows; None without any."""
    pairs = [pair for pair in pairs if pair.label is not None]
    if not pairs:
        return None
    labels = np.array([pair.label for pair in pairs])
    ours = _right(np.array([pair.lean for pair in pairs]), labels)
    theirs = _right(np.array([pair.theirs.lean for pair in pairs]), labels)
    only_ours, only_theirs, p = significance.mcnemar(
        np.where(ours, labels, 1 - labels), np.where(theirs, labels, 1 - labels), labels
    )
    return Rightness(
        len(pairs),
        share_of(int(ours.sum()), len(pairs)),
        share_of(int(theirs.sum()), len(pairs)),
        _decided([pair.ours.sentiment for pair in pairs], labels),
        _decided([pair.theirs.side for pair in pairs], labels),
        only_ours,
        only_theirs,
        p,
    )


def disagreements_of(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the rows on whose side the services differ, the widest apart first."""
    apart = [pair for pair in pairs if pair.ours.sentiment != pair.theirs.side]
    return sorted(apart, key=lambda pair: (-pair.gap, pair.number))


def _right(leans: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which answers lean to the label's side, bool (rows,); an answer between both does not."""
    right: np.ndarray = np.where(labels == 1, leans > 0.5, leans < 0.5)
    return right


def _decided(sides: Sequence[str], labels: np.ndarray) -> Share:
    decided = [
        side == (POSITIVE if label else NEGATIVE)
        for side, label in zip(sides, labels, strict=True)
        if side != UNCERTAIN
    ]
    return share_of(sum(decided), len(decided))


def _kappa(both: dict[tuple[str, str], int], rows: int) -> float | None:
    """Return Cohen's kappa (1960): agreement beyond what the two services' shares of sides would give."""
    ours = {side: sum(both[side, other] for other in SIDES) / rows for side in SIDES}
    theirs = {side: sum(both[other, side] for other in SIDES) / rows for side in SIDES}
    chance = sum(ours[side] * theirs[side] for side in SIDES)
    if chance >= 1:
        return None
    return (sum(both[side, side] for side in SIDES) / rows - chance) / (1 - chance)
