"""Set two models side by side on labelled reviews: which is right more often, and where they differ.

    python -m training.adapt.compare training/endpoint/model my-model held-back.csv
    python -m training.adapt.compare training/endpoint/model my-model held-back.csv --out differ.csv    # with the texts

Both answer by the hooks that serve. Says accuracy and calibration error with intervals, and McNemar's exact
test on the reviews that only one of them is right on. Texts are shown only with --texts, and written only
into --out.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt.exit_status import FINE, CommandError, speaking
from training.endpoint import inference
from training.evaluation import significance
from training.files import labelled, processes
from training.files.labelled import Labelled
from training.files.rows import Answer, Row, parts, read_answers, written
from vocab.files import sha256_of, write_atomic

# Rows that are told on a terminal; --out has all.
SHOWN_ROWS, SHOWN_CHARACTERS = 20, 200


class Compared(NamedTuple):
    """What came out for the rows that both can read: P(positive) of both, float64 (rows,), and figures.

    ``uncertain`` is how large a share of the rows each calls so.
    """

    rows: Labelled
    before: np.ndarray
    after: np.ndarray
    uncertain: tuple[float, float]
    figures: dict[str, significance.Figure]


def compare(rows: Labelled, first: Path, second: Path, workers: int) -> Compared:
    """Ask both models. Raises CommandError, BatchError, ModelFilesError or VocabularyError."""
    if not len(rows.numbers):
        told = labelled.told_left_out(rows.counts)
        raise CommandError(f"{rows.source.path} has no row to judge by; left out: {told}")
    both = [answers_of(rows, model, workers) for model in (first, second)]
    unread = sum(bool(answer.error) for answer in both[0])
    read = np.array([not (one.error or other.error) for one, other in zip(*both, strict=True)])
    if not read.any():
        raise CommandError(f"{rows.source.path} has no text that both models can read")
    rows = rows.take(read, no_token=unread)
    before, after = (
        np.array(
            [answer.probability for answer, kept in zip(one, read, strict=True) if kept], dtype=np.float64
        )
        for one in both
    )
    uncertain = tuple(
        sum(answer.sentiment == "uncertain" for answer, kept in zip(one, read, strict=True) if kept)
        / len(rows.labels)
        for one in both
    )
    figures = significance.compare(before, after, rows.labels, rows.groups)
    return Compared(rows, before, after, (uncertain[0], uncertain[1]), figures)


def answers_of(rows: Labelled, model: Path, workers: int) -> list[Answer]:
    """Give a model's answers to the rows, in their order, as it serves them."""
    found: dict[int, Answer] = {}
    workers = max(1, min(workers, len(rows.numbers) // 250))
    with tqdm(total=len(rows.numbers), desc=f"judging by {model}", unit="review", disable=None) as bar:
        for part, data in processes.answered(parts(rows.rows()), model, workers):
            found |= read_answers(data, part.ids)
            bar.update(len(part.ids))
    if len(found) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    return [found[number] for number in rows.numbers.tolist()]


def told(compared: Compared, names: tuple[str, str]) -> list[str]:
    """Say in lines how both do."""
    figures, labels = compared.figures, compared.rows.labels
    lost, won, p = significance.mcnemar(compared.before, compared.after, labels)
    table = [("", *names)]
    for name, key in (("accuracy", "accuracy"), ("calibration error", "ece")):
        figure = figures[key]
        table.append(
            (name, _share(figure.before, figure.before_interval), _share(figure.after, figure.after_interval))
        )
    table.append(("says uncertain for", *(f"{100 * share:.1f} %" for share in compared.uncertain)))
    width = [max(len(row[column]) for row in table) for column in range(3)]
    lines = ["  ".join(cell.ljust(width[at]) for at, cell in enumerate(row)).rstrip() for row in table]
    low, high = (100 * one for one in figures["accuracy"].interval)
    outcome = significance.outcome(figures)
    gap = 100 * figures["accuracy"].difference
    by_what = significance.by_what(outcome, figures)
    outcome += "" if outcome == "no different" else f" than the first{by_what}"
    return [
        *lines,
        f"the second is {outcome}: {gap:+.1f} points of accuracy, 95 % interval {low:+.1f} to {high:+.1f}",
        f"only the first is right on {lost:,} reviews, only the second on {won:,}; were both as good, so"
        f" uneven a share would come up with probability {p:.2g} (McNemar's exact test)",
    ]


def differing(compared: Compared) -> Iterator[tuple[Row, int, float, float]]:
    """Give the rows on which the verdicts lie on different sides: label and P(positive) of both."""
    apart = (compared.before >= 0.5) != (compared.after >= 0.5)
    found = zip(compared.rows.labels, compared.before, compared.after, apart, strict=True)
    for row, (label, before, after, differs) in zip(compared.rows.rows(), found, strict=True):
        if differs:
            yield row, int(label), float(before), float(after)


def run(options: argparse.Namespace) -> int:
    """Do what the flags say, and give the exit status. Raises what ``compare`` does, or OSError."""
    if options.out and options.out.resolve() == options.file.resolve():
        raise CommandError(f"{options.out} is the input; choose another --out")
    rows = labelled.read_asked(options)
    cards = [inference.model_fn(model).card for model in (options.first, options.second)]
    print(f"compare: {labelled.told(rows)}", flush=True)
    for card in cards:
        if card.get("adaptation", {}).get("data", {}).get("sha256") == sha256_of(options.file):
            print(f"compare: {card['id']} has learned from this very file, so its figures flatter it")
    compared = compare(rows, options.first, options.second, options.workers)
    if left_out := labelled.told_left_out(compared.rows.counts):
        print(f"compare: {len(compared.rows.labels):,} reviews judged; left out: {left_out}")
    print("\n".join(told(compared, (f"1: {cards[0]['id']}", f"2: {cards[1]['id']}"))))
    if options.out:
        write_atomic(options.out, _as_csv(compared))
        print(f"compare: wrote the reviews on which they differ, with their texts, to {options.out}")
    else:
        _show(compared, options.texts)
    return FINE


def _share(value: float, interval: tuple[float, float]) -> str:
    return f"{100 * value:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _show(compared: Compared, texts: bool) -> None:
    count = int(((compared.before >= 0.5) != (compared.after >= 0.5)).sum())
    more = f", the first {SHOWN_ROWS} of them" if count > SHOWN_ROWS else ""
    print(f"they differ on {count:,} reviews{more}" + (":" if count else ""))
    for shown, (row, label, before, after) in enumerate(differing(compared)):
        if shown == SHOWN_ROWS:
            break
        side = "positive" if label else "negative"
        print(f"  row {row.number + 1:,}: {side}, P(positive) {before:.2f} and {after:.2f}")
        if texts:
            print(f"    {_printable(row.review)}")


def _printable(review: str) -> str:
    line = "".join(one if one.isprintable() else " " for one in review)
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"


def _as_csv(compared: Compared) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["row", "label", "probability_1", "probability_2", "text"])
    for row, label, before, after in differing(compared):
        side = "positive" if label else "negative"
        writer.writerow([row.number + 1, side, f"{before:.6f}", f"{after:.6f}", row.review])
    return written(out.getvalue())


def parse(arguments: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog, description="Set two models side by side on labelled reviews."
    )
    parser.add_argument("first", type=Path, help="a model folder")
    parser.add_argument("second", type=Path, help="another one")
    labelled.add_flags(parser)
    parser.add_argument("--out", type=Path, help="write the reviews on which they differ here, as CSV")
    parser.add_argument("--texts", action="store_true", help="show these reviews, not only their rows")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if options.workers < 1:
        parser.error(f"--workers must be 1 or more, got {options.workers}")
    return options


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command, called ``prog``; give its exit status."""
    options = parse(arguments, prog)
    return speaking("compare", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
