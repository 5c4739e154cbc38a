"""What a stage's status says: ages, costs, and what runs idle."""

import json
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.stage import make
from training.aws import status
from training.aws.cloud import Cloud
from training.aws.inventory import Resource

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=3)


def endpoint(hour: float, state: str = "InService") -> Resource:
    return Resource("endpoint", "verdict-dev", state, OLD, hour)


@pytest.mark.parametrize(
    "thing, last, expected",
    [
        (endpoint(0.0), None, None),
        (endpoint(0.115), None, "endpoint verdict-dev costs $0.115 an hour and had no request for 3 d"),
        (endpoint(0.115), NOW - timedelta(hours=2), None),
        (endpoint(0.115), NOW - timedelta(hours=30), "had no request for 1 d"),
        (endpoint(math.nan), None, "costs by the hour"),
        (endpoint(0.0, "Failed"), None, "endpoint verdict-dev has failed"),
        (endpoint(0.0, "UpdateRollbackFailed"), None, "it still answers, by a mix of two configurations"),
        (Resource("notebook", "n", "InService", NOW, 0.05), None, "notebook n runs and costs $0.050 an hour"),
        (Resource("bucket", "b"), None, None),
    ],
)
def test_what_costs_and_is_not_used_is_warned_of(
    thing: Resource, last: datetime | None, expected: str | None
) -> None:
    found = status.warning(thing, {"last": last.isoformat() if last else None}, NOW)
    assert found == expected if expected is None else expected in (found or "")


def test_a_table_ends_with_the_sum_and_the_warnings() -> None:
    row = {**endpoint(0.115)._asdict(), "made": OLD.isoformat(), "invocations": 7, "last": None}
    lines = status.format_table([{**row, "warning": "look"}], NOW).splitlines()
    assert lines[1].split() == ["endpoint", "verdict-dev", "InService", "3", "d", "0.115", "7"]
    assert lines[2].startswith("all of it costs $0.115 an hour, $83.95 a month while idle")
    assert lines[3] == "warning: look"


@pytest.mark.parametrize(
    "seconds, expected", [(5, "5 s"), (120, "2 min"), (7_200, "2 h"), (90_000, "1 d"), (-3, "0 s")]
)
def test_an_age_is_in_its_largest_unit(seconds: int, expected: str) -> None:
    assert status.age(NOW - timedelta(seconds=seconds), NOW) == expected


@pytest.mark.slow
def test_the_command_counts_invocations(
    cloud: Cloud, package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["status.py"])
    status.main()
    assert capsys.readouterr().out == "status: stage dev in eu-west-1 has no resources\n"
    make(cloud, package, "--site", "none")
    cloud.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Value": 3,
                "Timestamp": datetime.now(UTC),
                "Dimensions": [
                    {"Name": "EndpointName", "Value": "verdict-dev"},
                    {"Name": "VariantName", "Value": "AllTraffic"},
                ],
            }
        ],
    )
    monkeypatch.setattr(sys, "argv", ["status.py", "--json"])
    status.main()
    rows = json.loads(capsys.readouterr().out)
    (row,) = [row for row in rows if row["kind"] == "endpoint"]
    assert row["invocations"] == 3
    assert row["warning"] is None
