"""Measure a whole answer by HTTP on loopback, one client: both servers, beside VADER behind each."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.measuring import Contestant, Figure, Missing, side_by_side, summarise_turns
from bench.setting import ROOT, Setting
from tests.support.stack import Stack, free_ports

PART = "http"
NAMES = (
    "Verdict",
    "VADER behind the same server",
    "Verdict, by make serve",
    "VADER behind the server of make serve",
)
# Named as the endpoint, so that the server with VADER loads no model of ours.
NOWHERE = "http://127.0.0.1:1"
TIMEOUT_SECONDS = 30
POLL_SECONDS = 0.005


def figures(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a request, over a kept-alive connection; each sentence is explained."""
    with ExitStack() as stack:
        servers = (running_app(), running_vader(), running_app("--serve"), running_vader("--serve"))
        posts = [stack.enter_context(connected(stack.enter_context(server))) for server in servers]
        inputs = [message_of(review) for review in setting.samples.reviews]
        contestants = {name: Contestant(post, inputs) for name, post in zip(NAMES, posts, strict=True)}
        times = side_by_side(contestants, setting.choose(8, 30))
    yield from (summarise_turns(PART, name, times[name]) for name in NAMES)


def message_of(review: str) -> bytes:
    """Return the request's body."""
    return json.dumps({"review": review, "explain": "sentences"}).encode()


@contextmanager
def running_app(*flags: str) -> Iterator[int]:
    """Run the whole app, and yield the API's port. Raises Missing."""
    with running_stack(*flags) as stack:
        yield int(stack.ports["API_PORT"])


@contextmanager
def running_stack(*flags: str) -> Iterator[Stack]:
    """Run the whole app as `make run` does, or with --serve `make serve`. Raises Missing."""
    stack = Stack(*flags, RATE_LIMIT="off")
    try:
        stack.wait_for("Verdict is ready")
        yield stack
    except AssertionError as error:
        raise Missing("the app did not start") from error
    finally:
        stack.stop()


@contextmanager
def running_vader(*flags: str) -> Iterator[int]:
    """Run VADER behind the API's server, with --serve that of `make serve`; yield its port."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.vader_api", *flags, "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"RATE_LIMIT": "off", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": NOWHERE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()  # it ends its own processes
        process.wait(TIMEOUT_SECONDS)


@contextmanager
def connected(port: int, path: str = "/v1/sentiment") -> Iterator[Callable[[bytes], bytes]]:
    """Yield a function that posts a body over one connection. It raises Missing for an error's status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def post(body: bytes) -> bytes:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise Missing(f"a request was answered with status {answer.status}")
        return data

    try:
        yield post
    finally:
        connection.close()


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a process listens. Raises Missing if it ends first, or takes too long."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(POLL_SECONDS)
    raise Missing(f"{Path(str(process.args[1])).name} did not start")  # type: ignore[index]
