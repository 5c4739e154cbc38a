"""The doctor: each fault that would break a deploy is found and named, with what to do."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from chalice.deploy.packager import DependencyBuilder

from tests.support.aws_server import ACCOUNT, REGION, AwsServer
from training.aws import cloud as clouds
from training.aws import images, policies, resources
from training.aws.cloud import Cloud, Stage, tag_list
from training.aws.doctor import account, cors, lambda_zip, machine, settings
from training.aws.doctor.findings import FAIL, OK, WARN, Finding, run_check
from training.jobs import batch_plan, notebook_instance, train

CONFIG = settings.read_config()


def changed(stage: str = "dev", **values: Any) -> dict[str, Any]:
    """Return the real settings with some of the stage's changed."""
    config = json.loads(json.dumps(CONFIG))
    config["stages"][stage] |= values
    return dict(config)


# --- this machine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version, level", [((3, 10), FAIL), ((3, 11), WARN), ((3, 12), OK), ((3, 14), OK), ((3, 15), FAIL)]
)
def test_the_python_is_judged_by_what_lambda_makes_of_it(version: tuple[int, int], level: str) -> None:
    finding = machine.check_python(version)
    assert finding.level == level
    assert bool(finding.fix) is (level != OK)


def test_glibc_is_the_one_that_chalice_takes() -> None:
    for version in ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14)):
        assert machine.glibc_of(version) == DependencyBuilder._RUNTIME_GLIBC[f"cp3{version[1]}"]


class Pip:
    """A stand-in for pip: what it resolves, and of which packages there are wheels."""

    def __init__(self, resolved: dict[str, str], without: set[str], rc: int = 0) -> None:
        self.resolved, self.without, self.rc = resolved, without, rc
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        self.calls.append(arguments)
        if arguments[0] == "install":
            found = [{"metadata": {"name": n, "version": v}} for n, v in self.resolved.items()]
            text = "ERROR: no index\n" if self.rc else ""
            return subprocess.CompletedProcess((), self.rc, json.dumps({"install": found}), text)
        lacking = self.without & {one.split("==")[0] for one in arguments}
        text = f"ERROR: {machine.NO_WHEEL} for {lacking}\n" if lacking else ""
        return subprocess.CompletedProcess((), 1 if lacking else 0, "", text)


def wheels(pip: Any, version: tuple[int, int] = (3, 11)) -> Finding:
    return machine.check_wheels(version, "arm64", Path("requirements.txt"), pip)


def test_packages_without_a_wheel_are_named() -> None:
    pip = Pip({"numpy": "2.4.6", "nltk": "3.9"}, {"numpy"})
    finding = wheels(pip)
    assert finding.level == FAIL
    assert "numpy==2.4.6" in finding.sentence and "nltk" not in finding.sentence
    assert "glibc 2.26" in finding.sentence


def test_wheels_are_asked_for_lambda_s_glibc_machine_and_python() -> None:
    pip = Pip({"nltk": "3.9"}, set())
    assert wheels(pip).level == OK
    flags = pip.calls[-1]
    assert {"--platform=manylinux_2_26_aarch64", "--python-version=3.11.99", "nltk==3.9"} <= set(flags)
    assert "--platform=manylinux_2_27_aarch64" not in flags


def test_an_index_that_can_t_be_asked_is_a_warning() -> None:
    finding = wheels(Pip({}, set(), rc=1))
    assert (finding.level, "no index" in finding.sentence) == (WARN, True)

    def slow(*arguments: str) -> None:
        raise subprocess.TimeoutExpired("pip", 1)

    assert wheels(slow).level == WARN


def test_a_download_that_breaks_off_is_not_taken_for_a_missing_wheel() -> None:
    class Broken(Pip):
        def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
            if arguments[0] == "download":
                return subprocess.CompletedProcess((), 1, "", "ERROR: connection lost\n")
            return super().__call__(*arguments)

    finding = wheels(Broken({"nltk": "3.9"}, set()))
    assert (finding.level, "connection lost" in finding.sentence) == (WARN, True)


@pytest.mark.parametrize("free, level", [(10**8, FAIL), (10**9, WARN), (10**10, OK)])
def test_a_full_disk_is_seen(monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: argparse.Namespace(free=free))
    assert machine.check_disk(Path()).level == level


# --- the code -----------------------------------------------------------------------------------


def test_a_link_that_became_a_file_or_a_copy_is_seen(tmp_path: Path) -> None:
    (tmp_path / "vocab").mkdir()
    link = tmp_path / settings.LINK
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "vocab")
    assert settings.check_links(tmp_path).level == OK
    link.unlink()
    assert "is missing" in settings.check_links(tmp_path).sentence
    link.write_text("../../vocab")
    assert "is not a link" in settings.check_links(tmp_path).sentence
    link.unlink()
    link.mkdir()
    assert settings.check_links(tmp_path).level == FAIL


def test_the_committed_settings_are_fine() -> None:
    for stage in CONFIG["stages"]:
        found = [
            settings.check_stage(CONFIG, stage),
            settings.check_timeouts(CONFIG, stage),
            settings.check_policy(settings.APP / ".chalice", CONFIG, stage),
            settings.check_links(settings.ROOT),
        ]
        assert [finding.level for finding in found] == [OK] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_gateway_endpoint_type": "EDGE"},
        {"autogen_policy": True},
        {"lambda_memory_size": 128},
    ],
    ids=str,
)
def test_wrong_settings_of_a_stage_are_seen(wrong: dict[str, Any]) -> None:
    finding = settings.check_stage(changed(**wrong), "dev")
    assert finding.level == FAIL and finding.fix


def test_an_unknown_stage_is_seen_with_those_that_are_known() -> None:
    assert "dev or prod" in settings.check_stage(CONFIG, "staging").fix


@pytest.mark.parametrize("seconds", [20, 23, 29, 60])
def test_timeouts_in_the_wrong_order_are_seen(seconds: int) -> None:
    assert settings.check_timeouts(changed(lambda_timeout=seconds), "dev").level == FAIL


def test_a_policy_for_another_endpoint_is_seen() -> None:
    config = changed(environment_variables={"ENDPOINT_NAME": "another"})
    finding = settings.check_policy(settings.APP / ".chalice", config, "dev")
    assert finding.level == FAIL
    assert "sagemaker:InvokeEndpoint" in finding.sentence and "another" in finding.sentence


@pytest.mark.parametrize("text", ["", "{", "{}", '{"Statement": [1]}'])
def test_a_policy_that_can_t_be_read_is_seen(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy-dev.json").write_text(text)
    assert settings.check_policy(tmp_path, CONFIG, "dev").level == FAIL


def test_a_policy_without_logs_is_seen(tmp_path: Path) -> None:
    policy = policies.of_function(Stage("dev", "*", "*"))
    policy["Statement"].pop()
    (tmp_path / "policy-dev.json").write_text(json.dumps(policy))
    assert "logs:" in settings.check_policy(tmp_path, CONFIG, "dev").sentence


def test_a_model_whose_bytes_changed_is_seen(own_package: Path) -> None:
    assert settings.check_model(own_package).level == OK
    with (own_package / "model.onnx").open("ab") as file:
        file.write(b"x")
    assert settings.check_model(own_package).level == FAIL


def test_every_error_carries_its_cors_header() -> None:
    assert cors.check_cors().level == OK
    assert {status for status, _ in cors.error_answers()} == {400, 404, 405, 413, 415, 422, 503}


def test_several_origins_and_keys_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGIN", "https://page.example,http://localhost:8080")
    monkeypatch.setenv("AUTH", "key")
    assert cors.check_cors().level == OK


def test_an_error_without_its_cors_header_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib import answers

    monkeypatch.setattr(answers, "headers_of", lambda request_id, origin: {"X-Request-Id": request_id})
    finding = cors.check_cors()
    assert finding.level == FAIL and "405" in finding.sentence


def test_a_gateway_response_without_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = [{"responseType": "THROTTLED", "responseParameters": {}}]
    monkeypatch.setattr(cors.gateway, "responses", lambda: bare)
    assert "THROTTLED" in cors.check_cors().sentence


def test_an_image_is_looked_for_in_the_region_and_its_age_said() -> None:
    day = date(2026, 11, 25)
    assert settings.check_image("ray", "eu-west-1", day).level == OK
    assert settings.check_image("pytorch", "eu-west-1", day).level == WARN
    assert settings.check_image("ray", "mars-north-1", day).level == FAIL
    assert settings.check_image("ray", None, day).level == WARN


def test_your_own_image_must_be_in_the_region() -> None:
    day, own = date(2040, 1, 1), images.OWN_EXAMPLE
    assert settings.check_image(own, "eu-west-1", day) == ("image", OK, f"{own}, your own", "")
    assert settings.check_image(own, "us-east-1", day).level == FAIL


def zipped(path: Path, *leave_out: str) -> Path:
    carried = lambda_zip.required(settings.APP / "requirements.txt")
    names = [
        "app.py",
        "chalicelib/endpoint.py",
        "vocab/text.py",
        "vocab/vocabulary.pkl",
        *(f"{name.replace('-', '_')}-1.dist-info/METADATA" for name in carried),
        "nltk/stem/porter.py",
    ]
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            if not name.startswith(leave_out or "-"):
                file.writestr(name, "")
    return path


@pytest.mark.parametrize("lost", ["app.py", "vocab/", "nltk", "beautifulsoup4"])
def test_a_zip_that_lacks_something_is_seen(tmp_path: Path, lost: str) -> None:
    requirements = settings.APP / "requirements.txt"
    assert lambda_zip.check_contents(zipped(tmp_path / "whole.zip"), requirements).level == OK
    finding = lambda_zip.check_contents(zipped(tmp_path / "zip", lost), requirements)
    assert finding.level == FAIL and lost in finding.sentence


@pytest.mark.slow
def test_the_real_zip_is_whole() -> None:
    assert lambda_zip.check_zip("dev").level == OK


# --- the command --------------------------------------------------------------------------------


def without_account(**more: str) -> dict[str, str]:
    nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": os.environ["PYTHONPATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "PIP_NO_INDEX": "1",
        **nothing,
        **more,
    }


def run_doctor(*flags: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "training.aws.doctor", *flags]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


def test_without_credentials_the_rest_is_still_looked_at() -> None:
    ran = run_doctor("--json", env=without_account(AWS_REGION="eu-west-1"))
    found = {one["check"]: one for one in json.loads(ran.stdout)}
    assert ran.returncode == 1
    assert "1 of" in ran.stderr and "Traceback" not in ran.stderr
    assert found["account"]["level"] == FAIL and "credentials" in found["account"]["sentence"]
    assert {found[name]["level"] for name in ("links", "stage", "timeouts", "policy", "cors", "image")} == {
        OK
    }


def test_a_name_that_no_stage_can_have_is_one_sentence() -> None:
    ran = run_doctor("--stage", "No Stage", env=without_account())
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("doctor: a stage's name has") and ran.stderr.count("\n") == 1


def test_a_finding_is_one_line_with_its_fix() -> None:
    assert Finding("disk", FAIL, "it is full", "make room").line() == "FAIL disk: it is full; make room"
    assert Finding("disk", OK, "there is room").line() == "ok   disk: there is room"


def test_what_can_t_be_asked_is_a_warning() -> None:
    def refused() -> Finding:
        answer = {"Error": {"Code": "AccessDenied", "Message": ""}}
        raise ClientError(answer, "SimulatePrincipalPolicy")

    def nobody() -> Finding:
        raise NoCredentialsError

    (finding,) = run_check("rights", refused)
    assert (finding.level, "SimulatePrincipalPolicy" in finding.sentence) == (WARN, True)
    assert run_check("rights", nobody)[0].level == WARN


# --- AWS ----------------------------------------------------------------------------------------


class Asked:
    """A cloud whose clients answer what a test says."""

    def __init__(self, **answers: Any) -> None:
        self.stage = Stage("dev", ACCOUNT, REGION)
        self.answers = answers

    def client(self, service: str) -> Any:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": self.answers.get("arn", f"arn:aws:iam::{ACCOUNT}:user/me")}

    def get_role(self, RoleName: str) -> dict[str, Any]:
        if "role" not in self.answers:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetRole")
        return {"Role": {"Arn": self.answers["role"]}}

    def simulate_principal_policy(self, ActionNames: list[str], **more: Any) -> dict[str, Any]:
        denied = self.answers.get("denied", ())
        results = [
            {"EvalActionName": one, "EvalDecision": "implicitDeny" if one in denied else "allowed"}
            for one in ActionNames
        ]
        return {"EvaluationResults": results}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": self.answers["limit"]}

    def get_paginator(self, name: str) -> "Asked":
        return self

    def paginate(self, **more: Any) -> list[dict[str, Any]]:
        quotas = [{"QuotaName": name, "Value": value} for name, value in self.answers["quotas"].items()]
        return [{"Quotas": quotas}]


def test_each_right_that_is_missing_is_named() -> None:
    assert account.check_rights(Asked()).level == OK
    finding = account.check_rights(Asked(denied=["lambda:CreateFunction", "s3:PutObject"]))
    assert finding.level == FAIL
    assert "lambda:CreateFunction" in finding.sentence and "s3:PutObject" in finding.sentence
    assert "iam:" not in finding.sentence.split("may not")[1]


def test_root_is_warned_of() -> None:
    assert account.check_rights(Asked(arn=f"arn:aws:iam::{ACCOUNT}:root")).level == WARN


def test_a_session_is_judged_by_its_role() -> None:
    assert account.principal_of("arn:aws:sts::1:assumed-role/Admin/me") == "arn:aws:iam::1:role/Admin"
    assert account.principal_of("arn:aws:iam::1:user/me") == "arn:aws:iam::1:user/me"


SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"


def test_a_quota_that_is_too_small_is_seen() -> None:
    def judged(quotas: dict[str, float], kind: str = "serverless") -> str:
        return account.check_quotas(Asked(quotas=quotas), kind, "ml.m5.large", 5)[0].level

    assert judged({SERVERLESS: 10.0}) == OK
    assert judged({SERVERLESS: 4.0}) == FAIL
    assert judged({"Number of other things": 0.0}) == WARN
    assert judged({"ml.m5.large for endpoint usage": 0.0}, "realtime") == FAIL
    assert judged({"ml.m5.large for endpoint usage": 5.0}, "realtime") == OK


def test_a_model_in_a_function_needs_rights_of_its_own_and_no_quota_of_sagemaker() -> None:
    stage = Stage("dev", ACCOUNT, REGION)
    names = [resource for resource, _ in account.deploy_actions(stage, "none", "lambda")]
    assert stage.model_arn("verdict-dev-model") in names
    wanted = {action for _, actions in account.deploy_actions(stage, "none", "lambda") for action in actions}
    assert {"lambda:PublishVersion", "lambda:UpdateAlias", "lambda:InvokeFunction"} <= wanted
    assert "lambda:PutFunctionConcurrency" in wanted
    assert account.check_quotas(Asked(quotas={}), "lambda", "", 5)[0].level == OK


def test_a_quota_of_0_for_a_job_is_a_warning_with_its_command() -> None:
    quotas = {SERVERLESS: 10.0, **{name: 0.0 for name in account.JOB_QUOTAS}}
    _, *jobs = account.check_quotas(Asked(quotas=quotas), "serverless", "", 5)
    assert [finding.level for finding in jobs] == [WARN] * 4
    assert "ml.c5.xlarge for transform job usage' is 0, so `make batch` can't start" in jobs[0].sentence
    enough = {SERVERLESS: 10.0, **{name: 1.0 for name in account.JOB_QUOTAS}}
    assert len(account.check_quotas(Asked(quotas=enough), "serverless", "", 5)) == 1


def test_the_quotas_are_those_of_the_commands_own_types() -> None:
    for instance in (batch_plan.INSTANCE_TYPE, train.INSTANCE, notebook_instance.TYPE):
        assert any(name.startswith(f"{instance} for ") for name in account.JOB_QUOTAS)


def test_serverless_inference_is_known_in_some_of_the_image_s_regions() -> None:
    assert settings.check_serverless("serverless", "eu-west-1").level == OK
    unknown = settings.check_serverless("serverless", "ap-southeast-5")
    assert unknown.level == WARN and "ENDPOINT_KIND=realtime" in unknown.fix
    assert settings.check_serverless("realtime", "ap-southeast-5").level == OK
    for region in settings.SERVERLESS_REGIONS:
        assert settings.check_image("ray", region, date(2026, 11, 25)).level == OK


def test_a_role_s_path_is_not_lost() -> None:
    path = "aws-reserved/sso.amazonaws.com/eu-west-1"
    name = "AWSReservedSSO_Admin_0123"
    session = Asked(
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/me",
        role=f"arn:aws:iam::{ACCOUNT}:role/{path}/{name}",
    )
    assert account.find_principal(session) == f"arn:aws:iam::{ACCOUNT}:role/{path}/{name}"
    hidden = Asked(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/me")
    assert account.find_principal(hidden) == f"arn:aws:iam::{ACCOUNT}:role/{name}"


@pytest.mark.parametrize("site, asked", [("cloudfront", True), ("website", False), ("none", False)])
def test_rights_on_cloudfront_are_asked_for_where_the_page_needs_them(site: str, asked: bool) -> None:
    finding = account.check_rights(Asked(denied=["cloudfront:CreateDistribution"]), site)
    assert (finding.level == FAIL) == asked


def test_copies_that_can_t_be_reserved_are_seen() -> None:
    small = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    large = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    assert account.check_concurrency(Asked(limit=small), 5).level == FAIL
    assert account.check_concurrency(Asked(limit=small), None).level == WARN
    assert account.check_concurrency(Asked(limit=large), 10).level == OK


def test_a_model_whose_executions_can_t_be_limited_is_a_warning() -> None:
    small = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    large = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    finding = account.check_concurrency(Asked(limit=small), None, 5)
    assert (finding.level, "5 executions can't be reserved" in finding.sentence) == (WARN, True)
    assert account.check_concurrency(Asked(limit=large), None, 5).level == OK


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    running = AwsServer(tmp_path_factory.mktemp("aws") / "moto.log")
    yield running
    running.stop()


@pytest.fixture
def aws(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Stage dev of an empty account."""
    server.reset()
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(resources, "ROLE_SECONDS", 0)
    return clouds.open_stage("dev")


def levels(found: list[Finding]) -> list[str]:
    return [finding.level for finding in found]


def test_an_empty_account_is_ready(server: AwsServer, aws: Cloud) -> None:
    ran = run_doctor("--json", env=without_account() | server.env)
    found = {one["check"]: one for one in json.loads(ran.stdout)}
    assert [one for one in found.values() if one["level"] == FAIL] == []
    assert ran.returncode == 0
    assert ACCOUNT in found["account"]["sentence"]
    assert found[f"bucket {aws.stage.bucket}"]["level"] == OK


def test_what_a_deploy_made_is_fine_the_next_time(aws: Cloud) -> None:
    resources.ensure_bucket(aws, aws.stage.bucket)
    resources.ensure_role(aws)
    resources.ensure_endpoint_role(aws)
    resources.ensure_function_role(aws, aws.stage.endpoint)
    assert levels(account.check_buckets(aws)) == [OK, OK]
    assert levels(account.check_roles(aws)) == [OK, OK, OK, OK]
    assert "ours" in account.check_buckets(aws)[0].sentence


def test_another_s_bucket_of_our_name_is_seen(aws: Cloud) -> None:
    s3 = aws.client("s3")
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=aws.stage.bucket, CreateBucketConfiguration=place)
    tags = {"TagSet": tag_list({"owner": "somebody"})}
    s3.put_bucket_tagging(Bucket=aws.stage.bucket, Tagging=tags)
    assert levels(account.check_buckets(aws)) == [FAIL, OK]


def test_a_bucket_in_another_region_is_seen(aws: Cloud) -> None:
    place = {"LocationConstraint": "us-west-2"}
    s3 = boto3.client("s3", region_name="us-west-2")
    s3.create_bucket(Bucket=aws.stage.bucket, CreateBucketConfiguration=place)
    first, _ = account.check_buckets(aws)
    assert (first.level, "us-west-2" in first.sentence) == (FAIL, True)


def test_a_role_that_is_not_ours_or_not_trusted_is_seen(aws: Cloud) -> None:
    iam, name = aws.client("iam"), aws.stage.role
    trust = json.dumps(policies.trust(aws.stage, "sagemaker"))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    assert levels(account.check_roles(aws)) == [OK, OK, OK, FAIL]
    iam.tag_role(RoleName=name, Tags=tag_list(aws.stage.tags))
    assert levels(account.check_roles(aws)) == [OK, OK, OK, OK]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policies.trust(aws.stage, "ec2")))
    assert levels(account.check_roles(aws)) == [OK, OK, OK, WARN]
    iam.tag_role(RoleName=name, Tags=tag_list({clouds.TAG_REGION: "us-west-2"}))
    assert levels(account.check_roles(aws)) == [OK, OK, OK, FAIL]


def test_another_s_function_of_our_name_is_seen(aws: Cloud) -> None:
    assert account.check_function(aws).level == OK
    role = aws.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    aws.client("lambda").create_function(
        FunctionName=aws.stage.function,
        Role=role,
        Runtime="python3.13",
        Handler="app.app",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )
    assert account.check_function(aws).level == FAIL
