"""An image of your own behind the endpoint: its address, the narrow right to fetch it, its small package."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.model import random_package
from tests.support.stage import leftovers, make, options, quiet
from training.aws import deploy, destroy, hosting, policies, update_model
from training.aws.cloud import Cloud, CloudError, tag_map
from training.endpoint import inference
from training.jobs import batch_transform

pytestmark = pytest.mark.slow

MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'


def push(cloud: Cloud, repository: str = "verdict", tag: str = "1") -> str:
    """Put an image into the account's ECR and return its address."""
    ecr = cloud.client("ecr")
    if not ecr.describe_repositories()["repositories"]:
        ecr.create_repository(repositoryName=repository)
    ecr.put_image(repositoryName=repository, imageManifest=MANIFEST, imageTag=tag)
    return f"{cloud.stage.account}.dkr.ecr.{cloud.stage.region}.amazonaws.com/{repository}:{tag}"


def container(cloud: Cloud) -> dict[str, Any]:
    """Return the container of the model that serves."""
    sagemaker = cloud.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="verdict-dev")["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return dict(sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"])


def image_rights(cloud: Cloud, role: str) -> list[dict[str, Any]]:
    """Return a role's policies beside its main one."""
    iam = cloud.client("iam")
    names = [name for name in iam.list_role_policies(RoleName=role)["PolicyNames"] if name != role]
    return [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]


@pytest.fixture
def own(cloud: Cloud) -> str:
    return push(cloud)


@pytest.fixture
def deployed(cloud: Cloud, package: Path, own: str) -> deploy.Deployed:
    return make(cloud, package, "--site", "none", "--image", own)


@pytest.mark.parametrize("kind", ["serverless", "realtime"])
def test_it_serves_by_its_address_without_another_image_s_variables(
    cloud: Cloud, package: Path, own: str, kind: str
) -> None:
    make(cloud, package, "--site", "none", "--image", own, "--kind", kind)
    served = container(cloud)
    assert (served["Image"], served.get("Environment", {})) == (own, {})


def test_its_package_has_the_model_alone(
    cloud: Cloud, deployed: deploy.Deployed, package: Path, tmp_path: Path
) -> None:
    bucket, _, key = container(cloud)["ModelDataUrl"].removeprefix("s3://").partition("/")
    cloud.client("s3").download_file(bucket, key, str(tmp_path / "model.tar.gz"))
    with tarfile.open(tmp_path / "model.tar.gz") as packed:
        packed.extractall(tmp_path / "model", filter="data")
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.onnx", "model.json"}
    assert inference.model_fn(tmp_path / "model").identity == inference.model_fn(package).identity


def test_the_endpoint_s_role_may_fetch_it_and_nothing_else_of_the_account(
    cloud: Cloud, deployed: deploy.Deployed, own: str
) -> None:
    (rights,) = image_rights(cloud, cloud.stage.endpoint_role)
    assert rights == policies.of_image(cloud.stage, own)
    (statement,) = rights["Statement"]
    assert statement["Resource"] == [f"arn:aws:ecr:eu-west-1:{cloud.stage.account}:repository/verdict"]


def test_another_image_takes_that_right_away(cloud: Cloud, deployed: deploy.Deployed, package: Path) -> None:
    make(cloud, package, "--site", "none")
    assert container(cloud)["Image"].endswith("/sagemaker-scikit-learn:1.9-0-cpu-py3")
    assert image_rights(cloud, cloud.stage.endpoint_role) == []
    role = cloud.client("iam").get_role(RoleName=cloud.stage.endpoint_role)["Role"]
    assert tag_map(role["Tags"]) == cloud.stage.tags


def test_another_repository_of_yours_replaces_the_first_one_s_right(
    cloud: Cloud, deployed: deploy.Deployed, package: Path
) -> None:
    cloud.client("ecr").create_repository(repositoryName="team/verdict")
    other = push(cloud, "team/verdict")
    make(cloud, package, "--site", "none", "--image", other)
    assert image_rights(cloud, cloud.stage.endpoint_role) == [policies.of_image(cloud.stage, other)]


def test_without_such_an_image_no_role_has_a_right_of_that_kind(cloud: Cloud, package: Path) -> None:
    make(cloud, package, "--site", "none")
    assert image_rights(cloud, cloud.stage.endpoint_role) == []


def test_a_new_model_stays_in_it(cloud: Cloud, deployed: deploy.Deployed, own: str, tmp_path: Path) -> None:
    random_package(tmp_path / "other", seed=7)
    update_model.update(cloud, options(tmp_path / "other"), quiet)
    assert container(cloud)["Image"] == own
    assert hosting.card_of(cloud, "verdict-dev")["id"] == inference.model_fn(tmp_path / "other").identity.id


def test_a_batch_s_role_may_fetch_it_too(cloud: Cloud, deployed: deploy.Deployed, own: str) -> None:
    name = batch_transform.model_of(cloud)
    model = cloud.client("sagemaker").describe_model(ModelName=name)
    assert model["ExecutionRoleArn"].endswith(f"/{cloud.stage.role}")
    assert model["PrimaryContainer"]["Image"] == own
    assert image_rights(cloud, cloud.stage.role) == [policies.of_image(cloud.stage, own)]


def test_destroy_takes_the_rights_and_leaves_the_image(cloud: Cloud, deployed: deploy.Deployed) -> None:
    batch_transform.model_of(cloud)
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}
    assert [one["repositoryName"] for one in cloud.client("ecr").describe_repositories()["repositories"]] == [
        "verdict"
    ]


@pytest.mark.parametrize("missing", ["verdict:2", "other:1"])
def test_an_image_that_nobody_pushed_is_refused_before_anything_is_made(
    cloud: Cloud, package: Path, own: str, missing: str
) -> None:
    address = own.replace("verdict:1", missing)
    with pytest.raises(CloudError, match=f"^ECR has no image .*/{missing}; push it there first"):
        make(cloud, package, "--site", "none", "--image", address)
    assert leftovers(cloud) == {}
