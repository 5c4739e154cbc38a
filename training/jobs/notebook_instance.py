"""A notebook instance with the project and walkthrough.ipynb on it, which stops by itself when idle.

    python -m training.jobs.notebook_instance                 # makes it, or starts it, and waits
    python -m training.jobs.notebook_instance --open          # prints an address that opens it
    python -m training.jobs.notebook_instance --stop          # stops it: only its volume costs then

It has direct internet access and root access, since its environment is installed on it; its role is the
stage's, which reads and writes the stage's files and may stop this one instance. What it gets is the
last commit. A second run changes type, idle minutes and start scripts to what is asked then.
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
# torch, the SageMaker SDK and their like take about 4 GB, the archive and what is made of it 1 GB.
VOLUME_GB = 20
IDLE_MINUTES = 60
PLATFORM = "notebook-al2023-v1"
# AWS takes no longer script, in base64.
MAX_SCRIPT = 16_384
GIT_SECONDS = 60
POLL_SECONDS, WAIT_SECONDS = 10, 1200
SESSION_SECONDS = 4 * 3600
PASSING = ("Pending", "Stopping", "Updating", "Deleting", "PendingMaintenance", "InMaintenance")

Say = Callable[[str], None]


# --- what is put on it ----------------------------------------------------------------------------


def bundle(say: Say = print) -> bytes:
    """Pack the last commit as tar.gz, the same bytes for the same commit. Raises CloudError."""
    changed = _git("status", "--porcelain").decode(errors="replace").splitlines()
    if changed:
        say(f"notebook: {len(changed)} changes that are not committed stay here")
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
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise CloudError(
            f"git {command[0]} failed ({said[-1]}); the notebook gets the last commit of a clone"
        ) from error
    return done.stdout


def put_bundle(cloud: Cloud, data: bytes) -> tuple[str, str]:
    """Put the bundle into the stage's bucket unless it is there; give its s3:// URL and its SHA-256."""
    digest = sha256(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdict.tar.gz"
        path.write_bytes(data)
        return resources.upload(cloud, path, f"notebook/{digest}/verdict.tar.gz", digest), digest


def scripts(cloud: Cloud, url: str, digest: str, idle_minutes: int) -> dict[str, str]:
    """Give the scripts that AWS runs on the instance, as text, by when they run."""
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
        raise CloudError(f"{name} has {size:,} characters in base64, AWS takes {MAX_SCRIPT:,}; shorten it")
    return text


# --- making and starting --------------------------------------------------------------------------


def ensure(cloud: Cloud, options: argparse.Namespace, say: Say = print) -> None:
    """Make the instance or start it, with what the flags ask. Raises CloudError."""
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role = resources.ensure_role(cloud)
    url, digest = put_bundle(cloud, bundle(say))
    hooks = scripts(cloud, url, digest, options.idle_minutes)
    there = settled(cloud, say)
    changed = ensure_lifecycle(cloud, hooks)
    if there is None:
        _make(cloud, options, role)
        say(f"notebook: making {cloud.stage.notebook} ({options.type}); this takes some minutes")
    elif there["NotebookInstanceStatus"] == "InService":
        if changed or there["InstanceType"] != options.type:
            say("notebook: it runs, with what it was started with; --stop it and run this again for changes")
        return
    else:
        _start(cloud, options, role, there, say)
        say(f"notebook: starting {cloud.stage.notebook}; the code on its volume stays as it is")
    if not options.no_wait:
        wait_for(cloud, "InService", say)


def ensure_lifecycle(cloud: Cloud, hooks: dict[str, str]) -> bool:
    """Make or change the lifecycle configuration; say whether an old one was changed."""
    sagemaker, name = cloud.client("sagemaker"), cloud.stage.notebook
    wanted = {when: [{"Content": base64.b64encode(text.encode()).decode()}] for when, text in hooks.items()}
    named = {"NotebookInstanceLifecycleConfigName": name}
    try:
        found = sagemaker.describe_notebook_instance_lifecycle_config(**named)
    except ClientError as error:
        if not clouds.is_missing(error):
            raise
        tags = clouds.tag_list(cloud.stage.tags)
        sagemaker.create_notebook_instance_lifecycle_config(**named, **wanted, Tags=tags)
        return False
    own = sagemaker.list_tags(ResourceArn=found["NotebookInstanceLifecycleConfigArn"])["Tags"]
    if not cloud.stage.owns(clouds.tag_map(own)):
        raise CloudError(f"lifecycle config {name} is there but has not this stage's tags; delete it")
    if all(found.get(when) == hook for when, hook in wanted.items()):
        return False
    sagemaker.update_notebook_instance_lifecycle_config(**named, **wanted)
    return True


def _make(cloud: Cloud, options: argparse.Namespace, role: str) -> None:
    cloud.client("sagemaker").create_notebook_instance(
        NotebookInstanceName=cloud.stage.notebook,
        InstanceType=options.type,
        RoleArn=role,
        LifecycleConfigName=cloud.stage.notebook,
        VolumeSizeInGB=options.volume,
        DirectInternetAccess="Enabled",
        RootAccess="Enabled",
        PlatformIdentifier=PLATFORM,
        Tags=tag_list(cloud.stage.tags),
    )


def _start(cloud: Cloud, options: argparse.Namespace, role: str, there: dict[str, Any], say: Say) -> None:
    sagemaker, name = cloud.client("sagemaker"), cloud.stage.notebook
    if there["InstanceType"] != options.type:
        sagemaker.update_notebook_instance(
            NotebookInstanceName=name, InstanceType=options.type, RoleArn=role, LifecycleConfigName=name
        )
        wait_for(cloud, "Stopped", say)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)


# --- its state ------------------------------------------------------------------------------------


def describe(cloud: Cloud) -> dict[str, Any] | None:
    """Give SageMaker's description of the stage's instance, or None. Raises CloudError for a foreign one."""
    sagemaker = cloud.client("sagemaker")
    try:
        found = dict(sagemaker.describe_notebook_instance(NotebookInstanceName=cloud.stage.notebook))
    except ClientError as error:
        if clouds.is_missing(error):
            return None
        raise
    tags = tag_map(sagemaker.list_tags(ResourceArn=found["NotebookInstanceArn"])["Tags"])
    if not cloud.stage.owns(tags):
        raise CloudError(
            f"notebook instance {cloud.stage.notebook} has not this stage's tags; take another --stage"
        )
    return found


def settled(cloud: Cloud, say: Say) -> dict[str, Any] | None:
    """Wait until the instance is on its way no more; give its description, or None when there is none."""
    deadline, told = time.monotonic() + WAIT_SECONDS, ""
    while True:
        found = describe(cloud)
        state = found["NotebookInstanceStatus"] if found else "gone"
        if state not in PASSING:
            return found
        if state != told:
            say(f"notebook: {cloud.stage.notebook} is {state}")
            told = state
        if time.monotonic() > deadline:
            raise CloudError(
                f"{cloud.stage.notebook} is {state} for {WAIT_SECONDS // 60} minutes; look at it in the"
                " SageMaker console, and run this again"
            )
        time.sleep(POLL_SECONDS)


def wait_for(cloud: Cloud, wanted: str, say: Say) -> None:
    """Wait for a state. Raises CloudError when the instance ends in another one."""
    found = settled(cloud, say)
    state = found["NotebookInstanceStatus"] if found else "gone"
    if found is None or state != wanted:
        reason = " ".join(str((found or {}).get("FailureReason") or "AWS gave no reason").split())
        raise CloudError(
            f"{cloud.stage.notebook} is {state}, not {wanted}: {reason[:500]}; its scripts' log is in"
            " /aws/sagemaker/NotebookInstances"
        )
    say(f"notebook: {cloud.stage.notebook} is {state}")


def address(cloud: Cloud) -> str:
    """Give an address that opens the instance's JupyterLab. Raises CloudError when it does not run."""
    found = describe(cloud)
    state = found["NotebookInstanceStatus"] if found else "not there"
    if state != "InService":
        raise CloudError(f"{cloud.stage.notebook} is {state}; run `make notebook` first")
    return str(
        cloud.client("sagemaker").create_presigned_notebook_instance_url(
            NotebookInstanceName=cloud.stage.notebook, SessionExpirationDurationInSeconds=SESSION_SECONDS
        )["AuthorizedUrl"]
    )


def stop(cloud: Cloud, say: Say = print, wait: bool = True) -> None:
    """Stop the instance; what is on its volume stays. Raises CloudError when there is none."""
    found = settled(cloud, say)
    if found is None:
        raise CloudError(f"there is no notebook instance {cloud.stage.notebook}, so nothing to stop")
    if found["NotebookInstanceStatus"] == "InService":
        cloud.client("sagemaker").stop_notebook_instance(NotebookInstanceName=cloud.stage.notebook)
        if wait:
            wait_for(cloud, "Stopped", say)
    else:
        say(f"notebook: {cloud.stage.notebook} is {found['NotebookInstanceStatus']} already")


# --- the command ----------------------------------------------------------------------------------


def plan(cloud: Cloud, options: argparse.Namespace) -> str:
    """Give what would be done, as lines to read."""
    hour = prices.instance_hour(options.type)
    cost = "not in the table" if hour is None else f"about ${hour:.2f} (an estimate)"
    return "\n".join(
        [
            f"account      {cloud.stage.account}, {cloud.stage.region}",
            f"instance     {cloud.stage.notebook}, {options.type}, {options.volume} GB, {PLATFORM}",
            f"an hour      {cost}; nothing but the volume once it is stopped",
            f"idle         stops after {options.idle_minutes} minutes",
            f"role         {cloud.stage.role_arn}",
            f"code         the last commit -> s3://{cloud.stage.bucket}/notebook/",
            "access       direct internet access, root access",
        ]
    )


def run(cloud: Cloud, options: argparse.Namespace) -> None:
    """Do what the flags say. Raises CloudError, or what botocore raises."""
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
            " open it by `make notebook FLAGS=--open`"
        )


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make, start, open or stop the notebook instance.")
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--type", default=TYPE, help=f"instance type (default {TYPE})")
    add("--volume", type=int, default=VOLUME_GB, help=f"GB of its volume, when it is made ({VOLUME_GB})")
    add(
        "--idle-minutes", type=int, default=IDLE_MINUTES, help=f"idle minutes until it stops ({IDLE_MINUTES})"
    )
    add("--no-wait", action="store_true", help="don't wait until it runs, or has stopped")
    add("--open", action="store_true", help="print an address that opens it, good for five minutes")
    add("--stop", action="store_true", help="stop it")
    options = parser.parse_args(arguments)
    if options.idle_minutes < 5:
        parser.error(f"--idle-minutes is 5 or more, as often as it is looked at; got {options.idle_minutes}")
    return options


def main() -> None:
    options = parse()
    with clouds.exit_on_error("notebook"):
        run(clouds.open_stage(options.stage, options.region), options)


if __name__ == "__main__":
    main()
