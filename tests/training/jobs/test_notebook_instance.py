"""The notebook instance: made, started, changed, opened and stopped; foreign instances are left alone."""

import argparse
import base64
import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from training.aws import resources
from training.aws.cloud import Cloud, CloudError, Stage
from training.jobs import notebook_instance
from vocab.files import sha256

ROOT = Path(__file__).resolve().parents[3]
STAGE = Stage("dev", ACCOUNT, REGION)
NAME = STAGE.notebook


def options_of(*given: str) -> argparse.Namespace:
    return notebook_instance.parse(list(given))


# --- its content ----------------------------------------------------------------------------------


def test_the_bundle_is_the_last_commit_and_the_same_each_time() -> None:
    packed = notebook_instance.bundle(lambda line: None)
    assert packed == notebook_instance.bundle(lambda line: None)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        names = set(tar.getnames())
    assert {
        "Makefile",
        "training/recipe/train.py",
        "training/endpoint/model/model.onnx",
        "vocab/vocabulary.pkl",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


def test_a_folder_that_is_no_clone_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_instance, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(CloudError, match="git status failed .* the notebook gets the last commit of a clone"):
        notebook_instance.bundle()


def test_the_scripts_that_aws_gets_are_bash_and_short_enough() -> None:
    scripts = notebook_instance.scripts(Cloud(STAGE, None), "s3://b/k", "0" * 64, 45)
    assert scripts.keys() == {"OnCreate", "OnStart"}
    for text in scripts.values():
        assert text.startswith("#!/bin/bash\n")
        assert len(base64.b64encode(text.encode())) <= 16_384
        assert subprocess.run(["bash", "-n"], input=text, text=True, timeout=30).returncode == 0
    assert "BUNDLE=s3://b/k\n" in scripts["OnCreate"] and "IDLE_MINUTES=45\n" in scripts["OnStart"]


def test_a_script_that_aws_would_refuse_is_refused_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.sh").write_text("#" * 13_000)
    monkeypatch.setattr(notebook_instance, "SCRIPTS", tmp_path)
    with pytest.raises(CloudError, match="long.sh has .* in base64, AWS accepts 16,384"):
        notebook_instance._script("long.sh", {})


def test_idle_minutes_below_five_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options_of("--idle-minutes", "1")
    assert "--idle-minutes is 5 or more" in capsys.readouterr().err


# --- on a simulated AWS ---------------------------------------------------------------------------


@pytest.fixture
def cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    monkeypatch.setattr(notebook_instance, "POLL_SECONDS", 0)
    monkeypatch.setattr(notebook_instance, "bundle", lambda say: b"a bundle")  # packing takes seconds
    return Cloud(STAGE, boto3.session.Session())


def ensure(cloud: Cloud, *given: str) -> list[str]:
    lines: list[str] = []
    notebook_instance.ensure(cloud, options_of(*given), lines.append)
    return lines


def found(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.client("sagemaker").describe_notebook_instance(NotebookInstanceName=NAME))


def test_an_instance_is_made_with_what_was_asked(cloud: Cloud) -> None:
    assert ensure(cloud)[-1] == f"notebook: {NAME} is InService"
    made = found(cloud)
    assert made["InstanceType"] == "ml.t3.medium" and made["VolumeSizeInGB"] == 20
    assert made["DirectInternetAccess"] == "Enabled" and made["RootAccess"] == "Enabled"
    assert made["RoleArn"] == STAGE.role_arn
    tags = cloud.client("sagemaker").list_tags(ResourceArn=made["NotebookInstanceArn"])["Tags"]
    assert STAGE.owns({tag["Key"]: tag["Value"] for tag in tags})


def test_the_script_at_its_making_names_the_bundle_that_lies_in_the_bucket(cloud: Cloud) -> None:
    ensure(cloud)
    config = cloud.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=NAME
    )
    text = base64.b64decode(config["OnCreate"][0]["Content"]).decode()
    lines = dict(line.split("=", 1) for line in text.splitlines()[1:3])
    bucket, _, key = lines["BUNDLE"].removeprefix("s3://").partition("/")
    assert bucket == STAGE.bucket and key.startswith("notebook/")
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert sha256(body) == lines["BUNDLE_SHA256"]


def test_a_second_run_makes_nothing_and_a_stopped_one_is_started_with_changes(cloud: Cloud) -> None:
    ensure(cloud)
    first = found(cloud)
    assert ensure(cloud, "--idle-minutes", "45")[-1].endswith("to change them, --stop it and run this again")
    assert found(cloud)["CreationTime"] == first["CreationTime"]
    notebook_instance.stop(cloud)
    assert found(cloud)["NotebookInstanceStatus"] == "Stopped"
    ensure(cloud, "--type", "ml.t3.large", "--idle-minutes", "30")
    again = found(cloud)
    assert again["NotebookInstanceStatus"] == "InService" and again["InstanceType"] == "ml.t3.large"
    config = cloud.client("sagemaker").describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=NAME
    )
    assert "IDLE_MINUTES=30\n" in base64.b64decode(config["OnStart"][0]["Content"]).decode()


def test_the_address_is_given_of_a_running_instance_alone(cloud: Cloud) -> None:
    with pytest.raises(CloudError, match=f"{NAME} is not there; run `make notebook` first"):
        notebook_instance.address(cloud)
    ensure(cloud)
    assert notebook_instance.address(cloud).startswith(f"https://{NAME}.notebook.{REGION}.sagemaker.aws")
    notebook_instance.stop(cloud)
    with pytest.raises(CloudError, match="is Stopped; run `make notebook` first"):
        notebook_instance.address(cloud)


def test_an_instance_of_another_owner_is_left_alone(cloud: Cloud) -> None:
    cloud.client("sagemaker").create_notebook_instance(
        NotebookInstanceName=NAME, InstanceType="ml.t3.medium", RoleArn=STAGE.role_arn
    )
    for act in (ensure, notebook_instance.stop, notebook_instance.address):
        with pytest.raises(CloudError, match="has not this stage's tags; use another --stage"):
            act(cloud)
    assert found(cloud)["NotebookInstanceStatus"] == "InService"


def test_stopping_what_is_not_there_and_what_is_stopped_is_said(cloud: Cloud) -> None:
    with pytest.raises(CloudError, match="there is no notebook instance"):
        notebook_instance.stop(cloud)
    ensure(cloud)
    notebook_instance.stop(cloud)
    lines: list[str] = []
    notebook_instance.stop(cloud, lines.append)
    assert lines == [f"notebook: {NAME} is Stopped already"]


def test_an_instance_that_fails_says_aws_reason(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(cloud)
    states = [
        {"NotebookInstanceStatus": "Pending"},
        {"NotebookInstanceStatus": "Failed", "FailureReason": "no  capacity"},
    ]
    monkeypatch.setattr(notebook_instance, "describe", lambda cloud: states.pop(0))
    with pytest.raises(CloudError, match=f"{NAME} is Failed, not InService: no capacity"):
        notebook_instance.wait_for(cloud, "InService", lambda line: None)


def test_a_dry_run_of_the_command_says_the_plan_and_makes_nothing(aws: AwsServer, cloud: Cloud) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.jobs.notebook_instance", "--dry-run"],
        env=aws.process_env(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for part in (NAME, "ml.t3.medium, 20 GB", "direct internet access, root access", "an estimate"):
        assert part in done.stdout
    with pytest.raises(ClientError):
        found(cloud)
    assert cloud.client("s3").list_buckets()["Buckets"] == []
