"""The app with COMPATIBLE=comprehend,tei: in this process, and behind both of its servers."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

import httpx
import pytest
from chalice.test import Client

from tests.support.api import FOLDER, InProcess, Served
from tests.support.fake_runtime import FakeRuntime
from tests.support.stack import free_ports
from vocab import messages

BOTH = "comprehend,tei"


class OwnApp(InProcess):
    """A second copy of the app, whose routes are those of the variables at its import."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("compatible_app", FOLDER / "app.py")
        assert spec and spec.loader
        self.module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.http = Client(self.module.app, project_dir=str(FOLDER)).http


@pytest.fixture(scope="session")
def own_app() -> OwnApp:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPATIBLE", BOTH)
        patch.delenv("CORS_ORIGIN", raising=False)
        return OwnApp()


@pytest.fixture
def both(own_app: OwnApp, fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> OwnApp:
    """The app in this process with both protocols, in front of the fake endpoint."""
    for name in ("AWS_PROFILE", "AWS_CHALICE_CLI_MODE", "VERDICT_LOCAL", "CORS_ORIGIN", "AUTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    monkeypatch.setenv("COMPATIBLE", BOTH)
    own_app.module.cached_card.cache_clear()
    return own_app


def start(kind: str, fake: FakeRuntime, **env: str) -> Served:
    """Start `make run`'s server ("run") or `make serve`'s ("serve") in front of the fake endpoint."""
    (port,) = free_ports(1)
    module = {"run": "development_server", "serve": "rsgi_server"}[kind]
    command = (sys.executable, "-m", f"chalice_app.local.{module}", "--port", str(port))
    settings = {"COMPATIBLE": BOTH, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": fake.url} | env
    served = Served(*command, **settings)
    with httpx.Client(transport=httpx.HTTPTransport(retries=20), trust_env=False) as client:
        client.get(served.url + "/v1/openapi.json")  # it says where it is before its processes listen
    return served


@pytest.fixture(scope="session", params=["run", "serve"])
def launched_both(request: pytest.FixtureRequest, fake_server: FakeRuntime) -> Iterator[Served]:
    served = start(request.param, fake_server, API_PROCESSES="1")
    yield served
    served.stop()


@pytest.fixture
def server(launched_both: Served, fake: FakeRuntime) -> Served:
    """Each of the two servers with both protocols, with the fake endpoint reset."""
    return launched_both


def queue_verdict(fake: FakeRuntime, logit: float, opinion: str = "one_sided") -> None:
    """Queue the endpoint's answer to one review."""
    score = messages.build_score(0.0, [logit])._replace(opinion=opinion)
    answer = {"model": fake.model, "answers": [messages.score_message(score)]}
    fake.queue(200, messages.to_json(answer))
