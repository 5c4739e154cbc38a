"""Send CloudWatch metrics of each request on AWS, as log lines in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import log
from chalicelib.stats import ReviewStats

NAMESPACE = "Verdict"
# CloudWatch bills each name under each value of a dimension, so there are few names and one dimension.
UNITS = {
    "Milliseconds": "Milliseconds",
    "ClientErrors": "Count",
    "ServerErrors": "Count",
    "Reviews": "Count",
    "Positive": "Count",
    "Uncertain": "Count",
    "Warned": "Count",
    "Tokens": "Count",
    "UnknownShare": "None",
}
# Fields that are no metrics, for queries of the log.
PROPERTIES = ("request_id", "route", "status", "code", "warnings", "refused")


def start(env: Mapping[str, str]) -> None:
    """Start writing these lines, but only inside a Lambda function."""
    if env.get("AWS_LAMBDA_FUNCTION_NAME"):
        log.watch(write)


def write(line: dict[str, Any], stats: Sequence[ReviewStats]) -> None:
    """Write the metrics of a request from its log line and its reviews' statistics."""
    embedded = embed(line, stats, os.environ["AWS_LAMBDA_FUNCTION_NAME"], int(time.time() * 1000))
    log.print_line(embedded)


def embed(
    line: dict[str, Any], stats: Sequence[ReviewStats], function: str, milliseconds: int
) -> dict[str, Any]:
    """Return the message: metric values at the root, and their names and units in ``_aws``."""
    values = {
        "Milliseconds": line["ms"],
        "ClientErrors": int(400 <= line["status"] < 500),
        "ServerErrors": int(line["status"] >= 500),
        **(_of_reviews(stats) if stats else {}),
    }
    metrics = [{"Name": name, "Unit": UNITS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics}
    properties = {name: line[name] for name in PROPERTIES if name in line}
    return {
        "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]},
        "Function": function,
        **properties,
        **values,
    }


def _of_reviews(stats: Sequence[ReviewStats]) -> dict[str, Any]:
    return {
        "Reviews": len(stats),
        "Positive": sum(review.sentiment == "positive" for review in stats),
        "Uncertain": sum(review.sentiment == "uncertain" for review in stats),
        "Warned": sum(bool(review.warnings) for review in stats),
        "Tokens": [review.tokens for review in stats],
        "UnknownShare": [round(review.unknown / review.words, 4) if review.words else 0 for review in stats],
    }
