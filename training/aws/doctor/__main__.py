"""Run every check and print a line a finding: ok, warn or FAIL.

    python -m training.aws.doctor --stage dev
    python -m training.aws.doctor --stage dev --zip         # also builds the Lambda zip and checks it
    python -m training.aws.doctor --json

The exit status is 1 when a finding FAILs. Without credentials, the checks of this machine and of the code
still run. The command changes nothing on AWS.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date

from botocore.exceptions import BotoCoreError, ClientError

from training.aws import cloud as clouds
from training.aws import deploy_flags, hosting, kinds
from training.aws.cloud import Cloud, CloudError
from training.aws.doctor import account, cors, lambda_zip, machine, settings
from training.aws.doctor.findings import FAIL, Check, Finding, run_check


def local_checks(options: argparse.Namespace) -> Iterator[tuple[str, Check]]:
    """Yield the checks that need no account, each with its name."""
    config, stage = settings.read_config(), options.stage
    version = sys.version_info[:2]
    architecture = settings.stage_settings(config, stage).get("lambda_architecture", "x86_64")
    requirements = settings.APP / "requirements.txt"
    region = clouds.region_of(options.region)
    yield "python", lambda: machine.check_python(version)
    yield "wheels", lambda: machine.check_wheels(version, architecture, requirements)
    yield "disk", lambda: machine.check_disk(settings.ROOT)
    yield "links", lambda: settings.check_links(settings.ROOT)
    yield "stage", lambda: settings.check_stage(config, stage)
    yield "timeouts", lambda: settings.check_timeouts(config, stage)
    yield "policy", lambda: settings.check_policy(settings.APP / ".chalice", config, stage)
    yield "model", lambda: settings.check_model(options.model)
    yield "cors", cors.check_cors
    if options.kind != "lambda":
        yield "image", lambda: settings.check_image(options.image, region, date.today())
    yield "serverless", lambda: settings.check_serverless(options.kind, region)
    if options.zip:
        yield "zip", lambda: lambda_zip.check_zip(stage)


def cloud_checks(cloud: Cloud, options: argparse.Namespace) -> Iterator[tuple[str, Check]]:
    """Yield the checks that call AWS, each with its name."""
    count = options.concurrency if options.kind == "serverless" else 1
    yield "account", lambda: account.check_account(cloud)
    yield "rights", lambda: account.check_rights(cloud, options.site, options.kind)
    yield "role", lambda: account.check_roles(cloud)
    yield "bucket", lambda: account.check_buckets(cloud)
    yield "function", lambda: account.check_function(cloud)
    yield (
        "quota",
        lambda: account.check_quotas(cloud, options.kind, options.instance_type, count),
    )
    model = options.concurrency if options.kind == "lambda" else None
    yield "concurrency", lambda: account.check_concurrency(cloud, options.reserved_concurrency, model)


def run_checks(options: argparse.Namespace) -> Iterator[Finding]:
    """Yield every finding, each as soon as it is known."""
    cloud, refusal = None, ""
    try:
        cloud = clouds.open_stage(options.stage, options.region)
    except (CloudError, BotoCoreError, ClientError) as error:
        refusal = clouds.sentence_of(error)
    options.kind = options.kind or kind_of(cloud)
    for name, check in local_checks(options):
        yield from run_check(name, check)
    if cloud is None:
        yield Finding("account", FAIL, refusal)
        return
    for name, check in cloud_checks(cloud, options):
        yield from run_check(name, check)


def kind_of(cloud: Cloud | None) -> str:
    """Return the kind that a deploy would keep; a new stage's where the account does not show one."""
    try:
        return (cloud and kinds.in_use(cloud)) or hosting.KINDS[0]
    except (CloudError, BotoCoreError, ClientError):  # the checks of the account name the reason
        return hosting.KINDS[0]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.aws.doctor",
        description="Check everything that would break a deploy; change nothing.",
    )
    add = parser.add_argument
    clouds.add_flags(parser)
    add("--json", action="store_true", help="print the findings as JSON")
    add("--zip", action="store_true", help="also build the Lambda zip and check it (a minute)")
    deploy_flags.add_shared(parser)
    options = parser.parse_args(arguments)
    deploy_flags.check_choices("doctor", options)
    return options


def main() -> None:
    options = parse()
    with clouds.exit_on_error("doctor"):
        clouds.check_stage(options.stage)
        findings = []
        for finding in run_checks(options):
            findings.append(finding)
            if not options.json:
                print(finding.line(), flush=True)
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    failures = sum(finding.level == FAIL for finding in findings)
    if failures:
        sys.exit(f"doctor: {failures} of {len(findings)} findings would break a deploy")


if __name__ == "__main__":
    main()
