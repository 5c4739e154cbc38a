"""The function's settings: a deploy from another terminal keeps what the first one set."""

import pytest

from training.aws import function
from training.aws.cloud import Cloud, Stage

STAGE = Stage("dev", "123456789012", "eu-west-1")
CLOSED = {
    "ENDPOINT_NAME": "verdict-dev",
    "AUTH": "key",
    "API_KEYS": "ab" * 32,
    "CORS_ORIGIN": "https://a.example",
}


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A stage whose function wants keys."""
    deployed = {"Configuration": {"Environment": {"Variables": CLOSED}}}
    monkeypatch.setattr(function, "describe", lambda cloud: deployed)
    return Cloud(STAGE, None)


def test_a_terminal_without_variables_keeps_what_is_deployed(closed: Cloud) -> None:
    kept = {name: CLOSED[name] for name in ("AUTH", "API_KEYS", "CORS_ORIGIN")}
    for env in ({}, {"AUTH": "", "API_KEYS": "", "FEEDBACK": "", "CORS_ORIGIN": ""}):
        assert function.settings(closed, env) == kept
        assert function.kept_settings(closed, env) == list(kept)


def test_a_variable_changes_its_setting_and_none_takes_it_away(closed: Cloud) -> None:
    env = {"AUTH": "none", "CORS_ORIGIN": "https://b.example", "FEEDBACK": "s3://bucket/said"}
    assert function.settings(closed, env) == {
        "API_KEYS": CLOSED["API_KEYS"],
        "CORS_ORIGIN": "https://b.example",
        "FEEDBACK": "s3://bucket/said",
    }
    assert function.kept_settings(closed, env) == ["API_KEYS"]


def test_a_first_deploy_has_the_environment_s_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "describe", lambda cloud: None)
    cloud = Cloud(STAGE, None)
    settings = {"AUTH": "key", "COMPATIBLE": "comprehend,tei"}
    assert function.settings(cloud, {**settings, "PATH": "/bin"}) == settings
    assert function.kept_settings(cloud, {}) == []
