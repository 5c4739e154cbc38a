"""Measure whether the explanations are faithful: the verdict must move when their words are removed.

    python -m training.evaluation.faithfulness                 # 500 development reviews, a few minutes
    python -m training.evaluation.faithfulness --reviews 50    # a first look

Words are ranked by the model's contributions, which add up, by its effects, which are measured for the
strongest, by occlusion (each word removed in turn) and at random. Then the top 1, 5, 10, 20 and 50 % of a
review's words are removed from the network's input (comprehensiveness: the probability of its verdict should
fall), or kept alone (sufficiency: it should stay). Both are averaged over the five shares (AOPC). A sentence
without a token left is gone. Prints a table and one line of JSON.

Source: DeYoung et al., "ERASER: A Benchmark to Evaluate Rationalized NLP Models", ACL 2020.
"""

import argparse
import json
import math
import os
import random
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import load_model, publish
from vocab.messages import MessageError, Score, WordScores, sigmoid
from vocab.text import is_word
from vocab.vocabulary import EncodedReview

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
METHODS = ("contributions", "effects", "occlusion", "random")
REVIEWS = 500
# Random orders for each review; their mean counts.
RANDOM_ORDERS = 5
CHUNK = 10
# The logit of a text without a token, which the network can't read.
NOTHING = 0.0

# Returns the network's score of a review: its ids, the sentences' lengths, and how much to explain.
ScoreFunction = Callable[[list[int], list[int], str], Score]


class Erasure(NamedTuple):
    """One order of words: the fall of P(verdict) at each of SHARES, when removed and when kept alone."""

    removed: list[float]
    kept: list[float]


class Outcome(NamedTuple):
    """A review: its erasures by method, its sentences' falls, and the gap between logit and sum of parts.

    ``falls`` are the falls of P(verdict) without each sentence. ``strongest`` is the index of the sentence
    with the largest contribution to the verdict, ``most_effective`` of the one that the score says changes
    P(positive) most when it is left out.
    """

    erasures: dict[str, Erasure]
    falls: list[float]
    strongest: int
    most_effective: int
    sum_gap: float


def measure(encoded: EncodedReview, score: ScoreFunction, seed: int) -> Outcome | None:
    """Remove words and sentences from one review. Return None if it holds no word."""
    words = [index for index, name in enumerate(encoded.tokens.names) if is_word(name)]
    if not words:
        return None
    scored = score(encoded.ids, encoded.lengths, "words")
    assert scored.sentences is not None and scored.words is not None
    sign = 1 if scored.probability >= 0.5 else -1
    without = partial(_logit_without, encoded, score)
    rank = partial(sorted, words)
    contributions, effects = scored.words
    occluded = {index: without({index}) for index in words}
    chooser = random.Random(seed)
    shuffled = [chooser.sample(words, len(words)) for _ in range(RANDOM_ORDERS)]
    erase = partial(_erase, count=len(encoded.ids), without=without, logit=scored.logit, sign=sign)
    spans = [set(range(one.first, one.last)) for one in encoded.sentences]
    pulls = [sign * one.contribution for one in scored.sentences]
    changes = [0.0 if one.without is None else one.without - scored.probability for one in scored.sentences]
    return Outcome(
        {
            "contributions": erase(rank(key=lambda index: -sign * contributions[index])),
            "effects": erase(rank(key=partial(_by_effect, scored.words, sign))),
            "occlusion": erase(rank(key=lambda index: sign * occluded[index])),
            "random": _mean([erase(order) for order in shuffled]),
        },
        [_fall(scored.logit, without(span), sign) for span in spans],
        int(np.argmax(pulls)),
        int(np.argmax(np.abs(changes))),
        max(
            abs(math.fsum([scored.bias, *parts]) - scored.logit)
            for parts in (contributions, [one.contribution for one in scored.sentences])
        ),
    )


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the means over reviews, and the standard errors of the two averages over SHARES.

    Raises ValueError without a review.
    """
    if not outcomes:
        raise ValueError("no review that could be read holds a word")
    split = [one for one in outcomes if len(one.falls) > 1]
    found: dict[str, Any] = {
        "reviews": len(outcomes),
        "shares": list(SHARES),
        "sum_gap": max(one.sum_gap for one in outcomes),
        "words": {
            method: {
                **_averages("comprehensiveness", [one.erasures[method].removed for one in outcomes]),
                **_averages("sufficiency", [one.erasures[method].kept for one in outcomes]),
            }
            for method in METHODS
        },
    }
    if split:
        found["sentences"] = {
            "reviews": len(split),
            "without_the_strongest": float(np.mean([one.falls[one.strongest] for one in split])),
            "without_the_strongest_by_effect": float(
                np.mean([one.falls[one.most_effective] for one in split])
            ),
            "without_any_one": float(np.mean([np.mean(one.falls) for one in split])),
            "without_the_one_that_matters_most": float(np.mean([max(one.falls) for one in split])),
            "the_strongest_matters_most": float(
                np.mean([one.falls[one.strongest] == max(one.falls) for one in split])
            ),
        }
    return found


def table(found: dict[str, Any]) -> str:
    """Format the figures, in percentage points of P(verdict)."""
    shares = "".join(f"{f'{100 * share:.0f} %':>7}" for share in found["shares"])
    lines = [f"fall of P(verdict) in points, {found['reviews']} reviews"]
    for name, hint in (
        ("comprehensiveness", "removed: more is better"),
        ("sufficiency", "kept alone: less is better"),
    ):
        lines.append(f"{name + ', ' + hint:46}   mean{shares}")
        for method, row in found["words"].items():
            cells = [row[name], *row[f"{name}_at"]]
            lines.append(f"  {method:44}" + "".join(f"{100 * cell:7.1f}" for cell in cells))
    for name, value in found.get("sentences", {}).items():
        shown = f"{value:,}" if name == "reviews" else f"{100 * value:.1f}"
        lines.append(f"sentences, {name.replace('_', ' '):40} {shown:>8}")
    lines.append(f"largest |bias + sum of contributions - logit|: {found['sum_gap']:.1e}")
    return "\n".join(lines)


def sample(reviews: Sequence[dataset.Review], count: int) -> list[dataset.Review]:
    """Return ``count`` reviews at even steps through the list, which is sorted by label, then number."""
    steps = np.linspace(0, len(reviews) - 1, min(count, len(reviews)))
    return [reviews[int(step)] for step in np.round(steps)]


def measure_all(texts: Sequence[str], model: Path, workers: int) -> list[Outcome]:
    """Measure reviews in several processes, without those that can't be read or hold no word."""
    pieces = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        outcomes = pool.map(partial(_measure_piece, str(model)), pieces)
        progress = tqdm(outcomes, total=len(pieces), desc=f"erasing, {CHUNK} reviews each", disable=None)
        return [outcome for piece in progress for outcome in piece]


def _measure_piece(model: str, texts: Sequence[str]) -> list[Outcome]:
    served = load_model(model)
    outcomes = []
    for review in texts:
        try:
            encoded, _ = served.predict(review)
        except MessageError:
            continue
        # A review has the same random orders in any process and place.
        outcome = measure(encoded, served.score, zlib.crc32(review.encode()))
        if outcome:
            outcomes.append(outcome)
    return outcomes


def _by_effect(words: WordScores, sign: int, index: int) -> float:
    """Return a key that sorts words by effect, or by contribution where none was measured."""
    effect = words.effects[index]
    return -sign * (words.contributions[index] if effect is None else effect)


def _logit_without(encoded: EncodedReview, score: ScoreFunction, removed: set[int]) -> float:
    """Return the logit of the tokens that are left; a sentence without any is gone."""
    spans = (range(one.first, one.last) for one in encoded.sentences)
    left = [[encoded.ids[index] for index in span if index not in removed] for span in spans]
    lengths = [len(ids) for ids in left if ids]
    return score([number for ids in left for number in ids], lengths, "none").logit if lengths else NOTHING


def _erase(
    order: Sequence[int],
    count: int,
    without: Callable[[set[int]], float],
    logit: float,
    sign: int,
) -> Erasure:
    """Remove the first words of an order; then keep only them, of the review's ``count`` tokens."""
    removed, kept = [], []
    for share in SHARES:
        top = set(order[: math.ceil(share * len(order) - 1e-9)])
        removed.append(_fall(logit, without(top), sign))
        kept.append(_fall(logit, without(set(range(count)) - top), sign))
    return Erasure(removed, kept)


def _fall(logit: float, after: float, sign: int) -> float:
    return sigmoid(sign * logit) - sigmoid(sign * after)


def _mean(erasures: Sequence[Erasure]) -> Erasure:
    return Erasure(*(np.mean(part, axis=0).tolist() for part in zip(*erasures, strict=True)))


def _averages(name: str, falls: Sequence[Sequence[float]]) -> dict[str, Any]:
    by_review = np.mean(falls, axis=1)
    error = by_review.std(ddof=1) / math.sqrt(len(by_review)) if len(by_review) > 1 else None
    return {
        name: float(by_review.mean()),
        f"{name}_standard_error": None if error is None else float(error),
        f"{name}_at": np.mean(falls, axis=0).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measure whether the published model's explanations are faithful."
    )
    parser.add_argument("--reviews", type=int, default=REVIEWS, help="development reviews (default 500)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--publish", action="store_true", help="write the figures into the model's card")
    options = parser.parse_args()
    if options.reviews < 1:
        parser.error("--reviews must be 1 or more")
    try:
        inference.model_fn(options.model)  # before the archive is read: it may be missing
        reviews = dataset.load(dataset.find_archive(options.archive)).development
        chosen = [review.text for review in sample(reviews, options.reviews)]
        found = summarize(measure_all(chosen, options.model, options.workers))
        if options.publish:
            command = "python -m training.evaluation.faithfulness"
            if options.reviews != REVIEWS:
                command += f" --reviews {options.reviews}"
            publish(options.model, "faithfulness", found, command)
    except OSError as error:
        sys.exit(f"faithfulness: {error.filename or options.model}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"faithfulness: {error}")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
