"""Measure whether a sentence's contribution has its own sign, beside sentences of the other label.

    python -m training.evaluation.planted                 # 300 reviews of each kind, half a minute
    python -m training.evaluation.planted --reviews 30    # a first look

Each review is five labelled sentences, joined by a space. None, one or two are planted: their label is not
that of the rest. A model that only repeats its verdict gives planted sentences the wrong sign. Prints a table
and one line of JSON.

The sentences are those of training.evaluation.behaviour. A few are left out, because their end is not clear
to the splitter. A review's sentences are of one half. The draw does not depend on the model.
"""

import argparse
import json
import math
import random
import sys
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour
from training.evaluation.evaluate import publish
from vocab.messages import judge
from vocab.text import split_sentences, tokenize
from vocab.vocabulary import EncodedReview

LABELS = ("positive", "negative")
# Sentences in a review, at most 200 tokens together. The network reads 400, so it reads them all.
SENTENCES = 5
# The numbers of planted sentences; fewer than half of SENTENCES, so that there is a majority.
PLANTED = (0, 1, 2)
# Reviews for each half and number of planted sentences.
REVIEWS = 300
SEED = 1
# What may follow a sentence and join it with the next one: a small letter, or the number of "No. 1".
FOLLOWING = ("a", "1")


class Row(NamedTuple):
    """A drawn review: its half, its majority's label, and the texts and labels of its sentences."""

    half: str
    majority: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def planted(self) -> int:
        """Return the number of sentences with the other label than the majority."""
        return sum(label != self.majority for label in self.labels)


class Prediction(NamedTuple):
    """A review's contributions, one a sentence, and its verdict: positive, negative or uncertain."""

    contributions: list[float]
    sentiment: str


# Returns the prediction for the review that joins these sentences by a space.
Predict = Callable[[Sequence[str]], Prediction]


class Deck:
    """Texts in random order, dealt in rounds: a text returns only after all others were dealt."""

    def __init__(self, texts: Sequence[str], chooser: random.Random) -> None:
        if len(texts) < SENTENCES:
            raise ValueError(f"each half and label needs {SENTENCES} sentences, got {len(texts)}")
        self._texts = texts
        self._chooser = chooser
        self._left: list[str] = []

    def deal(self, count: int) -> list[str]:
        """Return ``count`` different texts, at most SENTENCES of them."""
        dealt, self._left = self._left[:count], self._left[count:]
        if len(dealt) < count:
            fresh = self._chooser.sample(self._texts, len(self._texts))
            more = [text for text in fresh if text not in dealt][: count - len(dealt)]
            self._left = [text for text in fresh if text not in more]
            dealt += more
        return dealt


def draw(sentences: Sequence[dict[str, Any]], reviews: int = REVIEWS, seed: int = SEED) -> list[Row]:
    """Draw ``reviews`` rows for each half and each number of PLANTED, from sentences that end clearly.

    ``sentences`` have the keys text, label and half. The majority's label alternates. Raises ValueError when
    a half has fewer than SENTENCES of a label.
    """
    chooser = random.Random(seed)
    clear = [one for one in sentences if ends_clearly(one["text"])]
    rows: list[Row] = []
    for half in behaviour.HALVES:
        of_half = [one for one in clear if one["half"] == half]
        texts = {label: [one["text"] for one in of_half if one["label"] == label] for label in LABELS}
        rows += _draw_half(half, texts, reviews, chooser)
    return rows


def ends_clearly(text: str) -> bool:
    """Return whether the splitter ends a sentence after ``text``, whatever follows.

    >>> ends_clearly("I liked it."), ends_clearly("I liked it..."), ends_clearly("I liked it")
    (True, False, False)
    """
    joined = [f"{text} {after}" for after in FOLLOWING]
    return all(split_sentences(one, tokenize(one))[-1].start == len(text) + 1 for one in joined)


def measure(rows: Sequence[Row], predict: Predict) -> dict[str, dict[str, Any]]:
    """Return, by half, the shares of sentences with their own sign, and of verdicts with two planted.

    A share comes with its count and its binomial standard error, as if sentences were independent. Raises
    ValueError when a half has no row with two planted sentences.
    """
    progress = tqdm(rows, desc="predicting", unit=" reviews", disable=None)
    pairs = [(row, predict(row.texts)) for row in progress]
    halves = dict.fromkeys(row.half for row in rows)
    return {half: _figures([pair for pair in pairs if pair[0].half == half]) for half in halves}


def predictor_of(model: inference.LoadedModel) -> Predict:
    """Return the served model as a predictor, which reads one review at a time."""

    def predict(texts: Sequence[str]) -> Prediction:
        encoded, score = model.predict(" ".join(texts), "sentences")
        contributions = [sentence.contribution for sentence in score.sentences or []]
        return Prediction(
            sum_by_text(texts, encoded, contributions),
            judge(encoded, score, model.identity).sentiment,
        )

    return predict


def sum_by_text(texts: Sequence[str], encoded: EncodedReview, contributions: Sequence[float]) -> list[float]:
    """Sum ``contributions``, float (sentences,), over each of ``texts``, which ``encoded`` joins by a space.

    The splitter may cut a text into several sentences; all of them count. Raises ValueError when ``encoded``
    is another text, is not read whole, or has a sentence that reaches into two texts.
    """
    if encoded.text != " ".join(texts) or encoded.cut:
        raise ValueError(f"the encoded review is not the whole of its {len(texts)} sentences")
    # Where the next text begins.
    limits = list(accumulate(len(text) + 1 for text in texts))
    parts: list[list[float]] = [[] for _ in texts]
    for one, contribution in zip(encoded.sentences, contributions, strict=True):
        index = bisect(limits, one.start)
        if one.end >= limits[index]:
            raise ValueError(f"sentences {index + 1} and {index + 2} of {len(texts)} are read as one")
        parts[index].append(contribution)
    return [math.fsum(part) for part in parts]


def table(found: dict[str, dict[str, Any]]) -> str:
    """Format the shares in percent with their standard errors, a column a half."""
    lines = [f"{'':34}" + "".join(f"{half:>16}" for half in found)]
    for title, path in (
        ("own sign, planted sentences", ("planted",)),
        ("own sign, agreeing sentences", ("agreeing",)),
        ("two planted, verdict: minority's", ("two_planted", "minority")),
        ("two planted, verdict: majority's", ("two_planted", "majority")),
        ("two planted, verdict: uncertain", ("two_planted", "uncertain")),
    ):
        lines.append(f"{title:34}" + "".join(f"{_cell(figures, path):>16}" for figures in found.values()))
    return "\n".join(lines)


def _cell(figures: dict[str, Any], path: Sequence[str]) -> str:
    for key in path:
        figures = figures[key]
    return f"{100 * figures['share']:.1f} % ± {100 * figures['standard_error']:.1f}"


def _draw_half(half: str, texts: dict[str, list[str]], reviews: int, chooser: random.Random) -> Iterator[Row]:
    """Yield one half's rows from its texts by label.

    Planted sentences have decks of their own, so that each text is planted about equally often too.
    """
    agreeing = {label: Deck(texts[label], chooser) for label in LABELS}
    planted = {label: Deck(texts[label], chooser) for label in LABELS}
    for count in PLANTED:
        for number in range(reviews):
            majority, minority = LABELS if number % 2 == 0 else reversed(LABELS)
            dealt = [(text, majority) for text in agreeing[majority].deal(SENTENCES - count)]
            dealt += [(text, minority) for text in planted[minority].deal(count)]
            chooser.shuffle(dealt)
            ordered, labels = zip(*dealt, strict=True)
            yield Row(half, majority, ordered, labels)


def _figures(pairs: Sequence[tuple[Row, Prediction]]) -> dict[str, Any]:
    """Return the shares of one half."""
    planted: list[bool] = []
    agreeing: list[bool] = []
    for row, prediction in pairs:
        for label, contribution in zip(row.labels, prediction.contributions, strict=True):
            right = contribution > 0 if label == "positive" else contribution < 0
            (agreeing if label == row.majority else planted).append(right)
    sides = [_side(row, prediction.sentiment) for row, prediction in pairs if row.planted == 2]
    return {
        "planted": _share(planted),
        "agreeing": _share(agreeing),
        "two_planted": {
            name: _share([side == name for side in sides]) for name in ("minority", "majority", "uncertain")
        },
    }


def _side(row: Row, sentiment: str) -> str:
    if sentiment not in LABELS:
        return "uncertain"
    return "majority" if sentiment == row.majority else "minority"


def _share(hits: Sequence[bool]) -> dict[str, float]:
    """Return a share with its count and binomial standard error. Raises ValueError for an empty list."""
    if not hits:
        raise ValueError("each half needs a review with two planted sentences")
    share = sum(hits) / len(hits)
    return {
        "count": len(hits),
        "share": share,
        "standard_error": math.sqrt(share * (1 - share) / len(hits)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure whether sentences' contributions have their sign.")
    parser.add_argument(
        "--reviews", type=int, default=REVIEWS, help="reviews a half and number of planted (default 300)"
    )
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--publish", action="store_true", help="write the figures into the model's card")
    options = parser.parse_args()
    if options.reviews < 1:
        parser.error("--reviews must be 1 or more")
    try:
        model = inference.model_fn(options.model)  # before the archive is read: it may be missing
        development = dataset.load(dataset.find_archive(options.archive)).development
        rows = draw(behaviour.load_sentences(development), options.reviews)
        found = measure(rows, predictor_of(model))
        if options.publish:
            command = "python -m training.evaluation.planted"
            if options.reviews != REVIEWS:
                command += f" --reviews {options.reviews}"
            publish(options.model, "planted", found, command)
    except OSError as error:
        sys.exit(f"planted: {error.filename or options.model}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"planted: {error}")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
