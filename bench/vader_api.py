"""Serve VADER by the API's own servers: the same requests, answers, checks and log, without an endpoint.

python -m bench.vader_api --port 8001         # with --serve by the server of `make serve`
"""

import argparse
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import app
from chalice_app.local import development_server, rsgi_server
from chalicelib import log
from vocab.messages import ReviewRequest

HOST = "127.0.0.1"
ANALYZER = SentimentIntensityAnalyzer()


def classify(request: ReviewRequest) -> dict[str, Any]:
    """Return an answer with VADER's compound score as its probability."""
    score = ANALYZER.polarity_scores(request.review)["compound"]
    sentiment = "positive" if score >= 0 else "negative"
    return {"sentiment": sentiment, "probability": (1 + score) / 2, "request_id": log.request_id()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve VADER by the API's own servers.")
    parser.add_argument("--serve", action="store_true", help="by the server of `make serve`")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default: 8001)")
    options = parser.parse_args()
    vars(app)[app.classify.__name__] = classify
    if options.serve:
        rsgi_server.serve(HOST, options.port, rsgi_server.processes(None))
    else:
        development_server.start_metrics()
        development_server.create_server(HOST, options.port).serve_forever()


if __name__ == "__main__":
    main()
