"""A made-up model: a few words have a weight, so its answers never change when the real model does."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Request, Route

from chalicelib import openapi

CARD = json.loads((Path(__file__).parents[1] / "static_site" / "card.json").read_text(encoding="utf-8"))
BIAS = 0.04
MOST_EFFECTS = 32
FEW_WORDS = 4
WEIGHTS = {
    "beautiful": 1.1, "brilliant": 1.2, "charming": 1.0, "chills": 0.6, "enjoyed": 0.9, "fine": 0.3,
    "funny": 0.7, "gorgeous": 1.3, "great": 0.9, "joy": 1.0, "lovely": 1.1, "loved": 1.2, "masterpiece": 1.4,
    "perfect": 1.3, "superb": 1.5, "warm": 0.6, "witty": 0.9, "wonderful": 1.4,
    "awful": -1.5, "bad": -0.9, "bored": -1.1, "boring": -1.2, "dull": -1.1, "flat": -0.6, "mess": -1.2,
    "never": -0.4, "no": -0.5, "nobody": -0.4, "not": -1.4, "nowhere": -1.1, "painful": -1.3, "sadly": -0.6,
    "thin": -0.7, "waste": -1.6, "weak": -0.8, "worst": -1.7,
}  # fmt: skip
FRENCH = {"un", "une", "le", "la", "les", "et", "est", "du", "de", "des", "ce", "il", "je", "que"}
PROBLEM = {
    "type": "about:blank",
    "title": "Bad gateway",
    "status": 502,
    "code": "endpoint_failed",
    "detail": "The endpoint failed.",
}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}

Json = dict[str, Any]


def answer(review: str, explain: str = "sentences", bias: float = BIAS) -> Json:
    """Return an answer to a review in the API's form, without the model and the request's id."""
    text = review.strip()
    words = list(_words(text))
    if code := _not_understood(text, words):
        return {
            "sentiment": "uncertain",
            "reason": code,
            "probability": 0.5,
            "warnings": [{"code": code, "detail": "The model does not understand this text."}],
            "bias": 0.0,
            **_shown({"text": text, "sentences": [], "words": []}, explain),
        }
    sentences = _sentences(text, words, bias)
    probability = _sigmoid(bias + sum(word["contribution"] for word in words))
    low, high = CARD["uncertain"]
    sides = {math.copysign(1, one["contribution"]) for one in sentences if one["contribution"]}
    uncertain = low < probability < high
    short = {"code": "too_short", "detail": "The text is very short."}
    return {
        "sentiment": "uncertain" if uncertain else "positive" if probability > high else "negative",
        "reason": ("mixed" if len(sides) == 2 else "unclear") if uncertain else None,
        "probability": round(probability, 6),
        "warnings": [short] if len(words) <= FEW_WORDS else [],
        "bias": bias,
        **_shown({"text": text, "sentences": sentences, "words": _measured(words)}, explain),
    }


def _shown(spans: Json, explain: str) -> Json:
    kinds = {"none": (), "sentences": ("text", "sentences"), "words": ("text", "sentences", "words")}
    return {kind: spans[kind] for kind in kinds[explain]}


def _words(text: str) -> Iterator[Json]:
    for match in re.finditer(r"[^\W_]+(?:['\u2019][^\W_]+)*", text):
        name = match[0].lower()
        weight = WEIGHTS.get("not" if name.endswith(("n't", "n\u2019t")) else name, 0.0)
        yield {"start": match.start(), "end": match.end(), "contribution": weight}


def _not_understood(text: str, words: list[Json]) -> str:
    names = [text[word["start"] : word["end"]].lower() for word in words]
    if not any(name.isascii() for name in names):
        return "no_known_words"
    return "not_english" if sum(name in FRENCH for name in names) >= 3 else ""


def _sentences(text: str, words: list[Json], bias: float) -> list[Json]:
    spans = [match.span() for match in re.finditer(r"[^\s.!?][^.!?]*[.!?]*", text)]
    pulls = [
        sum(word["contribution"] for word in words if start <= word["start"] < end) for start, end in spans
    ]
    whole = bias + sum(pulls)
    return [
        {
            "start": start,
            "end": end,
            "contribution": round(pull, 6),
            "alone": round(_sigmoid(bias + pull), 6),
            "without": round(_sigmoid(whole - pull), 6) if len(spans) > 1 else None,
        }
        for (start, end), pull in zip(spans, pulls, strict=True)
    ]


def _measured(words: list[Json]) -> list[Json]:
    """Return the words, the strongest with an effect, which is here what they weigh."""
    strongest = sorted(range(len(words)), key=lambda at: -abs(words[at]["contribution"]))[:MOST_EFFECTS]
    return [
        word | ({"effect": word["contribution"]} if at in strongest else {}) for at, word in enumerate(words)
    ]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


class MadeUpApi:
    """Answer a page's requests in place of an API.

    ``mode`` is ``answer``, ``refuse`` or ``wait``: what becomes of reviews.
    """

    def __init__(self, name: str = CARD["id"], bias: float = BIAS) -> None:
        self.mode, self.bias = "answer", bias
        self._waiting: list[Route] = []
        self.id: Json = {
            "model": {"id": name, "vocabulary": CARD["vocabulary"], "uncertain": CARD["uncertain"]},
            "request_id": "11111111-2222-3333-4444-555555555555",
        }

    def waiting(self) -> set[Request]:
        return {route.request for route in self._waiting}

    def end_waiting(self) -> None:
        """End the requests that wait."""
        while self._waiting:
            self._waiting.pop().abort()

    def fulfil(self, route: Route) -> None:
        path = "/v1/" + route.request.url.split("/v1/")[-1]
        asked = route.request.method == "POST" and path.startswith("/v1/sentiment")
        if asked and self.mode == "wait":
            self._waiting.append(route)
            return
        if asked and self.mode == "refuse":
            route.fulfill(status=502, json=PROBLEM | {"request_id": self.id["request_id"]}, headers=CORS)
            return
        body = self._body(path, route.request)
        route.fulfill(status=404 if body is None else 200, json=body or {}, headers=CORS)

    def _body(self, path: str, request: Request) -> Json | None:
        if path == "/v1/model":
            return dict(CARD) | {"id": self.id["model"]["id"]}
        if path == "/v1/openapi.json":
            return openapi.document()
        if path == "/v1/feedback":
            return {"enabled": False}
        if path == "/v1/health":
            return {"status": "ok", "app": "ok", "endpoint": "ok", "model": self.id["model"]}
        message = json.loads(request.post_data or "{}")
        if path == "/v1/sentiment":
            return answer(message["review"], message.get("explain", "sentences"), self.bias) | self.id
        if path == "/v1/sentiment/batch":
            explain = message.get("explain", "none")
            answers = [
                {"id": one["id"], **answer(one["review"], explain, self.bias)} for one in message["reviews"]
            ]
            return {"answers": answers, **self.id}
        return None
