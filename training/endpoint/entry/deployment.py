"""The endpoint's hooks as a Ray Serve application, for SageMaker's Ray Serve image.

    serve run config.yaml        # in the folder of an unpacked model.tar.gz

Ray's /-/healthz turns healthy when the application is built. Building it loads the model and scores a golden
review, so a broken package never looks healthy. Requests then wait for the first replica.
"""

import asyncio
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).resolve().parent
JSON = "application/json"
# ONNX Runtime works outside Python's lock, but parsing and writing messages do not. More threads would wait
# for each other.
THREADS = 4
# Most requests that wait for a thread; more get 503.
MAX_WAITING = 64
HEALTH_CHECK_SECONDS = 30


@serve.deployment(health_check_period_s=HEALTH_CHECK_SECONDS, max_queued_requests=MAX_WAITING)
class Endpoint:
    """One process with the model, which answers ``threads`` requests at once."""

    def __init__(self, threads: int, answer: bytes) -> None:
        self._hooks, self._golden = _hooks()
        self._model = self._hooks.model_fn(FOLDER)
        self._answer = answer
        self._threads = ThreadPoolExecutor(threads)

    async def __call__(self, request: Request) -> Response:
        """Return the response to a request, and log its status, size and time, never its text."""
        began = time.monotonic()
        body = await request.body()
        headers = request.headers
        response = await self._respond(body, headers.get("content-type"), headers.get("accept"))
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        line = {"status": response.status, "bytes": len(body), "ms": milliseconds}
        print(json.dumps(line) + "\n", end="", flush=True)
        return Response(response.body, response.status, media_type=response.content_type)

    async def check_health(self) -> None:
        """Score the golden review again. Raises UnhealthyError, and Ray replaces the replica."""
        if (await self._respond(self._golden.GOLDEN, JSON, JSON)).body != self._answer:
            raise self._golden.UnhealthyError("the golden review got another answer")

    async def _respond(self, body: bytes, content_type: str | None, accept: str | None) -> Any:
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._threads, self._hooks.respond, body, content_type, accept, self._model)


def app(arguments: dict[str, str]) -> serve.Application:
    """Return the application, with as many threads as Ray has cores. Raises what model_fn raises."""
    # Ray has no types for this function, nor for the decorator of a class.
    untyped_ray: Any = ray
    deployment: Any = Endpoint
    cores = max(1, int(untyped_ray.cluster_resources().get("CPU", 1)))
    replicas = math.ceil(cores / THREADS)
    threads = math.ceil(cores / replicas)
    sized = deployment.options(
        num_replicas=replicas,
        max_ongoing_requests=threads,
        # Nothing else runs here, so no core has to be reserved.
        ray_actor_options={"num_cpus": 0},
    )
    application: serve.Application = sized.bind(threads, _golden_answer())
    return application


def _golden_answer() -> bytes:
    hooks, golden = _hooks()
    return bytes(golden.answer(hooks.model_fn(FOLDER)))


def _hooks() -> tuple[Any, Any]:
    """Import the endpoint's hooks and their golden review from code/, with the libraries beside them.

    Ray sends the class to its processes as bytes and does not run this file there, so each process imports.
    """
    code = FOLDER / "code"
    for folder in (str(code), str(code / "lib" / "{}.{}".format(*sys.version_info))):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    from training.endpoint import golden, inference

    return inference, golden
