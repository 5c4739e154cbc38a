"""Show the effect of each ingredient of the published recipe, by training without it.

    python -m training.recipe.ablate                # one epoch each, from the stage files of reproduce.py
    python -m training.recipe.ablate --list         # the trainings, and which are done

Every row is the student's training, shortened to ``--epochs`` of larger batches and without one
ingredient. It is evaluated on the development split, on the behaviour suite and on single sentences. A
network that reads each review as one sentence is evaluated on reviews alone. Compare the rows with each
other, not with the published model, which is trained for longer. ``--publish`` writes them into its card.
The stored soft targets all hold MPNet's answers, so the row without them trains the first network anew.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load_file, save

from training.data import cache, dataset
from training.endpoint import inference
from training.evaluation import behaviour, evaluate
from training.recipe import reproduce
from training.recipe.reproduce import Stage
from vocab.files import write_atomic

EPOCHS = 1
# Larger batches than the student's take less time.
BATCH = 128
WHOLE = "everything"
# These rows are built unlike the others: from the training of everything, as a network without a package,
# and from soft targets that are made first.
PACKAGED, UNPACKAGED, UNJUDGED = "n-grams", "sentence reading", "MPNet"
# Rows of lessons, and the regular expression for their labels and topics.
LESSONS = {
    "lessons of negation": "negation|negated|lack",
    "lessons of comparison": "comparison",
    "lessons of counterfactuals": "counterfactual|conditional",
    "lessons without a side": "^neutral ",
}


class Change(NamedTuple):
    """Hold how a row's commands differ: flags that go, flags that come, and other values after flags."""

    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    values: dict[str, str] = {}


def changes(folder: Path) -> dict[str, Change]:
    """Return what each row leaves out, as a change of commands; nothing for the first."""
    soft_targets = str(folder / f"{reproduce.DISTILLATION}.npz")
    return {
        WHOLE: Change(),
        UNPACKAGED: Change(added=("--whole-reviews",)),
        "language models": Change(values={"--pretrained": str(vectors_in(folder))}),
        PACKAGED: Change(),
        "soft targets and grades": Change(without=("--soft-targets",)),
        "grades": Change(values={"--soft-targets": soft_targets}),
        UNJUDGED: Change(values={"--soft-targets": str(targets_without_mpnet(folder)[-1].writes)}),
        "swapped reviews": Change(without=("--swaps",)),
        "lessons": Change(without=("--lessons",)),
        **{name: Change(added=("--without-lessons", topics)) for name, topics in LESSONS.items()},
    }


def variants(seed: int, folder: Path, epochs: int) -> dict[str, tuple[Stage, ...]]:
    """Return each row's stages, a training first and a packaging last: everything, then without one part."""
    *_, ngrams, student, corrected, _ = reproduce.recipe(seed, folder)
    rows: dict[str, tuple[Stage, ...]] = {}
    for name, change in changes(folder).items():
        place = folder / "ablation" / f"{name.replace(' ', '-')}-{epochs}-{seed}"
        shorter = {"--model-dir": str(place / "network"), "--epochs": str(epochs), "--batch": str(BATCH)}
        network = changed_stage(student, place / "network" / "network.safetensors", shorter, change)
        if name == UNPACKAGED:
            rows[name] = (network,)
            continue
        if name == PACKAGED:
            network = rows[WHOLE][0]
        fits = [] if name == PACKAGED else ngram_fits(ngrams, corrected, network, place, change)
        inputs = [network.writes, *(fit.writes for fit in fits[-1:])]
        # A network of half a recipe may lose more to int8.
        package = ["export.py", "--trial", "--network", str(network.writes.parent), "--out", str(place)]
        package += [*["--ngrams"] * len(fits[-1:]), *map(str, inputs[1:])]
        rows[name] = (network, *fits, Stage(f"{place.name}-package", package, inputs, place / "model.onnx"))
    return rows


def ngram_fits(ngrams: Stage, corrected: Stage, network: Stage, place: Path, change: Change) -> list[Stage]:
    """Return the stages of a row's n-grams; its model is the recipe's when the change is none of its own."""
    fits = []
    if {*change.without, *change.values} & set(ngrams.command):
        ngrams = changed_stage(ngrams, place / "ngrams.npz", {"--out": str(place / "ngrams.npz")}, change)
        fits.append(ngrams)
    out = place / "corrected.npz"
    inputs = {
        "--network": str(network.writes.parent),
        "--ngrams": str(ngrams.writes),
        "--out": str(out),
    }
    return [*fits, changed_stage(corrected, out, inputs, change, network.writes, ngrams.writes)]


def changed_stage(stage: Stage, out: Path, places: dict[str, str], change: Change, *others: Path) -> Stage:
    """Return a stage that writes ``out``, with other values after the flags of ``places``, and a change.

    It reads what it read before, the change's files and ``others``, as far as its command names them.
    """
    command = with_values(without_flags(stage.command, change.without), {**change.values, **places})
    # Flags that come change reviews and lessons, which a stage without lessons never reads.
    command += change.added * ("--lessons" in command)
    paths = [*stage.reads, *map(Path, change.values.values()), *others]
    reads = [path for path in paths if {str(path), str(path.parent)} & set(command)]
    name = f"{out.parent.name}-{out.stem}" if out.suffix == ".npz" else out.parent.parent.name
    return Stage(name, command, list(dict.fromkeys(reads)), out)


def targets_without_mpnet(folder: Path) -> list[Stage]:
    """Return the stages that train the first network and join its soft targets to the grades."""
    pretrained = reproduce.recipe(reproduce.TEACHER_SEED, folder)[0]
    network, doubts, *_ = reproduce.teachers(folder, pretrained)
    return [network, doubts, reproduce.graded(folder / "graded-without-mpnet.npz", doubts.writes)]


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


def figures_of(stages: Sequence[Stage], data: dataset.Dataset, workers: int) -> dict[str, float | None]:
    """Return a row's figures: on development reviews, and on the held-back half of the cases.

    ``network_accuracy`` is of the network before it is packaged; a row without a package has that alone.
    """
    trained = json.loads(stages[0].writes.with_suffix(".json").read_text(encoding="utf-8"))
    names = ("development_accuracy", "development_nll", *behaviour.MAIN_RATES)
    if len(stages) == 1:
        return {"network_accuracy": trained["best"]["accuracy"], **dict.fromkeys(names)}
    model = stages[-1].writes.parent
    labels = np.array([review.label for review in data.development])
    summary = evaluate.measure([review.text for review in data.development], labels, model, workers)
    return {
        "network_accuracy": trained["best"]["accuracy"],
        "development_accuracy": summary["accuracy"],
        "development_nll": summary["nll"],
        **behaviour.main_rates(model, data.development),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table to print: rates in percent, the likelihood in nats, "-" for none."""
    names = list(rows[0])[1:]
    lines = [f"{'without':28}" + "".join(f"{name.replace('_', ' '):>22}" for name in names)]
    for row in rows:
        cells = [_cell(name, row[name]) for name in names]
        lines.append(f"{row['without'] or '(nothing)':28}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if name.endswith("nll") else f"{100 * value:.1f} %"


def noted(options: argparse.Namespace, folder: Path) -> dict[str, list[tuple[Stage, Path]]]:
    """Return each row's stages to run, each with the path of its note.

    The recipe's own stages have their notes where reproduce.py reads them.
    """
    rows = {}
    for name, stages in variants(options.seed, folder, options.epochs).items():
        first = targets_without_mpnet(folder) if name == UNJUDGED else []
        rows[name] = [(stage, folder / f"{stage.name}.json") for stage in first]
        rows[name] += [(stage, folder / "ablation" / f"{stage.name}.json") for stage in stages]
    return rows


def print_stages(options: argparse.Namespace) -> None:
    """Print each stage and whether it is done."""
    for stages in noted(options, reproduce.stages_folder()).values():
        for stage, note in stages:
            print(f"{'done' if reproduce.is_done(stage, note) else 'open'}  {stage.name}")


def measure(options: argparse.Namespace, pretrained: Path) -> list[dict[str, Any]]:
    """Run the stages that are not done yet; return and print the figures of each row."""
    folder = reproduce.stages_folder()
    if not vectors_in(folder).is_file():
        save_vectors(pretrained, vectors_in(folder))
    data = dataset.load(dataset.find_archive(options.archive))
    rows: list[dict[str, Any]] = []
    to_run = noted(options, folder)
    for name, stages in variants(options.seed, folder, options.epochs).items():
        for stage, note in to_run[name]:
            if not reproduce.is_done(stage, note):
                reproduce.run(stage, note)
        without = None if name == WHOLE else name
        rows.append({"without": without, **figures_of(stages, data, options.workers)})
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
