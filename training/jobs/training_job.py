"""Watch and stop a training job on SageMaker, and download its network."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from botocore.exceptions import ClientError
from safetensors import SafetensorError
from safetensors.numpy import load
from tqdm import tqdm

from training.aws import cloud as clouds
from training.aws.cloud import Cloud, CloudError
from training.data import cache
from training.data.archives import ArchiveError, read_members
from vocab import vocabulary
from vocab.files import sha256, sha256_of, write_together

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
POLL_SECONDS = 15
ENDED = ("Completed", "Failed", "Stopped")
# A network of the default size has 33 MB; much wider ones fit too.
MAX_NETWORK_BYTES = 2_000_000_000
MAX_CARD_BYTES = 10_000_000
# Other files may lie beside the network.
MAX_ARCHIVE_BYTES = 4 * MAX_NETWORK_BYTES
MEMBERS = {"network.safetensors": MAX_NETWORK_BYTES, "network.json": MAX_CARD_BYTES}

Job = dict[str, Any]


class DownloadedNetwork(NamedTuple):
    """A downloaded network: its folder, and the SHA-256 of the archive and of the weights."""

    folder: Path
    archive_sha256: str
    network_sha256: str


# --- watching -------------------------------------------------------------------------------------


def describe(cloud: Cloud, name: str) -> Job:
    """Return SageMaker's description of a job. Raises CloudError for an unknown name."""
    try:
        return dict(cloud.client("sagemaker").describe_training_job(TrainingJobName=name))
    except ClientError as error:
        if clouds.is_missing(error):
            raise CloudError(
                f"no training job {name} in {cloud.stage.region}; `make status` lists those of a stage"
            ) from error
        raise


def follow(
    cloud: Cloud,
    name: str,
    say: Callable[[str], None] = print,
    command: str = "train-aws",
    advice: str = "; resume it with --continue {}",
) -> Job:
    """Report a job's states and log lines until it ends; return its last description.

    ``advice`` ends the error about a job that was stopped or ran out of time. Raises CloudError when the job
    failed, was stopped, or ran out of time.
    """
    log, reported = _Log(cloud, name, command), ""
    while True:
        job = describe(cloud, name)
        state = str(job.get("SecondaryStatus") or job["TrainingJobStatus"])
        if state != reported:
            say(f"{command}: {name} {_in_words(state)}")
            reported = state
        for line in log.new_lines():
            say(line)
        if job["TrainingJobStatus"] in ENDED:
            break
        time.sleep(POLL_SECONDS)
    _check_end(name, job, advice.format(name))
    return job


def stop(cloud: Cloud, name: str) -> None:
    """Stop a job. Raises CloudError when it does not exist or has ended."""
    state = describe(cloud, name)["TrainingJobStatus"]
    if state in ENDED:
        raise CloudError(f"{name} has ended already ({state})")
    cloud.client("sagemaker").stop_training_job(TrainingJobName=name)


def checkpoints_of(cloud: Cloud, name: str) -> str:
    """Return the URI of an ended job's checkpoints. Raises CloudError."""
    job = describe(cloud, name)
    if job["TrainingJobStatus"] not in ENDED:
        raise CloudError(f"{name} still runs, and two jobs can't share checkpoints; --stop {name} first")
    if not job.get("CheckpointConfig"):
        raise CloudError(f"{name} has no checkpoints; start without --continue")
    return str(job["CheckpointConfig"]["S3Uri"])


def cost_of(job: Job) -> str:
    """Return the billed time of an ended job, as text.

    >>> cost_of({"BillableTimeInSeconds": 60, "TrainingTimeInSeconds": 200})
    'billed for 60 of 200 s'
    """
    billed, ran = job.get("BillableTimeInSeconds"), job.get("TrainingTimeInSeconds")
    return f"billed for {billed} of {ran} s" if billed is not None and ran is not None else ""


class _Log:
    """A job's log; it returns each line once."""

    def __init__(self, cloud: Cloud, name: str, command: str) -> None:
        self.client, self.name, self.command = cloud.client("logs"), name, command
        self.tokens: dict[str, str] = {}
        self.readable = True

    def new_lines(self) -> list[str]:
        lines: list[str] = []
        try:
            for stream in self._streams() if self.readable else ():
                lines += self._lines_of(stream)
        except ClientError as error:
            if not clouds.is_missing(error):  # before the first line there is no log
                self.readable = False
                lines.append(f"{self.command}: the log can't be read ({clouds.sentence_of(error)})")
        return lines

    def _streams(self) -> list[str]:
        pages = self.client.get_paginator("describe_log_streams").paginate(
            logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self.name}/"
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    def _lines_of(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            token = self.tokens.get(stream)
            more = {"nextToken": token} if token else {}
            page = self.client.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **more
            )
            lines += [event["message"].rstrip() for event in page["events"]]
            self.tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token:  # at the end, the next token is the same
                return lines


def _in_words(state: str) -> str:
    return {
        "Interrupted": "was interrupted: its spot capacity was taken away; SageMaker starts it again",
        "Pending": "waits for a machine",
    }.get(state, f"is {state}")


def _check_end(name: str, job: Job, advice: str) -> None:
    state, last = job["TrainingJobStatus"], job.get("SecondaryStatus", "")
    if state == "Completed":
        return
    if last == "MaxRuntimeExceeded":
        raise CloudError(f"{name} ran out of time; give it a larger --max-run{advice}")
    if last == "MaxWaitTimeExceeded":
        raise CloudError(f"{name} waited too long for spot capacity; try --on-demand{advice}")
    if state == "Stopped":
        raise CloudError(f"{name} was stopped{advice}")
    reason = " ".join(str(job.get("FailureReason") or "AWS gave no reason").split())
    raise CloudError(f"{name} failed: {reason[:500]}; its log is in {LOG_GROUP}, streams {name}/")


# --- downloading ----------------------------------------------------------------------------------


def download_network(cloud: Cloud, job: Job, out: Path | None = None) -> DownloadedNetwork:
    """Download a job's model.tar.gz, check it, and write its network to ``out``, whole or not at all.

    The default is the folder that recipe/train.py writes. Raises CloudError.
    """
    with downloaded_archive(cloud, job) as packed:
        digest = sha256_of(packed)
        files = unpack(packed)
    card = check(files)
    out = out or cache.folder() / ("dry-run" if card["options"].get("dry_run") else "network")
    write_together({out / name: data for name, data in files.items()})
    return DownloadedNetwork(out, digest, sha256(files["network.safetensors"]))


@contextmanager
def downloaded_archive(cloud: Cloud, job: Job) -> Iterator[Path]:
    """Yield the path of a job's model.tar.gz, deleted afterwards. Raises CloudError."""
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as folder:
        packed = Path(folder) / "model.tar.gz"
        _download(cloud.client("s3"), bucket, key, packed)
        yield packed


def unpack(packed: Path) -> dict[str, bytes]:
    """Read the network's files from model.tar.gz; return their bytes by name. Raises CloudError."""
    try:
        members = read_members(packed, lambda name: MEMBERS.get(_plain(name)), MAX_ARCHIVE_BYTES)
        files = {_plain(name): data for name, data in members}
    except ArchiveError as error:
        raise CloudError(f"model.tar.gz is no usable archive ({error}); --attach the job again") from error
    missing = [name for name in MEMBERS if name not in files]
    if missing:
        raise CloudError(f"model.tar.gz holds no {' and no '.join(missing)}; the job's log says why")
    return files


def _plain(name: str) -> str:
    return name.removeprefix("./")


def check(files: dict[str, bytes]) -> dict[str, Any]:
    """Check that card and weights are whole, fit each other and this code's vocabulary; return the card.

    Raises CloudError.
    """
    try:
        card = dict(json.loads(files["network.json"]))
        size, fingerprint, _ = card["size"], card["vocabulary"], card["options"]
        weights = load(files["network.safetensors"])
        shape = weights["embedding.weight"].shape
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CloudError(
            f"the downloaded network is corrupt ({type(error).__name__}); --attach the job again"
        ) from error
    ours = vocabulary.load().fingerprint
    if fingerprint != ours:
        raise CloudError(
            f"the job trained with vocabulary {fingerprint}, this code has {ours}; start another job"
        )
    if shape != (size["vocabulary"], size["embedding"]):
        raise CloudError(f"the network's table has shape {shape}, its card says {size}; start another job")
    if not all(np.isfinite(weight).all() for weight in weights.values()):
        raise CloudError("the network has weights that are not finite numbers; start another job, lower --lr")
    return card


def _download(s3: Any, bucket: str, key: str, path: Path) -> None:
    try:
        size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        with tqdm(total=size, unit="B", unit_scale=True, desc="downloading", disable=None) as progress:
            s3.download_file(bucket, key, str(path), Callback=progress.update)
    except ClientError as error:
        if clouds.is_missing(error):
            raise CloudError(
                f"the job left no s3://{bucket}/{key}; its log in {LOG_GROUP} says why"
            ) from error
        raise
    if path.stat().st_size != size:
        raise CloudError(f"{path.stat().st_size:,} of {size:,} bytes of model.tar.gz arrived; try again")
