"""The endpoint's autoscaling and states, without a whole deploy."""

import botocore.session
import pytest

from tests.support.aws_server import AwsServer
from tests.support.stage import quiet
from training.aws import cloud as clouds
from training.aws import deploy, function, hosting
from training.aws.cloud import Cloud, CloudError
from training.aws.hosting import Plan

ENDPOINT = "verdict-dev"


class States:
    """An endpoint that goes through states, the last one for ever, and records every other call."""

    def __init__(self, *states: str) -> None:
        self.states, self.called = list(states), list[str]()

    def client(self, service: str) -> "States":
        return self

    def describe_endpoint(self, EndpointName: str) -> dict[str, object]:
        status = self.states.pop(0) if self.states[1:] else self.states[0]
        variant = {"VariantName": "AllTraffic", "CurrentServerlessConfig": {"MaxConcurrency": 5}}
        return {
            "EndpointName": EndpointName,
            "EndpointArn": f"arn:{EndpointName}",
            "EndpointStatus": status,
            "EndpointConfigName": "old",
            "ProductionVariants": [variant],
        }

    def list_tags(self, ResourceArn: str) -> dict[str, object]:
        return {"Tags": clouds.tag_list(clouds.Stage("dev", "1", "eu-west-1").tags)}

    def __getattr__(self, call: str) -> object:
        def answer(**_: object) -> dict[str, object]:
            self.called.append(call)
            return {"logStreams": []}

        return answer


def of(states: States, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return stage dev with that endpoint, which its function calls."""
    monkeypatch.setattr(hosting, "POLL_SECONDS", 0)
    monkeypatch.setattr(function, "endpoint_in_use", lambda cloud: ENDPOINT)
    monkeypatch.setattr(hosting, "card_of", lambda cloud, endpoint: {"vocabulary": "v"})
    cloud = Cloud(clouds.Stage("dev", "1", "eu-west-1"), None)
    cloud.client = states.client  # type: ignore[assignment]
    return cloud


def test_every_state_of_an_endpoint_is_in_a_set() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    known = {*hosting.SERVING, *hosting.CHANGING, *hosting.DEAD}
    assert set(model.shape_for("EndpointStatus").enum) == known
    assert not set(hosting.SERVING) & set(hosting.DEAD)


@pytest.mark.parametrize("state", ["Updating", "RollingBack", "SystemUpdating"])
def test_an_endpoint_that_changes_is_waited_for_and_then_updated(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = States(state, state, "InService")
    cloud = of(states, monkeypatch)
    assert deploy.endpoint_for(cloud, "v", "serverless", quiet) == ENDPOINT
    states.states = [state, state, "InService"]
    with pytest.raises(CloudError, match="went back to its earlier model"):
        hosting.ensure_endpoint(cloud, ENDPOINT, "new", quiet)
    assert "update_endpoint" in states.called
    assert not {"delete_endpoint", "create_endpoint"} & set(states.called)


def test_a_stuck_endpoint_that_serves_is_never_deleted_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    states = States("UpdateRollbackFailed")
    cloud = of(states, monkeypatch)
    assert deploy.endpoint_for(cloud, "v", "serverless", quiet) == "verdict-dev-2"
    with pytest.raises(CloudError, match="UpdateRollbackFailed: it still answers.*AWS support"):
        hosting.ensure_endpoint(cloud, ENDPOINT, "new", quiet)
    assert not {"delete_endpoint", "create_endpoint", "update_endpoint"} & set(states.called)


@pytest.mark.parametrize("state", hosting.DEAD)
def test_a_dead_endpoint_is_created_anew(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    states = States(state)
    cloud = of(states, monkeypatch)
    assert deploy.endpoint_for(cloud, "v", "serverless", quiet) == ENDPOINT
    with pytest.raises(CloudError, match=f"endpoint verdict-dev is {state}"):
        hosting.ensure_endpoint(cloud, ENDPOINT, "new", quiet)
    assert [call for call in states.called if "endpoint" in call] == ["delete_endpoint", "create_endpoint"]


def test_autoscaling_is_registered_twice_and_tagged(aws: AwsServer) -> None:
    cloud = clouds.open_stage("dev")
    scaling = cloud.client("application-autoscaling")
    for most in (2, 3):
        hosting.ensure_scaling(cloud, ENDPOINT, Plan(kind="realtime", most_instances=most))
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MaxCapacity"] == 3
    tags = scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
    assert tags == cloud.stage.tags
