"""Every thing of a stage on AWS: its state, age, cost an hour, and whether anybody asked it lately.

python -m training.aws.status --stage dev
"""

import argparse
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from training.aws import cloud as clouds
from training.aws import hosting, inventory
from training.aws.cloud import Cloud
from training.aws.inventory import Thing

# How far back invocations are counted, and after how long without any a paid thing is called idle.
DAYS, IDLE_HOURS = 7, 24
HOURS_A_MONTH = 730


def invocations(cloud: Cloud, endpoint: str, now: datetime) -> dict[str, Any]:
    """Give how often an endpoint was asked in the last DAYS, and in which hour last."""
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": hosting.VARIANT},
        ],
        StartTime=now - timedelta(days=DAYS),
        EndTime=now + timedelta(hours=1),  # the hour under way too
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    asked = [point for point in points if point["Sum"]]
    last = max((point["Timestamp"] for point in asked), default=None)
    return {"count": int(sum(point["Sum"] for point in asked)), "last": last}


def rows(cloud: Cloud, now: datetime) -> list[dict[str, Any]]:
    """Give a row a thing."""
    found = []
    for thing in inventory.find(cloud):
        row: dict[str, Any] = {**thing._asdict(), "made": thing.made.isoformat() if thing.made else None}
        if thing.kind == "endpoint":
            asked = invocations(cloud, thing.name, now)
            row["invocations"] = asked["count"]
            row["last"] = asked["last"].isoformat() if asked["last"] else None
        row["warning"] = warning(thing, row, now)
        found.append(row)
    return found


def warning(thing: Thing, row: dict[str, Any], now: datetime) -> str | None:
    """Say what costs money while nobody uses it, or is broken, or None."""
    if thing.state == "Failed":
        return f"{thing.kind} {thing.name} has failed; deploy again, or `make destroy`"
    if thing.idle_hour == 0:
        return None
    price = "by the hour" if math.isnan(thing.idle_hour) else f"${thing.idle_hour:.3f} an hour"
    if thing.kind != "endpoint":
        return f"{thing.kind} {thing.name} runs and costs {price}"
    last = datetime.fromisoformat(row["last"]) if row.get("last") else thing.made
    if last and now - last > timedelta(hours=IDLE_HOURS):
        return f"endpoint {thing.name} costs {price} and was not asked for {age(last, now)}"
    return None


def age(moment: datetime | None, now: datetime) -> str:
    """Give a time's distance in its largest unit.

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


def lay_out(found: Sequence[dict[str, Any]], now: datetime) -> str:
    """Lay rows out, with warnings and the sum below."""
    lines = [f"{'what':17}{'name':58}{'state':12}{'age':>7}{'$ an hour':>11}  asked in {DAYS} days"]
    for row in found:
        made = datetime.fromisoformat(row["made"]) if row["made"] else None
        hour = "?" if math.isnan(row["idle_hour"]) else f"{row['idle_hour']:.3f}"
        asked = str(row["invocations"]) if "invocations" in row else row["note"]
        line = f"{row['kind']:17}{row['name']:58}{row['state']:12}{age(made, now):>7}{hour:>11}  {asked}"
        lines.append(line.rstrip())
    idle = sum(row["idle_hour"] for row in found)
    unknown = math.isnan(idle)
    total = "an unknown sum" if unknown else f"${idle:.3f} an hour, ${idle * HOURS_A_MONTH:.2f} a month"
    lines.append(f"idle, all of it costs {total} (an estimate, storage left out)")
    return "\n".join(lines + [f"warning: {row['warning']}" for row in found if row["warning"]])


def main() -> None:
    parser = argparse.ArgumentParser(description="Show what a stage has on AWS.")
    clouds.add_flags(parser)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    options = parser.parse_args()
    now = datetime.now(UTC)
    with clouds.speaking("status"):
        cloud = clouds.open_stage(options.stage, options.region)
        found = rows(cloud, now)
        if options.json:
            print(json.dumps(found, indent=2))
        elif not found:
            print(f"status: nothing is there of stage {cloud.stage.name} in {cloud.stage.region}")
        else:
            print(lay_out(found, now))


if __name__ == "__main__":
    main()
