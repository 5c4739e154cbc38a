"""Destroying a stage by its command: it lists, asks, removes, and says what stays."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.stage import leftovers, make, quiet
from training.aws import destroy, inventory
from training.aws.cloud import Cloud, CloudError

pytestmark = pytest.mark.slow


def run(monkeypatch: pytest.MonkeyPatch, *flags: str) -> None:
    monkeypatch.setattr(sys, "argv", ["destroy.py", *flags])
    destroy.main()


def test_nothing_goes_unless_a_person_agrees(
    cloud: Cloud, package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(cloud, package, "--site", "none")
    before = inventory.find(cloud)
    run(monkeypatch, "--dry-run")
    assert "endpoint         verdict-dev  InService" in capsys.readouterr().out
    for reply in ("", "no", "y"):
        monkeypatch.setattr("builtins.input", lambda prompt, reply=reply: reply)
        with pytest.raises(SystemExit, match="nothing was removed"):
            run(monkeypatch)
    assert inventory.find(cloud) == before
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    run(monkeypatch)
    assert leftovers(cloud) == {}
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == (
        f"destroy: removed {len(before)} resources and checked again: nothing is left of stage dev in"
        " eu-west-1, account 123456789012"
    )
    run(monkeypatch, "--yes")
    assert capsys.readouterr().out.startswith("destroy: stage dev in eu-west-1, account 123456789012 has no")


def test_one_thing_that_stays_keeps_no_other_and_is_named(
    cloud: Cloud, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(cloud, package, "--site", "none")
    find, _ = inventory.KINDS["endpoint"]

    def refuse(*_: Any) -> None:
        raise CloudError("not now")

    monkeypatch.setitem(inventory.KINDS, "endpoint", (find, refuse))
    with pytest.raises(
        CloudError, match="these resources are left, run this again:\nendpoint verdict-dev: not now"
    ):
        destroy.destroy(cloud, quiet)
    assert [thing.kind for thing in inventory.find(cloud)] == ["endpoint"]


def test_a_notebook_and_jobs_that_run_are_ended(cloud: Cloud) -> None:
    sagemaker, tags = cloud.client("sagemaker"), [{"Key": k, "Value": v} for k, v in cloud.stage.tags.items()]
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=cloud.stage.notebook, Tags=tags
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName=cloud.stage.notebook,
        InstanceType="ml.t3.medium",
        RoleArn=cloud.stage.role_arn,
        Tags=tags,
    )
    found = {thing.kind: thing for thing in inventory.find(cloud)}
    assert set(found) == {"notebook", "lifecycle config"}
    assert found["notebook"].idle_hour == pytest.approx(0.05)
    destroy.destroy(cloud, quiet)
    assert leftovers(cloud) == {}


@pytest.mark.parametrize("end", ["Completed", "Failed: AlgorithmError", None])
def test_a_training_job_is_ended_and_its_record_deleted(cloud: Cloud, end: str | None) -> None:
    sagemaker = cloud.client("sagemaker")
    tags = [{"Key": key, "Value": value} for key, value in cloud.stage.tags.items()]
    sagemaker.create_training_job(
        TrainingJobName="verdict-dev-train-1",
        RoleArn=cloud.stage.role_arn,
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": f"s3://{cloud.stage.bucket}/training"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Tags=tags + ([{"Key": "simulated:end", "Value": end}] if end else []),
    )
    sagemaker.describe_training_job(TrainingJobName="verdict-dev-train-1")  # its end shows from now on
    assert [resource.kind for resource in inventory.find(cloud)] == ["training job"]
    destroy.destroy(cloud, quiet)
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
