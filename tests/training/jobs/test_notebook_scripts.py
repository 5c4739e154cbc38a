"""The scripts on the notebook instance: they unpack the project and stop an idle instance."""

import ast
import base64
import http.server
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "training/jobs/notebook"
WATCH = SCRIPTS / "stop_when_idle.py"
HOUR = 3600.0


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
def test_bash_reads_the_scripts(script: Path) -> None:
    assert subprocess.run(["bash", "-n", str(script)], timeout=30).returncode == 0


def test_the_watch_runs_on_the_old_python_that_an_instance_comes_with() -> None:
    tree = ast.parse(WATCH.read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


# --- idle or not ----------------------------------------------------------------------------------


class Jupyter:
    """A Jupyter server with these kernels and terminals, or 404 for a missing list."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, str]] | None] = {"/api/kernels": [], "/api/terminals": []}
        self.queries: list[str] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                owner.queries.append(query)
                found = owner.lists.get(path)
                body = json.dumps(found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *given: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def jupyter() -> Iterator[Jupyter]:
    running = Jupyter()
    yield running
    running.stop()


@pytest.fixture
def fakes(tmp_path: Path) -> Path:
    """A folder of commands that hide the real ones on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def fake(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{script}\n")
    (folder / name).chmod(0o755)


def environment(fakes: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{fakes}:{os.environ['PATH']}", "HOME": str(fakes), **more}


def stamp(ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.123456Z", time.gmtime(time.time() - ago))


def watch(fakes: Path, url: str, state: Path, known_use: float | None = None) -> tuple[str, list[str]]:
    """Run the watch with a latest use ``known_use`` seconds ago; return its output and calls of aws."""
    called = fakes / "called"
    fake(fakes, "aws", f'echo "$@" >>{called}')
    if known_use is not None:
        state.write_text(str(time.time() - known_use))
    done = subprocess.run(
        [
            *(sys.executable, str(WATCH), "--minutes", "60", "--instance", "verdict-dev-notebook"),
            *("--region", "eu-west-1", "--jupyter", url, "--state", str(state)),
        ],
        env=environment(fakes),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, called.read_text().splitlines() if called.exists() else []


STOPPED = [
    "sagemaker stop-notebook-instance --notebook-instance-name verdict-dev-notebook --region eu-west-1"
]


def test_an_instance_that_nobody_used_for_an_hour_is_stopped(
    jupyter: Jupyter, fakes: Path, tmp_path: Path
) -> None:
    jupyter.lists["/api/kernels"] = [{"execution_state": "idle", "last_activity": stamp(2 * HOUR)}]
    _, called = watch(fakes, jupyter.url, tmp_path / "state", known_use=1.5 * HOUR)
    assert called == STOPPED
    assert jupyter.queries == ["no_track_activity=1"] * 2


@pytest.mark.parametrize(
    "lists",
    [
        {"/api/kernels": [{"execution_state": "busy", "last_activity": stamp(2 * HOUR)}]},
        {"/api/kernels": [{"execution_state": "idle", "last_activity": stamp(60)}]},
        {"/api/terminals": [{"name": "1", "last_activity": stamp(60)}]},
        {
            "/api/kernels": [
                {"execution_state": "idle", "last_activity": stamp(3 * HOUR)},
                {"execution_state": "starting", "last_activity": stamp(3 * HOUR)},
            ]
        },
    ],
)
def test_a_busy_kernel_and_a_late_word_of_kernel_or_terminal_are_use(
    jupyter: Jupyter, fakes: Path, tmp_path: Path, lists: dict[str, list[dict[str, str]]]
) -> None:
    jupyter.lists |= lists
    assert watch(fakes, jupyter.url, tmp_path / "state", known_use=1.5 * HOUR)[1] == []
    # The lists date from the collection of tests, which may be long ago.
    assert time.time() - float((tmp_path / "state").read_text()) < HOUR


def test_the_first_look_after_a_start_counts_as_use(jupyter: Jupyter, fakes: Path, tmp_path: Path) -> None:
    jupyter.lists["/api/terminals"] = None
    assert watch(fakes, jupyter.url, tmp_path / "state")[1] == []


def test_a_jupyter_that_died_is_no_use_but_no_reason_to_stop_at_once(fakes: Path, tmp_path: Path) -> None:
    gone = "http://127.0.0.1:9"
    output, called = watch(fakes, gone, tmp_path / "state", known_use=0.5 * HOUR)
    assert "Jupyter does not answer" in output and called == []
    assert watch(fakes, gone, tmp_path / "state", known_use=1.5 * HOUR)[1] == STOPPED


# --- at its making and at its starts --------------------------------------------------------------


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A bundle with one file."""
    (tmp_path / "README.md").write_text("whole")
    with tarfile.open(tmp_path / "verdict.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "README.md", "README.md")
    return tmp_path / "verdict.tar.gz"


def run_script(fakes: Path, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as AWS does, with the test's own user, volume and system."""
    fake(fakes, "sudo", 'shift 2; exec "$@"')
    return subprocess.run(
        ["bash", str(SCRIPTS / name)],
        env=environment(fakes, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("whole", [True, False])
def test_a_bundle_is_unpacked_when_its_hash_is_right(
    packed: Path, fakes: Path, tmp_path: Path, whole: bool
) -> None:
    from vocab.files import sha256_of

    digest = sha256_of(packed)
    if not whole:
        packed.write_bytes(packed.read_bytes()[:-9])
    fake(fakes, "aws", f'test "$*" = "s3 cp --only-show-errors s3://b/k $5" && cp {packed} "$5"')
    variables = {"BUNDLE": "s3://b/k", "BUNDLE_SHA256": digest, "VERDICT_VOLUME": str(tmp_path / "volume")}
    done = run_script(fakes, "on_create.sh", **variables)
    assert (done.returncode == 0) is whole, done.stderr
    assert (tmp_path / "volume/verdict/README.md").exists() is whole


@pytest.mark.parametrize("cron", [True, False])
def test_each_start_sets_the_watch_by_cron_or_by_systemd(fakes: Path, tmp_path: Path, cron: bool) -> None:
    system, called = tmp_path / "system", fakes / "called"
    (system / "etc/cron.d").mkdir(parents=True)
    fake(fakes, "systemd-run", f'echo "$@" >{called}')
    if cron:
        fake(fakes, "crond", "exit 0")
    done = run_script(
        fakes,
        "on_start.sh",
        IDLE_MINUTES="45",
        INSTANCE="verdict-dev-notebook",
        REGION="eu-west-1",
        STOP_WHEN_IDLE=base64.b64encode(WATCH.read_bytes()).decode(),
        VERDICT_VOLUME=str(tmp_path / "volume"),
        VERDICT_SYSTEM=str(system),
    )
    assert done.returncode == 0, done.stderr
    watch = system / "usr/local/bin/stop_when_idle.py"
    assert watch.read_bytes() == WATCH.read_bytes()
    command = f"/usr/bin/python3 {watch} --minutes 45 --instance verdict-dev-notebook --region eu-west-1"
    written = system / "etc/cron.d/verdict-idle"
    assert command in (written if cron else called).read_text()
    assert written.exists() is cron and called.exists() is not cron
    assert "no project in" in done.stdout


def test_the_environment_is_made_once_and_its_kernel_at_each_start(fakes: Path, tmp_path: Path) -> None:
    """A fake Python records its arguments in place of running pip."""
    called = fakes / "called"
    python = (
        f'echo "$@" >>{called}; [ "$1 $2" != "-m venv" ] || {{ mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; }}'
    )
    for name in ("python3.13", "python3.12", "python3.11"):
        fake(fakes, name, python)
    for _ in range(2):
        done = subprocess.run(
            ["bash", str(SCRIPTS / "environment.sh"), str(tmp_path)],
            env=environment(fakes),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    calls = called.read_text().splitlines()
    assert calls[0] == f"-m venv {tmp_path}/.verdict-venv"
    assert calls[1].endswith("--index-url https://download.pytorch.org/whl/cpu") and " torch" in calls[1]
    assert calls[2].endswith(f"-r {SCRIPTS}/requirements.txt")
    kernel = "-m ipykernel install --user --name verdict --display-name Verdict"
    kernel += f" --env VERDICT_CACHE {tmp_path}/verdict-cache --env PYTHONPATH {ROOT}:{ROOT}/chalice_app"
    assert calls[3:] == [kernel, kernel]
