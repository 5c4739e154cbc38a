"""Train on SageMaker: refusals before a start, a complete job, a real run, and its network."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import boto3
import pytest
from safetensors.numpy import load_file

from tests.support import training_job as executor
from tests.support.archive import line_members, write_archive
from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.distributions import canonical_name, closure
from tests.support.missing import skip_or_fail
from training.aws import resources
from training.aws.cloud import Cloud, CloudError, Stage
from training.data import corpus as corpora
from training.data import dataset
from training.jobs import train, training_job
from training.recipe import train_flags
from vocab import vocabulary
from vocab.files import sha256_of

ROOT = Path(__file__).resolve().parents[3]
STAGE = Stage("dev", ACCOUNT, REGION)
BUCKET = STAGE.bucket


def options_of(*given: str) -> argparse.Namespace:
    return train.parse(list(given))


def plan_of(*given: str) -> train.Plan:
    return train.plan_of(options_of(*given), REGION)


# --- refusals before a start -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--instance", "m5.xlarge"], "an instance type looks like ml.m5.xlarge, got 'm5.xlarge'"),
        (["--instance", "ml.m7g.xlarge"], "run on x86-64, with or without NVIDIA GPUs, not on ml.m7g.xlarge"),
        (["--instance", "ml.g5g.xlarge"], "not on ml.g5g.xlarge"),
        (["--instance", "ml.trn1.2xlarge"], "not on ml.trn1.2xlarge"),
        (["--count", "0"], "a job takes 1 instance or more, got --count 0"),
        (["--max-run", "0"], "a job runs for a minute or more, got --max-run 0"),
        (["--max-wait", "60"], "--max-wait 60 includes --max-run 120, so it can't be less"),
        (["--", "--model-dir", "x"], "--model-dir is set by the job itself; leave it out"),
        (["--", "--checkpoint-dir=x"], "--checkpoint-dir is set by the job itself"),
        (["--", "--soft-targets", "/no/such.npz"], "no file at /no/such.npz, which --soft-targets names"),
    ],
)
def test_what_no_job_can_have_is_refused_in_a_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(CloudError, match=re.escape(sentence)):
        plan_of(*given)


def test_a_flag_that_train_py_lacks_is_refused_by_its_own_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        plan_of("--", "--epochz", "4")
    assert "unrecognized arguments: --epochz 4" in capsys.readouterr().err


def test_a_region_without_images_is_refused() -> None:
    with pytest.raises(CloudError, match="AWS has no training image in region mars-1"):
        train.plan_of(options_of(), "mars-1")


# --- the plan -------------------------------------------------------------------------------------


def test_the_job_gets_every_flag_of_train_py_with_its_value() -> None:
    flags = plan_of("--", "--epochs", "7", "--lr", "0.003").flags
    given = [part for name, value in flags.items() for part in (f"--{name}", json.dumps(value).strip('"'))]
    ours, theirs = train_flags.parse(given), train_flags.parse(["--epochs", "7", "--lr", "0.003"])
    differ = {name for name, value in vars(ours).items() if value != vars(theirs)[name]}
    assert differ == {"checkpoint_dir", "resume"}
    assert (ours.checkpoint_dir, ours.resume) == ("/opt/ml/checkpoints", True)


def test_a_file_that_a_flag_names_travels_in_a_channel(tmp_path: Path) -> None:
    file = tmp_path / "soft_targets.npz"
    file.write_bytes(b"targets")
    plan = plan_of("--", "--soft-targets", str(file))
    assert plan.files == {"soft_targets": file}
    assert plan.flags["soft-targets"] == "/opt/ml/input/data/soft_targets/soft_targets.npz"


@pytest.mark.parametrize(
    ("given", "distributed", "image"),
    [
        ([], False, "-cpu-"),
        (["--count", "2"], True, "-cpu-"),
        (["--instance", "ml.g5.xlarge"], True, "-gpu-"),
        (["--instance", "ml.m5.2xlarge"], False, "-cpu-"),
    ],
)
def test_torchrun_starts_several_hosts_and_gpus(given: list[str], distributed: bool, image: str) -> None:
    plan = plan_of(*given)
    assert plan.distributed is distributed
    assert image in plan.image and REGION in plan.image


def test_on_demand_waits_for_no_spot_capacity() -> None:
    assert plan_of().spot and not plan_of("--on-demand").spot


def test_the_plan_names_all_that_would_be_done() -> None:
    printed = train.describe(plan_of("--count", "2", "--", "--epochs", "3"), STAGE, "/data/imdb.tar.gz")
    for part in (
        ACCOUNT,
        BUCKET,
        STAGE.role_arn,
        "2 x ml.m5.xlarge, spot",
        "--epochs 3",
        "torchrun train.py",
    ):
        assert part in printed


def test_metrics_are_read_from_the_lines_that_train_py_prints() -> None:
    """The lines are those of train._Run._choose; test_train.py holds their form."""
    line = "epoch 3 average train_loss=0.1234 development_nll=0.2345 development_accuracy=0.9123"
    found = {name: re.search(regex, line) for name, regex in train.METRICS.items()}
    assert {name: match[1] for name, match in found.items() if match} == {
        "train_loss": "0.1234",
        "development_nll": "0.2345",
        "development_accuracy": "0.9123",
    }
    assert not any(re.search(regex, line.replace("average", "last")) for regex in train.METRICS.values())


# --- the code that is sent ------------------------------------------------------------------------


def test_the_code_that_is_sent_is_whole_and_holds_no_link_cache_or_model() -> None:
    with train.source() as folder:
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert {
        "train.py",
        "vocab/vocabulary.pkl",
        "training/recipe/lessons/frames.jsonl",
        "requirements.txt",
    } <= files.keys()
    assert not [name for name in files if name.endswith((".npz", ".onnx", ".pyc"))]
    packages = {name.rpartition("/")[0] for name in files if name.endswith(".py")}
    ours = {"training", *(f"training/{name}" for name in ("data", "endpoint", "recipe"))}
    assert packages == {"", *ours, "vocab", "vocab/messages"}


def test_the_code_that_is_sent_runs_from_its_own_folder(tmp_path: Path) -> None:
    with train.source() as folder:
        done = subprocess.run(
            [sys.executable, "train.py", "--help"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0 and "--checkpoint-dir" in done.stdout, done.stderr


HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"no {name} here", name=name)

HIDDEN = set(sys.argv[1:])
sys.meta_path.insert(0, Hidden())
import gensim.models
import training.recipe.train
"""


def test_train_py_runs_with_torch_and_the_requirements_that_are_sent() -> None:
    """All other packages of this environment are hidden from it."""
    names = [re.split(r"[<>=]", line)[0] for line in train.requirements()]
    there = closure([*names, "torch", "numpy"])
    homes = packages_distributions()
    hidden = {
        name for name, owners in homes.items() if not there & {canonical_name(owner) for owner in owners}
    }
    assert {"boto3", "onnxruntime", "sklearn"} <= hidden
    with train.source() as folder:
        done = subprocess.run(
            [sys.executable, "-c", HIDE, *sorted(hidden)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr


def test_a_missing_sdk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sagemaker.core.helper.session_helper", None)
    monkeypatch.setitem(sys.modules, "sagemaker", None)
    with pytest.raises(CloudError, match="SageMaker SDK is not installed .* requirements/aws.txt"):
        train.make_trainer(Cloud(STAGE, None), plan_of(), "role", {}, tmp_path)


def test_what_the_sdk_refuses_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise ValueError("1 validation error\n  for Compute")

    monkeypatch.setattr(train, "make_trainer", refuse)
    monkeypatch.setattr(train, "upload", lambda *given: "s3://b/data/")
    for name in ("ensure_bucket", "ensure_role"):
        monkeypatch.setattr(resources, name, lambda *given: "role")
    with pytest.raises(CloudError, match=r"SDK refused the job \(1 validation error for Compute\)"):
        train.start(Cloud(STAGE, None), plan_of(), tmp_path)


def test_starting_a_job_needs_no_torch() -> None:
    code = (
        "import sys; from training.jobs import train; train.read_flags([]); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120)
    assert done.returncode == 0


def test_stopping_to_watch_leaves_the_job_and_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_job, "follow", interrupted)
    command = "python -m training.jobs.train --stage test --region eu-west-1"
    with pytest.raises(CloudError) as error:
        train.finish(Cloud(STAGE, None), options_of("--stage", "test", "--region", "eu-west-1"), "JOB")
    assert f"watch it again: {command} --attach JOB; stop it: {command} --stop JOB" in str(error.value)


# --- on a simulated AWS ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 100,000 reviews of a line each."""
    return write_archive(tmp_path_factory.mktemp("whole") / "imdb.tar.gz", line_members())


@pytest.fixture
def cloud(aws: AwsServer) -> Cloud:
    return Cloud(STAGE, boto3.session.Session())


def run(aws: AwsServer, *given: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command against the simulated AWS."""
    return subprocess.run(
        [sys.executable, "-m", "training.jobs.train", *given],
        env=aws.process_env() | more,
        capture_output=True,
        text=True,
        timeout=300,
    )


def started(done: subprocess.CompletedProcess[str]) -> str:
    """Return the name of the job that a command started."""
    assert done.returncode == 0, done.stderr + done.stdout
    return re.findall(r"started (verdict-dev-train-\d{14})\n", done.stdout)[0]


def keys(cloud: Cloud) -> list[str]:
    found = cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [one["Key"] for one in found]


def test_a_dry_run_says_the_plan_and_touches_nothing(aws: AwsServer, cloud: Cloud) -> None:
    done = run(aws, "--dry-run", "--", "--epochs", "3")
    assert done.returncode == 0, done.stderr
    assert "--epochs 3" in done.stdout and f"s3://{BUCKET}" in done.stdout
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_without_credentials_it_says_so_in_a_sentence(aws: AwsServer) -> None:
    without = {name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    done = run(aws, "--dry-run", **without)
    assert done.returncode == 1
    assert (
        done.stderr.startswith("train-aws: no AWS credentials were found") and "Traceback" not in done.stderr
    )


def test_a_job_that_is_not_there_is_said_in_a_sentence(aws: AwsServer) -> None:
    done = run(aws, "--attach", "verdict-dev-train-20000101000000")
    assert done.returncode == 1
    assert done.stderr.startswith("train-aws: no training job verdict-dev-train-20000101000000 in eu-west-1")


def test_half_an_upload_is_made_whole_and_a_whole_one_is_left(cloud: Cloud, tmp_path: Path) -> None:
    s3, file = cloud.client("s3"), tmp_path / "a.bin"
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    file.write_bytes(b"0123456789")
    key = f"data/{sha256_of(file)}/a.bin"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"01234")
    train.upload(cloud, file, "a.bin")
    found = s3.get_object(Bucket=BUCKET, Key=key)
    assert found["Body"].read() == b"0123456789"
    train.upload(cloud, file, "a.bin")
    assert s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] == found["LastModified"]


@pytest.mark.slow
def test_a_job_is_started_run_for_real_brought_home_and_started_again(
    aws: AwsServer, cloud: Cloud, whole_archive: Path, cache: Path, tmp_path: Path
) -> None:
    job_flags = ("--no-wait", "--archive", str(whole_archive))
    flags = ("--", "--dry-run", "--seed", "3", "--lessons", "20", "--embedding", "16", "--hidden", "16")
    first = run(aws, *job_flags, *flags)
    name = started(first)
    check_job(cloud, name, spot=True, count=1)
    ended = executor.execute(cloud.session, name, tmp_path / "first")
    assert ended.status == 0, ended.outputs[0][-3000:] + ended.failure
    check_home(run(aws, "--attach", name), cloud, name, cache / "dry-run")

    second = run(aws, *job_flags, "--on-demand", "--count", "2", *flags)
    assert "imdb.tar.gz" not in second.stdout and "aclImdb_v1.tar.gz is there already" in second.stdout
    other = started(second)
    check_job(cloud, other, spot=False, count=2)
    copy_cache(cloud, name, other)
    ended = executor.execute(cloud.session, other, tmp_path / "second")
    assert ended.status == 0, "\n".join(output[-3000:] for output in ended.outputs) + ended.failure
    assert "--nnodes=2" in ended.outputs[1] and "--node_rank=1" in ended.outputs[1]
    shutil.rmtree(cache)
    check_home(run(aws, "--attach", other), cloud, other, cache / "dry-run")


def check_job(cloud: Cloud, name: str, spot: bool, count: int) -> None:
    """Check a job on SageMaker against its flags."""
    job = cloud.client("sagemaker").describe_training_job(TrainingJobName=name)
    tags = cloud.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert STAGE.owns({tag["Key"]: tag["Value"] for tag in tags})
    assert job["RoleArn"] == STAGE.role_arn
    assert job["ResourceConfig"]["InstanceCount"] == count
    assert job["EnableManagedSpotTraining"] is spot
    assert job["StoppingCondition"].get("MaxWaitTimeInSeconds") == (14_400 if spot else None)
    assert job["StoppingCondition"]["MaxRuntimeInSeconds"] == 7_200
    assert job["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert job["CheckpointConfig"]["S3Uri"].startswith(f"s3://{BUCKET}/training/")
    assert job["Environment"] == {"VERDICT_CACHE": "/opt/ml/checkpoints/cache"}
    metrics = job["AlgorithmSpecification"]["MetricDefinitions"]
    assert {metric["Name"]: metric["Regex"] for metric in metrics} == train.METRICS
    # The role may read and write these folders alone.
    assert {key.split("/")[0] for key in keys(cloud)} <= {"data", "training"}


def check_home(done: subprocess.CompletedProcess[str], cloud: Cloud, name: str, folder: Path) -> None:
    """Check a downloaded network against the job's."""
    assert done.returncode == 0, done.stderr + done.stdout
    assert "epoch 1 average train_loss=" in done.stdout  # the job's log
    network = folder / "network.safetensors"
    assert f"network.safetensors {sha256_of(network)}" in done.stdout
    assert f"python -m training.recipe.export --network {folder}" in done.stdout
    card = json.loads((folder / "network.json").read_text())
    assert card["options"]["seed"] == 3 and card["options"]["dry_run"] is True
    assert load_file(network)["embedding.weight"].shape == (vocabulary.load().size, 16)


def copy_cache(cloud: Cloud, name: str, other: str) -> None:
    """Copy a job's cached files to another job's checkpoints."""
    s3 = cloud.client("s3")
    kept = [key for key in keys(cloud) if f"{name}/checkpoints/cache/" in key]
    assert kept, "the encoded reviews should lie with the checkpoints"
    for key in kept:
        source = {"Bucket": BUCKET, "Key": key}
        s3.copy_object(Bucket=BUCKET, Key=key.replace(name, other), CopySource=source)


@pytest.mark.slow
def test_the_entry_point_of_aws_pytorch_images_runs_the_same_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``train`` of sagemaker-training, which those images start when no other command is given."""
    if not shutil.which("train", path=executor.path()):
        skip_or_fail("sagemaker-training is not installed")
    plan = plan_of("--", "--dry-run", "--embedding", "8", "--hidden", "8")
    flags = {name: str(value) for name, value in plan.flags.items()}
    ml = executor.lay_out(tmp_path / "job/algo-1", "algo-1", ["algo-1"], flags, ["train"])
    with train.source() as folder:
        shutil.copytree(folder, ml / "code", dirs_exist_ok=True)
    (ml / "input/data/train").mkdir()
    archive = write_archive(ml / "input/data/train" / train.ARCHIVE, line_members(250))
    # The code in the job refuses so few reviews, so they are encoded here.
    few = {split: count // 250 for split, count in dataset.COUNTS.items()}
    monkeypatch.setattr(dataset, "COUNTS", few)
    monkeypatch.setenv("VERDICT_CACHE", str(ml / "checkpoints/cache"))
    corpora.load(str(archive))
    ended = executor.run(
        ["train"],
        tmp_path / "job",
        ["algo-1"],
        {
            "SAGEMAKER_PROGRAM": "train.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code",
            "SAGEMAKER_REGION": REGION,
            **train.ENVIRONMENT,
        },
        seconds=120,
    )
    assert ended.status == 0, ended.outputs[0][-3000:] + ended.failure
    assert "epoch 1 average train_loss=" in ended.outputs[0]
    files = {name: (ml / "model" / name).read_bytes() for name in training_job.MEMBERS}
    assert training_job.check(files)["options"]["dry_run"] is True
