"""Adapt on SageMaker: refusals before a start, consent, a real run, and the installed model."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.support import training_job as executor
from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from tests.support.distributions import canonical_name, closure
from tests.support.missing import skip_or_fail
from tests.support.own_reviews import SECRET, rows, save, sentence
from tests.support.stack import Stack
from training.adapt import adapt
from training.aws import inventory, policies, resources
from training.aws.cloud import Cloud, CloudError, Stage
from training.endpoint import inference
from training.jobs import adapt as adapt_aws
from training.jobs import train, training_job
from vocab.files import sha256_of

# The SageMaker SDK warns of its own modules.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
STAGE = Stage("dev", ACCOUNT, REGION)
JOB = "verdict-dev-adapt-0a1b2c-20260102030405"
SHOP = "the-shop"


def options_of(*given: str) -> argparse.Namespace:
    return adapt_aws.parse(list(given))


# --- what is refused, before anything is started -------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--instance", "ml.g5.xlarge"], "ml.g5.xlarge has GPUs, and --deep does not use them"),
        (["--instance", "m5.xlarge"], "an instance type looks like ml.m5.xlarge, got 'm5.xlarge'"),
        (["--max-run", "0"], "a job runs for a minute or more, got --max-run 0"),
        (["--max-wait", "60"], "--max-wait 60 includes --max-run 120, so it can't be less"),
    ],
)
def test_what_no_job_can_have_is_refused_in_a_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(CloudError, match=re.escape(sentence)):
        adapt_aws.plan_of(options_of("my.csv", *given), REGION)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "name a file of labelled reviews, or a job with --attach or --stop"),
        (["my.csv", "--positive", "A"], "--positive and --negative go together"),
        (["my.csv", "--most", "10"], "--most must be 50 or more"),
    ],
)
def test_flags_that_make_no_sense_end_with_the_usage(
    given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        options_of(*given)
    assert sentence in capsys.readouterr().err


def test_adapt_py_leads_from_a_file_in_s3_to_this_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert adapt.main(["s3://bucket/prefix/my.csv"]) == 2
    assert "make adapt-aws FILE=s3://bucket/prefix" in capsys.readouterr().err


def test_no_other_adaptation_shares_a_job_s_name() -> None:
    first, second = (adapt_aws.plan_of(options_of("my.csv"), REGION) for _ in range(2))
    assert first.name != second.name
    assert re.fullmatch("adapt-[0-9a-f]{6}", first.name)


def test_the_job_is_told_all_that_says_how_the_file_is_read_and_nothing_else() -> None:
    given = ["my.tsv", "--column", "said", "--positive=-1,A", "--negative", "B", "--force", "--keep"]
    assert adapt_aws.flags_of(options_of(*given), Path("my.tsv")) == [
        "--column=said",
        "--positive=-1,A",
        "--negative=B",
        "--format=tsv",
        "--most=10000",
    ]


def test_the_command_that_watches_on_keeps_what_still_counts() -> None:
    options = options_of("my.csv", "--stage", "test", "--out", "a b", "--force", "--keep", "--max-run", "9")
    assert adapt_aws.watch_command(options, JOB) == (
        f"python -m training.jobs.adapt --stage test --out 'a b' --force --keep --attach {JOB}"
    )


# --- the code that is sent ------------------------------------------------------------------------


@pytest.fixture
def code(made_package: Path, tmp_path: Path) -> Path:
    """A copy of the folder that a job gets."""
    options = options_of("my.csv", "--model", str(made_package))
    with adapt_aws.source(options, adapt_aws.Reviews("b", "p/my.csv", 1)) as folder:
        return Path(shutil.copytree(folder, tmp_path / "code"))


def test_the_base_travels_with_its_hashes_and_no_other_model_does(code: Path, made_package: Path) -> None:
    order = json.loads((code / "order.json").read_text(encoding="utf-8"))
    assert order["base"] == {name: sha256_of(made_package / name) for name in ("model.onnx", "model.json")}
    assert [path.relative_to(code).as_posix() for path in code.rglob("*.onnx")] == ["base/model.onnx"]
    assert not any(path.is_symlink() for path in code.rglob("*"))
    folders = {path.parent.relative_to(code).as_posix() for path in code.rglob("*.py")}
    sent = {"adapt", "data", "endpoint", "evaluation", "files", "recipe"}
    assert folders == {".", "training", *(f"training/{name}" for name in sent), "vocab", "vocab/messages"}


HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"no {name} here", name=name)

HIDDEN = set(sys.argv[1:])
sys.meta_path.insert(0, Hidden())
import adapt_job
import training.adapt.deep
"""


def test_what_is_sent_runs_with_torch_and_the_requirements_beside_it(code: Path) -> None:
    """All other packages of this environment are hidden from it."""
    lines = (code / "requirements.txt").read_text(encoding="utf-8").splitlines()
    there = closure([*(re.split(r"[<>=]", line)[0] for line in lines), "torch", "numpy"])
    homes = packages_distributions()
    hidden = {
        name for name, owners in homes.items() if not there & {canonical_name(owner) for owner in owners}
    }
    assert {"boto3", "sklearn", "gensim"} <= hidden
    done = subprocess.run(
        [sys.executable, "-c", HIDE, *sorted(hidden)],
        cwd=code,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_sent_lies_where_batches_trainings_and_notebooks_may_not_read_and_goes_by_itself() -> None:
    folder = adapt_aws.folder_of(JOB.rpartition("-")[0]).split("/")[0]
    assert folder not in policies.READ
    assert f"{folder}/" in resources.FOLDERS_THAT_EXPIRE


# --- on a simulated AWS ---------------------------------------------------------------------------


@pytest.fixture
def cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    monkeypatch.setattr(training_job, "POLL_SECONDS", 0)
    return Cloud(STAGE, boto3.session.Session())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with labelled reviews in it."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "my.csv", rows(120))
    return tmp_path


def ended(*given: str | Path) -> int:
    """Run the command in this process; return its exit status."""
    with pytest.raises(SystemExit) as stopped, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["adapt.py", *map(str, given)])
        adapt_aws.main()
    if isinstance(stopped.value.code, str):
        print(stopped.value.code, file=sys.stderr)
        return 1
    return int(stopped.value.code or 0)


def keys(cloud: Cloud, bucket: str = STAGE.bucket, prefix: str = "") -> list[str]:
    found = cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [one["Key"] for one in found]


def rights(cloud: Cloud) -> dict[str, Any]:
    """Return the policies of the adaptations' role, by name."""
    iam = cloud.client("iam")
    names = iam.list_role_policies(RoleName=STAGE.adapt_role)["PolicyNames"]
    return {
        name: iam.get_role_policy(RoleName=STAGE.adapt_role, PolicyName=name)["PolicyDocument"]
        for name in names
    }


def jobs(cloud: Cloud) -> list[str]:
    found = cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return [one["TrainingJobName"] for one in found]


def shop(cloud: Cloud, file: Path) -> str:
    """Upload a file to a bucket of its owner; return its folder's address."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=SHOP, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.upload_file(str(file), SHOP, f"labels/{file.name}")
    return f"s3://{SHOP}/labels/"


def start(cloud: Cloud, file: str | Path, base: Path, *given: str) -> str:
    """Start a job by the command; return its name."""
    assert ended(file, "--model", base, "--yes", "--no-wait", *given) == 0
    (name,) = jobs(cloud)
    return name


def end(cloud: Cloud, job: str, how: str) -> None:
    arn = cloud.client("sagemaker").describe_training_job(TrainingJobName=job)["TrainingJobArn"]
    cloud.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "simulated:end", "Value": how}])


def test_a_dry_run_says_the_plan_with_its_price_and_touches_nothing(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("my.csv", "--dry-run", "--model", made_package) == 0
    output = capsys.readouterr().out
    for part in (
        "my.csv -> the stage's bucket, deleted once the job has ended",
        inference.model_fn(made_package).card["onnx_sha256"],
        f"role/{STAGE.adapt_role}",
        "1 x ml.m5.xlarge, spot capacity",
        "120 minutes of training, 240 with waiting, about $0.46 (an estimate)",
        "then my-model",
    ):
        assert part in output
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert jobs(cloud) == []


@pytest.mark.parametrize("reply", ["no", "y", ""])
def test_nothing_is_started_unless_a_person_agrees(
    cloud: Cloud, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reply: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: reply)
    assert ended("my.csv") == 1
    assert "nothing was started" in capsys.readouterr().err
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_file_here_that_teaches_nothing_is_refused_before_anything_is_sent(
    cloud: Cloud, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(here / "few.csv", rows(20))
    assert ended("few.csv", "--yes") == 2
    assert capsys.readouterr().err.startswith("adapt-aws: few.csv has 10 positive and 10 negative reviews")
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_folder_that_holds_something_else_is_refused_before_it_costs(
    cloud: Cloud, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "my-model").mkdir()
    (here / "my-model/notes.txt").write_text("mine")
    assert ended("my.csv", "--yes") == 2
    assert "holds other things than such a model" in capsys.readouterr().err
    assert ended(shop(cloud, here / "my.csv"), "--yes") == 2
    assert jobs(cloud) == []


@pytest.mark.slow
def test_a_job_may_read_its_own_reviews_and_no_other_s(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = start(cloud, shop(cloud, here / "my.csv"), made_package)
    run = job.rpartition("-")[0]
    described = cloud.client("sagemaker").describe_training_job(TrainingJobName=job)
    (channel,) = [one for one in described["InputDataConfig"] if one["ChannelName"] == "reviews"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{SHOP}/labels/my.csv"
    assert described["RoleArn"] == STAGE.role_arn_of(STAGE.adapt_role)
    assert described["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400}
    assert described["EnableManagedSpotTraining"] is True
    tags = cloud.client("sagemaker").list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert STAGE.owns({tag["Key"]: tag["Value"] for tag in tags})
    given = rights(cloud)
    assert set(given) == {STAGE.adapt_role, run}
    assert "s3:" not in json.dumps(given[STAGE.adapt_role])
    reads = [one["Resource"] for one in given[run]["Statement"] if "s3:GetObject" in one["Action"]]
    assert reads == [
        f"arn:aws:s3:::{SHOP}/labels/my.csv",
        f"arn:aws:s3:::{STAGE.bucket}/adapt/{run}/*",
    ]
    assert all(key.startswith(f"adapt/{run}/") for key in keys(cloud))
    found = [(thing.kind, thing.name) for thing in inventory.find(cloud)]
    assert ("training job", job) in found and ("role", STAGE.adapt_role) in found


@pytest.mark.slow
def test_destroying_a_stage_ends_the_job_and_takes_role_and_reviews_away(
    cloud: Cloud, here: Path, made_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(cloud, "my.csv", made_package)
    monkeypatch.setattr(inventory, "POLL_SECONDS", 0)
    assert [key for key in keys(cloud) if key.endswith("/reviews/my.csv")]
    for thing in inventory.find(cloud):
        inventory.remove(cloud, thing, lambda line: None)
    assert inventory.find(cloud) == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("Failed: AlgorithmError: MemoryError at features.py:120", "failed: AlgorithmError: MemoryError at"),
        ("Stopped", "was stopped\n"),
    ],
)
def test_a_job_that_failed_or_was_stopped_says_so_and_what_was_sent_is_deleted(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str], how: str, sentence: str
) -> None:
    job = start(cloud, "my.csv", made_package)
    end(cloud, job, how)
    assert ended("--attach", job, "--model", made_package) == 1
    output = capsys.readouterr()
    assert f"{job} {sentence}" in output.err
    assert "the uploaded reviews are deleted" in output.out
    assert not [key for key in keys(cloud) if "/reviews/" in key]
    assert set(rights(cloud)) == {STAGE.adapt_role}
    assert not (here / "my-model").exists()


@pytest.mark.slow
def test_stopping_a_job_ends_it_and_deletes_what_was_sent(
    cloud: Cloud, here: Path, made_package: Path
) -> None:
    job = start(cloud, "my.csv", made_package)
    assert ended("--stop", job) == 0
    state = cloud.client("sagemaker").describe_training_job(TrainingJobName=job)["TrainingJobStatus"]
    assert state == "Stopped"
    assert not [key for key in keys(cloud) if "/reviews/" in key]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EndpointConnectionError(endpoint_url="https://x")])
def test_whoever_can_watch_no_longer_is_told_that_the_job_goes_on(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*given: object, **keywords: object) -> None:
        raise error

    monkeypatch.setattr(training_job, "follow", fail)
    command = "python -m training.jobs.adapt --stage dev"
    with pytest.raises(CloudError) as raised:
        adapt_aws._follow(cloud, options_of("my.csv"), JOB, "run")
    assert f"{JOB} still runs and costs; watch it again: {command} --attach {JOB}" in str(raised.value)
    assert f"stop it: {command} --stop {JOB}" in str(raised.value)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyboardInterrupt(), "adapt-aws: interrupted; no job was started\n"),
        (CloudError("a quota of the account is reached"), "a quota of the account is reached"),
    ],
)
def test_what_fails_before_a_job_starts_leaves_no_review_and_no_right(
    cloud: Cloud,
    here: Path,
    made_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    sentence: str,
) -> None:
    def fail(*given: object) -> None:
        assert [key for key in keys(cloud) if "/reviews/my.csv" in key]
        raise error

    monkeypatch.setattr(train, "submit", fail)
    assert ended("my.csv", "--yes", "--model", made_package) == 1
    assert sentence in capsys.readouterr().err
    assert keys(cloud) == []
    assert set(rights(cloud)) == {STAGE.adapt_role}


@pytest.mark.slow
def test_who_interrupts_while_a_job_starts_is_told_that_it_runs_and_it_keeps_its_reviews(
    cloud: Cloud,
    here: Path,
    made_package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit = train.submit

    def interrupted(*given: Any) -> str:
        submit(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "submit", interrupted)
    assert ended("my.csv", "--yes", "--model", made_package) == 1
    (job,) = jobs(cloud)
    assert f"{job} still runs and costs" in capsys.readouterr().err
    assert [key for key in keys(cloud) if key.endswith("/reviews/my.csv")]


def test_what_can_t_be_taken_away_is_said_and_hides_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def deny(*given: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DeleteObjects")

    monkeypatch.setattr(adapt_aws.reviews_s3, "delete", deny)
    adapt_aws.clean_up(cloud, "verdict-dev-adapt-0a1b2c", keep=False)
    assert "not all reviews and policies of verdict-dev-adapt-0a1b2c are deleted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "tags"),
    [("verdict-dev-train-20260102030405", STAGE.tags), (JOB, {}), (JOB.replace("dev", "prod"), STAGE.tags)],
)
def test_a_job_that_is_no_adaptation_of_this_stage_is_left_alone(
    cloud: Cloud, name: str, tags: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "x", "TrainingInputMode": "File"},
        RoleArn=STAGE.role_arn,
        OutputDataConfig={"S3OutputPath": f"s3://{STAGE.bucket}/training"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    for flag in ("--attach", "--stop"):
        assert ended(flag, name) == 1
        assert f"{name} is no adaptation of stage dev" in capsys.readouterr().err
    state = cloud.client("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
    assert state == "InProgress"


@pytest.mark.slow
def test_a_model_that_comes_home_never_lands_among_other_things(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = start(cloud, "my.csv", made_package)
    (here / "my-model").mkdir()
    (here / "my-model/model.onnx").write_text("mine")
    assert ended("--attach", job, "--model", made_package) == 2
    assert "my-model holds other things than such a model" in capsys.readouterr().err


# --- the whole way --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_goes_there_and_comes_back_as_the_model_that_this_machine_would_make(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = start(cloud, "my.csv", made_package, "--force")
    done = executor.execute(cloud.session, job, here / "job")
    assert done.status == 0, done.outputs[0][-3000:] + done.failure
    assert SECRET.split()[-1] not in done.outputs[0]
    assert ended("--attach", job, "--model", made_package, "--force") == 0
    output = capsys.readouterr().out
    there = inference.model_fn(here / "my-model")
    assert f"model.onnx {sha256_of(here / 'my-model/model.onnx')}" in output
    assert not [key for key in keys(cloud) if "/reviews/" in key]
    assert set(rights(cloud)) == {STAGE.adapt_role}
    local = ("my.csv", "--deep", "--force", "--out", "local", "--workers", "1", "--model", str(made_package))
    assert adapt.main(local) == 0
    here_made = inference.model_fn(here / "local")
    for card in (there.card, here_made.card):
        card["adaptation"].pop("seconds")
    assert to_9_places(there.card) == to_9_places(here_made.card)
    assert there.card["adaptation"]["sentence"] in output
    assert ended("--attach", job, "--model", made_package, "--force") == 0  # once more: nothing is lost


def to_9_places(card: dict[str, Any]) -> Any:
    """Return a card with its numbers rounded: the job has other threads, which add in another order."""
    return json.loads(json.dumps(card), parse_float=lambda number: round(float(number), 9))


@pytest.mark.slow
def test_a_file_in_its_owner_s_bucket_is_adapted_to_and_the_app_answers_with_the_model(
    cloud: Cloud, here: Path, made_package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start(cloud, shop(cloud, here / "my.csv"), made_package)
    assert executor.execute(cloud.session, job, here / "job").status == 0
    assert ended("--attach", job, "--model", made_package, "--force") == 0
    assert keys(cloud, SHOP) == ["labels/my.csv"]
    running = Stack(MODEL=str(here / "my-model"))
    try:
        running.wait_for("Verdict is ready")
        answer = ask(running.api, sentence(1000, True))
    finally:
        running.stop()
    assert answer["model"]["id"] == inference.model_fn(here / "my-model").card["id"]


def ask(api: str, review: str) -> dict[str, Any]:
    import httpx

    return dict(httpx.post(f"{api}/v1/sentiment", json={"review": review}, timeout=30).json())


@pytest.mark.slow
def test_the_job_s_one_sentence_about_a_file_in_s3_reaches_the_terminal(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_sided = save(here / "odd.csv", [(text, "positive") for text, _ in rows(80)])
    job = start(cloud, shop(cloud, one_sided), made_package)
    assert executor.execute(cloud.session, job, here / "job").status == 0
    capsys.readouterr()
    assert ended("--attach", job, "--model", made_package) == 2
    message = capsys.readouterr().err
    assert message.startswith("adapt-aws: odd.csv has 80 positive and 0 negative reviews to learn from")
    assert message.count("\n") == 1
    assert not (here / "odd-model").exists()


@pytest.mark.slow
def test_what_is_not_better_is_not_installed_unless_forced(
    cloud: Cloud, here: Path, made_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    labels = ["positive" if random.random() < 0.75 else "negative" for _ in range(120)]
    save(here / "noise.csv", [(sentence(number, True), label) for number, label in enumerate(labels)])
    job = start(cloud, "noise.csv", made_package)
    assert executor.execute(cloud.session, job, here / "job").status == 0
    assert ended("--attach", job, "--model", made_package) == 1
    assert "nothing was written; --force writes noise-model anyway" in capsys.readouterr().err
    assert not (here / "noise-model").exists()
    assert ended("--attach", job, "--model", made_package, "--force") == 0
    assert inference.model_fn(here / "noise-model").card["adaptation"]["outcome"] != "better"


@pytest.mark.slow
def test_the_entry_point_of_aws_pytorch_images_runs_the_same_code(
    code: Path, tmp_path: Path, made_package: Path
) -> None:
    """``train`` of sagemaker-training, which those images start when no other command is given."""
    if not shutil.which("train", path=executor.path()):
        skip_or_fail("sagemaker-training is not installed")
    ml = executor.lay_out(tmp_path / "job/algo-1", "algo-1", ["algo-1"], {}, ["reviews"])
    shutil.copytree(code, ml / "code", dirs_exist_ok=True)
    (ml / "input/data/reviews").mkdir()
    save(ml / "input/data/reviews/my.csv", rows(120))
    ended = executor.run(
        ["train"],
        tmp_path / "job",
        ["algo-1"],
        {
            "SAGEMAKER_PROGRAM": "adapt_job.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code",
            "SAGEMAKER_REGION": REGION,
            **adapt_aws.ENVIRONMENT,
        },
        seconds=200,
    )
    assert ended.status == 0, ended.outputs[0][-3000:] + ended.failure
    assert SECRET.split()[-1] not in ended.outputs[0]
    assert inference.model_fn(ml / "model").card["base_model"] == inference.model_fn(made_package).card["id"]
