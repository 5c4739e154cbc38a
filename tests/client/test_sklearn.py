"""The scikit-learn classifier: fit adapts, and scikit-learn's own checks and tools accept it."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from tests.support.command import verdict
from tests.support.varied import varied
from verdict_sentiment import Verdict, VerdictError
from verdict_sentiment.sklearn import VerdictClassifier

TEXTS = [f"Lamp {n} {('shines', 'flickers')[n % 2]} all night; {varied(n)}." for n in range(120)]
LABELS = ["pos" if n % 2 == 0 else "neg" for n in range(120)]
SCALE = np.array("awful bad dull weak plain fair fine good great lovely".split())
# Checks that a classifier of texts can't pass, and why.
EXPECTED = {
    "check_classifiers_classes": "the labels are 'one' and 'two', which do not say which one is positive",
    "check_classifiers_train": "its classes are clouds of numbers, and no text of numbers is an opinion",
}


@pytest.fixture(scope="module")
def fitted() -> VerdictClassifier:
    return VerdictClassifier(workers=1).fit(TEXTS, LABELS)


class OfNumbers(VerdictClassifier):  # type: ignore[misc]
    """The classifier with rows of numbers, as scikit-learn's checks have them: it judges a text of each."""

    def fit(self, X: Any, y: Any = None) -> "OfNumbers":
        super().fit(self._texts(validate_data(self, X)), y)
        return self

    def predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        return super().predict_proba(self._texts(validate_data(self, X, reset=False)))

    def _texts(self, rows: Any) -> list[str]:
        places = np.clip(2 * rows.astype(float) + 5, 0, len(SCALE) - 1).astype(int)
        return [f"It was {', '.join(SCALE[row])}." for row in places]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


# --- scikit-learn's checks ----------------------------------------------------------------------


def test_scikit_learn_knows_that_it_takes_texts() -> None:
    with pytest.warns(SkipTestWarning, match="string=True"):
        check_estimator(VerdictClassifier())


@pytest.mark.slow
def test_scikit_learn_s_checks_pass_on_texts_of_their_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke some, and a skip is one
        results = check_estimator(
            OfNumbers(adapt=False, workers=1), expected_failed_checks=EXPECTED, on_fail=None
        )
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == EXPECTED.keys()
    assert sum(result["status"] == "passed" for result in results) >= 50


# --- fit and predict ----------------------------------------------------------------------------


def test_fit_learns_what_the_model_did_not_know(fitted: VerdictClassifier) -> None:
    as_it_is = VerdictClassifier(adapt=False).fit(TEXTS, LABELS)
    assert fitted.score(TEXTS, LABELS) == 1.0 > as_it_is.score(TEXTS, LABELS)
    assert fitted.classes_.tolist() == ["neg", "pos"]
    probabilities = fitted.predict_proba(TEXTS[:2])
    assert probabilities.shape == (2, 2)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert fitted.predict(TEXTS[:2]).tolist() == ["pos", "neg"]


@pytest.mark.slow
def test_its_answers_are_those_of_verdict_adapt(fitted: VerdictClassifier, tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    pd.DataFrame({"text": TEXTS, "label": LABELS}).to_csv(path, index=False)
    verdict("adapt", str(path), "--out", str(tmp_path / "lamps"), "--force", "--workers", "1")
    with Verdict.local(tmp_path / "lamps") as adapted:
        expected = [adapted.sentiment(text).probability for text in TEXTS[:20]]
    assert fitted.predict_proba(TEXTS[:20])[:, 1] == pytest.approx(expected, abs=2e-6)


def test_without_adapting_its_answers_are_the_model_s() -> None:
    classifier = VerdictClassifier(adapt=False).fit(["Good.", "Bad."], [1, 0])
    with Verdict.local() as local:
        expected = local.sentiment("I loved it, a lovely film.").probability
    assert classifier.predict_proba(["I loved it, a lovely film."])[0, 1] == expected


@pytest.mark.parametrize(
    "labels, positive",
    [
        (["pos", "neg"], "pos"),
        (["fresh", "rotten"], "fresh"),
        ([1, 0], 1),
        ([-1, 1], 1),
        ([True, False], True),
        ([5.0, 1.0], 5.0),
    ],
)
def test_the_labels_say_which_is_positive(labels: list[Any], positive: Any) -> None:
    classifier = VerdictClassifier(adapt=False).fit(["A text.", "Another."], labels)
    assert classifier.positive_ == positive
    column = classifier.classes_.tolist().index(positive)
    assert classifier.predict_proba(["I loved it, a lovely film."])[0, column] > 0.9
    assert classifier.predict(["I loved it, a lovely film."])[0] == positive


def test_the_positive_label_can_be_named() -> None:
    classifier = VerdictClassifier(adapt=False, positive="buys").fit(["a b", "c d"], ["leaves", "buys"])
    assert classifier.predict(["I loved it, a lovely film.", "Dull and awful."]).tolist() == [
        "buys",
        "leaves",
    ]


def test_a_text_without_a_word_gets_the_shares_of_the_labels() -> None:
    classifier = VerdictClassifier(adapt=False).fit(["a b", "c d", "e f", "g h"], [1, 0, 0, 0])
    with pytest.warns(UserWarning, match="2 of 3 texts can't be understood"):
        probabilities = classifier.predict_proba(["", "Der Film war leider sehr langweilig.", "A fine film."])
    assert probabilities[0].tolist() == probabilities[1].tolist() == [0.75, 0.25]
    assert probabilities[2, 1] > 0.5


@pytest.mark.slow
def test_several_processes_fit_and_predict_as_one(fitted: VerdictClassifier) -> None:
    together = VerdictClassifier(workers=2).fit(TEXTS, LABELS)
    assert together.coef_.tolist() == fitted.coef_.tolist()
    many = TEXTS * 2
    assert together.predict_proba(many).tolist() == fitted.predict_proba(many).tolist()


@pytest.mark.parametrize("kind", [np.array, pd.Series, pl.Series, tuple])
def test_texts_may_come_in_any_sequence(kind: Any) -> None:
    classifier = VerdictClassifier(adapt=False).fit(kind(["A text.", "Another."]), kind([1, 0]))
    assert classifier.predict(kind(["I loved it, a lovely film."])).tolist() == [1]


# --- scikit-learn's tools -----------------------------------------------------------------------


def test_it_survives_clone_and_pickle(fitted: VerdictClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict_proba(TEXTS[:5]).tolist() == fitted.predict_proba(TEXTS[:5]).tolist()
    assert len(pickle.dumps(fitted)) < 50_000
    fresh = clone(fitted.set_params(workers=1))
    assert fresh.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(TEXTS)


@pytest.mark.slow
def test_it_works_in_a_pipeline_and_in_a_search() -> None:
    stripped = FunctionTransformer(lambda texts: [text.strip() for text in texts])
    pipeline = make_pipeline(stripped, VerdictClassifier(workers=1))
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2).mean() > 0.9
    search = GridSearchCV(
        VerdictClassifier(workers=1), {"adapt": [False, True]}, cv=2, scoring="neg_log_loss"
    )
    assert search.fit(TEXTS, LABELS).best_params_ == {"adapt": True}


# --- what can't be used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts, labels, sentence",
    [
        ("A text.", [1], "X is a single str; give a list of texts"),
        (7, [1], "X is a single int; give a list of texts"),
        (pd.DataFrame({"a": ["b"]}), [1], "X is a table; give one column of texts"),
        (np.array([["a"], ["b"]]), [1, 0], "X is a table; give one column of texts"),
        ([], [], "X holds no text; give one or more"),
        (["a", None], [1, 0], "row 1 of X holds no text but NoneType; fill it, or drop it"),
        (["a", float("nan")], [1, 0], "row 1 of X holds no text but float"),
        (["a", "b"], [1], "inconsistent numbers of samples"),
        (["a", "b"], None, "requires y to be passed, but the target y is None"),
        (["a", "b"], ["pos", None], "row 1 has no label; fill it, or drop it"),
        (["a", "b"], [1, float("nan")], "row 1 has no label; fill it, or drop it"),
        (["a", "b"], ["pos", "pos"], "y has 1 class: 'pos'; give two"),
        (
            ["a", "b", "c"],
            [1, 2, 3],
            "Only binary classification is supported; y has 3 classes: '1', '2', '3'",
        ),
        (["a", "b"], ["one", "two"], "'one', 'two' do not say which is positive; name it with positive="),
        (["a", "b"], ["good", "great stuff, this, and more"], r"the labels 'good', \(27 characters\) do not"),
        (
            ["a", "b"],
            [1, 0],
            "fit takes 50 or more texts, and 10 of each label; got 1 positive and 1 negative",
        ),
    ],
)
def test_what_can_t_be_used_is_one_sentence(texts: Any, labels: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        VerdictClassifier().fit(texts, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name, value, sentence", [("positive", "c", "positive is none of the labels 'a', 'b'")]
)
def test_a_parameter_that_can_t_be_used_is_one_sentence(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        VerdictClassifier(**{name: value}).fit(["x", "y"], ["a", "b"])


def test_texts_that_are_too_much_alike_are_refused() -> None:
    with pytest.raises(ValueError, match="too much alike to hold out a fifth of them"):
        VerdictClassifier(workers=1).fit(["The same old text."] * 60, [1, 0] * 30)


def test_another_model_than_that_of_the_fit_is_refused(fitted: VerdictClassifier) -> None:
    other = pickle.loads(pickle.dumps(fitted))
    other.base_ = "verdict-of-last-year"
    with pytest.raises(VerdictError, match="was fitted to verdict-of-last-year, and this is verdict-"):
        other.predict(TEXTS)
