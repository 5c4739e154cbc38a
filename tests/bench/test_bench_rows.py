"""The parts measure the right thing: preprocessing, VADER's server, commands, costs, starts."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from bench import (
    cost_rows,
    http_rows,
    network_rows,
    processes,
    samples,
    serve_rows,
    start_rows,
    text_rows,
    training_rows,
    transformer_like,
)
from bench.measuring import Missing
from bench.setting import Setting
from training.baselines import old_app

REVIEW = "This film is <br />not good, I was running &amp; laughing."


def test_the_old_app_s_preprocessing_gives_the_same_as_our_faster_one() -> None:
    text = "This film is not good, I was <b>running</b> &amp; laughing."
    assert text_rows.old_app_stems(text) == old_app.stems_of(text)


def test_markup_is_out_and_nltk_stems_the_rest() -> None:
    assert "<" not in text_rows.strip_markup(REVIEW)
    assert "laugh" in text_rows.nltk_stems(REVIEW)


def test_the_same_network_answers_in_torch_and_in_both_precisions() -> None:
    calls = network_rows.same_network()
    assert tuple(calls) == network_rows.SAME
    for call in calls.values():
        assert call(samples.Ids([300, 301, 302], [1, 2])) is not None


def test_a_graph_in_a_process_of_its_own_answers_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, (1, None))
    same = helper.make_tensor_value_info("same", TensorProto.INT64, (1, None))
    graph = helper.make_graph([helper.make_node("Identity", ["ids"], ["same"])], "same", [ids], [same])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, tmp_path / "same.onnx")
    monkeypatch.setattr(transformer_like, "_int8_file", lambda: tmp_path / "same.onnx")
    with transformer_like.int8_process() as run:
        run([300, 301])
        run([302])


def test_a_graph_s_process_that_cannot_start_or_ends_is_a_missing_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformer_like, "_int8_file", lambda: tmp_path / "none.onnx")
    with pytest.raises(Missing, match="process ended"), transformer_like.int8_process():
        raise AssertionError("it began")
    script = tmp_path / "one_answer.py"
    script.write_text("input(); print(flush=True)", encoding="utf-8")
    monkeypatch.setattr(transformer_like, "ROOT", tmp_path)
    monkeypatch.setattr(transformer_like, "PROCESS", "one_answer")
    with pytest.raises(Missing, match="process ended"), transformer_like.int8_process() as run:
        for _ in range(3):
            run([300])


@pytest.mark.parametrize("flags", [(), ("--serve",)], ids=["make run", "make serve"])
def test_vader_answers_behind_the_api_s_own_servers(flags: tuple[str, ...]) -> None:
    with http_rows.running_vader(*flags) as port, http_rows.connected(port) as post:
        answer = json.loads(post(http_rows.message_of("A lovely, wonderful film")))
    assert (answer["sentiment"], answer["probability"] > 0.5) == ("positive", True)
    assert "model" not in answer
    with pytest.raises(ConnectionRefusedError), http_rows.connected(port) as post:
        post(b"")


def test_make_serve_answers_beside_make_run() -> None:
    with http_rows.running_app("--serve") as port, http_rows.connected(port) as post:
        assert json.loads(post(http_rows.message_of("A lovely, wonderful film")))["sentiment"] == "positive"


def test_callers_of_make_serve_are_counted_and_its_memory_is_weighed(archive: Path, tmp_path: Path) -> None:
    setting = Setting(samples.Samples(archive), tmp_path, quick=True)
    capacity, memory = serve_rows.figures(setting)
    assert (capacity.name, capacity.unit, capacity.runs) == (serve_rows.CAPACITY, "reviews/s", 2)
    assert (memory.unit, memory.runs) == ("MB", 1)
    assert all(figure.median and figure.median > 0 for figure in (capacity, memory))


class Refusing(BaseHTTPRequestHandler):
    """Answers the first request, and refuses all others."""

    protocol_version = "HTTP/1.1"
    answered = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503 if Refusing.answered else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        Refusing.answered = True

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def test_refusals_are_no_capacity() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(Missing, match="ended with 503"):
            asyncio.run(serve_rows.rates(f"http://127.0.0.1:{server.server_port}", ["Lovely film"], 1, 0.1))
        server.shutdown()


def test_an_error_s_answer_is_no_time_to_measure() -> None:
    with http_rows.running_vader() as port, http_rows.connected(port) as post:
        with pytest.raises(Missing, match="status 400"):
            post(b"{")


def test_a_server_that_does_not_start_is_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    with pytest.raises(Missing, match="did not start"):
        http_rows.wait_for_port(1, process)


def test_a_command_s_memory_counts_its_children(tmp_path: Path) -> None:
    child = "x = bytearray(80 << 20); import time; time.sleep(1)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    run = processes.watch([sys.executable, "-c", code], 30, tmp_path)
    assert run.peak_mb > 80
    assert run.seconds > 0


def test_a_command_that_fails_says_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(processes.FailedError, match="^no such file$"):
        processes.watch([sys.executable, "-c", "raise SystemExit('no such file')"], 30, tmp_path)


def test_a_process_s_tree_has_its_child() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while len(list(processes.tree(process.pid))) < 2 and time.monotonic() < deadline:
            pass
        assert len(list(processes.tree(process.pid))) == 2
    finally:
        process.communicate(b"\n")


def test_a_service_is_paid_by_whole_units_and_for_some_at_least() -> None:
    service = {"unit_characters": 100, "least_units": 3, "unit": 0.0001}
    assert cost_rows.list_price(10, service) == pytest.approx(0.0003)
    assert cost_rows.list_price(301, service) == pytest.approx(0.0004)


def test_a_hundred_reviews_in_a_request_cost_less_than_one_by_one() -> None:
    alone, together = (cost_rows.serverless(0.0005, 0.0015, count) for count in (1, 100))
    assert alone - together > 3


def test_the_function_does_the_text_and_all_that_http_adds_to_an_answer() -> None:
    assert cost_rows.own_seconds(text=0.25, answer=1.25, http=3.0) == 2.0


def test_ten_times_the_rate_costs_a_tenth_in_a_batch() -> None:
    slow, fast = (
        {figure.name: figure.median for figure in cost_rows.our_figures(0.0005, 0.0015, rate)}
        for rate in (50, 500)
    )
    assert slow[cost_rows.BATCH] == pytest.approx(10 * (fast[cost_rows.BATCH] or 0), rel=1e-3)


def test_costs_are_missing_without_the_times_that_they_hang_on(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="text / Verdict, which was not measured"):
        list(cost_rows.figures(Setting(None, tmp_path), []))  # type: ignore[arg-type]


def test_the_naive_function_imports_the_installed_packages_and_then_the_app(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    folder = start_rows.naive_task(tmp_path / "task", tmp_path / "naive")
    lines = (folder / "naive.py").read_text(encoding="utf-8").splitlines()
    assert "import numpy" in lines
    assert lines[-1] == "from app import app"


def test_the_old_network_gives_a_probability_a_review(tmp_path: Path) -> None:
    import numpy as np

    from training.data import corpus
    from training.recipe import augment

    network, optimizer = training_rows.old_network()
    ids = [np.arange(300, 310, dtype=np.int32), np.arange(300, 900, dtype=np.int32)]
    split = corpus.Split(["", ""], ids, augment.whole(ids), np.array([0, 1], np.int8), np.zeros(2, np.int8))
    training_rows.old_epoch(network, optimizer, split)
    probabilities = training_rows.old_output(network, split, np.array([0, 1])).tolist()
    assert len(probabilities) == 2 and all(0 < probability < 1 for probability in probabilities)
    assert training_rows.old_accuracy(network, split) in (0, 0.5, 1)


def test_a_file_of_reviews_keeps_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    import csv

    path = samples.write_csv(tmp_path / "a.csv", ['a, "b"\nc', "d"])
    with path.open(encoding="utf-8", newline="") as file:
        assert [row["review"] for row in csv.DictReader(file)] == ['a, "b"\nc', "d"]


def test_the_samples_have_the_stated_length(archive: Path) -> None:
    loaded = samples.Samples(archive)
    assert loaded.marked and loaded.plain
    assert all(abs(len(text.split()) - samples.WORDS) <= samples.MARGIN_WORDS for text in loaded.reviews)
    assert all("<" in text for text in loaded.marked)
    assert not any("<" in text or "&" in text for text in loaded.plain)
    assert {len(review.ids) for review in loaded.ids} == {samples.TOKENS}
    assert {sum(review.lengths) for review in loaded.ids} == {samples.TOKENS}
    assert [len(ids) for ids in loaded.ids[0].sentences()] == loaded.ids[0].lengths
    assert len(loaded.take(3)) == 3


def stand_in_for_training(folder: Path, monkeypatch: pytest.MonkeyPatch, accuracy: str) -> Setting:
    """Put a script in train.py's place that prints one epoch's accuracy."""
    (folder / "training" / "recipe").mkdir(parents=True)
    for package in ("training", "training/recipe"):  # regular packages, or PYTHONPATH's own would win
        (folder / package / "__init__.py").touch()
    code = (
        "import time; time.sleep(0.2); print('pretrain: language models, loss 4.321', flush=True)\n"
        f"time.sleep(0.2); print('epoch 1 last development_accuracy={accuracy}', flush=True)\n"
    )
    (folder / "training/recipe/train.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(training_rows, "ROOT", folder)
    return Setting(samples.Samples(Path("archive")), folder)


def test_a_training_is_over_once_an_epoch_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = stand_in_for_training(tmp_path, monkeypatch, "0.9150")
    minutes, before = training_rows.our_minutes(setting)
    assert 0.2 / 60 <= before < minutes
    assert 0.4 / 60 <= minutes


def test_a_training_that_is_never_good_enough_has_no_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = stand_in_for_training(tmp_path, monkeypatch, "0.9050")
    with pytest.raises(Missing, match="train.py ended below 91%"):
        training_rows.our_minutes(setting)
