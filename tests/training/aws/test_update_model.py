"""Another model behind the same endpoint: put there, refused, taken back."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.model import random_package
from tests.support.runtime import Runtime
from tests.support.stage import make, options, quiet
from tests.support.varied import varied
from training.adapt import adapt
from training.aws import deploy, hosting, update_model
from training.aws.cloud import Cloud, CloudError
from training.endpoint import inference

pytestmark = pytest.mark.slow


@pytest.fixture
def deployed(cloud: Cloud, package: Path) -> deploy.Deployed:
    return make(cloud, package, "--site", "none")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another model of the same vocabulary."""
    random_package(tmp_path / "other", seed=7)
    return tmp_path / "other"


def config_of(cloud: Cloud) -> str:
    found = cloud.client("sagemaker").describe_endpoint(EndpointName="verdict-dev")
    return str(found["EndpointConfigName"])


def served(cloud: Cloud) -> str:
    return str(hosting.card_of(cloud, "verdict-dev")["id"])


def test_another_model_serves_and_the_function_is_left_alone(
    cloud: Cloud, deployed: deploy.Deployed, other: Path
) -> None:
    functions = cloud.client("lambda")
    before = functions.get_function(FunctionName="verdict-dev")["Configuration"]["LastModified"]
    config = update_model.update(cloud, options(other), quiet)
    assert config_of(cloud) == config
    assert served(cloud) == inference.model_fn(other).identity.id
    after = functions.get_function(FunctionName="verdict-dev")["Configuration"]["LastModified"]
    assert after == before


def test_an_adapted_model_follows_its_base_and_brings_its_card(
    cloud: Cloud, deployed: deploy.Deployed, package: Path, tmp_path: Path
) -> None:
    rows = [
        f"Lamp {n} {('shines', 'flickers')[n % 2]} all night; {varied(n)}.,{1 - n % 2}" for n in range(80)
    ]
    (tmp_path / "lamps.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    arguments = ["--model", str(package), "--out", str(tmp_path / "mine"), "--force", "--workers", "1"]
    assert adapt.main([str(tmp_path / "lamps.csv"), *arguments]) == 0
    update_model.update(cloud, options(tmp_path / "mine"), quiet)
    card = hosting.card_of(cloud, "verdict-dev")
    assert card["id"] == inference.model_fn(tmp_path / "mine").identity.id
    assert card["base_model"] == inference.model_fn(package).identity.id
    assert card["adaptation"]["data"]["learned_from"]["reviews"] == 80


def test_the_same_model_again_changes_nothing(cloud: Cloud, deployed: deploy.Deployed, package: Path) -> None:
    before, lines = config_of(cloud), []
    assert update_model.update(cloud, options(package), lines.append) == before
    assert lines[-1].endswith("already")


def test_a_model_that_answers_wrongly_gives_way_to_the_one_before(
    cloud: Cloud, deployed: deploy.Deployed, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, first = config_of(cloud), served(cloud)

    def wrong(*_: Any) -> None:
        raise CloudError("endpoint verdict-dev gives 0.1")

    monkeypatch.setattr(hosting, "check_answers", wrong)
    with pytest.raises(CloudError, match="gives 0.1; the endpoint serves its earlier model again"):
        update_model.update(cloud, options(other), quiet)
    assert config_of(cloud) == before
    assert served(cloud) == first


def test_another_vocabulary_is_refused_and_nothing_changes(
    cloud: Cloud, deployed: deploy.Deployed, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = config_of(cloud)
    monkeypatch.setattr(hosting, "card_of", lambda *_: {"id": "verdict-x", "vocabulary": "0123456789abcdef"})
    with pytest.raises(CloudError, match="have 0123456789abcdef; run `make deploy`, which replaces both"):
        update_model.update(cloud, options(other), quiet)
    assert config_of(cloud) == before


def test_memory_instances_and_image_stay_as_they_were_deployed(
    cloud: Cloud, package: Path, other: Path
) -> None:
    flags = ["--kind", "realtime", "--instance-type", "ml.c5.large", "--image", "pytorch", "--site", "none"]
    make(cloud, package, *flags, "--instances", "2", "--most-instances", "4")
    update_model.update(cloud, options(other), quiet)
    sagemaker = cloud.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=config_of(cloud))
    (variant,) = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c5.large", 2)
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert "pytorch-inference" in model["PrimaryContainer"]["Image"]
    assert served(cloud) == inference.model_fn(other).identity.id
    targets = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert [target["MaxCapacity"] for target in targets["ScalableTargets"]] == [4]


def test_without_a_deploy_there_is_nothing_to_update(cloud: Cloud, package: Path) -> None:
    with pytest.raises(CloudError, match="no endpoint verdict-dev in eu-west-1; run `make deploy` first"):
        update_model.update(cloud, options(package), quiet)


def test_an_update_that_aws_took_back_is_said(
    cloud: Cloud, deployed: deploy.Deployed, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe, before = hosting.describe, config_of(cloud)

    def described(cloud: Cloud, endpoint: str) -> Any:
        found = describe(cloud, endpoint)
        return {**found, "EndpointConfigName": before, "FailureReason": "no capacity"} if found else None

    monkeypatch.setattr(hosting, "describe", described)
    with pytest.raises(CloudError, match=r"went back to its earlier model \(no capacity\)"):
        update_model.update(cloud, options(other), quiet)


def test_requests_on_the_way_are_all_answered(
    cloud: Cloud, deployed: deploy.Deployed, other: Path, runtime: Runtime
) -> None:
    """Call at every step of the update: the endpoint serves the old model or the new one, without a gap."""
    known = {served(cloud), inference.model_fn(other).identity.id}
    found: set[str] = set()
    update_model.update(cloud, options(other), lambda line: found.add(served(cloud)))
    assert found and found <= known
