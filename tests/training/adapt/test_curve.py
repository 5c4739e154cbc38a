"""The learning curve: sentences from their package, separate test products, equal measurement."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from training.adapt import curve
from training.adapt.curve import Approach, Task

LINES = "1_1\t-2.5\tIt broke.\n1_2\t0.2\tIt came on Monday.\n2_1\t3.0\tLovely.\n"


def package(folder: Path, lines: str) -> Path:
    """Write a source distribution that holds an archive that holds the sentences."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        _add(archive, curve.SENTENCES, lines.encode())
    path = folder / curve.NAME
    with tarfile.open(path, "w:gz") as archive:
        _add(archive, curve.INNER, inner.getvalue())
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def task(sentences: int) -> Task:
    texts = [f"Sentence {number}" for number in range(sentences)]
    labels = np.arange(sentences) % 2
    return Task(texts, labels, np.arange(sentences) // 4, [(np.array([5, 6]), np.array([2]))], np.array([1]))


def test_sentences_without_a_side_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = package(tmp_path, LINES)
    monkeypatch.setattr(curve, "SHA256", curve.sha256(path.read_bytes()))
    texts, labels, groups = curve.sentences(path)
    assert texts == ["It broke.", "Lovely."]
    assert (labels.tolist(), groups.tolist()) == ([0, 1], [1, 2])


def test_another_file_than_the_known_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not vaderSentiment"):
        curve.sentences(package(tmp_path, LINES))


def test_no_product_lends_both_labels_and_test_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "SIZES", (10, 30))
    monkeypatch.setattr(curve, "_features", lambda task: None)
    sent: list[tuple[set[int], set[int], int]] = []

    def learn(task: Task, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, None]:
        sent.append((set(task.groups[rows]), set(task.groups[test]), len(rows)))
        return np.where(task.labels[test] == 1, 1.0, -1.0), None

    found = curve.measure(Approach("right", learn), task(120))
    assert [row["accuracy"] for row in found["rows"]] == [1.0, 1.0]
    assert [size for _, _, size in sent] == [10] * curve.SPLITS + [30] * curve.SPLITS
    assert all(not learned & tested for learned, tested, _ in sent)


def test_words_trained_anew_learn_what_their_labels_say() -> None:
    texts = [f"The lamp is {('sturdy', 'flimsy')[number % 2]}" for number in range(60)]
    labels = 1 - np.arange(60) % 2
    made = Task(texts, labels, np.arange(60), [], np.array([]))
    logits, _ = curve.train_from_scratch(made, np.arange(40), np.arange(40, 60))
    assert ((logits > 0) == (labels[40:] == 1)).all()
