"""checks.py: the environment of the processes, with an endpoint apart and without."""

from pathlib import Path

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


def test_it_listens_on_loopback_unless_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.environment()["LISTEN_HOST"] == "127.0.0.1"
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")
    assert checks.environment()["LISTEN_HOST"] == "0.0.0.0"


@pytest.mark.parametrize(
    "listen, reached",
    [("0.0.0.0", "http://127.0.0.1:8000"), ("127.0.0.5", "http://127.0.0.5:8000")],
)
def test_this_machine_reaches_the_api_where_it_listens(listen: str, reached: str) -> None:
    env = {"LISTEN_HOST": listen, "API_PORT": "8000"}
    assert checks.local_url(env, "API_PORT") == reached


@pytest.mark.parametrize("value", ["my-laptop", "::", "10.0.0.256"])
def test_an_address_that_is_no_ipv4_address_is_refused_in_one_sentence(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_HOST", value)
    with pytest.raises(SystemExit) as ended:
        checks.environment()
    assert ended.value.code == f"run: LISTEN_HOST must be an IPv4 address such as 0.0.0.0, got '{value}'"


def test_the_page_calls_the_api_s_public_address_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.environment()["API_URL"] == "http://127.0.0.1:8000"
    monkeypatch.setenv("PUBLIC_API_URL", "https://api.example/v/")
    assert checks.environment()["API_URL"] == "https://api.example/v"


def test_a_public_address_that_is_no_url_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_API_URL", "api.example")
    with pytest.raises(SystemExit, match="^run: PUBLIC_API_URL: the API's URL looks like http"):
        checks.environment()


@pytest.mark.parametrize("hashes", ["", None])
def test_where_nobody_has_a_key_none_is_made_up(hashes: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API then stops the start, by name; with a key of ours it would lock out everybody else."""
    monkeypatch.setenv("AUTH", "key")
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setenv("API_KEYS", hashes or "")
    assert "API_KEY" not in checks.environment()
    monkeypatch.setenv("API_KEYS", "0" * 64)
    assert len(checks.environment()["API_KEYS"].split(",")) == 2


def test_a_folder_for_feedback_is_the_one_that_the_shell_means(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEEDBACK", "said")
    assert checks.environment()["FEEDBACK"] == str(tmp_path / "said")
    monkeypatch.setenv("FEEDBACK", "s3://bucket/said")
    assert checks.environment()["FEEDBACK"] == "s3://bucket/said"
