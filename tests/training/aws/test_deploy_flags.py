"""A deploy's flags and variables, without an account."""

import re
from types import ModuleType

import pytest

from training.aws import deploy
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


def test_a_variable_that_is_no_url_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BESIDE_API_URL", "other.example")
    with pytest.raises(SystemExit, match="^deploy: BESIDE_API_URL: the API's URL looks like http"):
        deploy.parse([])
    assert capsys.readouterr() == ("", "")
