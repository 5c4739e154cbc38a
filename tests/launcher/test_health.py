"""health.py: the container is healthy when API and page answer, or SageMaker's endpoint."""

from collections.abc import Iterator

import pytest

from launcher import health
from tests.support.service import Service, reply
from tests.support.stack import free_ports


@pytest.fixture
def services() -> Iterator[tuple[Service, Service, Service]]:
    """API, page and endpoint, which answer nothing yet."""
    three = (Service(), Service(), Service())
    yield three
    for service in three:
        service.close()


@pytest.fixture
def env(services: tuple[Service, Service, Service], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The ports of the three."""
    api, page, endpoint = (service.url.rpartition(":")[2] for service in services)
    monkeypatch.setattr(health, "ENDPOINT_PORT", int(endpoint))
    return {"API_PORT": api, "PAGE_PORT": page}


def test_api_and_page_that_answer_are_healthy(
    services: tuple[Service, Service, Service], env: dict[str, str]
) -> None:
    api, page, _ = services
    api.say(reply())
    page.say(reply())
    assert health.is_healthy(env)
    assert [service.asked[0].line for service in (api, page)] == [
        "GET /v1/health HTTP/1.1",
        "GET / HTTP/1.1",
    ]


@pytest.mark.parametrize("api, page", [(503, 200), (200, 500)])
def test_a_broken_api_or_page_is_not(
    services: tuple[Service, Service, Service], env: dict[str, str], api: int, page: int
) -> None:
    services[0].say(reply(api))
    services[1].say(reply(page))
    assert not health.is_healthy(env)


def test_the_endpoint_alone_is_healthy(
    services: tuple[Service, Service, Service], env: dict[str, str]
) -> None:
    services[2].say(reply())
    assert health.is_healthy(env)
    assert services[2].asked[0].line == "GET /ping HTTP/1.1"


def test_nothing_that_listens_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    api, page, endpoint = free_ports(3)
    monkeypatch.setattr(health, "ENDPOINT_PORT", endpoint)
    assert not health.is_healthy({"API_PORT": str(api), "PAGE_PORT": str(page)})
