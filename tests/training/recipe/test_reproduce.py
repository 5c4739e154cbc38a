"""The recipe's stages: in order, run when something has changed, left alone when nothing has."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from training.endpoint.inference import MODEL_FOLDER
from training.recipe import grades, reproduce, soft_targets, train, word_vectors
from training.recipe.reproduce import Stage

FOLDER = Path(reproduce.__file__).parent
# What stages read that lies in the repository.
STORED = {word_vectors.STORED, grades.STORED}
# Joins its input files and a word into its output, and logs that it ran.
JOIN = """
import pathlib, sys
log, out, word, *inputs = sys.argv[1:]
with open(log, "a") as file:
    file.write(word + chr(10))
if word == "fail":
    sys.exit(3)
pathlib.Path(out).write_text(word + "".join(pathlib.Path(path).read_text() for path in inputs))
"""


# --- the published recipe -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 5])
def test_every_stage_reads_what_an_earlier_one_wrote(seed: int, tmp_path: Path) -> None:
    stages = reproduce.recipe(seed, tmp_path)
    names = [stage.name for stage in stages]
    assert names == [
        *("pretrained", "teacher-1", "doubts", "mpnet", "mpnet-logits", "taught", "graded", "ngrams"),
        *(f"student-{seed}", f"ngrams-{seed}", f"package-{seed}"),
    ]
    there = [*STORED]
    for stage in stages:
        assert set(stage.reads) <= set(there), stage.name
        there.append(stage.writes)
    assert len(set(there)) == len(there)


def test_every_stage_is_a_script_with_the_paths_to_read_and_write(tmp_path: Path) -> None:
    for stage in reproduce.recipe(1, tmp_path):
        assert (FOLDER / stage.command[0]).is_file()
        assert {str(stage.writes), str(stage.writes.parent)} & set(stage.command), stage.name
        for path in set(stage.reads) - STORED:
            assert {str(path), str(path.parent)} & set(stage.command), stage.name


def test_the_trainings_flags_are_train_py_s_own(tmp_path: Path) -> None:
    trainings = [stage for stage in reproduce.recipe(3, tmp_path) if stage.command[0] == "train.py"]
    options = [train.parse(stage.command[1:]) for stage in trainings]
    assert [one.seed for one in options] == [1, 3]
    assert all(one.resume for one in options)
    assert [bool(one.soft_targets) for one in options] == [False, True]


def test_the_teacher_and_the_student_start_from_the_same_language_models(tmp_path: Path) -> None:
    stages = reproduce.recipe(3, tmp_path)
    trainings = [train.parse(stage.command[1:]) for stage in stages if stage.command[0] == "train.py"]
    assert [one.pretrained for one in trainings[:2]] == [str(stages[0].writes)] * 2
    assert len({one.hidden for one in trainings}) == 1


def test_mpnet_judges_what_the_first_distillation_doubts(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in reproduce.recipe(1, tmp_path)}
    assert "--mpnet" not in stages["doubts"].command
    assert stages["doubts"].writes in stages["mpnet-logits"].reads
    assert stages["mpnet-logits"].writes in stages["taught"].reads


def test_another_seed_repeats_the_student_and_what_follows(tmp_path: Path) -> None:
    one, other = reproduce.recipe(1, tmp_path), reproduce.recipe(2, tmp_path)
    assert one[:-3] == other[:-3]
    assert not {stage.writes for stage in one[-3:-1]} & {stage.writes for stage in other[-3:-1]}


def test_the_package_holds_the_n_grams_that_were_corrected_for_its_network(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in reproduce.recipe(3, tmp_path)}
    corrected, package = stages["ngrams-3"], stages["package-3"]
    assert {stages["student-3"].writes, stages["ngrams"].writes} <= set(corrected.reads)
    assert package.reads == [stages["student-3"].writes, corrected.writes]


def test_stored_targets_replace_all_teachers(tmp_path: Path) -> None:
    whole, short = (reproduce.recipe(2, tmp_path, stored_targets=flag) for flag in (False, True))
    assert [stage.name for stage in short] == [
        "pretrained",
        "taught",
        "graded",
        "ngrams",
        "student-2",
        "ngrams-2",
        "package-2",
    ]
    assert (short[0], short[2:]) == (whole[0], whole[-5:])
    assert short[1].writes == whole[-6].writes
    assert short[1].command == ["soft_targets.py", "--out", str(short[1].writes)]
    assert short[1].reads == [soft_targets.STORED]


def test_only_a_training_with_lessons_depends_on_them(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in reproduce.recipe(1, tmp_path)}
    for path in {path for stage in stages.values() for path in stage.reads} - STORED:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    assert set(reproduce.inputs_of(stages["student-1"])["lessons"]) == {  # type: ignore[call-overload]
        "antonyms.jsonl",
        "frames.jsonl",
        "lexicon.json",
        "neutral.jsonl",
        "pairs.jsonl",
    }
    assert not reproduce.inputs_of(stages["mpnet"])["lessons"]


def test_each_teacher_counts_by_its_own_hash(tmp_path: Path) -> None:
    distillation = next(stage for stage in reproduce.recipe(1, tmp_path) if stage.name == "taught")
    for number, path in enumerate(distillation.reads):
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
    assert len(reproduce.inputs_of(distillation)["reads"]) == len(distillation.reads) == 2  # type: ignore[arg-type]


def test_a_training_is_shared_by_processes_and_other_stages_are_not(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in reproduce.recipe(1, tmp_path)}
    shared = reproduce.launch(stages["teacher-1"].command, 3)
    assert shared[:5] == [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=3"]
    assert shared[5:] == ["-m", "training.recipe.train", *stages["teacher-1"].command[1:]]
    assert reproduce.launch(stages["pretrained"].command, 3)[5:7] == ["-m", "training.recipe.pretrain"]
    assert reproduce.launch(stages["teacher-1"].command, 1)[1:3] == ["-m", "training.recipe.train"]
    assert reproduce.launch(stages["taught"].command, 3)[1:3] == ["-m", "training.recipe.distill"]


# --- running it ---------------------------------------------------------------------------------


class Recipe:
    """Two tiny stages: ``first`` writes a word, ``second`` writes another one and what the first wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cache" / "best"
        self.log = folder / "log"
        self.first, self.second = "one", "two"
        self.folder.mkdir(parents=True)

    def stages(self, *_: object) -> list[Stage]:
        one, two = self.folder / "one.txt", self.folder / "two.txt"
        start = ["join.py", str(self.log)]
        return [
            Stage("first", [*start, str(one), self.first], [], one),
            Stage("second", [*start, str(two), self.second, str(one)], [one], two),
        ]

    def ran(self) -> list[str]:
        """Return the stages that ran since the last call."""
        words = self.log.read_text().split() if self.log.exists() else []
        self.log.write_text("")
        return words

    def notes(self) -> set[str]:
        return {path.name for path in self.folder.glob("*.json")}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    (tmp_path / "join.py").write_text(JOIN)

    def launch(command: list[str], processes: int) -> list[str]:
        return [sys.executable, str(tmp_path / command[0]), *command[1:]]

    monkeypatch.setattr(reproduce, "launch", launch)
    tiny = Recipe(tmp_path)
    monkeypatch.setattr(reproduce, "recipe", tiny.stages)
    return tiny


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def main(*flags: str) -> None:
        monkeypatch.setattr(sys, "argv", ["reproduce.py", *flags])
        reproduce.main()

    return main


def test_stages_run_in_order_and_note_what_they_made(recipe: Recipe, run: Callable[..., None]) -> None:
    run()
    assert recipe.ran() == ["one", "two"]
    assert (recipe.folder / "two.txt").read_text() == "twoone"
    note = json.loads((recipe.folder / "second.json").read_text())
    assert note["made_from"]["command"] == recipe.stages()[1].command
    assert note["made_from"]["reads"] == {"best/one.txt": reproduce.sha256_of(recipe.folder / "one.txt")}
    assert note["writes"] == reproduce.sha256_of(recipe.folder / "two.txt")
    assert note["minutes"] >= 0


def test_a_stage_that_is_done_is_skipped(
    recipe: Recipe, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    recipe.ran()
    capsys.readouterr()
    run()
    assert recipe.ran() == []
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["done", "first"],
        ["done", "second"],
    ]


def test_a_changed_command_runs_its_stage_and_those_that_read_it_again(
    recipe: Recipe, run: Callable[..., None]
) -> None:
    run()
    recipe.ran()
    recipe.second = "zwei"
    run()
    assert recipe.ran() == ["zwei"]
    recipe.first = "eins"
    run()
    assert recipe.ran() == ["eins", "zwei"]
    assert (recipe.folder / "two.txt").read_text() == "zweieins"


def test_a_changed_output_is_made_again_and_what_read_the_right_one_stays(
    recipe: Recipe, run: Callable[..., None]
) -> None:
    run()
    recipe.ran()
    (recipe.folder / "one.txt").write_text("changed by hand")
    run()
    assert recipe.ran() == ["one"]


@pytest.mark.parametrize("missing", ["two.txt", "second.json"])
def test_a_missing_output_or_note_runs_its_stage_again(
    missing: str, recipe: Recipe, run: Callable[..., None]
) -> None:
    run()
    recipe.ran()
    (recipe.folder / missing).unlink()
    run()
    assert recipe.ran() == ["two"]


def test_a_changed_input_is_not_done(recipe: Recipe, run: Callable[..., None]) -> None:
    run()
    stage, note = recipe.stages()[1], recipe.folder / "second.json"
    assert reproduce.is_done(stage, note)
    stage.reads[0].write_text("another input")
    assert not reproduce.is_done(stage, note)
    stage.reads[0].unlink()
    assert not reproduce.is_done(stage, note)


def test_another_vocabulary_runs_everything_again(
    recipe: Recipe, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    recipe.ran()
    monkeypatch.setattr(reproduce.vocabulary, "load", lambda: argparse.Namespace(fingerprint="another"))
    run()
    assert recipe.ran() == ["one", "two"]


def test_a_stage_that_fails_ends_with_one_sentence_and_leaves_no_note(
    recipe: Recipe, run: Callable[..., None]
) -> None:
    recipe.second = "fail"
    with pytest.raises(SystemExit) as stopped:
        run()
    assert stopped.value.code == "reproduce: stage second failed; run it again to go on where it stopped"
    assert recipe.ran() == ["one", "fail"]
    assert recipe.notes() == {"first.json"}
    recipe.second = "two"
    run()
    assert recipe.ran() == ["two"]


def test_nothing_runs_after_a_stage_that_failed(recipe: Recipe, run: Callable[..., None]) -> None:
    recipe.first = "fail"
    with pytest.raises(SystemExit, match="stage first failed"):
        run()
    assert recipe.ran() == ["fail"]
    assert recipe.notes() == set()


def test_until_stops_after_a_stage(recipe: Recipe, run: Callable[..., None]) -> None:
    run("--until", "first")
    assert recipe.ran() == ["one"]
    run("--until", "second")
    assert recipe.ran() == ["two"]


def test_until_a_stage_that_is_none_runs_nothing(recipe: Recipe, run: Callable[..., None]) -> None:
    with pytest.raises(SystemExit, match="^reproduce: no stage secnod; the stages are first, second$"):
        run("--until", "secnod")
    assert recipe.ran() == []


def test_list_prints_what_is_done_and_runs_nothing(
    recipe: Recipe, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    run("--until", "first")
    recipe.ran()
    capsys.readouterr()
    run("--list")
    assert recipe.ran() == []
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["done", "first"],
        ["open", "second"],
    ]


def test_stages_lie_in_the_cache_folder(
    cache: Path, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(reproduce, "recipe", lambda *arguments: calls.append(arguments) or [])
    run("--seed", "4", "--package", "there")
    run("--stored-targets")
    assert calls == [(4, cache / "best", Path("there"), False), (1, cache / "best", MODEL_FOLDER, True)]
