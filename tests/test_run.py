"""`make run`: three processes start together, say where they are, and leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.support.stack import ROOT, Stack, alive

NAMES = ("endpoint", "api", "page")


def run_once(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run run.py where it should refuse to start."""
    return subprocess.run(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_printed_addresses_answer(stack: Stack) -> None:
    printed = "".join(stack.log)
    assert stack.page in printed
    assert f"curl -s {stack.api}/v1/sentiment" in printed
    assert "<textarea" in httpx.get(stack.page).text
    answer = httpx.post(f"{stack.api}/v1/sentiment", json={"review": "A lovely, warm film."}).json()
    assert answer["sentiment"] in ("positive", "negative", "uncertain")


def test_only_loopback_listens(stack: Stack) -> None:
    for port in stack.ports.values():
        listening = subprocess.run(
            ["ss", "-ltnH", f"sport = :{port}"], capture_output=True, text=True, check=True
        ).stdout.split()
        assert f"127.0.0.1:{port}" in listening


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_it_leaves_no_process(how: signal.Signals) -> None:
    running = Stack()
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in NAMES]
    assert all(map(alive, pids))
    assert running.stop(how) == 0
    assert not any(map(alive, pids))


def test_a_process_that_dies_ends_the_others_with_an_error() -> None:
    running = Stack()
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in NAMES]
    os.kill(pids[0], signal.SIGKILL)
    assert running.process.wait(20) != 0
    assert not any(map(alive, pids))


@pytest.mark.parametrize("name", ["ENDPOINT_PORT", "API_PORT", "PAGE_PORT"])
def test_a_busy_port_is_named_with_the_variable_that_changes_it(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_once(**{name: str(port)})
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    assert lines == [
        f"run: port {port} can't be used (Address already in use); choose another: make run {name}={port + 1}"
    ]


@pytest.mark.parametrize("value", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(value: str) -> None:
    ended = run_once(API_PORT=value)
    assert ended.returncode == 1
    assert ended.stderr == f"run: API_PORT must be a port from 1 to 65535, got {value!r}\n"


def test_two_parts_cannot_share_a_port() -> None:
    ended = run_once(API_PORT="8111", PAGE_PORT="8111")
    assert (ended.returncode, "must differ" in ended.stderr) == (1, True)


def test_a_missing_model_is_one_sentence_and_an_error(tmp_path) -> None:
    running = Stack(MODEL=str(tmp_path))
    assert running.process.wait(30) == 1
    said = "".join(running.log)
    assert f"{tmp_path}/model.json can't be read" in said
    assert "Traceback" not in said


def test_a_checkout_without_links_is_one_sentence(tmp_path) -> None:
    subprocess.run(["git", "clone", "-q", "-c", "core.symlinks=false", ROOT, tmp_path / "c"], check=True)
    (tmp_path / "c/run.py").write_bytes((ROOT / "run.py").read_bytes())
    ended = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path / "c", capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("run: training/vocab must be a link to the folder vocab/")
    assert len(ended.stderr.splitlines()) == 1
