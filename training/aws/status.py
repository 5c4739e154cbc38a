"""List a stage's resources on AWS: state, age, cost an hour, and the endpoint's invocations.

python -m training.aws.status --stage dev
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from training.aws import cloud as clouds
from training.aws import hosting, inventory
from training.aws.cloud import Cloud
from training.aws.inventory import Resource

# Invocations of the last DAYS count; an endpoint without any for IDLE_HOURS is idle.
DAYS, IDLE_HOURS = 7, 24
HOURS_A_MONTH = 730
REFUSED = "this is not all; add the rights that are named above, or ask somebody who has them"


def invocations(cloud: Cloud, resource: Resource, now: datetime) -> dict[str, Any] | None:
    """Return an endpoint's or function's number of calls in the last DAYS, and the hour of the last one.

    The result is None where the caller may not see it.
    """
    namespace, dimensions = "AWS/Lambda", {"FunctionName": resource.name}
    if resource.kind == "endpoint":
        namespace = "AWS/SageMaker"
        dimensions = {"EndpointName": resource.name, "VariantName": hosting.VARIANT}
    try:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName="Invocations",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(days=DAYS),
            EndTime=now + timedelta(hours=1),  # with the current hour
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
    except ClientError as error:
        if not clouds.is_denied(error):
            raise
        return None
    busy = [point for point in points if point["Sum"]]
    last = max((point["Timestamp"] for point in busy), default=None)
    return {"count": int(sum(point["Sum"] for point in busy)), "last": last}


def rows(cloud: Cloud, now: datetime) -> list[dict[str, Any]]:
    """Return a row for each of the stage's resources. Raises ClientError where one may not be seen."""
    return rows_of(cloud, inventory.find(cloud), now)


def rows_of(cloud: Cloud, resources: Sequence[Resource], now: datetime) -> list[dict[str, Any]]:
    """Return a row for each of these resources."""
    table = []
    for resource in resources:
        made = resource.made.isoformat() if resource.made else None
        row: dict[str, Any] = {**resource._asdict(), "made": made}
        if resource.kind in ("endpoint", "model function"):
            usage = invocations(cloud, resource, now)
            if usage is not None:
                row["invocations"] = usage["count"]
                row["last"] = usage["last"].isoformat() if usage["last"] else None
        row["warning"] = warning(resource, row, now)
        table.append(row)
    return table


def warning(resource: Resource, row: dict[str, Any], now: datetime) -> str | None:
    """Return a sentence about a resource that has failed or costs money unused, or None."""
    if resource.state == "Failed" and resource.kind != "training job":
        return f"{resource.kind} {resource.name} has failed; deploy again, or `make destroy`"
    if resource.state == hosting.STUCK:
        return f"endpoint {resource.name} is {hosting.STUCK}: {hosting.STUCK_REMEDY}"
    if resource.idle_hour == 0:
        return None
    price = "by the hour" if math.isnan(resource.idle_hour) else f"${resource.idle_hour:.3f} an hour"
    if resource.kind != "endpoint":
        return f"{resource.kind} {resource.name} runs and costs {price}"
    if "last" not in row:  # the requests may not be seen
        return None
    last = datetime.fromisoformat(row["last"]) if row["last"] else resource.made
    if last and now - last > timedelta(hours=IDLE_HOURS):
        return f"endpoint {resource.name} costs {price} and had no request for {age(last, now)}"
    return None


def age(moment: datetime | None, now: datetime) -> str:
    """Return the time since a moment, in its largest unit.

    >>> age(datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 3, tzinfo=timezone.utc))
    '2 d'
    """
    if moment is None:
        return ""
    seconds = (now - moment).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(seconds, 0))} s"


def format_table(table: Sequence[dict[str, Any]], now: datetime) -> str:
    """Return rows as a text table, with the sum and the warnings below."""
    lines = [f"{'kind':17}{'name':58}{'state':12}{'age':>7}{'$ an hour':>11}  requests in {DAYS} days"]
    for row in table:
        made = datetime.fromisoformat(row["made"]) if row["made"] else None
        hour = "?" if math.isnan(row["idle_hour"]) else f"{row['idle_hour']:.3f}"
        unseen = "may not be seen" if row["kind"] == "endpoint" else ""
        note = str(row["invocations"]) if "invocations" in row else row["note"] or unseen
        line = f"{row['kind']:17}{row['name']:58}{row['state']:12}{age(made, now):>7}{hour:>11}  {note}"
        lines.append(line.rstrip())
    idle = sum(row["idle_hour"] for row in table)
    unknown = math.isnan(idle)
    total = "an unknown sum" if unknown else f"${idle:.3f} an hour, ${idle * HOURS_A_MONTH:.2f} a month"
    lines.append(f"all of it costs {total} while idle (an estimate, without storage)")
    return "\n".join(lines + [f"warning: {row['warning']}" for row in table if row["warning"]])


def main() -> None:
    parser = argparse.ArgumentParser(description="List a stage's resources on AWS.")
    clouds.add_flags(parser)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args()
    now = datetime.now(UTC)
    with clouds.exit_on_error("status"):
        cloud = clouds.open_stage(options.stage, options.region)
        seen = inventory.look(cloud)
        table = rows_of(cloud, seen.resources, now)
        if options.json:
            print(json.dumps(table, indent=2))
        elif not table:
            other = "no other resources" if seen.blind() else "no resources"
            print(f"status: stage {cloud.stage.name} in {cloud.stage.region} has {other}")
        else:
            print(format_table(table, now))
        for line in seen.lines():
            print(f"status: {line}", file=sys.stderr)
        if seen.blind():
            sys.exit(f"status: {REFUSED}")


if __name__ == "__main__":
    main()
