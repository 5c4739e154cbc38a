"""A deploy that is stopped anywhere: the next one completes it, and destroy takes away what it left."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.support import faults
from tests.support.faults import Account, throttled
from tests.support.stack import ROOT
from tests.support.stage import WHOLE, kinds, leftovers, make, quiet
from training.aws import cloud as clouds
from training.aws import destroy, function, hosting, page, resources
from training.aws.cloud import Cloud

pytestmark = [pytest.mark.slow, pytest.mark.long]

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


@pytest.fixture(params=STEPS, ids=[name for _, name in STEPS])
def step(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A step's module and name. Chalice itself runs where it, or what follows it, is stopped."""
    if request.param[0] is function:
        request.getfixturevalue("chalice")
    return request.param


def stop_after(module: Any, step: str, cloud: Cloud, package: Path) -> None:
    """Deploy, and be interrupted as soon as a step is done."""
    original = getattr(module, step)

    def stopped(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    with mock.patch.object(module, step, stopped), pytest.raises(KeyboardInterrupt):
        make(cloud, package)


def test_a_deploy_stopped_after_any_step_is_completed_by_the_next(
    step: tuple[Any, str], cloud: Cloud, package: Path
) -> None:
    stop_after(*step, cloud, package)
    make(cloud, package)
    assert kinds(cloud) == WHOLE
    destroy.destroy(cloud, say=quiet)
    assert leftovers(cloud) == {}


def test_a_deploy_stopped_after_any_step_is_taken_away_whole(
    step: tuple[Any, str], cloud: Cloud, package: Path
) -> None:
    stop_after(*step, cloud, package)
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


# --- killed at a random moment, under faults ------------------------------------------------------

# A deploy and a destroy in a process of their own; the folder holds the model.
SCRIPT = """
import sys
from pathlib import Path
from tests.support import faults
faults.run_here(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
"""
NOTHING = faults.Fault("none", (), {})
BAD_DAY = (
    faults.error("sagemaker", "CreateModel", "ValidationException", faults.NO_ROLE, times=2),
    faults.error("s3", "CreateBucket", "OperationAborted", "A conflicting operation", status=409, times=1),
    throttled("lambda", "GetFunction", "TooManyRequestsException") | {"times": 1},
    throttled("apigateway", "CreateDeployment", "TooManyRequestsException") | {"times": 1},
    faults.state("RollingBack", times=2),
)
SEEDS = range(4)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The simulated account, started once."""
    running = Account(tmp_path_factory.mktemp("killed"))
    yield running
    running.stop()


def begin(account: Account, command: str) -> "subprocess.Popen[str]":
    """Start a command under faults, and return as soon as it begins its work."""
    flags = account.flags(NOTHING, command)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(account.folder), command, *flags],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    if process.stdout.readline() != "begins\n":
        raise AssertionError(process.communicate(timeout=60)[0])
    account.server.fail(*BAD_DAY)
    return process


@pytest.fixture(scope="module")
def seconds(account: Account) -> dict[str, float]:
    """The seconds of a whole deploy and a whole destroy under these faults."""
    account.empty()
    measured = {}
    for command in ("deploy", "destroy"):
        process = begin(account, command)
        began = time.monotonic()
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
        measured[command] = time.monotonic() - began
    return measured


def kill_at_random(account: Account, command: str, seconds: float, seed: int) -> None:
    """Run a command and kill it at a moment that the seed chooses."""
    process = begin(account, command)
    time.sleep(random.Random(seed).uniform(0, seconds))
    process.kill()
    process.communicate(timeout=60)
    account.server.fail()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deploy_killed_at_a_random_moment_is_completed_and_taken_away(
    seed: int, account: Account, seconds: dict[str, float]
) -> None:
    account.empty()
    cloud = clouds.open_stage("dev")
    kill_at_random(account, "deploy", seconds["deploy"], seed)
    if seed % 2:
        again = account.run(NOTHING, "again")
        assert (again.status, kinds(cloud)) == (0, WHOLE), again
    removed = account.run(NOTHING, "destroy")
    assert (removed.status, leftovers(cloud)) == (0, {}), removed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_destroy_killed_at_a_random_moment_is_completed_by_the_next(
    seed: int, account: Account, seconds: dict[str, float]
) -> None:
    account.empty()
    cloud = clouds.open_stage("dev")
    assert account.run(NOTHING, "deploy").status == 0
    kill_at_random(account, "destroy", seconds["destroy"], seed)
    if seed % 2:
        again = account.run(NOTHING, "deploy")
        assert (again.status, kinds(cloud)) == (0, WHOLE), again
    removed = account.run(NOTHING, "destroy")
    assert (removed.status, leftovers(cloud)) == (0, {}), removed
