"""emf.py: on AWS each request writes a line with CloudWatch metrics."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib import emf, log
from chalicelib.stats import ReviewStats
from tests.support.api import FOLDER, InProcess
from tests.support.lambda_runtime import proxy_event

# The specification's own schema, as far as these lines go.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": NAME,
                            "Dimensions": {"type": "array", "items": {"type": "array", "maxItems": 30}},
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": NAME,
                                        "Unit": {"enum": ["Milliseconds", "Count", "None"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
LINE = {"request_id": "r1", "route": "/v1/sentiment", "method": "POST", "status": 200, "ms": 3.5, "ids": 7}
GOOD = ReviewStats(7, 6, 1, "positive", ("too_short",))
ODD = ReviewStats(900, 0, 0, "uncertain", ())


def check(message: dict[str, Any]) -> None:
    """Check a message against the schema, and its root against rules outside the schema."""
    Draft202012Validator(SCHEMA).validate(message)
    (directive,) = message["_aws"]["CloudWatchMetrics"]
    for names in directive["Dimensions"]:
        assert all(isinstance(message[name], str) and message[name] for name in names)
    for metric in directive["Metrics"]:
        values = message[metric["Name"]]
        values = values if isinstance(values, list) else [values]
        assert 1 <= len(values) <= 100
        assert all(type(value) in (int, float) and math.isfinite(value) for value in values)


def test_a_request_is_told_by_its_time_and_its_verdicts() -> None:
    message = emf.embed(LINE, [GOOD, ODD], "verdict-dev", 1_700_000_000_000)
    check(message)
    metric_names = {metric["Name"] for metric in message["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert metric_names == {*emf.UNITS}
    assert {name: message[name] for name in metric_names} == {
        "Milliseconds": 3.5,
        "ClientErrors": 0,
        "ServerErrors": 0,
        "Reviews": 2,
        "Positive": 1,
        "Uncertain": 1,
        "Warned": 1,
        "Tokens": [7, 900],
        "UnknownShare": [0.1667, 0],
    }
    assert (message["Function"], message["route"], message["status"]) == ("verdict-dev", "/v1/sentiment", 200)


@pytest.mark.parametrize(("status", "client", "server"), [(404, 1, 0), (429, 1, 0), (502, 0, 1), (304, 0, 0)])
def test_a_refusal_counts_as_whose_fault_it_is_and_tells_of_no_review(
    status: int, client: int, server: int
) -> None:
    message = emf.embed(LINE | {"status": status, "code": "x"}, [], "verdict-dev", 1)
    check(message)
    assert (message["ClientErrors"], message["ServerErrors"], message["code"]) == (client, server, "x")
    assert "Reviews" not in message and "Tokens" not in message


def test_a_full_batch_fits() -> None:
    check(emf.embed(LINE, [GOOD] * 100, "verdict-dev", 1))


def test_there_are_no_more_metrics_than_ten() -> None:
    assert len(emf.UNITS) <= 10


def test_anywhere_else_no_line_is_written(api: InProcess, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(log._watchers)
    emf.start({"AWS_CHALICE_CLI_MODE": "true"})
    assert log._watchers == before
    api.send("GET", "/nothing")
    assert "_aws" not in capsys.readouterr().out


def test_a_function_writes_its_line_beside_the_log_line() -> None:
    script = f"import app; app.app({proxy_event('GET', '/{proxy+}')!r}, None)"
    env = {"AWS_LAMBDA_FUNCTION_NAME": "verdict-dev", "PYTHONPATH": f"{FOLDER}:{FOLDER / 'vendor'}"}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
    line, message = map(json.loads, run.stdout.splitlines())
    assert (line["status"], line["code"]) == (404, "not_found")
    check(message)
    assert (message["Function"], message["ClientErrors"]) == ("verdict-dev", 1)
