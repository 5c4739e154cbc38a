"""The container images of endpoints and jobs in each region, from a table that the SageMaker SDK filled.

    python -m training.aws.images --region eu-west-1     # prints the images
    python -m training.aws.images --refresh              # writes the table anew (needs requirements/aws.txt)

Each region's registry belongs to another account. With the table, a deploy needs no SDK.
"""

import argparse
import json
import re
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
    "sklearn": ("sklearn", "1.9-0", "inference", "ml.m5.xlarge"),
    "ray": ("ray-serve", "1.4", "inference", "ml.m5.xlarge"),
    "pytorch": ("pytorch", "2.6", "inference", "ml.m5.xlarge"),
    "training": ("pytorch", "2.10", "training", "ml.m5.xlarge"),
    "training-gpu": ("pytorch", "2.10", "training", "ml.g5.xlarge"),
}
# The images that serve a package; the first one is the default.
SERVING = ("sklearn", "ray", "pytorch")
# The images whose registries belong to another account than the others'.
APART = ("sklearn",)
# The Python of each image; a package carries libraries for it.
PYTHONS = {"sklearn": "3.12", "ray": "3.13", "pytorch": "3.12"}
# An image of your own lies in a private registry of ECR: account, region, repository, and a tag or a digest.
OWN_EXAMPLE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/verdict:1"
_OWN = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d)\.amazonaws\.(?:com|com\.cn|eu)"
    r"/(?P<repository>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
    r"(?::\w[\w.-]{0,127}|@sha256:[0-9a-f]{64})",
    re.ASCII,
)
# The PyTorch inference image contains TorchServe, which has no maintainers any more.
LAST_PATCH = {
    "sklearn": "2027-07-16",
    "ray": "2027-02-18",
    "pytorch": "2026-06-30",
    "training": "2027-01-21",
    "training-gpu": "2027-01-21",
}


def uri(name: str, region: str) -> str:
    """Return an image's address in a region. Raises CloudError when it is not there.

    ``name`` is one of SERVING, or the address of your own image.
    """
    if own := _own(name):
        if own["region"] != region:
            raise CloudError(
                f"image {name} is in region {own['region']}, and SageMaker in {region} can't fetch it;"
                f" push it to {region}, or use --region {own['region']}"
            )
        return name
    domain = DOMAINS.get(region.split("-")[0], "amazonaws.com")
    return f"{account(name, region)}.dkr.ecr.{region}.{domain}/{_table()['images'][name]}"


def is_own(image: str) -> bool:
    """Return whether an image is your own, by its address in ECR.

    >>> is_own("sklearn"), is_own(OWN_EXAMPLE)
    (False, True)
    """
    return _own(image) is not None


def place_of(image: str) -> dict[str, Any]:
    """Return the registry, repository and id of your own image, as ECR's calls take them."""
    own = _own(image)
    assert own
    name, _, digest = image.partition("@")
    tag = {"imageDigest": digest} if digest else {"imageTag": name.rpartition(":")[2]}
    return {"registryId": own["account"], "repositoryName": own["repository"], "imageIds": [tag]}


def names_in(region: str) -> list[str]:
    """Return the names of the images that AWS has in a region. Raises CloudError where it has none."""
    names = [name for name in QUERIES if region in _accounts(name)]
    if not names:
        raise CloudError(f"AWS has no image in region {region}; use another --region")
    return names


def account(name: str, region: str) -> str:
    """Return the account that owns an image's registry in a region. Raises CloudError."""
    accounts = _accounts(name)
    if region not in accounts:
        others = [other for other in SERVING if name in SERVING and region in _accounts(other)]
        remedy = f"IMAGE={others[0]}, or another --region" if others else "another --region"
        raise CloudError(f"AWS has no {name} image in region {region}; use {remedy}")
    return accounts[region]


def repositories(names: Iterable[str], partition: str, region: str) -> list[str]:
    """Return the ARNs of the repositories of some images, sorted, without images that the region lacks."""
    places = {_repository(name, region) for name in names if is_own(name) or region in _accounts(name)}
    return sorted(f"arn:{partition}:ecr:{region}:{owner}:repository/{name}" for owner, name in places)


def serving(address: str, region: str) -> str:
    """Return the name of a serving image by its address; the default's for an unknown one of AWS.

    The name of your own image is its address.
    """
    if is_own(address):
        return address
    names = [name for name in SERVING if region in _accounts(name) and uri(name, region) == address]
    return names[0] if names else SERVING[0]


def warning(name: str, today: date) -> str | None:
    """Return a sentence about an image that gets no patches any more, or None; you patch your own."""
    if is_own(name):
        return None
    last = date.fromisoformat(LAST_PATCH[name])
    return f"image {name} had its last patch on {last}" if last < today else None


def look_up(region: str, names: Iterable[str] = tuple(QUERIES)) -> dict[str, str]:
    """Return some images' addresses in a region, by the SDK. Raises ValueError."""
    from sagemaker.core import image_uris

    return {
        name: image_uris.retrieve(
            framework, region, version=version, image_scope=scope, instance_type=instance
        )
        for name, (framework, version, scope, instance) in QUERIES.items()
        if name in names
    }


def refresh(today: date) -> dict[str, Any]:
    """Return a new table of all regions, by the SDK, without regions where images of a group differ in it."""
    import boto3

    session = boto3.session.Session()
    found: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sagemaker", partition)
    ]
    for key, names in (("accounts", set(QUERIES) - set(APART)), ("accounts_apart", set(APART))):
        accounts = {}
        for region in regions:
            try:
                addresses = look_up(region, names)
            except ValueError:  # the region lacks an image
                continue
            owners = {address.split(".")[0] for address in addresses.values()}
            domains = {address.split("/")[0].split(region + ".")[1] for address in addresses.values()}
            if len(owners) == 1 and domains <= {"amazonaws.com", *DOMAINS.values()}:
                accounts[region] = owners.pop()
                found |= {name: address.split("/", 1)[1] for name, address in addresses.items()}
        groups[key] = dict(sorted(accounts.items()))
    return {"looked_up": today.isoformat(), "images": {name: found[name] for name in QUERIES}, **groups}


def _repository(name: str, region: str) -> tuple[str, str]:
    """Return the account and the name of an image's repository. Raises CloudError."""
    if is_own(name):
        place = place_of(name)
        return place["registryId"], place["repositoryName"]
    return account(name, region), _table()["images"][name].split(":")[0]


def _accounts(name: str) -> dict[str, str]:
    """Return the account of an image's registry by region."""
    return dict(_table()["accounts_apart" if name in APART else "accounts"])


def _own(image: str) -> re.Match[str] | None:
    """Return the parts of your own image's address; None for a name, and for an image of AWS."""
    found = _OWN.fullmatch(image)
    of_aws = {owner for group in ("accounts", "accounts_apart") for owner in _table()[group].values()}
    return found if found and found["account"] not in of_aws else None


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
        for name in names_in(options.region):
            print(f"{name:14}{uri(name, options.region)}  last patch {LAST_PATCH[name]}")
    except CloudError as error:
        sys.exit(f"images: {error}")


if __name__ == "__main__":
    main()
