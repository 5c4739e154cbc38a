"""The endpoint's hooks as a Ray Serve application, for SageMaker's Ray Serve image.

    serve run config.yaml        # in the folder of an unpacked model.tar.gz

A replica is ready once it has loaded the model and scored a review; it is healthy as long as that review
gets the same score.
"""

import asyncio
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).resolve().parent
# The image puts the package's root on the path; the hooks lie beside their requirements, in code/.
sys.path.insert(0, str(FOLDER / "code"))

import inference  # noqa: E402

GOLDEN = "A warm, funny and beautifully acted film."
# ONNX Runtime works outside Python's lock, but reading and writing messages does not: more threads than
# these would wait for each other.
THREADS = 4
# Requests that wait for a thread; more are told to come back (503).
MAX_WAITING = 64
HEALTH_CHECK_SECONDS = 30


class UnhealthyError(Exception):
    """The model gives another score than when it was loaded."""


@serve.deployment(health_check_period_s=HEALTH_CHECK_SECONDS, max_queued_requests=MAX_WAITING)
class Endpoint:
    """One process with the model; ``threads`` reviews at once."""

    def __init__(self, threads: int) -> None:
        self._verdict = inference.model_fn(FOLDER)
        self._golden = self._verdict.read(GOLDEN)
        self._threads = ThreadPoolExecutor(threads)

    async def __call__(self, request: Request) -> Response:
        began = time.monotonic()
        body = await request.body()
        answer = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            inference.respond,
            body,
            request.headers.get("content-type"),
            request.headers.get("accept"),
            self._verdict,
        )
        line = {
            "status": answer.status,
            "bytes": len(body),
            "ms": round((time.monotonic() - began) * 1000, 1),
        }
        print(json.dumps(line) + "\n", end="", flush=True)
        return Response(answer.body, answer.status, media_type=answer.content_type)

    def check_health(self) -> None:
        """Score the golden review again. Raises UnhealthyError, and Ray replaces the replica."""
        if self._verdict.read(GOLDEN) != self._golden:
            raise UnhealthyError("the golden review's score has changed")


def app(arguments: dict[str, str]) -> serve.Application:
    """Give the application: as many replicas and threads as this machine has cores for."""
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    replicas = math.ceil(cores / THREADS)
    threads = math.ceil(cores / replicas)
    sized = Endpoint.options(
        num_replicas=replicas,
        max_ongoing_requests=threads,
        # Ray may not hold a core back: there is nothing else here that could use it.
        ray_actor_options={"num_cpus": 0},
    )
    return sized.bind(threads)
