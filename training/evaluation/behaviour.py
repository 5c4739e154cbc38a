"""Measure the published model on short cases by capability, and on single sentences.

    python -m training.evaluation.behaviour                 # a table for both halves of the suite
    python -m training.evaluation.behaviour --failures      # the cases that it fails, too

training.baselines.behaviour prints the same table beside VADER, TextBlob and NB-LR. The cases are the
project's own (training/evaluation/cases/behaviour/README.md). Choices between models may look at the half
called "open"; "held" is printed for published models. Sentences are cut from development reviews, so they
need the IMDb archive.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import publish
from vocab.messages import MessageError
from vocab.text import clean

FOLDER = Path(__file__).parent / "cases" / "behaviour"
HALVES = ("open", "held")
# "overall" leaves these capabilities out, since even people disagree about them.
APART = ("sarcasm",)
# Each has lessons of its own. Its cases are few, so a mean over seeds says more.
TAUGHT = ("negation", "comparison", "counterfactual")
# All cases and sentences for each half, and the held-back half of TAUGHT.
MAIN_RATES = (*(f"{kind}_{half}" for kind in ("behaviour", "sentences") for half in HALVES), *TAUGHT)

# Returns P(positive) for each text, 0.5 for a text that can't be read.
Scorer = Callable[[Sequence[str]], list[float]]
# The share passed, by capability and then by half.
Rates = dict[str, dict[str, float]]


class Outcome(NamedTuple):
    """A case, P(positive) of its texts, and whether these are as the case expects."""

    case: dict[str, Any]
    probabilities: tuple[float, float]
    passed: bool


def load_cases() -> list[dict[str, Any]]:
    """Load the behaviour suite."""
    lines = (FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load_sentences(reviews: Sequence[dataset.Review]) -> list[dict[str, Any]]:
    """Load the labelled sentences and cut their text out of the development reviews.

    Sentences that these reviews lack are left out, for another archive than IMDb's.
    """
    texts = {review.name: review.text for review in reviews}
    lines = (FOLDER / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
    sentences = [json.loads(line) for line in lines]
    for row in sentences:
        row["text"] = clean(texts.get(row["review"], ""))[row["start"] : row["end"]]
    return [row for row in sentences if row["text"].strip()]


def evaluate(cases: Sequence[dict[str, Any]], score: Scorer) -> list[Outcome]:
    """Score every text of the cases and compare with what each case expects."""
    first = score([case["review"] for case in cases])
    second = score([case.get("other", case["review"]) for case in cases])
    return [
        Outcome(case, pair, passes(case, *pair))
        for case, pair in zip(cases, zip(first, second, strict=True), strict=True)
    ]


def passes(case: dict[str, Any], first: float, second: float) -> bool:
    """Return whether P(positive) of a case's two texts is as the case expects.

    ``label``: the first is on the label's side of 0.5. ``flip``: also, the second is on the opposite side.
    ``same``: both are on one side. ``order``: the first is higher than the second.
    """
    if case["expect"] == "order":
        return first > second
    if case["expect"] == "same":
        return (first >= 0.5) == (second >= 0.5)
    positive: bool = case["label"] == "positive"
    right = (first >= 0.5) == positive
    return right and (case["expect"] == "label" or (second >= 0.5) != positive)


def rates(outcomes: Sequence[Outcome]) -> Rates:
    """Return the share passed, by capability and half. "overall" leaves APART out."""
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        half, capability = outcome.case["half"], outcome.case["capability"]
        groups[capability][half].append(outcome.passed)
        if capability not in APART:
            groups["overall"][half].append(outcome.passed)
    return {
        capability: {half: sum(passed) / len(passed) for half, passed in halves.items()}
        for capability, halves in groups.items()
    }


def sentence_rates(sentences: Sequence[dict[str, Any]], score: Scorer) -> dict[str, float]:
    """Return the accuracy on single sentences, by half."""
    right: dict[str, list[bool]] = defaultdict(list)
    for row, probability in zip(sentences, score([row["text"] for row in sentences]), strict=True):
        right[row["half"]].append((probability >= 0.5) == (row["label"] == "positive"))
    return {half: sum(results) / len(results) for half, results in right.items()}


def main_rates(model: Path, development: Sequence[dataset.Review]) -> dict[str, float]:
    """Return a model's main rates: MAIN_RATES of the cases and the labelled sentences."""
    score = scorer_of(inference.model_fn(model))
    cases = rates(evaluate(load_cases(), score))
    sentences = sentence_rates(load_sentences(development), score)
    found = {f"behaviour_{half}": cases["overall"][half] for half in HALVES}
    found |= {f"sentences_{half}": sentences[half] for half in HALVES}
    return found | {name: cases[name]["held"] for name in TAUGHT}


def scorer_of(model: inference.LoadedModel) -> Scorer:
    """Return the served model as a scorer."""

    def score(texts: Sequence[str]) -> list[float]:
        return [_probability(model, text) for text in texts]

    return score


def _probability(model: inference.LoadedModel, text: str) -> float:
    try:
        return model.predict(text)[1].probability
    except MessageError:
        return 0.5


def table(own: Rates, baselines: dict[str, dict[str, float]] | None = None) -> str:
    """Format rates as a table: capabilities, the overall row, single sentences.

    ``baselines`` holds each baseline's rates on the held half, by its name and by capability.
    """
    others = baselines or {}
    rows = [
        "".join([f"{'capability':22}", *(f"{name:>8}" for name in HALVES), *(f"{n:>10}" for n in others)])
    ]
    for name in sorted(own, key=lambda name: (name == "single sentences", name == "overall", name)):
        shares = [f"{100 * own[name][half]:7.1f}%" for half in HALVES]
        rows.append(
            "".join([f"{name:22}", *shares, *(f"{100 * one[name]:9.1f}%" for one in others.values())])
        )
    return "\n".join(rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command, which training.baselines.behaviour has too."""
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--failures", action="store_true", help="list the cases of the open half that fail")
    parser.add_argument("--publish", action="store_true", help="write the rates into the model's card")


def report(
    options: argparse.Namespace,
    model: inference.LoadedModel,
    sentences: Sequence[dict[str, Any]],
    baselines: dict[str, dict[str, float]] | None = None,
    missing: Sequence[str] = (),
) -> None:
    """Evaluate a model and print its table. Publish its rates or list its failures if ``options`` say so."""
    score = scorer_of(model)
    outcomes = evaluate(load_cases(), score)
    own = rates(outcomes) | {"single sentences": sentence_rates(sentences, score)}
    print("\n".join([table(own, baselines), *missing]))
    if options.publish:
        publish(options.model, "behaviour", own, "python -m training.evaluation.behaviour")
    if options.failures:
        for case, (first, second), passed in outcomes:
            if not passed and case["half"] == "open":
                print(f"{case['id']} {first:.2f} {second:.2f} {case['review']} | {case.get('other', '')}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the published model on short cases.")
    add_arguments(parser)
    options = parser.parse_args()
    try:
        model = inference.model_fn(options.model)
        development = dataset.load(dataset.find_archive(options.archive)).development
        report(options, model, load_sentences(development))
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"behaviour: {error}")


if __name__ == "__main__":
    main()
