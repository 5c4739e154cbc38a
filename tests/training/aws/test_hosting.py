"""The endpoint's autoscaling and states, without a whole deploy."""

from tests.support.aws_server import AwsServer
from training.aws import cloud as clouds
from training.aws import hosting
from training.aws.hosting import Plan

ENDPOINT = "verdict-dev"


def test_autoscaling_is_registered_twice_and_tagged(aws: AwsServer) -> None:
    cloud = clouds.open_stage("dev")
    scaling = cloud.client("application-autoscaling")
    for most in (2, 3):
        hosting.ensure_scaling(cloud, ENDPOINT, Plan(kind="realtime", most_instances=most))
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MaxCapacity"] == 3
    tags = scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
    assert tags == cloud.stage.tags
