"""container.py: SageMaker's contract for an image of one's own, by the hooks of the local endpoint."""

import http.client
import json
import threading
from collections.abc import Iterator

import pytest

from training.endpoint import golden, inference
from training.endpoint.container import ContainerHandler
from training.endpoint.local_endpoint import Endpoint
from vocab.messages import JSON, JSON_LINES


@pytest.fixture(scope="module")
def port(model: inference.LoadedModel) -> Iterator[int]:
    server = Endpoint(("127.0.0.1", 0), "verdict", model, ContainerHandler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def send(
    port: int, method: str, path: str, body: bytes | None = None, content_type: str = JSON
) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": content_type, "Accept": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Content-Type")
    finally:
        connection.close()


def test_a_ping_is_answered(port: int) -> None:
    assert send(port, "GET", "/ping")[:2] == (200, b"")


@pytest.mark.parametrize(
    "body, content_type",
    [(golden.GOLDEN, JSON), (b'{"id": 1, "review": "Good."}\n{"review": 2}\n', JSON_LINES)],
    ids=["json", "lines"],
)
def test_an_invocation_gets_the_hooks_bytes(
    port: int, model: inference.LoadedModel, body: bytes, content_type: str
) -> None:
    expected = inference.respond(body, content_type, content_type, model)
    assert send(port, "POST", "/invocations", body, content_type) == (
        200,
        expected.body,
        expected.content_type,
    )


@pytest.mark.parametrize("body", [b"{}", b"nonsense"], ids=str)
def test_a_refusal_keeps_the_hooks_status_and_body(
    port: int, model: inference.LoadedModel, body: bytes
) -> None:
    expected = inference.respond(body, JSON, JSON, model)
    assert expected.status == 400
    assert send(port, "POST", "/invocations", body) == (400, expected.body, JSON)


@pytest.mark.parametrize("path", ["/", "/endpoints/verdict/invocations"])
def test_another_path_is_not_found(port: int, path: str) -> None:
    status, body, _ = send(port, "POST", path, golden.GOLDEN)
    assert (status, json.loads(body)) == (404, {"message": "GET /ping, or POST /invocations"})
