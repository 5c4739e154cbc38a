"""Write the cases that the model's page opens: what the published model got right, and what it got wrong.

    python -m tools.page_cases

Writes static_site/model/cases.json. Texts are of our behaviour suite's open half. A development
review stands there by its number alone, because its text belongs to its writer. A seed chooses the cases.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour
from vocab import messages
from vocab.files import write_atomic
from vocab.messages import MessageError

PAGE = Path(__file__).resolve().parents[1] / "static_site" / "model" / "cases.json"
COMMAND = "python -m tools.page_cases"
SEED = 1
PLACES = 4
# Cases of each outcome: development reviews, texts of all skills, texts of one skill.
REVIEWS, TEXTS, SKILL = 12, 6, 6
# A longer text of ours is a plot, which its skill shows anyway.
MOST_CHARACTERS = 200
# Where "quite sure" and "very sure" begin. Below the band's end the verdict is "uncertain".
LEVELS = (0.8, 0.95)
# Cases of each outcome at one level.
LEVEL_REVIEWS, LEVEL_TEXTS = 3, 1

T = TypeVar("T")


class Answer(NamedTuple):
    """What the app says of a text: the sentiment and P(positive)."""

    verdict: str
    probability: float

    @property
    def sureness(self) -> float:
        """Return P(the likelier side)."""
        return max(self.probability, 1 - self.probability)


class Judged(NamedTuple):
    """A text or review as the page shows it, its first answer, and whether it was right."""

    shown: dict[str, Any]
    answer: Answer
    right: bool


def answer_of(model: inference.LoadedModel, text: str) -> Answer | None:
    """Return the app's answer to a text, None for a text that was not understood."""
    try:
        encoded, scored = model.predict(text)
    except MessageError:
        return None
    judgement = messages.judge(encoded, scored, model.identity)
    # A text that was not understood is scored as an empty one.
    if judgement.score.probability != scored.probability:
        return None
    return Answer(judgement.sentiment, scored.probability)


def judged_cases(model: inference.LoadedModel) -> list[Judged]:
    """Return the open cases whose texts were all understood."""
    return [
        found
        for case in behaviour.load_cases()
        if case["half"] == "open" and (found := _judged_case(model, case)) is not None
    ]


def judged_reviews(model: inference.LoadedModel, reviews: Sequence[dataset.Review]) -> list[Judged]:
    """Return the reviews that were understood, each by its number."""
    rows = []
    for review in tqdm(reviews, desc="scoring", unit=" reviews", disable=None):
        answer = answer_of(model, review.text)
        if answer is not None:
            shown = {
                "id": Path(review.name).stem,
                "label": "positive" if review.label == 1 else "negative",
                **_message(answer),
            }
            rows.append(Judged(shown, answer, (answer.probability >= 0.5) == (review.label == 1)))
    return rows


def page_cases(
    model: inference.LoadedModel, cases: Sequence[Judged], reviews: Sequence[Judged]
) -> dict[str, Any]:
    """Return what the page opens: for accuracy, for calibration, and for each skill."""
    single = [one for one in cases if one.shown["expect"] == "label"]
    mixed = [
        one
        for one in single
        if one.shown["capability"] not in behaviour.APART
        and len(one.shown["texts"][0]["text"]) <= MOST_CHARACTERS
    ]
    skills: dict[str, list[Judged]] = defaultdict(list)
    for one in cases:
        skills[one.shown["capability"]].append(one)
    return {
        "model": model.identity.id,
        "command": COMMAND,
        "seed": SEED,
        "reviews": by_outcome(reviews, REVIEWS, "reviews"),
        "texts": by_outcome(mixed, TEXTS, "texts"),
        "levels": [
            _level(ends, reviews, mixed) for ends in level_ends(max(model.identity.uncertain[1], 0.5))
        ],
        "skills": {name: by_outcome(rows, SKILL, name) for name, rows in skills.items()},
    }


def level_ends(band: float) -> list[tuple[float, float]]:
    """Return the levels of sureness, each from and up to: uncertain, then ever surer.

    >>> level_ends(0.65)
    [(0.5, 0.65), (0.65, 0.8), (0.8, 0.95), (0.95, 1.0)]
    """
    starts = [0.5, *sorted({band, *(level for level in LEVELS if level > band)} - {0.5})]
    return list(zip(starts, [*starts[1:], 1.0], strict=True))


def by_outcome(rows: Sequence[Judged], count: int, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return ``count`` cases that were right and as many that were wrong, or fewer where there are fewer."""
    return {
        outcome: [one.shown for one in chosen([one for one in rows if one.right == right], count, name)]
        for outcome, right in (("right", True), ("wrong", False))
    }


def chosen(rows: Sequence[T], count: int, name: str) -> list[T]:
    """Return ``count`` of the rows, chosen by the seed and this name, in their order."""
    places = random.Random(f"{SEED} {name}").sample(range(len(rows)), min(count, len(rows)))
    return [rows[place] for place in sorted(places)]


def _level(ends: tuple[float, float], reviews: Sequence[Judged], texts: Sequence[Judged]) -> dict[str, Any]:
    """Return one level of sureness: how many reviews are there, how many are right, and some of each."""
    low, high = ends
    name = f"level {high}"
    here, own = ([one for one in rows if _within(one.answer, low, high)] for rows in (reviews, texts))
    return {
        "from": low,
        "to": high,
        "reviews": len(here),
        "reviews_right": sum(one.right for one in here),
        "examples": by_outcome(here, LEVEL_REVIEWS, name),
        "texts": by_outcome(own, LEVEL_TEXTS, name),
    }


def _within(answer: Answer, low: float, high: float) -> bool:
    """Return whether an answer is as sure as this. The last level includes its end."""
    return low <= answer.sureness and (answer.sureness < high or high == 1)


def _judged_case(model: inference.LoadedModel, case: dict[str, Any]) -> Judged | None:
    texts = [case[key] for key in ("review", "other") if key in case]
    answers = [answer for text in texts if (answer := answer_of(model, text)) is not None]
    if len(answers) < len(texts):
        return None
    right = behaviour.passes(case, answers[0].probability, answers[-1].probability)
    shown: dict[str, Any] = {key: case[key] for key in ("id", "capability", "expect", "label") if key in case}
    shown["texts"] = [{"text": text, **_message(answer)} for text, answer in zip(texts, answers, strict=True)]
    return Judged(shown, answers[0], right)


def _message(answer: Answer) -> dict[str, Any]:
    return {"verdict": answer.verdict, "probability": round(answer.probability, PLACES)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the cases that the model's page opens.")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        model = inference.model_fn(inference.MODEL_FOLDER)
        development = dataset.load(dataset.find_archive(options.archive)).development
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"page_cases: {error}")
    found = page_cases(model, judged_cases(model), judged_reviews(model, development))
    write_atomic(PAGE, (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
    print(PAGE)


if __name__ == "__main__":
    main()
