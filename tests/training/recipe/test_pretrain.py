"""Pretraining on a tiny corpus: the models learn, targets are next ids, stages are cached and resumed."""

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.support.corpus import ROWS, tiny_corpus
from tests.support.torchrun import in_two_processes
from training.recipe import pretrain
from training.recipe.network import Network, Size
from vocab.vocabulary import FIRST_KNOWN_ID, PAD_ID

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")
SIZE = Size(ROWS, 8, 8)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrain, "ROWS", 4)
    monkeypatch.setattr(pretrain, "CHUNK", 8)
    monkeypatch.setattr(pretrain, "NEGATIVES", 16)
    monkeypatch.setattr(pretrain, "uses_bf16", lambda device: False)


def options_of(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    pretrain.add_pretraining(parser)
    return parser.parse_args(flags)


def counting(count: int = 60, length: int = 12) -> list[np.ndarray]:
    """Return reviews that count upwards, so that the next word is known from the one before."""
    chooser = np.random.default_rng(0)
    width = ROWS - FIRST_KNOWN_ID
    starts = chooser.integers(width, size=count)
    return [
        (FIRST_KNOWN_ID + (start + np.arange(length)) % width).astype(np.int32) for start in starts.tolist()
    ]


def learn(documents: list[np.ndarray], out: Path, *flags: str) -> dict[str, Tensor]:
    table = torch.randn(ROWS, SIZE.embedding, generator=torch.manual_seed(0)) * 0.4
    return pretrain.train_language_models(documents, table, SIZE, options_of(*flags), out)


def last_loss(capsys: pytest.CaptureFixture[str]) -> float:
    return float(capsys.readouterr().out.split("loss ")[1].split()[0])


# --- chunks -------------------------------------------------------------------------------------


def test_targets_are_the_next_ids_in_both_directions() -> None:
    pieces = next(pretrain.chunks(counting(), 1, CPU, 0))
    width = ROWS - FIRST_KNOWN_ID
    for name, step in (("forward", 1), ("backward", -1)):
        ids, targets = pieces[name]
        assert ids.shape == targets.shape == (4, 8)
        assert torch.equal(ids[:, 1:], targets[:, :-1])
        inside = (ids != PAD_ID) & (targets != PAD_ID)
        assert inside.sum() > 20
        assert torch.equal((ids[inside] - FIRST_KNOWN_ID + step) % width, targets[inside] - FIRST_KNOWN_ID)


def test_a_chunk_goes_on_where_the_one_before_it_ended() -> None:
    stream = pretrain.chunks(counting(), 1, CPU, 0)
    one, other = next(stream), next(stream)
    for name in ("forward", "backward"):
        assert torch.equal(one[name][1][:, -1], other[name][0][:, 0])


def test_padding_parts_one_review_from_the_next() -> None:
    documents = [np.full(5, FIRST_KNOWN_ID + n, dtype=np.int32) for n in range(30)]
    ids, targets = next(pretrain.chunks(documents, 1, CPU, 0))["forward"]
    inside = (ids != PAD_ID) & (targets != PAD_ID)
    assert torch.equal(ids[inside], targets[inside])
    assert ((ids == PAD_ID) | (targets == PAD_ID)).any()


def test_skipped_chunks_are_those_of_an_uninterrupted_stream() -> None:
    whole = pretrain.chunks(counting(), 3, CPU, 0)
    later = pretrain.chunks(counting(), 3, CPU, 40)  # in the third pass
    for _ in range(40):
        next(whole)
    for _ in range(5):
        one, other = next(whole), next(later)
        assert all(torch.equal(one[name][0], other[name][0]) for name in one)


def test_another_pass_reads_the_reviews_in_another_order() -> None:
    documents = counting()
    per_pass = len(list(range(0, (60 * 13 - 1) // 4 - 8, 8)))
    stream = pretrain.chunks(documents, 1, CPU, 0)
    first = next(stream)["forward"][0]
    for _ in range(per_pass - 1):
        next(stream)
    assert not torch.equal(next(stream)["forward"][0], first)


# --- the language models ------------------------------------------------------------------------


def test_the_loss_falls_where_the_next_word_can_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(counting(), tmp_path / "a", "--lm-epochs", "0.1")
    at_first = last_loss(capsys)
    learn(counting(), tmp_path / "b", "--lm-epochs", "12")
    assert last_loss(capsys) < 0.6 * at_first


def test_the_weights_fit_a_network_and_leave_polarity_and_weighing_alone(tmp_path: Path) -> None:
    weights = learn(counting(), tmp_path / "x", "--lm-epochs", "1")
    missing, unexpected = Network(SIZE).load_state_dict(weights, strict=False)
    assert {key.split(".")[0] for key in missing} == {"polarity", "see", "weigh", "weight", "power"}
    assert unexpected == []
    assert torch.count_nonzero(weights["embedding.weight"][PAD_ID]) == 0


def test_each_direction_s_lstm_learns_by_itself(tmp_path: Path) -> None:
    weights = learn(counting(), tmp_path / "x", "--lm-epochs", "1")
    assert not torch.equal(weights["forward_lstm.weight_hh_l0"], weights["backward_lstm.weight_hh_l0"])


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path: Path) -> None:
    one, again, other = (
        learn(counting(), tmp_path / "x", "--lm-epochs", "0.5", "--pretrain-seed", seed)
        for seed in ("1", "1", "2")
    )
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not torch.equal(one["embedding.weight"], other["embedding.weight"])


def test_stopped_language_models_go_on_from_their_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights, optimizer and place in the text come back; carried states and noise start anew."""
    out = tmp_path / "x.safetensors"
    real = pretrain.write_atomic

    def write_and_stop(path: Path, data: bytes) -> None:
        real(path, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(pretrain, "write_atomic", write_and_stop)
        learn(counting(), out, "--lm-epochs", "22")
    saved = torch.load(out.with_suffix(".checkpoint.pt"), weights_only=True)  # refuses any class
    assert saved["step"] == 500
    skipped = []
    chunks = pretrain.chunks
    monkeypatch.setattr(
        pretrain, "chunks", lambda *arguments: skipped.append(arguments[3]) or chunks(*arguments)
    )
    capsys.readouterr()
    weights = learn(counting(), out, "--lm-epochs", "22")
    assert skipped == [500]
    assert capsys.readouterr().out.startswith("pretrain: going on from step 500\n")
    assert not out.with_suffix(".checkpoint.pt").exists()
    # 36 steps of the small rate at the end can't move the weights far from where they were.
    moved = (weights["embedding.weight"][1:] - saved["models"]["table"][1:]).abs().max()
    assert 0 < moved < 0.02


def test_two_processes_learn_the_same_weights_as_well_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their noise and negatives are other ones, so the losses agree roughly; their weights agree fully."""
    learn(counting(), tmp_path / "one", "--lm-epochs", "12")
    alone = last_loss(capsys)
    np.save(tmp_path / "reviews.npy", np.stack(counting()))
    files = (str(tmp_path), str(tmp_path / "reviews.npy"))
    output = in_two_processes("pretrain_tiny.py", *files, "--lm-epochs", "12")
    assert output.count("loss ") == 1  # the main process alone prints
    assert float(output.split("loss ")[1].split()[0]) == pytest.approx(alone, rel=0.25)
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_negatives_are_drawn_by_frequency() -> None:
    ids = np.repeat(np.array([5, 6, 7], dtype=np.int32), (1, 16, 256))
    torch.manual_seed(0)
    drawn = torch.bincount(pretrain.Sampler(ids, 10, CPU).draw(20_000), minlength=10)
    # counts ** 0.75 is 1, 8, 64
    assert drawn[7] / drawn[6] == pytest.approx(8, rel=0.15)
    assert drawn[6] / drawn[5] == pytest.approx(8, rel=0.3)


def test_log_odds_are_how_often_a_word_is_expected_among_the_negatives() -> None:
    ids = np.repeat(np.array([5, 6], dtype=np.int32), (1, 16))
    odds = pretrain.Sampler(ids, 10, CPU).log_odds.exp()
    assert odds.sum().item() == pytest.approx(pretrain.NEGATIVES, rel=1e-5)
    assert (odds[6] / odds[5]).item() == pytest.approx(8, rel=0.01)


def test_the_learning_rate_rises_then_falls() -> None:
    rates = [pretrain.one_cycle(done / 100) for done in range(101)]
    top = int(np.argmax(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[top] == pytest.approx(1, abs=0.01)
    assert 0 < rates[-1] < 0.01


# --- word vectors and the cache -----------------------------------------------------------------


@pytest.fixture
def vectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Replace gensim's vectors by random ones; yield the epochs of each call."""
    calls: list[int] = []

    def train_vectors(documents: object, size: Size, epochs: int, seed: int) -> Tensor:
        calls.append(epochs)
        return torch.randn(size.vocabulary, size.embedding, generator=torch.manual_seed(seed)) * 0.4

    monkeypatch.setattr(pretrain, "train_vectors", train_vectors)
    yield calls


def test_vectors_of_words_that_stand_together_are_alike() -> None:
    chooser = np.random.default_rng(0)
    groups = (np.arange(257, 277), np.arange(277, 297))
    # Long reviews, since gensim thins out words as frequent as these.
    documents = [chooser.choice(groups[n % 2], 300).astype(np.int32) for n in range(300)]
    table = pretrain.train_vectors(documents, SIZE, 8, 1)
    assert table.shape == (ROWS, 8)
    assert torch.count_nonzero(table[PAD_ID]) == 0
    first, second = (torch.nn.functional.normalize(table[group]) for group in groups)
    assert (first @ first.T).mean() > (first @ second.T).mean() + 0.3
    used = table[[*groups[0], *groups[1]]]
    assert used.std().item() == pytest.approx(pretrain.TABLE_STD, rel=0.05)


def test_pretrained_weights_are_made_once_and_hold_tensors_alone(cache: Path, vectors: list[int]) -> None:
    options = options_of("--lm-epochs", "0.2")
    path = pretrain.pretrain(tiny_corpus(), SIZE, options)
    before = path.read_bytes()
    assert path.suffix == ".safetensors"
    learned = ("embedding.", "forward_lstm.", "backward_lstm.")
    assert set(load_file(path)) == {key for key in Network(SIZE).state_dict() if key.startswith(learned)}
    assert pretrain.pretrain(tiny_corpus(), SIZE, options) == path
    assert path.read_bytes() == before
    assert vectors == [4]
    assert {file.suffix for file in cache.iterdir()} == {".safetensors"}


@pytest.mark.parametrize("change", ["fingerprint", "archive_sha256"])
def test_weights_of_another_vocabulary_or_archive_are_not_taken(
    change: str, cache: Path, vectors: list[int]
) -> None:
    options = options_of("--lm-epochs", "0.2")
    one = pretrain.pretrain(tiny_corpus(), SIZE, options)
    other = pretrain.pretrain(tiny_corpus()._replace(**{change: "0" * 16}), SIZE, options)
    assert one != other
    assert len(vectors) == 2


def test_weights_of_another_recipe_are_not_taken_but_its_vectors_are(cache: Path, vectors: list[int]) -> None:
    one = pretrain.pretrain(tiny_corpus(), SIZE, options_of("--lm-epochs", "0.2"))
    other = pretrain.pretrain(tiny_corpus(), SIZE, options_of("--lm-epochs", "0.3"))
    assert one != other
    assert len(vectors) == 1


def test_test_and_development_reviews_are_not_read(
    cache: Path, vectors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tiny_corpus()
    documents_read: list[np.ndarray] = []
    monkeypatch.setattr(
        pretrain,
        "train_language_models",
        lambda documents, *_: documents_read.extend(documents) or {"x": torch.ones(1)},
    )
    pretrain.pretrain(corpus, SIZE, options_of())
    assert {id(ids) for ids in documents_read} == {id(ids) for ids in corpus.train.ids + corpus.unsup.ids}


def test_a_disk_that_is_full_leaves_no_half_weights(cache: Path, vectors: list[int]) -> None:
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, allowed[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            pretrain.pretrain(tiny_corpus(), SIZE, options_of("--lm-epochs", "0.2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert list(cache.iterdir()) == []


def test_a_missing_archive_ends_the_script_with_one_sentence_and_status_1() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.recipe.pretrain", "--archive", "/nowhere.tar.gz"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("pretrain: no IMDb archive at /nowhere.tar.gz; ")
    assert done.stderr.count("\n") == 1
