"""Format a comparison: a short text, JSON, and the disagreements as CSV."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from training.files.formulas import Writer
from training.files.rows import BatchError, Source, cells_of, to_bytes
from training.shadow import trial
from training.shadow.agreement import LEVEL, Agreement, Pair, Rightness, Share
from training.shadow.kept import Call, digest_of
from training.shadow.services import SIDES

OURS = "Verdict"
MILLION = 1_000_000


class Cost(NamedTuple):
    """Seconds of a service's calls, and its dollars with their source; None is unknown.

    ``median`` and ``late`` (95th percentile) are seconds a review, ``seconds`` those of all ``reviews``.
    """

    reviews: int
    median: float | None
    late: float | None
    seconds: float
    dollars: float | None
    source: str | None

    @property
    def million(self) -> float | None:
        """Dollars of a million such reviews."""
        return self.dollars / self.reviews * MILLION if self.dollars is not None and self.reviews else None


class Outcome(NamedTuple):
    """A whole comparison. ``left_out`` counts rows by reason, ``left_out_text`` names the first of them."""

    name: str
    model: str
    rows: int
    compared: int
    left_out: dict[str, int]
    left_out_text: str
    failures: dict[str, int]
    agreement: Agreement
    rightness: Rightness | None
    labels: str
    disagreements: int
    ours: Cost
    theirs: Cost


def cost_of(calls: Sequence[Call], dollars: float | None, source: str | None) -> Cost:
    """Return the cost of a service's calls."""
    median, late, seconds = trial.per_review(calls) or (None, None, 0.0)
    return Cost(sum(count for _, count in calls), median, late, seconds, dollars, source)


def conclusion(outcome: Outcome) -> str:
    """Return what the comparison shows, in one sentence that claims no more."""
    name, found = outcome.name, outcome.rightness
    if found is not None:
        on = f"On {_number(found.rows, 'labelled review')},"
        p = f"McNemar's exact test, p {_p(found.p)}"
        if found.p < LEVEL:
            first, second = (OURS, name) if found.only_ours > found.only_theirs else (name, OURS)
            return f"{on} {first} is right more often than {second}, beyond chance ({p})."
        return (
            f"{on} neither is right more often beyond chance ({p}), which does not show that they are"
            " equally good."
        )
    strict, decided = outcome.agreement.strict, outcome.agreement.decided
    if decided.interval is None:
        return f"No review is decided by both {OURS} and {name}, so their verdicts can't be compared."
    low, high = (100 * bound for bound in decided.interval)
    shown = (
        f"{OURS} and {name} agree on {_percent(decided.share)} of {_number(decided.rows, 'review')} that both"
        f" decide (95 % interval {low:.1f} to {high:.1f})"
    )
    if strict.hits == strict.rows:
        return f"{shown}; that they agree does not show that they are right."
    return f"{shown}; who is right where they differ takes labels."


def lines(outcome: Outcome) -> list[str]:
    """Return the comparison as lines to print, with the conclusion last."""
    name, found = outcome.name, outcome.agreement
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.2f}"
    left_out = f"; left out: {outcome.left_out_text}" if outcome.left_out_text else ""
    codes = ", ".join(f"{code} {count:,} times" for code, count in sorted(outcome.failures.items()))
    return [
        f"{outcome.compared:,} of {_number(outcome.rows, 'row')} compared{left_out}",
        *([f"{name} answered errors: {codes}"] if codes else []),
        "",
        *_columns(
            [
                ("agreement", "share", "95 % interval", "rows"),
                ("all rows, as positive, negative or uncertain", *_cells(found.strict)),
                ("rows that both call positive or negative", *_cells(found.decided)),
            ]
        ),
        f"Cohen's kappa over all rows: {kappa}",
        "",
        *_columns(
            [
                (f"{OURS} by {name}", *next(iter(found.table.values()))),
                *((side, *(f"{count:,}" for count in row.values())) for side, row in found.table.items()),
            ]
        ),
        "",
        *_rightness_lines(outcome),
        *_columns(
            [
                ("cost", OURS, name),
                ("a review, median", _time(outcome.ours.median), _time(outcome.theirs.median)),
                ("a review, 95th percentile", _time(outcome.ours.late), _time(outcome.theirs.late)),
                ("all of them", _time(outcome.ours.seconds), _time(outcome.theirs.seconds)),
                ("all of them, dollars", _dollars(outcome.ours.dollars), _dollars(outcome.theirs.dollars)),
                ("a million such", _dollars(outcome.ours.million), _dollars(outcome.theirs.million)),
            ]
        ),
        *(
            f"{whose}: {cost.source}"
            for whose, cost in ((OURS, outcome.ours), (name, outcome.theirs))
            if cost.source
        ),
        "",
        conclusion(outcome),
    ]


def to_message(outcome: Outcome) -> dict[str, Any]:
    """Return the comparison as JSON's values."""
    return {
        "against": outcome.name,
        "model": outcome.model,
        "rows": outcome.rows,
        "compared": outcome.compared,
        "left_out": outcome.left_out,
        "failures": outcome.failures,
        "agreement": {
            "strict": outcome.agreement.strict._asdict(),
            "decided": outcome.agreement.decided._asdict(),
            "kappa": outcome.agreement.kappa,
            "table": outcome.agreement.table,
        },
        "disagreements": outcome.disagreements,
        "labels": _rightness_message(outcome.rightness),
        "cost": {
            whose: cost._asdict() | {"million_reviews_dollars": cost.million}
            for whose, cost in (("verdict", outcome.ours), ("other", outcome.theirs))
        },
        "conclusion": conclusion(outcome),
    }


def to_csv(
    source: Source, pairs: Sequence[Pair], digests: dict[int, bytes], words: Sequence[str], raw: bool = False
) -> bytes:
    """Return rows as CSV: what both answered, then the file's own columns.

    No cell runs as a formula, unless they are ``raw``. ``digests`` holds the texts' digests by row. Raises
    BatchError when the file has changed since.
    """
    names = ["row", "label", "verdict", "reason", "verdict_probability", "other", "other_probability", "gap"]
    names += [f"score_{word.lower()}" for word in words]
    cells = _cells_by_row(source, {pair.number: digests[pair.number] for pair in pairs})
    out = io.StringIO(newline="")
    writer = Writer(out, raw)
    writer.writerow([*names, *_renamed(source.columns, names)])
    for pair in pairs:
        label = "" if pair.label is None else SIDES[0] if pair.label else SIDES[1]
        scores = [_score(pair.theirs.scores.get(word)) for word in words]
        own = [pair.number + 1, label, pair.ours.sentiment, pair.ours.reason or "", _score(pair.lean)]
        own += [pair.theirs.word, _score(pair.theirs.lean), _score(pair.gap), *scores]
        writer.writerow(own + cells[pair.number])
    return to_bytes(out.getvalue())


def _cells_by_row(source: Source, digests: dict[int, bytes]) -> dict[int, list[str]]:
    cells = {}
    for row in source.rows():
        if row.number in digests and digest_of(trial.text_of(row)) == digests[row.number]:
            cells[row.number] = cells_of(row, source)
    if len(cells) != len(digests):
        raise BatchError(f"{source.path} was changed while it was read; run it again")
    return cells


def _renamed(columns: Sequence[str], taken: Sequence[str]) -> list[str]:
    renamed = []
    for column in columns:
        while column in taken:
            column = f"file_{column}"
        renamed.append(column)
    return renamed


def _rightness_lines(outcome: Outcome) -> list[str]:
    found = outcome.rightness
    if found is None:
        return [f"labels: {outcome.labels}", ""]
    return [
        *_columns(
            [
                (f"right, on {_number(found.rows, 'labelled row')}", OURS, outcome.name),
                ("by the likelier side", _right(found.ours), _right(found.theirs)),
                ("where it decides", _right(found.ours_decided), _right(found.theirs_decided)),
                ("decided", f"{found.ours_decided.rows:,}", f"{found.theirs_decided.rows:,}"),
                ("right alone", f"{found.only_ours:,}", f"{found.only_theirs:,}"),
            ]
        ),
        f"labels: {outcome.labels}",
        "",
    ]


def _rightness_message(found: Rightness | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        name: value._asdict() if isinstance(value, Share) else value
        for name, value in found._asdict().items()
    }


def _columns(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in table
    ]


def _cells(share: Share) -> tuple[str, str, str]:
    if share.interval is None:
        return "-", "-", "0"
    low, high = (100 * bound for bound in share.interval)
    return _percent(share.share), f"{low:.1f} to {high:.1f}", f"{share.rows:,}"


def _right(share: Share) -> str:
    value, interval, _ = _cells(share)
    return value if share.interval is None else f"{value} ({interval})"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{1000 * seconds:,.3g} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _dollars(amount: float | None) -> str:
    if amount is None:
        return "-"
    return (
        f"${amount:,.2f}"
        if amount >= 1 or not amount
        else f"${amount:.2g}"
        if amount >= 1e-4
        else f"${amount:.1e}"
    )


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
