"""What is loaded beside and after the page: what is missing leaves plain words, and a retry loads it."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.static_site.review_page import ask, expect_answer, expect_state, opening
from tests.support.accessibility import violations

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
# Parts of an answer that most visits never open.
ON_DEMAND = re.compile(
    r"/review/(arithmetic|arithmetic_strings|aspects|aspects_strings|compare|history|history_view|snippets_view)\.js"
)


def missing(route: Route) -> None:
    route.fulfill(status=404, content_type="text/plain", body="404 Not Found")


def broken(route: Route) -> None:
    route.abort("connectionrefused")


def without(file: str, fault=broken):
    """Return what takes a file away from a page before it is opened: no module is asked for twice."""
    return lambda page: page.route(f"**/{file}", fault)


def test_what_most_visits_never_open_is_not_loaded(visit: Visit) -> None:
    asked: list[str] = []
    page = visit(
        before=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    expect_answer(page)
    page.wait_for_load_state("networkidle")
    assert any("/review/outcome.js" in url for url in asked)
    assert [url for url in asked if ON_DEMAND.search(url)] == []


def test_a_link_with_a_review_opens_to_its_verdict(visit: Visit) -> None:
    page = visit()
    link = page.evaluate(f"import('./shared/share.js').then(({{ linkTo }}) => linkTo('{GOOD}'))")
    page.goto("about:blank")
    page.goto(link)
    expect_answer(page)
    expect(page.locator("#review")).to_have_value(GOOD)


@pytest.mark.parametrize("file", ["review/outcome.js", "review/board.js", "shared/answer.css"])
@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_shows_an_answer_the_page_says_so_and_a_retry_loads_it(
    visit: Visit, file: str, fault
) -> None:
    page = visit(before=without(file, fault))
    expect_state(page, "error")
    error = page.locator("#error")
    expect(error).to_have_attribute("data-code", "unloaded")
    expect(error.locator("#error-title")).to_have_text("Part of this page couldn\u2019t be loaded")
    expect(error.locator("#error-advice")).to_contain_text("reload the page")
    expect(page.locator("#review")).to_have_value(opening(page))
    assert violations(page) == []
    page.unroute(f"**/{file}")
    page.locator("#retry").click()
    expect_answer(page)


@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_explains_errors_the_page_still_names_one(visit: Visit, fault) -> None:
    def take_away(page: Page) -> None:
        page.route("**/review/fault.js", fault)
        page.route("**/v1/sentiment", broken)

    page = visit(before=take_away)
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "unloaded")
    assert page.locator("#verdict").count() == 0
    expect(page.locator("#bar-verdict")).to_have_text("No verdict")


@pytest.mark.parametrize("fault", [missing, broken])
@pytest.mark.parametrize(
    ("file", "part", "found"),
    [
        ("review/snippets_view.js", "developers", "#developers .snippet"),
        ("review/arithmetic.js", "arithmetic", "#waterfall li"),
        ("review/aspects.js", "aspects", "#aspects li"),
    ],
)
def test_without_what_fills_a_fold_the_answer_stands_and_looking_again_loads_it(
    visit: Visit, file: str, part: str, found: str, fault
) -> None:
    page = visit(before=without(file, fault))
    ask(page, GOOD)
    summary = page.locator(f"#{part} summary")
    summary.click()
    expect(page.locator(f"#{part} .more-body")).to_contain_text("couldn\u2019t be loaded")
    expect(page.locator("#verdict")).to_have_text("Positive")
    page.unroute(f"**/{file}")
    summary.click()
    summary.click()
    expect(page.locator(found).first).to_be_visible()
    expect(page.locator(f"#{part} .more-body")).not_to_contain_text("couldn\u2019t be loaded")


@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_compares_the_answer_stands_and_pressing_again_loads_it(visit: Visit, fault) -> None:
    page = visit(before=without("review/compare.js", fault))
    ask(page, GOOD)
    page.locator("#pin").click()
    expect(page.locator("#share-status")).to_contain_text("couldn\u2019t be loaded")
    page.unroute("**/review/compare.js")
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned")


@pytest.mark.parametrize("file", ["review/correct.js", "play/mind.js", "play/share.js", "play/fool.js"])
def test_without_a_part_of_its_own_the_answer_stands(visit: Visit, file: str) -> None:
    page = visit(before=without(file))
    ask(page, GOOD)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#correct")).to_be_hidden()
    expect(page.locator("#verdict")).to_have_text("Positive")
    expect(page.locator("#sentences .row").first).to_be_visible()


def test_waiting_for_what_shows_an_answer_can_be_stopped_like_waiting_for_the_answer(visit: Visit) -> None:
    held: list[Route] = []
    page = visit(before=lambda page: page.route("**/review/board.js", lambda route: held.append(route)))
    expect(page.locator("#loading")).to_be_visible()
    page.locator("#stop").click()
    expect_state(page, "ready")
    for route in held:
        route.continue_()
    page.evaluate("import('./review/outcome.js')")
    expect_state(page, "ready")
    page.unroute("**/review/board.js")
    page.locator("#send").click()
    expect_answer(page)
