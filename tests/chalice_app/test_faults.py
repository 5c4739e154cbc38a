"""For every fault of the endpoint, the app answers in time with a problem and never invents a verdict."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.faulty_endpoint import FAULTS, REFUSED
from tests.support.faulty_stack import ENDPOINT_SECONDS, FaultyStack

pytestmark = pytest.mark.slow

REVIEW = "A warm, funny film with a splendid canary. I would watch it again!"
# The endpoint's time, a connection's second, a pause before a second try, and a busy machine's slowness.
LIMIT_SECONDS = float(ENDPOINT_SECONDS) + 6
ERROR, BUSY = (502, "endpoint_error"), (503, "endpoint_busy")
GONE, LATE = (503, "endpoint_unavailable"), (504, "endpoint_timeout")
UNUSABLE = (502, "bad_endpoint_answer")
EXPECTED = {
    "400": ERROR,
    "429": BUSY,
    "429 not ready": (503, "endpoint_waking"),
    "500": ERROR,
    "503": BUSY,
    "503 not ready": (503, "endpoint_waking"),
    "530": ERROR,
    "424 after 400": (502, "version_mismatch"),
    "424 after 404": ERROR,
    "424 after 409": (502, "vocabulary_mismatch"),
    "424 after 413": ERROR,
    "424 after 415": ERROR,
    "424 after 429": BUSY,
    "424 after 500": ERROR,
    "424 after 502": ERROR,
    "424 after 503": BUSY,
    "424 after 504": LATE,
    "424 and no more": ERROR,
    "424 timed out": LATE,
    "no endpoint": GONE,
    "no rights": (500, "misconfigured"),
    REFUSED: GONE,
    "reset": ERROR,
    "hangs up": ERROR,
    "no HTTP": ERROR,
    "never answers": LATE,
    "slow headers": LATE,
    "slow drip": LATE,
    "truncated": UNUSABLE,
    "cut short": ERROR,
    "empty": UNUSABLE,
    "no JSON": UNUSABLE,
    "other JSON": UNUSABLE,
    "HTML": UNUSABLE,
    "HTML 502": ERROR,
    "10 MB": UNUSABLE,
    "NaN": UNUSABLE,
    "infinity": UNUSABLE,
    "an answer too few": UNUSABLE,
    "a word too few": UNUSABLE,
    "a sentence too few": UNUSABLE,
    "no sentences": UNUSABLE,
    "an effect that is none": UNUSABLE,
    "nothing without a sentence": UNUSABLE,
    "probability and logit disagree": UNUSABLE,
    "another vocabulary": (502, "vocabulary_mismatch"),
    "an older version": (502, "version_mismatch"),
}
# What passes by itself, so that the app asks once more before it gives up.
BROKEN = {"reset", "hangs up", "no HTTP", "cut short"}  # the connection is, so that another may do
PASSING = ["429", "500", "503", "530", "reset", "hangs up"]
# Faults of verdicts only: these leave the card as it is, or give it an answer of its own.
OF_CARDS = EXPECTED.keys() - {
    "a word too few",
    "a sentence too few",
    "no sentences",
    "an effect that is none",
    "nothing without a sentence",
    "probability and logit disagree",
    "another vocabulary",
    "an older version",
}
ASKED = {
    "/v1/sentiment": {"review": REVIEW, "explain": "words"},
    "/v1/sentiment/batch": {"reviews": [{"review": REVIEW}, {"review": "Dull."}], "explain": "words"},
}


def ask(stack: FaultyStack, route: str) -> httpx.Response:
    return httpx.post(stack.api + route, json=ASKED[route], timeout=LIMIT_SECONDS, trust_env=False)


def without_id(answer: httpx.Response) -> dict[str, Any]:
    """Return an answer without its request id."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}


def test_every_fault_is_expected_to_end_somehow() -> None:
    assert EXPECTED.keys() == {REFUSED, *FAULTS}


@pytest.mark.parametrize("route", ASKED)
@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_is_a_problem_in_time_and_the_next_request_is_fine(
    fault: str, route: str, faulty: FaultyStack
) -> None:
    good = without_id(ask(faulty, route))
    printed = len(faulty.log)
    faulty.endpoint.switch(fault)
    answer = ask(faulty, route)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == EXPECTED[fault]
    assert answer.headers["content-type"] == "application/problem+json"
    assert not problem.keys() & {"sentiment", "probability", "answers"}
    assert ("retry-after" in answer.headers) == (answer.status_code in (503, 504) or fault in BROKEN)
    faulty.heal()
    after = ask(faulty, route)
    assert (after.status_code, without_id(after)) == (200, good)
    output = answer.text + str(answer.headers) + "".join(faulty.log[printed:])
    for leak in ("internalcanary", "/opt/ml", "Traceback", "canary", "botocore"):
        assert leak not in output


@pytest.mark.parametrize("route", ["/v1/model", "/v1/health"])
@pytest.mark.parametrize("fault", sorted(OF_CARDS))
def test_a_fault_is_no_card_and_no_health(fault: str, route: str, faulty: FaultyStack) -> None:
    faulty.endpoint.switch(fault)
    answer = httpx.get(faulty.api + route, timeout=LIMIT_SECONDS, trust_env=False)
    status, code = EXPECTED[fault]
    assert (answer.status_code, answer.json()["code"]) == (status if route == "/v1/model" else 503, code)
    assert "internalcanary" not in answer.text


def test_a_card_of_another_vocabulary_is_given_as_it_is_and_is_no_health(faulty: FaultyStack) -> None:
    faulty.endpoint.switch("another vocabulary")
    card, health = (httpx.get(f"{faulty.api}/v1/{name}", trust_env=False) for name in ("model", "health"))
    assert (card.status_code, card.json()["vocabulary"]) == (200, "0" * 16)
    assert (health.status_code, health.json()["code"]) == (503, "vocabulary_mismatch")


def test_an_older_endpoint_gives_its_card_and_no_health(faulty: FaultyStack) -> None:
    faulty.endpoint.switch("an older version")
    card, health = (httpx.get(f"{faulty.api}/v1/{name}", trust_env=False) for name in ("model", "health"))
    assert (card.status_code, card.json()["vocabulary"]) == (200, "0" * 16)
    assert (health.status_code, health.json()["code"]) == (503, "vocabulary_mismatch")
    assert "deploy both from one version" in health.json()["detail"]


@pytest.mark.parametrize("route", ASKED)
@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_by_itself_is_not_noticed(fault: str, route: str, faulty: FaultyStack) -> None:
    good = without_id(ask(faulty, route))
    faulty.endpoint.switch(fault, times=1)
    answer = ask(faulty, route)
    assert (answer.status_code, without_id(answer)) == (200, good)


@pytest.fixture(scope="module")
def asleep() -> Iterator[FaultyStack]:
    """The same app in front of a serverless endpoint, which has not answered yet."""
    running = FaultyStack(ENDPOINT_KIND="serverless")
    yield running
    running.stop()


def test_a_serverless_endpoint_wakes_at_its_first_silence_and_is_too_slow_at_a_later_one(
    asleep: FaultyStack,
) -> None:
    asleep.endpoint.switch("never answers")
    for _ in range(2):
        answer = ask(asleep, "/v1/sentiment")
        assert (answer.status_code, answer.json()["code"]) == (503, "endpoint_waking")
        assert answer.headers["retry-after"] == "5"
    asleep.heal()
    assert ask(asleep, "/v1/sentiment").status_code == 200
    asleep.endpoint.switch("never answers")
    answer = ask(asleep, "/v1/sentiment")
    assert (answer.status_code, answer.json()["code"]) == LATE


def test_a_fault_is_switched_over_http_too(faulty: FaultyStack) -> None:
    control = faulty.endpoint.control
    assert httpx.put(control, content="503", trust_env=False).json() == {"fault": "503"}
    assert ask(faulty, "/v1/sentiment").status_code == 503
    assert httpx.put(control, content="none such", trust_env=False).status_code == 404
    assert httpx.get(control, trust_env=False).json()["fault"] == "503"
    httpx.put(control, content="fine", trust_env=False)
    assert ask(faulty, "/v1/sentiment").status_code == 200
