""".chalice/: the resources of a deploy, and the Lambda's permissions."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.api import FOLDER
from tests.support.stack import ROOT

CONFIG = json.loads((FOLDER / ".chalice/config.json").read_text(encoding="utf-8"))


def test_the_stages_are_dev_prod_and_the_one_of_tests() -> None:
    assert CONFIG["stages"].keys() == {"dev", "prod", "test"}
    assert (CONFIG["app_name"], CONFIG["api_gateway_endpoint_type"]) == ("verdict", "REGIONAL")
    assert (CONFIG["lambda_memory_size"], CONFIG["lambda_timeout"]) == (512, 25)
    assert CONFIG["autogen_policy"] is False


@pytest.mark.parametrize("stage", ["dev", "prod", "test"])
def test_nothing_of_local_mode_is_deployed(stage: str) -> None:
    assert CONFIG["stages"][stage]["environment_variables"] == {"ENDPOINT_NAME": f"verdict-{stage}"}
    assert "environment_variables" not in CONFIG
    assert not re.search("127.0.0.1|localhost|AWS_|VERDICT_LOCAL", json.dumps(CONFIG))


@pytest.mark.parametrize("stage", ["dev", "prod", "test"])
def test_the_lambda_may_ask_its_endpoint_and_write_its_log_and_nothing_else(stage: str) -> None:
    policy = json.loads((FOLDER / ".chalice" / CONFIG["stages"][stage]["iam_policy_file"]).read_text())
    ask, log = policy["Statement"]
    assert ask["Action"] == "sagemaker:InvokeEndpoint"
    assert ask["Resource"] == f"arn:aws:sagemaker:*:*:endpoint/verdict-{stage}"
    assert set(log["Action"]) == {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    group = f"arn:aws:logs:*:*:log-group:/aws/lambda/verdict-{stage}"
    assert log["Resource"] == [group, group + ":*"]


def pins(path: Path) -> dict[str, str]:
    """Return the pins of a requirements file; fail on a requirement without a pin."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if re.match("[a-z]", line)]
    return dict(line.removesuffix(" \\").split("==") for line in lines)  # type: ignore[misc]


def test_the_lambda_carries_what_the_endpoint_s_package_pins() -> None:
    own, endpoint = (pins(path) for path in (FOLDER / "requirements.txt", ROOT / "requirements/endpoint.txt"))
    shared = own.keys() & endpoint.keys()
    assert shared >= {"beautifulsoup4", "nltk"}  # they turn a text into ids
    assert {name: own[name] for name in shared} == {name: endpoint[name] for name in shared}


def test_the_lambda_s_requirements_hold_all_that_is_needed_and_no_numpy() -> None:
    names = pins(FOLDER / "requirements.txt").keys()
    assert {"beautifulsoup4", "nltk"} <= names
    assert not names & {"numpy", "onnxruntime", "boto3"}
    needed = [
        re.split("[<>=;! ]", one)[0]
        for name in names
        for one in metadata.requires(name) or []
        if "extra ==" not in one and "sys_platform" not in one and "platform_system" not in one
    ]
    assert set(needed) - {"colorama"} <= names
