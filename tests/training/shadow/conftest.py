"""The other services on loopback, and an AWS user of this test alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.other_services import OtherServices

AWS_USER = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def other() -> Iterator[OtherServices]:
    """Both services at one URL."""
    running = OtherServices()
    yield running
    running.close()


@pytest.fixture
def no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS user without credentials and region."""
    for name in (*AWS_USER, "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS user with credentials and region."""
    for name, value in AWS_USER.items():
        monkeypatch.setenv(name, value)
