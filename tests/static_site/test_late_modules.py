"""What is loaded late: at the first sign of use, never before, and with plain words when it can't be had."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
# More words than an answer measures by itself.
LONG = (
    f"{GOOD} The music is warm, the camera patient, the jokes land, and nobody in the cast is left behind."
    + (" I would gladly see it again tomorrow, with my whole family and all of our friends.")
)
SECONDS = 10_000  # Playwright counts in milliseconds
LATE = re.compile(r"/review/(answer|outcome|tryout|flip|history)\.js")


def ask(page: Page, review: str = GOOD) -> None:
    page.locator("#review").fill(review)
    page.locator("#send").click()


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)


def late_modules(visit: Visit, **options) -> tuple[Page, list[str]]:
    """A visit, and the late modules that it has asked for; the list grows."""
    page = visit("developers.html", **options)
    asked: list[str] = []
    page.on("request", lambda request: LATE.search(request.url) and asked.append(request.url))
    page.goto(page.url.replace("developers.html", "index.html"))
    expect(page.locator("main#page")).to_be_visible()
    page.wait_for_load_state("networkidle")
    return page, asked


def test_nothing_of_an_answer_is_loaded_before_the_page_is_touched(visit: Visit) -> None:
    assert late_modules(visit)[1] == []


@pytest.mark.parametrize("sign", ["pointer", "finger", "key"])
def test_the_first_sign_of_use_loads_all_that_an_answer_needs(visit: Visit, sign: str) -> None:
    page, asked = late_modules(visit, has_touch=sign == "finger")
    if sign == "pointer":
        page.mouse.move(300, 300)
    elif sign == "finger":
        page.touchscreen.tap(300, 300)
    else:
        page.keyboard.press("Tab")
    # By then all are there, whatever the page does with them.
    page.evaluate("import('./review/outcome.js')")
    assert len(set(asked)) == 5
    asked.clear()
    ask(page)
    expect_state(page, "answer")
    assert asked == []


def test_a_link_with_a_review_needs_no_sign_of_use(visit: Visit) -> None:
    page = visit()
    link = page.evaluate(f"import('./shared/share.js').then(({{ linkTo }}) => linkTo('{GOOD}'))")
    page.goto("about:blank")
    page.goto(link)
    expect_state(page, "answer")


def missing(route: Route) -> None:
    route.fulfill(status=404, content_type="text/plain", body="404 Not Found")


def broken(route: Route) -> None:
    route.abort("connectionrefused")


@pytest.mark.parametrize("file", ["review/outcome.js", "review/words.js", "shared/answer.css"])
@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_shows_an_answer_the_page_says_so_and_a_retry_loads_it(
    page: Page, file: str, fault
) -> None:
    page.route(f"**/{file}", fault)
    ask(page)
    expect_state(page, "error")
    error = page.locator("#error")
    expect(error).to_have_attribute("data-code", "unloaded")
    expect(error.locator("#error-title")).to_have_text("Part of this page couldn\u2019t be loaded")
    expect(error.locator("#error-advice")).to_contain_text("reload the page")
    expect(page.locator("#review")).to_have_value(GOOD)
    assert violations(page) == []
    page.unroute(f"**/{file}")
    page.locator("#retry").click()
    expect_state(page, "answer")


@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_writes_programs_the_answer_stands_and_looking_again_loads_it(page: Page, fault) -> None:
    page.route("**/review/snippets_view.js", fault)
    ask(page)
    expect_state(page, "answer")
    page.locator("#developers summary").click()
    expect(page.locator("#developers .more-body")).to_contain_text("couldn\u2019t be loaded")
    expect(page.locator("#verdict")).to_have_text("Positive")
    page.unroute("**/review/snippets_view.js")
    page.locator("#developers summary").click()
    page.locator("#developers summary").click()
    expect(page.locator("#developers .snippet")).to_have_count(4)


@pytest.mark.parametrize("fault", [missing, broken])
def test_without_what_weighs_words_the_answer_stands_and_pressing_again_loads_it(page: Page, fault) -> None:
    page.route("**/review/weigh.js", fault)
    ask(page, LONG)
    expect_state(page, "answer")
    page.locator("#weigh").click()
    expect(page.locator("#try-status")).to_contain_text("couldn\u2019t be loaded")
    expect(page.locator("#verdict")).to_have_text("Positive")
    page.unroute("**/review/weigh.js")
    page.locator("#weigh").click()
    expect(page.locator("#weigh")).to_be_hidden(timeout=SECONDS)
    expect(page.locator("#weigh-status")).to_have_text("")


def test_without_what_corrects_an_answer_nobody_is_asked_to(page: Page) -> None:
    page.route("**/review/correct.js", broken)
    ask(page)
    expect_state(page, "answer")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#correct")).to_be_hidden()
    expect(page.locator("#verdict")).to_have_text("Positive")


def test_waiting_for_what_shows_an_answer_can_be_stopped_like_waiting_for_the_answer(page: Page) -> None:
    held: list[Route] = []
    page.route("**/review/tryout.js", lambda route: held.append(route))
    ask(page)
    expect(page.locator("#loading")).to_be_visible()
    page.locator("#stop").click()
    expect_state(page, "empty")
    for route in held:
        route.continue_()
    page.evaluate("import('./review/outcome.js')")
    expect_state(page, "empty")
    ask(page)
    expect_state(page, "answer")
