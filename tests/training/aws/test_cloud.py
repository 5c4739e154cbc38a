"""A stage's names, and one sentence for each error of AWS."""

import argparse
import re
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from training.aws import cloud as clouds
from training.aws import function
from training.aws.cloud import CloudError, Stage

STAGE = Stage("dev", "123456789012", "ap-southeast-5")


def error(code: str, message: str = "", operation: str = "CreateModel") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


# --- names --------------------------------------------------------------------------------------


def test_the_names_are_those_that_chalice_and_its_policies_use() -> None:
    for name in function.stages():
        stage = STAGE._replace(name=name)
        configured = function._config()["stages"][name]
        assert configured["environment_variables"]["ENDPOINT_NAME"] == stage.endpoint
        assert stage.function == f"{function._config()['app_name']}-{name}"


@pytest.mark.parametrize("name", ["dev", "a", "a-long-stage"])
def test_every_name_fits_where_it_goes(name: str) -> None:
    stage = STAGE._replace(name=clouds.check_stage(name))
    for bucket in (stage.bucket, stage.site_bucket):
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)
    for one in (*stage.endpoints, stage.function, stage.notebook, stage.role, stage.function_role):
        assert re.fullmatch(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}", one)


@pytest.mark.parametrize("name", ["", "Dev", "1st", "-a", "dev_1", "thirteen-long", "dev/../x", "a b"])
def test_a_stage_that_can_t_be_named_is_refused(name: str) -> None:
    with pytest.raises(CloudError, match="1 to 12 small letters"):
        clouds.check_stage(name)


def test_a_stage_owns_what_carries_all_of_its_tags() -> None:
    assert STAGE.owns({**STAGE.tags, "team": "films"})
    assert not STAGE.owns({})
    assert not STAGE.owns({clouds.TAG_PROJECT: "verdict"})
    assert not STAGE.owns({**STAGE.tags, clouds.TAG_STAGE: "prod"})
    assert not STAGE.owns(STAGE._replace(region="us-east-1").tags)


def test_tags_come_in_three_forms() -> None:
    tags = {"a": "1", "b": "2"}
    assert clouds.tag_map(clouds.tag_list(tags)) == tags
    assert clouds.tag_map([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]) == tags
    assert clouds.tag_map(tags) == tags
    assert clouds.tag_map(None) == {}


# --- flags --------------------------------------------------------------------------------------


def test_the_stage_comes_from_the_flag_or_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*flags: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        clouds.add_flags(parser)
        return parser.parse_args(flags)

    monkeypatch.delenv("STAGE", raising=False)
    assert parse().stage == "dev"
    monkeypatch.setenv("STAGE", "prod")
    assert parse().stage == "prod"
    assert parse("--stage", "test").stage == "test"
    assert (parse().region, parse().dry_run) == (None, False)


# --- new roles ----------------------------------------------------------------------------------

LAGS = (
    "Could not assume role arn:aws:iam::123456789012:role/verdict-dev-endpoint. Please ensure that the role"
    " exists and allows principal 'sagemaker.amazonaws.com' to assume the role.",
    "Could not access model data at s3://b/model.tar.gz. Please ensure that the role exists",
    "The role can't be assumed: sagemaker.amazonaws.com is unable to assume it",
    'No S3 objects found under S3 URL "s3://b/data" given in input data source.',
)


@pytest.mark.parametrize("words", LAGS)
def test_a_role_that_aws_does_not_know_yet_is_waited_for(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "LAG_POLL_SECONDS", 0)
    answers: list[Any] = [error("ValidationException", words)] * 3 + ["made"]
    lines: list[str] = []

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert clouds.once_visible(call, lines.append) == "made"
    assert len(lines) == 1 and words in lines[0]


def test_a_role_that_never_appears_ends_with_aws_s_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "LAG_POLL_SECONDS", 0)
    monkeypatch.setattr(clouds, "LAG_SECONDS", 0.01)

    def call() -> None:
        raise error("ValidationException", LAGS[0])

    with pytest.raises(ClientError) as raised:
        clouds.once_visible(call, lambda line: None)
    assert LAGS[0] in clouds.sentence_of(raised.value)


def test_another_refusal_is_not_tried_again() -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise error("ValidationException", "1 validation error detected")

    with pytest.raises(ClientError):
        clouds.once_visible(call)
    assert calls == [1]


# --- sentences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raised, sentence",
    [
        (NoRegionError(), "no AWS region is set; set one with --region or AWS_REGION"),
        (NoCredentialsError(), "no AWS credentials were found; run `aws configure`, or set AWS_PROFILE"),
        (ProfileNotFound(profile="x"), r"\(x\) could not be found; set AWS_PROFILE to one of"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS can't be reached .*check the network"),
        (error("ExpiredToken"), "credentials have expired; sign in again"),
        (error("InvalidClientTokenId"), "AWS does not know these credentials"),
        (
            error(
                "AccessDenied",
                "User: x is not authorized to perform: iam:CreateRole on resource: arn:y because no policy",
            ),
            "lacks the right iam:CreateRole on arn:y; add it",
        ),
        (
            error("AccessDenied", "Your account must be verified", "CreateDistribution"),
            r"^AWS refused CreateDistribution: Your account must be verified \(AccessDenied\)$",
        ),
        (
            MissingDependencyException(msg="Using the login provider requires botocore[crt]."),
            r"requires botocore\[crt\]; run `.*python.* -m pip install 'botocore\[crt\]'`",
        ),
        (error("AccessDenied", "Access Denied", "PutBucketPolicy"), r"no right to PutBucketPolicy \(AccessD"),
        (error("ResourceLimitExceeded", "0 Instances"), "the account's quota is used up .*0 Instances"),
        (
            error("BucketAlreadyExists", operation="CreateBucket"),
            "another account has this name .*another --stage",
        ),
        (
            error("ValidationException", "1 error"),
            r"AWS refused CreateModel: 1 error \(ValidationException\)",
        ),
        (CloudError("as it is"), "^as it is$"),
    ],
)
def test_what_went_wrong_is_one_sentence_with_a_way_out(raised: Exception, sentence: str) -> None:
    found = clouds.sentence_of(raised)
    assert re.search(sentence, found), found
    assert "\n" not in found
    with pytest.raises(SystemExit) as ended, clouds.exit_on_error("deploy"):
        raise raised
    assert ended.value.code == f"deploy: {found}"


def test_an_interruption_says_how_to_go_on() -> None:
    with pytest.raises(SystemExit, match="^deploy: interrupted; run it again to go on, or `make destroy`"):
        with clouds.exit_on_error("deploy"):
            raise KeyboardInterrupt


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), clouds.exit_on_error("deploy"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(
    "raised, missing",
    [
        (error("ValidationException", "Could not find endpoint 'x'."), True),
        (error("ValidationException", "RecordNotFound"), True),
        (error("ResourceNotFoundException"), True),
        (error("404", "Not Found"), True),
        (error("ValidationException", "1 validation error detected"), False),
        (error("AccessDenied", "not found"), False),
    ],
)
def test_what_is_not_there_is_told_from_what_went_wrong(raised: ClientError, missing: bool) -> None:
    assert clouds.is_missing(raised) == missing


def test_without_a_region_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(SystemExit, match="no AWS region is set"), clouds.exit_on_error("status"):
        clouds.open_stage("dev")
