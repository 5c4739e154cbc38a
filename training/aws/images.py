"""The container images of endpoints and jobs in each region, from a table that the SageMaker SDK filled.

    python -m training.aws.images --region eu-west-1     # prints the images
    python -m training.aws.images --refresh              # writes the table anew (needs requirements/aws.txt)

Each region's registry belongs to another account. With the table, a deploy needs no SDK.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from training.aws.cloud import CloudError
from vocab.files import write_atomic

TABLE = Path(__file__).with_name("images.json")
DOMAINS = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}
# Arguments for the SDK: framework, version, scope, instance type.
QUERIES = {
    "ray": ("ray-serve", "1.4", "inference", "ml.m5.xlarge"),
    "pytorch": ("pytorch", "2.6", "inference", "ml.m5.xlarge"),
    "training": ("pytorch", "2.10", "training", "ml.m5.xlarge"),
    "training-gpu": ("pytorch", "2.10", "training", "ml.g5.xlarge"),
}
SERVING = ("ray", "pytorch")
# The Python of each image; a package carries wheels for it.
PYTHONS = {"ray": "3.13", "pytorch": "3.12"}
# The PyTorch inference image contains TorchServe, which has no maintainers any more.
LAST_PATCH = {
    "ray": "2027-02-18",
    "pytorch": "2026-06-30",
    "training": "2027-01-21",
    "training-gpu": "2027-01-21",
}


def uri(name: str, region: str) -> str:
    """Return an image's address in a region. Raises CloudError when AWS has none there."""
    table = _table()
    if region not in table["accounts"]:
        raise CloudError(f"AWS has no {name} image in region {region}; use another --region")
    domain = DOMAINS.get(region.split("-")[0], "amazonaws.com")
    return f"{table['accounts'][region]}.dkr.ecr.{region}.{domain}/{table['images'][name]}"


def account(region: str) -> str:
    """Return the account that owns a region's registry. Raises CloudError."""
    return uri("ray", region).split(".")[0]


def repositories(names: Iterable[str] = tuple(QUERIES)) -> list[str]:
    """Return the repositories of some images, sorted."""
    return sorted({_table()["images"][name].split(":")[0] for name in names})


def warning(name: str, today: date) -> str | None:
    """Return a sentence about an image that gets no patches any more, or None."""
    last = date.fromisoformat(LAST_PATCH[name])
    return f"image {name} had its last patch on {last}" if last < today else None


def look_up(region: str) -> dict[str, str]:
    """Return every image's address in a region, by the SDK."""
    from sagemaker.core import image_uris

    return {
        name: image_uris.retrieve(
            framework, region, version=version, image_scope=scope, instance_type=instance
        )
        for name, (framework, version, scope, instance) in QUERIES.items()
    }


def refresh(today: date) -> dict[str, Any]:
    """Return a new table of all regions, by the SDK, without regions whose images have several accounts."""
    import boto3

    session, accounts, images = boto3.session.Session(), {}, {}
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("sagemaker", partition):
            try:
                addresses = look_up(region)
            except ValueError:  # the region lacks an image
                continue
            owners = {address.split(".")[0] for address in addresses.values()}
            if len(owners) == 1:
                accounts[region] = owners.pop()
                images = {name: address.split("/", 1)[1] for name, address in addresses.items()}
    return {"looked_up": today.isoformat(), "images": images, "accounts": dict(sorted(accounts.items()))}


@cache
def _table() -> dict[str, Any]:
    return dict(json.loads(TABLE.read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the container images, or look them up anew.")
    parser.add_argument("--region", default="us-east-1", help="AWS region (default us-east-1)")
    parser.add_argument("--refresh", action="store_true", help="write the table anew with the SageMaker SDK")
    options = parser.parse_args()
    if options.refresh:
        try:
            table = refresh(date.today())
        except ModuleNotFoundError:
            sys.exit("images: the SageMaker SDK is not installed: pip install -r requirements/aws.txt")
        write_atomic(TABLE, (json.dumps(table, indent=2) + "\n").encode())
        print(f"images: {len(table['accounts'])} regions in {TABLE}")
        return
    try:
        for name in QUERIES:
            print(f"{name:14}{uri(name, options.region)}  last patch {LAST_PATCH[name]}")
    except CloudError as error:
        sys.exit(f"images: {error}")


if __name__ == "__main__":
    main()
