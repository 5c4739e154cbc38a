"""Graded sentences: what is stored, and how they take the place of the teachers' targets."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from training.data import dataset
from training.data.dataset import Dataset, Review
from training.evaluation import behaviour, opinion
from training.recipe import augment, grades
from training.recipe.augment import Examples, SoftTargets
from vocab import vocabulary

TEXT = "What a dull film. We saw it in May. I loved every minute of it."
DATA = Dataset([Review("train/pos/1_9.txt", TEXT, 1, 9, "film")], [], [], [], {"train": 0, "unsup": 0})
STORED = """review,start,end,grade
train/pos/1_9.txt,0,17,-2
train/pos/1_9.txt,18,35,0
train/pos/1_9.txt,900,935,2
unsup/77_0.txt,0,9,1
"""


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "graded.csv"
    path.write_text(STORED)
    monkeypatch.setattr(grades, "STORED", path)


def soft_targets_of(texts: list[str]) -> SoftTargets:
    ids = [np.array(vocabulary.load().encode_ids(text), dtype=np.int32) for text in texts]
    targets = np.linspace(0.25, 0.75, len(ids)).astype(np.float32)
    return SoftTargets(np.zeros(3, np.float32), Examples(ids, augment.whole(ids), targets), [{"name": "one"}])


@pytest.mark.usefixtures("stored")
def test_the_sentences_text_comes_from_the_archive_and_other_reviews_are_left_out() -> None:
    assert grades.load(DATA.train) == [
        ("train/pos/1_9.txt", "What a dull film.", -2),
        ("train/pos/1_9.txt", "We saw it in May.", 0),
    ]


def test_the_teachers_targets_move_as_far_as_the_grades_say() -> None:
    draw = np.random.default_rng(1)
    truth = draw.normal(0, 2, 3_000)
    known = expit(2 * truth - 0.3)  # twice as sure as the grades, and with a lean
    moved = grades.calibrated(expit(np.array([-4.3, -0.3, 3.7])), known, expit(truth))
    assert moved.tolist() == pytest.approx(expit(np.array([-2.0, 0.0, 2.0])), abs=0.01)
    assert moved.dtype == np.float32
    nothing = np.zeros(0)
    assert grades.calibrated(moved, nothing, nothing) is moved


@pytest.mark.usefixtures("stored")
def test_a_grade_replaces_the_teachers_target_and_comes_several_times() -> None:
    before = soft_targets_of(["I loved every minute of it.", "What a dull film."])
    rows = grades.load(DATA.train)
    after = grades.join(before, rows, vocabulary.load())
    texts = ["I loved every minute of it."] + [row.text for row in rows] * grades.TIMES
    assert [ids.tolist() for ids in after.sentences.ids] == [
        vocabulary.load().encode_ids(text) for text in texts
    ]
    assert after.sentences.targets[1:].tolist() == pytest.approx([0.03, 0.5] * grades.TIMES)
    assert [one.tolist() for one in after.sentences.lengths] == [[len(ids)] for ids in after.sentences.ids]
    assert after.unsup is before.unsup
    assert after.teachers == before.teachers


@pytest.mark.usefixtures("stored")
def test_the_command_writes_a_file_for_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dataset, "find_archive", lambda path: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: DATA)
    taught, out = tmp_path / "taught.npz", tmp_path / "out.npz"
    augment.save_soft_targets(soft_targets_of(["What a dull film."]), taught)
    monkeypatch.setattr(sys, "argv", ["grades.py", "--soft-targets", str(taught), "--out", str(out)])
    grades.main()
    assert len(augment.load_soft_targets(out).sentences.ids) == 2 * grades.TIMES
    assert capsys.readouterr().out == f"grades: 2 graded of 4 sentences in {out}\n"


def test_a_missing_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "find_archive", lambda path: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: DATA)
    none = str(tmp_path / "none.npz")
    monkeypatch.setattr(sys, "argv", ["grades.py", "--soft-targets", none, "--out", none])
    with pytest.raises(SystemExit, match=r"^grades: .*none.npz: No such file or directory$"):
        grades.main()


def test_every_graded_sentence_is_of_a_training_or_development_review(imdb: Dataset) -> None:
    taught, measured = grades.load([*imdb.train, *imdb.unsup]), grades.load(imdb.development)
    assert len(taught) > 90_000
    assert len(measured) > 2_000
    assert len(taught) + len(measured) == len(grades.STORED.read_text().splitlines()) - 1
    for rows in (taught, measured):
        assert {row.grade for row in rows} == set(grades.TARGETS)
        assert all(row.text == row.text.strip() != "" for row in rows)


def test_no_review_with_a_labelled_case_calibrates(imdb: Dataset) -> None:
    development = imdb.development
    cases = [*behaviour.load_sentences(development), *opinion.load_cases(development)]
    assert not {row.get("review") for row in cases} & {row.review for row in grades.load(development)}
