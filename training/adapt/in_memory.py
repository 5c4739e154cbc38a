"""Fit the model's head to texts and labels in memory, as ``adapt`` fits it to a file's."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.adapt import features, head_fit, near_duplicates
from training.adapt.adapt import MIN_OF_A_LABEL, MIN_REVIEWS, can_hold_out
from training.adapt.exit_status import CommandError
from training.adapt.head_fit import Data
from training.adapt.lexicon import read_lexicon
from training.adapt.onnx_head import read_head
from training.files import texts as judging
from training.files.texts import Adapted


def fit_texts(texts: Sequence[str], labels: np.ndarray, folder: Path, workers: int) -> Adapted:
    """Fit the head of a model's folder to texts with labels 0 or 1, int (texts,).

    Texts without a known word or not in English are left out. Raises CommandError, HeadError,
    FeaturesError, ModelFilesError or VocabularyError.
    """
    start = read_head((folder / "model.onnx").read_bytes())
    check_enough(labels)
    extracted = features.extract(texts, len(texts), folder, workers)
    keep = extracted.unfit == ""
    labels = labels[keep]
    check_enough(labels, int((~keep).sum()))
    kept = [text for text, kept in zip(texts, keep, strict=True) if kept]
    # Numbered as a file's rows are, so that both are held out in the same folds.
    groups = near_duplicates.merge_groups(kept, -1 - np.arange(len(kept))).groups
    if not can_hold_out(labels, groups):
        raise CommandError("the texts are too much alike to hold out a fifth of them in turn; add others")
    loaded = judging.load(folder)
    fitted = head_fit.fit(Data(extracted.inputs.take(keep), labels, groups), start, read_lexicon(loaded))
    calibration = loaded.calibration.divided(fitted.temperature)
    # As precise as a written network's, so that both give the same answers.
    weights, bias = fitted.head.weights.astype(np.float32), np.float32(fitted.head.bias)
    columns, added = fitted.change
    ngrams = columns.astype(np.int32), added.astype(np.float32)
    return Adapted(weights.astype(np.float64), float(bias), calibration, fitted.band, ngrams)


def check_enough(labels: np.ndarray, left_out: int = 0) -> None:
    """Refuse too few texts, or of one label. Raises CommandError."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if len(labels) >= MIN_REVIEWS and min(positive, negative) >= MIN_OF_A_LABEL:
        return
    unread = f"; {left_out:,} more can't be read" if left_out else ""
    raise CommandError(
        f"fit takes {MIN_REVIEWS} or more texts, and {MIN_OF_A_LABEL} of each label; got {positive:,}"
        f" positive and {negative:,} negative{unread}"
    )
