"""Remove what a change of the kind of host leaves behind; a change back creates it anew."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from training.aws import inventory, lambda_calls
from training.aws.cloud import Cloud, is_denied, sentence_of
from training.aws.hosting import Say
from training.aws.inventory import Resource


def remove(cloud: Cloud, endpoint: str, say: Say) -> None:
    """Remove what belongs to the kind that ``endpoint`` is not. Its log stays until it expires.

    Without the rights all of it stays, and costs nothing.
    """
    of_endpoints = lambda_calls.is_alias(endpoint)
    left = _of_endpoints(cloud) if of_endpoints else _of_function(cloud)
    try:
        for resource in list(left):
            inventory.remove(cloud, resource, say)
            say(f"removed {resource.kind} {resource.name} of the kind before")
    except ClientError as error:
        if not is_denied(error):
            raise
        if of_endpoints:
            say(f"the endpoint's model, configuration or role may stay, at no cost: {sentence_of(error)}")


def _of_endpoints(cloud: Cloud) -> Iterator[Resource]:
    """Yield configurations, models and the role of endpoints. A batch's models have the role of jobs."""
    sagemaker, role = cloud.client("sagemaker"), cloud.stage.endpoint_role
    yield from inventory.configs(cloud)
    for model in inventory.models(cloud):
        described = sagemaker.describe_model(ModelName=model.name)
        if described["ExecutionRoleArn"] == cloud.stage.role_arn_of(role):
            yield model
    yield from inventory.roles(cloud, [role])


def _of_function(cloud: Cloud) -> Iterator[Resource]:
    """Yield the role of the function that held the model; lambda_host.retire deletes the function."""
    yield from inventory.roles(cloud, [cloud.stage.model_role])
