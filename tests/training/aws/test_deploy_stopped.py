"""A deploy that is stopped anywhere: the next one completes it, and destroy takes away what it left."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.support.stage import WHOLE, kinds, leftovers, make, quiet
from training.aws import cloud as clouds
from training.aws import destroy, function, hosting, page, resources
from training.aws.cloud import Cloud

pytestmark = pytest.mark.slow

STEPS = [
    (resources, "ensure_bucket"),
    (resources, "ensure_endpoint_role"),
    (resources, "upload"),
    (hosting, "ensure_model"),
    (hosting, "ensure_config"),
    (hosting, "ensure_endpoint"),
    (resources, "ensure_function_role"),
    (function, "_run_chalice"),
    (function, "finish"),
    (page, "upload"),
    (page, "ensure_distribution"),
]


def stop_after(module: Any, step: str, cloud: Cloud, package: Path) -> None:
    """Deploy, and be interrupted as soon as a step is done."""
    original = getattr(module, step)

    def stopped(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    with mock.patch.object(module, step, stopped), pytest.raises(KeyboardInterrupt):
        make(cloud, package)


@pytest.mark.parametrize("module, step", STEPS, ids=[step for _, step in STEPS])
def test_a_deploy_stopped_after_any_step_is_completed_by_the_next(
    module: Any, step: str, cloud: Cloud, package: Path
) -> None:
    stop_after(module, step, cloud, package)
    make(cloud, package)
    assert kinds(cloud) == WHOLE
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


@pytest.mark.parametrize("module, step", STEPS, ids=[step for _, step in STEPS])
def test_a_deploy_stopped_after_any_step_is_taken_away_whole(
    module: Any, step: str, cloud: Cloud, package: Path
) -> None:
    stop_after(module, step, cloud, package)
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


# Calls of AWS after which an interruption would leave something without tags or half made.
CALLS = [
    "s3.CreateBucket",
    "iam.CreateRole",
    "sagemaker.CreateModel",
    "sagemaker.CreateEndpoint",
    "logs.CreateLogGroup",
    "cloudfront.CreateOriginAccessControl",
    "cloudfront.CreateDistributionWithTags",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_deploy_stopped_right_after_a_call_leaves_nothing_that_is_not_found(
    call: str, cloud: Cloud, package: Path
) -> None:
    def stop(**_: Any) -> None:
        raise KeyboardInterrupt

    events = cloud.session.events
    events.register(f"after-call.{call}", stop)
    with pytest.raises(KeyboardInterrupt):
        make(cloud, package)
    events.unregister(f"after-call.{call}", stop)
    fresh = clouds.open_stage("dev")
    destroy.destroy(fresh, say=quiet)
    assert leftovers(fresh) == {}
