"""Make the model yours: fit its head to labelled reviews of your own, and say whether that is better.

    python -m training.adapt.adapt my.csv                      # writes my-model/ when it is better
    python -m training.adapt.adapt my.csv --out shop --force   # whatever comes out
    python -m training.adapt.adapt my.csv --deep               # the whole network, with torch
    make run MODEL=my-model

CSV, TSV or JSON lines with a text and a label: positive or negative, 1 or 0, or 1 to 5 or 10 stars. Without
--deep no torch is needed: the network stays as it is, and only the head over its pooled states is fitted,
held near the one it had. It is judged on reviews that the fit in question has not seen. Nothing leaves this
machine, and no text is written.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.adapt import (
    features,
    near_duplicates,
)
from training.adapt.exit_status import FINE, REFUSED, CommandError, speaking
from training.adapt.head_fit import FOLDS, Data, cross_validate, fit, folds_of, logits_of
from training.adapt.judge import Judged, Tuned, judge, sentence_of
from training.adapt.onnx_head import POOLED, Head, read_head, with_head, with_pooled
from training.endpoint import inference
from training.endpoint.model_folder import check_free, check_writable, install, named_by
from training.evaluation import metrics
from training.files import labelled
from training.files.labelled import Labelled
from vocab import vocabulary
from vocab.files import sha256_of

# With fewer, chance would decide.
MIN_REVIEWS, MIN_OF_A_LABEL = 50, 10
# The part of a card that only an adapted model's has.
KIND = "adaptation"
# More than these hardly move 513 numbers any more, and take minutes.
MAX_REVIEWS = 10_000
# An adapted network must answer this text as its head says.
CHECK_TEXT = "It does what it says, and I would buy it again. The box was a little dented, though."
MAX_LOGIT_GAP = 1e-3
# How the base was packed is told of the base alone.
OF_BASE_ALONE = ("export",)
# What a card says of films is of the adapted model's texts then.
OTHER_THINGS = "other things than those it was adapted to: no figure here says how good it is there"


class Adapted(NamedTuple):
    """What comes out: the network with its new head, its card, and how it was judged."""

    network: bytes
    card: dict[str, Any]
    judged: Judged


def adapt(rows: Labelled, model: Path, workers: int, deep: bool = False) -> Adapted:
    """Fit a model's head, or (``deep``) all of it, to labelled rows and judge it; nothing is written.

    Raises CommandError, BatchError, HeadError, PooledError, ModelFilesError or VocabularyError.
    """
    began = time.monotonic()
    base = inference.model_fn(model).card
    network = (model / "model.onnx").read_bytes()
    digest = sha256_of(rows.source.path)
    check_base(base, digest)
    start = calibrated(read_head(network), base["temperature"])
    check_enough(rows)
    read = features.pool(rows.texts(), len(rows.numbers), model, workers)
    rows, data, tokens = readable(rows, read)
    check_enough(rows)
    joined = near_duplicates.join(rows.texts(), rows.groups)
    data = data._replace(groups=joined.groups)
    check_folds(rows, data)
    tuned = tune_deep(network, rows, data) if deep else tune_head(network, data, start)
    before = metrics.probabilities_of(logits_of(data.features, start))
    judged = judge(before, tuned, data.labels, data.groups, tokens, base)
    card = card_of(base, tuned, rows, judged, digest)
    card["adaptation"]["data"]["learned_from"]["alike"] = joined.alike
    card["metrics"]["adaptation"]["flagged"] = {
        code: count / len(read.unfit) for code, count in read.flagged.items()
    }
    card["adaptation"]["seconds"] = round(time.monotonic() - began, 1)
    return Adapted(tuned.network, card, judged)


def tune_head(network: bytes, data: Data, start: Head) -> Tuned:
    """Fit a new head over the network's pooled states."""
    fitted, (unseen, outright) = fit(data, start), cross_validate(data, start)
    how = "a linear head fitted anew over the base's pooled states, held near the base's head"
    adapted = with_head(network, fitted.head)
    return Tuned(
        adapted, fitted.temperature, fitted.band, unseen, outright, how, {"strength": fitted.strength}
    )


def tune_deep(network: bytes, rows: Labelled, data: Data) -> Tuned:
    """Fine-tune the whole network. Raises CommandError without torch."""
    try:
        from training.adapt import deep as adapt_deep
    except ImportError as error:
        raise CommandError(
            f"--deep needs torch and onnx ({error.name} can't be imported); in a checkout, run:"
            " pip install -r requirements/train.txt"
        ) from error
    words = vocabulary.load()
    ids = [np.array(words.encode_ids(text)) for text in rows.texts()]
    return adapt_deep.tune_all(network, ids, data.labels, data.groups)


def calibrated(head: Head, temperature: float) -> Head:
    """Give the head whose logits are those of another one, divided by its temperature."""
    return Head(head.weights / temperature, head.bias / temperature)


def readable(rows: Labelled, read: features.Pooled) -> tuple[Labelled, Data, np.ndarray]:
    """Leave out what teaches nothing: texts without a known word, or not in English. Gives tokens, too."""
    if len(read.unfit) != len(rows.numbers):
        raise CommandError(f"{rows.source.path} was changed while it was read; run it again")
    keep = read.unfit == ""
    left_out = {
        reason: int((read.unfit == reason).sum())
        for reason in (features.NO_TOKEN, features.UNKNOWN, features.NOT_ENGLISH)
    }
    rows = rows.take(keep, **left_out)
    data = Data(read.features[keep].astype(np.float64), rows.labels, rows.groups)
    return rows, data, read.tokens[keep]


def card_of(
    base: dict[str, Any], tuned: Tuned, rows: Labelled, judged: Judged, digest: str
) -> dict[str, Any]:
    """Give the adapted model's card: the base's, with what is no longer true of it replaced."""
    learned = {
        "reviews": len(rows.labels),
        "positive": int(rows.labels.sum()),
        "negative": int((1 - rows.labels).sum()),
        "groups": len(np.unique(rows.groups)) if rows.columns.group else None,
    }
    kept = {name: value for name, value in base.items() if name not in OF_BASE_ALONE}
    return {
        **kept,
        **named_by(tuned.network),
        "temperature": tuned.temperature,
        "uncertain": list(tuned.band),
        "created": time.strftime("%Y-%m-%d", time.gmtime()),
        "base_model": base["id"],
        "tags": [tag for tag in base.get("tags", []) if tag != "film-reviews"] + ["adapted"],
        "intended_use": "English texts like those that it was adapted to",
        "out_of_scope": [
            OTHER_THINGS if one.startswith(OTHER_THINGS[:17]) else one for one in base.get("out_of_scope", [])
        ],
        "adaptation": {
            "outcome": judged.outcome,
            "sentence": sentence_of(judged),
            "how": tuned.how,
            "base": {"id": base["id"], "onnx_sha256": base["onnx_sha256"]},
            "base_adapted": "adaptation" in base,
            "data": {
                "sha256": digest,
                "columns": rows.columns._asdict(),
                "labels": rows.scheme.said,
                "rows": rows.counts,
                "learned_from": learned,
            },
            "settings": tuned.settings,
        },
        "metrics": {
            "adaptation": {
                "judged": judged_how(base),
                "before": judged.before,
                "after": judged.after,
                "differences": {name: figure._asdict() for name, figure in judged.figures.items()},
                "command": "python -m training.adapt.adapt",
            }
        },
    }


def judged_how(base: dict[str, Any]) -> str:
    """Say how the figures came about, and what a base that has learned from reviews before does to them."""
    how = f"each review by a fit without it, its group and what is nearly the same, {FOLDS} folds"
    if "adaptation" not in base:
        return how
    return f"{how}; {base['id']} was adapted before, and may have learned from some of these reviews"


# --- refusals -----------------------------------------------------------------------------------


def check_base(base: dict[str, Any], digest: str) -> None:
    """Refuse a base that has learned from this very file: it could not be judged on it."""
    if base.get("adaptation", {}).get("data", {}).get("sha256") == digest:
        raise CommandError(f"{base['id']} was adapted to this very file before; start from another --model")


def check_enough(rows: Labelled) -> None:
    """Refuse rows that are too few, or all of one label. Raises CommandError."""
    positive = int(rows.labels.sum())
    negative = len(rows.labels) - positive
    if len(rows.labels) >= MIN_REVIEWS and min(positive, negative) >= MIN_OF_A_LABEL:
        return
    wanted = f"it takes {MIN_REVIEWS} or more, and {MIN_OF_A_LABEL} of each label"
    told = labelled.told_left_out(rows.counts)
    raise CommandError(
        f"{rows.source.path} has {positive:,} positive and {negative:,} negative reviews to learn from"
        f" ({rows.scheme.said}); {wanted}" + (f"; left out: {told}" if told else "")
    )


def check_folds(rows: Labelled, data: Data) -> None:
    """Refuse groups that can't be held back in turn. Raises CommandError."""
    folds = folds_of(data.labels, data.groups)
    for fold in range(FOLDS):
        if not (folds == fold).any() or len(np.unique(data.labels[folds != fold])) < 2:
            raise CommandError(_few_groups(rows, len(np.unique(data.groups))))


def _few_groups(rows: Labelled, different: int) -> str:
    named = len(np.unique(rows.groups))
    why = "too few or too uneven to hold back a fifth of them in turn"
    if rows.columns.group and named == different:
        return f"the column {rows.columns.group!r} has {named:,} groups, {why}; name a finer one with --group"
    return (
        f"{rows.source.path} has only {different:,} groups of reviews that are not nearly the same,"
        f" {why}; add others"
    )


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Do what the flags say, and give the exit status. Raises what ``adapt`` and ``install`` do."""
    if options.file.parts[0] == "s3:":
        raise CommandError("a file in S3 is fitted on SageMaker: make adapt-aws FILE=s3://bucket/prefix")
    out = out_of(options)
    check_free(out, KIND, options.model)
    if not options.dry_run:
        check_writable(out)
    rows = labelled.read_asked(options, options.most)
    print(f"adapt: {labelled.told(rows)}", flush=True)
    adapted = adapt(rows, options.model, options.workers, options.deep)
    tell(adapted.card)
    return FINE if options.dry_run else settle(adapted.network, adapted.card, out, options.force)


def out_of(options: argparse.Namespace) -> Path:
    """Give the folder of the new model: the one named, or by the file."""
    return Path(options.out or f"{options.file.stem}-model")


def settle(network: bytes, card: dict[str, Any], out: Path, force: bool) -> int:
    """Install an adapted model that is better, or ``force``; give the exit status. Raises as ``install``."""
    if card["adaptation"]["outcome"] != "better" and not force:
        print(f"adapt: so nothing was written; --force writes {out} all the same", file=sys.stderr)
        return REFUSED
    install(out, network, card, _check_of(network))
    place = out.resolve()
    print(f"adapt: wrote {out} ({card['id']})")
    print(f"adapt: try it: make run MODEL={place}, or verdict serve --model {place}")
    return FINE


def tell(card: dict[str, Any]) -> None:
    """Say what was learned from, and what that brought."""
    about = card["adaptation"]
    learned, left_out = about["data"]["learned_from"], labelled.told_left_out(about["data"]["rows"])
    print(
        f"adapt: learned from {learned['reviews']:,} reviews, {learned['positive']:,} of them positive, in"
        f" {about['seconds']} s" + (f"; left out: {left_out}" if left_out else "")
    )
    if learned["alike"]:
        print(f"adapt: {learned['alike']:,} of them are nearly like another, and were held back together")
    if about["base_adapted"]:
        print(f"adapt: {about['base']['id']} was adapted before, and may know some of these reviews")
    print(f"adapt: {about['sentence']}")


def _check_of(network: bytes) -> Callable[[inference.LoadedModel], None]:
    """Give what refuses a model that does not answer as its head over its pooled states says."""

    def check(model: inference.LoadedModel) -> None:
        encoded, scored = model.predict(CHECK_TEXT)
        session = inference.session_of(with_pooled(network), Path("the new model"))
        states, maximum = session.run(POOLED, {"ids": np.array(encoded.ids, dtype=np.int64)})
        pooled_states = np.concatenate([maximum, states.mean(axis=0)]).astype(np.float64)
        expected = float(logits_of(pooled_states, read_head(network))) / model.card["temperature"]
        if not abs(scored.logit - expected) < MAX_LOGIT_GAP:
            raise CommandError("the adapted network does not answer as its head says; nothing was written")

    return check


def parse(arguments: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Fit the model's head to your labelled reviews, and say whether that is better.",
    )
    labelled.add_flags(parser)
    parser.add_argument("--out", type=Path, help="folder of the new model (default: by the file, my-model)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model to start from")
    parser.add_argument(
        "--most", type=int, default=MAX_REVIEWS, help=f"draw so many of more rows (default {MAX_REVIEWS:,})"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--deep", action="store_true", help="fine-tune the whole network, with torch")
    parser.add_argument("--force", action="store_true", help="write the model even when it is not better")
    parser.add_argument("--dry-run", action="store_true", help="judge it, and write nothing")
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if options.workers < 1 or options.most < MIN_REVIEWS:
        parser.error(f"--workers must be 1 or more, and --most {MIN_REVIEWS} or more")
    return options


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run the command, called ``prog``; give its exit status."""
    options = parse(arguments, prog)
    return speaking("adapt", lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
