"""Train on SageMaker: upload the archive, start a training job, follow it, bring the network home.

    python -m training.jobs.train -- --epochs 4 --seed 2     # what follows -- are train.py's flags
    python -m training.jobs.train --dry-run                  # prints what would be done
    python -m training.jobs.train --attach JOB               # watches a job on and brings its network home
    python -m training.jobs.train --stop JOB                 # ends a job

The network lands where `make train` puts it, so that export.py goes on from there. By default the job
runs on spot capacity; when that is taken away SageMaker starts it again, and train.py goes on from
the checkpoint in the stage's bucket. It needs requirements/aws.txt, and no torch.
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
# What that script imports of ours.
PACKAGES = ("training/data", "training/recipe", "vocab")
ARCHIVE = "aclImdb_v1.tar.gz"
INSTANCE = "ml.m5.xlarge"
RUN_MINUTES = 120
# Waiting for spot capacity comes on top of the run.
SPOT_MINUTES = 120
VOLUME_GB = 30
CHANNELS = "/opt/ml/input/data"
CHECKPOINTS = "/opt/ml/checkpoints"
# What pretraining made is kept with the checkpoints, so that no interruption costs it again.
ENVIRONMENT = {"VERDICT_CACHE": f"{CHECKPOINTS}/cache"}
# Flags of train.py that name a file: it is uploaded, and the job reads it from a channel of that name.
FILES = ("pretrained", "taught")
# What the training image lacks, by the names that requirements/run.txt and requirements/train.txt use.
LACKING = ("nltk", "beautifulsoup4", "tqdm", "gensim", "safetensors")
METRICS = {
    name: rf"epoch \d+ average .*\b{name}=([0-9.]+)"
    for name in ("train_loss", "development_nll", "development_accuracy")
}
# The SDK reports its use to its makers unless told not to.
QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


class Plan(NamedTuple):
    """A training job to be: the machine, its limits, the script, its flags and the files it needs.

    ``name`` and ``under`` tell the job, and its folder in the stage's bucket, from others; ``resumes`` says
    that the script keeps checkpoints.
    """

    instance: str
    count: int
    spot: bool
    run_minutes: int
    wait_minutes: int
    image: str
    flags: dict[str, Any]
    files: dict[str, Path]
    checkpoints: str | None
    script: str = "train.py"
    name: str = "train"
    under: str = "training"
    environment: dict[str, str] = ENVIRONMENT
    metrics: dict[str, str] = METRICS
    resumes: bool = True

    @property
    def distributed(self) -> bool:
        """Say whether torchrun starts train.py: one process a host, or one a GPU."""
        return self.count > 1 or is_gpu(self.instance)


def plan_of(options: argparse.Namespace, region: str) -> Plan:
    """Check everything that can be checked here, before anything is started. Raises CloudError."""
    plan = machine_of(options, region)
    flags, files = read_flags(options.flags)
    return plan._replace(flags=flags, files=files)


def machine_of(options: argparse.Namespace, region: str) -> Plan:
    """Give the plan of a job that has a machine and limits, and no flags yet. Raises CloudError."""
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
        count=options.count,
        spot=not options.on_demand,
        run_minutes=options.max_run,
        wait_minutes=wait,
        image=images.uri("training-gpu" if is_gpu(options.instance) else "training", region),
        flags={},
        files={},
        checkpoints=None,
    )


def check_instance(name: str) -> None:
    """Refuse what is no instance type, or one that the training images don't run on."""
    found = re.fullmatch(r"ml\.([a-z]+)(\d+)([a-z-]*)\.\w+", name)
    if not found:
        raise CloudError(f"an instance type looks like {INSTANCE}, got {name[:40]!r}")
    family, _, kind = found.groups()
    if family in ("trn", "inf") or "g" in kind:
        raise CloudError(f"the training images run on x86-64, with or without NVIDIA GPUs, not on {name}")


def is_gpu(instance: str) -> bool:
    """Say whether an instance type has NVIDIA GPUs.

    >>> is_gpu("ml.g5.xlarge"), is_gpu("ml.m5.xlarge")
    (True, False)
    """
    return re.match(r"ml\.[gp]\d", instance) is not None


def read_flags(given: list[str]) -> tuple[dict[str, Any], dict[str, Path]]:
    """Read train.py's flags as train.py would; give all of them, and the files that some name.

    Raises CloudError; what argparse refuses ends the command, as it does there.
    """
    places = [f"--{name.replace('_', '-')}" for name in train_flags.PLACES if name != "archive"]
    for flag in given:
        if flag.split("=")[0] in places:
            raise CloudError(f"{flag.split('=')[0]} is set by the job itself; leave it out")
    options = vars(train_flags.parse(given))
    files = {name: Path(options[name]) for name in FILES if options[name]}
    for name, path in files.items():
        if not path.is_file():
            raise CloudError(f"no file at {path}, which --{name} names")
    flags = {
        name.replace("_", "-"): value
        for name, value in options.items()
        if name not in (*train_flags.PLACES, *FILES) and value is not None
    }
    flags |= {name: f"{CHANNELS}/{name}/{path.name}" for name, path in files.items()}
    return flags | {"checkpoint-dir": CHECKPOINTS, "resume": True}, files


def describe(plan: Plan, stage: Stage, archive: str) -> str:
    """Give the plan as lines to read."""
    kind = "spot capacity" if plan.spot else "on demand"
    lines = [
        f"account      {stage.account}, {stage.region}",
        f"archive      {archive} -> s3://{stage.bucket}/data/",
        f"role         {stage.role_arn}",
        f"image        {plan.image}",
        f"machine      {plan.count} x {plan.instance}, {kind}",
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
    """Say what an hour of a plan's machines costs, by the table of list prices."""
    hour = prices.instance_hour(plan.instance)
    if hour is None:
        return "not in the table of prices; see aws.amazon.com/sagemaker/pricing"
    spot = "; spot capacity is cheaper" if plan.spot else ""
    return f"about ${hour * plan.count:.2f} (an estimate){spot}"


# --- upload ---------------------------------------------------------------------------------------


def upload(cloud: Cloud, path: Path, name: str) -> str:
    """Put a file at data/SHA256/NAME of the stage's bucket, unless it lies there; give its folder's URI."""
    digest, size = sha256_of(path), path.stat().st_size
    folder, key = f"s3://{cloud.stage.bucket}/data/{digest}/", f"data/{digest}/{name}"
    if resources.is_there(cloud, key, digest, size):
        print(f"launch: {name} lies there already: {folder}{name}", flush=True)
        return folder
    with tqdm(total=size, unit="B", unit_scale=True, desc=f"uploading {name}", disable=None) as progress:
        resources.upload(cloud, path, key, digest, progress.update)
    print(f"launch: uploaded {name} ({size:,} bytes) to {folder}{name}", flush=True)
    return folder


# --- the code that is sent ------------------------------------------------------------------------


@contextmanager
def source(
    script: Path = SCRIPT, packages: Sequence[str] = PACKAGES, names: Sequence[str] = LACKING
) -> Iterator[Path]:
    """Yield a folder with a script and our packages that it imports, and nothing else; it is gone afterwards.

    ``names`` are the libraries that they need and the image lacks.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "code"
        folder.mkdir()
        shutil.copy(script, folder)
        sources.copy(folder, *packages)
        (folder / "requirements.txt").write_text("\n".join(requirements(names)) + "\n", encoding="utf-8")
        yield folder


def requirements(names: Sequence[str] = LACKING) -> list[str]:
    """Give the lines of our requirements that the training image does not meet by itself."""
    lines: dict[str, str] = {}
    for name in ("requirements/run.txt", "requirements/train.txt"):
        for line in (sources.ROOT / name).read_text(encoding="utf-8").splitlines():
            wanted = line.split("#")[0].strip()
            lines[re.split(r"[<>=\[ ]", wanted)[0]] = wanted
    return [lines[name] for name in names]


# --- start ----------------------------------------------------------------------------------------


def start(cloud: Cloud, plan: Plan, archive: Path) -> str:
    """Make bucket and role where they are missing, upload, start the job, give its name."""
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role = resources.ensure_role(cloud)
    channels = {"train": upload(cloud, archive, ARCHIVE)}
    channels |= {name: upload(cloud, path, path.name) for name, path in plan.files.items()}
    with source() as folder:
        return submit(cloud, plan, role, channels, folder)


def submit(cloud: Cloud, plan: Plan, role: str, channels: dict[str, str], folder: Path) -> str:
    """Start the job of a plan, with the code of a folder; give its name. Raises CloudError."""
    try:
        trainer = make_trainer(cloud, plan, role, channels, folder)
        trainer.train(wait=False, logs=False)
    except (ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        raise CloudError(
            f"the SageMaker SDK refused the job ({said}); is it the version of requirements/aws.txt?"
        ) from error
    return str(trainer._latest_training_job.training_job_name)


def make_trainer(cloud: Cloud, plan: Plan, role: str, channels: dict[str, str], folder: Path) -> Any:
    """Give the SDK's ModelTrainer of a plan. Raises CloudError when the SDK is missing."""
    # The SDK wants more rights of a role than a job of ours uses, and would refuse it.
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
    # Without a bucket's name the SDK asks STS at an address of its own.
    session = Session(
        cloud.session,
        default_bucket=stage.bucket,
        default_bucket_prefix=plan.under,
        sagemaker_config=QUIET,
    )
    limits = {"max_runtime_in_seconds": plan.run_minutes * 60}
    if plan.spot:
        limits["max_wait_time_in_seconds"] = plan.wait_minutes * 60
    kept = configs.CheckpointConfig(s3_uri=plan.checkpoints, local_path=CHECKPOINTS)
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
            instance_count=plan.count,
            volume_size_in_gb=VOLUME_GB,
            enable_managed_spot_training=plan.spot,
        ),
        stopping_condition=StoppingCondition(**limits),
        hyperparameters=plan.flags,
        input_data_config=[
            configs.InputData(channel_name=name, data_source=uri) for name, uri in channels.items()
        ],
        output_data_config=configs.OutputDataConfig(s3_output_path=f"s3://{stage.bucket}/{plan.under}"),
        checkpoint_config=kept if plan.resumes else None,
        environment=plan.environment,
        tags=[Tag(key=key, value=value) for key, value in stage.tags.items()],
    )
    return trainer.with_metric_definitions(
        [MetricDefinition(name=name, regex=regex) for name, regex in plan.metrics.items()]
    )


# --- the command ----------------------------------------------------------------------------------


def launch(cloud: Cloud, options: argparse.Namespace) -> None:
    """Do what the flags say. Raises CloudError, dataset.DataError, or what botocore raises."""
    if options.stop:
        training_job.stop(cloud, options.stop)
        print(f"launch: told {options.stop} to stop; --attach {options.stop} shows how it ends")
        return
    job = options.attach
    if not job:
        plan = plan_of(options, cloud.stage.region)
        if options.dry_run:
            named = options.archive or os.environ.get("IMDB_ARCHIVE")
            print(describe(plan, cloud.stage, named or str(cache.folder() / ARCHIVE)))
            return
        if options.go_on:
            plan = plan._replace(checkpoints=training_job.checkpoints_of(cloud, options.go_on))
        job = start(cloud, plan, dataset.find_archive(options.archive))
        print(f"launch: started {job}", flush=True)
    if options.no_wait and not options.attach:
        print(f"launch: watch it and bring its network home: {again(options, job)}")
        return
    finish(cloud, options, job)


def finish(cloud: Cloud, options: argparse.Namespace, job: str) -> None:
    """Watch a job to its end and bring its network home. Raises CloudError when it failed."""
    try:
        done = training_job.follow(cloud, job)
    except KeyboardInterrupt:
        raise CloudError(
            f"{job} goes on without being watched; watch on: {again(options, job)}; end it:"
            f" {again(options, job).replace('--attach', '--stop')}"
        ) from None
    brought = training_job.bring_home(cloud, done, options.out)
    print(f"launch: model.tar.gz {brought.archive_sha256}")
    print(f"launch: network.safetensors {brought.network_sha256}")
    print(f"launch: {brought.folder} holds the network {training_job.cost_of(done)}".rstrip())
    print(f"launch: next: python -m training.recipe.export --network {brought.folder}")


def again(options: argparse.Namespace, job: str) -> str:
    """Give the command that watches a job on."""
    region = f" --region {options.region}" if options.region else ""
    return f"python -m training.jobs.train --stage {options.stage}{region} --attach {job}"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read our flags, and leave what follows -- to train.py's parser."""
    given = sys.argv[1:] if arguments is None else arguments
    at = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(
        description="Train on SageMaker.", epilog="What follows -- are train.py's flags: -- --epochs 4"
    )
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    add("--count", type=int, default=1, help="instances; torchrun spreads each batch over them (default 1)")
    add("--continue", dest="go_on", metavar="JOB", help="start from the checkpoint of a job that has ended")
    add_job_flags(parser)
    add("--out", type=Path, help="where the network goes (default: the cache folder's network/)")
    options = parser.parse_args(given[:at])
    options.flags = given[at + 1 :]
    return options


def add_job_flags(parser: argparse.ArgumentParser) -> None:
    """Add what every command says about a training job: its machine, its limits, and whether to watch it."""
    add = parser.add_argument
    add("--instance", default=INSTANCE, help=f"instance type (default {INSTANCE})")
    add("--on-demand", action="store_true", help="no spot capacity: dearer, and never interrupted")
    add("--max-run", type=int, default=RUN_MINUTES, help=f"minutes of training ({RUN_MINUTES})")
    add("--max-wait", type=int, help=f"minutes with waiting for spot (default: --max-run + {SPOT_MINUTES})")
    add("--no-wait", action="store_true", help="start the job and leave it")
    add("--attach", metavar="JOB", help="start nothing: watch this job, bring home what it made")
    add("--stop", metavar="JOB", help="start nothing: end this job")


def main() -> None:
    options = parse()
    with clouds.exit_on_error("launch"):
        try:
            launch(clouds.open_stage(options.stage, options.region), options)
        except dataset.DataError as error:
            raise CloudError(str(error)) from error
        except OSError as error:
            raise CloudError(f"a file can't be read or written ({error}); run this again") from error


if __name__ == "__main__":
    main()
