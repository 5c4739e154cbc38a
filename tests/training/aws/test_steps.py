"""The steps of a deploy, as a person reads them."""

import pytest

from training.aws import cloud as clouds
from training.aws import deploy
from training.aws.deploy import Deployed
from training.aws.steps import Steps


def test_a_step_says_what_it_waits_for_and_its_seconds() -> None:
    lines: list[str] = []
    with Steps(lines.append, "then").step("endpoint", "AWS needs minutes"):
        lines.append("endpoint verdict-dev: Creating")
    assert lines == [
        "endpoint: AWS needs minutes",
        "endpoint verdict-dev: Creating",
        "endpoint: done in 0.0 s",
    ]


def test_ctrl_c_in_a_step_ends_in_one_line_that_says_what_to_do() -> None:
    with pytest.raises(SystemExit) as ended, clouds.exit_on_error("deploy"):
        with Steps(lambda line: None, deploy.THEN).step("page"):
            raise KeyboardInterrupt
    assert ended.value.code == (
        "deploy: stopped at 'page'; the same command goes on from there, `make destroy` removes what is made"
    )


def test_an_error_in_a_step_stays_as_it_is() -> None:
    with pytest.raises(clouds.CloudError, match="^no$"), Steps(lambda line: None, "").step("page"):
        raise clouds.CloudError("no")


@pytest.mark.parametrize("stage, named", [("dev", "`make status`"), ("prod", "`make destroy STAGE=prod`")])
def test_a_deploy_ends_with_what_to_do_next(stage: str, named: str) -> None:
    deployed = Deployed("verdict-dev", "m", "0" * 64, "https://x.example/api/", None)
    text = deploy.ending(deployed, deploy.parse(["--stage", stage]))
    assert named in text and "https://x.example/api/v1/sentiment" in text


@pytest.mark.parametrize("wants_key", [False, True])
def test_the_command_to_try_has_a_place_for_the_key_where_one_is_wanted(
    wants_key: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "verdict_secret")
    deployed = Deployed("verdict-dev", "m", "0" * 64, "https://x.example/api/", None, wants_key)
    text = deploy.ending(deployed, deploy.parse([]))
    assert ("-H 'X-Api-Key: YOUR_KEY' -d " in text) == wants_key
    assert "verdict_secret" not in text
