"""Measure VADER, TextBlob and NB-LR beside the published model, on short cases and single sentences.

    python -m training.baselines.behaviour                  # baselines on the held half
    python -m training.baselines.behaviour --failures       # the cases that the model fails, too

NB-LR is trained once, from the IMDb archive. training.baselines.table compares all baselines on reviews.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from training.baselines import scorers
from training.baselines.scorers import BaselineMissing, Maker, TrainingSource
from training.data import dataset
from training.endpoint import inference
from training.evaluation import behaviour

# These take seconds; training.baselines.table has all baselines.
QUICK: dict[str, Maker] = {
    "VADER": scorers.vader,
    "TextBlob": scorers.textblob,
    "NB-LR": scorers.nb_lr,
}


def evaluate_baselines(
    source: TrainingSource,
    cases: Sequence[dict[str, Any]],
    sentences: Sequence[dict[str, Any]],
    makers: Mapping[str, Maker] = QUICK,
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the rates on the held half, by baseline and capability, and what to install for missing ones.

    ``sentences`` are those of the held half.
    """
    held = [case for case in cases if case["half"] == "held"]
    rates, missing = {}, []
    for name, make in makers.items():
        try:
            score = make(source).score
        except BaselineMissing as error:
            missing.append(str(error))
            continue
        every = behaviour.rates(behaviour.evaluate(held, score)) | {
            "single sentences": behaviour.sentence_rates(sentences, score)
        }
        rates[name] = {capability: halves["held"] for capability, halves in every.items()}
    return rates, missing


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the published model and baselines on short cases.")
    behaviour.add_arguments(parser)
    options = parser.parse_args()
    try:
        model = inference.model_fn(options.model)
        source = TrainingSource(dataset.find_archive(options.archive))
        sentences = behaviour.load_sentences(source.data.development)
        held = [row for row in sentences if row["half"] == "held"]
        rates, missing = evaluate_baselines(source, behaviour.load_cases(), held)
        behaviour.report(options, model, sentences, rates, missing)
    except (dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"behaviour: {error}")


if __name__ == "__main__":
    main()
