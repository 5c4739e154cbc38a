"""The head inside a model.onnx: read, replaced byte for byte, with the states as outputs."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from training.adapt.onnx_head import STATES, Head, HeadError, read_head, with_head, with_states
from training.endpoint import inference

IDS = {"ids": np.array([5, 9, 2, 14, 9], dtype=np.int64)}


@pytest.fixture(scope="module")
def network(package: Path) -> bytes:
    return (package / "model.onnx").read_bytes()


def run(network: bytes, *names: str) -> list[np.ndarray]:
    return inference.load_session(network, Path("here")).run(names or None, IDS)


def test_a_head_is_read_as_the_package_onnx_reads_it(network: bytes) -> None:
    tensors = {
        one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(network).graph.initializer
    }
    head = read_head(network)
    expected = np.concatenate([tensors["of_max"], tensors["of_mean"][:, 0]])
    assert head.weights.tolist() == expected.astype(np.float64).tolist()
    assert head.bias == float(tensors["head_bias"][0])


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


def test_the_pooled_states_times_the_head_are_the_logit(network: bytes) -> None:
    contributions, bias = run(network)
    states, maximum = run(with_states(network), *STATES)
    head = read_head(network)
    logit = np.concatenate([maximum, states.mean(axis=0)]).astype(np.float64) @ head.weights + head.bias
    assert contributions.sum() + bias[0] == pytest.approx(logit, abs=1e-4)


def test_with_another_head_the_contributions_still_add_up_to_the_logit(network: bytes) -> None:
    random = np.random.default_rng(1)
    head = Head(random.normal(size=len(read_head(network).weights)), -0.75)
    contributions, bias = run(with_head(network, head))
    states, maximum = run(with_states(network), *STATES)
    logit = np.concatenate([maximum, states.mean(axis=0)]).astype(np.float64) @ head.weights + head.bias
    assert bias[0] == pytest.approx(-0.75)
    assert contributions.astype(np.float64).sum() + bias[0] == pytest.approx(logit, abs=1e-4)


def test_letting_the_states_out_changes_no_answer(network: bytes) -> None:
    for plain, more in zip(run(network), run(with_states(network), "contributions", "bias"), strict=True):
        assert plain.tolist() == more.tolist()


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
