"""Tell CloudWatch about each request on AWS, by a log line in its embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import log
from chalicelib.measures import Judged

NAMESPACE = "Verdict"
# Each name is billed by itself, under each value of the dimension: so there are few, and one dimension.
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
# What is no metric, but can be asked for in the log.
PROPERTIES = ("request_id", "route", "status", "code", "warnings", "refused")


def start(env: Mapping[str, str]) -> None:
    """Write the lines from now on, in a Lambda function; anywhere else nobody reads them."""
    if env.get("AWS_LAMBDA_FUNCTION_NAME"):
        log.watch(write)


def write(line: dict[str, Any], judged: Sequence[Judged]) -> None:
    """Write the line of a request, whose own log line and measures are given."""
    embedded = embed(line, judged, os.environ["AWS_LAMBDA_FUNCTION_NAME"], int(time.time() * 1000))
    log.print_line(embedded)


def embed(line: dict[str, Any], judged: Sequence[Judged], function: str, milliseconds: int) -> dict[str, Any]:
    """Give the message: metrics at its root, and what they are in ``_aws``."""
    values = {
        "Milliseconds": line["ms"],
        "ClientErrors": int(400 <= line["status"] < 500),
        "ServerErrors": int(line["status"] >= 500),
        **(_of_reviews(judged) if judged else {}),
    }
    metrics = [{"Name": name, "Unit": UNITS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics}
    own = {name: line[name] for name in PROPERTIES if name in line}
    return {
        "_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]},
        "Function": function,
        **own,
        **values,
    }


def _of_reviews(judged: Sequence[Judged]) -> dict[str, Any]:
    return {
        "Reviews": len(judged),
        "Positive": sum(one.sentiment == "positive" for one in judged),
        "Uncertain": sum(one.sentiment == "uncertain" for one in judged),
        "Warned": sum(bool(one.warnings) for one in judged),
        "Tokens": [one.tokens for one in judged],
        "UnknownShare": [round(one.unknown / one.words, 4) if one.words else 0 for one in judged],
    }
