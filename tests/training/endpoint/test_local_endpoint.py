"""The local endpoint as boto3 sees it: SageMaker Runtime's answers and errors, and a quiet process."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.stack import free_ports
from training.endpoint import inference, local_endpoint
from training.endpoint.local_endpoint import Endpoint
from vocab.messages import JSON, JSON_LINES, MAX_ENDPOINT_BYTES

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def serving(model: inference.LoadedModel) -> Iterator[Endpoint]:
    server = Endpoint((local_endpoint.HOST, 0), "verdict", model)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def endpoint(model: inference.LoadedModel) -> Iterator[Endpoint]:
    with serving(model) as server:
        yield server


def client_of(port: int) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20, proxies={}),
    )


@pytest.fixture(scope="module")
def client(endpoint: Endpoint) -> Any:
    return client_of(endpoint.server_port)


def message_of(model: inference.LoadedModel, review: str, **more: Any) -> bytes:
    encoded = model.vocabulary.encode(review)
    items = [{"ids": encoded.ids, "sentences": encoded.lengths}]
    return json.dumps({"vocabulary": model.identity.vocabulary, "reviews": items} | more).encode()


def invoke(client: Any, body: bytes, content_type: str = JSON, name: str = "verdict") -> dict[str, Any]:
    return client.invoke_endpoint(EndpointName=name, ContentType=content_type, Body=body)


def refusal(client: Any, body: bytes, **more: str) -> ClientError:
    with pytest.raises(ClientError) as caught:
        invoke(client, body, **more)
    return caught.value


# --- answers ------------------------------------------------------------------------------------


def test_boto3_gets_the_bytes_that_the_hooks_give(client: Any, model: inference.LoadedModel) -> None:
    body = message_of(model, "A lovely, warm film.", explain="words")
    answer = invoke(client, body)
    expected, content_type = inference.output_fn(
        inference.predict_fn(inference.input_fn(body, JSON), model), JSON
    )
    assert answer["Body"].read() == expected
    assert answer["ContentType"] == content_type == JSON
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]


def test_boto3_gets_a_line_a_review(client: Any) -> None:
    answer = invoke(client, b'{"review": "Good."}\n{"review": "Bad."}\n', content_type=JSON_LINES)
    assert answer["ContentType"] == JSON_LINES
    assert [json.loads(line)["logit"] for line in answer["Body"].read().split(b"\n")]


def test_boto3_gets_the_card(client: Any, model: inference.LoadedModel) -> None:
    assert json.loads(invoke(client, b'{"describe": true}')["Body"].read()) == {"card": model.card}


def test_eight_callers_at_once_get_the_bytes_that_one_gets(client: Any, model: inference.LoadedModel) -> None:
    bodies = [
        message_of(model, f"A film of {n} ideas, and not one is good.", explain="words") for n in range(8)
    ]
    expected = [invoke(client, body)["Body"].read() for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda body: invoke(client, body)["Body"].read(), bodies * 4)) == expected * 4


# --- errors as SageMaker's own ------------------------------------------------------------------


def test_an_unknown_endpoint_is_a_validation_error(client: Any) -> None:
    error = refusal(client, b"{}", name="other-endpoint")
    assert error.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint other-endpoint of account 000000000000 not found.",
    }
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (
            b'{"vocabulary": "0123456789abcdef", "reviews": [{"ids": [300], "sentences": [1]}]}',
            409,
            "vocabulary_mismatch",
        ),
        (b'{"reviews": [{"review": "<br />"}]}', 422, "no_token"),
        (b"\xff", 400, "not_utf8"),
        (b"", 400, "malformed_json"),
    ],
)
def test_what_the_model_refuses_is_a_model_error_with_its_members(
    body: bytes, status: int, code: str, client: Any
) -> None:
    response = refusal(client, body).response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    original = json.loads(response["OriginalMessage"])
    assert original["code"] == code
    assert original["detail"]
    assert response["Error"]["Message"].startswith(f"Received client error ({status}) from primary. ")


def test_a_content_type_that_is_not_read_is_a_model_error(client: Any) -> None:
    response = refusal(client, b"a,b", content_type="text/csv").response
    assert (response["Error"]["Code"], response["OriginalStatusCode"]) == ("ModelError", 415)


def test_a_model_that_fails_tells_the_kind_of_failure_and_no_word_of_the_request(
    model: inference.LoadedModel, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("canary in the message")

    broken = model._replace(network=model.network._replace(session=Broken()))
    with serving(broken) as server:
        response = refusal(client_of(server.server_port), message_of(model, "Good.")).response
    assert response["OriginalStatusCode"] == 500
    assert json.loads(response["OriginalMessage"]) == {"code": "model_failed", "detail": "RuntimeError"}
    assert response["Error"]["Message"].startswith("Received server error (500) from primary. ")
    printed = capfd.readouterr()
    assert "canary" not in json.dumps(response, default=str) + printed.out + printed.err


def test_a_network_that_gives_nan_is_a_model_error(model: inference.LoadedModel) -> None:
    class Nan:
        def run(self, *_: object) -> Any:
            pooled = np.full(model.network.weighing.polarity_weight.shape, np.nan, dtype=np.float32)
            return pooled, pooled[None]

    with serving(model._replace(network=model.network._replace(session=Nan()))) as server:
        response = refusal(client_of(server.server_port), message_of(model, "Good.")).response
    assert response["OriginalStatusCode"] == 500


def test_a_body_of_the_largest_size_is_read(client: Any) -> None:
    body = b'{"describe": true}'.ljust(MAX_ENDPOINT_BYTES)
    assert b'"card"' in invoke(client, body)["Body"].read()


@pytest.mark.parametrize("more", [1, 1_500_000, 12_000_000])
def test_a_body_too_large_is_a_validation_error(more: int, client: Any) -> None:
    error = refusal(client, b'{"describe": true}'.ljust(MAX_ENDPOINT_BYTES + more))
    assert error.response["Error"]["Code"] == "ValidationError"
    assert "exceeds 4000000 bytes" in error.response["Error"]["Message"]
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_too_many_at_once_are_told_so_and_later_ones_are_served(model: inference.LoadedModel) -> None:
    with serving(model) as server:
        client = client_of(server.server_port)
        for _ in range(local_endpoint.MAX_WAITING):
            assert server.places.acquire(blocking=False)
        response = refusal(client, b'{"describe": true}').response
        assert response["Error"]["Code"] == "ServiceUnavailable"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
        server.places.release()
        assert invoke(client, b'{"describe": true}')["Body"].read()
        assert server.places.acquire(blocking=False)  # the served request gave its place back


def test_a_refused_request_gives_its_place_back(model: inference.LoadedModel) -> None:
    with serving(model) as server:
        client = client_of(server.server_port)
        for _ in range(local_endpoint.MAX_WAITING - 1):
            server.places.acquire(blocking=False)
        for _ in range(3):
            assert refusal(client, b"{").response["OriginalStatusCode"] == 400
        assert server.places.acquire(blocking=False)


def test_a_request_waits_for_a_core_and_is_then_served(model: inference.LoadedModel) -> None:
    with serving(model) as server, ThreadPoolExecutor(1) as pool:
        cores = os.cpu_count() or 1
        for _ in range(cores):
            server.cores.acquire()
        waiting = pool.submit(invoke, client_of(server.server_port), b'{"describe": true}')
        time.sleep(0.3)
        assert not waiting.done()
        server.cores.release()
        assert waiting.result(10)["Body"].read()


# --- plain HTTP ---------------------------------------------------------------------------------

INVOCATIONS = "/endpoints/verdict/invocations"


@pytest.fixture
def connection(endpoint: Endpoint) -> Iterator[http.client.HTTPConnection]:
    found = http.client.HTTPConnection("127.0.0.1", endpoint.server_port, timeout=10)
    yield found
    found.close()


def raw(port: int, request: bytes, end: bool = False) -> bytes:
    """Send bytes and, with ``end``, shut down sending; return the bytes until a hang-up or for 2 s."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as caller:
        caller.sendall(request)
        if end:
            caller.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while piece := caller.recv(65536):
                found += piece
        except TimeoutError:
            found += b"[still open]"
        return found


def test_ping_says_that_the_endpoint_is_up(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/ping")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")


def test_a_kept_alive_connection_answers_twice_and_without_delay(
    connection: http.client.HTTPConnection,
) -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        connection.request("POST", INVOCATIONS, b'{"reviews": [{"review": "Good."}]}', {"Content-Type": JSON})
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["answers"]
        assert answer.getheader("Connection") != "close"
        took.append(time.monotonic() - began)
    assert min(took) < 0.035  # without TCP_NODELAY each would take 40 ms


def test_a_connection_lives_on_after_a_refusal(connection: http.client.HTTPConnection) -> None:
    for body, status in ((b"{", 424), (b'{"describe": true}', 200)):
        connection.request("POST", INVOCATIONS, body, {"Content-Type": JSON})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status


@pytest.mark.parametrize("path", ["/", "/endpoints/verdict", f"{INVOCATIONS}/", "/endpoints/ä/invocations"])
def test_another_operation_is_unknown(path: str, endpoint: Endpoint) -> None:
    request = f"POST {path} HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    head, _, body = raw(endpoint.server_port, request).partition(b"\r\n\r\n")
    assert b" 404 " in head.split(b"\r\n")[0]
    assert b"x-amzn-ErrorType: UnknownOperationException" in head
    assert json.loads(body) == {"message": "no such operation"}


def test_a_get_elsewhere_says_what_there_is(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", INVOCATIONS)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (404, {"message": "GET /ping, or POST invocations"})


@pytest.mark.parametrize("header", [b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: -5\r\n"])
def test_a_missing_content_length_is_refused_and_the_connection_closed(
    header: bytes, endpoint: Endpoint
) -> None:
    found = raw(endpoint.server_port, b"POST " + INVOCATIONS.encode() + b" HTTP/1.1\r\n" + header + b"\r\n")
    assert found.startswith(b"HTTP/1.1 411 ")
    assert found.endswith(b'{"message":"Content-Length is missing"}')


@pytest.mark.parametrize("length", [b"4000001", b"99999999999", b"9" * 5000])
def test_an_absurd_content_length_is_refused_without_waiting_for_it(
    length: bytes, endpoint: Endpoint
) -> None:
    head = b"POST " + INVOCATIONS.encode() + b" HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n"
    found = raw(endpoint.server_port, head)
    assert found.startswith(b"HTTP/1.1 400 ")
    assert found.endswith(b'{"message":"body exceeds 4000000 bytes"}')


def test_a_body_cut_short_is_a_validation_error_and_the_connection_closed(endpoint: Endpoint) -> None:
    head = f"POST {INVOCATIONS} HTTP/1.1\r\nContent-Type: {JSON}\r\nContent-Length: 500\r\n\r\n"
    found = raw(endpoint.server_port, head.encode() + b'{"describe": true}', end=True)
    assert found.startswith(b"HTTP/1.1 400 ") and b"x-amzn-ErrorType: ValidationError" in found
    assert found.endswith(b'{"message":"body ended after 18 of its 500 bytes"}')


def test_a_caller_that_hangs_up_halfway_harms_nobody(
    client: Any, endpoint: Endpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.server_port)) as caller:
        caller.sendall(b"POST " + INVOCATIONS.encode() + b" HTTP/1.1\r\nContent-Length: 500\r\n\r\n{")
    assert invoke(client, b'{"describe": true}')["Body"].read()
    assert "Traceback" not in capfd.readouterr().err


# --- the process --------------------------------------------------------------------------------


@contextmanager
def started(package: Path, *flags: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Run the script until the block ends; ``env`` adds to the environment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "training.endpoint.local_endpoint", "--model", str(package), *flags],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def refused(package: Path, *flags: str, **env: str) -> str:
    """Run the script where it should not start; return its one sentence."""
    with started(package, *flags, **env) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert err.count("\n") == 1, err
    return err


def test_a_log_line_tells_status_and_size_and_no_word_of_the_review_nor_its_ids(
    package: Path, model: inference.LoadedModel
) -> None:
    (port,) = free_ports(1)
    with started(package, "--port", str(port)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == (
            f"endpoint verdict on http://127.0.0.1:{port}, model {model.card['id']}\n"
        )
        client = client_of(port)
        text = b'{"reviews": [{"review": "The canary sang."}]}'
        ids = message_of(model, "The canary sang.")
        for body in (text, ids, b'{"reviews": [{"review": "canary"}, {"canary": 1}]}', b"canary"):
            try:
                client.invoke_endpoint(
                    EndpointName="verdict", ContentType=JSON, Body=body, CustomAttributes="req-7"
                )
            except ClientError:
                pass
        out = "".join(process.stdout.readline() for _ in range(4))  # each is printed after its answer
        process.send_signal(signal.SIGTERM)
        rest, err = process.communicate(timeout=10)
    lines = [json.loads(line) for line in out.splitlines()]
    assert rest == ""
    assert sorted(line["status"] for line in lines) == [200, 200, 424, 424]
    assert {"endpoint": "verdict", "request_id": "req-7", "status": 200, "bytes": len(text), "ms": 0} in [
        line | {"ms": 0} for line in lines
    ]
    assert "canary" not in out + err
    assert not any(str(number) in out for number in model.vocabulary.encode_ids("canary sang"))


def test_log_lines_of_callers_at_once_do_not_mix(package: Path) -> None:
    with started(package, "--port", "0") as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split("127.0.0.1:")[1].split(",")[0])

        def ask_often(_: int) -> None:
            caller = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            for _ in range(100):
                caller.request("POST", INVOCATIONS, b"{", {"Content-Type": JSON})
                assert caller.getresponse().read()
            caller.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask_often, range(8)))
        out = [process.stdout.readline() for _ in range(800)]
        process.terminate()
        rest, _ = process.communicate(timeout=10)
    assert {json.loads(line)["status"] for line in out} == {424}
    assert rest == ""


SWAPPED_OUTPUT = """
import io, sys, tempfile, threading, time, urllib.error, urllib.request
from pathlib import Path
from training.endpoint import inference, local_endpoint

server = local_endpoint.Endpoint(("127.0.0.1", 0), "verdict", inference.model_fn(Path(sys.argv[1])))
threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/endpoints/other/invocations"
end = time.monotonic() + 2

def ask():
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, b"{}")
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 400

callers = [threading.Thread(target=ask) for _ in range(4)]
for caller in callers:
    caller.start()
swaps = 0
while time.monotonic() < end:
    sys.stdout = io.TextIOWrapper(tempfile.TemporaryFile(buffering=0), write_through=True)
    swaps += 1
    time.sleep(0.0002)
for caller in callers:
    caller.join()
sys.stderr.write(f"{swaps > 100}")
"""


def test_its_log_survives_a_standard_output_that_is_replaced(package: Path) -> None:
    """pytest's capfd does so; ``print`` without a file then reads freed memory, and the process ends."""
    run = subprocess.run(
        [sys.executable, "-c", SWAPPED_OUTPUT, str(package)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "True")


def test_a_request_id_can_t_break_the_log_line(endpoint: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    request = (
        f"POST {INVOCATIONS} HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n"
        'X-Amzn-SageMaker-Custom-Attributes: a"b\x1b[31m{c}\r\n\r\n{}'
    )
    raw(endpoint.server_port, request.encode())
    printed, deadline = "", time.monotonic() + 5
    while "ab31mc" not in printed and time.monotonic() < deadline:  # it is printed after the answer
        time.sleep(0.02)
        printed += capfd.readouterr().out
    assert "ab31mc" in [json.loads(line)["request_id"] for line in printed.splitlines()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(how: int, package: Path) -> None:
    with started(package, "--port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("endpoint verdict on ")
        process.send_signal(how)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_corrupt_network_ends_it_with_one_sentence(own_package: Path) -> None:
    path = own_package / "model.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    assert refused(own_package, "--port", "0").startswith(
        f"local endpoint: {path} is not the file that model.json names"
    )


def test_a_folder_without_a_model_ends_it_with_one_sentence(tmp_path: Path) -> None:
    assert refused(tmp_path / "none").startswith(
        f"local endpoint: {tmp_path / 'none' / 'model.json'} can't be read (No such file or directory)"
    )


def test_a_network_of_another_vocabulary_ends_it_with_one_sentence(own_package: Path) -> None:
    card = own_package / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"vocabulary": "0123456789abcdef"}))
    assert "was trained with vocabulary 0123456789abcdef" in refused(own_package, "--port", "0")


def test_a_busy_port_ends_it_with_one_sentence_that_names_the_way_out(package: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert refused(package, "--port", str(port)) == (
            f"local endpoint: port {port} can't be used (Address already in use);"
            " choose another with ENDPOINT_PORT\n"
        )


def test_a_port_that_is_none_ends_it_with_one_sentence(package: Path) -> None:
    assert "port 99999 can't be used" in refused(package, ENDPOINT_PORT="99999")


def test_a_port_that_is_no_number_is_named_by_the_usage(package: Path) -> None:
    with started(package, ENDPOINT_PORT="many") as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err.splitlines()[-1].endswith("argument --port: invalid int value: 'many'")


def test_variables_choose_port_name_and_model(own_package: Path) -> None:
    (port,) = free_ports(1)
    env = {"ENDPOINT_PORT": str(port), "ENDPOINT_NAME": "mine", "MODEL": str(own_package)}
    process = subprocess.Popen(
        [sys.executable, "-m", "training.endpoint.local_endpoint"],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        expected = json.loads((own_package / "model.json").read_text())["id"]
        assert process.stdout.readline() == f"endpoint mine on http://127.0.0.1:{port}, model {expected}\n"
    finally:
        process.terminate()
        process.communicate(timeout=10)
