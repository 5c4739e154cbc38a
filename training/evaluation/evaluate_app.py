"""Send 500 test reviews through the running app, as its users do, and measure the answers.

    make run                                # in one terminal
    python -m training.evaluation.evaluate_app         # in another

Half of the reviews are positive and half negative, and each is one HTTP request, as in the test of the app
before this one. Prints accuracy, errors and milliseconds a review. The exit status is 1 after any error.
"""

import argparse
import http.client
import json
import os
import random
import sys
import time
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import publish

TIMEOUT_SECONDS = 30
LOCAL_URL = "http://127.0.0.1:8000"


class AppResponse(NamedTuple):
    """The app's response: probability (None for an error), HTTP status (0 without a valid response), ms."""

    probability: float | None
    sentiment: str
    status: int
    ms: float


def address_of(url: str) -> SplitResult:
    """Parse an http(s) URL. Raises ValueError for any other."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
        raise ValueError("not an http(s) URL")
    return address


def sample(reviews: list[dataset.Review], count: int, seed: int) -> list[dataset.Review]:
    """Return ``count`` reviews, half of each label, in a random order fixed by the seed."""
    chooser = random.Random(seed)
    chosen = []
    for label in (0, 1):
        chosen += chooser.sample([review for review in reviews if review.label == label], count // 2)
    chooser.shuffle(chosen)
    return chosen


def post(connection: http.client.HTTPConnection, path: str, review: str) -> AppResponse:
    """Post one review over a kept-alive connection."""
    body = json.dumps({"review": review, "explain": "none"}).encode()
    began = time.perf_counter()
    try:
        headers = {"Content-Type": "application/json", "X-Api-Key": os.environ.get("API_KEY", "")}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return AppResponse(None, "", 0, (time.perf_counter() - began) * 1000)
    ms = (time.perf_counter() - began) * 1000
    if response.status != 200:
        return AppResponse(None, "", response.status, ms)
    try:
        message = json.loads(data)
        return AppResponse(float(message["probability"]), message["sentiment"], 200, ms)
    except (ValueError, KeyError, TypeError):
        return AppResponse(None, "", 0, ms)


def summarize(answers: list[AppResponse], labels: list[int]) -> dict[str, float]:
    """Return accuracy (an error is wrong), share uncertain, errors, p50 and p95 in ms."""
    right = sum(
        answer.probability is not None and (answer.probability >= 0.5) == (label == 1)
        for answer, label in zip(answers, labels, strict=True)
    )
    times = sorted(answer.ms for answer in answers)
    return {
        "reviews": len(answers),
        "accuracy": right / len(answers),
        "uncertain": sum(answer.sentiment == "uncertain" for answer in answers) / len(answers),
        "errors": sum(answer.status != 200 for answer in answers),
        "p50_ms": round(times[len(times) // 2], 2),
        "p95_ms": round(times[int(len(times) * 0.95)], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the running app on test reviews.")
    default = os.environ.get("API_URL") or f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"
    parser.add_argument("--url", default=default, help="the API's address (default: API_URL, or make run's)")
    parser.add_argument("--count", type=int, default=500, help="reviews, half of each label (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="which reviews (default 1)")
    parser.add_argument("--publish", action="store_true", help="write the figures into the model's card")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    if not 2 <= options.count <= dataset.COUNTS["test"]:
        parser.error(f"--count must lie from 2 to {dataset.COUNTS['test']:,}")
    try:
        address = address_of(options.url)
    except ValueError:
        sys.exit(f"evaluate-app: {options.url!r} is no http(s) URL; name one like {LOCAL_URL} with API_URL")
    secure = address.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    path = address.path.rstrip("/") + "/v1/sentiment"
    if post(connection, path, "A first review, to check that the app answers.").status == 0:
        sys.exit(f"evaluate-app: nothing answers at {options.url}; start it with `make run` first")
    try:
        reviews = dataset.load(dataset.find_archive(options.archive)).test
    except dataset.DataError as error:
        sys.exit(f"evaluate-app: {error}")
    chosen = sample(reviews, options.count, options.seed)
    answers = [post(connection, path, review.text) for review in tqdm(chosen, desc="sending", disable=None)]
    connection.close()
    figures = summarize(answers, [review.label for review in chosen])
    print(json.dumps(figures))
    if figures["errors"]:
        sys.exit(
            f"evaluate-app: {figures['errors']} of {figures['reviews']} requests failed;"
            " these figures are not the model's, look at the app's log"
        )
    if options.publish:
        machine = f"{os.cpu_count()} cores, one client, kept alive"
        publish(
            inference.MODEL_FOLDER,
            "app",
            {**figures, "machine": machine},
            "python -m training.evaluation.evaluate_app",
        )


if __name__ == "__main__":
    main()
