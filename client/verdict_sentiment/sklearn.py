"""Judge texts as a scikit-learn classifier: ``fit`` adapts the model to texts and labels."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from verdict_sentiment._packages import load
from verdict_sentiment.errors import VerdictError
from verdict_sentiment.judging import (
    ModelPath,
    count_workers,
    folder_of,
    load_texts,
    open_judge,
    process_errors,
)

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import Tags
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d
except ImportError as error:
    raise ImportError(
        f"{error.name} is not installed, which the classifier needs; run:"
        " pip install 'verdict-sentiment[sklearn]'"
    ) from error

if TYPE_CHECKING:
    from training.files.texts import Adapted, Judged

# Reasons for "uncertain" of a text that the model does not understand.
NOT_UNDERSTOOD = ("no_known_words", "not_english")


class VerdictClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify texts as positive or negative: ``VerdictClassifier().fit(texts, labels).predict(texts)``.

    ``fit`` adapts the model's head to 50 texts or more, as `verdict adapt` does; with ``adapt=False`` the
    model stays as it is. Labels are two words or numbers that say which is positive, such as "pos" and "neg",
    1 and 0, or any two with ``positive`` naming one. ``model`` is a model's folder (default: the published
    model). ``workers`` processes share the texts (default: cores).

    After ``fit``: ``classes_``, the two labels in order; ``positive_``, the positive one; ``prior_``, its
    share of the labels; ``base_``, the id of the model; ``coef_``, float64 (1, pooled), ``intercept_``,
    ``calibration_`` and ``band_``, None without adapting.
    """

    def __init__(
        self,
        model: ModelPath = None,
        *,
        adapt: bool = True,
        positive: Any = None,
        workers: int | None = None,
    ) -> None:
        self.model = model
        self.adapt = adapt
        self.positive = positive
        self.workers = workers

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to texts and their labels. Raises ValueError for texts or labels that can't be used."""
        texts = _texts(X)
        labels = _labels(y)
        check_consistent_length(texts, labels)
        classes = _classes(labels)
        positive = _positive(classes, self.positive)
        is_positive = (labels == positive).astype(int)
        with open_judge(self.model, 1) as judge:
            base = judge.model.identity.id
        coef: Any = None
        intercept: Any = None
        calibration: Any = None
        band: Any = None
        ngrams: Any = None
        if self.adapt:
            adapted = _fit_texts(texts, is_positive, folder_of(self.model), count_workers(self.workers))
            coef, intercept = adapted.weights[None], np.array([adapted.bias])
            calibration, band, ngrams = tuple(adapted.calibration), adapted.band, adapted.ngrams
        self.classes_, self.positive_, self.prior_ = classes, positive, float(is_positive.mean())
        self.base_ = base
        self.coef_, self.intercept_, self.calibration_, self.band_ = coef, intercept, calibration, band
        self.ngrams_ = ngrams
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each of ``classes_``, float64 (texts, 2).

        A text that the model can't understand gets the shares of the labels in ``fit``, with a warning.
        Raises NotFittedError, ValueError, or VerdictError.
        """
        check_is_fitted(self)
        texts = _texts(X)
        with process_errors(), open_judge(self.model, self.workers, self._adapted()) as judge:
            if judge.model.identity.id != self.base_:
                raise VerdictError(
                    f"the classifier was fitted to {self.base_}, and this is {judge.model.identity.id};"
                    " fit it again",
                    code="model_changed",
                )
            judged = list(judge.judge(texts))
        known = np.array([_is_understood(one) for one in judged], dtype=bool)
        probabilities = np.array([one.prediction.probability or 0.0 for one in judged], dtype=np.float64)
        if not known.all():
            warnings.warn(
                f"{(~known).sum():,} of {len(texts):,} texts can't be understood; they get the shares of the"
                " labels",
                stacklevel=2,
            )
        positive = np.where(known, probabilities, self.prior_)
        columns = (1 - positive, positive) if self.classes_[1] == self.positive_ else (positive, 1 - positive)
        return np.column_stack(columns)

    def predict(self, X: Any) -> Any:
        """Return the likelier label of each text, (texts,). Raises what ``predict_proba`` raises."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        tags.input_tags.one_d_array = True
        tags.classifier_tags.multi_class = False
        return tags

    def _adapted(self) -> "Adapted | None":
        if self.coef_ is None:
            return None
        calibration = load("training.endpoint.calibration").Calibration(*self.calibration_)
        adapted: Adapted = load_texts().Adapted(
            self.coef_[0], float(self.intercept_[0]), calibration, self.band_, self.ngrams_
        )
        return adapted


def _fit_texts(texts: Sequence[str], labels: Any, folder: Path, workers: int) -> "Adapted":
    """Fit the model's head. Raises ValueError for texts that can't be used, VerdictError otherwise."""
    in_memory, status = load("training.adapt.in_memory"), load("training.adapt.exit_status")
    try:
        adapted: Adapted = in_memory.fit_texts(texts, labels, folder, workers)
        return adapted
    except status.CommandError as error:
        raise ValueError(str(error)) from error
    except status.FeaturesError as error:
        raise VerdictError(str(error).replace("--workers 1", "workers=1"), code="process_died") from error
    except status.HeadError as error:
        raise VerdictError(str(error), code="model_unusable") from error


def _texts(X: Any) -> list[str]:
    """Return the texts. Raises ValueError for anything else."""
    if isinstance(X, (str, bytes)) or not hasattr(X, "__iter__"):
        raise ValueError(f"X is a single {type(X).__name__}; give a list of texts")
    if hasattr(X, "columns") or getattr(X, "ndim", 1) != 1:
        raise ValueError("X is a table; give one column of texts, such as frame['review']")
    texts = list(X)
    if not texts:
        raise ValueError("X holds no text; give one or more")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"row {row:,} of X holds no text but {type(text).__name__}; fill it, or drop it")
    return texts


def _labels(y: Any) -> Any:
    """Return the labels, (texts,). Raises ValueError when one is missing."""
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None; give a label for each text")
    labels = column_or_1d(y, warn=True)
    for row, label in enumerate(labels.tolist()):
        if label is None or label != label:
            raise ValueError(f"Input y contains NaN: row {row:,} has no label; fill it, or drop it")
    if labels.dtype.kind == "f" and np.isinf(labels).any():
        raise ValueError("Input y contains infinity, which is no label; drop such rows")
    check_classification_targets(labels)
    return labels


def _classes(labels: Any) -> Any:
    """Return the two labels in order. Raises ValueError for another number of them."""
    try:
        classes = np.unique(labels)
    except TypeError as error:
        raise ValueError(
            "the labels of y have types that can't be ordered; make all text, or all numbers"
        ) from error
    if len(classes) != 2:
        count = "1 class" if len(classes) == 1 else f"{len(classes):,} classes"
        raise ValueError(
            f"Only binary classification is supported; y has {count}: {_shown(classes)}; give two, positive"
            " and negative"
        )
    return classes


def _positive(classes: Any, positive: Any) -> Any:
    """Return the positive one of two labels. Raises ValueError when it is not clear which that is."""
    labelled = load("training.files.labelled")
    if positive is not None:
        if positive not in classes.tolist():
            raise ValueError(f"positive is none of the labels {_shown(classes)}; name one of them")
        return classes[classes.tolist().index(positive)]
    values = [labelled.plain(str(label)) for label in classes.tolist()]
    sides = [labelled.label_of(value, labelled.guess_scale(values)) for value in values]
    if set(sides) != {0, 1}:
        raise ValueError(f"the labels {_shown(classes)} do not say which is positive; name it with positive=")
    return classes[sides.index(1)]


def _shown(classes: Any) -> str:
    return str(load("training.files.rows").list_columns([str(label) for label in classes.tolist()]))


def _is_understood(judged: "Judged") -> bool:
    prediction = judged.prediction
    return not prediction.error and prediction.reason not in NOT_UNDERSTOOD
