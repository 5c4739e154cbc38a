"""Compare the published model with baselines, in one table.

    python -m training.baselines.table                          # the test split; trains missing baselines
    python -m training.baselines.table --split development      # the split that choices may look at
    python -m training.baselines.table --only verdict vader     # some of them
    python -m training.baselines.table --slow                   # a fine-tuned transformer too
    python -m training.baselines.table --speed                  # only the times of published rows
    python -m training.baselines.table --dry-run                # a few reviews, to check that it runs

Prints the table and one JSON. ``--publish`` writes the rows into the model's card, as ``peers``. Published
rows of that split stay, without their time, where they were not measured. The row of a baseline that is not
installed names what to install.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.baselines import old_app, scorers, transformer_scorer
from training.baselines.behaviour import QUICK
from training.baselines.scorers import Baseline, BaselineMissing, Maker, TrainingSource
from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour, machine, metrics
from training.evaluation.evaluate import publish
from vocab import vocabulary
from vocab.files import write_atomic

# Capabilities where the main or last clause decides, and counting words goes wrong.
CONTRAST = ("contrast", "expectation", "reported_opinion")
SPEED_REVIEWS, SPEED_WARM_UP = 200, 20
DRY_RUN_REVIEWS = 60
# A probability of exactly 0 or 1 has no logit.
LEAST_PROBABILITY = 1e-6

NOTE = (
    "contrast: held cases of contrast, expectation and reported opinion; suite, sentences: the held half.\n"
    "ms: the median of a review on one thread. MB: a baseline's files, without packages and programs.\n"
    "* after a temperature fitted on the development split, which flatters the ECE on that split itself"
)

BASELINES: dict[str, Maker] = {
    **QUICK,
    "fastText": scorers.fasttext,
    "old app": old_app.old_app,
    "MiniLM": transformer_scorer.minilm,
}
# It takes minutes and the others take seconds, so it runs only with --slow or --only.
SLOW = "minilm"
# Each value of --only, and its name in the table.
NAMES = {name.lower().replace(" ", "-"): name for name in ("Verdict", *BASELINES)}


class EvaluationTexts(NamedTuple):
    """Reviews to measure on, reviews to calibrate on, and the held half of cases and sentences."""

    reviews: list[dataset.Review]
    development: list[dataset.Review]
    cases: list[dict[str, Any]]
    sentences: list[dict[str, Any]]


def load_texts(data: dataset.Dataset, split: str, limit: int | None = None) -> EvaluationTexts:
    """Load about ``limit`` reviews of a split, and the held half of cases and sentences."""
    return EvaluationTexts(
        scorers.spread(getattr(data, split), limit),
        scorers.spread(data.development, limit),
        [case for case in behaviour.load_cases() if case["half"] == "held"],
        [row for row in behaviour.load_sentences(data.development) if row["half"] == "held"],
    )


def model_of(model: Path) -> Maker:
    """Return the maker of the published model itself, as a baseline."""

    def make(source: TrainingSource) -> Baseline:
        loaded = inference.model_fn(model)
        files = (model / "model.onnx", vocabulary.VOCABULARY)
        score = behaviour.scorer_of(loaded)
        return Baseline("Verdict", score, files, f"{loaded.identity.id}, one LSTM each way", calibrated=True)

    return make


def compare(makers: dict[str, Maker], source: TrainingSource, texts: EvaluationTexts) -> list[dict[str, Any]]:
    """Return a row for each baseline: its figures, or what to install."""
    rows = []
    for name, make in makers.items():
        try:
            baseline = make(source)
        except BaselineMissing as error:
            rows.append({"name": name, "missing": str(error)})
            continue
        try:
            rows.append(measure(baseline, texts))
        finally:
            baseline.close()
    return rows


def measure(baseline: Baseline, texts: EvaluationTexts) -> dict[str, Any]:
    """Return a baseline's row. Shares are 0..1, ``mb`` is 10^6 bytes.

    ``temperature`` divides its logits before the ECE. It is None for a baseline that is already calibrated.
    """
    _use_one_thread()
    logits, labels = _score(baseline, texts.reviews)
    temperature = None
    if not baseline.calibrated:
        same = texts.reviews == texts.development
        fitted_on = (logits, labels) if same else _score(baseline, texts.development)
        temperature = temperature_of(*fitted_on)
    probabilities = metrics.probabilities_of(logits, temperature or 1.0)
    outcomes = behaviour.evaluate(texts.cases, baseline.score)
    contrast = [outcome.passed for outcome in outcomes if outcome.case["capability"] in CONTRAST]
    return {
        "name": baseline.name,
        "how": baseline.how,
        "accuracy": float(((logits >= 0) == (labels == 1)).mean()),
        "ece": metrics.expected_calibration_error(probabilities, labels),
        "temperature": temperature,
        "contrast": sum(contrast) / len(contrast),
        "behaviour": behaviour.rates(outcomes)["overall"]["held"],
        "sentences": behaviour.sentence_rates(texts.sentences, baseline.score)["held"],
        "ms_median": milliseconds(baseline, [review.text for review in texts.development]),
        "mb": round(baseline.size() / 1e6, 1),
    }


def time_again(
    rows: list[dict[str, Any]], makers: dict[str, Maker], source: TrainingSource
) -> list[dict[str, Any]]:
    """Return the same rows with times measured anew, one after the other.

    A whole comparison takes an hour or more, and few machines are quiet for so long.
    """
    reviews = [review.text for review in source.data.development]
    timed = []
    for row in rows:
        baseline = makers[row["name"]](source)
        try:
            _use_one_thread()
            timed.append({**row, "ms_median": milliseconds(baseline, reviews)})
        finally:
            baseline.close()
    return timed


def temperature_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature of least log loss, within a factor of 5 of the logits' own spread.

    :param logits: float64 (reviews,); sums of word scores may need a temperature far from 1
    :param labels: 0 or 1, (reviews,)
    """
    spread = float(logits.std()) or 1.0
    return round(spread * metrics.fit_temperature(logits / spread, labels), 4)


def milliseconds(baseline: Baseline, reviews: Sequence[str]) -> float:
    """Return the median milliseconds of a review, over SPEED_REVIEWS scored one by one after a warm-up."""
    sample = list(reviews[:SPEED_REVIEWS])
    for review in sample[:SPEED_WARM_UP]:
        baseline.score([review])
    times = []
    for review in sample:
        began = time.perf_counter()
        baseline.score([review])
        times.append(1000 * (time.perf_counter() - began))
    return round(float(np.median(times)), 3)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Format rows, in percent but for the last two columns."""
    lines = [
        f"{'':12}{'accuracy':>10}{'ECE':>9}{'contrast':>10}{'suite':>9}{'sentences':>11}{'ms':>9}{'MB':>8}"
    ]
    for row in rows:
        if "missing" in row:
            lines.append(f"{row['name']:12}  {row['missing']}")
            continue
        mark = " " if row["temperature"] is None else "*"
        lines.append(
            f"{row['name']:12}{100 * row['accuracy']:9.2f}%{100 * row['ece']:7.2f}%{mark}"
            f"{100 * row['contrast']:9.1f}%{100 * row['behaviour']:8.1f}%{100 * row['sentences']:10.1f}%"
            f"{row['ms_median']:9.2f}{row['mb']:8.1f}"
        )
    return "\n".join(lines)


def merged(published: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows to publish, in the order of NAMES: what was measured, and what was published before.

    A row that was not measured loses its time, which can't be compared with another run's.
    """
    before = ({**row, "ms_median": None} for row in published)
    by_name = {row["name"]: row for row in (*before, *rows) if "missing" not in row}
    return [by_name[name] for name in NAMES.values() if name in by_name]


def _score(baseline: Baseline, reviews: Sequence[dataset.Review]) -> tuple[np.ndarray, np.ndarray]:
    """Score reviews one by one. Return logits, float64 (reviews,), and labels 0 or 1, (reviews,)."""
    progress = tqdm(reviews, desc=baseline.name, disable=None, mininterval=2)
    probabilities = np.array([baseline.score([review.text])[0] for review in progress], dtype=np.float64)
    probabilities = np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.log(probabilities) - np.log1p(-probabilities), np.array([review.label for review in reviews])


def _use_one_thread() -> None:
    """Set torch to one thread, if a baseline loaded it. ONNX Runtime, SciPy and fasttext use one anyway."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the published model with baselines.")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--slow",
        action="store_true",
        help="a fine-tuned MiniLM too; trains for an hour if reproduce.py has not",
    )
    parser.add_argument("--split", choices=("development", "test"), default="test")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--out", type=Path, help="write the JSON to this file too")
    parser.add_argument("--publish", action="store_true", help="write the rows into the card")
    parser.add_argument("--speed", action="store_true", help="only time published rows again")
    parser.add_argument(
        "--dry-run", action="store_true", help=f"learn from and score about {DRY_RUN_REVIEWS} reviews"
    )
    options = parser.parse_args(arguments)
    options.only = options.only or [name for name in NAMES if options.slow or name != SLOW]
    if options.publish and options.dry_run:
        parser.error("--dry-run measures too little to publish")
    return options


def main() -> None:
    options = parse()
    limit = DRY_RUN_REVIEWS if options.dry_run else None
    known = {"Verdict": model_of(options.model), **BASELINES}
    makers = {NAMES[name]: known[NAMES[name]] for name in options.only}
    split = options.split
    try:
        source = TrainingSource(dataset.find_archive(options.archive), limit)
        if options.speed:
            published = inference.model_fn(options.model).card["metrics"].get("peers", {"rows": []})
            asked = [row for row in published["rows"] if row["name"] in makers]
            if not asked:
                sys.exit(
                    "baselines: no rows are published yet; run it with --publish and without --speed first"
                )
            rows, split = time_again(asked, makers, source), published["split"]
        else:
            rows = compare(makers, source, load_texts(source.data, split, limit))
    except (
        dataset.DataError,
        inference.ModelFilesError,
        inference.VocabularyError,
        BaselineMissing,
    ) as error:
        sys.exit(f"baselines: {error}")
    figures = {"rows": rows, "split": split, "machine": machine.describe(1)}
    print(f"{table(rows)}\n{NOTE}\n{json.dumps(figures, indent=2)}")
    if options.out:
        write_atomic(options.out, (json.dumps(figures, indent=2) + "\n").encode())
    if options.publish:
        published = inference.model_fn(options.model).card["metrics"].get("peers", {})
        kept = published["rows"] if published.get("split") == split else []
        command = f"python -m training.baselines.table --split {split}"
        publish(options.model, "peers", {**figures, "rows": merged(kept, rows)}, command)


if __name__ == "__main__":
    main()
