"""The head inside a model.onnx: read, replaced byte for byte, and then the one that answers."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training.adapt.onnx_head import Head, HeadError, read_head, with_head, with_table
from training.endpoint import inference, ngram_weights, scoring
from training.endpoint.calibration import Calibration
from training.endpoint.ngram_weights import NgramWeights
from training.endpoint.scoring import SentenceNetwork

IDS, LENGTHS = [5, 9, 2, 14, 9], [2, 3]


@pytest.fixture(scope="module")
def network(package: Path) -> bytes:
    return (package / "model.onnx").read_bytes()


def load(network: bytes) -> SentenceNetwork:
    return inference.load_network(network, Path("here"))


def test_a_head_is_read_as_the_package_onnx_reads_it(network: bytes) -> None:
    tensors = {
        one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(network).graph.initializer
    }
    head = read_head(network)
    assert head.weights.tolist() == tensors["polarity_weight_constant"].astype(np.float64).tolist()
    assert head.bias == float(tensors["polarity_bias_constant"][0])


def test_putting_the_same_head_back_changes_no_byte(network: bytes) -> None:
    assert with_head(network, read_head(network)) == network


def test_another_head_changes_nothing_but_its_own_bytes(network: bytes) -> None:
    old = read_head(network)
    new = Head(np.linspace(-1, 1, len(old.weights)), 0.5)
    changed = with_head(network, new)
    assert len(changed) == len(network)
    differing = sum(a != b for a, b in zip(network, changed, strict=True))
    assert 0 < differing <= 4 * (len(old.weights) + 1)
    assert read_head(changed).weights == pytest.approx(new.weights, abs=1e-7)
    onnx.checker.check_model(onnx.load_from_string(changed))


def test_a_sentence_s_polarity_is_its_pooled_states_times_the_head(network: bytes) -> None:
    head = Head(np.linspace(-1, 1, len(read_head(network).weights)), -0.75)
    loaded = load(with_head(network, head))
    text = np.array(IDS, dtype=np.int64)
    reading = loaded.read(text, np.array(LENGTHS))
    phrases = ngram_weights.sums(loaded.ngrams, reading.ngrams, len(LENGTHS))
    expected = reading.pooled.astype(np.float64) @ head.weights + head.bias + phrases
    assert loaded.understand(reading).polarities.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_with_another_head_the_parts_still_add_up_to_the_logit(network: bytes) -> None:
    random = np.random.default_rng(1)
    head = Head(random.normal(size=len(read_head(network).weights)), -0.75)
    calibration = Calibration(1.5, 1.25, 0.25)
    scored = scoring.score(load(with_head(network, head)), calibration, IDS, LENGTHS, "words")
    assert scored.sentences and scored.words
    parts = [sentence.contribution for sentence in scored.sentences]
    assert scored.bias + sum(parts) == pytest.approx(scored.logit, abs=1e-6)
    assert scored.bias + sum(scored.words.contributions) == pytest.approx(scored.logit, abs=1e-6)


def test_another_head_leaves_states_and_weights_as_they_were(network: bytes) -> None:
    head = Head(np.zeros(len(read_head(network).weights)), 3.0)
    plain, changed = load(network), load(with_head(network, head))
    text = np.array(IDS, dtype=np.int64), np.array(LENGTHS, dtype=np.int64)
    assert plain.read(*text).states.tolist() == changed.read(*text).states.tolist()
    for name, one, other in zip(plain.weighing._fields, plain.weighing, changed.weighing, strict=True):
        assert name.startswith("polarity") or one.tolist() == other.tolist()


@pytest.mark.parametrize("damage", [b"", b"not a network at all", b"\xff" * 40])
def test_what_is_no_network_has_no_head(damage: bytes) -> None:
    with pytest.raises(HeadError):
        read_head(damage)


def test_a_network_cut_short_has_no_head(network: bytes) -> None:
    with pytest.raises(HeadError, match="no ONNX file"):
        read_head(network[: len(network) // 2])


def test_a_head_of_another_size_is_refused(network: bytes) -> None:
    with pytest.raises(HeadError, match="weights"):
        with_head(network, Head(np.zeros(3), 0.0))


def test_another_table_of_n_grams_is_the_one_that_answers(network: bytes) -> None:
    old = load(network).ngrams
    table = NgramWeights(np.roll(old.codes, 3), 2 * old.step)
    changed = with_table(network, table)
    assert load(changed).ngrams.codes.tolist() == table.codes.tolist()
    assert load(changed).ngrams.step == table.step
    assert read_head(changed).weights.tolist() == read_head(network).weights.tolist()
    assert with_table(changed, old) == network


def test_a_table_of_another_size_is_refused(network: bytes) -> None:
    with pytest.raises(HeadError, match="has 1048576 bytes, got 8"):
        with_table(network, NgramWeights(np.zeros(8, dtype=np.int8), 1.0))
