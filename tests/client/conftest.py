"""Answers as the API sends them, and a service with scripted replies."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.service import Service


def make_answer(**other: Any) -> dict[str, Any]:
    """Return a whole answer with sentences and words, changed by ``other``."""
    words = [
        {"start": 0, "end": 4, "contribution": 1.5, "effect": 1.25},
        {"start": 5, "end": 9, "contribution": -0.5},
    ]
    answer: dict[str, Any] = {
        "sentiment": "positive",
        "reason": None,
        "probability": 0.750260,
        "warnings": [{"code": "too_short", "detail": "few words"}],
        "text": "good film",
        "sentences": [{"start": 0, "end": 9, "contribution": 1.0, "alone": 0.750260, "without": None}],
        "words": words,
        "bias": 0.1,
        "model": {"id": "verdict-1", "vocabulary": "v1", "uncertain": [0.4, 0.6]},
        "request_id": "r1",
    }
    return answer | other


@pytest.fixture
def service() -> Iterator[Service]:
    """A service on loopback with scripted replies."""
    running = Service()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def no_service_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore services and proxies of the machine's own environment."""
    for name in ("VERDICT_URL", "VERDICT_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
