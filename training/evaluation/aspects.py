"""Measure verdicts on aspects, beside the whole text's verdict and VADER, on mentions labelled by hand.

    python -m training.evaluation.aspects        # accuracy and calibration of each half, half a minute

The cases are described in training/evaluation/cases/aspects/README.md. Choices may look at the half called
"open"; "held" is for published rules. Mentions in films' reviews are cut from development reviews, so they
need the IMDb archive. VADER comes with requirements/baselines.txt.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation import metrics, significance
from training.evaluation.evaluate import publish
from vocab.aspects import Aspect, Mention, find_mentions, stems_of
from vocab.messages import sentiment_of
from vocab.text import clean
from vocab.vocabulary import EncodedReview

FOLDER = Path(__file__).parent / "cases" / "aspects"
HALVES = ("open", "held")
KINDS = ("film", "product")
LABELS = ("positive", "negative", "none")
# Who judges a mention: the model as for an aspect with this one clause, the model the clause as a text of its
# own, the model the whole text, VADER the clause.
READERS = ("clause", "alone", "whole", "vader")
# VADER's authors call a compound score between these numbers neutral.
VADER_NEUTRAL = 0.05
DECIMALS = 4


class Case(NamedTuple):
    """A labelled mention of an aspect in a text.

    ``text[start:end]`` is the term. ``group`` is the film, or the product sentence: its mentions are not
    independent. ``against`` is true where the rest of the text says the other thing: the review has the
    other label, or the sentence praises and complains.
    """

    kind: str
    half: str
    group: str
    text: str
    aspect: str
    start: int
    end: int
    label: str
    against: bool


class Answer(NamedTuple):
    """What a reader says of a mention: P(positive), and positive, negative or uncertain."""

    probability: float
    sentiment: str


# Returns the answer of each of READERS.
Read = Callable[[Case], dict[str, Answer]]


def load_cases(reviews: Sequence[dataset.Review]) -> list[Case]:
    """Load the labelled mentions: those in development reviews, then those in product sentences."""
    by_name = {review.name: review for review in reviews}
    cases = []
    for row in _rows("mentions.jsonl"):
        review = by_name[row["review"]]
        own = "positive" if review.label == 1 else "negative"
        against = row["label"] not in (own, "none")
        cases.append(_case("film", row["half"], review.film, clean(review.text), row, against))
    for sentence in _rows("products.jsonl"):
        labels = {mention["label"] for mention in sentence["mentions"]}
        for mention in sentence["mentions"]:
            against = labels >= {"positive", "negative"} and mention["label"] != "none"
            text = sentence["text"]
            cases.append(_case("product", sentence["half"], text, text, mention, against))
    return cases


def mention_of(encoded: EncodedReview, case: Case) -> Mention:
    """Return a case's mention, as it is found by its term. Raises ValueError where it is not found."""
    aspect = Aspect(case.aspect, (stems_of(case.text[case.start : case.end]),))
    starts, ends = encoded.tokens.starts, encoded.tokens.ends
    for mention in find_mentions(encoded, [aspect])[0]:
        if starts[mention.first] <= case.start < ends[mention.last - 1]:
            return mention
    raise ValueError(
        f"{case.aspect} is not found at {case.start:,} of a text of {len(case.text):,} characters"
    )


def reader_of(model: inference.LoadedModel, compound: Callable[[str], float]) -> Read:
    """Return what reads a case: the model, and VADER by its compound score, -1 to 1."""

    @lru_cache(maxsize=1)  # the mentions of a sentence follow one another
    def whole(text: str) -> tuple[EncodedReview, float]:
        encoded, score = model.predict(text)
        return encoded, score.probability

    def answer(probability: float) -> Answer:
        return Answer(probability, sentiment_of(probability, model.identity))

    def read(case: Case) -> dict[str, Answer]:
        encoded, probability = whole(case.text)
        first, last = mention_of(encoded, case)[:2]
        scored = model.score(encoded.ids, encoded.lengths, spans=[[(first, last)]])
        other = compound(case.text[encoded.tokens.starts[first] : encoded.tokens.ends[last - 1]])
        return {
            "clause": answer((scored.aspects or [])[0].probability),
            "alone": answer(model.score(encoded.ids[first:last], [last - first]).probability),
            "whole": answer(probability),
            "vader": Answer((1 + other) / 2, _vader_sentiment(other)),
        }

    return read


def vader() -> Callable[[str], float]:
    """Return VADER's compound score of a text, -1 to 1. Raises ImportError where it is not installed.

    Source: Hutto & Gilbert, "VADER", ICWSM 2014.
    """
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])


def measure(cases: Sequence[Case], read: Read) -> dict[str, dict[str, Any]]:
    """Return the figures of each half and kind. Shares are 0..1, each with its 95 % interval.

    Raises ValueError where one has no mention with an opinion.
    """
    progress = tqdm(cases, desc="reading", unit=" mentions", disable=None)
    pairs = [(case, read(case)) for case in progress]
    return {
        half: {
            kind: _figures(
                f"{half}, {kind}",
                [pair for pair in pairs if (pair[0].half, pair[0].kind) == (half, kind)],
            )
            for kind in KINDS
        }
        for half in HALVES
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    """Format the figures in percent, a row a reader."""
    lines = []
    for half, kinds in found.items():
        for kind, figures in kinds.items():
            lines += [
                f"{half}, {kind}: {figures['mentions']} mentions, {figures['opinions']} with an opinion,"
                f" {figures['against']['mentions']} against the rest of their text",
                f"  {'':8}{'accuracy':>24}{'against':>9}{'with none':>11}{'ECE':>7}",
            ]
            for name in READERS:
                row = figures[name]
                lines.append(
                    f"  {name:8}{_percent(row['accuracy']):>24}{_cell(figures['against'][name]):>9}"
                    f"{_cell(row['three_way']['share']):>11}{_cell(row.get('ece')):>7}"
                )
            lines += [f"  clause - {name}: {_percent(figures['gain'][name])}" for name in READERS[1:]]
    return "\n".join(lines)


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def _case(kind: str, half: str, group: str, text: str, row: dict[str, Any], against: bool) -> Case:
    return Case(kind, half, group, text, row["aspect"], row["start"], row["end"], row["label"], against)


def _vader_sentiment(compound: float) -> str:
    if abs(compound) < VADER_NEUTRAL:
        return "uncertain"
    return "positive" if compound > 0 else "negative"


def _figures(name: str, pairs: Sequence[tuple[Case, dict[str, Answer]]]) -> dict[str, Any]:
    """Return the figures of one half and kind, called ``name``.

    ``accuracy`` and ``ece`` are of the mentions with an opinion, with P(positive) of 0.5 or more as positive.
    ``three_way`` counts all mentions; a mention without an opinion should be uncertain.
    """
    sided = [pair for pair in pairs if pair[0].label != "none"]
    if not sided:
        raise ValueError(f"{name} needs a mention with an opinion")
    labels = np.array([case.label == "positive" for case, _ in sided]).astype(int)
    groups = np.unique([case.group for case, _ in sided], return_inverse=True)[1]
    all_groups = np.unique([case.group for case, _ in pairs], return_inverse=True)[1]
    against = np.array([case.against for case, _ in sided])
    scores = {name: np.array([answers[name].probability for _, answers in sided]) for name in READERS}
    found: dict[str, Any] = {
        "mentions": len(pairs),
        "opinions": len(sided),
        "groups": len(np.unique(all_groups)),
        "against": {"mentions": int(against.sum())},
        "gain": {},
    }
    for reader, probabilities in scores.items():
        right = (probabilities >= 0.5) == (labels == 1)
        meant = np.array([_is_meant(case, answers[reader]) for case, answers in pairs])
        found[reader] = {
            "accuracy": _share(right, groups),
            "three_way": _share(meant, all_groups),
        }
        found["against"][reader] = round(float(right[against].mean()), DECIMALS) if against.any() else None
        if reader != "clause":
            gain = significance.compare(probabilities, scores["clause"], labels, groups)["accuracy"]
            found["gain"][reader] = _rounded(gain.difference, gain.interval)
        if reader != "vader":  # whose score is no probability
            found[reader]["ece"] = round(metrics.expected_calibration_error(probabilities, labels), DECIMALS)
            found[reader]["ece_by_chance"] = round(metrics.error_by_chance(probabilities), DECIMALS)
    return found


def _is_meant(case: Case, answer: Answer) -> bool:
    return answer.sentiment == ("uncertain" if case.label == "none" else case.label)


def _share(hits: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    return _rounded(*significance.share(hits, groups))


def _rounded(share: float, interval: tuple[float, float]) -> dict[str, Any]:
    return {"share": round(share, DECIMALS), "interval": [round(end, DECIMALS) for end in interval]}


def _cell(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _percent(part: dict[str, Any]) -> str:
    low, high = part["interval"]
    return f"{100 * part['share']:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure verdicts on aspects, on labelled mentions.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--publish", action="store_true", help="write the figures into the model's card")
    options = parser.parse_args()
    try:
        read = reader_of(inference.model_fn(options.model), vader())
        found = measure(load_cases(dataset.load(dataset.find_archive(options.archive)).development), read)
        if options.publish:
            publish(options.model, "aspects", found, "python -m training.evaluation.aspects")
    except ImportError:
        sys.exit("aspects: VADER is not installed: pip install -r requirements/baselines.txt")
    except OSError as error:
        sys.exit(f"aspects: {error.filename or options.model}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"aspects: {error}")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
