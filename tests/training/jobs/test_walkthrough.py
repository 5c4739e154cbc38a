"""The walkthrough: seven steps, kept without outputs, run completely against a simulated AWS."""

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support import training_job as executor
from tests.support.api import Served
from tests.support.archive import line_members, write_archive
from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.missing import skip_or_fail
from tests.support.runtime import Runtime
from training.aws.cloud import Stage

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "training/jobs/walkthrough.ipynb"
STAGE = Stage("dev", ACCOUNT, REGION)
STEPS = (
    "Download the data",
    "Prepare and process",
    "Upload to S3",
    "Build and train",
    "Test the model",
    "Deploy the model for testing, and use it",
    "Deploy for the web app, and use it",
)
# Wait for nothing, carry no wheels, and build beside the repository.
HURRY = """
from pathlib import Path

from training.aws import function, hosting, inventory, package, page, resources
from training.jobs import training_job

resources.ROLE_SECONDS = 0
for module in (hosting, inventory, page, training_job):
    module.POLL_SECONDS = 0.2
package.wheels = lambda python, pins: {{}}
function.ROOT = Path({build!r})
"""


def cells(kind: str) -> list[str]:
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def test_the_walkthrough_has_the_seven_steps_by_name() -> None:
    titles = [text.splitlines()[0] for text in cells("markdown") if text.startswith("## Step")]
    assert len(titles) == len(STEPS)
    for number, (title, step) in enumerate(zip(titles, STEPS, strict=True), 1):
        assert title.startswith(f"## Step {number}: {step}")


def test_the_walkthrough_is_kept_without_outputs() -> None:
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        assert cell["metadata"] == {}


def test_the_walkthrough_takes_nothing_of_our_modules_that_they_lack() -> None:
    tree = ast.parse("\n".join(cells("code")))
    modules = {
        alias.asname or alias.name: importlib.import_module(f"{node.module}.{alias.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.split(".")[0] in ("training", "vocab")
    }
    assert {"dataset", "train", "deploy", "clouds"} <= modules.keys()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), f"{node.value.id}.{node.attr}"


# --- run whole ------------------------------------------------------------------------------------


@pytest.fixture
def runtime(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    running = Runtime()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", running.url)
    yield running
    running.stop()


@pytest.fixture
def api(runtime: Runtime) -> Iterator[Served]:
    """The API in front of the stage's endpoint."""
    served = Served(
        AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=runtime.url, ENDPOINT_NAME=STAGE.endpoint, AWS_REGION=REGION
    )
    yield served
    served.stop()


class SageMaker:
    """SageMaker in a thread: it runs each new training job for real."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache, self.stopped = folder, cache, threading.Event()
        self.session = boto3.session.Session()
        self.ended: list[executor.Ended] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        sagemaker = self.session.client("sagemaker")
        while not self.stopped.wait(0.5):
            for job in sagemaker.list_training_jobs()["TrainingJobSummaries"]:
                described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
                if described["TrainingJobStatus"] == "InProgress":
                    self._encoded(described)
                    name = job["TrainingJobName"]
                    self.ended.append(executor.execute(self.session, name, self.folder / name))

    def _encoded(self, job: dict[str, Any]) -> None:
        """Copy the notebook's encoded reviews to the checkpoints, as encoding takes long."""
        bucket, _, prefix = job["CheckpointConfig"]["S3Uri"].removeprefix("s3://").partition("/")
        for file in self.cache.glob("corpus-*.npz"):
            self.session.client("s3").upload_file(str(file), bucket, f"{prefix}/cache/{file.name}")

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive as large as IMDb's, of reviews of a line each."""
    return write_archive(tmp_path_factory.mktemp("archive") / "imdb.tar.gz", line_members())


@pytest.fixture
def encoded(archive: Path, cache: Path) -> Iterator[None]:
    """Keep the encoded reviews for the next run, as encoding takes long."""
    cache.mkdir()
    for file in archive.parent.glob("corpus-*.npz"):
        shutil.copy(file, cache)
    yield
    for file in cache.glob("corpus-*.npz"):
        shutil.copy(file, archive.parent)


def write_notebook(path: Path, build: Path, until: str | None = None) -> None:
    """Write the walkthrough that waits for nothing, up to the step before ``until``."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    titles = ["".join(cell["source"]).partition("\n")[0] for cell in notebook["cells"]]
    if until:
        end = next(at for at, title in enumerate(titles) if title.startswith(f"## {until}:"))
        del notebook["cells"][end:]
    hurry = HURRY.format(build=str(build))
    notebook["cells"].insert(1, notebook["cells"][1] | {"id": "hurry", "source": hurry})
    path.write_text(json.dumps(notebook), encoding="utf-8")


def run_notebook(path: Path, archive: Path, **settings: str) -> str:
    """Run a notebook; return what its cells show, and a line for each picture."""
    for needed in ("nbclient", "ipykernel", "matplotlib", "sagemaker"):
        if not find_spec(needed):
            skip_or_fail(f"the walkthrough's test needs {needed}")
    own = {
        "IMDB_ARCHIVE": str(archive),
        "SAMPLE": "200",
        # As environment.sh sets it for the kernel.
        "PYTHONPATH": f"{ROOT}:{ROOT}/chalice_app",
        "OMP_NUM_THREADS": "1",
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.run_notebook", str(path), str(NOTEBOOK.parent)],
        env=os.environ | own | settings,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:] + f"\n{time.monotonic() - began:.0f} s"
    outputs = [
        output
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", ())
    ]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    return "".join("".join(output.get("text", "")) for output in outputs) + "picture\n" * pictures


@pytest.mark.slow
def test_the_walkthrough_runs_from_top_to_bottom(
    aws: AwsServer, api: Served, cache: Path, encoded: None, archive: Path, tmp_path: Path
) -> None:
    write_notebook(tmp_path / "walkthrough.ipynb", tmp_path / "build")
    sagemaker = SageMaker(tmp_path, cache)
    try:
        flags = f"--memory 2048 --api-url {api.url}"
        shown = run_notebook(tmp_path / "walkthrough.ipynb", archive, LOCAL="0", DEPLOY_FLAGS=flags)
    finally:
        sagemaker.stop()
    assert [ended.status for ended in sagemaker.ended] == [0]
    assert "test          25,000 reviews" in shown
    assert "200 test reviews: accuracy" in shown
    assert '"sentiment":' in shown and '"request_id":' in shown
    for thing in (STAGE.endpoint, STAGE.bucket, STAGE.function, STAGE.endpoint_role):
        assert thing in shown
    assert shown.count("picture\n") == 4


@pytest.mark.slow
def test_the_walkthrough_also_trains_on_this_machine(
    aws: AwsServer, encoded: None, archive: Path, tmp_path: Path
) -> None:
    """What follows step 5 takes the exported model, wherever it was trained."""
    write_notebook(tmp_path / "walkthrough.ipynb", tmp_path / "build", until="Step 6")
    shown = run_notebook(tmp_path / "walkthrough.ipynb", archive, LOCAL="1")
    assert "200 test reviews: accuracy" in shown
    assert shown.count("picture\n") == 3
    assert boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
