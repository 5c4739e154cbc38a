"""Examine the published model on short cases by capability, and on single sentences.

    python training/examine.py                 # a table for both halves of the suite
    python training/examine.py --failures      # and every case that it fails

The cases are the project's own (training/behaviour/README.md). Model choice may look at the half called
"open"; "held" is printed for published models. Sentences are cut from development reviews, so
they need the IMDb archive.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dataset
import inference
from evaluate import publish

from vocab.contract import ContractError
from vocab.text import clean

FOLDER = Path(__file__).with_name("behaviour")
HALVES = ("open", "held")
# Stated by itself: even people disagree about it.
APART = ("sarcasm",)

# Gives P(positive) for each text, 0.5 where it can't be read.
Scorer = Callable[[Sequence[str]], list[float]]


class Outcome(NamedTuple):
    """A case, what was answered, and whether that is what the case expects."""

    case: dict[str, Any]
    probabilities: tuple[float, float]
    passed: bool


def load_cases() -> list[dict[str, Any]]:
    """Read the behaviour suite."""
    lines = (FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def load_sentences(reviews: Sequence[dataset.Review]) -> list[dict[str, Any]]:
    """Read the labelled sentences and cut their text out of the development reviews."""
    texts = {review.name: review.text for review in reviews}
    lines = (FOLDER / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
    sentences = [json.loads(line) for line in lines]
    for row in sentences:
        row["text"] = clean(texts[row["review"]])[row["start"] : row["end"]]
    return sentences


def examine(cases: Sequence[dict[str, Any]], score: Scorer) -> list[Outcome]:
    """Ask for every text of the cases once and judge the answers."""
    first = score([case["review"] for case in cases])
    second = score([case.get("other", case["review"]) for case in cases])
    return [
        Outcome(case, pair, passes(case, *pair))
        for case, pair in zip(cases, zip(first, second, strict=True), strict=True)
    ]


def passes(case: dict[str, Any], first: float, second: float) -> bool:
    """Say whether P(positive) of a case's texts is what it expects.

    ``label``: the right side of 0.5. ``flip``: that, and the other text on the opposite side. ``same``:
    both on one side. ``order``: the first higher than the second.
    """
    if case["expect"] == "order":
        return first > second
    if case["expect"] == "same":
        return (first >= 0.5) == (second >= 0.5)
    positive = case["label"] == "positive"
    right = (first >= 0.5) == positive
    return right and (case["expect"] == "label" or (second >= 0.5) != positive)


def rates(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Give the share passed by capability and half; "overall" leaves out what stands apart."""
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        half, capability = outcome.case["half"], outcome.case["capability"]
        found[capability][half].append(outcome.passed)
        if capability not in APART:
            found["overall"][half].append(outcome.passed)
    return {
        capability: {half: sum(passed) / len(passed) for half, passed in halves.items()}
        for capability, halves in found.items()
    }


def sentence_rates(sentences: Sequence[dict[str, Any]], score: Scorer) -> dict[str, float]:
    """Give the accuracy on single sentences, by half."""
    right: dict[str, list[bool]] = defaultdict(list)
    for row, probability in zip(sentences, score([row["text"] for row in sentences]), strict=True):
        right[row["half"]].append((probability >= 0.5) == (row["label"] == "positive"))
    return {half: sum(found) / len(found) for half, found in right.items()}


def scorer_of(verdict: inference.Verdict) -> Scorer:
    """Give the served model as a scorer."""

    def score(texts: Sequence[str]) -> list[float]:
        return [_probability(verdict, text) for text in texts]

    return score


def _probability(verdict: inference.Verdict, text: str) -> float:
    try:
        return verdict.read(text)[1].probability
    except ContractError:
        return 0.5


def table(found: dict[str, dict[str, float]]) -> str:
    """Lay rates out as a table, the overall row last."""
    rows = [f"{'capability':22}" + "".join(f"{half:>8}" for half in HALVES)]
    for name in sorted(found, key=lambda name: (name == "single sentences", name == "overall", name)):
        rows.append(f"{name:22}" + "".join(f"{100 * found[name][half]:7.1f}%" for half in HALVES))
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Examine the published model on short cases.")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--failures", action="store_true", help="list the cases of the open half that fail")
    parser.add_argument("--publish", action="store_true", help="write the rates into the model's card")
    options = parser.parse_args()
    try:
        score = scorer_of(inference.model_fn(options.model))
        outcomes = examine(load_cases(), score)
        reviews = dataset.load(dataset.find_archive(options.archive)).development
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"examine: {error}")
    found = rates(outcomes) | {"single sentences": sentence_rates(load_sentences(reviews), score)}
    print(table(found))
    if options.publish:
        publish(options.model, "behaviour", found, "make behaviour")
    if options.failures:
        for case, (first, second), passed in outcomes:
            if not passed and case["half"] == "open":
                print(f"{case['id']} {first:.2f} {second:.2f} {case['review']} | {case.get('other', '')}")


if __name__ == "__main__":
    main()
