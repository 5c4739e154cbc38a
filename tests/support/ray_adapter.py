"""A stand-in for the adapter of SageMaker's Ray Serve image, with its libraries: port 8080 in front of 8000.

python ray_adapter.py        # by the Python of the image
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import boto3  # noqa: F401  (the image's adapter imports it, which takes time and memory)
import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

RAY = "http://127.0.0.1:8000"
SECONDS = 300
HEALTH_SECONDS = 5


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    """Forward body, Content-Type and Accept to Ray's route /."""
    headers = {name: request.headers.get(name, "application/json") for name in ("Content-Type", "Accept")}
    body = await request.body()
    try:
        answer = await request.app.state.client.post(f"{RAY}/", content=body, headers=headers)
    except httpx.ConnectError:
        return Response(b'{"error": "Service unavailable"}', 503, media_type="application/json")
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("Content-Type"))


@app.get("/ping")
async def ping(request: Request) -> Response:
    """Return Ray's own health."""
    try:
        answer = await request.app.state.client.get(f"{RAY}/-/healthz", timeout=HEALTH_SECONDS)
    except httpx.HTTPError:
        return Response(status_code=503)
    return Response(status_code=200 if answer.status_code == 200 else 503)


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8080, log_level="info")
