"""`make run`: three processes start together, print their addresses, and leave nothing behind."""

import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from launcher import checks
from tests.support.model import leaning_package
from tests.support.stack import ROOT, Stack, alive, free_ports

NAMES = ("endpoint", "api", "page")
SERVED = ("api", "page")


def run_once(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run run.py with settings that it should refuse."""
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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_stopping_it_leaves_no_process(how: signal.Signals) -> None:
    running = Stack()
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in NAMES]
    assert all(map(alive, pids))
    assert running.stop(how) == 0
    assert not any(map(alive, pids))


def gone(pids: list[int], seconds: float = 10) -> bool:
    """Return whether all processes end within the time."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.skipif(not Path(sys.prefix, ".ready").is_file(), reason="make did not make this environment")
def test_a_signal_to_make_ends_all_of_it() -> None:
    names = ("ENDPOINT_PORT", "API_PORT", "PAGE_PORT")
    ports = dict(zip(names, map(str, free_ports(3)), strict=True))
    with subprocess.Popen(
        ["make", "serve", f"SERVE={sys.prefix}"],
        cwd=ROOT,
        env=os.environ | ports,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as make:
        assert make.stdout
        printed = iter(make.stdout.readline, "")
        assert any("Verdict is ready" in line for line in printed)
        pids = [child.pid for child in psutil.Process(make.pid).children(recursive=True)]
        assert len(pids) >= len(SERVED)
        make.terminate()
        assert gone(pids)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel ends children on Linux only")
def test_even_kill_9_leaves_no_process() -> None:
    running = Stack()
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in NAMES]
    running.process.kill()
    running.process.wait(10)
    assert gone(pids)


def started_pids(log: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", log)]


def test_a_closed_pipe_ends_everything() -> None:
    ports = dict(zip(("ENDPOINT_PORT", "API_PORT", "PAGE_PORT"), map(str, free_ports(3)), strict=True))
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "run.py"], cwd=ROOT, env=os.environ | ports, stdout=writer, stderr=subprocess.DEVNULL
    )
    os.close(writer)
    log = b""
    while log.count(b"started") < 3:
        log += os.read(reader, 4096)
    os.close(reader)
    assert process.wait(30) != 0
    assert gone(started_pids(log.decode()))


def test_a_closed_terminal_ends_everything() -> None:
    ports = dict(zip(("ENDPOINT_PORT", "API_PORT", "PAGE_PORT"), map(str, free_ports(3)), strict=True))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=os.environ | ports,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # Make it the controlling terminal, as a login does: its end sends SIGHUP.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    log = b""
    while b"Ctrl-C stops everything" not in log:
        log += os.read(ours, 4096)
    os.close(ours)
    process.wait(30)
    assert gone(started_pids(log.decode()))


@pytest.mark.parametrize("after", [0.02, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_ctrl_c_at_any_moment_leaves_no_process(after: float) -> None:
    running = Stack()
    time.sleep(after)
    running.stop(signal.SIGINT)
    assert gone(started_pids("".join(running.log)))
    for port in running.ports.values():
        with socket.socket() as trial:
            assert trial.connect_ex(("127.0.0.1", int(port))) != 0


def test_a_process_that_dies_ends_the_others_with_an_error() -> None:
    running = Stack()
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in NAMES]
    os.kill(pids[0], signal.SIGKILL)
    assert running.process.wait(20) != 0
    assert not any(map(alive, pids))
    assert "run: endpoint ended by itself (status -9)" in "".join(running.log)


def test_with_keys_the_first_review_goes_through_and_nobody_s_without_one() -> None:
    running = Stack(AUTH="key", API_KEYS="0" * 64)
    try:
        running.wait_for("Verdict is ready")
        answer = httpx.post(running.api + "/v1/sentiment", json={"review": "Good."}, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        running.wait_for("Ctrl-C stops everything")
        assert '-H "X-Api-Key: $API_KEY" -d' in "".join(running.log)
    finally:
        running.stop()


@pytest.mark.parametrize("flags", [(), ("--serve",)])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"AUTH": "key", "API_KEYS": ""}, "api: API_KEYS must hold the SHA-256 of each key"),
        ({"FEEDBACK": "/dev/null"}, "api: FEEDBACK is '/dev/null', which can't be used (it is no folder)"),
    ],
)
def test_a_setting_of_the_api_stops_the_start(
    settings: dict[str, str], says: str, flags: tuple[str, ...]
) -> None:
    running = Stack(*flags, **settings)
    assert running.process.wait(60) == 2
    log = "".join(running.log)
    assert says in log and "ready" not in log and "Traceback" not in log


def test_a_wrong_endpoint_name_is_one_sentence() -> None:
    ended = run_once(ENDPOINT_NAME="a/b")
    assert ended.returncode == 2
    assert ended.stderr == "run: ENDPOINT_NAME must be letters, digits and hyphens, got 'a/b'\n"


@pytest.mark.parametrize("name", ["ENDPOINT_PORT", "API_PORT", "PAGE_PORT"])
def test_a_busy_port_is_named_with_the_variable_that_changes_it(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_once(**{name: str(port)})
    assert ended.returncode == 2
    lines = ended.stderr.strip().splitlines()
    assert lines == [
        f"run: port {port} can't be used (Address already in use); choose another: make run {name}={port + 1}"
    ]


@pytest.mark.parametrize("value", ["http", "0", "70000", "-1", "\u00b2"])
def test_a_port_that_is_none_is_refused(value: str) -> None:
    ended = run_once(API_PORT=value)
    assert ended.returncode == 2
    assert ended.stderr == f"run: API_PORT must be a port from 1 to 65535, got {value!r}\n"


def test_two_parts_cannot_share_a_port() -> None:
    ended = run_once(API_PORT="8111", PAGE_PORT="8111")
    assert (ended.returncode, "must differ" in ended.stderr) == (2, True)


def test_a_second_model_gets_an_endpoint_and_an_api_of_its_own(two: Stack) -> None:
    models = [httpx.get(f"{api}/v1/model", trust_env=False).json()["id"] for api in (two.api, two.beside)]
    assert models[0] != models[1]
    assert f"{two.page}compare.html  {models[0]} beside {models[1]}" in "".join(two.log)


def test_stopping_it_leaves_no_process_of_two_models(tmp_path) -> None:
    leaning_package(tmp_path)
    running = Stack(BESIDE=str(tmp_path))
    running.wait_for("Verdict is ready")
    pids = [running.pid_of(name) for name in (*NAMES, "endpoint2", "api2")]
    assert running.stop() == 0
    assert not any(map(alive, pids))


def test_one_model_under_both_names_is_refused() -> None:
    ended = run_once(BESIDE="training/../training/endpoint/model")
    assert ended.returncode == 2
    assert ended.stderr == (
        "run: MODEL and BESIDE are the same folder;"
        " name two models: make run MODEL=my-model BESIDE=training/endpoint/model\n"
    )


@pytest.mark.parametrize("name", ["BESIDE_ENDPOINT_PORT", "BESIDE_API_PORT"])
def test_a_port_of_the_second_model_is_looked_at_as_the_first_s_are(name: str, tmp_path) -> None:
    ended = run_once(BESIDE=str(tmp_path), **{name: "http"})
    assert ended.stderr == f"run: {name} must be a port from 1 to 65535, got 'http'\n"
    ended = run_once(BESIDE=str(tmp_path), **{name: "8111"}, PAGE_PORT="8111")
    assert "must differ" in ended.stderr


def test_a_second_model_that_is_missing_is_one_sentence_and_ends_all(tmp_path) -> None:
    running = Stack(BESIDE=str(tmp_path))
    assert running.process.wait(30) == 2
    assert f"{tmp_path}/model.json can't be read" in "".join(running.log)


def test_a_second_api_that_runs_elsewhere_is_named_to_the_page() -> None:
    running = Stack(BESIDE_API_URL="https://api.example/stage")
    try:
        running.wait_for("Verdict is ready")
        assert '"https://api.example/stage"' in httpx.get(f"{running.page}config.js", trust_env=False).text
        policy = httpx.get(running.page, trust_env=False).headers["content-security-policy"]
        assert f"connect-src 'self' {running.api} https://api.example;" in policy
    finally:
        running.stop()


def test_a_missing_model_is_one_sentence_and_an_error(tmp_path) -> None:
    running = Stack(MODEL=str(tmp_path))
    assert running.process.wait(30) == 2
    output = "".join(running.log)
    assert f"{tmp_path}/model.json can't be read" in output
    assert "Traceback" not in output


def test_a_checkout_without_links_is_one_sentence(tmp_path) -> None:
    subprocess.run(["git", "clone", "-q", "-c", "core.symlinks=false", ROOT, tmp_path / "c"], check=True)
    shutil.copy(ROOT / "run.py", tmp_path / "c/run.py")
    shutil.copytree(ROOT / "launcher", tmp_path / "c/launcher", dirs_exist_ok=True)
    ended = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path / "c", capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("run: chalice_app/vendor/vocab must be a link to the folder vocab/")
    assert len(ended.stderr.splitlines()) == 1


def test_run_py_without_its_launcher_is_one_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "run.py", tmp_path)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        # Without the environment's own paths, by which launcher would be found.
        [sys.executable, "-S", "run.py"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 4
    assert ended.stderr == (
        f"run: launcher can't be imported from {tmp_path}; start run.py in a whole checkout of Verdict\n"
    )


# --- serving ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serving() -> Iterator[Stack]:
    """The app as `make serve` starts it."""
    running = Stack("--serve")
    try:
        running.wait_for("Verdict is ready")
        yield running
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize("name", SERVED)
def test_where_it_serves_a_killed_process_is_started_again(name: str, serving: Stack) -> None:
    pid = serving.pid_of(name)
    os.kill(pid, signal.SIGKILL)
    serving.wait_for(f"run: {name} ended by itself (status -9), so it is started again")
    deadline = time.monotonic() + 60
    while serving.pid_of(name) == pid and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(serving.pid_of(name)) and not alive(pid)


def test_where_it_serves_no_endpoint_runs_apart(serving: Stack) -> None:
    assert not any(line.startswith("endpoint ") for line in serving.log)
    with socket.socket() as trial:
        assert trial.connect_ex(("127.0.0.1", int(serving.ports["ENDPOINT_PORT"]))) != 0


def test_where_it_serves_the_endpoint_s_port_may_be_anything() -> None:
    running = Stack("--serve", ENDPOINT_PORT="http")
    try:
        running.wait_for("Verdict is ready")
    finally:
        assert running.stop() == 0


def test_where_it_serves_a_second_model_has_an_api_of_its_own(tmp_path: Path) -> None:
    leaning_package(tmp_path)
    running = Stack("--serve", BESIDE=str(tmp_path))
    try:
        running.wait_for("Verdict is ready")
        apis = (running.api, running.beside)
        models = [httpx.get(f"{api}/v1/model", trust_env=False).json()["id"] for api in apis]
        assert models[0] != models[1]
        assert f"{running.page}compare.html  {models[0]} beside {models[1]}" in "".join(running.log)
    finally:
        assert running.stop() == 0


def test_where_it_serves_what_ends_before_all_is_ready_is_not_tried_again() -> None:
    running = Stack("--serve", RATE_LIMIT="much")
    running.wait_for("run: api ended by itself (status 2), so the others are stopped too")
    assert running.process.wait(20) == 2
    assert gone([running.pid_of(name) for name in SERVED])
    assert sum("RATE_LIMIT must be like" in line for line in running.log) == 1


def test_where_it_serves_what_never_stays_up_again_is_given_up(tmp_path: Path) -> None:
    model = shutil.copytree(ROOT / "training/endpoint/model", tmp_path / "model")
    running = Stack("--serve", MODEL=str(model))
    running.wait_for("Verdict is ready")
    shutil.rmtree(model)
    os.kill(running.pid_of("api"), signal.SIGKILL)
    running.wait_for("run: api ended by itself (status 2), so the others are stopped too")
    assert running.process.wait(20) == 2
    assert sum("model.json can't be read" in line for line in running.log) > 2


def test_a_python_without_the_libraries_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LIBRARIES", ("json", "no_such_library"))
    with pytest.raises(SystemExit, match="^run: no_such_library can't be imported here; use `make run`"):
        checks.check_libraries()
