"""Make a notebook instance with the project and walkthrough.ipynb; it stops by itself when idle.

    python -m training.jobs.notebook_instance                 # makes or starts it, and waits
    python -m training.jobs.notebook_instance --open          # prints an address that opens it
    python -m training.jobs.notebook_instance --stop          # stops it; then only its volume costs

It has direct internet access and root access, because its environment is installed on it. Its role is the
stage's, which reads and writes the stage's files and may stop this instance. It gets the last commit. Another
run updates type, idle minutes and start scripts.
"""

import argparse
import base64
import gzip
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from training.aws import cloud as clouds
from training.aws import prices, resources
from training.aws.cloud import Cloud, CloudError, tag_list, tag_map
from vocab.files import sha256

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).with_name("notebook")
TYPE = "ml.t3.medium"
# Libraries such as torch and the SageMaker SDK take about 4 GB, the archive and its products 1 GB.
VOLUME_GB = 20
IDLE_MINUTES = 60
PLATFORM = "notebook-al2023-v1"
# AWS accepts no longer script; counted in base64.
MAX_SCRIPT = 16_384
GIT_SECONDS = 60
POLL_SECONDS, WAIT_SECONDS = 10, 1200
SESSION_SECONDS = 4 * 3600
TRANSIENT = ("Pending", "Stopping", "Updating", "Deleting", "PendingMaintenance", "InMaintenance")

Say = Callable[[str], None]


# --- its content ----------------------------------------------------------------------------------


def bundle(say: Say = print) -> bytes:
    """Return the last commit as tar.gz, the same bytes for the same commit. Raises CloudError."""
    changed = _git("status", "--porcelain").decode(errors="replace").splitlines()
    if changed:
        say(f"notebook: {len(changed)} uncommitted changes stay here")
    return gzip.compress(_git("archive", "--format=tar", "HEAD"), compresslevel=6, mtime=0)


def _git(*command: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, timeout=GIT_SECONDS, check=True
        )
    except FileNotFoundError as error:
        raise CloudError("git is not installed, and the notebook gets the last commit; install it") from error
    except subprocess.TimeoutExpired as error:
        raise CloudError(f"git {command[0]} took longer than {GIT_SECONDS} s; run this again") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise CloudError(
            f"git {command[0]} failed ({lines[-1]}); the notebook gets the last commit of a clone"
        ) from error
    return done.stdout


def put_bundle(cloud: Cloud, data: bytes) -> tuple[str, str]:
    """Upload the bundle to the stage's bucket unless it is there; return its s3:// URL and SHA-256."""
    digest = sha256(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdict.tar.gz"
        path.write_bytes(data)
        return resources.upload(cloud, path, f"notebook/{digest}/verdict.tar.gz", digest), digest


def scripts(cloud: Cloud, url: str, digest: str, idle_minutes: int) -> dict[str, str]:
    """Return the text of the scripts that AWS runs on the instance, by event."""
    watch = base64.b64encode((SCRIPTS / "stop_when_idle.py").read_bytes()).decode()
    start = {
        "IDLE_MINUTES": str(idle_minutes),
        "INSTANCE": cloud.stage.notebook,
        "REGION": cloud.stage.region,
        "STOP_WHEN_IDLE": watch,
    }
    return {
        "OnCreate": _script("on_create.sh", {"BUNDLE": url, "BUNDLE_SHA256": digest}),
        "OnStart": _script("on_start.sh", start),
    }


def _script(name: str, variables: dict[str, str]) -> str:
    lines = [f"{key}={shlex.quote(value)}" for key, value in variables.items()]
    text = "\n".join(["#!/bin/bash", *lines, (SCRIPTS / name).read_text(encoding="utf-8")])
    size = len(base64.b64encode(text.encode()))
    if size > MAX_SCRIPT:
        raise CloudError(f"{name} has {size:,} characters in base64, AWS accepts {MAX_SCRIPT:,}; shorten it")
    return text


# --- making and starting --------------------------------------------------------------------------


def ensure(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> None:
    """Make or start the instance. Raises CloudError."""
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role = resources.ensure_role(cloud)
    url, digest = put_bundle(cloud, bundle(say))
    hooks = scripts(cloud, url, digest, options.idle_minutes)
    instance = wait_until_settled(cloud, say)
    changed = ensure_lifecycle(cloud, hooks)
    if instance is None:
        _make(cloud, options, role, say)
        say(f"notebook: making {cloud.stage.notebook} ({options.type}); this takes some minutes")
    elif instance["NotebookInstanceStatus"] == "InService":
        if changed or instance["InstanceType"] != options.type:
            say("notebook: it runs with its old settings; to change them, --stop it and run this again")
        return
    else:
        _start(cloud, options, role, instance, say)
        say(f"notebook: starting {cloud.stage.notebook}; the code on its volume is not updated")
    if not options.no_wait:
        wait_for(cloud, "InService", say)


def ensure_lifecycle(cloud: Cloud, hooks: dict[str, str]) -> bool:
    """Make or update the lifecycle configuration; return whether an existing one was updated."""
    sagemaker, name = cloud.client("sagemaker"), cloud.stage.notebook
    encoded = {
        event: [{"Content": base64.b64encode(text.encode()).decode()}] for event, text in hooks.items()
    }
    key = {"NotebookInstanceLifecycleConfigName": name}
    try:
        config = sagemaker.describe_notebook_instance_lifecycle_config(**key)
    except ClientError as error:
        if not clouds.is_missing(error):
            raise
        tags = clouds.tag_list(cloud.stage.tags)
        sagemaker.create_notebook_instance_lifecycle_config(**key, **encoded, Tags=tags)
        return False
    tags = sagemaker.list_tags(ResourceArn=config["NotebookInstanceLifecycleConfigArn"])["Tags"]
    if not cloud.stage.owns(clouds.tag_map(tags)):
        raise CloudError(f"lifecycle config {name} exists without this stage's tags; delete it")
    if all(config.get(event) == hook for event, hook in encoded.items()):
        return False
    sagemaker.update_notebook_instance_lifecycle_config(**key, **encoded)
    return True


def _make(cloud: Cloud, options: argparse.Namespace, role: str, say: Say) -> None:
    clouds.once_visible(
        lambda: cloud.client("sagemaker").create_notebook_instance(
            NotebookInstanceName=cloud.stage.notebook,
            InstanceType=options.type,
            RoleArn=role,
            LifecycleConfigName=cloud.stage.notebook,
            VolumeSizeInGB=options.volume,
            DirectInternetAccess="Enabled",
            RootAccess="Enabled",
            PlatformIdentifier=PLATFORM,
            Tags=tag_list(cloud.stage.tags),
        ),
        say,
    )


def _start(cloud: Cloud, options: argparse.Namespace, role: str, instance: dict[str, Any], say: Say) -> None:
    sagemaker, name = cloud.client("sagemaker"), cloud.stage.notebook
    if instance["InstanceType"] != options.type:
        sagemaker.update_notebook_instance(
            NotebookInstanceName=name, InstanceType=options.type, RoleArn=role, LifecycleConfigName=name
        )
        wait_for(cloud, "Stopped", say)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)


# --- its state ------------------------------------------------------------------------------------


def describe(cloud: Cloud) -> dict[str, Any] | None:
    """Return SageMaker's description of the instance, or None. Raises CloudError for a foreign one."""
    sagemaker = cloud.client("sagemaker")
    try:
        instance = dict(sagemaker.describe_notebook_instance(NotebookInstanceName=cloud.stage.notebook))
    except ClientError as error:
        if clouds.is_missing(error):
            return None
        raise
    tags = tag_map(sagemaker.list_tags(ResourceArn=instance["NotebookInstanceArn"])["Tags"])
    if not cloud.stage.owns(tags):
        raise CloudError(
            f"notebook instance {cloud.stage.notebook} has not this stage's tags; use another --stage"
        )
    return instance


def wait_until_settled(cloud: Cloud, say: Say) -> dict[str, Any] | None:
    """Wait until the instance is in no transient state; return its description, or None without one."""
    deadline, reported = time.monotonic() + WAIT_SECONDS, ""
    while True:
        instance = describe(cloud)
        state = instance["NotebookInstanceStatus"] if instance else "gone"
        if state not in TRANSIENT:
            return instance
        if state != reported:
            say(f"notebook: {cloud.stage.notebook} is {state}")
            reported = state
        if time.monotonic() > deadline:
            raise CloudError(
                f"{cloud.stage.notebook} is still {state} after {WAIT_SECONDS // 60} minutes; see the"
                " SageMaker console, and run this again"
            )
        time.sleep(POLL_SECONDS)


def wait_for(cloud: Cloud, target: str, say: Say) -> None:
    """Wait for a state. Raises CloudError when the instance ends in another one."""
    instance = wait_until_settled(cloud, say)
    state = instance["NotebookInstanceStatus"] if instance else "gone"
    if instance is None or state != target:
        reason = " ".join(str((instance or {}).get("FailureReason") or "AWS gave no reason").split())
        raise CloudError(
            f"{cloud.stage.notebook} is {state}, not {target}: {reason[:500]}; the log of its scripts is in"
            " /aws/sagemaker/NotebookInstances"
        )
    say(f"notebook: {cloud.stage.notebook} is {state}")


def address(cloud: Cloud) -> str:
    """Return an address that opens the instance's JupyterLab. Raises CloudError when it does not run."""
    instance = describe(cloud)
    state = instance["NotebookInstanceStatus"] if instance else "not there"
    if state != "InService":
        raise CloudError(f"{cloud.stage.notebook} is {state}; run `make notebook` first")
    return str(
        cloud.client("sagemaker").create_presigned_notebook_instance_url(
            NotebookInstanceName=cloud.stage.notebook, SessionExpirationDurationInSeconds=SESSION_SECONDS
        )["AuthorizedUrl"]
    )


def stop(cloud: Cloud, say: Say = print, wait: bool = True) -> None:
    """Stop the instance; its volume stays. Raises CloudError when there is no instance."""
    instance = wait_until_settled(cloud, say)
    if instance is None:
        raise CloudError(f"there is no notebook instance {cloud.stage.notebook}, so there is nothing to stop")
    if instance["NotebookInstanceStatus"] == "InService":
        cloud.client("sagemaker").stop_notebook_instance(NotebookInstanceName=cloud.stage.notebook)
        if wait:
            wait_for(cloud, "Stopped", say)
    else:
        say(f"notebook: {cloud.stage.notebook} is {instance['NotebookInstanceStatus']} already")


# --- the command ----------------------------------------------------------------------------------


def plan(cloud: Cloud, options: argparse.Namespace) -> str:
    """Return the plan as lines to print."""
    hour = prices.instance_hour(options.type)
    cost = "not in the table" if hour is None else f"about ${hour:.2f} (an estimate)"
    return "\n".join(
        [
            f"account      {cloud.stage.account}, {cloud.stage.region}",
            f"instance     {cloud.stage.notebook}, {options.type}, {options.volume} GB, {PLATFORM}",
            f"an hour      {cost}; once it is stopped, only the volume costs",
            f"idle         stops after {options.idle_minutes} minutes",
            f"role         {cloud.stage.role_arn}",
            f"code         the last commit -> s3://{cloud.stage.bucket}/notebook/",
            "access       direct internet access, root access",
        ]
    )


def run(cloud: Cloud, options: argparse.Namespace) -> None:
    """Run the command. Raises CloudError, or what botocore raises."""
    if options.stop:
        stop(cloud, wait=not options.no_wait)
    elif options.open:
        print(address(cloud))
    elif options.dry_run:
        print(plan(cloud, options))
    else:
        ensure(cloud, options)
        print(
            f"notebook: stops after {options.idle_minutes} idle minutes;"
            " `make notebook FLAGS=--open` prints its address"
        )


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make, start, open or stop the notebook instance.")
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--type", default=TYPE, help=f"instance type (default {TYPE})")
    add("--volume", type=int, default=VOLUME_GB, help=f"GB of a new volume ({VOLUME_GB})")
    add(
        "--idle-minutes", type=int, default=IDLE_MINUTES, help=f"idle minutes until it stops ({IDLE_MINUTES})"
    )
    add("--no-wait", action="store_true", help="don't wait until it runs or has stopped")
    add("--open", action="store_true", help="print an address that opens it, good for five minutes")
    add("--stop", action="store_true", help="stop the instance")
    options = parser.parse_args(arguments)
    if options.idle_minutes < 5:
        parser.error(
            f"--idle-minutes is 5 or more, because it is checked every 5 minutes; got {options.idle_minutes}"
        )
    return options


def main() -> None:
    options = parse()
    with clouds.exit_on_error("notebook"):
        run(clouds.open_stage(options.stage, options.region), options)


if __name__ == "__main__":
    main()
