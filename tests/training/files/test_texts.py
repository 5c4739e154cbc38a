"""Texts in memory: the answers of a file's rows, in kept processes, and a dead process is named."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from training.adapt.onnx_head import Head, read_head, with_head
from training.endpoint import inference
from training.endpoint.inference import LoadedModel
from training.endpoint.model_folder import identity_of, write_package
from training.files import pool, texts
from training.files.processes import PROCESS_ROWS, predict_reviews
from training.files.rows import BatchError, parse_predictions

pytestmark = pytest.mark.slow
TEXTS = ["A lovely film.", "A dull film.", "", "<br>", "I did not like it at all, but she did.", "x" * 50_001]
MANY = [f"{text} {number}" for number in range(2 * PROCESS_ROWS // 4) for text in TEXTS[:2] + TEXTS[4:5]] * 2


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[pool.Pool]:
    """Note each pool that is started."""
    noted: list[pool.Pool] = []
    whole = pool._start

    def start(opened: pool.Pool, *arguments: object) -> None:
        noted.append(opened)
        whole(opened, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pool, "_start", start)
    return noted


def test_a_text_s_answer_is_a_row_s(package: Path, model: LoadedModel) -> None:
    found = [judged.prediction for judged in texts.Judge(package, 1).judge(TEXTS)]
    rows = parse_predictions(predict_reviews(model, (range(5), TEXTS[:5])))  # type: ignore[arg-type]
    assert [one._replace(reason=one.reason or None) for one in found[:5]] == [*rows.values()]
    assert (found[5].error, found[5].sentiment) == ("too_long", "")


def test_processes_start_once_and_answer_as_one(package: Path, started: list[pool.Pool]) -> None:
    alone = list(texts.Judge(package, 1).judge(MANY, "words"))
    with texts.Judge(package, 2) as judge:
        assert list(judge.judge(TEXTS)) and not started
        assert list(judge.judge(MANY, "words")) == alone
        assert list(judge.judge(MANY[:300])) == list(texts.Judge(package, 1).judge(MANY[:300]))
        assert [len(one.workers) for one in started] == [2]
    assert not any(worker.process.is_alive() for worker in started[0].workers)


def test_an_iteration_that_is_left_ends_the_processes(package: Path, started: list[pool.Pool]) -> None:
    with texts.Judge(package, 2) as judge:
        judged: Iterator[texts.Judged] = judge.judge(MANY)
        next(judged)
        judged.close()  # type: ignore[attr-defined]
        assert not any(worker.process.is_alive() for worker in started[0].workers)
        assert len(list(judge.judge(MANY))) == len(MANY)
    assert len(started) == 2


def test_a_dead_process_is_named_and_replaced(package: Path, started: list[pool.Pool]) -> None:
    with texts.Judge(package, 2) as judge:
        list(judge.judge(MANY))
        for worker in started[0].workers:
            os.kill(worker.process.pid or 0, signal.SIGKILL)
            worker.process.join()
        with pytest.raises(BatchError, match="a process died, .* run it again with workers=1"):
            list(judge.judge(MANY))
        assert len(list(judge.judge(MANY))) == len(MANY)


def test_an_adapted_head_answers_as_its_network_does(package: Path, tmp_path: Path) -> None:
    network = (package / "model.onnx").read_bytes()
    start = read_head(network)
    random = np.random.default_rng(0)
    weights = (start.weights + 0.1 * random.normal(size=len(start.weights))).astype(np.float32)
    base = inference.model_fn(package)
    calibration = base.calibration.divided(1.5)
    changed = with_head(network, Head(weights.astype(np.float64), 0.25))
    card = base.card | identity_of(changed) | calibration._asdict() | {"uncertain": [0.3, 0.8]}
    write_package(tmp_path, changed, card)
    adapted = texts.Adapted(weights.astype(np.float64), 0.25, calibration, (0.3, 0.8))
    found = [judged.prediction for judged in texts.Judge(package, 1, adapted).judge(TEXTS)]
    written = [judged.prediction for judged in texts.Judge(tmp_path, 1).judge(TEXTS)]
    assert found == [one._replace(model=one.model and base.identity.id) for one in written]
    unchanged = [judged.prediction for judged in texts.Judge(package, 1).judge(TEXTS)]
    assert [one.probability for one in unchanged] != [one.probability for one in found]


def test_a_model_is_loaded_once_and_again_when_it_changes(package: Path, tmp_path: Path) -> None:
    first = texts.load(package)
    assert texts.load(package) is first
    write_package(tmp_path, (package / "model.onnx").read_bytes(), first.card)
    other = texts.load(tmp_path)
    os.utime(tmp_path / "model.json", (1, 1))
    assert texts.load(tmp_path) is not other


def test_parts_carry_their_texts(package: Path) -> None:
    text = "A lovely film. I did not like it at all."
    (judged,) = texts.Judge(package, 1).judge([text], "words")
    assert [part["text"] for part in judged.parts["sentences"]] == [
        "A lovely film.",
        "I did not like it at all.",
    ]
    assert judged.parts["words"][0].keys() >= {"text", "contribution"}
    assert "start" not in judged.parts["words"][0]
