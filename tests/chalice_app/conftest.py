"""The app in front of a fake endpoint: in this process, and behind its local server."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.api import InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.model import random_package
from tests.support.output import Output
from tests.support.stack import ROOT, free_ports


@pytest.fixture(scope="session")
def fake_server() -> Iterator[FakeRuntime]:
    fake = FakeRuntime()
    yield fake
    fake.close()


@pytest.fixture
def fake(fake_server: FakeRuntime) -> FakeRuntime:
    """A fake SageMaker Runtime without calls."""
    fake_server.reset()
    return fake_server


@pytest.fixture
def api(fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """The app in this process, in front of the fake endpoint."""
    import app

    for name in ("AWS_PROFILE", "AWS_CHALICE_CLI_MODE", "VERDICT_LOCAL", "CORS_ORIGIN", "AUTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    app.cached_card.cache_clear()
    return InProcess()


@pytest.fixture(scope="session")
def launched(fake_server: FakeRuntime) -> Iterator[Served]:
    """The app behind its local server, started once, in front of the fake endpoint."""
    served = Served(AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=fake_server.url)
    yield served
    served.stop()


@pytest.fixture
def served(launched: Served, fake: FakeRuntime) -> Served:
    """The app behind its local server, with the fake endpoint reset."""
    return launched


@pytest.fixture(scope="session")
def local_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the local endpoint verdict-dev, with the published model or a random one."""
    model = ROOT / "training/endpoint/model"
    if not (model / "model.json").is_file():
        model = tmp_path_factory.mktemp("model")
        random_package(model)
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "training.endpoint.local_endpoint", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--name", "verdict-dev", "--model", str(model)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        assert "verdict-dev" in process.stdout.readline()
        Output(process.stdout)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
