"""Serve VADER by the API's own server: the same requests, answers, checks and log, without an endpoint.

python -m bench.vader_api --port 8001
"""

from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import app
from chalice_app.local import development_server
from chalicelib import log
from vocab.messages import ReviewRequest

ANALYZER = SentimentIntensityAnalyzer()


def classify(request: ReviewRequest) -> dict[str, Any]:
    """Return an answer with VADER's compound score as its probability."""
    score = ANALYZER.polarity_scores(request.review)["compound"]
    sentiment = "positive" if score >= 0 else "negative"
    return {"sentiment": sentiment, "probability": (1 + score) / 2, "request_id": log.request_id()}


if __name__ == "__main__":
    vars(app)[app.classify.__name__] = classify
    development_server.main()
