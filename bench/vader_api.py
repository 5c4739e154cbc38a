"""VADER behind the API's own server: the same requests, answers, checks and log, without an endpoint.

python -m bench.vader_api --port 8001
"""

from pathlib import Path
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from chalice_app.local import development_server
from chalicelib import log
from vocab.messages import ReviewRequest

ROOT = Path(__file__).resolve().parents[1]

ANALYZER = SentimentIntensityAnalyzer()


def judge(asked: ReviewRequest) -> dict[str, Any]:
    """Answer with VADER's compound score as a probability."""
    score = ANALYZER.polarity_scores(asked.review)["compound"]
    sentiment = "positive" if score >= 0 else "negative"
    return {"sentiment": sentiment, "probability": (1 + score) / 2, "request_id": log.request_id()}


if __name__ == "__main__":
    development_server.verdict_app.classify = judge
    development_server.main()
