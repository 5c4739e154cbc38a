"""A stage on AWS: its names and tags, the clients that call AWS, and sentences for AWS's errors.

Everything that a deploy creates carries the stage's tags and a name that starts with ``verdict-STAGE``. So
status and destroy need only an account and a region.
"""

import functools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from training.aws.flags import STAGE as STAGE
from training.aws.flags import add_flags as add_flags

PROJECT = "verdict"
# A bucket's name, with account and region in it, has at most 63 characters.
_STAGE = re.compile(r"[a-z][a-z0-9-]{0,11}")
TAG_PROJECT, TAG_STAGE, TAG_REGION = "verdict:project", "verdict:stage", "verdict:region"
Answer = TypeVar("Answer")
CONNECT_SECONDS, READ_SECONDS, TRIES = 10, 60, 5


class CloudError(Exception):
    """A command can't do its work; the message gives the reason and a remedy."""


class Stopped(KeyboardInterrupt):
    """A person stopped a command; the message gives the step and what to do next."""


class Stage(NamedTuple):
    """One deployment in one account and region, with the names of all its resources.

    >>> Stage("dev", "123456789012", "eu-west-1").bucket
    'verdict-dev-123456789012-eu-west-1'
    """

    name: str
    account: str
    region: str
    partition: str = "aws"

    @property
    def prefix(self) -> str:
        """The start of every name of this stage."""
        return f"{PROJECT}-{self.name}"

    @property
    def bucket(self) -> str:
        """The bucket for packages, training data, batches and results."""
        return f"{self.prefix}-{self.account}-{self.region}"

    @property
    def site_bucket(self) -> str:
        """The bucket for the page."""
        return f"{self.prefix}-site-{self.account}-{self.region}"

    @property
    def role(self) -> str:
        """The role of SageMaker's jobs and the notebook."""
        return f"{self.prefix}-sagemaker"

    @property
    def endpoint_role(self) -> str:
        """The role of the endpoint's container, which answers all callers of the API."""
        return f"{self.prefix}-endpoint"

    @property
    def adapt_role(self) -> str:
        """The role of the jobs that adapt the model; it may read the running jobs' files of reviews."""
        return f"{self.prefix}-adapt"

    def role_arn_of(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    @property
    def role_arn(self) -> str:
        return self.role_arn_of(self.role)

    @property
    def endpoint(self) -> str:
        """The SageMaker endpoint; chalice_app/.chalice/config.json names the same one."""
        return self.prefix

    @property
    def endpoints(self) -> tuple[str, str]:
        """The endpoint's two names. A deploy with another vocabulary switches from one to the other."""
        return self.endpoint, f"{self.endpoint}-2"

    def endpoint_arn(self, endpoint: str) -> str:
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:endpoint/{endpoint}"

    @property
    def model_function(self) -> str:
        """The Lambda function that holds the model, for ENDPOINT_KIND=lambda."""
        return f"{self.prefix}-model"

    @property
    def model_aliases(self) -> tuple[str, str]:
        """The two names by which the API's function calls it; a deploy of another vocabulary switches."""
        return f"{self.model_function}:live", f"{self.model_function}:live-2"

    def model_arn(self, alias: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{alias}"

    @property
    def model_role(self) -> str:
        """The role of the function that holds the model."""
        return self.model_function

    @property
    def model_log(self) -> str:
        return f"/aws/lambda/{self.model_function}"

    @property
    def function(self) -> str:
        """The Lambda function, by the name that Chalice gives it."""
        return self.prefix

    @property
    def function_arn(self) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.function}"

    @property
    def function_role(self) -> str:
        """The role of the Lambda function."""
        return f"{self.prefix}-function"

    @property
    def notebook(self) -> str:
        """The notebook instance and its lifecycle configuration."""
        return f"{self.prefix}-notebook"

    @property
    def function_log(self) -> str:
        return f"/aws/lambda/{self.function}"

    def endpoint_log(self, endpoint: str) -> str:
        return f"/aws/sagemaker/Endpoints/{endpoint}"

    def log_arn(self, group: str) -> str:
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{group}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource. They name the region, since roles, pages and budgets have none."""
        return {TAG_PROJECT: PROJECT, TAG_STAGE: self.name, TAG_REGION: self.region}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Return whether a resource with these tags belongs to this stage."""
        return all(tags.get(key) == value for key, value in self.tags.items())


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form that most services expect.

    >>> tag_list({"a": "b"})
    [{'Key': 'a', 'Value': 'b'}]
    """
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Sequence[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Return tags as a mapping, from any form that a service sends.

    >>> tag_map([{"Key": "a", "Value": "b"}])
    {'a': 'b'}
    """
    if isinstance(tags, Mapping):
        return dict(tags)
    return {tag.get("Key") or tag["key"]: tag.get("Value") or tag.get("value", "") for tag in tags or ()}


class Cloud:
    """A stage together with the clients that call AWS for it; each client is created on first use."""

    def __init__(self, stage: Stage, session: Any) -> None:
        self.stage, self.session = stage, session
        self.client = functools.cache(self._client)

    def _client(self, service: str, region: str | None = None) -> Any:
        return make_client(self.session, service, region)


def make_client(session: Any, service: str, region: str | None = None) -> Any:
    """Create a boto3 client with our timeouts and our number of tries."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        user_agent_extra=PROJECT,
    )
    return session.client(service, region_name=region, config=config)


def open_stage(name: str, region: str | None = None) -> Cloud:
    """Look up the caller's account and return the stage in it. Raises CloudError and botocore's errors."""
    check_stage(name)
    session = boto3.session.Session(region_name=region_of(region))
    if not session.region_name:
        raise NoRegionError
    caller = make_client(session, "sts").get_caller_identity()
    partition = caller["Arn"].split(":")[1]
    return Cloud(Stage(name, caller["Account"], session.region_name, partition), session)


def region_of(flag: str | None) -> str | None:
    """Return the region: the flag's, AWS_REGION's (which boto3 does not read), or the profile's."""
    region = flag or os.environ.get("AWS_REGION") or boto3.session.Session().region_name
    return None if region is None else str(region)


def check_stage(name: str) -> str:
    """Return the stage's name. Raises CloudError when it is not valid."""
    if not _STAGE.fullmatch(name):
        raise CloudError(
            f"a stage's name has 1 to 12 small letters, digits and hyphens, got {name[:20]!r}; try dev"
        )
    return name


def check_choices(command: str, **values: tuple[str, Sequence[str]]) -> None:
    """Exit with one sentence when a variable holds an unknown choice: argparse checks flags alone."""
    for variable, (value, choices) in values.items():
        if value not in choices:
            sys.exit(f"{command}: {variable} must be one of {', '.join(choices)}, got {value[:20]!r}")


# --- new roles and rights -------------------------------------------------------------------------

# AWS's services learn of a new role, or of its new rights, some seconds after IAM. Terraform waits as long.
LAG_SECONDS, LAG_POLL_SECONDS = 120, 5.0
_LAG = re.compile(
    r"could not (assume|access)|(cannot|can't|unable to) (be )?assume|no s3 objects|not authorized to assume",
    re.IGNORECASE,
)


# S3 says so while it still works on a bucket that was deleted, or created, moments ago.
_BUSY = ("OperationAborted",)


def once_visible(call: Callable[[], Answer], say: Callable[[str], None] = print) -> Answer:
    """Call AWS, and again for LAG_SECONDS while it has not caught up with a role, its rights or a bucket.

    Raises botocore's errors.
    """
    deadline, waiting = time.monotonic() + LAG_SECONDS, False
    while True:
        try:
            return call()
        except ClientError as error:
            late = code_of(error) in _BUSY or _LAG.search(words_of(error))
            if not late or time.monotonic() > deadline:
                raise
            if not waiting:
                say(f"AWS has not caught up yet ({words_of(error)}); trying for {LAG_SECONDS} s")
            waiting = True
        time.sleep(LAG_POLL_SECONDS)


# --- errors -------------------------------------------------------------------------------------

_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_UNKNOWN = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
)
_DENIED = (
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "OptInRequired",
    "SubscriptionRequiredException",
    "UnauthorizedOperation",
)
_QUOTA = (
    "ResourceLimitExceeded",
    "LimitExceededException",
    "LimitExceeded",
    "ServiceQuotaExceededException",
)
_TAKEN = ("BucketAlreadyExists",)
MISSING = (
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchBucketPolicy",
    "NoSuchTagSet",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ObjectNotFoundException",
    "NoSuchDistribution",
    "NoSuchOriginAccessControl",
)
_NOT_THERE = ("could not find", "not found", "recordnotfound", "not exist", "no scalable target")
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)(?: on resource:? (\S+))?")


@contextmanager
def exit_on_error(command: str) -> Iterator[None]:
    """Exit with one sentence instead of a traceback when AWS or our own checks refuse something."""
    try:
        yield
    except (CloudError, BotoCoreError, Boto3Error, ClientError) as error:
        sys.exit(f"{command}: {sentence_of(error)}")
    except KeyboardInterrupt as error:
        then = "interrupted; run it again to go on, or `make destroy` to remove everything"
        sys.exit(f"{command}: {error if isinstance(error, Stopped) else then}")


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: ClientError) -> bool:
    """Return whether AWS answered that a resource does not exist.

    SageMaker then sends a ValidationException, whose words differ from call to call.
    """
    message = str(error.response.get("Error", {}).get("Message", "")).lower()
    by_words = any(words in message for words in _NOT_THERE)
    return code_of(error) in MISSING or (by_words and code_of(error).startswith("Validation"))


def is_denied(error: ClientError) -> bool:
    """Return whether AWS refused a call for want of a right."""
    return code_of(error) in _DENIED


def words_of(error: ClientError) -> str:
    """Return the first line of AWS's own words, or its code where it said nothing."""
    return _first_line(str(error.response.get("Error", {}).get("Message", ""))) or code_of(error)


def sentence_of(error: Exception) -> str:
    """Return one sentence with an error's reason and a remedy."""
    if isinstance(error, NoRegionError):
        return "no AWS region is set; set one with --region or AWS_REGION"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "no AWS credentials were found; run `aws configure`, or set AWS_PROFILE"
    if isinstance(error, ProfileNotFound):
        return f"{error}; set AWS_PROFILE to one of `aws configure list-profiles`"
    if isinstance(error, MissingDependencyException):
        # botocore reads the credentials of `aws login` with this package alone.
        return f"{str(error).rstrip('.')}; run `{sys.executable} -m pip install 'botocore[crt]'`"
    if isinstance(error, EndpointConnectionError):
        return f"AWS can't be reached ({error}); check the network and the region"
    if isinstance(error, ClientError):
        return _sentence_of_answer(error)
    return str(error)


def _sentence_of_answer(error: ClientError) -> str:
    code, message = code_of(error), words_of(error)
    refusal = f"{error.operation_name}: {message}"
    if code in _EXPIRED:
        return "the AWS credentials have expired; sign in again (`aws sso login`, or new keys)"
    if code in _UNKNOWN:
        return "AWS does not know these credentials; check AWS_PROFILE, or the keys"
    if code in _DENIED:
        match = _ACTION.search(message)
        if match:
            resource = f" on {match[2]}" if match[2] else ""
            return f"your AWS user lacks the right {match[1]}{resource}; add it and run this again"
        if message in ("Access Denied", "Forbidden", code):
            return f"your AWS user has no right to {error.operation_name} ({code}); add it and run this again"
        return f"AWS refused {refusal} ({code})"
    if code in _QUOTA:
        return f"the account's quota is used up ({refusal}); raise it at Service Quotas, or choose another"
    if code in _TAKEN:
        return f"another account has this name ({refusal}); use another --stage"
    return f"AWS refused {refusal} ({code})"


def _first_line(message: str) -> str:
    """Return a message's first line; empty for a page of HTML."""
    lines = message.strip().splitlines() or [""]
    return "" if lines[0].startswith("<") else lines[0][:300]
