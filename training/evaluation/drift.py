"""Compare an API's traffic with the reviews that its model was evaluated on, and print the differences.

    python -m training.evaluation.drift http://127.0.0.1:8000      # with `make run` in another terminal
    python -m training.evaluation.drift --labelled new.csv         # test the model's promise on new labels

Verdicts, lengths and warnings since the API's start (GET /v1/metrics) are compared with the card's figures
(GET /v1/model) for the test split, or for the reviews that the model was adapted to. The exit status is 1 if
a difference is larger than chance and LARGE. Then the accuracy on the card says less about the traffic.
If `verdict promise` has left a receipt, the command says whether the promise still holds.
If it does not, the status is 1.
"""

import argparse
import json
import math
import os
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from training.evaluation import kept_promise, risk_control
from training.evaluation.kept_promise import Answer, Finding, Promise
from training.files import labelled
from training.files.labelled import Labelled
from training.files.rows import BatchError
from vocab import typed
from vocab.exit_status import BROKEN, FINE, INTERRUPTED, NO, UNAVAILABLE, USAGE, Ended

# What was typed, unless a caller says something else.
PROG = typed.command("training.evaluation.drift")
LOCAL_URL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 30
# A busy API gets another try after the seconds that it names, but no later than this.
TRIES, MOST_SECONDS = 5, 10.0
# Shares of fewer reviews mean nothing.
FEWEST_REVIEWS = 30
# A difference counts above so many standard errors and above this share.
SURE, LARGE = 3.0, 0.05
# What is said of a promise that traffic, or labelled rows, speak against.
UNLIKE = "It may no longer hold: label some of these reviews, and test it with --labelled."
REFUTED = "It no longer holds: run `verdict promise` on new labelled reviews."
# A warning of an opinion, not of the text. Cards have no figure of it.
UNCOUNTED = frozenset({"mixed"})


class DriftError(Exception):
    """Traffic and card can't be compared; the message says why and names a remedy."""


class ApiError(DriftError):
    """The API refuses the caller, fails, does not answer, or is not Verdict's."""


class Traffic(NamedTuple):
    """Counts of an API: reviews by verdict and by warning, lengths as ``(upper bound, count)``, words.

    ``sureness`` counts reviews between the thresholds of promises; it is empty for an older API.
    """

    sentiments: dict[str, int]
    warnings: dict[str, int]
    lengths: list[tuple[float, int]]
    words: int
    unknown: int
    sureness: tuple[int, ...] = ()

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
    """Parse GET /v1/metrics. Raises DriftError for another service's.

    A family that has counted nothing has no sample, or is missing.
    """
    try:
        families = [one for one in text_string_to_metric_families(text) if one.name.startswith("verdict_")]
        if not any(one.type == "counter" for one in families):
            raise ValueError("no counter is Verdict's")
        samples = defaultdict[str, list[Sample]](list, {one.name: one.samples for one in families})
        return Traffic(
            _counts(samples["verdict_reviews"], "sentiment"),
            _counts(samples["verdict_warnings"], "code"),
            _buckets(samples["verdict_review_tokens"]),
            _total(samples["verdict_words"]),
            _total(samples["verdict_unknown_words"]),
            tuple(count for _, count in _buckets(samples["verdict_sureness"])),
        )
    except (ValueError, KeyError) as error:
        raise ApiError("GET /v1/metrics gave something else; is this Verdict's API?") from error


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
            "the model's card has no figures of the test split; make some:"
            f" {'`verdict adapt`' if typed.INSTALLED else '`make evaluate`'}"
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


def watch_promise(card: dict[str, Any], traffic: Traffic) -> list[Finding]:
    """Return what an API's traffic says of its model's promise; nothing without a promise."""
    promise = _promise_of(card)
    if promise is None or len(traffic.sureness) != len(risk_control.THRESHOLDS) + 1:
        return []
    return kept_promise.compare_traffic(promise, traffic.sureness)


def report_promise(card: dict[str, Any], findings: list[Finding], broken: str) -> str:
    """Return what was found on a promise, in words; ``broken`` is said when a finding is against it."""
    promise = card["promise"]
    lines = [
        f"The promise of {promise['date']}: at most {100 * promise['wrong']:g} % of the answers at"
        f" {100 * promise['threshold']:g} % sureness or more are wrong."
    ]
    lines += [f"{'AGAINST' if finding.against else 'for':8} {finding.line}" for finding in findings]
    lines.append(
        broken if any(finding.against for finding in findings) else "Nothing speaks against the promise."
    )
    return "\n".join(lines)


def fetch(url: str, body: bytes | None = None) -> bytes:
    """Fetch a URL's body, with API_KEY if it is set; with ``body``, post that JSON. Raises DriftError."""
    headers = {"X-Api-Key": os.environ.get("API_KEY", "")}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=headers)
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            if error.code in (429, 503) and left:
                time.sleep(_pause(error.headers.get("Retry-After")))
                continue
            reason = {401: "it wants a key; set API_KEY", 404: "only a local API counts"}.get(
                error.code, "look at its log"
            )
            raise ApiError(f"{url} answers {error.code}: {reason}") from error
        except (OSError, ValueError) as error:
            start = typed.choose("make run", "verdict serve")
            raise ApiError(
                f"nothing answers at {url}; start it with `{start}`, or name another URL"
            ) from error
    raise AssertionError("the last try returns or raises")


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> NoReturn:
    """Run the command, named ``prog`` in its messages, and end with its exit status."""
    options = parse(arguments, prog)
    url = options.url.rstrip("/")
    try:
        different = _run(url, options)
    except ApiError as error:
        raise Ended(f"{prog}: {error}", UNAVAILABLE) from error
    except (DriftError, BatchError, ValueError) as error:
        raise Ended(f"{prog}: {error}", USAGE) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Ended(f"{prog}: {error.filename or url}: {error.strerror or error}", BROKEN) from error
    except KeyboardInterrupt:
        raise Ended(f"{prog}: interrupted", INTERRUPTED) from None
    sys.exit(NO if different else FINE)


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the command's parser, named ``prog`` in its help."""
    parser = argparse.ArgumentParser(prog=prog, description="Compare an API's traffic with the test split.")
    default = os.environ.get("API_URL") or f"http://127.0.0.1:{os.environ.get('API_PORT') or 8000}"
    parser.add_argument("url", nargs="?", default=default, help="the API's address (default: this machine's)")
    parser.add_argument(
        "--labelled", dest="file", type=Path, help="new labelled reviews, sent to the API to test its promise"
    )
    labelled.add_columns(parser)
    return parser


def parse(arguments: Sequence[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    parser = make_parser(prog)
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    return options


def _run(url: str, options: argparse.Namespace) -> bool:
    """Print what was found, and return whether something differs. Raises DriftError or BatchError."""
    if options.file:
        return _test_promise(url, labelled.read_options(options))
    traffic = parse_metrics(fetch(f"{url}/v1/metrics").decode("utf-8", "replace"))
    if traffic.reviews < FEWEST_REVIEWS:
        raise DriftError(_too_few(traffic.reviews))
    card = json.loads(fetch(f"{url}/v1/model"))
    shares = compare(traffic, card)
    adapted = "adaptation" in card["metrics"]
    print(report(traffic, shares, "where it was adapted to" if adapted else "on the test split"))
    findings = watch_promise(card, traffic)
    if findings:
        print(report_promise(card, findings, UNLIKE))
    return any(share.differs(traffic.reviews) for share in shares) or any(one.against for one in findings)


def _too_few(reviews: int) -> str:
    """Return what to say of an API that has judged too few reviews."""
    judged = {0: "no review was", 1: "1 review was"}.get(reviews, f"{reviews} reviews were")
    return (
        f"{judged} judged since the API's start; a comparison takes {FEWEST_REVIEWS} or more,"
        " so run this again later"
    )


def _test_promise(url: str, rows: Labelled) -> bool:
    """Print what new labelled rows say of the promise, and return whether they refute it."""
    if not len(rows.labels):
        left_out = labelled.describe_left_out(rows.counts)
        raise DriftError(f"{rows.source.path} has no labelled row; left out: {left_out}")
    card = json.loads(fetch(f"{url}/v1/model"))
    promise = _promise_of(card)
    if promise is None:
        raise DriftError(
            f"the model at {url} has no promise to test; make one with `verdict promise`, and restart the API"
        )
    finding = kept_promise.check_rows(promise, rows, lambda reviews: ask(url, reviews))
    print(report_promise(card, [finding], REFUTED))
    return finding.against


def ask(url: str, reviews: Sequence[str]) -> list[Answer]:
    """Return an API's answers to reviews, in order. Raises DriftError."""
    body = json.dumps({"reviews": [{"review": review} for review in reviews]}).encode()
    try:
        answers = json.loads(fetch(f"{url}/v1/sentiment/batch", body))["answers"]
        if len(answers) != len(reviews):
            raise ValueError("answers are missing")
        return [_answer(answer) for answer in answers]
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError(f"{url} gave no answers to the reviews; is this Verdict's API?") from error


def _answer(answer: dict[str, Any]) -> Answer:
    if "error" in answer:
        return Answer(None, 0.5)
    side = {"positive": True, "negative": False, "uncertain": None}[answer["sentiment"]]
    return Answer(side, float(answer["probability"]))


def _promise_of(card: dict[str, Any]) -> Promise | None:
    """Return the card's promise; None without one. Raises DriftError."""
    try:
        return kept_promise.parse_promise(card)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DriftError("the card's promise can't be read; make a new one with `verdict promise`") from error


def _pause(seconds: str | None) -> float:
    return min(MOST_SECONDS, float(seconds)) if seconds and seconds.isdigit() else 1.0


def _figures(metrics: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the card's figures of reviews, and the share of reviews with each warning."""
    adapted = metrics.get("adaptation")
    if adapted:
        return adapted["after"], adapted.get("flagged", {})
    return metrics["test"], metrics.get("warnings", {}).get("flagged", {})


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"


def _counts(samples: list[Sample], label: str) -> dict[str, int]:
    totals = (one for one in samples if one.name.endswith("_total"))
    return {one.labels[label]: int(one.value) for one in totals}


def _total(samples: list[Sample]) -> int:
    return sum(int(one.value) for one in samples if one.name.endswith("_total"))


def _buckets(samples: list[Sample]) -> list[tuple[float, int]]:
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
