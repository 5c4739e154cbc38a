"""Fine-tune the model on labelled reviews in a SageMaker training job, and install it here if it is better.

    python -m training.jobs.adapt my.csv                      # sent to the stage's bucket, deleted afterwards
    python -m training.jobs.adapt s3://bucket/prefix/my.csv   # read where it lies, by this job alone
    python -m training.jobs.adapt my.csv --dry-run            # prints what would be done
    python -m training.jobs.adapt --attach JOB                # watches a job on and brings its model home
    python -m training.jobs.adapt --stop JOB                  # ends a job

What comes of it is what `adapt.py --deep` makes on one's own machine: the same card, the same sentence, and
nothing is installed that is not better. It needs requirements/aws.txt, and no torch. A job whose spot
capacity is taken away starts anew, which costs minutes.
"""

import argparse
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from training.adapt import adapt
from training.adapt.exit_status import FINE, REFUSED, run_command
from training.aws import cloud as clouds
from training.aws import policies, prices, resources
from training.aws.cloud import Cloud, CloudError
from training.endpoint import inference
from training.endpoint.model_folder import check_free
from training.files import labelled
from training.files.rows import format_of
from training.jobs import adapt_job, adapt_remote, reviews_s3, train, training_job
from training.jobs.adapt_job import Order
from training.jobs.reviews_s3 import Reviews
from training.jobs.train import Plan
from vocab.files import sha256_of, write_atomic

COMMAND = "adapt-aws"
# What adapt_job.py imports of ours.
PACKAGES = (
    *("training/adapt", "training/data", "training/endpoint", "training/evaluation", "training/files"),
    *("training/recipe", "vocab"),
)
CHANNEL = "reviews"
# What the training image lacks, by the names that requirements/run.txt and requirements/train.txt use.
LACKING = ("nltk", "beautifulsoup4", "tqdm", "safetensors", "onnx", "onnxruntime")
# A warning of some package may quote what it was given.
ENVIRONMENT = {"PYTHONWARNINGS": "ignore"}
# adapt.py's flags that say how the file is read; the format is told, whatever the file is called there.
TOLD = ("column", "label", "group", "positive", "negative", "format", "most")


# --- the plan -----------------------------------------------------------------------------------


def plan_of(options: argparse.Namespace, region: str) -> Plan:
    """Check what can be checked of the machine, and give the plan of a job of its own name.

    Raises CloudError.
    """
    if train.is_gpu(options.instance):
        raise CloudError(f"{options.instance} has GPUs, which --deep has no use for; take {train.INSTANCE}")
    name = f"adapt-{secrets.token_hex(3)}"
    return train.machine_of(options, region)._replace(
        script="adapt_job.py", name=name, environment=ENVIRONMENT, metrics={}, resumes=False
    )


def check_here(options: argparse.Namespace, path: Path) -> None:
    """Read a file of this machine before it is sent anywhere. Raises BatchError or CommandError."""
    reviews_s3.check_name(path.name)
    rows = labelled.read_asked(argparse.Namespace(**vars(options) | {"file": path}), options.most)
    print(f"{COMMAND}: {labelled.told(rows)}", flush=True)
    adapt.check_enough(rows)
    adapt.check_base(inference.model_fn(options.model).card, sha256_of(path))


def describe(plan: Plan, cloud: Cloud, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    """Give the plan as lines to read."""
    stage = cloud.stage
    base = inference.model_fn(options.model).card
    return "\n".join(
        [
            f"account      {stage.account}, {stage.region}",
            f"reviews      {_told_reviews(reviews, options.keep)}",
            f"base         {base['id']} ({base['onnx_sha256']})",
            f"role         {stage.role_arn_of(stage.adapt_role)}",
            f"image        {plan.image}",
            f"machine      1 x {plan.instance}, {'spot capacity' if plan.spot else 'on demand'}",
            f"an hour      {train.price_of(plan)}",
            f"at most      {_told_limit(plan)}",
            f"writes       s3://{stage.bucket}/{folder_of(run_of(cloud, plan))}/, then {out_of(options)}",
        ]
    )


def _told_reviews(reviews: Reviews | Path, keep: bool) -> str:
    if isinstance(reviews, Reviews):
        return f"{reviews.uri} ({reviews.bytes:,} bytes), where it lies"
    after = "kept there, as --keep says" if keep else "deleted once the job has ended"
    return f"{reviews} -> the stage's bucket, {after}"


def _told_limit(plan: Plan) -> str:
    hour = prices.instance_hour(plan.instance)
    cost = "" if hour is None else f", about ${hour * plan.run_minutes / 60:.2f} (an estimate)"
    waiting = f", {plan.wait_minutes} with waiting" if plan.spot else ""
    return f"{plan.run_minutes} minutes of training{waiting}{cost}"


def agreed() -> bool:
    """Ask before anything costs."""
    try:
        return input("Start it? Type yes: ").strip() == "yes"
    except EOFError:
        return False


# --- names --------------------------------------------------------------------------------------


def run_of(cloud: Cloud, plan: Plan) -> str:
    """Give what a job's name starts with; its folder and its rights are called so too."""
    return f"{cloud.stage.prefix}-{plan.name}"


def folder_of(run: str) -> str:
    """Give a job's folder in the stage's bucket: one that the role of other jobs may not read.

    >>> folder_of("verdict-dev-adapt-0a1b2c")
    'adapt/verdict-dev-adapt-0a1b2c'
    """
    return f"adapt/{run}"


def out_of(options: argparse.Namespace, reviews: Reviews | None = None) -> Path:
    """Give the folder of the new model: the one named, or by the file, as adapt.py does."""
    return Path(options.out or f"{(reviews.name if reviews else Path(options.file)).stem}-model")


# --- start --------------------------------------------------------------------------------------


def start(cloud: Cloud, plan: Plan, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    """Send what a job needs, start it and give its name; else leave no review and no right behind.

    Raises CloudError.
    """
    run = run_of(cloud, plan)
    try:
        return _start(cloud, plan, options, reviews)
    except BaseException as error:
        job = _job_of(cloud, run)
        if job:
            raise CloudError(goes_on(options, job)) from error
        tidy(cloud, run, keep=False)
        if isinstance(error, KeyboardInterrupt):
            raise CloudError("interrupted; no job was started") from None
        raise


def _start(cloud: Cloud, plan: Plan, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role, run = resources.ensure_adapt_role(cloud), run_of(cloud, plan)
    folder = folder_of(run)
    if isinstance(reviews, Path):
        reviews = reviews_s3.put(cloud, reviews, f"{folder}/{CHANNEL}")
    rights = policies.of_adaptation(cloud.stage, folder, reviews.bucket, reviews.key, reviews.kms_key)
    resources.grant(cloud, cloud.stage.adapt_role, run, rights)
    with source(options, reviews) as code:
        return train.submit(cloud, plan._replace(under=folder), role, {CHANNEL: reviews.uri}, code)


@contextmanager
def source(options: argparse.Namespace, reviews: Reviews) -> Iterator[Path]:
    """Give a folder with the code, the base and what is asked for; it is gone afterwards."""
    with train.source(Path(adapt_job.__file__), PACKAGES, LACKING) as folder:
        base = folder / adapt_job.BASE
        base.mkdir()
        hashes = adapt_job.hashes_of(options.model)
        for name in hashes:
            shutil.copy(options.model / name, base)
        order = Order(flags_of(options, reviews.name), hashes)
        write_atomic(folder / adapt_job.ORDER, order.to_bytes())
        yield folder


def flags_of(options: argparse.Namespace, name: Path) -> list[str]:
    """Give adapt.py's flags that say the same as ours."""
    given = vars(options) | {"format": format_of(name, options.format)}
    return [f"--{flag}={given[flag]}" for flag in TOLD if given[flag] is not None]


def tidy(cloud: Cloud, run: str, keep: bool) -> None:
    """Take away the reviews that were sent for a job, unless ``keep``, and its rights; say what can't be."""
    try:
        if not keep and reviews_s3.delete(cloud, f"{folder_of(run)}/{CHANNEL}"):
            print(f"{COMMAND}: the reviews that were sent are deleted", flush=True)
        resources.revoke(cloud, cloud.stage.adapt_role, run)
    except (CloudError, BotoCoreError, ClientError) as error:
        said = clouds.sentence_of(error)
        print(f"{COMMAND}: what {run} was given is not all taken away ({said})", file=sys.stderr)


def _job_of(cloud: Cloud, run: str) -> str | None:
    """Give the name of the job that was started under a name, if AWS shows one."""
    try:
        found = cloud.client("sagemaker").list_training_jobs(NameContains=run)["TrainingJobSummaries"]
    except (BotoCoreError, ClientError):
        return None
    return str(found[0]["TrainingJobName"]) if found else None


# --- the end ------------------------------------------------------------------------------------


def finish(cloud: Cloud, options: argparse.Namespace, job: str) -> int:
    """Watch a job to its end, bring its model home, install it if it is better; give the exit status.

    Raises CloudError when it failed or its model is not ours, CommandError when it refused the reviews.
    """
    described = training_job.describe(cloud, job)
    run, reviews = _check_ours(cloud, described), _reviews_of(described)
    out = out_of(options, reviews)
    check_free(out, adapt.KIND, options.model)
    done = _followed(cloud, options, job, run)
    digest = reviews_s3.digest_of(cloud, reviews) if reviews.bucket == cloud.stage.bucket else None
    tidy(cloud, run, options.keep)
    came = adapt_remote.bring_home(cloud, done, inference.model_fn(options.model).card, digest)
    print(f"{COMMAND}: model.tar.gz {came.archive_sha256}")
    print(f"{COMMAND}: model.onnx {came.card['onnx_sha256']} {training_job.cost_of(done)}".rstrip())
    adapt.print_summary(came.card)
    check_free(out, adapt.KIND, options.model)  # somebody may have put something there meanwhile
    return adapt.install_if_better(came.network, came.card, out, options.force)


def _followed(cloud: Cloud, options: argparse.Namespace, job: str, run: str) -> dict[str, Any]:
    """Watch a job to its end. Raises CloudError, which says when the job may still run."""
    try:
        return training_job.follow(cloud, job, command=COMMAND, further="")
    except KeyboardInterrupt:
        raise CloudError(goes_on(options, job)) from None
    except (BotoCoreError, ClientError) as error:
        raise CloudError(f"{clouds.sentence_of(error)}; {goes_on(options, job)}") from error
    except CloudError:  # it has ended
        tidy(cloud, run, options.keep)
        raise


def _check_ours(cloud: Cloud, job: dict[str, Any]) -> str:
    """Give a job's run. Raises CloudError when it is not one of this stage's adaptations."""
    name, stage = str(job["TrainingJobName"]), cloud.stage
    found = re.fullmatch(rf"({re.escape(stage.prefix)}-adapt-[0-9a-f]{{6}})-\d+", name)
    tags = cloud.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    if not found or not stage.owns(clouds.tag_map(tags)):
        raise CloudError(f"{name} is no adaptation of stage {stage.name}; `make status` lists what runs")
    return found[1]


def _reviews_of(job: dict[str, Any]) -> Reviews:
    """Give where a job read its reviews; how large they were is not known any more."""
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"] for one in job["InputDataConfig"]}
    bucket, _, key = channels[CHANNEL]["S3Uri"].removeprefix("s3://").partition("/")
    return Reviews(bucket, key, 0)


def stop(cloud: Cloud, options: argparse.Namespace) -> None:
    """End a job and take away what was sent for it. Raises CloudError."""
    run = _check_ours(cloud, training_job.describe(cloud, options.stop))
    training_job.stop(cloud, options.stop)
    tidy(cloud, run, options.keep)
    print(f"{COMMAND}: told {options.stop} to stop; `make status` shows whether it still runs")


def goes_on(options: argparse.Namespace, job: str) -> str:
    """Say that a job runs on, and how it is watched and ended."""
    watch = again(options, job)
    end = watch.replace("--attach", "--stop")
    return f"{job} goes on, unwatched, and costs; watch on: {watch}; end it: {end}"


def again(options: argparse.Namespace, job: str) -> str:
    """Give the command that watches a job on, with the flags that still count."""
    told = {"stage": options.stage, "region": options.region, "out": options.out}
    if options.model != inference.MODEL_FOLDER:
        told["model"] = options.model
    flags = [f"--{name} {shlex.quote(str(value))}" for name, value in told.items() if value]
    flags += [f"--{name}" for name in ("force", "keep") if getattr(options, name)]
    return " ".join(["python -m training.jobs.adapt", *flags, f"--attach {job}"])


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Do what the flags say, and give the exit status. Raises CloudError, or what adapt.py raises."""
    cloud = clouds.open_stage(options.stage, options.region)
    if options.stop:
        stop(cloud, options)
        return FINE
    if options.attach:
        return finish(cloud, options, options.attach)
    plan = plan_of(options, cloud.stage.region)
    reviews = _looked_at(cloud, options)
    print(describe(plan, cloud, options, reviews), flush=True)
    if options.dry_run:
        return FINE
    if not (options.yes or agreed()):
        print(f"{COMMAND}: nothing was started; --yes starts it unasked", file=sys.stderr)
        return REFUSED
    job = start(cloud, plan, options, reviews)
    print(f"{COMMAND}: started {job}", flush=True)
    if options.no_wait:
        print(f"{COMMAND}: watch it and bring its model home: {again(options, job)}")
        return FINE
    return finish(cloud, options, job)


def _looked_at(cloud: Cloud, options: argparse.Namespace) -> Reviews | Path:
    """Check all that can be checked before it costs, and give the reviews. Raises what ``run`` does."""
    if not reviews_s3.is_place(options.file):
        check_free(out_of(options), adapt.KIND, options.model)
        check_here(options, Path(options.file))
        return Path(options.file)
    reviews = reviews_s3.find(cloud, options.file)
    format_of(reviews.name, options.format)
    options.file = reviews.uri
    check_free(out_of(options), adapt.KIND, options.model)
    return reviews


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fine-tune the model on your labelled reviews on SageMaker.")
    add = parser.add_argument
    add("file", nargs="?", help=f"{labelled.FILE_HELP}; here, or like {reviews_s3.EXAMPLE}")
    labelled.add_columns(parser)
    clouds.add_flags(parser)
    train.add_job_flags(parser)
    add("--out", type=Path, help="folder of the new model (default: by the file, my-model)")
    add("--model", type=Path, default=inference.MODEL_FOLDER, help="model to start from")
    most = adapt.MAX_REVIEWS
    add("--most", type=int, default=most, help=f"draw so many of more rows (default {most:,})")
    add("--force", action="store_true", help="write the model even when it is not better")
    add("--keep", action="store_true", help="leave the reviews that were sent in the stage's bucket")
    add("--yes", action="store_true", help="don't ask")
    parser.set_defaults(count=1)
    options = parser.parse_args(arguments)
    labelled.check_flags(parser, options)
    if not (options.file or options.attach or options.stop):
        parser.error("name a file of labelled reviews, or a job with --attach or --stop")
    if options.most < adapt.MIN_REVIEWS:
        parser.error(f"--most must be {adapt.MIN_REVIEWS} or more")
    return options


def main() -> None:
    options = parse()
    with clouds.exit_on_error(COMMAND):
        sys.exit(run_command(COMMAND, lambda: run(options)))


if __name__ == "__main__":
    main()
