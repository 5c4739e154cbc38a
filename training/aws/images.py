"""Which container image each job runs in, in each region: looked up once with the SageMaker SDK, and kept.

    python -m training.aws.images --region eu-west-1     # prints the images
    python -m training.aws.images --refresh              # looks them up anew (needs requirements/aws.txt)

AWS's registries belong to different accounts by region. Keeping the table spares a deploy the SDK.
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

KEPT = Path(__file__).with_name("images.json")
DOMAINS = {"cn": "amazonaws.com.cn", "eusc": "amazonaws.eu"}
# What the SDK is asked for: framework, version, scope, kind of instance.
WANTED = {
    "ray": ("ray-serve", "1.4", "inference", "ml.m5.xlarge"),
    "pytorch": ("pytorch", "2.6", "inference", "ml.m5.xlarge"),
    "training": ("pytorch", "2.10", "training", "ml.m5.xlarge"),
    "training-gpu": ("pytorch", "2.10", "training", "ml.g5.xlarge"),
}
SERVING = ("ray", "pytorch")
# The Python of each image, for which a package carries its wheels.
PYTHONS = {"ray": "3.13", "pytorch": "3.12"}
# The PyTorch inference image is built on TorchServe, which nobody maintains any more.
LAST_PATCH = {
    "ray": "2027-02-18",
    "pytorch": "2026-06-30",
    "training": "2027-01-21",
    "training-gpu": "2027-01-21",
}


def uri(name: str, region: str) -> str:
    """Give an image's address in a region. Raises CloudError when AWS has none there."""
    kept = _kept()
    if region not in kept["accounts"]:
        raise CloudError(f"AWS keeps no {name} image in region {region}; take another --region")
    domain = DOMAINS.get(region.split("-")[0], "amazonaws.com")
    return f"{kept['accounts'][region]}.dkr.ecr.{region}.{domain}/{kept['images'][name]}"


def account(region: str) -> str:
    """Give the account whose registry a region uses. Raises CloudError."""
    return uri("ray", region).split(".")[0]


def repositories(names: Iterable[str] = tuple(WANTED)) -> list[str]:
    """Give the repositories that images are in."""
    return sorted({_kept()["images"][name].split(":")[0] for name in names})


def warning(name: str, today: date) -> str | None:
    """Say that an image gets no patches any more, or None."""
    last = date.fromisoformat(LAST_PATCH[name])
    return f"image {name} had its last patch on {last}" if last < today else None


def look_up(region: str) -> dict[str, str]:
    """Ask the SDK for every image's address in a region."""
    from sagemaker.core import image_uris

    return {
        name: image_uris.retrieve(
            framework, region, version=version, image_scope=scope, instance_type=instance
        )
        for name, (framework, version, scope, instance) in WANTED.items()
    }


def refresh(today: date) -> dict[str, Any]:
    """Ask the SDK for all regions; give the table. A region whose accounts differ by image is left out."""
    import boto3

    session, accounts, images = boto3.session.Session(), {}, {}
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("sagemaker", partition):
            try:
                found = look_up(region)
            except ValueError:  # some image is not there
                continue
            owners = {address.split(".")[0] for address in found.values()}
            if len(owners) == 1:
                accounts[region] = owners.pop()
                images = {name: address.split("/", 1)[1] for name, address in found.items()}
    return {"looked_up": today.isoformat(), "images": images, "accounts": dict(sorted(accounts.items()))}


@cache
def _kept() -> dict[str, Any]:
    return dict(json.loads(KEPT.read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Print or look up the container images.")
    parser.add_argument("--region", default="us-east-1", help="AWS region (default us-east-1)")
    parser.add_argument("--refresh", action="store_true", help="look them up with the SageMaker SDK")
    options = parser.parse_args()
    if options.refresh:
        try:
            table = refresh(date.today())
        except ModuleNotFoundError:
            sys.exit("images: the SageMaker SDK is not installed: pip install -r requirements/aws.txt")
        write_atomic(KEPT, (json.dumps(table, indent=2) + "\n").encode())
        print(f"images: {len(table['accounts'])} regions in {KEPT}")
        return
    try:
        for name in WANTED:
            print(f"{name:14}{uri(name, options.region)}  last patch {LAST_PATCH[name]}")
    except CloudError as error:
        sys.exit(f"images: {error}")


if __name__ == "__main__":
    main()
