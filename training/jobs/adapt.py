"""Fine-tune the model on labelled reviews in a SageMaker training job, and install it here if it is better.

    python -m training.jobs.adapt my.csv                      # uploads the file, deletes it afterwards
    python -m training.jobs.adapt s3://bucket/prefix/my.csv   # lets this job alone read the file in place
    python -m training.jobs.adapt my.csv --dry-run            # prints the plan
    python -m training.jobs.adapt --attach JOB                # watches a job again and downloads its model
    python -m training.jobs.adapt --stop JOB                  # stops a job

The result is that of `adapt.py --deep` on one's own machine, with the same card and sentence. A model that is
not better is not installed. It needs requirements/aws.txt, and no torch. A job that loses its spot capacity
starts again, which costs minutes.
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
from training.adapt.exit_status import run_command
from training.aws import cloud as clouds
from training.aws import policies, prices, resources
from training.aws.cloud import Cloud, CloudError
from training.endpoint import inference
from training.endpoint.model_folder import check_free
from training.files import labelled
from training.files.rows import format_of
from training.jobs import adapt_job, adapt_result, reviews_s3, train, training_job
from training.jobs.adapt_job import Order
from training.jobs.reviews_s3 import Reviews
from training.jobs.train import Plan
from vocab.exit_status import FINE, NO
from vocab.files import sha256_of, write_atomic

COMMAND = "adapt-aws"
# The packages of ours that adapt_job.py imports.
PACKAGES = (
    *("training/adapt", "training/data", "training/endpoint", "training/evaluation", "training/files"),
    *("training/recipe", "vocab"),
)
CHANNEL = "reviews"
# Libraries that the training image lacks, as named in requirements/run.txt and requirements/train.txt.
MISSING_LIBRARIES = ("nltk", "beautifulsoup4", "tqdm", "safetensors", "onnx", "onnxruntime")
# A library's warning may quote a review.
ENVIRONMENT = {"PYTHONWARNINGS": "ignore"}
# adapt.py's flags for reading the file; the format is always passed, as the file's name may not show it.
READING_FLAGS = ("column", "label", "group", "positive", "negative", "format", "most")


# --- the plan -----------------------------------------------------------------------------------


def plan_of(options: argparse.Namespace, region: str) -> Plan:
    """Return the plan of a job with a name of its own; check the machine. Raises CloudError."""
    if train.is_gpu(options.instance):
        raise CloudError(f"{options.instance} has GPUs, and --deep does not use them; take {train.INSTANCE}")
    name = f"adapt-{secrets.token_hex(3)}"
    return train.plan_machine(options, region)._replace(
        script="adapt_job.py", name=name, environment=ENVIRONMENT, metrics={}, resumes=False
    )


def check_here(options: argparse.Namespace, path: Path) -> None:
    """Check a file on this machine before it is uploaded. Raises BatchError or CommandError."""
    reviews_s3.check_name(path.name)
    rows = labelled.read_options(argparse.Namespace(**vars(options) | {"file": path}), options.most)
    print(f"{COMMAND}: {labelled.describe(rows)}", flush=True)
    adapt.check_enough(rows)
    adapt.check_base(inference.model_fn(options.model).card, sha256_of(path))


def describe(plan: Plan, cloud: Cloud, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    """Return the plan as lines to print."""
    stage = cloud.stage
    base = inference.model_fn(options.model).card
    return "\n".join(
        [
            f"account      {stage.account}, {stage.region}",
            f"reviews      {_reviews_line(reviews, options.keep)}",
            f"base         {base['id']} ({base['onnx_sha256']})",
            f"role         {stage.role_arn_of(stage.adapt_role)}",
            f"image        {plan.image}",
            f"machine      1 x {plan.instance}, {'spot capacity' if plan.spot else 'on demand'}",
            f"an hour      {train.price_of(plan)}",
            f"at most      {_limit_line(plan)}",
            f"writes       s3://{stage.bucket}/{folder_of(run_of(cloud, plan))}/, then {out_of(options)}",
        ]
    )


def _reviews_line(reviews: Reviews | Path, keep: bool) -> str:
    if isinstance(reviews, Reviews):
        return f"{reviews.uri} ({reviews.bytes:,} bytes), read in place"
    after = "kept there by --keep" if keep else "deleted once the job has ended"
    return f"{reviews} -> the stage's bucket, {after}"


def _limit_line(plan: Plan) -> str:
    hour = prices.instance_hour(plan.instance)
    cost = "" if hour is None else f", about ${hour * plan.run_minutes / 60:.2f} (an estimate)"
    waiting = f", {plan.wait_minutes} with waiting" if plan.spot else ""
    return f"{plan.run_minutes} minutes of training{waiting}{cost}"


def confirmed() -> bool:
    """Return whether the user agrees to the costs."""
    try:
        return input("Start it? Type yes: ").strip() == "yes"
    except EOFError:
        return False


# --- names --------------------------------------------------------------------------------------


def run_of(cloud: Cloud, plan: Plan) -> str:
    """Return the start of a job's name; its folder and its policy have this name too."""
    return f"{cloud.stage.prefix}-{plan.name}"


def folder_of(run: str) -> str:
    """Return a job's folder in the stage's bucket; the role of other jobs may not read it.

    >>> folder_of("verdict-dev-adapt-0a1b2c")
    'adapt/verdict-dev-adapt-0a1b2c'
    """
    return f"adapt/{run}"


def out_of(options: argparse.Namespace, reviews: Reviews | None = None) -> Path:
    """Return the folder of the new model: --out, or a name made from the file's, as adapt.py does."""
    return Path(options.out or f"{(reviews.name if reviews else Path(options.file)).stem}-model")


# --- start --------------------------------------------------------------------------------------


def start(cloud: Cloud, plan: Plan, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    """Upload, start a job and return its name; on an error, leave no review and no policy behind.

    Raises CloudError.
    """
    run = run_of(cloud, plan)
    try:
        return _start(cloud, plan, options, reviews)
    except BaseException as error:
        job = _job_of(cloud, run)
        if job:
            raise CloudError(still_runs(options, job)) from error
        clean_up(cloud, run, keep=False)
        if isinstance(error, KeyboardInterrupt):
            raise CloudError("interrupted; no job was started") from None
        raise


def _start(cloud: Cloud, plan: Plan, options: argparse.Namespace, reviews: Reviews | Path) -> str:
    resources.ensure_bucket(cloud, cloud.stage.bucket)
    role, run = resources.ensure_adapt_role(cloud), run_of(cloud, plan)
    folder = folder_of(run)
    if isinstance(reviews, Path):
        reviews = reviews_s3.put(cloud, reviews, f"{folder}/{CHANNEL}")
    policy = policies.of_adaptation(cloud.stage, folder, reviews.bucket, reviews.key, reviews.kms_key)
    resources.grant(cloud, cloud.stage.adapt_role, run, policy)
    with source(options, reviews) as code:
        return train.submit(cloud, plan._replace(prefix=folder), role, {CHANNEL: reviews.uri}, code)


@contextmanager
def source(options: argparse.Namespace, reviews: Reviews) -> Iterator[Path]:
    """Yield a temporary folder with the code, the base and the order."""
    with train.source(Path(adapt_job.__file__), PACKAGES, MISSING_LIBRARIES) as folder:
        base = folder / adapt_job.BASE
        base.mkdir()
        hashes = adapt_job.hashes_of(options.model)
        for name in hashes:
            shutil.copy(options.model / name, base)
        order = Order(flags_of(options, reviews.name), hashes)
        write_atomic(folder / adapt_job.ORDER, order.to_bytes())
        yield folder


def flags_of(options: argparse.Namespace, name: Path) -> list[str]:
    """Return adapt.py's flags for reading the file, as in ours."""
    values = vars(options) | {"format": format_of(name, options.format)}
    return [f"--{flag}={values[flag]}" for flag in READING_FLAGS if values[flag] is not None]


def clean_up(cloud: Cloud, run: str, keep: bool) -> None:
    """Delete a job's uploaded reviews, unless ``keep``, and its policy; report a failure on stderr."""
    try:
        if not keep and reviews_s3.delete(cloud, f"{folder_of(run)}/{CHANNEL}"):
            print(f"{COMMAND}: the uploaded reviews are deleted", flush=True)
        resources.revoke(cloud, cloud.stage.adapt_role, run)
    except (CloudError, BotoCoreError, ClientError) as error:
        reason = clouds.sentence_of(error)
        print(f"{COMMAND}: not all reviews and policies of {run} are deleted ({reason})", file=sys.stderr)


def _job_of(cloud: Cloud, run: str) -> str | None:
    """Return the full name of a run's job, or None when AWS shows none."""
    try:
        jobs = cloud.client("sagemaker").list_training_jobs(NameContains=run)["TrainingJobSummaries"]
    except (BotoCoreError, ClientError):
        return None
    return str(jobs[0]["TrainingJobName"]) if jobs else None


# --- the end ------------------------------------------------------------------------------------


def finish(cloud: Cloud, options: argparse.Namespace, job: str) -> int:
    """Watch a job to its end, download its model, install it if it is better; return the exit status.

    Raises CloudError when the job failed or its model is not ours, CommandError when it refused the reviews.
    """
    described = training_job.describe(cloud, job)
    run, reviews = _run_of_job(cloud, described), _reviews_of(described)
    out = out_of(options, reviews)
    check_free(out, adapt.KIND, options.model, force=options.force)
    done = _follow(cloud, options, job, run)
    digest = reviews_s3.digest_of(cloud, reviews) if reviews.bucket == cloud.stage.bucket else None
    clean_up(cloud, run, options.keep)
    result = adapt_result.download_model(cloud, done, inference.model_fn(options.model).card, digest)
    print(f"{COMMAND}: model.tar.gz {result.archive_sha256}")
    print(f"{COMMAND}: model.onnx {result.card['onnx_sha256']} {training_job.cost_of(done)}".rstrip())
    adapt.print_summary(result.card)
    check_free(out, adapt.KIND, options.model, force=options.force)  # it may have changed meanwhile
    return adapt.install_if_better(result.network, result.card, out, options.force)


def _follow(cloud: Cloud, options: argparse.Namespace, job: str, run: str) -> dict[str, Any]:
    """Watch a job to its end. Raises CloudError, also for a job that may still run."""
    try:
        return training_job.follow(cloud, job, command=COMMAND, advice="")
    except KeyboardInterrupt:
        raise CloudError(still_runs(options, job)) from None
    except (BotoCoreError, ClientError) as error:
        raise CloudError(f"{clouds.sentence_of(error)}; {still_runs(options, job)}") from error
    except CloudError:  # it has ended
        clean_up(cloud, run, options.keep)
        raise


def _run_of_job(cloud: Cloud, job: dict[str, Any]) -> str:
    """Return the run of a job. Raises CloudError for a job that is no adaptation of this stage."""
    name, stage = str(job["TrainingJobName"]), cloud.stage
    match = re.fullmatch(rf"({re.escape(stage.prefix)}-adapt-[0-9a-f]{{6}})-\d+", name)
    tags = cloud.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    if not match or not stage.owns(clouds.tag_map(tags)):
        raise CloudError(f"{name} is no adaptation of stage {stage.name}; `make status` lists what runs")
    return match[1]


def _reviews_of(job: dict[str, Any]) -> Reviews:
    """Return the reviews of a job, without their size."""
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"] for channel in job["InputDataConfig"]
    }
    bucket, _, key = channels[CHANNEL]["S3Uri"].removeprefix("s3://").partition("/")
    return Reviews(bucket, key, 0)


def stop(cloud: Cloud, options: argparse.Namespace) -> None:
    """Stop a job and delete its uploaded reviews. Raises CloudError."""
    run = _run_of_job(cloud, training_job.describe(cloud, options.stop))
    training_job.stop(cloud, options.stop)
    clean_up(cloud, run, options.keep)
    print(f"{COMMAND}: {options.stop} is stopping; `make status` shows whether it still runs")


def still_runs(options: argparse.Namespace, job: str) -> str:
    """Return a sentence on a job that still runs: how to watch it, and how to stop it."""
    watch = watch_command(options, job)
    end = watch.replace("--attach", "--stop")
    return f"{job} still runs and costs; watch it again: {watch}; stop it: {end}"


def watch_command(options: argparse.Namespace, job: str) -> str:
    """Return the command that watches a job again, with the flags that still matter."""
    values = {"stage": options.stage, "region": options.region, "out": options.out}
    if options.model != inference.MODEL_FOLDER:
        values["model"] = options.model
    flags = [f"--{name} {shlex.quote(str(value))}" for name, value in values.items() if value]
    flags += [f"--{name}" for name in ("force", "keep") if getattr(options, name)]
    return " ".join(["python -m training.jobs.adapt", *flags, f"--attach {job}"])


# --- the command --------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status. Raises CloudError, or what adapt.py raises."""
    cloud = clouds.open_stage(options.stage, options.region)
    if options.stop:
        stop(cloud, options)
        return FINE
    if options.attach:
        return finish(cloud, options, options.attach)
    plan = plan_of(options, cloud.stage.region)
    reviews = _checked_reviews(cloud, options)
    print(describe(plan, cloud, options, reviews), flush=True)
    if options.dry_run:
        return FINE
    if not (options.yes or confirmed()):
        print(f"{COMMAND}: nothing was started; --yes starts it without asking", file=sys.stderr)
        return NO
    job = start(cloud, plan, options, reviews)
    print(f"{COMMAND}: started {job}", flush=True)
    if options.no_wait:
        print(f"{COMMAND}: watch it and download its model: {watch_command(options, job)}")
        return FINE
    return finish(cloud, options, job)


def _checked_reviews(cloud: Cloud, options: argparse.Namespace) -> Reviews | Path:
    """Check all that can be checked before a start; return the reviews. Raises what ``run`` raises."""
    if not reviews_s3.is_s3_address(options.file):
        check_free(out_of(options), adapt.KIND, options.model, force=options.force)
        check_here(options, Path(options.file))
        return Path(options.file)
    reviews = reviews_s3.find(cloud, options.file)
    format_of(reviews.name, options.format)
    options.file = reviews.uri
    check_free(out_of(options), adapt.KIND, options.model, force=options.force)
    return reviews


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fine-tune the model on your labelled reviews on SageMaker.")
    add = parser.add_argument
    add("file", nargs="?", help=f"{labelled.FILE_HELP}; here, or like {reviews_s3.EXAMPLE}")
    labelled.add_columns(parser)
    clouds.add_flags(parser)
    train.add_job_flags(parser)
    add("--out", type=Path, help="folder of the new model (default: after the file, as in my-model)")
    add("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder to start from")
    most = adapt.MAX_REVIEWS
    add("--most", type=int, default=most, help=f"rows to draw from a longer file (default {most:,})")
    add("--force", action="store_true", help="write the model even if it is not better, and replace --out")
    add("--keep", action="store_true", help="keep the uploaded reviews in the stage's bucket")
    add("--yes", action="store_true", help="start without asking")
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
