"""Schemathesis finds no failure in the running app; `make torture` runs thousands of cases."""

from pathlib import Path

from tests.support.faulty_stack import FaultyStack
from tests.support.lambda_emulator import EmulatorMissing, emulator
from tests.support.missing import skip_or_fail
from tests.torture.api import KEY, OF_THE_APP, WITH_KEY, behind_gateway, check, local

EXAMPLES = 20


def test_every_route_keeps_to_the_document() -> None:
    with local() as url:
        report = check(url, EXAMPLES, seed=7)
    assert report.failures == []
    assert report.cases > 150 and report.operations > 4


def test_every_route_keeps_to_the_document_where_keys_are_asked_for() -> None:
    with local(**WITH_KEY) as url:
        report = check(url, EXAMPLES, 8, "-H", f"X-Api-Key: {KEY}")
    assert report.failures == []


def test_an_api_that_fails_is_found_out(faulty: FaultyStack) -> None:
    faulty.endpoint.switch("500")
    report = check(faulty.api, 1, 9)
    assert any("Server error" in failure for failure in report.failures)


def test_the_lambda_zip_keeps_to_the_document(tmp_path: Path) -> None:
    try:
        emulator()
    except EmulatorMissing as error:
        skip_or_fail(str(error))
    with behind_gateway(tmp_path) as url:
        report = check(url, EXAMPLES, 7, "--exclude-checks", OF_THE_APP)
    assert report.failures == []
    assert report.cases > 150
