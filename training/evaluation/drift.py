"""Compare an API's traffic with the reviews that its model was evaluated on, and print the differences.

    python -m training.evaluation.drift http://127.0.0.1:8000      # with `make run` in another terminal

Verdicts, lengths and warnings since the API's start (GET /v1/metrics) are compared with the card's figures
(GET /v1/model) for the test split, or for the reviews that the model was adapted to. The exit status is 1 if
a difference is larger than chance and LARGE. Then the accuracy on the card says less about the traffic.
"""

import argparse
import json
import math
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

LOCAL_URL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 30
# Shares of fewer reviews mean nothing.
FEWEST_REVIEWS = 30
# A difference counts above so many standard errors and above this share.
SURE, LARGE = 3.0, 0.05
# A warning of an opinion, not of the text. Cards have no figure of it.
UNCOUNTED = frozenset({"mixed"})


class DriftError(Exception):
    """Traffic and card can't be compared; the message says why and names a remedy."""


class Traffic(NamedTuple):
    """Counts of an API: reviews by verdict and by warning, lengths as ``(upper bound, count)``, words."""

    sentiments: dict[str, int]
    warnings: dict[str, int]
    lengths: list[tuple[float, int]]
    words: int
    unknown: int

    @property
    def reviews(self) -> int:
        return sum(self.sentiments.values())


class Share(NamedTuple):
    """A share of the reviews: its name, the traffic's value and the card's."""

    name: str
    traffic: float
    card: float

    def differs(self, reviews: int) -> bool:
        """Return whether the difference is larger than chance and larger than LARGE."""
        error = math.sqrt(max(self.card * (1 - self.card), 1 / reviews) / reviews)
        return abs(self.traffic - self.card) > max(SURE * error, LARGE)


def parse_metrics(text: str) -> Traffic:
    """Parse GET /v1/metrics. Raises DriftError for another service's."""
    try:
        families = {family.name: family.samples for family in text_string_to_metric_families(text)}
        return Traffic(
            _counts(families, "verdict_reviews", "sentiment"),
            _counts(families, "verdict_warnings", "code"),
            _buckets(families["verdict_review_tokens"]),
            int(families["verdict_words"][0].value),
            int(families["verdict_unknown_words"][0].value),
        )
    except (ValueError, KeyError, IndexError) as error:
        raise DriftError("GET /v1/metrics gave something else; is this Verdict's API?") from error


def compare(traffic: Traffic, card: dict[str, Any]) -> list[Share]:
    """Return the shares of traffic and card. Raises DriftError for a card without figures."""
    try:
        figures, flagged = _figures(card["metrics"])
        shares = [
            Share("uncertain", _uncertain(traffic), 1 - figures["coverage"]),
            Share("positive, of those not uncertain", _positive(traffic), _positive_of_card(figures)),
        ]
        for code in sorted(flagged.keys() | (traffic.warnings.keys() - UNCOUNTED)):
            share = traffic.warnings.get(code, 0) / traffic.reviews
            shares.append(Share(f"with the warning {code}", share, flagged.get(code, 0.0)))
        return [*shares, *_lengths(traffic, figures)]
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise DriftError(
            "the model's card has no figures of the test split; make some: `make evaluate`"
        ) from error


def report(traffic: Traffic, shares: list[Share], where: str = "on the test split") -> str:
    """Return the comparison in words. ``where`` names the reviews of the card's figures."""
    lines = [f"{traffic.reviews:,} reviews were judged since the API's start."]
    for share in shares:
        mark = "DIFFERS" if share.differs(traffic.reviews) else "alike"
        lines.append(
            f"{mark:8} {_percent(share.traffic)} {share.name}; {_percent(share.card).strip()} {where}"
        )
    unknown = traffic.unknown / traffic.words if traffic.words else 0.0
    lines.append(f"         {_percent(unknown)} of their words are unknown; the card has no figure of that")
    differing = sum(share.differs(traffic.reviews) for share in shares)
    lines.append(
        f"{differing} of {len(shares)} differ: the card's accuracy says less about these reviews."
        if differing
        else "They are like the reviews that the model was evaluated on."
    )
    return "\n".join(lines)


def fetch(url: str) -> bytes:
    """Fetch a URL's body, with API_KEY if it is set. Raises DriftError."""
    request = urllib.request.Request(url, headers={"X-Api-Key": os.environ.get("API_KEY", "")})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        reason = {401: "it wants a key; set API_KEY", 404: "only a local API counts"}.get(
            error.code, "look at its log"
        )
        raise DriftError(f"{url} answers {error.code}: {reason}") from error
    except (OSError, ValueError) as error:
        raise DriftError(
            f"nothing answers at {url}; start it with `make run`, or name another URL"
        ) from error


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> None:
    parser = argparse.ArgumentParser(prog=prog, description="Compare an API's traffic with the test split.")
    default = os.environ.get("API_URL") or f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"
    parser.add_argument("url", nargs="?", default=default, help="the API's address (default: make run's)")
    url = parser.parse_args(arguments).url.rstrip("/")
    try:
        traffic = parse_metrics(fetch(f"{url}/v1/metrics").decode("utf-8", "replace"))
        if traffic.reviews < FEWEST_REVIEWS:
            raise DriftError(
                f"{traffic.reviews} reviews were judged so far; at least {FEWEST_REVIEWS} are needed"
            )
        card = json.loads(fetch(f"{url}/v1/model"))
        shares = compare(traffic, card)
    except (DriftError, ValueError) as error:
        sys.exit(f"drift: {error}")
    adapted = "adaptation" in card["metrics"]
    print(report(traffic, shares, "where it was adapted to" if adapted else "on the test split"))
    sys.exit(any(share.differs(traffic.reviews) for share in shares))


def _figures(metrics: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the card's figures of reviews, and the share of reviews with each warning."""
    adapted = metrics.get("adaptation")
    if adapted:
        return adapted["after"], adapted.get("flagged", {})
    return metrics["test"], metrics.get("warnings", {}).get("flagged", {})


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"


def _counts(families: dict[str, Any], name: str, label: str) -> dict[str, int]:
    totals = (one for one in families[name] if one.name == f"{name}_total")
    return {one.labels[label]: int(one.value) for one in totals}


def _buckets(samples: list[Any]) -> list[tuple[float, int]]:
    """Return each bucket's upper bound and its own number of reviews."""
    buckets = [(float(one.labels["le"]), int(one.value)) for one in samples if one.name.endswith("_bucket")]
    before = [0, *(count for _, count in buckets)]
    return [(bound, count - less) for (bound, count), less in zip(buckets, before, strict=False)]


def _uncertain(traffic: Traffic) -> float:
    return traffic.sentiments.get("uncertain", 0) / traffic.reviews


def _positive(traffic: Traffic) -> float:
    outright = traffic.reviews - traffic.sentiments.get("uncertain", 0)
    return traffic.sentiments.get("positive", 0) / outright if outright else 0.0


def _positive_of_card(figures: dict[str, Any]) -> float:
    """Return the share of positive among the card's certain verdicts, computed from their accuracies."""
    if "positive_outright" in figures:
        return float(figures["positive_outright"])
    both, negative = figures["accuracy_outright"], figures["accuracy_negative"]
    return float((both - negative) / (figures["accuracy_positive"] - negative))


def _lengths(traffic: Traffic, figures: dict[str, Any]) -> Iterator[Share]:
    """Yield the share of reviews no longer than each quarter of the card's, but for the last."""
    so_far = 0
    for quarter in figures["by_length"][:-1]:
        so_far += quarter["reviews"]
        bound = quarter["tokens_to"]
        yield Share(f"of at most {bound} tokens", _up_to(traffic, bound), so_far / figures["reviews"])


def _up_to(traffic: Traffic, bound: float) -> float:
    """Return the share of reviews up to a length, spread evenly inside a bucket."""
    total, start = 0.0, 0.0
    for end, count in traffic.lengths:
        inside = min(1.0, max(0.0, (bound - start) / (end - start))) if math.isfinite(end) else 0.0
        total += count * inside
        start = end
    return total / traffic.reviews


if __name__ == "__main__":
    main()
