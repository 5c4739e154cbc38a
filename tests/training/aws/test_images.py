"""Which image runs where, and until when it is patched."""

from datetime import date

import pytest

from training.aws import images
from training.aws.cloud import CloudError


def test_an_image_s_address_names_account_region_and_tag() -> None:
    assert images.uri("ray", "eu-west-1") == (
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/ray:serve-ml-sagemaker-cpu-v1.4"
    )
    assert images.uri("pytorch", "cn-north-1").startswith("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/")


@pytest.mark.parametrize("name", images.QUERIES)
def test_every_image_is_in_a_known_repository(name: str) -> None:
    registry, _, repository = images.uri(name, "us-east-1").partition("/")
    arn = f"arn:aws:ecr:us-east-1:{registry.split('.')[0]}:repository/{repository.split(':')[0]}"
    assert arn in images.repositories(images.QUERIES, "aws", "us-east-1")


def test_an_image_that_a_region_lacks_needs_no_right_there() -> None:
    found = images.repositories(images.SERVING, "aws", "ap-east-2")
    assert [arn.split("/")[1] for arn in found] == ["pytorch-inference", "ray"]


def test_a_region_without_one_image_is_pointed_to_another() -> None:
    with pytest.raises(CloudError, match="no sklearn image in region ap-east-2; use IMAGE=ray, or another"):
        images.uri("sklearn", "ap-east-2")


@pytest.mark.parametrize("name", images.SERVING)
def test_a_serving_image_is_known_by_its_address(name: str) -> None:
    assert images.serving(images.uri(name, "eu-west-1"), "eu-west-1") == name
    assert images.serving("of another time", "eu-west-1") == images.SERVING[0]


def test_a_region_without_images_is_refused() -> None:
    with pytest.raises(CloudError, match="AWS has no ray image in region mars-north-1; use another"):
        images.uri("ray", "mars-north-1")


def test_an_image_past_its_last_patch_is_warned_of() -> None:
    assert images.warning("pytorch", date(2026, 6, 30)) is None
    assert images.warning("pytorch", date(2026, 7, 1)) == "image pytorch had its last patch on 2026-06-30"
    for name in ("sklearn", "ray"):
        assert images.warning(name, date(2026, 11, 25)) is None


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-5", "cn-north-1"])
def test_the_kept_table_is_what_the_sdk_looks_up(region: str) -> None:
    names = images.names_in(region)
    assert images.look_up(region, names) == {name: images.uri(name, region) for name in names}
