"""Fit the model's head to your own labelled reviews, and report whether that is better.

    python -m training.adapt.adapt my.csv                      # writes my-model/ if it is better
    python -m training.adapt.adapt my.csv --out shop --force   # even if it is not better, or shop/ exists
    python -m training.adapt.adapt my.csv --deep               # the whole network, with torch
    python -m training.adapt.adapt my.csv --doubts doubts.csv --dry-run      # only the labels that look wrong
    make run MODEL=my-model

The file is CSV, TSV or JSON lines with a text and a label: positive or negative, 1 or 0, or 1 to 5 or 10
stars. Without --deep no torch is needed. Then only what gives a sentence its polarity is fitted: the head,
near the head that it had, and the weights of n-grams. States and weights of sentences stay the same. Each
review is evaluated by a fit that has not seen it. Nothing leaves this machine, and no text is written.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.adapt import features, near_duplicates
from training.adapt.doubts import Doubt, correct, find_doubts, write_doubts
from training.adapt.exit_status import CommandError, run_command
from training.adapt.head_fit import FOLDS, Data, cross_validate, fit, folds_of
from training.adapt.held_out import Evaluation, TunedModel, evaluate, sentence_of
from training.adapt.lexicon import read_lexicon
from training.adapt.onnx_head import read_head, with_head, with_table
from training.endpoint import inference, ngram_weights, receipt
from training.endpoint.calibration import Calibration
from training.endpoint.model_folder import check_free, check_writable, identity_of, install, label_of, path_of
from training.evaluation import metrics
from training.files import labelled
from training.files.formulas import Writer, add_raw
from training.files.labelled import Labelled
from training.files.outputs import check_new
from training.files.rows import cells_of, to_bytes
from vocab import typed, vocabulary
from vocab.exit_status import FINE, NO
from vocab.files import sha256, sha256_of, write_atomic

# What was typed, unless a caller says something else.
PROG = typed.command("training.adapt.adapt")
# Fewer reviews would leave the outcome to chance.
MIN_REVIEWS, MIN_OF_A_LABEL = 50, 10
# The part of a card that only adapted models have.
KIND = "adaptation"
# More reviews hardly change 513 numbers, and take minutes.
MAX_REVIEWS = 10_000
# An adapted network must answer this text as its head says.
CHECK_TEXT = "It does what it says, and I would buy it again. The box was a little dented, though."
MAX_LOGIT_GAP = 1e-3
# The part of a file's groups that --hold-back leaves out of the fit.
HELD_BACK = 1 / 3
FILE_MODE = 0o600
# Parts of a card that describe the base alone: how it was packed, and what was promised of it.
BASE_ONLY_FIELDS = ("export", receipt.FIELD)
# Replaces what the base's card says about texts other than film reviews.
OTHER_THINGS = "other things than those it was adapted to: no figure here says how good it is there"


class AdaptedModel(NamedTuple):
    """An adapted network as model.onnx, its card, its evaluation, and the labels that look wrong."""

    network: bytes
    card: dict[str, Any]
    evaluation: Evaluation
    doubts: list[Doubt]


def adapt(rows: Labelled, model: Path, workers: int, deep: bool = False) -> AdaptedModel:
    """Fit a model's head, or with ``deep`` the whole network, to labelled rows; write nothing.

    Raises CommandError, BatchError, HeadError, FeaturesError, ModelFilesError or VocabularyError.
    """
    began = time.monotonic()
    loaded = inference.model_fn(model)
    base = loaded.card
    network = (model / "model.onnx").read_bytes()
    digest = sha256_of(rows.source.path)
    check_base(base, digest)
    start = read_head(network)
    check_enough(rows)
    extracted = features.extract(rows.texts(), len(rows.numbers), model, workers)
    rows, data, tokens = keep_readable(rows, extracted)
    check_enough(rows)
    merged = near_duplicates.merge_groups(rows.texts(), rows.groups)
    data = data._replace(groups=merged.groups)
    check_folds(rows, data)
    tuned = tune_deep(network, rows, data, loaded.calibration) if deep else tune_head(network, data, loaded)
    before = metrics.probabilities_of(data.inputs.logits(start))
    evaluation = evaluate(before, tuned, data.labels, data.groups, tokens, base)
    card = card_of(base, loaded.calibration.divided(tuned.temperature), tuned, rows, evaluation, digest)
    card["adaptation"]["data"]["learned_from"]["alike"] = merged.duplicates
    card["metrics"]["adaptation"]["flagged"] = {
        code: count / len(extracted.unfit) for code, count in extracted.flagged.items()
    }
    card["adaptation"]["seconds"] = round(time.monotonic() - began, 1)
    return AdaptedModel(tuned.network, card, evaluation, find_doubts(rows, tuned.unseen))


def tune_head(network: bytes, data: Data, loaded: inference.LoadedModel) -> TunedModel:
    """Fit a new head over the pooled states of sentences, and the weights of n-grams."""
    start, lexicon = read_head(network), read_lexicon(loaded)
    fitted, (unseen, outright) = fit(data, start, lexicon), cross_validate(data, start, lexicon)
    method = (
        "a linear head fitted anew over the base's pooled states of sentences, held near the base's head;"
        " weights of n-grams moved by the labels and by a general lexicon"
    )
    adapted = with_head(network, fitted.head)
    if len(fitted.change.columns):
        adapted = with_table(adapted, ngram_weights.changed(loaded.network.ngrams, *fitted.change))
    settings = {"strength": fitted.strength, "ngrams": len(fitted.change.columns)}
    return TunedModel(adapted, fitted.temperature, fitted.band, unseen, outright, method, settings)


def tune_deep(network: bytes, rows: Labelled, data: Data, calibration: Calibration) -> TunedModel:
    """Fine-tune the whole network. Raises CommandError without torch."""
    try:
        from training.adapt import deep
    except ImportError as error:
        raise CommandError(
            f"--deep needs torch and onnx ({error.name} can't be imported); in a checkout, run:"
            " pip install -r requirements/train.txt"
        ) from error
    words = vocabulary.load()
    reviews = [deep.to_review(words.encode(text)) for text in rows.texts()]
    return deep.tune_all(network, reviews, data.labels, data.groups, calibration)


def keep_readable(rows: Labelled, extracted: features.Features) -> tuple[Labelled, Data, np.ndarray]:
    """Leave out texts without a known word or not in English; return rows, data and tokens, int (reviews,).

    Raises CommandError when the file changed meanwhile.
    """
    if len(extracted.unfit) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    keep = extracted.unfit == ""
    left_out = {
        reason: int((extracted.unfit == reason).sum())
        for reason in (features.NO_TOKEN, features.UNKNOWN, features.NOT_ENGLISH)
    }
    rows = rows.take(keep, **left_out)
    data = Data(extracted.inputs.take(keep), rows.labels, rows.groups)
    return rows, data, extracted.tokens[keep]


def card_of(
    base: dict[str, Any],
    calibration: Calibration,
    tuned: TunedModel,
    rows: Labelled,
    evaluation: Evaluation,
    digest: str,
) -> dict[str, Any]:
    """Return the adapted model's card: the base's card without what is no longer true."""
    learned = {
        "reviews": len(rows.labels),
        "positive": int(rows.labels.sum()),
        "negative": int((1 - rows.labels).sum()),
        "groups": len(np.unique(rows.groups)) if rows.columns.group else None,
    }
    base_fields = {name: value for name, value in base.items() if name not in BASE_ONLY_FIELDS}
    return {
        **base_fields,
        **identity_of(tuned.network),
        **calibration._asdict(),
        "uncertain": list(tuned.band),
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "base_model": base["id"],
        "tags": [tag for tag in base.get("tags", []) if tag != "film-reviews"] + ["adapted"],
        "intended_use": "English texts like those that it was adapted to",
        "out_of_scope": [
            OTHER_THINGS if use.startswith(OTHER_THINGS[:17]) else use for use in base.get("out_of_scope", [])
        ],
        "adaptation": {
            "outcome": evaluation.outcome,
            "sentence": sentence_of(evaluation),
            "how": tuned.method,
            "base": {"id": base["id"], "onnx_sha256": base["onnx_sha256"]},
            "base_adapted": "adaptation" in base,
            "data": {
                "sha256": digest,
                "columns": rows.columns._asdict(),
                "labels": rows.scheme.description,
                "rows": rows.counts,
                "learned_from": learned,
            },
            "settings": tuned.settings,
        },
        "metrics": {
            "adaptation": {
                "judged": evaluation_note(base),
                "before": evaluation.before,
                "after": evaluation.after,
                "differences": {name: figure._asdict() for name, figure in evaluation.figures.items()},
                "command": "python -m training.adapt.adapt",
            }
        },
    }


def evaluation_note(base: dict[str, Any]) -> str:
    """Return how the metrics were measured, with a warning if the base was adapted before."""
    note = f"each review by a fit without it, its group and what is nearly the same, {FOLDS} folds"
    if "adaptation" not in base:
        return note
    return f"{note}; {base['id']} was adapted before, and may have learned from some of these reviews"


# --- refusals -----------------------------------------------------------------------------------


def check_base(base: dict[str, Any], digest: str) -> None:
    """Refuse a base that has learned from this very file: the evaluation would not be fair."""
    if base.get("adaptation", {}).get("data", {}).get("sha256") == digest:
        raise CommandError(f"{base['id']} was adapted to this very file before; start from another --model")


def check_enough(rows: Labelled) -> None:
    """Refuse too few rows, or rows of one label. Raises CommandError."""
    positive = int(rows.labels.sum())
    negative = len(rows.labels) - positive
    if len(rows.labels) >= MIN_REVIEWS and min(positive, negative) >= MIN_OF_A_LABEL:
        return
    requirement = f"it takes {MIN_REVIEWS} or more, and {MIN_OF_A_LABEL} of each label"
    left_out = labelled.describe_left_out(rows.counts)
    raise CommandError(
        f"{rows.source.path} has {positive:,} positive and {negative:,} negative reviews to learn from"
        f" ({rows.scheme.description}); {requirement}" + (f"; left out: {left_out}" if left_out else "")
    )


def check_folds(rows: Labelled, data: Data) -> None:
    """Refuse groups that can't be held out in turn. Raises CommandError."""
    if not can_hold_out(data.labels, data.groups):
        raise CommandError(_few_groups(rows, len(np.unique(data.groups))))


def can_hold_out(labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether each fold has reviews and leaves reviews of both labels; both are int (reviews,)."""
    folds = folds_of(labels, groups)
    return all((folds == fold).any() and len(np.unique(labels[folds != fold])) == 2 for fold in range(FOLDS))


def _few_groups(rows: Labelled, different: int) -> str:
    count = len(np.unique(rows.groups))
    why = "too few or too uneven to hold out a fifth of them in turn"
    if rows.columns.group and count == different:
        return f"the column {rows.columns.group!r} has {count:,} groups, {why}; name a finer one with --group"
    return (
        f"{rows.source.path} has only {different:,} groups of reviews that are not nearly the same,"
        f" {why}; add other reviews"
    )


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status. Raises what ``adapt`` and ``install`` raise."""
    if options.file.parts[0] == "s3:":
        there = "is read on SageMaker; run: make adapt-aws FILE=s3://bucket/prefix"
        raise CommandError(f"a file in S3 {'is not read here; download it' if typed.INSTALLED else there}")
    out = out_of(options)
    if not options.dry_run:
        check_free(out, KIND, options.model, force=options.force)
        check_writable(out)
    for flag, path in (("--doubts", options.doubts), ("--hold-back", options.hold_back)):
        if path and path.resolve() == options.file.resolve():
            raise CommandError(f"{path} is the input; choose another file for the output")
        check_new(path, options.force, flag)
    rows = labelled.read_options(options, options.most)
    print(f"adapt: {labelled.describe(rows)}", flush=True)
    print(f"adapt: starts from {label_of(options.model)}", flush=True)
    checked: frozenset[int] = frozenset()
    if options.corrected:
        rows, checked = correct(rows, options.corrected)
        print(f"adapt: took {len(checked):,} checked labels from {options.corrected}")
    held = b""
    if options.hold_back:
        rows, held = hold_back(rows, options.raw)
    adapted = adapt(rows, options.model, options.workers, options.deep)
    print_summary(adapted.card)
    report_doubts(
        rows, [one for one in adapted.doubts if one.number not in checked], options.doubts, options.raw
    )
    if options.dry_run:
        return FINE
    if options.corrected:
        adapted.card["adaptation"]["data"]["corrected"] = {
            "sha256": sha256_of(options.corrected),
            "labels": len(checked),
        }
    if held:
        adapted.card["adaptation"]["data"]["held_back"] = sha256(held)
    status = install_if_better(adapted.network, adapted.card, out, options.force)
    if held and status == FINE:
        write_atomic(options.hold_back, held, FILE_MODE)
        print(
            f"adapt: wrote {options.hold_back}, {rows.counts['held_back']:,} rows that it has not seen;"
            f" use them: verdict promise {options.hold_back} --wrong 0.05 --model {out}"
        )
    return status


def hold_back(rows: Labelled, raw: bool = False) -> tuple[Labelled, bytes]:
    """Hold back HELD_BACK of the groups, with near duplicates; return the other rows, and those as CSV."""
    groups = near_duplicates.merge_groups(rows.texts(), rows.groups).groups
    _, numbers = np.unique(groups, return_inverse=True)
    drawn = np.random.default_rng(0).random(int(numbers.max(initial=-1)) + 1) < HELD_BACK
    held = drawn[numbers]
    out = io.StringIO(newline="")
    writer = Writer(out, raw)
    writer.writerow(rows.source.columns)
    writer.writerows(cells_of(row, rows.source) for row in rows.take(held).rows())
    return rows.take(~held, held_back=int(held.sum())), to_bytes(out.getvalue())


def report_doubts(rows: Labelled, doubts: Sequence[Doubt], path: Path | None, raw: bool = False) -> None:
    """Print how many labels look wrong, and write them to ``path`` if there is one."""
    if path is None:
        if doubts:
            print(f"adapt: {len(doubts):,} labels look wrong; --doubts doubts.csv lists them")
        return
    write_doubts(path, rows, doubts, raw)
    print(f"adapt: wrote {path}: {len(doubts):,} labels look wrong; check them on the page Labels")


def out_of(options: argparse.Namespace) -> Path:
    """Return the folder of the new model: --out, or a name made from the file's."""
    return Path(options.out or f"{options.file.stem}-model")


def install_if_better(network: bytes, card: dict[str, Any], out: Path, force: bool) -> int:
    """Install an adapted model if it is better or ``force`` is set; return the exit status.

    Raises what ``install`` raises.
    """
    if card["adaptation"]["outcome"] != "better" and not force:
        print(f"adapt: nothing was written; {typed.flag('--force')} writes {out} anyway", file=sys.stderr)
        return NO
    install(out, network, card, _answer_check(network))
    place = out.resolve()
    print(f"adapt: wrote {out} ({card['id']})")
    print(f"adapt: try it: {typed.choose(f'make run MODEL={place}', f'verdict --model {place} TEXT')}")
    return FINE


def print_summary(card: dict[str, Any]) -> None:
    """Print what an adapted model has learned from, and the outcome."""
    about = card["adaptation"]
    learned, left_out = about["data"]["learned_from"], labelled.describe_left_out(about["data"]["rows"])
    print(
        f"adapt: learned from {learned['reviews']:,} reviews, {learned['positive']:,} of them positive, in"
        f" {about['seconds']} s" + (f"; left out: {left_out}" if left_out else "")
    )
    if learned["alike"]:
        print(f"adapt: {learned['alike']:,} of them are near duplicates; they were held out together")
    if about["base_adapted"]:
        print(f"adapt: {about['base']['id']} was adapted before, and may know some of these reviews")
    print(f"adapt: {about['sentence']}")


def _answer_check(network: bytes) -> Callable[[inference.LoadedModel], None]:
    """Return a check that a loaded model answers as its head over its pooled states computes."""

    def check(model: inference.LoadedModel) -> None:
        encoded, scored = model.predict(CHECK_TEXT)
        inputs = features.inputs_of(model, encoded.ids, encoded.lengths)
        expected = float(inputs.logits(read_head(network))[0])
        if not abs(scored.logit - expected) < MAX_LOGIT_GAP:
            raise CommandError(
                "the adapted network does not answer as its head computes; nothing was written"
            )

    return check


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Fit the model's head to your labelled reviews, and report whether that is better.",
    )
    labelled.add_flags(parser)
    parser.add_argument(
        "--out", type=Path, help="folder of the new model (default: after the file, as in my-model)"
    )
    parser.add_argument(
        "--model", type=path_of, default=inference.MODEL_FOLDER, help="model folder to start from"
    )
    parser.add_argument(
        "--most",
        type=int,
        default=MAX_REVIEWS,
        help=f"rows to draw from a longer file (default {MAX_REVIEWS:,})",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--doubts", type=Path, help="file for the labels that look wrong, as CSV")
    parser.add_argument("--corrected", type=Path, help="file of doubts, with the labels that you checked")
    parser.add_argument(
        "--hold-back", type=Path, help="file for a third of the rows, not learned from, for verdict promise"
    )
    add_raw(parser)
    parser.add_argument("--deep", action="store_true", help="fine-tune the whole network, with torch")
    parser.add_argument(
        "--force", action="store_true", help="write the model even if it is not better, and replace outputs"
    )
    parser.add_argument("--dry-run", action="store_true", help="evaluate, and write no model")
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if options.workers < 1 or options.most < MIN_REVIEWS:
        parser.error(f"--workers must be 1 or more, and --most {MIN_REVIEWS} or more")
    return options


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command, named ``prog`` in its messages; return its exit status."""
    options = parse(arguments, prog)
    return run_command(prog, lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
