"""Compare the published model with what a user would pick instead, in one table.

    python -m training.baselines.table                          # the test split; trains peers that are not kept yet
    python -m training.baselines.table --split development      # what choices may look at
    python -m training.baselines.table --only verdict vader     # some of them
    python -m training.baselines.table --slow                   # a fine-tuned transformer too
    python -m training.baselines.table --speed                  # only the times anew, of the published rows
    python -m training.baselines.table --dry-run                # a few reviews, to see that all of it runs

Prints the table and one JSON. ``--publish`` writes the rows into the model's card. A peer that can't be
had here is a row that says what to install.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from training.baselines import old_app, scorers, transformer_scorer
from training.baselines.scorers import Peer, PeerMissing, Source
from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour, machine, metrics
from training.evaluation.evaluate import publish
from vocab import vocabulary
from vocab.files import write_atomic

# Where the main or last clause decides, and counting words goes wrong.
CONTRAST = ("contrast", "expectation", "reported_opinion")
SPEED_REVIEWS, SPEED_WARM_UP = 200, 20
DRY_RUN_REVIEWS = 60
# A probability of exactly 0 or 1 has no logit.
LEAST_PROBABILITY = 1e-6

NOTE = (
    "contrast: held cases of contrast, expectation and reported opinion; suite, sentences: the held half.\n"
    "ms: the median of a review on one thread. MB: a peer's files, without packages and programs.\n"
    "* after a temperature fitted on the development split, so that it flatters on that split itself"
)

# Gives a peer; raises PeerMissing, or what its files raise.
Maker = Callable[[Source], Peer]
OTHERS: dict[str, Maker] = {
    **behaviour.PEERS,
    "fastText": scorers.fasttext,
    "old app": old_app.old_app,
    "MiniLM": transformer_scorer.minilm,
}
# It takes minutes where the others take seconds, so only when asked for.
SLOW = "minilm"
# What --only takes, and how the table calls it.
NAMES = {name.lower().replace(" ", "-"): name for name in ("Verdict", *OTHERS)}


class Exam(NamedTuple):
    """What a peer is asked: reviews to judge, reviews to calibrate on, and short texts of the held half."""

    judged: list[dataset.Review]
    development: list[dataset.Review]
    cases: list[dict[str, Any]]
    sentences: list[dict[str, Any]]


def read_exam(data: dataset.Dataset, split: str, limit: int | None = None) -> Exam:
    """Take a split, about ``limit`` reviews of it, and the half of cases and sentences that is held back."""
    return Exam(
        scorers.spread(getattr(data, split), limit),
        scorers.spread(data.development, limit),
        [case for case in behaviour.load_cases() if case["half"] == "held"],
        [row for row in behaviour.load_sentences(data.development) if row["half"] == "held"],
    )


def model_of(model: Path) -> Maker:
    """Give the maker of the published model itself, as a peer."""

    def make(source: Source) -> Peer:
        loaded = inference.model_fn(model)
        files = (model / "model.onnx", vocabulary.VOCABULARY)
        score = behaviour.scorer_of(loaded)
        return Peer("Verdict", score, files, f"{loaded.identity.id}, one LSTM each way", calibrated=True)

    return make


def compare(makers: dict[str, Maker], source: Source, exam: Exam) -> list[dict[str, Any]]:
    """Give a row of figures for each peer that can be had, and of what to install for each other one."""
    rows = []
    for name, make in makers.items():
        try:
            peer = make(source)
        except PeerMissing as error:
            rows.append({"name": name, "missing": str(error)})
            continue
        try:
            rows.append(measure(peer, exam))
        finally:
            peer.close()
    return rows


def measure(peer: Peer, exam: Exam) -> dict[str, Any]:
    """Give a peer's row; shares lie in 0..1, ``mb`` is 10^6 bytes.

    ``temperature`` is the one that its ECE is after, None where it came calibrated.
    """
    _use_one_thread()
    logits, labels = _read(peer, exam.judged)
    temperature = None
    if not peer.calibrated:
        seen = exam.judged == exam.development
        fitted_on = (logits, labels) if seen else _read(peer, exam.development)
        temperature = temperature_of(*fitted_on)
    probabilities = metrics.probabilities_of(logits, temperature or 1.0)
    outcomes = behaviour.examine(exam.cases, peer.score)
    contrast = [outcome.passed for outcome in outcomes if outcome.case["capability"] in CONTRAST]
    return {
        "name": peer.name,
        "how": peer.how,
        "accuracy": float(((logits >= 0) == (labels == 1)).mean()),
        "ece": metrics.expected_calibration_error(probabilities, labels),
        "temperature": temperature,
        "contrast": sum(contrast) / len(contrast),
        "behaviour": behaviour.rates(outcomes)["overall"]["held"],
        "sentences": behaviour.sentence_rates(exam.sentences, peer.score)["held"],
        "ms_median": milliseconds(peer, [review.text for review in exam.development]),
        "mb": round(peer.size() / 1e6, 1),
    }


def time_again(rows: list[dict[str, Any]], makers: dict[str, Maker], source: Source) -> list[dict[str, Any]]:
    """Give the same rows with the times of this machine as it is now, one after the other.

    A comparison takes an hour or more, and nobody keeps a machine quiet for so long.
    """
    reviews = [review.text for review in source.data.development]
    timed = []
    for row in rows:
        peer = makers[row["name"]](source)
        try:
            _use_one_thread()
            timed.append({**row, "ms_median": milliseconds(peer, reviews)})
        finally:
            peer.close()
    return timed


def temperature_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Give the temperature of least NLL, within a factor of 5 of the logits' own spread.

    Sums of words' scores are no logits: their temperature may lie far from 1.
    """
    spread = float(logits.std()) or 1.0
    return round(spread * metrics.fit_temperature(logits / spread, labels), 4)


def milliseconds(peer: Peer, reviews: Sequence[str]) -> float:
    """Give the median time of a review, of SPEED_REVIEWS asked one by one after a warm-up."""
    asked = list(reviews[:SPEED_REVIEWS])
    for review in asked[:SPEED_WARM_UP]:
        peer.score([review])
    times = []
    for review in asked:
        began = time.perf_counter()
        peer.score([review])
        times.append(1000 * (time.perf_counter() - began))
    return round(float(np.median(times)), 3)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay rows out, percentages but for the last two columns."""
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


def _read(peer: Peer, reviews: Sequence[dataset.Review]) -> tuple[np.ndarray, np.ndarray]:
    """Ask for reviews one by one; give logits, float64 (reviews,), and labels 0 or 1 (reviews,)."""
    progress = tqdm(reviews, desc=peer.name, disable=None, mininterval=2)
    found = np.array([peer.score([review.text])[0] for review in progress], dtype=np.float64)
    found = np.clip(found, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.log(found) - np.log1p(-found), np.array([review.label for review in reviews])


def _use_one_thread() -> None:
    """ONNX Runtime, SciPy and fasttext use one by themselves; torch, where a peer has loaded it, does not."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compare the published model with what one would pick instead."
    )
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
    parser.add_argument("--speed", action="store_true", help="only time the published rows again")
    parser.add_argument(
        "--dry-run", action="store_true", help=f"learn from and judge about {DRY_RUN_REVIEWS} reviews"
    )
    options = parser.parse_args(arguments)
    options.only = options.only or [name for name in NAMES if options.slow or name != SLOW]
    if options.publish and options.dry_run:
        parser.error("--dry-run measures too little to publish")
    return options


def main() -> None:
    options = parse()
    limit = DRY_RUN_REVIEWS if options.dry_run else None
    known = {"Verdict": model_of(options.model), **OTHERS}
    makers = {NAMES[name]: known[NAMES[name]] for name in options.only}
    split = options.split
    try:
        source = Source(dataset.find_archive(options.archive), limit)
        if options.speed:
            published = inference.model_fn(options.model).card["metrics"].get("peers")
            if not published:
                sys.exit("peers: no rows are published yet; run it with --publish and without --speed first")
            rows, split = time_again(published["rows"], known, source), published["split"]
        else:
            rows = compare(makers, source, read_exam(source.data, split, limit))
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError, PeerMissing) as error:
        sys.exit(f"peers: {error}")
    figures = {"rows": rows, "split": split, "machine": machine.describe(1)}
    print(f"{table(rows)}\n{NOTE}\n{json.dumps(figures, indent=2)}")
    if options.out:
        write_atomic(options.out, (json.dumps(figures, indent=2) + "\n").encode())
    if options.publish:
        had = [row for row in rows if "missing" not in row]
        command = f"python -m training.baselines.table --split {split}"
        publish(options.model, "peers", {**figures, "rows": had}, command)


if __name__ == "__main__":
    main()
