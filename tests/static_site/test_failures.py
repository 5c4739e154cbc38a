"""Each way in which API or endpoint can fail, as the page shows it: what to do, and never a verdict."""

import hashlib
import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.chalice_app.test_faults import EXPECTED
from tests.static_site.conftest import Visit
from tests.static_site.review_page import ask, chosen, expect_answer, send
from tests.support.accessibility import violations
from tests.support.faulty_stack import FaultyStack
from tests.support.stack import Stack

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
SECONDS = 15_000  # Playwright counts in milliseconds


def expect_error(page: Page, code: str) -> None:
    expect(page.locator("#error")).to_have_attribute("data-code", code, timeout=SECONDS)
    assert page.locator("#verdict").count() == 0


def problem(stack: Stack, page: Page, status: int, code: str, **headers: str) -> list[int]:
    """Fulfil requests with this problem; return a list that grows with each request."""
    expect_answer(page)  # so that the request for the example is not counted
    asked: list[int] = []
    message = {
        "type": "about:blank", "title": "A title", "status": status, "code": code, "detail": "A detail.",
        "request_id": "r-1",
    }  # fmt: skip
    shown = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}

    def refuse(route: Route) -> None:
        asked.append(status)
        route.fulfill(
            status=status,
            content_type="application/problem+json",
            body=json.dumps(message),
            headers=shown | {name.replace("_", "-"): value for name, value in headers.items()},
        )

    page.route(f"{stack.api}/v1/sentiment", refuse)
    return asked


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_of_the_endpoint_is_shown_and_keeps_the_text(
    visit: Visit, faulty: FaultyStack, fault: str
) -> None:
    page = visit(site=faulty.page)
    faulty.endpoint.switch(fault)
    send(page, GOOD)
    status, code = EXPECTED[fault]
    expect_error(page, code)
    error = page.locator("#error")
    expect(error).to_have_attribute("data-status", str(status))
    expect(error.locator("#error-title")).not_to_be_empty()
    expect(error.locator("#error-advice")).not_to_be_empty()
    assert "internalcanary" not in (page.content())
    expect(page.locator("#review")).to_have_value(GOOD)
    faulty.heal()
    page.locator("#retry").click()
    expect_answer(page)


def test_a_waking_model_is_waited_for_and_answers_by_itself(visit: Visit, faulty: FaultyStack) -> None:
    page = visit(site=faulty.page)
    faulty.endpoint.switch("503 not ready")
    send(page, GOOD)
    expect_error(page, "endpoint_waking")
    expect(page.locator("#waking-words")).to_contain_text("Trying again in")
    expect(page.locator("#waking-progress")).to_be_visible()
    assert violations(page) == []
    faulty.heal()
    expect_answer(page)
    expect(page.locator("#verdict")).to_have_text("Positive")


def test_the_waiting_can_be_given_up(visit: Visit, faulty: FaultyStack) -> None:
    page = visit(site=faulty.page)
    faulty.endpoint.switch("503 not ready")
    send(page, GOOD)
    expect_error(page, "endpoint_waking")
    page.locator("#give-up").click()
    expect(page.locator("#waking")).to_be_hidden()
    expect(page.locator("#retry")).to_be_focused()
    calls = faulty.endpoint.calls
    page.wait_for_timeout(6_000)  # longer than the pause before a try
    assert faulty.endpoint.calls == calls


def test_typing_ends_the_waiting(visit: Visit, stack: Stack) -> None:
    page = visit(**chosen(stack.page, live=False))
    asked = problem(stack, page, 503, "endpoint_waking", Retry_After="1")
    send(page, GOOD)
    expect_error(page, "endpoint_waking")
    page.locator("#review").press("End")
    page.locator("#review").press_sequentially(" More.")
    expect(page.locator("#waking")).to_be_hidden()
    count = len(asked)
    page.wait_for_timeout(2_000)  # longer than the pause before a try
    assert len(asked) == count


def test_tries_by_itself_that_fail_alike_are_read_out_once(page: Page, stack: Stack) -> None:
    asked = problem(stack, page, 503, "endpoint_waking", Retry_After="1")
    send(page, GOOD)
    expect_error(page, "endpoint_waking")
    alert = page.locator("#error").element_handle()
    for _ in range(150):
        if len(asked) >= 3:
            break
        page.wait_for_timeout(100)
    assert len(asked) >= 3
    assert page.evaluate("node => node.isConnected", alert)


@pytest.mark.parametrize("named", ["0", "-5", "0.001"])
def test_an_api_that_names_no_real_pause_is_not_flooded(page: Page, stack: Stack, named: str) -> None:
    asked = problem(stack, page, 503, "endpoint_waking", Retry_After=named)
    send(page, GOOD)
    expect_error(page, "endpoint_waking")
    page.wait_for_timeout(3_500)
    assert 1 <= len(asked) <= 3


def test_a_pause_of_years_is_not_counted_down(page: Page, stack: Stack) -> None:
    problem(stack, page, 429, "too_many_requests", Retry_After="99999999")
    send(page, GOOD)
    expect_error(page, "too_many_requests")
    expect(page.locator("#retry")).to_contain_text("3,600")


def test_too_many_requests_are_counted_down(page: Page, stack: Stack) -> None:
    asked = problem(stack, page, 429, "too_many_requests", Retry_After="2")
    send(page, GOOD)
    expect_error(page, "too_many_requests")
    expect(page.locator("#retry")).to_be_disabled()
    expect(page.locator("#retry")).to_contain_text("second")
    expect(page.locator("#retry")).to_be_enabled(timeout=SECONDS)
    expect(page.locator("#retry")).to_have_text("Try again")
    assert len(asked) == 1
    page.unroute(f"{stack.api}/v1/sentiment")
    page.locator("#retry").click()
    expect_answer(page)


def test_an_error_is_named_on_top_for_those_who_type_far_below(visit: Visit, stack: Stack) -> None:
    page = visit(viewport={"width": 320, "height": 500})
    ask(page, GOOD)
    problem(stack, page, 502, "endpoint_failed")
    page.locator("#privacy").scroll_into_view_if_needed()
    page.locator("#review").fill(BAD)
    expect_error(page, "endpoint_failed")
    page.locator("#privacy").scroll_into_view_if_needed()
    expect(page.locator("#bar")).to_be_visible()
    title = page.locator("#error-title").text_content() or "-"
    expect(page.locator("#bar")).to_contain_text(f"No verdict {title}")
    expect(page.locator("#bar-meter")).to_be_hidden()
    assert "%" not in page.locator("#bar").inner_text()


def test_a_device_that_is_offline_is_told_so(page: Page) -> None:
    page.context.set_offline(True)
    send(page, GOOD)
    expect_error(page, "offline")
    page.context.set_offline(False)
    page.locator("#retry").click()
    expect_answer(page)


def test_an_api_that_refuses_this_page_s_origin_is_told_from_one_that_is_down(visit: Visit) -> None:
    running = FaultyStack(CORS_ORIGIN="https://elsewhere.example")
    try:
        page = visit(site=running.page)
        page.context.clear_permissions()
        send(page, GOOD)
        expect_error(page, "refused_origin")
        expect(page.locator("#error-advice")).to_contain_text("CORS_ORIGIN")
    finally:
        running.stop()


def test_an_api_that_asks_for_a_key_gets_the_one_that_the_reader_gives(visit: Visit) -> None:
    key = "a-key-of-this-test"
    running = FaultyStack(AUTH="key", API_KEYS=hashlib.sha256(key.encode()).hexdigest())
    try:
        page = visit(site=running.page)
        send(page, GOOD)
        expect_error(page, "unauthorized")
        assert violations(page) == []
        page.locator("#key").fill("another key")
        page.keyboard.press("Enter")
        expect_error(page, "unauthorized")
        page.locator("#key").fill(key)
        page.keyboard.press("Enter")
        expect_answer(page)
        page.reload()
        send(page, BAD)
        expect_answer(page)
        assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    finally:
        running.stop()


def answer(**changes: object) -> dict[str, object]:
    """An answer of the API's form, with changes."""
    sentences = [{"start": 0, "end": 5, "contribution": 2.0}]
    found = {
        "sentiment": "positive", "reason": None, "probability": 0.880797, "warnings": [], "text": "Fine.",
        "sentences": sentences, "words": sentences, "bias": 0.0, "request_id": "r-1",
        "model": {"id": "m", "vocabulary": "v", "uncertain": [0.3, 0.7]},
    }  # fmt: skip
    return found | changes


def say(page: Page, stack: Stack, message: dict[str, object]) -> None:
    expect_answer(page)
    cors = {"Access-Control-Allow-Origin": "*"}
    page.route(f"{stack.api}/v1/sentiment", lambda route: route.fulfill(json=message, headers=cors))


@pytest.mark.parametrize(
    "band", [None, "x", [], [0.3], [0.9, 0.1], [None, 2], [-1, 0.5], [0.0, 1.0], [0.1, 0.9]]
)
def test_a_band_that_can_not_be_is_no_answer(page: Page, stack: Stack, band: object) -> None:
    say(page, stack, answer(model={"id": "m", "vocabulary": "v", "uncertain": band}))
    send(page, "Fine.")
    expect_error(page, "bad_answer")


@pytest.mark.parametrize(
    ("sentiment", "reason"), [("positive", "mixed"), ("uncertain", None), ("uncertain", 1)]
)
def test_a_reason_that_does_not_fit_the_verdict_is_no_answer(
    page: Page, stack: Stack, sentiment: str, reason: object
) -> None:
    say(page, stack, answer(sentiment=sentiment, reason=reason))
    send(page, "Fine.")
    expect_error(page, "bad_answer")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504])
def test_every_status_has_words_of_its_own(page: Page, stack: Stack, status: int) -> None:
    ask(page, GOOD)
    problem(stack, page, status, f"code_{status}")
    send(page, BAD)
    expect_error(page, f"code_{status}")
    expect(page.locator("#error-title")).not_to_be_empty()
    expect(page.locator("#error-detail")).to_have_text("The API says: A detail.")
    expect(page.locator("#error-small-print")).to_contain_text("request r-1")
    expect(page.locator("#review")).to_have_value(BAD)
