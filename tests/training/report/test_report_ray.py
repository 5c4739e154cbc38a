"""A report on a Ray cluster: the same bytes as on this machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import planted
from tests.support.stack import free_ports
from tests.training.jobs.test_batch import ROOT
from tests.training.jobs.test_batch_ray import START_SECONDS, running
from training.files import ray_cluster
from training.files.parts import folder_of
from training.report import report
from training.report.ray_actor import CODE

pytestmark = pytest.mark.long


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of several parts, with rows that are errors."""
    path = tmp_path / "reviews.csv"
    case = planted.cases()["the mix of films"]
    path.write_bytes(planted.write(case, 900, seed=5) + b'"",2026-03-01,Paper Moons\r\n<br>,,\r\n')
    return path


def test_a_cluster_writes_the_same_bytes_as_this_machine(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "ray.json"
    with running(2) as cluster:
        command = [sys.executable, "-m", "training.report.report", str(file), "--json", str(out)]
        done = subprocess.run(
            [*command, "--ray", cluster.address],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=2 * START_SECONDS,
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert report.main([str(file), "--json", str(tmp_path / "here.json")]) == 0
    assert out.read_bytes() == (tmp_path / "here.json").read_bytes()
    assert not folder_of(out).exists()


def test_an_address_where_nothing_listens_is_one_sentence(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = free_ports(1)
    assert report.main([str(file), "--json", str(tmp_path / "a.json"), "--ray", f"127.0.0.1:{port}"]) == 2
    assert f"report: nothing answers at 127.0.0.1:{port}; start a Ray cluster" in capsys.readouterr().err


def test_what_the_actor_needs_is_whole_and_works_alone(tmp_path: Path, package: Path) -> None:
    ray_cluster.stage(tmp_path, package, CODE)
    code = (
        "from training.report.asking import Question\n"
        "from training.report.ray_actor import Judging\n"
        'data = Judging(Question((), -1, -1))._judge(b\'{"id": 0, "review": "A fine film"}\')\n'
        "from training.report import table\n"
        "print(table.from_bytes(data).answers['sign'].tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1]\n"
