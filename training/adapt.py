"""Make the model yours: fit its head to labelled reviews of your own, and say whether that is better.

    python training/adapt.py my.csv                      # writes my-model/ when it is better
    python training/adapt.py my.csv --out shop --force   # whatever comes out
    make run MODEL=my-model

CSV, TSV or JSON lines with a text and a label: positive or negative, 1 or 0, or 1 to 5 or 10 stars. No torch:
the network stays as it is, and only the head over its pooled states is fitted, held near the one it had. It
is judged on reviews that the fit in question has not seen. Nothing leaves this machine; no text is written.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import blas  # noqa: F401  (before numpy)
import inference
import labelled
import measures
import numpy as np
import paired
import pooled
from batch_rows import BatchError
from head_fit import FOLDS, Data, Fitted, cross_validate, fit, folds_of, logits_of
from labelled import Labelled
from model_folder import FolderError, check_free, install, named_by
from onnx_head import Head, HeadError, read_head, with_head
from paired import Figure

from vocab.files import sha256_of

# With fewer, chance would decide.
MIN_REVIEWS, MIN_OF_A_LABEL = 50, 10
# More than these hardly move 513 numbers any more, and take minutes.
MAX_REVIEWS = 10_000
# An adapted network must answer this text as its head says.
CHECK_TEXT = "It does what it says, and I would buy it again. The box was a little dented, though."
MAX_LOGIT_GAP = 1e-3
# Why a row was not learned from, in the order in which they are told.
REASONS = {
    "empty": "without a text",
    "unreadable": "that can't be read",
    "unlabelled": "without a label",
    "between": "between the two sides",
    "conflicting": "whose text has both labels",
    "duplicates": "that repeat another",
    "not_drawn": "beyond those drawn",
    pooled.NO_TOKEN: "without a word or sign",
    pooled.UNKNOWN: "without a known word",
    pooled.NOT_ENGLISH: "that do not look English",
}


class AdaptError(Exception):
    """Why a model can't be adapted, in one sentence with the way out."""


class Judged(NamedTuple):
    """How base and adapted model do on reviews they have not learned from."""

    before: dict[str, Any]
    after: dict[str, Any]
    figures: dict[str, Figure]
    outcome: str
    commoner: float


class Adapted(NamedTuple):
    """What comes out: the network with its new head, its card, and how it was judged."""

    network: bytes
    card: dict[str, Any]
    judged: Judged


def adapt(rows: Labelled, model: Path, workers: int) -> Adapted:
    """Fit a model's head to labelled rows and judge it; nothing is written.

    Raises AdaptError, BatchError, HeadError, PooledError, ModelFilesError or VocabularyError.
    """
    began = time.monotonic()
    base = inference.model_fn(model).card
    network = (model / "model.onnx").read_bytes()
    digest = sha256_of(rows.source.path)
    check_base(base, digest)
    start = calibrated(read_head(network), base["temperature"])
    check_enough(rows)
    rows, data = readable(rows, pooled.pool(rows.texts(), len(rows.numbers), model, workers))
    check_enough(rows)
    check_folds(rows)
    fitted = fit(data, start)
    judged = judge(data, start, fitted, base)
    adapted = with_head(network, fitted.head)
    card = card_of(base, adapted, fitted, rows, judged, digest)
    card["adaptation"]["seconds"] = round(time.monotonic() - began, 1)
    return Adapted(adapted, card, judged)


def calibrated(head: Head, temperature: float) -> Head:
    """Give the head whose logits are those of another one, divided by its temperature."""
    return Head(head.weights / temperature, head.bias / temperature)


def readable(rows: Labelled, read: pooled.Pooled) -> tuple[Labelled, Data]:
    """Leave out what the network can't learn from: texts without a known word, or not in English."""
    if len(read.warnings) != len(rows.numbers):
        raise AdaptError(f"{rows.source.path} was changed while it was read; run it again")
    keep = read.warnings == ""
    left_out = {
        reason: int((read.warnings == reason).sum())
        for reason in (pooled.NO_TOKEN, pooled.UNKNOWN, pooled.NOT_ENGLISH)
    }
    rows = rows.take(keep, **left_out)
    return rows, Data(read.features[keep].astype(np.float64), rows.labels, rows.groups)


def judge(data: Data, start: Head, fitted: Fitted, base: dict[str, Any]) -> Judged:
    """Compare the base with what fits without a review say about it."""
    before = measures.probabilities_of(logits_of(data.features, start))
    after, outright = cross_validate(data, start)
    figures = paired.compare(before, after, data.labels, data.groups)
    summary = measures.summary(after, data.labels, fitted.band)
    # The band, too, was fitted without the reviews it is judged by.
    right = ((after >= 0.5) == (data.labels == 1))[outright]
    summary["coverage"] = float(outright.mean())
    summary["accuracy_outright"] = float(right.mean()) if len(right) else None
    outcome = paired.outcome(figures)
    if outcome == "better" and figures["accuracy"].after <= commoner(data.labels):
        outcome = "no different"
    return Judged(
        measures.summary(before, data.labels, tuple(base["uncertain"])),
        {
            name: value
            for name, value in summary.items()
            if name not in ("accuracy_positive", "accuracy_negative")
        },
        figures,
        outcome,
        commoner(data.labels),
    )


def commoner(labels: np.ndarray) -> float:
    """Give the share of the commoner label: what is right by always saying the same."""
    return float(max(labels.mean(), 1 - labels.mean()))


def sentence_of(judged: Judged) -> str:
    """Say in one sentence what adapting brought."""
    accuracy, ece = judged.figures["accuracy"], judged.figures["ece"]
    low, high = (100 * one for one in accuracy.interval)
    said = judged.outcome.capitalize()
    if judged.outcome != "no different" and low <= 0 <= high:
        said += " in how well the probabilities fit, while accuracy may differ by chance"
    end = "."
    if accuracy.after <= judged.commoner:
        end = f"; always saying the same would be right for {100 * judged.commoner:.1f} %."
    return (
        f"{said}: right for {100 * accuracy.after:.1f} % of reviews it has not learned"
        f" from, where the base is right for {100 * accuracy.before:.1f} % (a difference of"
        f" {100 * accuracy.difference:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}); calibration"
        f" error {100 * ece.after:.1f} %, before {100 * ece.before:.1f} %{end}"
    )


def card_of(
    base: dict[str, Any], network: bytes, fitted: Fitted, rows: Labelled, judged: Judged, digest: str
) -> dict[str, Any]:
    """Give the adapted model's card: the base's, with what is no longer true of it replaced."""
    learned = {
        "reviews": len(rows.labels),
        "positive": int(rows.labels.sum()),
        "negative": int((1 - rows.labels).sum()),
        "groups": len(np.unique(rows.groups)) if rows.columns.group else None,
    }
    return {
        **base,
        **named_by(network),
        "temperature": fitted.temperature,
        "uncertain": list(fitted.band),
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "base_model": base["id"],
        "intended_use": "English texts like those that it was adapted to, see adaptation",
        "adaptation": {
            "outcome": judged.outcome,
            "sentence": sentence_of(judged),
            "how": "a linear head fitted anew over the base's pooled states, held near the base's head",
            "base": {"id": base["id"], "onnx_sha256": base["onnx_sha256"]},
            "data": {
                "sha256": digest,
                "columns": rows.columns._asdict(),
                "labels": rows.scheme.said,
                "rows": rows.counts,
                "learned_from": learned,
            },
            "strength": fitted.strength,
        },
        "metrics": {
            "adaptation": {
                "judged": f"each review by a fit without it and its group, {FOLDS} folds",
                "before": judged.before,
                "after": judged.after,
                "differences": {name: figure._asdict() for name, figure in judged.figures.items()},
                "command": "python training/adapt.py",
            }
        },
    }


# --- refusals -----------------------------------------------------------------------------------


def check_base(base: dict[str, Any], digest: str) -> None:
    """Refuse a base that has learned from this very file: it could not be judged on it."""
    if base.get("adaptation", {}).get("data", {}).get("sha256") == digest:
        raise AdaptError(f"{base['id']} was adapted to this very file before; start from another --model")


def check_enough(rows: Labelled) -> None:
    """Refuse rows that are too few, or all of one label. Raises AdaptError."""
    positive = int(rows.labels.sum())
    negative = len(rows.labels) - positive
    if len(rows.labels) >= MIN_REVIEWS and min(positive, negative) >= MIN_OF_A_LABEL:
        return
    wanted = f"it takes {MIN_REVIEWS} or more, and {MIN_OF_A_LABEL} of each label"
    told = told_left_out(rows.counts)
    raise AdaptError(
        f"{rows.source.path} has {positive:,} positive and {negative:,} negative reviews to learn from"
        f" ({rows.scheme.said}); {wanted}" + (f"; left out: {told}" if told else "")
    )


def check_folds(rows: Labelled) -> None:
    """Refuse groups that can't be held back in turn. Raises AdaptError."""
    folds = folds_of(rows.labels, rows.groups)
    for fold in range(FOLDS):
        if not (folds == fold).any() or len(np.unique(rows.labels[folds != fold])) < 2:
            raise AdaptError(
                f"the column {rows.columns.group!r} has {len(np.unique(rows.groups)):,} groups, too few or"
                " too uneven to hold back a fifth of them in turn; name a finer one with --group"
            )


def told_left_out(counts: dict[str, int]) -> str:
    """Say how many rows were left out, and why; empty when none was."""
    return ", ".join(f"{counts[name]:,} {why}" for name, why in REASONS.items() if counts.get(name))


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> None:
    """Do what the flags say. Raises what ``adapt`` and ``install`` do, and FolderError."""
    out = options.out or Path(f"{options.file.stem}-model")
    check_free(out, "adaptation", options.model)
    sides = (_values(options.positive), _values(options.negative)) if options.positive else None
    rows = labelled.read(
        options.file, options.column, options.label, options.group, options.format, sides, options.most
    )
    _tell_rows(rows)
    adapted = adapt(rows, options.model, options.workers)
    _tell(adapted)
    if options.dry_run:
        return
    if adapted.judged.outcome != "better" and not options.force:
        sys.exit(f"adapt: so nothing was written; --force writes {out} all the same")
    install(out, adapted.network, adapted.card, _check_of(options.model, adapted))
    print(f"adapt: wrote {out} ({adapted.card['id']}); try it: make run MODEL={out.resolve()}")


def _tell_rows(rows: Labelled) -> None:
    column, group = rows.columns, rows.columns.group
    groups = f", groups in {group!r} kept together" if group else ""
    print(
        f"adapt: {rows.counts['rows']:,} rows; text in {column.text!r}, label in {column.label!r}"
        f" ({rows.scheme.said}){groups}",
        flush=True,
    )


def _tell(adapted: Adapted) -> None:
    about = adapted.card["adaptation"]
    learned, left_out = about["data"]["learned_from"], told_left_out(about["data"]["rows"])
    print(
        f"adapt: learned from {learned['reviews']:,} reviews, {learned['positive']:,} of them positive, in"
        f" {about['seconds']} s" + (f"; left out: {left_out}" if left_out else "")
    )
    print(f"adapt: {about['sentence']}")


def _check_of(model: Path, adapted: Adapted) -> Any:
    features, _ = pooled.Reader(model).read(CHECK_TEXT)
    head, temperature = read_head(adapted.network), adapted.card["temperature"]
    expected = float(logits_of(features.astype(np.float64), head)) / temperature

    def check(verdict: inference.Verdict) -> None:
        scored = verdict.read(CHECK_TEXT)[1]
        if not abs(scored.logit - expected) < MAX_LOGIT_GAP:
            raise AdaptError("the adapted network does not answer as its head says; nothing was written")

    return check


def _values(said: str | None) -> list[str]:
    return [value.strip().lower() for value in (said or "").split(",") if value.strip()]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Fit the model's head to your labelled reviews, and say whether that is better."
    )
    add_flags(parser)
    options = parser.parse_args(arguments)
    if bool(options.positive) != bool(options.negative):
        parser.error("--positive and --negative go together: name the values of both sides")
    if options.workers < 1 or options.most < MIN_REVIEWS:
        parser.error(f"--workers must be 1 or more, and --most {MIN_REVIEWS} or more")
    return options


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``adapt``."""
    parser.add_argument("file", type=Path, help="labelled reviews: CSV or TSV with a header, or JSON lines")
    parser.add_argument("--out", type=Path, help="folder of the new model (default: by the file, my-model)")
    parser.add_argument("--column", help="where the text is (default: review, text, comment, ...)")
    parser.add_argument("--label", help="where the label is (default: label, sentiment, stars, ...)")
    parser.add_argument("--group", help="what belongs together, a film or a customer (default: group)")
    parser.add_argument("--positive", help="labels that are positive, with commas, where they aren't known")
    parser.add_argument("--negative", help="labels that are negative; all others are left out")
    parser.add_argument("--format", choices=("csv", "tsv", "jsonl"), help="the file's (default: by its name)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model to start from")
    parser.add_argument(
        "--most", type=int, default=MAX_REVIEWS, help=f"draw so many of more rows (default {MAX_REVIEWS:,})"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--force", action="store_true", help="write the model even when it is not better")
    parser.add_argument("--dry-run", action="store_true", help="judge it, and write nothing")


def speak(options: argparse.Namespace) -> None:
    """Run ``adapt``; end the program with one sentence when it can't be done."""
    try:
        run(options)
    except (AdaptError, BatchError, FolderError, HeadError, pooled.PooledError) as error:
        sys.exit(f"adapt: {error}")
    except (inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"adapt: {error}")
    except OSError as error:
        sys.exit(f"adapt: {error.filename or options.out or options.file}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit("adapt: interrupted; nothing was written")


def main(arguments: Sequence[str] | None = None) -> None:
    speak(parse(arguments))


if __name__ == "__main__":
    main()
