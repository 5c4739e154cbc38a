"""Reproduce the published model, stage by stage, from the archive to training/endpoint/model/.

    python -m training.recipe.reproduce              # runs the stages that are not done
    python -m training.recipe.reproduce --list       # prints each stage and whether it is done
    python -m training.recipe.reproduce --seed 2 --package DIR       # another last training, elsewhere
    python -m training.recipe.reproduce --stored-targets     # without teachers, from soft_targets.npz here

Each stage is a command of this folder. Its output lies in the cache folder, beside a note of the
command and of the hashes of its inputs and its output. A stage runs again only when one of those
has changed. A stopped stage continues. Another seed repeats the student's training and what follows.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

from training.data import cache
from training.endpoint import inference
from training.recipe import augment, grades, soft_targets, word_vectors
from vocab import vocabulary
from vocab.files import sha256_of, write_atomic

PRETRAINING = ["--lm-epochs", "2"]
# The first network learns from labels alone, and then teaches.
TEACHER_SEED = 1
TEACHER = ["--epochs", "2", "--swaps", "0.5", "--lessons", "100000"]
STUDENT = ["--epochs", "3", "--batch", "64", "--swaps", "0.5", "--lessons", "320000", "--lr", "4e-3"]
LESSONS = ["--lessons", "120000"]  # of the n-grams' correction
# Published cards name the distillation's minutes by this stage.
DISTILLATION = "taught"
# Scripts whose work several processes share.
SHARED = ("pretrain.py", "train.py")
# With more processes each would have too few rows.
MAX_PROCESSES = 4
STORED_TARGETS_HELP = "take the teachers' soft targets from training/recipe/soft_targets.npz"


class Stage(NamedTuple):
    """Hold a command, the files it reads from earlier stages, and the file that it writes."""

    name: str
    command: list[str]
    reads: list[Path]
    writes: Path


def stages_folder() -> Path:
    """Return the folder of the stages' outputs and notes."""
    return cache.folder() / "best"


def recipe(
    seed: int, folder: Path, package: Path = inference.MODEL_FOLDER, stored_targets: bool = False
) -> list[Stage]:
    """Return the stages in order. ``seed`` is the student's; the teacher has TEACHER_SEED.

    ``stored_targets`` leaves the teachers out: their soft targets come from training/recipe/soft_targets.npz.
    """
    pretrained = pretraining(folder / "pretrained.safetensors", [])
    distillation = restoration(folder) if stored_targets else teachers(folder, pretrained)
    joined = graded(folder / "graded.npz", distillation[-1].writes)
    targets = ["--soft-targets", str(joined.writes)]
    student = training(folder / f"student-{seed}", seed, pretrained, [*STUDENT, *targets], [joined.writes])
    model = folder / "ngrams.npz"
    ngrams = Stage("ngrams", ["ngrams.py", "--out", str(model), *targets], [joined.writes], model)
    corrected = residual(folder / f"ngrams-{seed}.npz", student, ngrams, joined.writes)
    return [
        pretrained,
        *distillation,
        joined,
        ngrams,
        student,
        corrected,
        packaging(f"package-{seed}", package, student, corrected),
    ]


def teachers(folder: Path, pretrained: Stage) -> list[Stage]:
    """Return the stages that train the teachers and distill them, MPNet for what the others doubt."""
    network = training(folder / f"teacher-{TEACHER_SEED}", TEACHER_SEED, pretrained, TEACHER, [])
    flags = ["--teacher", str(network.writes.parent)]
    doubts = folder / "doubts.npz"
    first = Stage("doubts", ["distill.py", "--out", str(doubts), *flags], [network.writes], doubts)
    mpnet = folder / "mpnet"
    tuned = Stage("mpnet", ["mpnet.py", "--out", str(mpnet)], [], mpnet / "mpnet.safetensors")
    logits = folder / "mpnet-logits.npz"
    judging = Stage(
        "mpnet-logits",
        ["mpnet_logits.py", "--mpnet", str(mpnet), "--targets", str(doubts), "--out", str(logits)],
        [tuned.writes, doubts],
        logits,
    )
    out = folder / f"{DISTILLATION}.npz"
    distillation = Stage(
        DISTILLATION,
        ["distill.py", "--out", str(out), *flags, "--mpnet", str(logits)],
        [network.writes, logits],
        out,
    )
    return [network, first, tuned, judging, distillation]


def restoration(folder: Path) -> list[Stage]:
    """Return the stage that restores the stored soft targets, in the place of all teachers."""
    out = folder / f"{DISTILLATION}.npz"
    return [Stage(DISTILLATION, ["soft_targets.py", "--out", str(out)], [soft_targets.STORED], out)]


def graded(out: Path, soft_targets_file: Path) -> Stage:
    """Return the stage that joins the graded sentences to the teachers' soft targets."""
    command = ["grades.py", "--soft-targets", str(soft_targets_file), "--out", str(out)]
    return Stage(out.stem, command, [soft_targets_file, grades.STORED], out)


def pretraining(out: Path, flags: list[str]) -> Stage:
    """Return a pretraining that writes ``out``."""
    command = ["pretrain.py", "--out", str(out), *PRETRAINING, *flags]
    return Stage(out.stem, command, [word_vectors.STORED], out)


def training(out: Path, seed: int, start: Stage, flags: list[str], reads: list[Path]) -> Stage:
    """Return a training that starts from what ``start`` writes and writes the folder ``out``."""
    places = ["--model-dir", str(out), "--pretrained", str(start.writes)]
    command = ["train.py", "--resume", *places, "--seed", str(seed), *flags]
    return Stage(out.name, command, [start.writes, *reads], out / "network.safetensors")


def residual(out: Path, network: Stage, ngrams: Stage, soft_targets_file: Path) -> Stage:
    """Return the fit of the n-grams' weights beside a network; it writes ``out``."""
    flags = ["--network", str(network.writes.parent), "--ngrams", str(ngrams.writes), *LESSONS]
    flags += ["--soft-targets", str(soft_targets_file), "--out", str(out)]
    reads = [network.writes, ngrams.writes, soft_targets_file]
    return Stage(out.stem, ["ngram_residual.py", *flags], reads, out)


def packaging(name: str, out: Path, network: Stage, ngrams: Stage) -> Stage:
    """Return the export of a network and its n-grams into the folder ``out``."""
    flags = ["--network", str(network.writes.parent), "--ngrams", str(ngrams.writes), "--out", str(out)]
    return Stage(name, ["export.py", *flags], [network.writes, ngrams.writes], out / "model.onnx")


def inputs_of(stage: Stage) -> dict[str, object]:
    """Return what a stage depends on: its command, the vocabulary, the files it reads, and its lessons."""
    lessons = sorted(augment.FOLDER.glob("*.json*")) if "--lessons" in stage.command else []
    return {
        "command": stage.command,
        "lessons": {path.name: sha256_of(path) for path in lessons},
        "vocabulary": vocabulary.load().fingerprint,
        "reads": {f"{path.parent.name}/{path.name}": sha256_of(path) for path in stage.reads},
    }


def is_done(stage: Stage, note: Path) -> bool:
    """Return whether a stage's output exists and was made from its present inputs."""
    if not (stage.writes.is_file() and note.is_file() and all(path.is_file() for path in stage.reads)):
        return False
    made: dict[str, object] = json.loads(note.read_text(encoding="utf-8"))
    return made["writes"] == sha256_of(stage.writes) and made["made_from"] == inputs_of(stage)


def process_count() -> int:
    """Return the number of processes that share a training: one a GPU, or one a core."""
    return torch.cuda.device_count() or min(os.cpu_count() or 1, MAX_PROCESSES)


def launch(command: list[str], processes: int) -> list[str]:
    """Return the command line of a stage; trainings share their batches among ``processes``."""
    script, *flags = command
    shared = script in SHARED and processes > 1
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return [
        sys.executable,
        *(torchrun if shared else []),
        "-m",
        f"training.recipe.{Path(script).stem}",
        *flags,
    ]


def run(stage: Stage, note: Path) -> None:
    """Run a stage and write its note. Raises SystemExit when it fails."""
    began = time.monotonic()
    process = subprocess.run(launch(stage.command, process_count()))
    if process.returncode:
        sys.exit(f"reproduce: stage {stage.name} failed; run it again to go on where it stopped")
    minutes = (time.monotonic() - began) / 60
    made = {"made_from": inputs_of(stage), "writes": sha256_of(stage.writes), "minutes": round(minutes, 1)}
    write_atomic(note, (json.dumps(made, indent=2) + "\n").encode())
    print(f"reproduce: {stage.name} done in {minutes:.1f} minutes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Reproduce the published model.")
    parser.add_argument("--seed", type=int, default=1, help="seed of the last training (default 1)")
    parser.add_argument(
        "--package",
        type=Path,
        default=inference.MODEL_FOLDER,
        help="package folder (default: training/endpoint/model)",
    )
    parser.add_argument("--stored-targets", action="store_true", help=STORED_TARGETS_HELP)
    parser.add_argument("--until", help="stop after this stage")
    parser.add_argument("--list", action="store_true", help="print each stage and whether it is done")
    options = parser.parse_args()
    folder = stages_folder()
    stages = recipe(options.seed, folder, options.package, options.stored_targets)
    names = [stage.name for stage in stages]
    if options.until not in (None, *names):
        sys.exit(f"reproduce: no stage {options.until}; the stages are {', '.join(names)}")
    for stage in stages:
        note = folder / f"{stage.name}.json"
        done = is_done(stage, note)
        if options.list or done:
            print(f"{'done' if done else 'open'}  {stage.name:15} {' '.join(stage.command)}", flush=True)
        elif not done:
            run(stage, note)
        if stage.name == options.until:
            break


if __name__ == "__main__":
    main()
