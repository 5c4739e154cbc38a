"""Compare two models on labelled reviews: which is right more often, and where they differ.

    python -m training.adapt.compare published my-model held-back.csv
    python -m training.adapt.compare published my-model held-back.csv --out differ.csv

Both models answer as the endpoint does. The command prints accuracy and calibration error with intervals, and
McNemar's exact test on the reviews that only one model gets right. Texts are shown only with --texts, and
written only into --out.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt.exit_status import CommandError, run_command
from training.endpoint import inference
from training.endpoint.model_folder import label_of, name_of, path_of
from training.evaluation import significance
from training.files import labelled, processes
from training.files.formulas import Writer, add_raw
from training.files.labelled import Labelled
from training.files.outputs import FORCE_HELP, check_new
from training.files.rows import Prediction, Row, parse_predictions, parts, to_bytes
from vocab import typed
from vocab.exit_status import FINE
from vocab.files import sha256_of, write_atomic

# What was typed, unless a caller says something else.
PROG = typed.command("training.adapt.compare")
# Rows that a terminal shows; --out has all of them.
SHOWN_ROWS, SHOWN_CHARACTERS = 20, 200


class Comparison(NamedTuple):
    """The rows that both models can read, P(positive) of each, float64 (rows,), and figures.

    ``uncertain`` is the share of the rows that each model calls uncertain.
    """

    rows: Labelled
    before: np.ndarray
    after: np.ndarray
    uncertain: tuple[float, float]
    figures: dict[str, significance.Figure]


def compare(rows: Labelled, first: Path, second: Path, workers: int) -> Comparison:
    """Compare the answers of two models.

    Raises CommandError, BatchError, ModelFilesError or VocabularyError.
    """
    if not len(rows.numbers):
        left_out = labelled.describe_left_out(rows.counts)
        raise CommandError(f"{rows.source.path} has no labelled row to compare on; left out: {left_out}")
    both = [answers_of(rows, model, workers) for model in (first, second)]
    unread = sum(bool(answer.error) for answer in both[0])
    readable = np.array([not (before.error or after.error) for before, after in zip(*both, strict=True)])
    if not readable.any():
        raise CommandError(f"{rows.source.path} has no text that both models can read")
    rows = rows.take(readable, no_token=unread)
    before, after = (
        np.array(
            [answer.probability for answer, keep in zip(answers, readable, strict=True) if keep],
            dtype=np.float64,
        )
        for answers in both
    )
    uncertain = tuple(
        sum(answer.sentiment == "uncertain" for answer, keep in zip(answers, readable, strict=True) if keep)
        / len(rows.labels)
        for answers in both
    )
    figures = significance.compare(before, after, rows.labels, rows.groups)
    return Comparison(rows, before, after, (uncertain[0], uncertain[1]), figures)


def answers_of(rows: Labelled, model: Path, workers: int) -> list[Prediction]:
    """Return a model's answers to the rows, in their order, as the endpoint gives them."""
    answers: dict[int, Prediction] = {}
    count = len(rows.numbers)
    with (
        processes.open_hooks(model, workers, count) as hooks,
        tqdm(total=count, desc=f"reading with {name_of(model)}", unit="review", disable=None) as bar,
    ):
        for part, data in hooks.predict(parts(rows.rows())):
            answers |= parse_predictions(data, part.ids)
            bar.update(len(part.ids))
    if len(answers) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    return [answers[number] for number in rows.numbers.tolist()]


def summary_lines(comparison: Comparison, names: tuple[str, str]) -> list[str]:
    """Return the comparison as lines to print."""
    figures, labels = comparison.figures, comparison.rows.labels
    lost, won, p = significance.mcnemar(comparison.before, comparison.after, labels)
    table: list[tuple[str, str, str]] = [("", *names)]
    for name, key in (("accuracy", "accuracy"), ("calibration error", "ece")):
        figure = figures[key]
        table.append(
            (
                name,
                _percent(figure.before, figure.before_interval),
                _percent(figure.after, figure.after_interval),
            )
        )
    log_loss = figures["nll"]
    table.append(("log loss", f"{log_loss.before:.3f}", f"{log_loss.after:.3f}"))
    first, second = (f"{100 * share:.1f} %" for share in comparison.uncertain)
    table.append(("answers uncertain for", first, second))
    width = [max(len(row[column]) for row in table) for column in range(3)]
    lines = ["  ".join(cell.ljust(width[at]) for at, cell in enumerate(row)).rstrip() for row in table]
    gaps = [
        f"{significance.NAMES[name]} {significance.difference(name, figure)}"
        for name, figure in figures.items()
    ]
    return [
        *lines,
        f"the second is {significance.describe(figures, ' than the first')}: {'; '.join(gaps)}",
        f"only the first is right on {lost:,} reviews, only the second on {won:,}; if both were equally good,"
        f" a split this uneven would have probability {p:.2g} (McNemar's exact test)",
    ]


def differing(comparison: Comparison) -> Iterator[tuple[Row, int, float, float]]:
    """Yield each row on whose side the models differ, with its label and P(positive) of both."""
    apart = (comparison.before >= 0.5) != (comparison.after >= 0.5)
    columns = zip(comparison.rows.labels, comparison.before, comparison.after, apart, strict=True)
    for row, (label, before, after, differs) in zip(comparison.rows.rows(), columns, strict=True):
        if differs:
            yield row, int(label), float(before), float(after)


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status. Raises what ``compare`` raises, or OSError."""
    if options.out and options.out.resolve() == options.file.resolve():
        raise CommandError(f"{options.out} is the input; choose another --out")
    check_new(options.out, options.force)
    rows = labelled.read_options(options)
    cards = [inference.model_fn(model).card for model in (options.first, options.second)]
    print(f"compare: {labelled.describe(rows)}", flush=True)
    for model, card in zip((options.first, options.second), cards, strict=True):
        if card.get("adaptation", {}).get("data", {}).get("sha256") == sha256_of(options.file):
            print(f"compare: {label_of(model)} has learned from this very file, so its figures are too good")
    comparison = compare(rows, options.first, options.second, options.workers)
    if left_out := labelled.describe_left_out(comparison.rows.counts):
        print(f"compare: {len(comparison.rows.labels):,} reviews compared; left out: {left_out}")
    names = (f"1: {label_of(options.first)}", f"2: {label_of(options.second)}")
    print("\n".join(summary_lines(comparison, names)))
    if options.out:
        write_atomic(options.out, _as_csv(comparison, options.raw))
        print(f"compare: wrote the reviews on which they differ, with their texts, to {options.out}")
    else:
        _show(comparison, options.texts)
    return FINE


def _percent(value: float, interval: tuple[float, float]) -> str:
    return f"{100 * value:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _show(comparison: Comparison, texts: bool) -> None:
    count = int(((comparison.before >= 0.5) != (comparison.after >= 0.5)).sum())
    more = f", the first {SHOWN_ROWS} of them" if count > SHOWN_ROWS else ""
    print(f"they differ on {count:,} reviews{more}" + (":" if count else ""))
    for shown, (row, label, before, after) in enumerate(differing(comparison)):
        if shown == SHOWN_ROWS:
            break
        side = "positive" if label else "negative"
        print(f"  row {row.number + 1:,}: {side}, P(positive) {before:.2f} and {after:.2f}")
        if texts:
            print(f"    {_printable(row.review)}")


def _printable(review: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in review)
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"


def _as_csv(comparison: Comparison, raw: bool) -> bytes:
    out = io.StringIO(newline="")
    writer = Writer(out, raw)
    writer.writerow(["row", "label", "probability_1", "probability_2", "text"])
    for row, label, before, after in differing(comparison):
        side = "positive" if label else "negative"
        writer.writerow([row.number + 1, side, f"{before:.6f}", f"{after:.6f}", row.review])
    return to_bytes(out.getvalue())


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(prog=prog, description="Compare two models on labelled reviews.")
    parser.add_argument("first", type=path_of, help="a model folder, or published for the shipped model")
    parser.add_argument("second", type=path_of, help="another model folder")
    labelled.add_flags(parser)
    parser.add_argument("--out", type=Path, help="file for the reviews on which they differ, as CSV")
    add_raw(parser)
    parser.add_argument("--texts", action="store_true", help="show the texts of these reviews too")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if options.workers < 1:
        parser.error(f"--workers must be 1 or more, got {options.workers}")
    return options


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = parse(arguments, prog)
    return run_command(prog, lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
