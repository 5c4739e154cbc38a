"""Promise on your labelled reviews that at most so many answers are wrong, and keep the receipt.

    python -m training.adapt.promise labelled.csv --wrong 0.05 --model my-model # writes my-model/promise.json
    python -m training.adapt.promise labelled.csv --wrong 0.05 -o rest.csv        # and the unanswered rows

An answer is a verdict, positive or negative, of at least a certain sureness. The command finds the lowest
sureness at which the promise holds with the stated confidence (training/evaluation/risk_control.py). One row
of each group or near duplicate counts. Rows that the model was adapted to do not count. The API's verdicts
stay as they are.
"""

import argparse
import os
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt import near_duplicates
from training.adapt.exit_status import CommandError, run_command
from training.endpoint import inference, receipt
from training.endpoint.model_folder import check_writable, path_of
from training.evaluation import risk_control
from training.evaluation.risk_control import Choice, Shortage
from training.files import labelled, processes
from training.files.formulas import Writer, add_raw
from training.files.labelled import Labelled
from training.files.outputs import FORCE_HELP, check_new
from training.files.rows import Row, cells_of, parse_predictions, parts
from vocab import messages, typed
from vocab.exit_status import FINE, NO
from vocab.files import open_atomic, sha256_of, write_together

# What was typed, unless a caller says something else.
PROG = typed.command("training.adapt.promise")
SURE = 0.95
# Rows that are drawn from a longer file. More would hardly move the threshold.
MAX_REVIEWS = 20_000
METHOD = "Learn then Test: a fixed sequence of thresholds, the strictest first; exact binomial tests"
FILE_MODE = 0o600
# Groups of rows without a group are numbers below zero, by row. Those of a second file begin here.
SECOND_FILE = -(2**40)


class Answers(NamedTuple):
    """A model's answers to rows, by their numbers, int (rows,).

    ``sureness``, float64 (rows,), is that of the side which ``positive``, bool (rows,), names. It is 0 where
    the verdict is uncertain or missing.
    """

    numbers: np.ndarray
    sureness: np.ndarray
    positive: np.ndarray

    def of(self, numbers: np.ndarray) -> "Answers":
        """Return the answers to some rows. Raises CommandError if the file has changed meanwhile."""
        places = np.searchsorted(self.numbers, numbers)
        if not np.isin(numbers, self.numbers).all():
            raise CommandError("the file was changed while it was read; run it again")
        return Answers(numbers, self.sureness[places], self.positive[places])


class Counted(NamedTuple):
    """The rows that count, one of each group, and the number of groups that the model has learned from."""

    rows: Labelled
    learned: int


def promise(rows: Labelled, answers: Answers, wrong: float, sure: float) -> Choice | Shortage:
    """Choose the threshold of a promise on rows that count, by a model's answers to them."""
    return risk_control.choose(answers.sureness, answers.positive == (rows.labels == 1), wrong, sure)


def count_rows(rows: Labelled, learned: Labelled | None = None) -> Counted:
    """Keep one row of each group or near duplicate, and none of what the model has learned from.

    Raises CommandError when the rest has one label only.
    """
    merged = _merged(rows, learned)
    known = np.isin(merged[: len(rows.labels)], merged[len(rows.labels) :])
    chosen = np.zeros(len(rows.labels), dtype=bool)
    free = np.flatnonzero(~known)
    chosen[free[risk_control.one_of_each(merged[free])]] = True
    counted = rows.take(chosen)
    for label, side in ((1, "positive"), (0, "negative")):
        if not (counted.labels == label).any():
            raise CommandError(
                f"{rows.source.path} has no {side} row that counts, of {len(counted.labels):,}"
                f" ({rows.scheme.description}); a promise needs rows of both labels"
            )
    return Counted(counted, len(np.unique(merged[: len(rows.labels)][known])))


def _merged(rows: Labelled, learned: Labelled | None) -> np.ndarray:
    """Return the groups, int (all rows,), of the rows and then of those learned from.

    Near duplicates are in one group.
    """
    texts, groups = [rows.texts()], [rows.groups]
    if learned is not None:
        own = learned.groups
        texts.append(learned.texts())
        groups.append(np.where(own < 0, own + SECOND_FILE, own))
    merged = near_duplicates.merge_groups((text for part in texts for text in part), np.concatenate(groups))
    return merged.groups


def read_answers(rows: Iterable[Row], count: int, model: Path, workers: int) -> Answers:
    """Return a model's answers to rows that have a text, as the endpoint gives them.

    Raises BatchError, ModelFilesError or VocabularyError.
    """
    numbers, sureness, positive = array("q"), array("d"), array("b")
    with (
        processes.open_hooks(model, workers, count) as hooks,
        tqdm(total=count, desc="reading", unit="review", disable=None) as bar,
    ):
        for part, data in hooks.predict(parts(rows)):
            predictions = parse_predictions(data, part.ids)
            for number in part.ids:
                probability = predictions[number].probability or 0.0
                outright = predictions[number].sentiment in ("positive", "negative")
                numbers.append(number)
                # Rounded as the API's numbers are, so that 0.13 reaches a threshold of 0.87.
                sureness.append(messages.rounded(max(probability, 1 - probability)) if outright else 0.0)
                positive.append(probability >= 0.5)
            bar.update(len(part.ids))
    return Answers(np.array(numbers, dtype=int), np.array(sureness), np.array(positive, dtype=bool))


def receipt_of(
    card: dict[str, Any], rows: Labelled, answers: Answers, choice: Choice, wrong: float, sure: float
) -> dict[str, Any]:
    """Return the receipt of a promise: what holds, on which file, and what later traffic is compared with."""
    low, high = risk_control.interval(choice.answered, choice.rows)
    answered = answers.sureness >= choice.threshold
    right = answers.positive == (rows.labels == 1)
    sides = {
        name: {"answered": int((answered & side).sum()), "errors": int((answered & side & ~right).sum())}
        for name, side in (("positive", answers.positive), ("negative", ~answers.positive))
    }
    return {
        "model": receipt.identity_of(card),
        "wrong": wrong,
        "sure": sure,
        "threshold": choice.threshold,
        "rows": choice.rows,
        "answered": choice.answered,
        "errors": choice.errors,
        "bound": round(choice.bound, 6),
        "answered_share": round(choice.answered / choice.rows, 6),
        "answered_interval": [round(low, 6), round(high, 6)],
        "sides": sides,
        "sureness": risk_control.histogram(answers.sureness),
        "file": {
            "sha256": sha256_of(rows.source.path),
            "columns": rows.columns._asdict(),
            "labels": rows.scheme.description,
            "rows": rows.counts,
        },
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "method": METHOD,
    }


def sentence_of(promised: dict[str, Any]) -> str:
    """Return a promise in one sentence."""
    return (
        f"At most {_percent(promised['wrong'])} of the answers at {_percent(promised['threshold'])} sureness"
        f" or more are wrong, with {_percent(promised['sure'])} confidence."
    )


def describe_shortage(rows: Labelled, answers: Answers, shortage: Shortage, wrong: float, sure: float) -> str:
    """Return why nothing can be promised, and what would be needed."""
    share = shortage.answered / len(rows.labels)
    if shortage.answered < shortage.least:
        needed = f"; label about {shortage.least / share:,.0f} rows" if share else ""
        return (
            f"nothing can be promised: the model answers {shortage.answered:,} of the"
            f" {len(rows.labels):,} rows that count, and at most {_percent(wrong)} wrong takes"
            f" {shortage.least:,} answers, even if none is wrong{needed}{_looser(rows, answers, wrong, sure)}"
        )
    rate = shortage.errors / shortage.answered
    enough = risk_control.rows_needed(rate, wrong, sure)
    needed = (
        f"at this rate it takes about {enough / share:,.0f} rows that count"
        if enough
        else "more such rows would not help"
    )
    return (
        f"nothing can be promised: at {_percent(shortage.threshold)} sureness or more, {shortage.errors:,} of"
        f" {shortage.answered:,} answers are wrong, so the share could be {100 * shortage.bound:.1f} %;"
        f" {needed}{_looser(rows, answers, wrong, sure)}"
    )


def _looser(rows: Labelled, answers: Answers, wrong: float, sure: float) -> str:
    """Return the smallest whole percentage that could be promised, as the end of a sentence."""
    for percent in range(int(100 * wrong) + 1, 50):
        if isinstance(promise(rows, answers, percent / 100, sure), Choice):
            return f", or try --wrong {percent / 100:g}"
    return ""


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if options.rest and options.rest.resolve() == options.file.resolve():
        raise CommandError(f"{options.rest} is the input; choose another -o")
    check_new(options.rest, options.force, "-o")
    card = inference.model_fn(options.model).card
    out = out_of(options, card)
    check_new(out / receipt.NAME if out and out.is_dir() else None, options.force)
    rows = labelled.read_options(options, options.most)
    print(f"promise: {labelled.describe(rows)}", flush=True)
    counted, learned = count_rows(rows, read_learned(options, card))
    answers = answers_for(rows, counted, options)
    own = answers.of(counted.numbers)
    choice = promise(counted, own, options.wrong, options.sure)
    print_counted(rows, counted, learned)
    if isinstance(choice, Shortage):
        sentence = describe_shortage(counted, own, choice, options.wrong, options.sure)
        print(f"promise: {sentence}; nothing was written", file=sys.stderr)
        return NO
    promised = receipt_of(card, counted, own, choice, options.wrong, options.sure)
    print_promise(promised)
    if options.rest:
        left = write_rest(options.rest, rows, answers, choice.threshold, options.raw)
        print(f"promise: wrote {options.rest}: {left:,} of {len(answers.numbers):,} rows have no such answer")
    keep(promised, options.model, out)
    return FINE


def out_of(options: argparse.Namespace, card: dict[str, Any]) -> Path | None:
    """Return the folder that gets the receipt: --out, or the model's own; None for the published one.

    Raises CommandError or FolderError.
    """
    published = options.model.resolve() == inference.MODEL_FOLDER.resolve()
    out: Path | None = options.out or (None if published else options.model)
    if out is None:
        return None
    if out.resolve() == inference.MODEL_FOLDER.resolve():
        raise CommandError(f"{out} holds the published model, which stays as it is; choose another --out")
    if out.exists() and not out.is_dir():
        raise CommandError(f"{out} is no folder; choose another --out")
    if out.is_dir() and any(out.iterdir()):
        try:
            same = receipt.identity_of(inference.model_fn(out).card) == receipt.identity_of(card)
        except (inference.ModelFilesError, inference.VocabularyError):
            same = False
        if not same:
            raise CommandError(f"{out} holds other things than this model; choose another --out")
    check_writable(out)
    return out


def read_learned(options: argparse.Namespace, card: dict[str, Any]) -> Labelled | None:
    """Read the file that an adapted model has learned from. Raises CommandError if it must be named."""
    data = card.get("adaptation", {}).get("data", {})
    digest = sha256_of(options.file)
    if not data or data.get("held_back") == digest:
        return None
    if data.get("sha256") == digest:
        raise CommandError(
            f"{card['id']} has learned from {options.file}, so its errors there say nothing; adapt with"
            " --hold-back kept.csv, then promise on kept.csv"
        )
    if options.learned is None or sha256_of(options.learned) != data.get("sha256"):
        which = f"{options.learned} is another file" if options.learned else "which one is not known"
        raise CommandError(
            f"{card['id']} was adapted to a file, and its rows must not count, but {which}; name it with"
            f" --learned (its SHA-256 begins with {str(data.get('sha256'))[:12]})"
        )
    columns = data["columns"]
    return labelled.read(
        options.learned, columns["text"], columns["label"], columns["group"], sides=labelled.sides_of(options)
    )


def answers_for(rows: Labelled, counted: Labelled, options: argparse.Namespace) -> Answers:
    """Return the answers to the rows that count, or to every row with a text if the rest is wanted."""
    if options.rest:
        count = rows.counts["rows"] - rows.counts.get("empty", 0) - rows.counts.get("unreadable", 0)
        return read_answers(_with_text(rows.source.rows()), count, options.model, options.workers)
    return read_answers(counted.rows(), len(counted.numbers), options.model, options.workers)


def _with_text(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if not row.error and row.review.strip())


def write_rest(path: Path, rows: Labelled, answers: Answers, threshold: float, raw: bool = False) -> int:
    """Write the rows below a threshold as CSV with every column; return their number.

    ``raw`` writes the cells without a guard against formulas.
    """
    rest = set(answers.numbers[answers.sureness < threshold].tolist())
    with open_atomic(path, FILE_MODE) as file:
        writer = Writer(file, raw)
        writer.writerow(rows.source.columns)
        for row in rows.source.rows():
            if row.number in rest:
                writer.writerow(cells_of(row, rows.source))
    return len(rest)


def keep(promised: dict[str, Any], model: Path, out: Path | None) -> None:
    """Write the receipt beside its model, into a copy where the model is the published one."""
    if out is None:
        print(
            "promise: the published model stays as it is, so no receipt was kept; --out my-model writes a"
            " copy of it with the receipt"
        )
        return
    files = {out / receipt.NAME: receipt.to_bytes(promised)}
    if out.resolve() != model.resolve():
        files |= {out / name: (model / name).read_bytes() for name in ("model.onnx", "model.json")}
    write_together(files)
    print(
        f"promise: wrote {out / receipt.NAME}; the card and the page show it:"
        f" {typed.choose(f'make run MODEL={out.resolve()}', f'verdict serve --model {out.resolve()}')}"
    )


def print_counted(rows: Labelled, counted: Labelled, learned: int) -> None:
    """Print which rows count."""
    left_out = labelled.describe_left_out(rows.counts)
    print(
        f"promise: {len(counted.labels):,} of {len(rows.labels):,} labelled rows count, one of each group or"
        " near duplicate" + (f"; left out: {left_out}" if left_out else "")
    )
    if learned:
        print(f"promise: the model has learned from {learned:,} of the groups, which are left out")


def print_promise(promised: dict[str, Any]) -> None:
    """Print what holds, and on what it rests."""
    low, high = promised["answered_interval"]
    sides = promised["sides"]
    print(f"promise: {sentence_of(promised)}")
    print(
        f"promise: {promised['errors']:,} of {promised['answered']:,} answers were wrong; the bound is"
        f" {100 * promised['bound']:.1f} %."
        + "".join(
            f" Of {side['answered']:,} called {name}, {side['errors']:,} were wrong."
            for name, side in sides.items()
        )
    )
    print(
        f"promise: it then answers {100 * promised['answered_share']:.1f} % of such rows (95 % interval"
        f" {100 * low:.1f} to {100 * high:.1f})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Promise that at most so many answers are wrong, on your labelled reviews."
    )
    labelled.add_flags(parser)
    parser.add_argument(
        "--wrong", type=float, required=True, help="largest share of wrong answers, such as 0.05"
    )
    parser.add_argument("--sure", type=float, default=SURE, help=f"confidence (default {SURE})")
    add_raw(parser)
    parser.add_argument("-o", "--rest", type=Path, help="file for the rows without such an answer, as CSV")
    parser.add_argument("--model", type=path_of, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument(
        "--out", type=Path, help="folder for a copy of the model with the receipt (default: its own)"
    )
    parser.add_argument(
        "--learned", type=Path, help="file that the model was adapted to; its rows do not count"
    )
    parser.add_argument(
        "--most",
        type=int,
        default=MAX_REVIEWS,
        help=f"labelled rows to draw from a longer file (default {MAX_REVIEWS:,})",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if not 0 < options.wrong < 0.5:
        parser.error(f"--wrong is a share above 0 and below 0.5, such as 0.05; got {options.wrong:g}")
    if not 0.5 < options.sure < 1:
        parser.error(f"--sure is a confidence above 0.5 and below 1, such as 0.95; got {options.sure:g}")
    if min(options.most, options.workers) < 1:
        parser.error("--most and --workers must be 1 or more")
    return options


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = parse(arguments, prog)
    return run_command(prog, lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
