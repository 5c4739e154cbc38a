"""Teachers' soft targets: blended, cut into sentences, written, loaded and trained on."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from training.data import corpus as corpora
from training.data import dataset, sentences
from training.data.corpus import Corpus, Split
from training.data.dataset import Dataset, Review
from training.evaluation import behaviour, metrics
from training.recipe import augment, distill, mpnet_logits, ngrams, train
from training.recipe.network import Network, Size
from vocab import vocabulary
from vocab.vocabulary import Vocabulary

CPU = torch.device("cpu")
NO_GRAMS = ngrams.Ngrams(np.zeros(ngrams.COLUMNS, dtype=np.float32), 0.0)
PRAISE = ("wonderful", "brilliant", "superb", "excellent", "delightful")
BLAME = ("terrible", "awful", "boring", "dreadful", "pathetic")
THINGS = ("script", "music", "cast", "ending", "camera", "story", "humour", "pace")


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary.load()


# --- blending -----------------------------------------------------------------------------------


def simulated(network_noise: float, gram_noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two teachers' logits of one truth, each with its own noise, and labels drawn from it."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) < metrics.probabilities_of(truth)).astype(int)
    networks = truth + rng.normal(0, network_noise, 20_000)
    return np.column_stack([networks, truth + rng.normal(0, gram_noise, 20_000)]), labels


@pytest.mark.parametrize(
    "network_noise, gram_noise, share",
    [(1.0, 1.0, 0.5), (1.0, 2.0, 0.2), (1.0, 30.0, 0.0), (9.0, 1.0, 1.0)],
)
def test_the_weights_follow_how_far_each_teacher_can_be_trusted(
    network_noise: float, gram_noise: float, share: float
) -> None:
    weights = distill.blend(*simulated(network_noise, gram_noise))
    assert weights[1] / weights.sum() == pytest.approx(share, abs=0.06)


def test_no_teacher_counts_against_itself() -> None:
    logits, labels = simulated(0.5, 0.5)
    weights = distill.blend(np.column_stack([logits[:, 0], -logits[:, 1]]), labels)
    assert weights[0] > 0.5 and weights[1] == 0


def test_the_blend_is_better_than_the_networks_alone() -> None:
    logits, labels = simulated(1.0, 1.0)
    networks = logits[:, 0]
    alone = metrics.nll(networks, labels, metrics.fit_temperature(networks, labels))
    assert metrics.nll(logits @ distill.blend(logits, labels), labels) < alone


def test_teachers_that_are_too_sure_are_cooled_down() -> None:
    logits, labels = simulated(0.0, 0.0)
    assert distill.blend(3 * logits, labels).sum() == pytest.approx(1 / 3, abs=0.02)


# --- the whole stage ----------------------------------------------------------------------------


def sentences_of(one: Review) -> list[str]:
    return [f"{part}." for part in one.text.rstrip(".").split(". ")]


def review(text: str, number: int, label: int, split: str) -> Review:
    kind = {1: "pos", 0: "neg", -1: "unsup"}[label]
    return Review(f"{split}/{kind}/{number}_{9 * max(label, 0)}.txt", text, label, 0, f"film/{number}")


def written(count: int, seed: int, split: str, labelled: bool = True) -> list[Review]:
    """Return reviews of three sentences, praising and damning by turns."""
    rng = np.random.default_rng(seed)
    reviews = []
    for number in range(count):
        verdicts = PRAISE if number % 2 else BLAME
        text = " ".join(f"The {rng.choice(THINGS)} of this film is {rng.choice(verdicts)}." for _ in range(3))
        reviews.append(review(text, number, number % 2 if labelled else -1, split))
    return reviews


def encoded(reviews: list[Review], words: Vocabulary) -> Split:
    labels = np.array([one.label for one in reviews], dtype=np.int8)
    columns = [corpora.columns_of(words.encode(one.text)) for one in reviews]
    ids, lengths = ([*column] for column in zip(*columns, strict=True))
    return Split([one.name for one in reviews], ids, lengths, labels, np.zeros(len(reviews), np.int8))


@pytest.fixture(scope="module")
def data() -> Dataset:
    unsup = written(30, 3, "train", labelled=False)
    return Dataset(written(48, 1, "train"), written(24, 2, "dev"), unsup, [], {"train": 0, "unsup": 0})


@pytest.fixture(scope="module")
def corpus(data: Dataset, words: Vocabulary) -> Corpus:
    """The data as ids; one unsup review is left out, as those without a token are."""
    splits = [encoded(reviews, words) for reviews in (data.train, data.development, data.unsup[:-1])]
    return Corpus(*splits, encoded(data.train[:2], words), "f" * 16, "a" * 64, data.left_out)


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory, words: Vocabulary) -> list[Path]:
    """Two folders like train.py's, of networks that know a little about the verdict words."""
    folders = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = Network(Size(words.size, 4, 4))
        with torch.no_grad():
            network.embedding.weight[[words.id_of(word) for word in PRAISE]] += 1
            network.embedding.weight[[words.id_of(word) for word in BLAME]] -= 1
        folder = tmp_path_factory.mktemp("teacher")
        save_file(network.state_dict(), folder / "network.safetensors")
        (folder / "network.json").write_text(json.dumps({"size": network.size._asdict()}))
        folders.append(folder)
    return folders


def labelled_sentences(reviews: list[Review]) -> list[dict[str, Any]]:
    """Return the first sentence of each review, its label that of the review; a third is held back."""
    return [
        {
            "review": one.name,
            "text": sentences_of(one)[0],
            "label": "positive" if one.label else "negative",
            "half": "held" if number % 3 == 0 else "open",
        }
        for number, one in enumerate(reviews)
    ]


@pytest.fixture
def synthetic(data: Dataset, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the synthetic data in the archive's place."""
    monkeypatch.setattr(corpora, "load", lambda archive: corpus)
    monkeypatch.setattr(dataset, "find_archive", lambda archive: Path("none"))
    monkeypatch.setattr(dataset, "load", lambda path: data)
    monkeypatch.setattr(behaviour, "load_sentences", labelled_sentences)


def test_the_teachers_logits_are_averaged(teachers: list[Path], corpus: Corpus) -> None:
    networks = [distill.load_network(folder) for folder in teachers]
    one, other = (train.predict(network, corpus.development, CPU)[0] for network in networks)
    mean = distill.mean_logits(networks, corpus.development)
    assert np.allclose(mean, (one + other) / 2, atol=1e-5)
    assert not np.allclose(one, other, atol=1e-2)


def test_targets_are_written_read_back_and_trained_on(
    synthetic: None,
    teachers: list[Path],
    data: Dataset,
    corpus: Corpus,
    words: Vocabulary,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "cache" / "soft_targets.npz"
    distill.distill(teachers, None, out, None)
    targets = augment.load_soft_targets(out)
    assert targets.unsup.shape == (len(corpus.unsup),) == (29,)
    # The n-gram model alone is right here, so the blend is as well: by turns blame and praise.
    assert ((targets.unsup > 0.5) == np.arange(29) % 2).all()

    texts = {tuple(words.encode_ids(text)) for one in data.train + data.unsup for text in sentences_of(one)}
    assert len(targets.sentences.ids) == len(targets.sentences.targets) == 2 * 48 + 2 * 30
    assert [one.tolist() for one in targets.sentences.lengths] == [
        [len(ids)] for ids in targets.sentences.ids
    ]
    assert {tuple(ids.tolist()) for ids in targets.sentences.ids} <= texts
    highest = 1 / (1 + np.exp(-distill.MAX_SENTENCE_LOGIT))
    assert targets.sentences.targets.dtype == np.float32
    assert 1 - highest - 1e-6 <= targets.sentences.targets.min() < 0.5
    assert 0.5 < targets.sentences.targets.max() <= highest + 1e-6
    praise = [words.id_of(word) for word in PRAISE]
    praised = [bool(np.isin(ids, praise).any()) for ids in targets.sentences.ids]
    # Of the review that is left out nothing is known but its sentences.
    assert (targets.sentences.targets > 0.5).tolist()[:-2] == praised[:-2]

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("distill: without MPNet: development accuracy 1.0000, nll 0.")
    assert [line.split(": ")[1] for line in lines[1:3]] == [kind["name"] for kind in targets.teachers]
    assert lines[3].endswith("together with the review's label 1.000")
    assert lines[4:] == [f"distill: 29 reviews and 156 sentences in {out}"]

    monkeypatch.setattr(train, "uses_bf16", lambda device: False)
    options = train.parse(
        [
            "--soft-targets",
            str(out),
            "--epochs",
            "1",
            "--batch",
            "32",
            "--model-dir",
            str(tmp_path / "student"),
        ]
    )
    student = Network(Size(words.size, 4, 4))
    before = student.polarity.weight.detach().clone()
    train.fit(student, corpus, options, CPU)
    assert student.polarity.weight.ne(before).any()
    assert "polarity.weight" in load_file(tmp_path / "student" / "network.safetensors")


def test_mpnet_decides_what_the_others_doubt_and_it_has_judged(
    synthetic: None,
    teachers: list[Path],
    data: Dataset,
    words: Vocabulary,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others know nothing here. MPNet knows what it has judged: all but every third review."""

    def known(texts: Sequence[str]) -> np.ndarray:
        praised = [any(word in text for word in PRAISE) for text in texts]
        return np.where(praised, 4.0, -4.0).astype(np.float32)

    unsup = known([one.text for one in data.unsup])
    unsup[::3] = np.nan
    logits = mpnet_logits.Logits(
        known([one.text for one in data.development]),
        known([row["text"] for row in labelled_sentences(data.development)]),
        unsup,
        known(sentences.cut_all(data, words).texts),
    )
    mpnet_logits.save(logits, tmp_path / "mpnet.npz")
    monkeypatch.setattr(ngrams, "fit", lambda ids, labels: NO_GRAMS)
    monkeypatch.setattr(distill, "mean_logits", lambda networks, split: np.zeros(len(split), np.float32))
    distill.distill(teachers, tmp_path / "mpnet.npz", tmp_path / "soft_targets.npz", None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("distill: without MPNet: development accuracy 0.5000, nll 0.69")
    assert lines[1].startswith(
        "distill: with MPNet for the doubtful reviews: development accuracy 1.0000, nll 0.0"
    )
    targets = augment.load_soft_targets(tmp_path / "soft_targets.npz")
    assert [kind["name"] for kind in targets.teachers][-1] == distill.MPNET
    rows = np.arange(29)
    assert (np.abs(targets.unsup - rows % 2) < 0.1).tolist() == (rows % 3 > 0).tolist()
    assert (targets.unsup[::3] == 0.5).all()
    praised = known(sentences.cut_all(data, words).texts) > 0
    assert ((targets.sentences.targets > 0.5) == praised).all()


def test_only_the_open_labelled_sentences_are_fitted(
    synthetic: None, teachers: list[Path], data: Dataset, words: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = distill.Teachers([distill.load_network(folder) for folder in teachers], NO_GRAMS, None)

    def with_wrong_held(reviews: list[Review]) -> list[dict[str, Any]]:
        other = {"positive": "negative", "negative": "positive"}
        rows = labelled_sentences(reviews)
        return [row | {"label": other[row["label"]]} if row["half"] == "held" else row for row in rows]

    leaning = {review.name: 2.0 * review.label - 1 for review in data.train}
    one = distill.sentence_targets(own, data, words, leaning)
    monkeypatch.setattr(behaviour, "load_sentences", with_wrong_held)
    other = distill.sentence_targets(own, data, words, leaning)
    assert np.array_equal(one.targets, other.targets)
    # A praising review's sentence rather praises.
    praising = distill.sentence_targets(own, data, words, {name: 1.0 for name in leaning})
    assert praising.targets[: 2 * 48].mean() > one.targets[: 2 * 48].mean()


# --- the command --------------------------------------------------------------------------------


def ended(monkeypatch: pytest.MonkeyPatch, *flags: str) -> str:
    """Run the command where it should fail; return its message."""
    monkeypatch.setattr(sys, "argv", ["distill.py", *flags])
    with pytest.raises(SystemExit) as stopped:
        distill.main()
    return str(stopped.value)


def test_a_teacher_that_is_not_trained_is_one_sentence(
    synthetic: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ended(
        monkeypatch, "--teacher", str(tmp_path / "no"), "--out", str(tmp_path / "soft_targets.npz")
    )
    assert message == f"distill: no file {tmp_path / 'no' / 'network.json'}; train the teachers first"
    assert not (tmp_path / "soft_targets.npz").exists()


def test_a_disk_that_is_full_is_one_sentence(
    synthetic: None, teachers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(augment, "write_atomic", full)
    message = ended(monkeypatch, "--teacher", str(teachers[0]), "--out", str(tmp_path / "soft_targets.npz"))
    assert message == "distill: a file can't be written or read ([Errno 28] No space left on device)"


def test_a_missing_archive_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--teacher", str(tmp_path), "--out", str(tmp_path / "soft_targets.npz")]
    message = ended(monkeypatch, *flags, "--archive", "/nowhere.tar.gz")
    assert message.startswith("distill: no IMDb archive at /nowhere.tar.gz; ")
