"""Show the effect of each ingredient of the published recipe, by training without it.

    python -m training.recipe.ablate                # one epoch each, from the stage files of reproduce.py
    python -m training.recipe.ablate --list         # the trainings, and which are done

Every row is the student's training, shortened to ``--epochs`` and without one ingredient. It is
evaluated on the development split, on the behaviour suite and on single sentences. Compare the rows with
each other, not with the published model, which is trained for longer. ``--publish`` writes them into
its card.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from training.data import cache, dataset
from training.endpoint import inference
from training.evaluation import behaviour, evaluate
from training.recipe import reproduce
from training.recipe.reproduce import Stage
from vocab.files import write_atomic

EPOCHS = 1
WHOLE = "everything"
# Each left-out ingredient, and the flags that add it.
WITHOUT: dict[str, tuple[str, ...]] = {
    "lessons": ("--lessons",),
    "swapped reviews": ("--swaps",),
    "teachers' soft targets": ("--soft-targets",),
    "n-grams": (),
    "language models": (),
}
# This row starts from the word vectors alone.
FROM_VECTORS = list(WITHOUT)[-1]
# The packaging alone takes these, so this row has the training of everything.
PACKAGED = "n-grams"


def variants(seed: int, folder: Path, epochs: int) -> dict[str, tuple[Stage, ...]]:
    """Return each row's stages, a training first and a packaging last: everything, then without one part."""
    *_, ngrams, student, _, corrected, _ = reproduce.recipe(seed, folder)
    vectors = vectors_in(folder)
    rows: dict[str, tuple[Stage, ...]] = {}
    for name, flags in {WHOLE: (), **WITHOUT}.items():
        place = folder / "ablation" / (name.replace(" ", "-").replace("'", "") + f"-{epochs}-{seed}")
        changed = {"--model-dir": str(place / "network"), "--epochs": str(epochs)}
        if name == FROM_VECTORS:
            changed["--pretrained"] = str(vectors)
        network = changed_stage(student, place / "network" / "network.safetensors", changed, flags, vectors)
        if name == PACKAGED:
            network = rows[WHOLE][0]
        fits = [] if name == PACKAGED else ngram_fits(ngrams, corrected, network, place, flags)
        inputs = [network.writes, *(fit.writes for fit in fits[-1:])]
        # A network of half a recipe may lose more to int8.
        package = ["export.py", "--trial", "--network", str(network.writes.parent), "--out", str(place)]
        package += [*["--ngrams"] * len(fits[-1:]), *map(str, inputs[1:])]
        rows[name] = (network, *fits, Stage(f"{place.name}-package", package, inputs, place / "model.onnx"))
    return rows


def ngram_fits(
    ngrams: Stage, corrected: Stage, network: Stage, place: Path, flags: tuple[str, ...]
) -> list[Stage]:
    """Return the stages of a row's n-grams; its model is the recipe's when none of ``flags`` is its own."""
    fits = []
    if set(flags) & set(ngrams.command):
        ngrams = changed_stage(ngrams, place / "ngrams.npz", {"--out": str(place / "ngrams.npz")}, flags)
        fits.append(ngrams)
    out = place / "corrected.npz"
    changed = {
        "--network": str(network.writes.parent),
        "--ngrams": str(ngrams.writes),
        "--out": str(out),
    }
    return [*fits, changed_stage(corrected, out, changed, flags, network.writes, ngrams.writes)]


def changed_stage(
    stage: Stage, out: Path, values: dict[str, str], flags: tuple[str, ...], *others: Path
) -> Stage:
    """Return a stage that writes ``out``, with other values and without some flags.

    It reads what it read before and ``others``, as far as its command names them.
    """
    command = without_flags(with_values(stage.command, values), flags)
    reads = [path for path in (*stage.reads, *others) if {str(path), str(path.parent)} & set(command)]
    name = f"{out.parent.name}-{out.stem}" if out.suffix == ".npz" else out.parent.parent.name
    return Stage(name, command, list(dict.fromkeys(reads)), out)


def vectors_in(folder: Path) -> Path:
    """Return the file of the word vectors for the row without language models."""
    return folder / "ablation" / "vectors.safetensors"


def with_values(command: list[str], values: dict[str, str]) -> list[str]:
    """Return a command with other values after its flags.

    >>> with_values(["train.py", "--epochs", "3"], {"--epochs": "1"})
    ['train.py', '--epochs', '1']
    """
    return [values.get(before, part) for before, part in zip(["", *command], command, strict=False)]


def without_flags(command: list[str], flags: tuple[str, ...]) -> list[str]:
    """Return a command without some flags and their values.

    >>> without_flags(["train.py", "--lessons", "9", "--resume"], ("--lessons",))
    ['train.py', '--resume']
    """
    return [
        part
        for before, part in zip(["", *command], command, strict=False)
        if part not in flags and before not in flags
    ]


def save_vectors(pretrained: Path, out: Path) -> None:
    """Write the word vectors that the language models started from, as weights for train.py.

    Raises dataset.DataError when the cache folder has none of their shape.
    """
    paths = sorted(cache.folder().glob("vectors-*.safetensors"))
    shape = load_file(pretrained)["embedding.weight"].shape
    tables = [table for path in paths if (table := load_file(path)["table"]).shape == shape]
    if not tables:
        raise dataset.DataError(
            f"no word vectors in {cache.folder()};"
            " remove best/pretrained.json there and run `make train-best`"
        )
    write_atomic(out, save({"embedding.weight": np.ascontiguousarray(tables[-1])}))


def figures_of(model: Path, data: dataset.Dataset, workers: int) -> dict[str, float]:
    """Return the figures of development data, and the rates on the held-back half of the cases."""
    labels = np.array([review.label for review in data.development])
    summary = evaluate.measure([review.text for review in data.development], labels, model, workers)
    return {
        "development_accuracy": summary["accuracy"],
        "development_nll": summary["nll"],
        **behaviour.overall_rates(model, data.development),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table to print: rates in percent, the likelihood in nats."""
    names = list(rows[0])[1:]
    lines = [f"{'without':24}" + "".join(f"{name.replace('_', ' '):>22}" for name in names)]
    for row in rows:
        cells = [f"{row[name]:.4f}" if name.endswith("nll") else f"{100 * row[name]:.1f} %" for name in names]
        lines.append(f"{row['without'] or '(nothing)':24}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)


def note_of(stage: Stage, folder: Path) -> Path:
    """Return the path of a stage's note."""
    return folder / "ablation" / f"{stage.name}.json"


def print_stages(options: argparse.Namespace) -> None:
    """Print each stage and whether it is done."""
    folder = reproduce.stages_folder()
    for stages in variants(options.seed, folder, options.epochs).values():
        for stage in stages:
            done = reproduce.is_done(stage, note_of(stage, folder))
            print(f"{'done' if done else 'open'}  {stage.name}")


def measure(options: argparse.Namespace, pretrained: Path) -> list[dict[str, Any]]:
    """Run the stages that are not done yet; return and print the figures of each row."""
    folder = reproduce.stages_folder()
    if not vectors_in(folder).is_file():
        save_vectors(pretrained, vectors_in(folder))
    data = dataset.load(dataset.find_archive(options.archive))
    rows: list[dict[str, Any]] = []
    for name, stages in variants(options.seed, folder, options.epochs).items():
        for stage in stages:
            note = note_of(stage, folder)
            if not reproduce.is_done(stage, note):
                reproduce.run(stage, note)
        without = None if name == WHOLE else name
        rows.append({"without": without, **figures_of(stages[-1].writes.parent, data, options.workers)})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Show the effect of each ingredient of the recipe.")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"of each training (default {EPOCHS})")
    parser.add_argument("--seed", type=int, default=1, help="of each training (default 1)")
    parser.add_argument("--stored-targets", action="store_true", help=reproduce.STORED_TARGETS_HELP)
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--list", action="store_true", help="print each training and whether it is done")
    parser.add_argument("--publish", action="store_true", help="write the rows into the published card")
    options = parser.parse_args()
    stages = reproduce.recipe(options.seed, reproduce.stages_folder(), stored_targets=options.stored_targets)
    missing = [stage.name for stage in stages[:-4] if not stage.writes.is_file()]
    if missing:
        sys.exit(f"ablate: not made yet: {', '.join(missing)}; run `make train-best` first")
    try:
        if options.list:
            print_stages(options)
        else:
            rows = measure(options, stages[0].writes)
            print(table(rows))
            if options.publish:
                figures = {"epochs": options.epochs, "seed": options.seed, "rows": rows}
                evaluate.publish(
                    inference.MODEL_FOLDER, "ablation", figures, "python -m training.recipe.ablate"
                )
    except OSError as error:
        sys.exit(f"ablate: {error.filename}: {error.strerror}")
    except (ValueError, dataset.DataError, inference.ModelFilesError, inference.VocabularyError) as error:
        sys.exit(f"ablate: {error}")


if __name__ == "__main__":
    main()
