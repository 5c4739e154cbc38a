"""Measure starts: the Lambda zip and the endpoint to their first answer, `make run` to its first verdict."""

import functools
import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.http_rows import POLL_SECONDS, TIMEOUT_SECONDS, connected
from bench.measuring import Figure, Missing, single, summarise
from bench.processes import tree
from bench.setting import ROOT, Setting
from tests.support.lambda_emulator import EmulatorMissing, LambdaEmulator
from tests.support.lambda_runtime import proxy_event
from tests.support.stack import Stack, free_ports
from training.data import cache

PART = "start"
COLD, NAIVE = "Lambda, cold to its first answer", "the same, naive imports"
LAMBDA_NAMES = (COLD, f"{COLD}, memory", NAIVE, f"{NAIVE}, memory", "Lambda zip")
ENDPOINT, RUN = "local endpoint to its first answer", "make run to its first verdict"
NAMES = (*LAMBDA_NAMES, ENDPOINT, RUN)
REVIEW = "A warm, funny film that never once felt too long. I would happily watch it again."
# The naive zip imports those of them that are installed, before the app.
NAIVE_IMPORTS = ("numpy", "nltk", "sagemaker")
INSTALL_SECONDS = 300

# A function's first answer: (milliseconds, MB).
Cold = tuple[float, float]


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds to the first answer, and memory and size of the function."""
    runs = int(setting.choose(2, 7))
    with running_endpoint() as url:
        try:
            yield from _function(setting, url, runs)
        except (Missing, EmulatorMissing, AssertionError) as error:
            yield from (Figure(PART, name, missing=str(error)[:200]) for name in LAMBDA_NAMES)
    note = "a process of this machine; SageMaker's containers: see below"
    yield summarise(PART, ENDPOINT, [1000 * endpoint_seconds() for _ in range(runs)], note=note)
    yield summarise(PART, RUN, [1000 * run_seconds() for _ in range(runs)], note="environment made before")


# --- the function -------------------------------------------------------------------------------


def _function(setting: Setting, url: str, runs: int) -> Iterator[Figure]:
    from tests.support.lambda_zip import Toolchain, build  # imports pytest, which other parts do without

    folder = setting.empty("lambda")
    package = build(Toolchain("", sys.executable, image()), folder)
    task = folder / "task"
    with zipfile.ZipFile(package / "deployment.zip") as file:
        file.extractall(task)
    naive = naive_task(task, folder / "naive")
    # Naive imports need this environment's packages.
    both = f"{image()}:{sysconfig.get_path('purelib')}"
    cold: dict[str, list[Cold]] = {COLD: [], NAIVE: []}
    for _ in range(runs):
        cold[COLD].append(first_answer(task, str(image()), "app.app", url, folder / "log"))
        cold[NAIVE].append(first_answer(naive, both, "naive.app", url, folder / "naive.log"))
    for name, answers in cold.items():
        note = f"with {', '.join(installed())} imported as well" if name == NAIVE else "under AWS's emulator"
        yield summarise(PART, name, [ms for ms, _ in answers], note=note)
        yield summarise(PART, f"{name}, memory", [mb for _, mb in answers], "MB")
    yield single(PART, "Lambda zip", (package / "deployment.zip").stat().st_size / 1e6, "MB", "10^6 bytes")


def first_answer(task: Path, packages: str, handler: str, url: str, log: Path) -> Cold:
    """Start a function, invoke it at once, and return its time and memory.

    The emulator imports the function at the first event.
    """
    # /var/task is read-only on Lambda, so it holds no compiled files.
    function = LambdaEmulator(
        task,
        Path(packages),
        handler,
        log,
        PYTHONDONTWRITEBYTECODE="1",
        AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=url,
    )
    try:
        event = proxy_event(
            "POST", "/v1/sentiment", json.dumps({"review": REVIEW}), {"Content-Type": "application/json"}
        )
        began = time.perf_counter()
        answer = function.invoke(event)
        ms = 1000 * (time.perf_counter() - began)
        if not isinstance(answer, dict) or answer.get("statusCode") != 200:
            raise Missing("the function did not answer")
        return ms, peak_mb(function._process.pid)
    finally:
        function.stop()


def peak_mb(pid: int) -> float:
    """Return the peak of the largest process below ``pid``, Python's, in MB."""
    return max(map(_high_water, tree(pid))) / 1024


def _high_water(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def naive_task(task: Path, folder: Path) -> Path:
    """Copy an unpacked zip, and add a handler with needless imports."""
    shutil.copytree(task, folder)
    lines = [f"import {name}" for name in installed()] + ["from app import app"]
    (folder / "naive.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def installed() -> list[str]:
    """Return the installed packages of NAIVE_IMPORTS."""
    return [name for name in NAIVE_IMPORTS if importlib.util.find_spec(name)]


@functools.cache
def image() -> Path:
    """Return a cached folder with the packages of Lambda's image. Raises Missing."""
    folder = cache.folder() / "bench" / f"image-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (folder / "awslambdaric").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        process = subprocess.run(
            [*pip, "--retries", "1", "--target", str(folder), "awslambdaric", "boto3"],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        if process.returncode:
            raise Missing(f"awslambdaric can't be installed: {process.stderr.strip()[-100:]}")
    return folder


# --- endpoint and make run ----------------------------------------------------------------------


@contextmanager
def running_endpoint() -> Iterator[str]:
    """Run the endpoint, and yield its URL."""
    port, process = _start_endpoint()
    try:
        _wait_for(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        _end(process)


def endpoint_seconds() -> float:
    """Return the seconds from the endpoint's start to its first answer."""
    began = time.perf_counter()
    port, process = _start_endpoint()
    try:
        _wait_for(lambda: _answers(port))
        return time.perf_counter() - began
    finally:
        _end(process)


def run_seconds() -> float:
    """Return the seconds from the start of run.py to its first verdict."""
    began = time.perf_counter()
    stack = Stack()
    try:
        stack.wait_for("Verdict is ready")
        return time.perf_counter() - began
    finally:
        stack.stop()


def _start_endpoint() -> tuple[int, "subprocess.Popen[bytes]"]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "training.endpoint.local_endpoint", "--port", str(port)]
    return port, subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _answers(port: int) -> bool:
    body = json.dumps({"reviews": [{"review": REVIEW}]}).encode()
    try:
        with connected(port, "/endpoints/verdict/invocations") as post:
            return bool(post(body))
    except OSError:
        return False


def _wait_for(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise Missing("the endpoint did not start")
        time.sleep(POLL_SECONDS)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
