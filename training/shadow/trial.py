"""Judge a file's rows by both services, a call's worth at a time, and count what is left out and why."""

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.files.rows import BatchError, Part, Prediction, Row, Source, parse_predictions
from training.shadow.agreement import Pair
from training.shadow.kept import Call, KeptAnswers, digest_of
from training.shadow.services import Answer, Failure, Service

# Takes parts, and yields each with Verdict's answers as JSON lines.
Judge = Callable[[Iterable[Part]], Iterator[tuple[Part, bytes]]]
# Takes the texts of a call, and returns the other service's answers in their order.
Ask = Callable[[Sequence[str]], list[Answer | Failure]]
# Reasons for leaving out a row, in the order of messages. Those of FAULTS are errors.
REASONS = {
    "not_drawn": "not drawn",
    "too_long": "longer than the other service takes",
    "not_english": "that do not look English, which is all that Verdict reads",
    "unreadable": "that can't be read",
    "verdict_error": "that Verdict can't judge",
    "other_error": "that the other service could not answer",
}
FAULTS = ("unreadable", "verdict_error", "other_error")
NOT_ENGLISH = "not_english"


class Plan(NamedTuple):
    """The rows to ask about: their numbers, in order, and the number of rows in the file.

    A call takes at most ``most`` of them. ``left_out`` holds the numbers of the rows left out for each
    reason, but for those not drawn.
    """

    source: Source
    numbers: "array[int]"
    rows: int
    left_out: dict[str, list[int]]
    most: int

    def texts(self) -> Iterator[tuple[Row, str]]:
        """Yield these rows with the texts to send, from the file, which is read again."""
        numbers = iter(self.numbers)
        wanted = next(numbers, None)
        for row in self.source.rows():
            if row.number == wanted:
                yield row, text_of(row)
                wanted = next(numbers, None)


class Trial(NamedTuple):
    """The rows that both answered, the numbers of those left out by reason, and the calls of both.

    ``failures`` counts the other service's codes. ``digests`` holds each row's, in the order of
    ``pairs``. ``units`` is the sum over the texts that the other service answered, each text once.
    """

    pairs: list[Pair]
    digests: list[bytes]
    left_out: dict[str, list[int]]
    failures: Counter[str]
    our_calls: list[Call]
    their_calls: list[Call]
    units: int


def plan(source: Source, service: Service, most: int | None, seed: int) -> Plan:
    """Return the rows to ask about: all that the other service takes, or ``most`` of them at random.

    Raises BatchError when there is none.
    """
    numbers, left_out = array("Q"), {reason: list[int]() for reason in REASONS if reason != "not_drawn"}
    rows = 0
    for row in source.rows():
        rows += 1
        if row.error:
            left_out["unreadable"].append(row.number)
        elif service.most_bytes is not None and len(text_of(row).encode()) > service.most_bytes:
            left_out["too_long"].append(row.number)
        else:
            numbers.append(row.number)
    if not rows:
        raise BatchError(f"{source.path} holds no row; give a file with a review")
    if not numbers:
        raise BatchError(f"{source.path} has no review to compare on; left out: {describe(left_out)}")
    if most is not None and most < len(numbers):
        numbers = array("Q", sorted(Random(seed).sample(numbers, most)))
    return Plan(source, numbers, rows, left_out, service.most)


def new_units(plan: Plan, kept: KeptAnswers, units_of: Callable[[str], int]) -> int:
    """Return the units of the texts that the other service has still to answer, each text once."""
    seen, units = set(kept.answers), 0
    for _, text in plan.texts():
        digest = digest_of(text)
        if digest not in seen:
            seen.add(digest)
            units += units_of(text)
    return units


def run(
    plan: Plan,
    judge: Judge,
    ask: Ask,
    kept: KeptAnswers,
    labels: dict[int, int],
    units_of: Callable[[str], int],
) -> Trial:
    """Judge every row of a plan by both. Answers are kept as they come.

    Raises ServiceError, SettingError, BatchError, OSError, or what ``judge`` raises.
    """
    left_out = {reason: list(rows) for reason, rows in plan.left_out.items()}
    trial = Trial([], [], left_out, Counter(), [], kept.calls, 0)
    units = 0
    charged = set[bytes]()
    with tqdm(total=len(plan.numbers), desc="asking both", unit="review", disable=None) as bar:
        for batch in _batches(plan.texts(), plan.most):
            ours = _judged(judge, batch, trial)
            theirs = _answered(ask, kept, ours)
            for digest, row, text, prediction in ours:
                answer = theirs.get(digest) or kept.answers[digest]
                if isinstance(answer, Failure):
                    left_out["other_error"].append(row.number)
                    trial.failures[answer.code] += 1
                    continue
                if digest not in charged:
                    charged.add(digest)
                    units += units_of(text)
                trial.pairs.append(Pair(row.number, labels.get(row.number), prediction, answer))
                trial.digests.append(digest)
            bar.update(len(batch))
    return trial._replace(units=units)


def describe(left_out: dict[str, list[int]], not_drawn: int = 0) -> str:
    """Return how many rows were left out and why, with the first row numbers; empty when none was."""
    parts = [f"{not_drawn:,} {REASONS['not_drawn']}"] if not_drawn else []
    for reason, rows in left_out.items():
        if rows:
            first = ", ".join(f"{number + 1:,}" for number in rows[:3]) + (", ..." if len(rows) > 3 else "")
            parts.append(f"{len(rows):,} {REASONS[reason]} (row {first})")
    return "; ".join(parts)


def per_review(calls: Sequence[Call]) -> tuple[float, float, float] | None:
    """Return the median and 95th percentile of seconds a review, and the seconds of all calls; None without.

    A call's seconds are shared by its reviews.
    """
    if not calls:
        return None
    seconds = np.repeat([taken / count for taken, count in calls], [count for _, count in calls])
    median, late = np.quantile(seconds, (0.5, 0.95))
    return float(median), float(late), float(sum(taken for taken, _ in calls))


def text_of(row: Row) -> str:
    """Return the text to send: JSON can name half a character, which UTF-8 can't encode."""
    return row.review.encode(errors="replace").decode()


def _batches(rows: Iterator[tuple[Row, str]], most: int) -> Iterator[list[tuple[Row, str]]]:
    batch: list[tuple[Row, str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


Judged = list[tuple[bytes, Row, str, Prediction]]


def _judged(judge: Judge, batch: list[tuple[Row, str]], trial: Trial) -> Judged:
    """Return the rows with Verdict's verdict, and note those that it does not read."""
    part = Part(0, array("Q", (row.number for row, _ in batch)), [text for _, text in batch])
    began = time.perf_counter()
    answers = [data for _, data in judge([part])]
    trial.our_calls.append((time.perf_counter() - began, len(batch)))
    predictions = parse_predictions(b"\n".join(answers), part.ids)
    judged: Judged = []
    for row, text in batch:
        prediction = predictions[row.number]
        if prediction.error:
            trial.left_out["verdict_error"].append(row.number)
        elif NOT_ENGLISH in prediction.warnings.split(";") or prediction.reason == NOT_ENGLISH:
            trial.left_out[NOT_ENGLISH].append(row.number)
        else:
            judged.append((digest_of(text), row, text, prediction))
    return judged


def _answered(ask: Ask, kept: KeptAnswers, ours: Judged) -> dict[bytes, Answer | Failure]:
    """Send the other service the texts without an answer, keep its answers, and return them."""
    new = {digest: text for digest, _, text, _ in ours if digest not in kept.answers}
    if not new:
        return {}
    began = time.perf_counter()
    answers = ask(list(new.values()))
    kept.keep(new, answers, time.perf_counter() - began)
    return dict(zip(new, answers, strict=True))
