"""Examine the published model on short cases by capability, and on single sentences.

    python -m training.evaluation.behaviour                 # a table for both halves of the suite
    python -m training.evaluation.behaviour --failures      # and every case that it fails
    python -m training.evaluation.behaviour --peers         # beside VADER, TextBlob and NB-LR on the held half

The cases are the project's own (training/evaluation/cases/behaviour/README.md). Model choice may look at the half called
"open"; "held" is printed for published models. Sentences are cut from development reviews, so
they need the IMDb archive, from which NB-LR is trained too, once.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.baselines import scorers
from training.baselines.scorers import PeerMissing, Scorer, Source
from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import publish
from vocab.messages import MessageError
from vocab.text import clean

FOLDER = Path(__file__).parent / "cases" / "behaviour"
HALVES = ("open", "held")
# Stated by itself: even people disagree about it.
APART = ("sarcasm",)
# The peers that stand beside the model's rates; table.py has all.
PEERS = {
    "VADER": scorers.vader,
    "TextBlob": scorers.textblob,
    "NB-LR": scorers.nb_lr,
}


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


def halves_of(model: Path, development: Sequence[dataset.Review]) -> dict[str, float]:
    """Give a model's rates over all short cases but those apart, and on sentences, for each half."""
    score = scorer_of(inference.model_fn(model))
    cases = rates(examine(load_cases(), score))["overall"]
    sentences = sentence_rates(load_sentences(development), score)
    return {f"behaviour_{half}": cases[half] for half in HALVES} | {
        f"sentences_{half}": sentences[half] for half in HALVES
    }


def examine_peers(
    source: Source, cases: Sequence[dict[str, Any]], sentences: Sequence[dict[str, Any]]
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Give the peers' rates on the held half, by name and capability, and what to install for the others."""
    held = [case for case in cases if case["half"] == "held"]
    found, missing = {}, []
    for name, make in PEERS.items():
        try:
            score = make(source).score
        except PeerMissing as error:
            missing.append(str(error))
            continue
        every = rates(examine(held, score)) | {"single sentences": sentence_rates(sentences, score)}
        found[name] = {capability: halves["held"] for capability, halves in every.items()}
    return found, missing


def scorer_of(model: inference.LoadedModel) -> Scorer:
    """Give the served model as a scorer."""

    def score(texts: Sequence[str]) -> list[float]:
        return [_probability(model, text) for text in texts]

    return score


def _probability(model: inference.LoadedModel, text: str) -> float:
    try:
        return model.predict(text)[1].probability
    except MessageError:
        return 0.5


def table(found: dict[str, dict[str, float]], peers: dict[str, dict[str, float]] | None = None) -> str:
    """Lay rates out as a table, the overall row last but for sentences; peers' are of the held half."""
    others = peers or {}
    rows = [
        "".join([f"{'capability':22}", *(f"{name:>8}" for name in HALVES), *(f"{n:>10}" for n in others)])
    ]
    for name in sorted(found, key=lambda name: (name == "single sentences", name == "overall", name)):
        own = [f"{100 * found[name][half]:7.1f}%" for half in HALVES]
        rows.append("".join([f"{name:22}", *own, *(f"{100 * peer[name]:9.1f}%" for peer in others.values())]))
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Examine the published model on short cases.")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--failures", action="store_true", help="list the cases of the open half that fail")
    parser.add_argument("--peers", action="store_true", help="examine VADER, TextBlob and NB-LR too")
    parser.add_argument("--publish", action="store_true", help="write the rates into the model's card")
    options = parser.parse_args()
    try:
        score = scorer_of(inference.model_fn(options.model))
        outcomes = examine(load_cases(), score)
        source = Source(dataset.find_archive(options.archive))
        sentences = load_sentences(source.data.development)
        held = [row for row in sentences if row["half"] == "held"]
        peers, missing = examine_peers(source, load_cases(), held) if options.peers else ({}, [])
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"examine: {error}")
    found = rates(outcomes) | {"single sentences": sentence_rates(sentences, score)}
    print("\n".join([table(found, peers), *missing]))
    if options.publish:
        publish(options.model, "behaviour", found, "python -m training.evaluation.behaviour")
    if options.failures:
        for case, (first, second), passed in outcomes:
            if not passed and case["half"] == "open":
                print(f"{case['id']} {first:.2f} {second:.2f} {case['review']} | {case.get('other', '')}")


if __name__ == "__main__":
    main()
