"""Which image runs where, and until when it is patched."""

from datetime import date

import pytest

from training.aws import images
from training.aws.cloud import CloudError

OWN = images.OWN_EXAMPLE
DIGEST = "sha256:" + 64 * "a"


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


# --- your own image -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        OWN,
        f"123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/team/verdict@{DIGEST}",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team_a/verdict.x-y:v1.0_rc",
    ],
)
def test_an_address_in_ecr_is_an_image_of_your_own(address: str) -> None:
    assert images.is_own(address)
    assert images.serving(address, "eu-west-1") == address


@pytest.mark.parametrize(
    "address",
    [
        "sklearn",
        "verdict:1",
        "docker.io/library/verdict:1",
        OWN.removesuffix(":1"),
        OWN + " ",
        OWN + "\n",
        OWN.replace("123456789012", "12345"),
        OWN.replace("verdict", "Verdict"),
        OWN.replace("amazonaws.com", "example.com"),
        f"{OWN.removesuffix(':1')}@sha256:abc",
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6-cpu-py312",
    ],
)
def test_a_name_another_registry_and_an_image_of_aws_are_not(address: str) -> None:
    assert not images.is_own(address)


def test_your_own_image_must_be_in_the_stage_s_region() -> None:
    assert images.uri(OWN, "eu-west-1") == OWN
    with pytest.raises(CloudError, match="is in region eu-west-1, and SageMaker in us-east-1 can't fetch it"):
        images.uri(OWN, "us-east-1")


def test_your_own_image_s_repository_stands_without_its_tag() -> None:
    arn = "arn:aws:ecr:eu-west-1:123456789012:repository/verdict"
    for address in (OWN, f"{OWN.removesuffix(':1')}@{DIGEST}"):
        assert images.repositories([address], "aws", "eu-west-1") == [arn]


@pytest.mark.parametrize(
    "address, identity",
    [(OWN, {"imageTag": "1"}), (f"{OWN.removesuffix(':1')}@{DIGEST}", {"imageDigest": DIGEST})],
)
def test_ecr_is_asked_for_your_own_image_by_tag_or_digest(address: str, identity: dict[str, str]) -> None:
    assert images.place_of(address) == {
        "registryId": "123456789012",
        "repositoryName": "verdict",
        "imageIds": [identity],
    }


def test_nobody_but_you_patches_your_own_image() -> None:
    assert images.warning(OWN, date(2040, 1, 1)) is None
