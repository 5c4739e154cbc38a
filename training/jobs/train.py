"""Train on SageMaker: upload the archive, start a training job, watch it, download its network.

    python -m training.jobs.train -- --epochs 4 --seed 2     # flags after -- are those of recipe/train.py
    python -m training.jobs.train --dry-run                  # prints the plan
    python -m training.jobs.train --attach JOB               # watches a job again and downloads its network
    python -m training.jobs.train --stop JOB                 # stops a job

The network lands where `make train` puts it, so that export.py finds it. By default the job runs on spot
capacity. If AWS takes that away, SageMaker restarts the job, and training resumes from the checkpoint in the
stage's bucket. It needs requirements/aws.txt, and no torch.
"""

import argparse
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from training.aws import cloud as clouds
from training.aws import images, prices, resources, sources
from training.aws.cloud import Cloud, CloudError, Stage
from training.data import cache, dataset
from training.jobs import training_job
from training.recipe import train_flags
from vocab.files import sha256_of

SCRIPT = Path(__file__).with_name("entry") / "train.py"
# The packages of ours that the script imports.
PACKAGES = ("training/data", "training/endpoint", "training/recipe", "vocab")
ARCHIVE = "aclImdb_v1.tar.gz"
INSTANCE = "ml.m5.xlarge"
RUN_MINUTES = 120
# Waiting for spot capacity is added to the run.
SPOT_MINUTES = 120
VOLUME_GB = 30
CHANNELS = "/opt/ml/input/data"
CHECKPOINTS = "/opt/ml/checkpoints"
# Pretraining's results lie with the checkpoints, so an interruption does not repeat them.
ENVIRONMENT = {"VERDICT_CACHE": f"{CHECKPOINTS}/cache"}
# Flags that name a file. The file is uploaded, and the job reads it from a channel of the flag's name.
FILE_FLAGS = ("pretrained", "soft_targets")
# Libraries that the training image lacks, as named in requirements/run.txt and requirements/train.txt.
MISSING_LIBRARIES = ("nltk", "beautifulsoup4", "tqdm", "gensim", "safetensors")
METRICS = {
    name: rf"epoch \d+ average .*\b{name}=([0-9.]+)"
    for name in ("train_loss", "development_nll", "development_accuracy")
}
# The SDK sends telemetry to its makers unless it is switched off.
SDK_SETTINGS = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


class Plan(NamedTuple):
    """A training job before its start: machine, limits, script, flags and files.

    ``name`` ends the job's name, ``prefix`` is its folder in the stage's bucket. ``resumes`` is true for a
    script that keeps checkpoints.
    """

    instance: str
    instances: int
    spot: bool
    run_minutes: int
    wait_minutes: int
    image: str
    flags: dict[str, Any]
    files: dict[str, Path]
    checkpoints: str | None
    script: str = "train.py"
    name: str = "train"
    prefix: str = "training"
    environment: dict[str, str] = ENVIRONMENT
    metrics: dict[str, str] = METRICS
    resumes: bool = True

    @property
    def distributed(self) -> bool:
        """Return whether torchrun starts the script: one process a host, or one a GPU."""
        return self.instances > 1 or is_gpu(self.instance)


def plan_of(options: argparse.Namespace, region: str) -> Plan:
    """Return the plan of a training job; check all that can be checked before a start. Raises CloudError."""
    plan = plan_machine(options, region)
    flags, files = read_flags(options.flags)
    return plan._replace(flags=flags, files=files)


def plan_machine(options: argparse.Namespace, region: str) -> Plan:
    """Return a plan with a machine and limits, and no flags yet. Raises CloudError."""
    check_instance(options.instance)
    if options.count < 1:
        raise CloudError(f"a job takes 1 instance or more, got --count {options.count}")
    if options.max_run < 1:
        raise CloudError(f"a job runs for a minute or more, got --max-run {options.max_run}")
    wait = options.max_wait or options.max_run + SPOT_MINUTES
    if wait < options.max_run:
        raise CloudError(f"--max-wait {wait} includes --max-run {options.max_run}, so it can't be less")
    return Plan(
        instance=options.instance,
        instances=options.count,
        spot=not options.on_demand,
        run_minutes=options.max_run,
        wait_minutes=wait,
        image=images.uri("training-gpu" if is_gpu(options.instance) else "training", region),
        flags={},
        files={},
        checkpoints=None,
    )


def check_instance(name: str) -> None:
    """Refuse a malformed instance type, or one that the training images can't run on. Raises CloudError."""
    parts = re.fullmatch(r"ml\.([a-z]+)(\d+)([a-z-]*)\.\w+", name)
    if not parts:
        raise CloudError(f"an instance type looks like {INSTANCE}, got {name[:40]!r}")
    family, _, kind = parts.groups()
    if family in ("trn", "inf") or "g" in kind:
        raise CloudError(f"the training images run on x86-64, with or without NVIDIA GPUs, not on {name}")


def is_gpu(instance: str) -> bool:
    """Return whether an instance type has NVIDIA GPUs.

    >>> is_gpu("ml.g5.xlarge"), is_gpu("ml.m5.xlarge")
    (True, False)
    """
    return re.match(r"ml\.[gp]\d", instance) is not None


def read_flags(arguments: list[str]) -> tuple[dict[str, Any], dict[str, Path]]:
    """Parse the script's flags as the script does; return all of them, and the files that they name.

    Raises CloudError. A flag that argparse refuses ends the command.
    """
    places = [f"--{name.replace('_', '-')}" for name in train_flags.PLACES if name != "archive"]
    for flag in arguments:
        if flag.split("=")[0] in places:
            raise CloudError(f"{flag.split('=')[0]} is set by the job itself; leave it out")
    options = vars(train_flags.parse(arguments))
    files = {name: Path(options[name]) for name in FILE_FLAGS if options[name]}
    for name, path in files.items():
        if not path.is_file():
            raise CloudError(f"no file at {path}, which --{name.replace('_', '-')} names")
    flags = {
        name.replace("_", "-"): value
        for name, value in options.items()
        if name not in (*train_flags.PLACES, *FILE_FLAGS) and value is not None
    }
    flags |= {name.replace("_", "-"): f"{CHANNELS}/{name}/{path.name}" for name, path in files.items()}
    return flags | {"checkpoint-dir": CHECKPOINTS, "resume": True}, files


def describe(plan: Plan, stage: Stage, archive: str) -> str:
    """Return the plan as lines to print."""
    kind = "spot capacity" if plan.spot else "on demand"
    lines = [
        f"account      {stage.account}, {stage.region}",
        f"archive      {archive} -> s3://{stage.bucket}/data/",
        f"role         {stage.role_arn}",
        f"image        {plan.image}",
        f"machine      {plan.instances} x {plan.instance}, {kind}",
        f"an hour      {price_of(plan)}",
        f"at most      {plan.run_minutes} minutes of training"
        + (f", {plan.wait_minutes} with waiting" if plan.spot else ""),
        f"starts       {'torchrun train.py' if plan.distributed else 'python train.py'}",
        *(f"file         {path} -> s3://{stage.bucket}/data/" for path in plan.files.values()),
        "flags        " + " ".join(f"--{name} {value}" for name, value in plan.flags.items()),
        f"writes       s3://{stage.bucket}/training/",
    ]
    return "\n".join(lines)


def price_of(plan: Plan) -> str:
    """Return what an hour of a plan's machines costs by list prices, as text."""
    hour = prices.instance_hour(plan.instance)
    if hour is None:
        return "not in the table of prices; see aws.amazon.com/sagemaker/pricing"
    spot = "; spot capacity is cheaper" if plan.spot else ""
    return f"about ${hour * plan.instances:.2f} (an estimate){spot}"


# --- upload ---------------------------------------------------------------------------------------


def upload(cloud: Cloud, path: Path, name: str) -> str:
    """Upload a file to data/SHA256/NAME of the stage's bucket unless it is there; return its folder's URI."""
    digest, size = sha256_of(path), path.stat().st_size
    folder, key = f"s3://{cloud.stage.bucket}/data/{digest}/", f"data/{digest}/{name}"
    if resources.is_there(cloud, key, digest, size):
        print(f"train-aws: {name} is there already: {folder}{name}", flush=True)
        return folder
    with tqdm(total=size, unit="B", unit_scale=True, desc=f"uploading {name}", disable=None) as progress:
        resources.upload(cloud, path, key, digest, progress.update)
    print(f"train-aws: uploaded {name} ({size:,} bytes) to {folder}{name}", flush=True)
    return folder


# --- the code that is sent ------------------------------------------------------------------------


@contextmanager
def source(
    script: Path = SCRIPT, packages: Sequence[str] = PACKAGES, names: Sequence[str] = MISSING_LIBRARIES
) -> Iterator[Path]:
    """Yield a temporary folder with a script, the packages of ours that it imports, and requirements.txt.

    ``names`` are the libraries that the image lacks.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "code"
        folder.mkdir()
        shutil.copy(script, folder)
        sources.copy(folder, *packages)
        (folder / "requirements.txt").write_text("\n".join(requirements(names)) + "\n", encoding="utf-8")
        yield folder


def requirements(names: Sequence[str] = MISSING_LIBRARIES) -> list[str]:
    """Return the lines of our requirements for libraries that the training image lacks."""
    lines: dict[str, str] = {}
    for name in ("requirements/run.txt", "requirements/train.txt"):
        for line in (sources.ROOT / name).read_text(encoding="utf-8").splitlines():
            requirement = line.split("#")[0].strip()
            lines[re.split(r"[<>=\[ ]", requirement)[0]] = requirement
    return [lines[name] for name in names]


# --- start ----------------------------------------------------------------------------------------


def start(cloud: Cloud, plan: Plan, archive: Path) -> str:
    """Make bucket and role if they are missing, upload, start the job; return its name. Raises CloudError."""
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role = resources.ensure_role(cloud)
    channels = {"train": upload(cloud, archive, ARCHIVE)}
    channels |= {name: upload(cloud, path, path.name) for name, path in plan.files.items()}
    with source() as folder:
        return submit(cloud, plan, role, channels, folder)


def submit(cloud: Cloud, plan: Plan, role: str, channels: dict[str, str], folder: Path) -> str:
    """Start a plan's job with the code in a folder; return its name. Raises CloudError."""
    try:
        trainer = make_trainer(cloud, plan, role, channels, folder)
        clouds.once_visible(lambda: trainer.train(wait=False, logs=False))
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CloudError(
            f"the SageMaker SDK refused the job ({reason}); is it the version of requirements/aws.txt?"
        ) from error
    return str(trainer._latest_training_job.training_job_name)


def make_trainer(cloud: Cloud, plan: Plan, role: str, channels: dict[str, str], folder: Path) -> Any:
    """Return the SDK's ModelTrainer for a plan. Raises CloudError when the SDK is missing."""
    # The SDK demands more permissions of a role than our jobs use, and would refuse it.
    os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"
    try:
        from sagemaker.core.helper.session_helper import Session
        from sagemaker.core.shapes import MetricDefinition, StoppingCondition, Tag
        from sagemaker.core.training import configs
        from sagemaker.train import ModelTrainer
        from sagemaker.train.distributed import Torchrun
    except ModuleNotFoundError as error:
        raise CloudError(
            f"the SageMaker SDK is not installed (no {error.name}); use `make train-aws`, or"
            " pip install -r requirements/aws.txt"
        ) from error
    logging.getLogger("sagemaker").setLevel(logging.WARNING)
    stage = cloud.stage
    # Without a bucket's name the SDK would call STS at an address of its own.
    session = Session(
        cloud.session,
        default_bucket=stage.bucket,
        default_bucket_prefix=plan.prefix,
        sagemaker_config=SDK_SETTINGS,
    )
    limits = {"max_runtime_in_seconds": plan.run_minutes * 60}
    if plan.spot:
        limits["max_wait_time_in_seconds"] = plan.wait_minutes * 60
    checkpoints = configs.CheckpointConfig(s3_uri=plan.checkpoints, local_path=CHECKPOINTS)
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        base_job_name=f"{stage.prefix}-{plan.name}",
        training_image=plan.image,
        source_code=configs.SourceCode(
            source_dir=str(folder), entry_script=plan.script, requirements="requirements.txt"
        ),
        distributed=Torchrun() if plan.distributed else None,
        compute=configs.Compute(
            instance_type=plan.instance,
            instance_count=plan.instances,
            volume_size_in_gb=VOLUME_GB,
            enable_managed_spot_training=plan.spot,
        ),
        stopping_condition=StoppingCondition(**limits),
        hyperparameters=plan.flags,
        input_data_config=[
            configs.InputData(channel_name=name, data_source=uri) for name, uri in channels.items()
        ],
        output_data_config=configs.OutputDataConfig(s3_output_path=f"s3://{stage.bucket}/{plan.prefix}"),
        checkpoint_config=checkpoints if plan.resumes else None,
        environment=plan.environment,
        tags=[Tag(key=key, value=value) for key, value in stage.tags.items()],
    )
    return trainer.with_metric_definitions(
        [MetricDefinition(name=name, regex=regex) for name, regex in plan.metrics.items()]
    )


# --- the command ----------------------------------------------------------------------------------


def launch(cloud: Cloud, options: argparse.Namespace) -> None:
    """Run the command. Raises CloudError, dataset.DataError, or what botocore raises."""
    if options.stop:
        training_job.stop(cloud, options.stop)
        print(f"train-aws: {options.stop} is stopping; --attach {options.stop} shows how it ends")
        return
    job = options.attach
    if not job:
        plan = plan_of(options, cloud.stage.region)
        if options.dry_run:
            archive = options.archive or os.environ.get("IMDB_ARCHIVE")
            print(describe(plan, cloud.stage, archive or str(cache.folder() / ARCHIVE)))
            return
        if options.go_on:
            plan = plan._replace(checkpoints=training_job.checkpoints_of(cloud, options.go_on))
        job = start(cloud, plan, dataset.find_archive(options.archive))
        print(f"train-aws: started {job}", flush=True)
    if options.no_wait and not options.attach:
        print(f"train-aws: watch it and download its network: {watch_command(options, job)}")
        return
    finish(cloud, options, job)


def finish(cloud: Cloud, options: argparse.Namespace, job: str) -> None:
    """Watch a job to its end and download its network. Raises CloudError when the job failed."""
    try:
        done = training_job.follow(cloud, job)
    except KeyboardInterrupt:
        raise CloudError(
            f"{job} still runs; watch it again: {watch_command(options, job)}; stop it:"
            f" {watch_command(options, job).replace('--attach', '--stop')}"
        ) from None
    network = training_job.download_network(cloud, done, options.out)
    print(f"train-aws: model.tar.gz {network.archive_sha256}")
    print(f"train-aws: network.safetensors {network.network_sha256}")
    print(f"train-aws: {network.folder} holds the network {training_job.cost_of(done)}".rstrip())
    print(f"train-aws: next: python -m training.recipe.export --network {network.folder}")


def watch_command(options: argparse.Namespace, job: str) -> str:
    """Return the command that watches a job again."""
    region = f" --region {options.region}" if options.region else ""
    return f"python -m training.jobs.train --stage {options.stage}{region} --attach {job}"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse our flags; leave those after -- to the script's parser."""
    arguments = sys.argv[1:] if arguments is None else arguments
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(
        description="Train on SageMaker.",
        epilog="Flags after -- are those of training.recipe.train: -- --epochs 4",
    )
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    add("--count", type=int, default=1, help="instances; each batch is split over them (default 1)")
    add("--continue", dest="go_on", metavar="JOB", help="resume from the checkpoint of a job that has ended")
    add_job_flags(parser)
    add("--out", type=Path, help="folder of the network (default: network/ in the cache folder)")
    options = parser.parse_args(arguments[:end])
    options.flags = arguments[end + 1 :]
    return options


def add_job_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every command that runs a training job: machine, limits, watching."""
    add = parser.add_argument
    add("--instance", default=INSTANCE, help=f"instance type (default {INSTANCE})")
    add("--on-demand", action="store_true", help="no spot capacity: costs more, and is never interrupted")
    add("--max-run", type=int, default=RUN_MINUTES, help=f"minutes of training ({RUN_MINUTES})")
    add("--max-wait", type=int, help=f"minutes with waiting for spot (default: --max-run + {SPOT_MINUTES})")
    add("--no-wait", action="store_true", help="start the job and return")
    add("--attach", metavar="JOB", help="start nothing: watch this job and download its result")
    add("--stop", metavar="JOB", help="start nothing: stop this job")


def main() -> None:
    options = parse()
    with clouds.exit_on_error("train-aws"):
        try:
            launch(clouds.open_stage(options.stage, options.region), options)
        except dataset.DataError as error:
            raise CloudError(str(error)) from error
        except OSError as error:
            raise CloudError(f"a file can't be read or written ({error}); run this again") from error


if __name__ == "__main__":
    main()
