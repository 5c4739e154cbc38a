"""Say in words how what an API is asked differs from what its model was examined on.

    python -m training.evaluation.drift http://127.0.0.1:8000      # `make run` in another terminal, and some use

Verdicts, lengths and warnings since the API's start (GET /v1/metrics) stand beside the card's figures (GET
/v1/model) for the test split, or for the reviews that the model was adapted to. Ends with 1 when one of them
differs by more than chance and by more than a little: then the card's accuracy says less about these reviews.
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
# Fewer say nothing of a share.
FEWEST_REVIEWS = 30
# A difference counts when it is over so many standard errors, and over so many points of a hundred.
SURE, LARGE = 3.0, 0.05


class DriftError(Exception):
    """Why nothing can be compared, in one sentence with the way out."""


class Traffic(NamedTuple):
    """What was asked: reviews by verdict and by warning, their lengths as ``(upper bound, count)``, words."""

    sentiments: dict[str, int]
    warnings: dict[str, int]
    lengths: list[tuple[float, int]]
    words: int
    unknown: int

    @property
    def reviews(self) -> int:
        return sum(self.sentiments.values())


class Share(NamedTuple):
    """A share of the reviews that can be compared: the traffic's, the card's, and what is said of it."""

    what: str
    found: float
    card: float

    def differs(self, reviews: int) -> bool:
        """Say whether the difference is more than chance and more than a little."""
        error = math.sqrt(max(self.card * (1 - self.card), 1 / reviews) / reviews)
        return abs(self.found - self.card) > max(SURE * error, LARGE)


def read_metrics(text: str) -> Traffic:
    """Read GET /v1/metrics. Raises DriftError when it is none of ours."""
    try:
        found = {family.name: family.samples for family in text_string_to_metric_families(text)}
        return Traffic(
            _counts(found, "verdict_reviews", "sentiment"),
            _counts(found, "verdict_warnings", "code"),
            _buckets(found["verdict_review_tokens"]),
            int(found["verdict_words"][0].value),
            int(found["verdict_unknown_words"][0].value),
        )
    except (ValueError, KeyError, IndexError) as error:
        raise DriftError("what came is not what GET /v1/metrics says; is this Verdict's API?") from error


def compare(traffic: Traffic, card: dict[str, Any]) -> list[Share]:
    """Set each share of the traffic beside the card's. Raises DriftError when the card has none."""
    try:
        figures, told = _figures(card["metrics"])
        shares = [
            Share("uncertain", _uncertain(traffic), 1 - figures["coverage"]),
            Share("positive, of those told outright", _positive(traffic), _positive_of_card(figures)),
        ]
        for code in sorted({*told, *traffic.warnings}):
            found = traffic.warnings.get(code, 0) / traffic.reviews
            shares.append(Share(f"with the warning {code}", found, told.get(code, 0.0)))
        return [*shares, *_lengths(traffic, figures)]
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise DriftError(
            "the model's card has no figures of the test split; make some: `make evaluate`"
        ) from error


def lay_out(traffic: Traffic, shares: list[Share], where: str = "on the test split") -> str:
    """Give the comparison in words; ``where`` says what the card's figures are of."""
    lines = [f"{traffic.reviews:,} reviews were judged since the API's start."]
    for share in shares:
        mark = "DIFFERS" if share.differs(traffic.reviews) else "alike"
        lines.append(f"{mark:8} {_percent(share.found)} {share.what}; {_percent(share.card).strip()} {where}")
    unknown = traffic.unknown / traffic.words if traffic.words else 0.0
    lines.append(f"         {_percent(unknown)} of their words are unknown; the card has no figure of that")
    differing = sum(share.differs(traffic.reviews) for share in shares)
    lines.append(
        f"{differing} of {len(shares)} differ: the card's accuracy says less about these reviews."
        if differing
        else "They are like what the model was examined on."
    )
    return "\n".join(lines)


def fetch(url: str) -> bytes:
    """Get a URL's body, with API_KEY where there is one. Raises DriftError."""
    request = urllib.request.Request(url, headers={"X-Api-Key": os.environ.get("API_KEY", "")})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        why = {401: "it wants a key; set API_KEY", 404: "only a local API counts"}.get(
            error.code, "look at its log"
        )
        raise DriftError(f"{url} answers {error.code}: {why}") from error
    except (OSError, ValueError) as error:
        raise DriftError(
            f"nothing answers at {url}; start it with `make run`, or name another URL"
        ) from error


def main(arguments: Sequence[str] | None = None, prog: str | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog=prog, description="Say how what an API is asked differs from the test split."
    )
    default = os.environ.get("API_URL") or f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"
    parser.add_argument("url", nargs="?", default=default, help="the API's address (default: make run's)")
    url = parser.parse_args(arguments).url.rstrip("/")
    try:
        traffic = read_metrics(fetch(f"{url}/v1/metrics").decode("utf-8", "replace"))
        if traffic.reviews < FEWEST_REVIEWS:
            raise DriftError(
                f"{traffic.reviews} reviews were judged so far; {FEWEST_REVIEWS} are the fewest that say much"
            )
        card = json.loads(fetch(f"{url}/v1/model"))
        shares = compare(traffic, card)
    except (DriftError, ValueError) as error:
        sys.exit(f"drift: {error}")
    adapted = "adaptation" in card["metrics"]
    print(lay_out(traffic, shares, "where it was adapted to" if adapted else "on the test split"))
    sys.exit(any(share.differs(traffic.reviews) for share in shares))


# --- pieces -------------------------------------------------------------------------------------


def _figures(metrics: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Give what the traffic is compared with: figures of reviews, and how often each warning came."""
    adapted = metrics.get("adaptation")
    if adapted:
        return adapted["after"], adapted.get("flagged", {})
    return metrics["test"], metrics.get("warnings", {}).get("flagged", {})


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"


def _counts(found: dict[str, Any], name: str, label: str) -> dict[str, int]:
    totals = (one for one in found[name] if one.name == f"{name}_total")
    return {one.labels[label]: int(one.value) for one in totals}


def _buckets(samples: list[Any]) -> list[tuple[float, int]]:
    """Give each bucket's upper bound and how many reviews lie in it alone."""
    buckets = [(float(one.labels["le"]), int(one.value)) for one in samples if one.name.endswith("_bucket")]
    before = [0, *(count for _, count in buckets)]
    return [(bound, count - less) for (bound, count), less in zip(buckets, before, strict=False)]


def _uncertain(traffic: Traffic) -> float:
    return traffic.sentiments.get("uncertain", 0) / traffic.reviews


def _positive(traffic: Traffic) -> float:
    told = traffic.reviews - traffic.sentiments.get("uncertain", 0)
    return traffic.sentiments.get("positive", 0) / told if told else 0.0


def _positive_of_card(figures: dict[str, Any]) -> float:
    """Give the share of positive among the verdicts outright, which follows from how often each is right."""
    if "positive_outright" in figures:
        return float(figures["positive_outright"])
    both, negative = figures["accuracy_outright"], figures["accuracy_negative"]
    return float((both - negative) / (figures["accuracy_positive"] - negative))


def _lengths(traffic: Traffic, figures: dict[str, Any]) -> Iterator[Share]:
    """Give how many reviews are no longer than each quarter of the card's, but for the last."""
    so_far = 0
    for quarter in figures["by_length"][:-1]:
        so_far += quarter["reviews"]
        bound = quarter["tokens_to"]
        yield Share(f"of at most {bound} tokens", _up_to(traffic, bound), so_far / figures["reviews"])


def _up_to(traffic: Traffic, bound: float) -> float:
    """Give the share of reviews up to a length; inside a bucket they are taken to be spread evenly."""
    found, start = 0.0, 0.0
    for end, count in traffic.lengths:
        inside = min(1.0, max(0.0, (bound - start) / (end - start))) if math.isfinite(end) else 0.0
        found += count * inside
        start = end
    return found / traffic.reviews


if __name__ == "__main__":
    main()
