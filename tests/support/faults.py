"""Run the commands in a simulated account that misbehaves as AWS does, and print the outcome of each.

    python -m tests.support.faults               # prints the table
    python -m tests.support.faults --write       # also writes faults.json, and the table of docs/deploy.md

The commands run in this process. Chalice is replaced by calls that make the same function and API.
"""

import argparse
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from tests.support.aws_server import AwsServer
from tests.support.chalice_calls import make_api
from tests.support.model import random_package
from tests.support.runtime import Runtime
from tests.support.shortcuts import shortcuts
from tests.support.transform import TransformServer, hooks
from training.aws import cloud as clouds
from training.aws import deploy, destroy, function, hosting, inventory, page, resources, status, update_model
from training.aws import package as packages
from training.aws.cloud import Cloud
from training.jobs import batch, batch_plan, batch_transform, notebook_instance, train

OUTCOMES = Path(__file__).with_name("faults.json")
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": train.INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


# The lines that speak of a fault, where a command survives it.
TELLING = re.compile(
    "caught up|not looked at|beside it|created anew|: (RollingBack|SystemUpdating)$|replaces"
)


class Fault(NamedTuple):
    """A fault: its rules, and for each command a pattern of its last words, "" where it survives.

    ``again`` is a fault of a stage that is up already. ``flags`` are the deploy's.
    """

    name: str
    rules: tuple[dict[str, Any], ...]
    ends: dict[str, str]
    again: bool = False
    flags: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What a command did under a fault: its exit status, and its last words."""

    fault: str
    command: str
    status: int
    said: str


# --- what AWS says ------------------------------------------------------------------------------


def error(service: str, operation: str, code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"service": service, "operation": operation, "code": code, "message": message, **more}


def state(name: str, **more: Any) -> dict[str, Any]:
    """Return the rule of an endpoint that is in a state."""
    reason = {"FailureReason": REASON} if name == "Failed" else {}
    patch = {"EndpointStatus": name, **reason}
    of = {"service": "sagemaker", "operation": "DescribeEndpoint", "contains": '"verdict-dev"'}
    return {**of, "patch": patch, **more}


REASON = "The primary container for production variant AllTraffic did not pass the ping health check."
ROLE = "arn:aws:iam::123456789012:role/verdict-dev"
NO_ROLE = (
    f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal"
    " 'sagemaker.amazonaws.com' to assume the role."
)
NO_MODEL = (
    f'Could not access model data at s3://bucket/model.tar.gz. Please ensure that the role "{ROLE}" exists'
    ' and that its trust relationship policy allows the action "sts:AssumeRole".'
)
NO_FILES = 'No S3 objects found under S3 URL "s3://bucket/data/" given in input data source.'
UNVERIFIED = (
    "Your account must be verified before you can add new CloudFront resources. To verify your account,"
    " please contact AWS Support (https://console.aws.amazon.com/support/home#/) and include this error"
    " message."
)
NO_BUDGETS = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: budgets:ViewBudget on resource:"
    " arn:aws:budgets::123456789012:budget/verdict-dev"
)
NO_ENDPOINTS = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sagemaker:ListEndpoints on"
    " resource: arn:aws:sagemaker:eu-west-1:123456789012:endpoint/*"
)
STARTS = ("CreateModel", "CreateTransformJob", "CreateTrainingJob", "CreateNotebookInstance")


def quota(operation: str, name: str) -> dict[str, Any]:
    message = (
        f"The account-level service limit '{name}' is 0 Instances, with current utilization of 0 Instances"
        " and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this"
        " quota."
    )
    return error("sagemaker", operation, "ResourceLimitExceeded", message)


def throttled(service: str, operation: str, code: str = "ThrottlingException") -> dict[str, Any]:
    return error(service, operation, code, "Rate exceeded", status=429, times=2)


ALL = ("deploy", "again", "status", "update-model", "batch", "train", "notebook", "destroy")
SURVIVES = dict.fromkeys(ALL, "")
UP = {name: "" for name in ("again", "status", "update-model", "destroy")}
QUOTA = "the account's quota is used up .* is 0 Instances.*raise it at Service Quotas"
FAULTS = (
    Fault(
        "a role that can't be assumed yet",
        tuple(error("sagemaker", one, "ValidationException", NO_ROLE, times=3) for one in STARTS),
        {name: SURVIVES[name] for name in ("deploy", "batch", "train", "notebook", "destroy")},
    ),
    Fault(
        "rights that show late",
        (
            error("sagemaker", "CreateModel", "ValidationException", NO_MODEL, times=3),
            error("sagemaker", "CreateTrainingJob", "ValidationException", NO_FILES, times=3),
        ),
        {name: "" for name in ("deploy", "train", "destroy")},
    ),
    Fault(
        "CloudFront wants a verified account",
        (error("cloudfront", "CreateDistributionWithTags", "AccessDenied", UNVERIFIED, status=403),),
        {"deploy": "Your account must be verified.*SITE=website", "status": "", "destroy": ""},
    ),
    Fault(
        "budgets are hidden",
        (error("budgets", "DescribeBudget", "AccessDeniedException", NO_BUDGETS),),
        {name: "" for name in ("deploy", "again", "status", "update-model", "destroy")},
    ),
    Fault(
        "endpoints are hidden",
        (error("sagemaker", "ListEndpoints", "AccessDeniedException", NO_ENDPOINTS),),
        {"deploy": "", "status": "this is not all", "destroy": "something may be left"},
    ),
    Fault(
        "quota 0 of the endpoint",
        (quota("CreateEndpoint", "ml.m5.large for endpoint usage"),),
        {"deploy": QUOTA, "status": "", "destroy": ""},
    ),
    Fault(
        "quota 0 of batches",
        (quota("CreateTransformJob", f"{batch_plan.INSTANCE_TYPE} for transform job usage"),),
        {"batch": QUOTA, "destroy": ""},
        again=True,
    ),
    Fault(
        "quota 0 of trainings",
        (quota("CreateTrainingJob", f"{train.INSTANCE} for spot training job usage"),),
        {"train": QUOTA, "destroy": ""},
    ),
    Fault(
        "quota 0 of notebooks",
        (quota("CreateNotebookInstance", f"{notebook_instance.TYPE} for notebook instance usage"),),
        {"notebook": QUOTA, "destroy": ""},
    ),
    Fault(
        "tags refused on a second registration",
        (),
        {"deploy": "", "again": "", "destroy": ""},
        flags=("--kind", "realtime", "--site", "none"),
    ),
    Fault(
        "throttling",
        (
            throttled("sagemaker", "DescribeEndpoint"),
            throttled("lambda", "GetFunction", "TooManyRequestsException"),
            throttled("iam", "GetRole", "Throttling"),
        ),
        {"deploy": "", "status": "", "destroy": ""},
    ),
    Fault(
        "tags that show late",
        ({**state("x"), "operation": "ListTags", "contains": "", "patch": {"Tags": []}, "times": 2},),
        {"again": "", "status": "", "destroy": ""},
        again=True,
    ),
    Fault("endpoint is RollingBack", (state("RollingBack", times=4),), UP, again=True),
    Fault("endpoint is SystemUpdating", (state("SystemUpdating", times=4),), UP, again=True),
    Fault(
        "endpoint is UpdateRollbackFailed",
        (state("UpdateRollbackFailed", until="DeleteEndpoint"),),
        {"update-model": "UpdateRollbackFailed: it still answers", "again": "", "destroy": ""},
        again=True,
    ),
    Fault(
        "endpoint fails with a reason",
        (state("Failed", until="DeleteEndpoint"),),
        {"deploy": f"is Failed: {REASON}", "again": "", "status": "", "destroy": ""},
    ),
    Fault(
        "S3 still works on the bucket",
        (
            error(
                "s3",
                "CreateBucket",
                "OperationAborted",
                "A conflicting conditional operation is currently in progress against this resource."
                " Please try again.",
                status=409,
                times=3,
            ),
        ),
        {"deploy": "", "destroy": ""},
    ),
    Fault(
        "CreateDeployment is throttled",
        (throttled("apigateway", "CreateDeployment", "TooManyRequestsException"),),
        {"deploy": "", "again": "", "destroy": ""},
    ),
)


# --- the account --------------------------------------------------------------------------------


class Account:
    """A simulated account with short waits, and the commands that run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, contextlib.ExitStack()
        enter = self.stack.enter_context
        enter(mock.patch.dict(os.environ))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        self.server = AwsServer(folder / "aws.log")
        self.stack.callback(self.server.stop)
        os.environ.update(self.server.env)
        self.runtime = Runtime()
        self.stack.callback(self.runtime.stop)
        os.environ["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = self.runtime.url
        self.transforms = TransformServer(self.server.url, hooks(), self.server.env)
        self.stack.callback(self.transforms.stop)
        enter(quick(folder))
        self.models = [folder / "model", folder / "other"]
        for seed, model in enumerate(self.models):
            random_package(model, seed)
        self.reviews = folder / "reviews.csv"
        self.reviews.write_text("review\nA warm and lovely film.\n", encoding="utf-8")

    def stop(self) -> None:
        self.stack.close()

    def empty(self) -> None:
        """Empty the account, and end all faults."""
        self.server.fail()
        self.server.reset()

    def fail(self, fault: Fault) -> None:
        self.server.fail(*fault.rules)

    def run(self, fault: Fault, command: str) -> Outcome:
        """Run a command to its end; return its status and its last words."""
        output = io.StringIO()
        status, said = 0, ""
        arguments = [command, *self.flags(fault, command)]
        with (
            mock.patch.object(sys, "argv", arguments),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            try:
                self._main(command)(arguments[1:])
            except SystemExit as end:
                status = 0 if end.code in (None, 0) else 1
                said = str(end.code) if isinstance(end.code, str) else ""
        lines = [line.strip() for line in output.getvalue().splitlines() if line.strip()]
        own = [line for line in lines if line.startswith((f"{command}:", "next"))]
        telling = [line for line in lines if TELLING.search(line)]
        said = said or (telling or own or lines or [""])[-1]
        return Outcome(fault.name, command, status, said.replace(f"{self.folder}/", ""))

    def flags(self, fault: Fault, command: str) -> list[str]:
        """Return a command's arguments under a fault."""
        if command in ("deploy", "again"):
            return ["--model", str(self.models[0]), "--memory", "2048", "--no-api-check", *fault.flags]
        if command == "update-model":
            return ["--model", str(self.models[1])]
        if command == "batch":
            return [str(self.reviews), "--out", str(self.folder / "verdicts.csv")]
        return {"destroy": ["--yes"], "train": ["--no-wait"]}.get(command, [])

    def _main(self, command: str) -> Callable[[list[str]], Any]:
        without: dict[str, Callable[[], Any]] = {
            "deploy": deploy.main,
            "again": deploy.main,
            "status": status.main,
            "update-model": update_model.main,
            "destroy": destroy.main,
            "train": start_training,
            "notebook": notebook_instance.main,
        }
        if command == "batch":
            return self._batch
        return lambda _: without[command]()

    def _batch(self, arguments: list[str]) -> None:
        (self.folder / "verdicts.csv").unlink(missing_ok=True)
        address = {"AWS_ENDPOINT_URL_SAGEMAKER": self.transforms.url}
        with mock.patch.dict(os.environ, address):
            batch.main(arguments)


def start_training() -> None:
    """Start a training job as train.py does, without the SDK, which takes long to import."""

    class Trainer:
        def __init__(self, cloud: Cloud, plan: Any, role: str, *_: Any) -> None:
            self.cloud, self.role = cloud, role
            self._latest_training_job = mock.Mock(training_job_name="verdict-dev-train-1")

        def train(self, **_: Any) -> None:
            self.cloud.client("sagemaker").create_training_job(
                TrainingJobName="verdict-dev-train-1",
                RoleArn=self.role,
                OutputDataConfig={"S3OutputPath": f"s3://{self.cloud.stage.bucket}/training"},
                Tags=clouds.tag_list(self.cloud.stage.tags),
                **TRAINING,
            )

    with clouds.exit_on_error("train"), mock.patch.object(train, "make_trainer", Trainer):
        cloud = clouds.open_stage("dev")
        resources.ensure_bucket(cloud, cloud.stage.bucket)
        print("train: started", train.submit(cloud, mock.Mock(), resources.ensure_role(cloud), {}, Path()))


QUICK: tuple[tuple[Any, str, Any], ...] = (
    (function, "_run_chalice", make_api),
    (packages, "wheels", lambda *_: {}),
    (resources, "ROLE_SECONDS", 0),
    (deploy, "LAST_REQUEST_SECONDS", 0),
    (clouds, "LAG_POLL_SECONDS", 0.01),
    (hosting, "POLL_SECONDS", 0.01),
    (hosting, "WAKE_POLL_SECONDS", 0.01),
    (inventory, "POLL_SECONDS", 0.01),
    (page, "POLL_SECONDS", 0.01),
    (notebook_instance, "POLL_SECONDS", 0.01),
    (notebook_instance, "bundle", lambda say: b"x"),
    (batch_transform, "FIRST_PAUSE_SECONDS", 0.05),
)


@contextlib.contextmanager
def quick(folder: Path) -> Iterator[None]:
    """Make the commands wait little, upload few pages, build in a folder, and do without Chalice."""
    with contextlib.ExitStack() as stack:
        for module, name, value in (*QUICK, (function, "ROOT", folder), *shortcuts(folder)):
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def run_here(folder: Path, command: str, arguments: list[str]) -> None:
    """Run a deploy or a destroy in this process, which a test kills; print a line when it begins."""
    with quick(folder), mock.patch.object(sys, "argv", [command, *arguments]):
        print("begins", flush=True)
        (deploy if command == "deploy" else destroy).main()


# --- the table ----------------------------------------------------------------------------------


def outcomes(account: Account, fault: Fault) -> Iterator[Outcome]:
    """Yield the outcome of each of a fault's commands, in an account that is emptied first."""
    account.empty()
    if fault.again:
        account.run(fault, "deploy")
    for command in fault.ends:
        account.fail(fault)
        yield account.run(fault, command)
    account.server.fail()


def write(rows: list[Outcome]) -> None:
    """Write outcomes in place of earlier ones of the same faults, and the table of docs/deploy.md."""
    from bench import pages  # here, because it takes longer to load than all else that tests need
    from tools import fill_docs

    kept = json.loads(OUTCOMES.read_text(encoding="utf-8")) if OUTCOMES.is_file() else []
    new = {row.fault for row in rows}
    merged = [row for row in kept if row["fault"] not in new] + [row._asdict() for row in rows]
    order = {fault.name: number for number, fault in enumerate(FAULTS)}
    known = [row for row in merged if row["fault"] in order]
    known.sort(key=lambda row: order[row["fault"]])
    OUTCOMES.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    pages.write({"faults": fill_docs.faults(OUTCOMES)})


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the commands in an account that misbehaves.")
    parser.add_argument("--write", action="store_true", help=f"write {OUTCOMES.name} and docs/deploy.md")
    parser.add_argument("--only", default="", help="only the faults with these words in their name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder))
        try:
            for fault in FAULTS:
                rows = list(outcomes(account, fault)) if options.only in fault.name else []
                for row in rows:
                    print(f"{row.fault:40}{row.command:14}{row.status}  {row.said}", flush=True)
                if options.write and rows:
                    write(rows)
        finally:
            account.stop()


if __name__ == "__main__":
    main()
