"""Run a recorded training job for real on this machine: its own entry point, with an /opt/ml of its own.

The test plays SageMaker: channels and checkpoints come from S3, hosts find each other by name, the output
goes to CloudWatch, model.tar.gz and checkpoints return to S3. The job runs its own start script: the SDK's or
sagemaker-training's ``train``. A host reaches the other hosts and nothing else.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import aws_side
from tests.support.missing import skip_or_fail

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
CHECKPOINTS = "/opt/ml/checkpoints"
INSTANCE = "ml.m5.xlarge"
# With a thread a core, threads slow each other down on tiny networks.
FEW_THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# /opt keeps its content and gets this host's ml/. $1 is the host's folder, $2 its name.
HOST = """
set -e
mkdir -p "$1/opt"
mount --rbind /opt "$1/opt"
mount -t tmpfs tmpfs /opt
for old in "$1"/opt/*; do
  [ -d "$old" ] || continue
  mkdir "/opt/$(basename "$old")"
  mount --rbind "$old" "/opt/$(basename "$old")"
done
mkdir -p /opt/ml
mount --bind "$1/ml" /opt/ml
mount --bind "$1/hosts" /etc/hosts
hostname "$2"
cd /opt/ml
shift 2
exec "$@"
"""
# One network for all hosts of the job, with loopback alone; the exit status is the worst of all.
JOB = """
ip link set lo up
host_script=$1; folder=$2; shift 2
for host in $HOSTS; do
  unshare -mu --propagation private bash -c "$host_script" host "$folder/$host" "$host" "$@" \
    >"$folder/$host/output" 2>&1 &
  running="$running $!"
done
worst=0
for one in $running; do wait "$one" || worst=$?; done
exit $worst
"""


class Ended(NamedTuple):
    """The end of a job: exit status, the output of each host, and the reason of a failure."""

    status: int
    outputs: list[str]
    failure: str


@cache
def _namespaces() -> tuple[str, ...]:
    """Return the unshare command that works here; skip the test without one."""
    for command in (("unshare", "-mn"), ("unshare", "--map-root-user", "-mn")):
        trial = [*command, "bash", "-c", "mount -t tmpfs tmpfs /opt && ip link set lo up"]
        if subprocess.run(trial, capture_output=True, timeout=30).returncode == 0:
            return command
    skip_or_fail("a private /opt/ml needs unshare with mounts and networks")


def execute(session: Any, name: str, folder: Path, seconds: int = 300) -> Ended:
    """Run a job as SageMaker does: download, start on every host, upload; report its end to AWS.

    Files, image, log and metrics come and go by the job's own role.
    """
    sagemaker = session.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=name)
    role = aws_side.Role(job["RoleArn"])
    s3 = role.client("s3")
    hosts = [f"algo-{number + 1}" for number in range(job["ResourceConfig"]["InstanceCount"])]
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"] for one in job["InputDataConfig"]}
    for host in hosts:
        ml = lay_out(folder / host, host, hosts, job.get("HyperParameters", {}), list(channels))
        for channel, source in channels.items():
            assert aws_side.fetch(s3, source["S3Uri"], ml / "input/data" / channel), f"{channel} is empty"
        if job.get("CheckpointConfig"):
            assert job["CheckpointConfig"]["LocalPath"] == CHECKPOINTS
            aws_side.fetch(s3, job["CheckpointConfig"]["S3Uri"], ml / "checkpoints")
    algorithm = job["AlgorithmSpecification"]
    command = algorithm["ContainerEntrypoint"] + algorithm.get("ContainerArguments", [])
    environment = {"TRAINING_JOB_NAME": name, "AWS_REGION": session.region_name, **job.get("Environment", {})}
    ended = run(command, folder, hosts, environment, seconds)
    _upload(s3, job, folder / hosts[0] / "ml")
    image = job["AlgorithmSpecification"]["TrainingImage"]
    for host, output in zip(hosts, ended.outputs, strict=True):
        aws_side.record_container(role, image, LOG_GROUP, f"{name}/{host}-1", output.splitlines())
    end = "Completed" if ended.status == 0 else f"Failed: {ended.failure or 'AlgorithmError'}"[:256]
    tag = {"Key": "simulated:end", "Value": end.replace("\n", " ")}
    sagemaker.add_tags(ResourceArn=job["TrainingJobArn"], Tags=[tag])
    return ended


def run(
    command: Sequence[str], folder: Path, hosts: Sequence[str], environment: dict[str, str], seconds: int
) -> Ended:
    """Run a command on every host, each with its ``folder/HOST/ml`` as /opt/ml."""
    (folder / "home").mkdir(exist_ok=True)
    own = {"PATH": path(), "HOME": str(folder / "home"), "HOSTS": " ".join(hosts), **FEW_THREADS}
    done = subprocess.run(
        [
            *("timeout", "--kill-after=5", str(seconds)),
            *_namespaces(),
            *("--propagation", "private", "bash", "-c", JOB, "job", HOST, str(folder), *command),
        ],
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
    )
    outputs = [(folder / host / "output").read_text(errors="replace") for host in hosts]
    failures = [folder / host / "ml/output/failure" for host in hosts]
    failure = "\n".join(found.read_text(errors="replace") for found in failures if found.is_file())
    return Ended(done.returncode, outputs, failure + done.stderr)


def path() -> str:
    """Return the PATH of a container with this Python."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def lay_out(
    folder: Path, host: str, hosts: Sequence[str], flags: dict[str, str], channels: Sequence[str]
) -> Path:
    """Make a host's empty /opt/ml, its configuration and its list of hosts; return its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    ml = folder / "ml"
    for name in ("input/config", "input/data", "model", "output/data", "checkpoints", "code"):
        (ml / name).mkdir(parents=True)
    group = {"instance_group_name": "homogeneousCluster", "instance_type": INSTANCE, "hosts": list(hosts)}
    resources = {
        "current_host": host,
        "current_instance_type": INSTANCE,
        "current_group_name": group["instance_group_name"],
        "hosts": list(hosts),
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
    inputs = {
        channel: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for channel in channels
    }
    for name, content in (
        ("hyperparameters", flags),
        ("inputdataconfig", inputs),
        ("resourceconfig", resources),
    ):
        (ml / "input/config" / f"{name}.json").write_text(json.dumps(content))
    (folder / "hosts").write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n")
    return ml


def _upload(s3: Any, job: dict[str, Any], ml: Path) -> None:
    packed = ml.parent / "model.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(ml / "model", ".")
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    s3.upload_file(str(packed), bucket, key)
    if job.get("CheckpointConfig"):
        bucket, _, prefix = job["CheckpointConfig"]["S3Uri"].removeprefix("s3://").partition("/")
        for file in sorted((ml / "checkpoints").rglob("*")):
            if file.is_file():
                name = file.relative_to(ml / "checkpoints").as_posix()
                s3.upload_file(str(file), bucket, f"{prefix.rstrip('/')}/{name}")
