"""A deploy's flags and variables, without an account."""

import re
from types import ModuleType

import pytest

from training.aws import deploy, images
from training.aws.doctor import __main__ as doctor


@pytest.mark.parametrize("command", [deploy, doctor], ids=["deploy", "doctor"])
@pytest.mark.parametrize(
    "variable, value", [("ENDPOINT_KIND", "Serverless"), ("IMAGE", "foo"), ("SITE", "foo")]
)
def test_a_variable_that_names_no_choice_is_refused_in_one_sentence(
    command: ModuleType,
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        command.parse([])
    assert re.fullmatch(rf"(deploy|doctor): {variable} must be one of .*, got '{value}'", str(ended.value))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", [deploy, doctor], ids=["deploy", "doctor"])
def test_an_image_may_be_an_address_in_ecr(command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE", images.OWN_EXAMPLE)
    assert command.parse([]).image == images.OWN_EXAMPLE


def test_a_flag_that_names_no_image_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        deploy.parse(["--image", "docker.io/verdict:1"])
    assert ended.value.code == (
        "deploy: IMAGE must be one of sklearn, ray, pytorch, or your own image's address like"
        " 123456789012.dkr.ecr.eu-west-1.amazonaws.com/verdict:1, got 'docker.io/verdict:1'"
    )
    assert capsys.readouterr() == ("", "")


def test_a_variable_that_is_no_url_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BESIDE_API_URL", "other.example")
    with pytest.raises(SystemExit, match="^deploy: BESIDE_API_URL: the API's URL looks like http"):
        deploy.parse([])
    assert capsys.readouterr() == ("", "")
