"""The published model's recipe, stage by stage, from the archive to training/endpoint/model/.

    python -m training.recipe.reproduce              # runs what is not done yet
    python -m training.recipe.reproduce --list       # prints the stages and which are done
    python -m training.recipe.reproduce --seed 2 --package DIR      # another last training, packaged elsewhere
    python -m training.recipe.reproduce --kept       # without teachers: their answers are in training/recipe/soft_targets.npz

Each stage is a command of this folder. Its output lies in the cache folder, with a note of the
command and of the hashes of what went in and came out, so a stage runs again only when one of those
has changed. A stopped stage goes on where it was. Another seed repeats the last training alone.
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
from training.recipe import augment, soft_targets
from vocab import vocabulary
from vocab.files import sha256_of, write_atomic

PRETRAINING = ["--lm-epochs", "2"]
# Teachers are not served, so they may be wider than the student.
WIDE = ["--hidden", "256"]
TEACHERS = (1, 2)
TEACHER = ["--epochs", "4"]
TRANSFORMER = ["--epochs", "2"]
STUDENT = ["--epochs", "4", "--swaps", "0.5", "--lessons", "80000", "--lr", "3e-3"]
# Scripts whose work several processes share.
SHARED = ("pretrain.py", "train.py", "transformer.py")
# More processes than this would have too few rows each.
MOST_PROCESSES = 4


class Stage(NamedTuple):
    """A command, the files it reads from earlier stages, and the file that it writes."""

    name: str
    command: list[str]
    reads: list[Path]
    writes: Path


def recipe(
    seed: int, folder: Path, package: Path = inference.MODEL_FOLDER, kept: bool = False
) -> list[Stage]:
    """Give the stages in order. ``seed`` is the last training's; the teachers have those of TEACHERS.

    ``kept`` leaves the teachers out, since their answers are kept in the repository.
    """
    taught, transformer = folder / "taught.npz", folder / "transformer"
    teachers = [folder / f"teacher-{number}" for number in TEACHERS]
    student = folder / f"student-{seed}"

    def pretraining(name: str, *flags: str) -> Stage:
        out = folder / f"{name}.safetensors"
        return Stage(name, ["pretrain.py", "--out", str(out), *PRETRAINING, *flags], [], out)

    def training(out: Path, seed: int, pretrained: Stage, flags: list[str], reads: list[Path]) -> Stage:
        places = ["--model-dir", str(out), "--pretrained", str(pretrained.writes)]
        command = ["train.py", "--resume", *places, "--seed", str(seed), *flags]
        return Stage(out.name, command, [pretrained.writes, *reads], out / "network.safetensors")

    narrow, wide = pretraining("pretrained"), pretraining("pretrained-wide", *WIDE)
    taught_by = [part for one in teachers for part in ("--teacher", str(one))]
    tuned = transformer / "transformer.safetensors"
    asking = [
        wide,
        *(
            training(one, number, wide, WIDE + TEACHER, [])
            for number, one in zip(TEACHERS, teachers, strict=True)
        ),
        Stage("transformer", ["transformer.py", "--out", str(transformer), *TRANSFORMER], [], tuned),
        Stage(
            "taught",
            ["distill.py", "--out", str(taught), *taught_by, "--transformer", str(transformer)],
            [*(teacher / "network.safetensors" for teacher in teachers), tuned],
            taught,
        ),
    ]
    if kept:
        asking = [Stage("taught", ["soft_targets.py", "--out", str(taught)], [soft_targets.KEPT], taught)]
    return [
        narrow,
        *asking,
        training(student, seed, narrow, [*STUDENT, "--taught", str(taught)], [taught]),
        Stage(
            f"package-{seed}",
            ["export.py", "--network", str(student), "--out", str(package)],
            [student / "network.safetensors"],
            package / "model.onnx",
        ),
    ]


def note_of(stage: Stage) -> dict[str, object]:
    """Give what a stage depends on: its command, the vocabulary, the files it reads, and its lessons."""
    lessons = sorted(augment.FOLDER.glob("*.json*")) if "--lessons" in stage.command else []
    return {
        "command": stage.command,
        "lessons": {path.name: sha256_of(path) for path in lessons},
        "vocabulary": vocabulary.load().fingerprint,
        "reads": {f"{path.parent.name}/{path.name}": sha256_of(path) for path in stage.reads},
    }


def is_done(stage: Stage, note: Path) -> bool:
    """Say whether a stage's output is there and was made from what is there now."""
    if not (stage.writes.is_file() and note.is_file() and all(path.is_file() for path in stage.reads)):
        return False
    kept = json.loads(note.read_text(encoding="utf-8"))
    return kept["writes"] == sha256_of(stage.writes) and kept["made_from"] == note_of(stage)


def processes_here() -> int:
    """Give how many processes share a training: one a GPU, or one a core."""
    return torch.cuda.device_count() or min(os.cpu_count() or 1, MOST_PROCESSES)


def launch(command: list[str], processes: int) -> list[str]:
    """Give the command line of a stage; trainings share their batches among ``processes``."""
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
    """Run a stage and note what it made. Raises SystemExit when it fails."""
    began = time.monotonic()
    ended = subprocess.run(launch(stage.command, processes_here()))
    if ended.returncode:
        sys.exit(f"best: stage {stage.name} failed; run it again to go on where it stopped")
    minutes = (time.monotonic() - began) / 60
    kept = {"made_from": note_of(stage), "writes": sha256_of(stage.writes), "minutes": round(minutes, 1)}
    write_atomic(note, (json.dumps(kept, indent=2) + "\n").encode())
    print(f"best: {stage.name} done in {minutes:.1f} minutes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the published model's recipe.")
    parser.add_argument("--seed", type=int, default=1, help="seed of the last training (default 1)")
    parser.add_argument(
        "--package",
        type=Path,
        default=inference.MODEL_FOLDER,
        help="package folder (training/endpoint/model)",
    )
    parser.add_argument("--kept", action="store_true", help="take the teachers' answers from targets.npz")
    parser.add_argument("--until", help="stop after this stage")
    parser.add_argument("--list", action="store_true", help="print the stages and which are done")
    options = parser.parse_args()
    folder = cache.folder() / "best"
    stages = recipe(options.seed, folder, options.package, options.kept)
    names = [stage.name for stage in stages]
    if options.until not in (None, *names):
        sys.exit(f"best: no stage {options.until}; the stages are {', '.join(names)}")
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
