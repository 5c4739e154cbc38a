"""What moved the number: the difference of two sides, split into aspects, the mix of groups, and the rest.

Within a group, what changed in a part of the logit counts for the whole by the group's mean share. A change
of the shares themselves is the mix of groups (Kitagawa, 1955). All parts add up to the difference.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from training.report.cells import Extremes, rounded, rounded_pair
from training.report.resampling import REPLICATES, interval
from training.report.table import MILLION, Chunk

# A side with fewer rows is not compared; a group with fewer proves no paradox.
FEWEST_ROWS = 20
MOST_ROWS, MOST_GROUPS = 20, 10
BEFORE, AFTER = 0, 1
# The share of files in which chance alone may call some cause clear.
CHANCE = 0.05
MIX, REST, OTHERS = "mix of groups", "everything else", "other groups"


class Split(NamedTuple):
    """A difference in parts, with replicates: ``within`` is float64 (parts, groups, 1 + replicates).

    ``mix`` is float64 (groups, 1 + replicates), ``difference`` and ``means`` (1 + replicates,) and
    (2, 1 + replicates).
    """

    difference: np.ndarray
    means: np.ndarray
    within: np.ndarray
    mix: np.ndarray


class Comparison:
    """Sums over both sides' rows, by group and by part of the logit; the last part is the rest.

    ``groups`` are the names of the groups told apart; all other rows share one more. An empty list means that
    there are no groups.
    """

    def __init__(self, aspects: Sequence[str], groups: Sequence[str]) -> None:
        self._aspects, self._groups = list(aspects), list(groups)
        buckets, parts, columns = len(groups) + 1, len(aspects) + 1, 1 + REPLICATES
        self.weights = np.zeros((2, buckets, columns))
        self.logits = np.zeros((2, buckets, parts, columns))
        self.verdicts = np.zeros_like(self.logits)
        self.mentions = np.zeros((2, buckets, len(aspects)), dtype=np.int64)
        self._strongest = Extremes(MOST_ROWS)  # a cell for each side and part
        self._of_groups = Extremes(MOST_ROWS)  # a cell for each side and group

    def add(self, chunk: Chunk, sides: np.ndarray, buckets: np.ndarray, weights: np.ndarray) -> None:
        """Add rows by their sides, 0, 1 or -1 for neither, and by their groups' places, int (rows,) each.

        A row without one of these groups is with the others.
        """
        others = (buckets < 0) | (buckets >= len(self._groups))
        buckets = np.where(others, len(self._groups), buckets)
        cells = np.where(sides < 0, -1, sides * (len(self._groups) + 1) + buckets)
        order = np.argsort(cells, kind="stable")[np.count_nonzero(cells < 0) :]
        if not len(order):
            return
        cells = cells[order]
        logits = np.column_stack([chunk.pulls, chunk.rest])[order]
        parts = np.concatenate([logits, shares(logits, chunk.signs[order])], axis=1).T.astype(np.float64)
        count = logits.shape[1]
        present, starts = np.unique(cells, return_index=True)
        for cell, first, last in zip(present, starts, [*starts[1:], len(cells)], strict=True):
            side, bucket = divmod(int(cell), len(self._groups) + 1)
            weighed = weights[order[first:last]].astype(np.float64)
            sums = parts[:, first:last] @ weighed
            self.weights[side, bucket] += weighed.sum(axis=0)
            self.logits[side, bucket] += sums[:count]
            self.verdicts[side, bucket] += sums[count:]
            self.mentions[side, bucket] += chunk.mentioned[order[first:last]].sum(axis=0)
        numbers = chunk.numbers[order]
        self._of_groups.add(cells, chunk.logits[order], numbers)
        side_of = cells // (len(self._groups) + 1)
        for part in range(count):
            rows = chunk.mentioned[order, part] if part < count - 1 else np.ones(len(order), dtype=bool)
            self._strongest.add(side_of[rows] * count + part, logits[rows, part], numbers[rows])

    @property
    def rows(self) -> list[int]:
        """Return the number of rows of either side."""
        return [int(weights[:, 0].sum()) for weights in self.weights]

    def report(self, kind: str, labels: Sequence[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the report's ``comparison`` and ``moved``."""
        logit = split(self.weights, self.logits, 1)
        net = split(self.weights, self.verdicts, 100)
        sides = [
            {
                "label": label,
                "rows": rows,
                "net": rounded(net.means[side, 0]),
                "mean_logit": rounded(logit.means[side, 0]),
            }
            for side, (label, rows) in enumerate(zip(labels, self.rows, strict=True))
        ]
        comparison = {
            "kind": kind,
            "before": sides[BEFORE],
            "after": sides[AFTER],
            "logit": _difference(logit),
            "net": _difference(net),
            "simpson": self._is_paradox(float(net.difference[0])),
        }
        return comparison, self._moved(logit, net)

    def _moved(self, logit: Split, net: Split) -> list[dict[str, Any]]:
        mentioned = [place for place in range(len(self._aspects)) if self.mentions[:, :, place].any()]
        tests = len(mentioned) + (len(self._groups) + 1 if self._groups else 0)
        causes = [self._aspect(place, logit, net, tests) for place in mentioned]
        if self._groups:
            causes.append(self._mix(logit, net, tests))
        changed = self._changed_groups(logit, tests)
        causes += [self._group(group, logit, net, tests) for group in changed]
        causes.sort(key=lambda cause: -abs(cause["effect"]))
        return [*causes, self._rest(changed, logit, net)]

    def _aspect(self, place: int, logit: Split, net: Split, tests: int) -> dict[str, Any]:
        """Return an aspect's part of the difference."""
        within = logit.within[place]
        effect = within.sum(axis=0)
        cause = _cause(self._aspects[place], "aspect", effect, net.within[place].sum(axis=0), tests)
        often, tone = self._often_and_tone(place)
        mentioned = self.mentions[:, :, place].sum(axis=1) / self.weights[:, :, 0].sum(axis=1)
        return cause | {
            "often": rounded(often),
            "tone": rounded(tone),
            "mentioned": _pair(mentioned),
            "groups": self._by_group(within[:, 0]),
            "rows": self._rows_of(place, float(effect[0])),
        }

    def _changed_groups(self, logit: Split, tests: int) -> list[int]:
        """Return the groups whose reviews changed clearly, beyond all aspects, the largest effect first."""
        within = logit.within[-1]
        changed = [group for group in range(len(self._groups)) if _is_clear(within[group], tests)]
        changed.sort(key=lambda group: (-abs(rounded(float(within[group, 0]))), self._groups[group]))
        return changed[:MOST_GROUPS]

    def _group(self, group: int, logit: Split, net: Split, tests: int) -> dict[str, Any]:
        """Return what changed in a group's reviews beyond all aspects."""
        effect = logit.within[-1, group]
        cell = AFTER * (len(self._groups) + 1) + group
        found = self._of_groups.high(cell) if effect[0] > 0 else self._of_groups.low(cell)
        cause = _cause(self._groups[group], "group", effect, net.within[-1, group], tests)
        return cause | {"groups": [{"name": cause["name"], "effect": cause["effect"]}], "rows": found}

    def _rest(self, named: list[int], logit: Split, net: Split) -> dict[str, Any]:
        """Return what no aspect and none of these groups names."""
        left = np.setdiff1d(np.arange(len(self._groups) + 1), named)
        effect = logit.within[-1, left].sum(axis=0)
        effects = np.zeros(len(self._groups) + 1)
        effects[left] = logit.within[-1, left, 0]
        groups = [one for one in self._by_group(effects) if one["effect"]]
        rows = self._rows_of(len(self._aspects), float(effect[0]))
        cause = _cause(REST, "rest", effect, net.within[-1, left].sum(axis=0), 1)
        return cause | {"groups": groups, "rows": rows}

    def _mix(self, logit: Split, net: Split, tests: int) -> dict[str, Any]:
        cause = _cause(MIX, "mix", logit.mix.sum(axis=0), net.mix.sum(axis=0), tests)
        effects = logit.mix[:, 0]
        buckets = len(self._groups) + 1
        group = int(np.abs(effects).argmax())
        totals = self.weights[:, :, 0].sum(axis=1)
        before, after = self.weights[:, group, 0] / totals
        side = AFTER if after >= before else BEFORE
        upwards = (effects[group] > 0) == (side == AFTER)
        found = (self._of_groups.high if upwards else self._of_groups.low)(side * buckets + group)
        return cause | {
            "groups": self._by_group(effects, self.weights[:, :, 0] / totals[:, None]),
            "rows": found,
        }

    def _by_group(self, effects: np.ndarray, shares: np.ndarray | None = None) -> list[dict[str, Any]]:
        """Return the largest effects by group, with the groups' ``shares`` of both sides, (2, groups)."""
        if not self._groups:
            return []
        present = self.weights[:, :, 0].sum(axis=0) > 0
        names = [*self._groups, OTHERS]
        named: list[dict[str, Any]] = [
            {"name": names[place], "effect": rounded(float(effects[place]))}
            | ({} if shares is None else {"share": _pair(shares[:, place])})
            for place in np.flatnonzero(present).tolist()
        ]
        named.sort(key=lambda group: (-abs(group["effect"]), group["name"]))
        return named[:MOST_GROUPS]

    def _often_and_tone(self, place: int) -> tuple[float, float]:
        """Return an aspect's effect by how often it is mentioned, and by its tone; both add up to it."""
        rows = self.weights[:, :, 0]
        mentions = self.mentions[:, :, place].astype(np.float64)
        pulls = self.logits[:, :, place, 0] / MILLION
        both = (rows > 0).all(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            often, tones = mentions / rows, pulls / mentions
        shared = (rows / rows.sum(axis=1, keepdims=True)).mean(axis=0)
        before, after = tones
        before, after = (
            np.where(mentions[BEFORE] > 0, before, after),
            np.where(mentions[AFTER] > 0, after, before),
        )
        mentioned = both & (mentions.sum(axis=0) > 0)
        by_often = shared * (often[AFTER] - often[BEFORE]) * (before + after) / 2
        by_tone = shared * (after - before) * (often[BEFORE] + often[AFTER]) / 2
        return float(by_often[mentioned].sum()), float(by_tone[mentioned].sum())

    def _rows_of(self, place: int, effect: float) -> list[int]:
        """Return the rows that show a part's effect best."""
        parts = len(self._aspects) + 1
        before, after = self.logits[:, :, place, 0].sum(axis=1) / self.weights[:, :, 0].sum(axis=1)
        choices = [
            (AFTER, effect > 0),
            (BEFORE, effect <= 0),
        ]
        is_rest = place == parts - 1
        if not (is_rest or (abs(after) >= abs(before) and (after > 0) == (effect > 0))):
            choices.reverse()
        for side, upwards in choices:
            cell = side * parts + place
            found = self._strongest.high(cell) if upwards else self._strongest.low(cell)
            kept = found if is_rest else self._with_sign(found, cell, upwards)
            if kept:
                return kept
        return []

    def _with_sign(self, numbers: list[int], cell: int, upwards: bool) -> list[int]:
        values = self._strongest.values(cell, upwards)
        return [
            number
            for number, value in zip(numbers, values, strict=True)
            if (value > 0 if upwards else value < 0)
        ]

    def _is_paradox(self, difference: float) -> bool:
        """Return whether every group of enough rows moved against the whole (Simpson, 1951)."""
        rows = self.weights[:, :-1, 0]
        enough = (rows >= FEWEST_ROWS).all(axis=0)
        if rounded(difference) == 0 or np.count_nonzero(enough) < 2:
            return False
        nets = self.verdicts[:, :-1, :, 0].sum(axis=2)[:, enough] / rows[:, enough]
        return bool((np.sign(nets[AFTER] - nets[BEFORE]) == -np.sign(difference)).all())


def shares(logits: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the parts of each verdict, in millionths, int64 (rows, parts); a row's add up to its sign.

    :param logits: the parts of each logit, int64 (rows, parts), the rest last
    :param signs: the verdicts, 1, -1 or 0, (rows,)
    """
    signs = signs.astype(np.int64)[:, None]
    towards = np.maximum(0, signs * logits)
    total = np.maximum(1, towards.sum(axis=1, keepdims=True))
    found: np.ndarray = signs * np.floor(MILLION * (towards / total) + 0.5).astype(np.int64)
    found[:, -1] = signs[:, 0] * MILLION - found[:, :-1].sum(axis=1)
    return found


def split(weights: np.ndarray, sums: np.ndarray, scale: int) -> Split:
    """Split the difference of two sides' means.

    :param weights: float64 (2, groups, columns), 0 where a side has no row of a group
    :param sums: in millionths, so that they are exact, float64 (2, groups, parts, columns)
    :param scale: what 1 stands for in the result
    """
    totals = weights.sum(axis=1)
    means = sums.sum(axis=(1, 2)) / totals
    centre = sums.sum(axis=(0, 1, 2)) / totals.sum(axis=0)
    share = weights / totals[:, None]
    has_before, has_after = weights > 0
    both = has_before & has_after
    safe = np.where(weights > 0, weights, 1)
    of_group = sums.sum(axis=2) / safe - centre
    mix = np.where(
        both,
        (share[AFTER] - share[BEFORE]) * (of_group[BEFORE] + of_group[AFTER]) / 2,
        np.where(has_after, share[AFTER] * of_group[AFTER], 0)
        - np.where(has_before, share[BEFORE] * of_group[BEFORE], 0),
    )
    shared = (share[BEFORE] + share[AFTER]) / 2
    within = np.stack(
        [
            np.where(both, shared * (part[AFTER] / safe[AFTER] - part[BEFORE] / safe[BEFORE]), 0)
            for part in np.moveaxis(sums, 2, 0)
        ]
    )
    parts = means[AFTER] - means[BEFORE], means, within, mix
    return Split(*(part / MILLION * scale for part in parts))


def _is_clear(effect: np.ndarray, tests: int) -> bool:
    """Return whether chance alone hardly makes the largest of so many effects.

    A Gaussian effect passes this bound by chance in at most 5 of 100 files, however many are looked at.

    :param effect: the figure and its replicates, float64 (1 + replicates,)
    """
    replicates = effect[1:][np.isfinite(effect[1:])]
    if not len(replicates):
        return False
    bound = math.sqrt(2 * math.log(2 * tests / CHANCE)) * float(replicates.std())
    return abs(rounded(float(effect[0]))) > bound


def _cause(name: str, kind: str, effect: np.ndarray, net: np.ndarray, tests: int) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "clear": _is_clear(effect, tests),
        "effect": rounded(effect[0]),
        "interval": rounded_pair(interval(effect[1:])),
        "net_effect": rounded(net[0]),
        "net_interval": rounded_pair(interval(net[1:])),
    }


def _pair(sides: np.ndarray) -> list[float]:
    return [rounded(side) for side in sides.tolist()]


def _difference(parts: Split) -> dict[str, Any]:
    return {
        "difference": rounded(parts.difference[0]),
        "interval": rounded_pair(interval(parts.difference[1:])),
    }
