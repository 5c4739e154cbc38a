"""The ablation's trainings: one thing left out each, and everything else as published."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from training.data.dataset import Dataset
from training.recipe import ablate, reproduce, train
from training.recipe.augment import load_frames


def trainings(folder: Path) -> dict[str, train.argparse.Namespace]:
    rows = ablate.variants(1, folder, 1)
    return {name: train.parse(stages[0].command[1:]) for name, stages in rows.items()}


def test_each_row_leaves_out_one_thing(tmp_path: Path) -> None:
    rows = trainings(tmp_path)
    whole = rows.pop(ablate.WHOLE)
    changed = {
        name: {key for key, value in vars(row).items() if value != getattr(whole, key)} - {"model_dir"}
        for name, row in rows.items()
    }
    assert changed == {
        "sentence reading": {"whole_reviews"},
        "language models": {"pretrained"},
        "n-grams": set(),
        "soft targets and grades": {"soft_targets"},
        "grades": {"soft_targets"},
        "MPNet": {"soft_targets"},
        "swapped reviews": {"swaps"},
        "lessons": {"lessons"},
        **dict.fromkeys(ablate.LESSONS, {"without_lessons"}),
    }
    assert Path(rows["language models"].pretrained).name == "vectors.safetensors"
    assert rows["soft targets and grades"].soft_targets is None
    assert Path(rows["grades"].soft_targets).name == "taught.npz"
    assert Path(whole.soft_targets).name == "graded.npz"


def test_the_whole_row_is_the_student_s_training_but_shorter(tmp_path: Path) -> None:
    student = next(stage for stage in reproduce.recipe(1, tmp_path) if stage.name == "student-1")
    published = train.parse(student.command[1:])
    whole = trainings(tmp_path)[ablate.WHOLE]
    differing = {key for key, value in vars(published).items() if value != getattr(whole, key)}
    assert differing <= {"model_dir", "epochs", "batch"}
    assert (whole.epochs, whole.batch) == (1, ablate.BATCH)


def test_rows_lie_apart_from_each_other_and_from_the_recipe(tmp_path: Path) -> None:
    rows = ablate.variants(1, tmp_path, 1)
    outputs = [stage.writes for stages in rows.values() for stage in stages]
    assert len(set(outputs)) == len(outputs) - 1  # without n-grams the training is that of everything
    assert not set(outputs) & {stage.writes for stage in reproduce.recipe(1, tmp_path)}
    names = {stage.name for stages in rows.values() for stage in stages}
    assert len(names) == len(set(outputs))


def test_the_row_without_n_grams_is_the_training_of_everything(tmp_path: Path) -> None:
    rows = ablate.variants(1, tmp_path, 1)
    assert rows["n-grams"][0] == rows[ablate.WHOLE][0]
    assert len(rows["n-grams"]) == 2 and "--ngrams" not in rows["n-grams"][1].command


def test_a_row_s_n_grams_leave_out_the_same_thing(tmp_path: Path) -> None:
    rows = ablate.variants(1, tmp_path, 1)
    commands = {name: [stage.command for stage in stages[1:-1]] for name, stages in rows.items()}
    for name in ("soft targets and grades", "grades", "MPNet"):
        assert [command[0] for command in commands[name]] == ["ngrams.py", "ngram_residual.py"]
    assert not any("--soft-targets" in command for command in commands["soft targets and grades"])
    for command in commands["grades"]:
        assert command[command.index("--soft-targets") + 1] == str(tmp_path / "taught.npz")
    assert [command[0] for command in commands["lessons"]] == ["ngram_residual.py"]
    assert "--lessons" not in commands["lessons"][0] and "--soft-targets" in commands["lessons"][0]
    for name, topics in ablate.LESSONS.items():
        (command,) = commands[name]
        assert command[-2:] == ["--without-lessons", topics]


def test_the_row_without_mpnet_makes_its_soft_targets_first(tmp_path: Path) -> None:
    options = train.argparse.Namespace(seed=1, epochs=1)
    stages = ablate.noted(options, tmp_path)["MPNet"]
    commands = [stage.command for stage, _ in stages]
    assert [command[0] for command in commands[:3]] == ["train.py", "distill.py", "grades.py"]
    assert not any("--mpnet" in command for command in commands)
    # A full run of the recipe has made the first two already.
    own = {stage.name: tmp_path / f"{stage.name}.json" for stage in reproduce.recipe(1, tmp_path)}
    assert [note for _, note in stages[:2]] == [own["teacher-1"], own["doubts"]]
    assert stages[3][0].command[stages[3][0].command.index("--soft-targets") + 1] == str(stages[2][0].writes)


def test_a_network_of_whole_reviews_has_no_package(tmp_path: Path) -> None:
    (network,) = ablate.variants(1, tmp_path, 1)["sentence reading"]
    assert "--whole-reviews" in network.command
    network.writes.parent.mkdir(parents=True)
    network.writes.with_suffix(".json").write_text('{"best": {"accuracy": 0.875}}', encoding="utf-8")
    figures = ablate.figures_of([network], Dataset([], [], [], [], {}), 1)
    assert figures.pop("network_accuracy") == 0.875
    assert figures and set(figures.values()) == {None}
    assert ablate.table([{"without": "sentence reading", "nll": None}]).split()[-1] == "-"


def test_every_group_of_lessons_leaves_some_out_and_keeps_most() -> None:
    frames = [f"{frame.label} {frame.topic}" for frame in load_frames()]
    for name, topics in ablate.LESSONS.items():
        found = [frame for frame in frames if re.search(topics, frame)]
        assert 0 < len(found) < len(frames) / 3, name
        word = name.split()[-1].rstrip("s") if name != "lessons without a side" else "neutral"
        assert any(word in frame for frame in found)


def test_every_stage_of_a_row_reads_what_the_recipe_or_an_earlier_one_wrote(tmp_path: Path) -> None:
    shared = {stage.writes for stage in reproduce.recipe(1, tmp_path)[:-3]} | {ablate.vectors_in(tmp_path)}
    shared |= {stage.writes for stage in ablate.targets_without_mpnet(tmp_path)}
    for stages in ablate.variants(1, tmp_path, 1).values():
        there = set(shared)
        for stage in stages:
            assert set(stage.reads) <= there, stage.name
            assert stage.reads or stage.command[0] == "ngrams.py"  # labels alone
            there.add(stage.writes)


def test_the_saved_vectors_have_the_table_s_shape(cache: Path, tmp_path: Path) -> None:
    pretrained = tmp_path / "pretrained.safetensors"
    save_file({"embedding.weight": np.zeros((5, 3), np.float32)}, pretrained)
    with pytest.raises(ablate.dataset.DataError, match="no word vectors"):
        ablate.save_vectors(pretrained, tmp_path / "out.safetensors")
    cache.mkdir(parents=True, exist_ok=True)
    save_file({"table": np.ones((7, 3), np.float32)}, cache / "vectors-a.safetensors")
    save_file({"table": np.full((5, 3), 2, np.float32)}, cache / "vectors-b.safetensors")
    ablate.save_vectors(pretrained, tmp_path / "out.safetensors")
    weights = load_file(tmp_path / "out.safetensors")["embedding.weight"]
    assert weights.shape == (5, 3) and (weights == 2).all()


def test_a_table_names_every_row() -> None:
    rows = [
        {"without": None, "development_accuracy": 0.91, "development_nll": 0.2},
        {"without": "lessons", "development_accuracy": 0.905, "development_nll": 0.21},
    ]
    lines = ablate.table(rows).splitlines()
    assert lines[1].split() == ["(nothing)", "91.0", "%", "0.2000"]
    assert lines[2].split() == ["lessons", "90.5", "%", "0.2100"]
