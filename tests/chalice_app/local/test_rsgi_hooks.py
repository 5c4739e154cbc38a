"""rsgi_server.py with the hooks in its processes: killed processes, signals, and a model that changes."""

import http.client
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.support.model import leaning_package
from tests.support.stack import Stack
from training.endpoint.inference import MODEL_FOLDER

pytestmark = pytest.mark.slow

WAIT_SECONDS = 60
REVIEWS = [
    {"review": f"A lovely film, number {at}. I would see it again. But it was dull."} for at in range(100)
]
BATCH = json.dumps({"reviews": REVIEWS, "explain": "words"})


@contextmanager
def serving(**settings: str) -> Iterator[Stack]:
    stack = Stack("--serve", **{"API_PROCESSES": "2", "RATE_LIMIT": "off", **settings})
    try:
        stack.wait_for("Verdict is ready")
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A copy of the published model, to change."""
    return Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))


def workers_of(stack: Stack) -> list[psutil.Process]:
    children = psutil.Process(stack.pid_of("api")).children(recursive=True)
    return [one for one in children if one.status() != psutil.STATUS_ZOMBIE]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def model_of(stack: Stack) -> str:
    """Return the id of the model that answers a new connection."""
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(transport=transport, trust_env=False, timeout=30) as client:
        answer = client.post(f"{stack.api}/v1/sentiment", json={"review": "A lovely film."})
    assert answer.status_code == 200
    return str(answer.json()["model"]["id"])


def models_of(stack: Stack) -> set[str]:
    """Return the models of all processes: enough connections that each process has had some."""
    return {model_of(stack) for _ in range(20)}


def kill_one(stack: Stack) -> None:
    """Kill a process, and wait until another stands in its place."""
    killed = workers_of(stack)[0]
    killed.kill()
    wait_until(lambda: len([one for one in workers_of(stack) if one.pid != killed.pid]) == 2)


def card_id(folder: Path) -> str:
    return str(json.loads((folder / "model.json").read_text(encoding="utf-8"))["id"])


def log_of(stack: Stack) -> list[dict[str, object]]:
    """Return the API's own log lines."""
    lines = [line.partition("| ")[2] for line in stack.log if line.startswith("api ")]
    return [json.loads(line) for line in lines if line.startswith('{"request_id"')]


def send_batch(api: str, name: str) -> int:
    headers = {"Content-Type": "application/json", "X-Request-Id": name}
    with closing(http.client.HTTPConnection(urlsplit(api).netloc, timeout=WAIT_SECONDS)) as connection:
        connection.request("POST", "/v1/sentiment/batch", BATCH, headers)
        answer = connection.getresponse()
        assert len(json.loads(answer.read())["answers"]) == len(REVIEWS)
        return answer.status


@pytest.mark.parametrize("whom", ["the api", "run.py"])
def test_sigterm_in_the_middle_of_requests_lets_all_of_them_be_answered_once(whom: str) -> None:
    with serving() as stack, ThreadPoolExecutor(8) as threads:
        names = [f"term-{at}" for at in range(8)]
        sent = [threads.submit(send_batch, stack.api, name) for name in names]
        wait_until(lambda: any(one.done() for one in sent))
        assert not all(one.done() for one in sent)
        os.kill(stack.pid_of("api") if whom == "the api" else stack.process.pid, signal.SIGTERM)
        assert [one.result() for one in sent] == [200] * 8
        wait_until(lambda: sum(line["request_id"] in names for line in log_of(stack)) >= 8)
    logged = [line["request_id"] for line in log_of(stack) if line["request_id"] in names]
    assert sorted(map(str, logged)) == names


def test_a_killed_process_is_replaced_and_the_others_go_on_answering() -> None:
    with serving() as stack:
        before = {one.pid for one in workers_of(stack)}
        assert len(before) == 2
        kill_one(stack)
        assert len(models_of(stack)) == 1
        assert len(before & {one.pid for one in workers_of(stack)}) == 1


def test_a_model_that_changes_on_disk_is_read_at_sighup_alone(own_model: Path) -> None:
    with serving(MODEL=str(own_model)) as stack:
        old = model_of(stack)
        leaning_package(own_model)
        new = card_id(own_model)
        kill_one(stack)
        assert models_of(stack) == {old} != {new}
        os.kill(stack.pid_of("api"), signal.SIGHUP)
        stack.wait_for(f"api: model {new} is loaded", WAIT_SECONDS)
        wait_until(lambda: models_of(stack) == {new})  # and each request has had its answer
        kill_one(stack)
        assert models_of(stack) == {new}


def test_a_model_that_is_corrupt_at_sighup_is_named_and_the_one_before_goes_on(own_model: Path) -> None:
    with serving(MODEL=str(own_model)) as stack:
        workers = {one.pid for one in workers_of(stack)}
        (own_model / "model.onnx").write_bytes(b"no network")
        os.kill(stack.pid_of("api"), signal.SIGHUP)
        stack.wait_for("is not the file that model.json names", WAIT_SECONDS)
        assert any("; the model before it goes on" in line for line in stack.log)
        assert models_of(stack) == {card_id(MODEL_FOLDER)}
        assert {one.pid for one in workers_of(stack)} == workers


def test_a_process_shares_its_memory_and_needs_less_than_120_mb() -> None:
    with serving() as stack:
        models_of(stack)
        memory = [process.memory_full_info() for process in workers_of(stack)]
    assert len(memory) == 2
    assert max(one.rss for one in memory) < 120e6
    assert max(one.uss for one in memory) < 60e6
