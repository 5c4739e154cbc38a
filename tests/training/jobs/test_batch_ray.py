"""A batch on Ray: a running cluster writes the same bytes as this machine; errors are one sentence."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from bench import processes
from tests.support.missing import skip_or_fail
from tests.support.stack import free_ports
from tests.training.jobs.test_batch import ROOT, classify, reviews, save, wait_for
from training.files import parts, ray_cluster
from training.jobs import batch
from vocab.exit_status import NO

pytestmark = pytest.mark.long
START_SECONDS = 90


class Cluster(NamedTuple):
    """A Ray cluster on this machine: its address on loopback, and its first process."""

    address: str
    pid: int


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster with two cores."""
    with running(2) as started:
        yield started


@contextmanager
def running(cores: int) -> Iterator[Cluster]:
    """Run a cluster with a number of cores."""
    ray = Path(sys.executable).with_name("ray")
    if not ray.is_file():
        skip_or_fail("ray is not installed: pip install 'ray[data]'")
    (port,) = free_ports(1)
    env = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    head = ["start", "--head", f"--port={port}", "--node-ip-address=127.0.0.1", f"--num-cpus={cores}"]
    small = [
        "--block",
        "--include-dashboard=false",
        "--object-store-memory=200000000",
        "--disable-usage-stats",
    ]
    process = subprocess.Popen(
        [str(ray), *head, *small],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Ray runtime started" in line:
            break
    try:
        yield Cluster(f"127.0.0.1:{port}", process.pid)
    finally:
        # A normal end takes half a minute; nothing here is worth keeping.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(START_SECONDS)
        process.stdout.close()


def command(path: Path, out: Path, cluster: Cluster) -> list[str]:
    return [
        sys.executable,
        "-m",
        "training.jobs.batch",
        str(path),
        "--out",
        str(out),
        "--force",
        "--ray",
        cluster.address,
    ]


def run(path: Path, out: Path, cluster: Cluster, *flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*command(path, out, cluster), *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * START_SECONDS,
    )


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A file of several parts, with rows that are errors."""
    return save(
        tmp_path / "a.csv", [*reviews(1200), "", "<br>", "é\u2028\U0001f600", "x" * 50_001, "=1+1\r\n"]
    )


def check_the_same_bytes(path: Path, suffix: str, cluster: Cluster, *flags: str) -> None:
    """Judge a file on a cluster and on this machine, and compare what they write."""
    out = path.with_name(f"ray.{suffix}")
    done = run(path, out, cluster, *flags)
    assert done.returncode == NO, done.stderr  # some rows have no verdict
    assert "Traceback" not in done.stderr and "deprecated" not in done.stderr
    assert out.read_bytes() == classify(path, path.with_name(f"here.{suffix}"), *flags)
    assert not parts.folder_of(out).exists()


def test_two_workers_write_the_same_bytes_as_this_machine(mixed: Path, cluster: Cluster) -> None:
    check_the_same_bytes(mixed, "csv", cluster)


def test_one_worker_writes_the_same_bytes_as_this_machine_with_aspects_too(mixed: Path) -> None:
    with running(1) as alone:
        check_the_same_bytes(mixed, "jsonl", alone, "--aspects", "film")


def test_a_worker_killed_in_the_middle_loses_and_doubles_no_row(tmp_path: Path, cluster: Cluster) -> None:
    path, out = save(tmp_path / "a.csv", reviews(2500)), tmp_path / "out.csv"
    process = subprocess.Popen(
        command(path, out, cluster), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(1, out, process)
    killed = workers_of(cluster)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=2 * START_SECONDS)
    assert killed
    assert process.returncode == 0, errors
    assert out.read_bytes() == classify(path, tmp_path / "here.csv")


def workers_of(cluster: Cluster) -> list[int]:
    """Return the cluster's processes that hold a model; Ray names them after their class."""
    return [
        pid for pid in processes.tree(cluster.pid) if b"Answerer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_killed_on_ray_the_batch_ends_here_with_the_same_bytes(tmp_path: Path, cluster: Cluster) -> None:
    path, out = save(tmp_path / "a.csv", reviews(2500)), tmp_path / "out.csv"
    process = subprocess.Popen(
        command(path, out, cluster), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    names = wait_for(1, out, process)
    process.kill()
    process.communicate(timeout=START_SECONDS)
    assert not out.exists()
    assert names <= {one.name for one in parts.folder_of(out).iterdir()}
    assert classify(path, out) == classify(path, tmp_path / "anew.csv")


def test_an_address_where_nothing_listens_is_one_sentence(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    path = save(tmp_path / "a.csv", reviews(1))
    with pytest.raises(SystemExit, match=f"batch: nothing answers at 127.0.0.1:{port}; start a Ray cluster"):
        batch.main([str(path), "--out", str(tmp_path / "out.csv"), "--ray", f"127.0.0.1:{port}"])


@pytest.mark.parametrize("address", ["somewhere", "127.0.0.1:", ":6379", "127.0.0.1:port"])
def test_an_address_that_is_none_is_one_sentence(address: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", reviews(1))
    with pytest.raises(SystemExit, match=f"batch: '{address}' is no address of a Ray cluster; "):
        batch.main([str(path), "--out", str(tmp_path / "out.csv"), "--ray", address])


def test_without_ray_the_command_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    path = save(tmp_path / "a.csv", reviews(1))
    with pytest.raises(SystemExit, match=r"batch: \w+ is not installed; run: pip install 'ray\[data\]'"):
        batch.main([str(path), "--out", str(tmp_path / "out.csv"), "--ray", "auto"])


def test_what_actors_need_is_whole_and_works_alone(tmp_path: Path, package: Path) -> None:
    ray_cluster.stage(tmp_path, package)
    code = (
        "from training.files.processes import predict_lines\n"
        "from training.files.ray_actor import Answerer\n"
        'print(predict_lines(Answerer().model, b\'{"id": 1, "review": "A fine film"}\').decode())\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert '"sentiment"' in done.stdout
    folders = {path.name for path in (tmp_path / "training").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == {"endpoint", "files"}
