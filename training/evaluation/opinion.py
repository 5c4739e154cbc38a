"""Measure whether the model tells mixed reviews, and texts without an opinion, from the others.

    python -m training.evaluation.opinion        # precision, recall and F1 of each label, by half

The cases are described in training/evaluation/cases/opinion/README.md. Choices may look at the half called
"open"; "held" is for published rules. Nearly half of the texts are cut from development reviews, so they need
the IMDb archive.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import publish
from vocab.messages import sentiment_of
from vocab.text import clean

FOLDER = Path(__file__).parent / "cases" / "opinion"
HALVES = ("open", "held")
LABELS = ("mixed", "no_opinion", "clear", "unclear")


class Score(NamedTuple):
    """Precision, recall and F1 of one label, 0..1."""

    precision: float
    recall: float
    f1: float


def load_cases(reviews: Sequence[dataset.Review]) -> list[dict[str, Any]]:
    """Load the labelled texts, and cut those with a ``review`` out of the development reviews.

    Texts that these reviews lack are left out, for another archive than IMDb's.
    """
    texts = {review.name: review.text for review in reviews}
    lines = (FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    for row in cases:
        if "review" in row:
            row["text"] = clean(texts.get(row["review"], ""))[row["start"] : row["end"]]
    return [row for row in cases if row["text"]]


def scores(labels: Sequence[str], predicted: Sequence[str]) -> dict[str, Score]:
    """Return the score of each label that is true or predicted somewhere. A share of nothing is 0.

    Raises ValueError when the two differ in length.

    >>> scores(["mixed", "clear", "clear"], ["mixed", "mixed", "clear"])["mixed"]
    Score(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """
    right = Counter(label for label, guess in zip(labels, predicted, strict=True) if label == guess)
    true, guessed = Counter(labels), Counter(predicted)
    return {
        label: Score(
            _share(right[label], guessed[label]),
            _share(right[label], true[label]),
            _share(2 * right[label], true[label] + guessed[label]),
        )
        for label in sorted(true.keys() | guessed.keys())
    }


def label_of(model: inference.LoadedModel, text: str) -> str:
    """Return the label that a model's answer amounts to. Raises MessageError for a text without a token."""
    _, score = model.predict(text)
    if score.opinion != "one_sided":
        return {"mixed": "mixed", "none": "no_opinion"}[score.opinion]
    sentiment = sentiment_of(score.probability, model.identity)
    return "unclear" if sentiment == "uncertain" else "clear"


def measure(cases: Sequence[dict[str, Any]], label: Callable[[str], str]) -> dict[str, dict[str, Any]]:
    """Return each label's score for each half, and the number of its cases."""
    found = {}
    for half in HALVES:
        rows = [case for case in cases if case["half"] == half]
        truth = [case["label"] for case in rows]
        by_label = scores(truth, [label(case["text"]) for case in rows])
        found[half] = {
            name: {**by_label[name]._asdict(), "cases": truth.count(name)}
            for name in LABELS
            if name in by_label
        }
    return found


def table(found: dict[str, dict[str, Any]]) -> str:
    """Format the scores, in percent."""
    lines = [f"{'':12}{'open':>26}{'held':>26}", f"{'':12}" + f"{'precision':>12}{'recall':>8}{'F1':>6}" * 2]
    for name in LABELS:
        cells = [found[half].get(name, {}) for half in HALVES]
        lines.append(
            f"{name:12}"
            + "".join(
                f"{100 * cell.get('precision', 0):12.1f}{100 * cell.get('recall', 0):8.1f}"
                f"{100 * cell.get('f1', 0):6.1f}"
                for cell in cells
            )
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure why verdicts are uncertain, on labelled texts.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--publish", action="store_true", help="write the scores into the model's card")
    options = parser.parse_args()
    try:
        model = inference.model_fn(options.model)
        cases = load_cases(dataset.load(dataset.find_archive(options.archive)).development)
        found = measure(cases, lambda text: label_of(model, text))
        if options.publish:
            publish(options.model, "opinion", found, "python -m training.evaluation.opinion")
    except OSError as error:
        sys.exit(f"opinion: {error.filename or options.model}: {error.strerror}")
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"opinion: {error}")
    print(table(found))
    print(json.dumps(found))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


if __name__ == "__main__":
    main()
