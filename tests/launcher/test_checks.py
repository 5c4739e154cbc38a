"""checks.py: the environment of the processes, with an endpoint apart and without."""

import pytest

from launcher import checks

URL = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that names another endpoint, and a second model."""
    monkeypatch.setenv(URL, "https://elsewhere.example")
    monkeypatch.setenv("BESIDE", "my-model")
    for name in (*checks.PORTS, *checks.BESIDE_PORTS):
        monkeypatch.delenv(name, raising=False)


def test_each_api_calls_the_local_endpoint_of_its_model() -> None:
    env = checks.environment()
    assert env[URL] == "http://127.0.0.1:8090"
    second = checks.beside_environment(env)
    assert (second[URL], second["MODEL"]) == ("http://127.0.0.1:8091", "my-model")


def test_where_it_serves_no_api_calls_an_endpoint_whatever_the_shell_names() -> None:
    env = checks.environment(serve=True)
    second = checks.beside_environment(env)
    assert URL not in env and URL not in second
    assert (second["MODEL"], second["API_PORT"]) == ("my-model", "8001")
