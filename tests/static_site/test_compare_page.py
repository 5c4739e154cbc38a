"""Two models side by side on the page: one text to both, where they part, and no verdict on an error."""

import json
import math
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack

MIXED = "The photography is gorgeous. Sadly the story goes nowhere, and the end is painful. I left early."
SECONDS = 15_000  # Playwright counts in milliseconds
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


@pytest.fixture
def page(visit: Visit, two: Stack) -> Page:
    """A fresh visit to the page for two models."""
    return visit("compare.html", site=two.page)


def ask(page: Page, text: str = MIXED) -> None:
    page.locator("#review").fill(text)
    page.locator("#send").click()


def expect_told(page: Page) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", "told", timeout=SECONDS)


def said(api: str, text: str = MIXED) -> dict[str, Any]:
    return httpx.post(f"{api}/v1/sentiment", json={"review": text}, trust_env=False).json()


def points(share: float) -> str:
    size = f"{abs(100 * share):.1f}"
    return size if size == "0.0" else ("+" if share > 0 else "\N{MINUS SIGN}") + size


def effects(answer: dict[str, Any]) -> list[str]:
    return [points(answer["probability"] - sentence["without"]) for sentence in answer["sentences"]]


def changing(page: Page, api: str, **changes: Any) -> None:
    """Change these fields of an API's answers."""

    def change(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | changes)

    page.route(f"{api}/v1/sentiment", lambda route: change(route))


def refusing(page: Page, api: str, status: int, code: str) -> None:
    problem = {"status": status, "code": code, "title": "A title", "detail": "A detail.", "request_id": "r"}

    def refuse(route: Route) -> None:
        route.fulfill(status=status, json=problem, headers=CORS)

    page.route(f"{api}/v1/sentiment", refuse)


# --- both answer --------------------------------------------------------------------------------


def test_each_side_shows_its_own_model_verdict_and_probability(page: Page, two: Stack) -> None:
    ask(page)
    expect_told(page)
    names = {"positive": "Positive", "negative": "Negative", "uncertain": "Can’t tell"}
    for side, api in (("#side-1", two.api), ("#side-2", two.beside)):
        answer = said(api)
        shown = page.locator(side)
        expect(shown.locator(".side-model")).to_contain_text(answer["model"]["id"])
        expect(shown.locator(".side-model")).to_contain_text(api)
        expect(shown.locator(".side-verdict")).to_have_text(names[answer["sentiment"]])
        expect(shown.locator("data")).to_have_attribute("value", str(answer["probability"]))
        low, high = (math.floor(100 * edge + 0.5) for edge in answer["model"]["uncertain"])
        expect(shown).to_contain_text(f"Between {low} and {high}")
    assert said(two.api)["model"]["id"] != said(two.beside)["model"]["id"]


def test_every_sentence_stands_once_with_what_it_does_to_both(page: Page, two: Stack) -> None:
    ask(page)
    expect_told(page)
    first, second = said(two.api), said(two.beside)
    rows = page.locator("#apart-list .effect-row")
    expect(rows).to_have_count(len(first["sentences"]))
    shown = [[cell.inner_text() for cell in row.locator(".row-number").all()] for row in rows.all()]
    assert shown == [list(pair) for pair in zip(effects(first), effects(second), strict=True)]
    expect(page.locator("#apart")).to_contain_text("the text is more positive without it")


def test_an_effect_that_the_api_does_not_measure_is_taken_from_the_sum(page: Page, two: Stack) -> None:
    answer = said(two.api)
    for sentence in answer["sentences"]:
        del sentence["without"]
    page.route(f"{two.api}/v1/sentiment", lambda route: route.fulfill(json=answer, headers=CORS))
    ask(page)
    expect_told(page)
    logit = math.log(answer["probability"] / (1 - answer["probability"]))
    for number, sentence in enumerate(answer["sentences"]):
        rest = 1 / (1 + math.exp(sentence["contribution"] - logit))
        cell = page.locator("#apart-list .effect-row").nth(number).locator(".row-number").first
        shown = float(cell.inner_text().replace("\N{MINUS SIGN}", "-"))
        assert shown == pytest.approx(100 * (answer["probability"] - rest), abs=0.06)


def test_a_single_sentence_is_no_list(page: Page) -> None:
    ask(page, "A warm and funny film that I would gladly see again with all of my friends.")
    expect_told(page)
    expect(page.locator("#sum-words")).not_to_contain_text("They differ most")
    expect(page.locator("#apart")).to_be_hidden()


def test_where_they_part_is_said_in_words(page: Page, two: Stack) -> None:
    ask(page)
    expect_told(page)
    first, second = said(two.api), said(two.beside)
    gap = 100 * (second["probability"] - first["probability"])
    side = "more" if gap > 0 else "less"
    assert f"{abs(gap):.1f}" != "0.0"
    expect(page.locator("#sum-words")).to_contain_text(
        f"The second model is {abs(gap):.1f} points {side} positive"
    )
    ours, theirs = effects(first), effects(second)
    most = max(
        zip(first["sentences"], second["sentences"], range(len(ours)), strict=True),
        key=lambda row: abs(
            first["probability"] - row[0]["without"] - second["probability"] + row[1]["without"]
        ),
    )[2]
    expect(page.locator("#sum-words")).to_contain_text(
        f"it adds {ours[most]} points for the first and {theirs[most]} for the second."
    )
    agreed = first["sentiment"] == second["sentiment"]
    expect(page.locator("#sum-title")).to_contain_text("Both say" if agreed else "They differ")
    expect(page.locator("#status")).to_contain_text("Both say" if agreed else "They differ")


def test_the_sentence_on_which_they_are_most_apart_is_named(page: Page, two: Stack) -> None:
    other = said(two.api)
    without = other["sentences"][0]["without"]
    other["sentences"][0]["without"] = without - 0.3 if without > 0.5 else without + 0.3
    other["model"] |= {"id": "verdict-other"}
    page.route(f"{two.beside}/v1/sentiment", lambda route: route.fulfill(json=other, headers=CORS))
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-words")).to_contain_text("They differ most on “The photography is")


def test_a_text_that_is_not_understood_shows_no_percentage(page: Page) -> None:
    ask(page, "Ce film est une merveille et je le recommande pour toute la famille.")
    expect_told(page)
    expect(page.locator("#sum-words")).to_contain_text("The text was not understood")
    expect(page.locator("#side-1")).to_contain_text("It does not look like English.")
    expect(page.locator("#apart")).to_be_hidden()
    assert "%" not in page.locator("#both").inner_text()


def test_a_short_text_has_a_leaning_and_no_percentage(page: Page) -> None:
    ask(page, "Loved it. Superb.")
    expect_told(page)
    expect(page.locator("#sum-title")).to_have_text("Both say “Leans positive”")
    expect(page.locator("#sum-words")).to_contain_text("The text is so short")
    for side in ("#side-1", "#side-2"):
        expect(page.locator(side)).to_contain_text("Too short to be sure.")
    expect(page.locator("#apart")).to_be_hidden()
    assert "%" not in page.locator("#both").inner_text()


def test_a_text_in_the_box_that_has_changed_since_is_told(page: Page) -> None:
    ask(page)
    expect_told(page)
    expect(page.locator("#stale")).to_be_hidden()
    page.locator("#review").press_sequentially(" More.")
    expect(page.locator("#stale")).to_be_visible()


def test_a_text_is_shown_as_text(page: Page) -> None:
    ask(page, "&lt;img src=x onerror=alert(1)&gt; is a lovely film. I loved it.")
    expect_told(page)
    expect(page.locator("#apart-list")).to_contain_text("<img src=x")
    assert page.locator("#apart-list img").count() == 0


def test_only_the_two_are_asked_and_nothing_is_kept(page: Page, two: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page)
    expect_told(page)
    assert {re.sub(r"/v1/.*", "", url) for url in asked} == {two.api, two.beside}
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize(("text", "words"), [("  ", "no text"), ("x" * 50_001, "too long")])
def test_what_both_would_refuse_is_sent_to_neither(page: Page, text: str, words: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, text)
    expect(page.locator("#refusal")).to_contain_text(words)
    expect(page.locator("#review")).to_have_attribute("aria-invalid", "true")
    assert asked == []


# --- one of them does not -----------------------------------------------------------------------


def test_one_that_is_down_gets_no_verdict_and_the_other_keeps_its_own(page: Page, two: Stack) -> None:
    page.route(f"{two.beside}/**", lambda route: route.abort())
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-title")).to_have_text("Only the first model answered")
    expect(page.locator("#side-1 .side-verdict")).to_be_visible()
    expect(page.locator("#side-2")).to_have_attribute("data-code", "unreachable")
    expect(page.locator("#side-2")).to_contain_text("make run MODEL=my-model BESIDE=training/endpoint/model")
    assert page.locator("#side-2 .side-verdict").count() == 0
    expect(page.locator("#apart")).to_be_hidden()
    page.unroute(f"{two.beside}/**")
    page.locator("#side-2").get_by_role("button", name="Try again").click()
    expect(page.locator("#apart")).to_be_visible(timeout=SECONDS)


@pytest.mark.parametrize(
    ("status", "code"), [(502, "model_failed"), (503, "vocabulary_mismatch"), (500, "internal")]
)
def test_a_refusal_is_told_on_its_own_side(page: Page, two: Stack, status: int, code: str) -> None:
    refusing(page, two.api, status, code)
    ask(page)
    expect_told(page)
    expect(page.locator("#side-1")).to_have_attribute("data-code", code)
    expect(page.locator("#side-1")).to_contain_text("The API says: A detail.")
    assert page.locator("#side-1 .side-verdict").count() == 0
    expect(page.locator("#sum-title")).to_have_text("Only the second model answered")


def test_a_verdict_of_the_text_before_does_not_outlive_an_error(page: Page, two: Stack) -> None:
    ask(page)
    expect_told(page)
    refusing(page, two.beside, 500, "internal")
    ask(page, "A warm and funny film.")
    expect(page.locator("#side-2")).to_have_attribute("data-state", "error", timeout=SECONDS)
    expect(page.locator("#sum-title")).to_have_text("Only the first model answered", timeout=SECONDS)
    expect(page.locator("#side-2 .side-model")).not_to_contain_text("verdict-")
    expect(page.locator("#apart")).to_be_hidden()


def test_neither_is_neither(page: Page, two: Stack) -> None:
    for api in (two.api, two.beside):
        refusing(page, api, 500, "internal")
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-title")).to_have_text("Neither model answered")
    assert page.locator(".side-verdict").count() == 0


def test_an_answer_that_does_not_add_up_is_no_verdict(page: Page, two: Stack) -> None:
    changing(page, two.beside, bias=9.0)
    ask(page)
    expect_told(page)
    expect(page.locator("#side-2")).to_have_attribute("data-code", "bad_answer")
    assert page.locator("#side-2 .side-verdict").count() == 0


def test_a_slow_one_is_waited_for_beside_the_quick_one_and_can_be_given_up(page: Page, two: Stack) -> None:
    page.route(f"{two.beside}/v1/sentiment", lambda route: None)
    ask(page)
    expect(page.locator("#side-1 .side-verdict")).to_be_visible(timeout=SECONDS)
    expect(page.locator("#sum")).to_be_hidden()
    expect(page.locator("#side-2")).to_contain_text("Still waiting", timeout=SECONDS)
    page.locator("#stop").click()
    expect(page.locator("#side-2")).to_contain_text("Stopped. No verdict.")
    expect(page.locator("#sum-title")).to_have_text("Only the first model answered")
    expect(page.locator("#send")).to_be_focused()


def test_a_late_answer_to_an_older_text_is_dropped(page: Page, two: Stack) -> None:
    held: list[Route] = []
    page.route(f"{two.beside}/v1/sentiment", lambda route: held.append(route))
    ask(page)
    expect(page.locator("#side-1 .side-verdict")).to_be_visible(timeout=SECONDS)
    page.unroute(f"{two.beside}/v1/sentiment")
    newer = "A warm and funny film. I loved it."
    ask(page, newer)
    expect_told(page)
    expect(page.locator("#side-2 data")).to_have_attribute(
        "value", str(said(two.beside, newer)["probability"])
    )


def test_a_key_goes_to_the_one_that_asked_for_it(page: Page, two: Stack) -> None:
    keys: dict[str, str | None] = {}

    def guard(route: Route) -> None:
        key = route.request.headers.get("x-api-key")
        if route.request.method == "OPTIONS" or key == "a-key":
            route.continue_()
        else:
            route.fulfill(status=401, json={"status": 401, "code": "unauthorized"}, headers=CORS)

    page.route(f"{two.beside}/v1/sentiment", guard)
    page.on("request", lambda request: keys.update({request.url: request.headers.get("x-api-key")}))
    ask(page)
    expect_told(page)
    page.locator("#side-2 input").fill("a-key")
    page.keyboard.press("Enter")
    expect(page.locator("#side-2 .side-verdict")).to_be_visible(timeout=SECONDS)
    ask(page, "A warm film.")
    expect_told(page)
    assert keys[f"{two.api}/v1/sentiment"] is None
    assert keys[f"{two.beside}/v1/sentiment"] == "a-key"


# --- two that are not what they should be -------------------------------------------------------


def test_the_same_model_twice_is_nothing_to_compare(page: Page, two: Stack) -> None:
    answer = said(two.api)
    page.route(f"{two.beside}/v1/sentiment", lambda route: route.fulfill(json=answer, headers=CORS))
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-words")).to_have_text(
        f"Both addresses serve the same model, {answer['model']['id']}, so there is nothing to compare."
        " Start a second model with BESIDE."
    )


def test_another_vocabulary_is_told(page: Page, two: Stack) -> None:
    changing(page, two.beside, model=said(two.beside)["model"] | {"vocabulary": "0123456789abcdef"})
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-words")).to_contain_text("Their vocabularies differ")


def test_sentences_that_are_cut_differently_stand_by_themselves(page: Page, two: Stack) -> None:
    answer = said(two.beside)
    first, second, *rest = answer["sentences"]
    joined = {
        "start": first["start"],
        "end": second["end"],
        "contribution": first["contribution"] + second["contribution"],
    }
    changing(page, two.beside, sentences=[joined, *rest])
    ask(page)
    expect_told(page)
    expect(page.locator("#sum-words")).to_contain_text("They split the text into different sentences")
    expect(page.locator("#apart-list .effect-row")).to_have_count(3 + 2)


# --- where there is a second one, and where not -------------------------------------------------


def test_the_policy_allows_the_two_addresses_and_no_other(two: Stack, stack: Stack) -> None:
    policy = httpx.get(two.page, trust_env=False).headers["content-security-policy"]
    assert f"connect-src 'self' {two.api} {two.beside};" in policy
    policy = httpx.get(stack.page, trust_env=False).headers["content-security-policy"]
    assert f"connect-src 'self' {stack.api};" in policy


def test_the_way_to_the_page_stands_in_the_masthead_where_two_are_named(visit: Visit, two: Stack) -> None:
    for name in ("index.html", "label.html"):
        link = "nav.pages a[href='compare.html']"
        expect(visit(name, site=two.page).locator(link)).to_be_visible()
        expect(visit(name).locator(link)).to_have_count(0)


def test_opened_where_there_is_one_model_it_says_how_to_have_two(visit: Visit) -> None:
    page = visit("compare.html")
    expect(page.locator("#none")).to_contain_text("BESIDE=training/endpoint/model")
    expect(page.locator("#form")).to_be_hidden()
    assert violations(page) == []


def test_a_config_that_knows_no_second_model_still_starts_every_page(visit: Visit, stack: Stack) -> None:
    page = visit()
    script = f"export const API_URL = {json.dumps(stack.api)};"
    page.route("**/config.js", lambda route: route.fulfill(content_type="text/javascript", body=script))
    for name in ("index.html", "compare.html"):
        page.goto(stack.page + name)
        expect(page.locator("main#page")).to_be_visible()


# --- for everyone -------------------------------------------------------------------------------


def empty(page: Page, two: Stack) -> None:
    pass


def loading(page: Page, two: Stack) -> None:
    page.route(f"{two.beside}/v1/sentiment", lambda route: None)
    ask(page)
    expect(page.locator("#side-1 .side-verdict")).to_be_visible(timeout=SECONDS)


def told(page: Page, two: Stack) -> None:
    ask(page)
    expect_told(page)


def failed(page: Page, two: Stack) -> None:
    refusing(page, two.api, 401, "unauthorized")
    refusing(page, two.beside, 503, "endpoint_unavailable")
    ask(page)
    expect_told(page)


def refused(page: Page, two: Stack) -> None:
    ask(page, " ")


STATES = [empty, loading, told, failed, refused]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing_in_any_state(visit: Visit, two: Stack, state, theme: str) -> None:
    page = visit("compare.html", site=two.page, color_scheme=theme, reduced_motion="reduce")
    state(page, two)
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
@pytest.mark.parametrize("state", [told, failed], ids=lambda state: state.__name__)
def test_neither_verdict_nor_error_overflows(page: Page, two: Stack, state, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    state(page, two)
    ask(page, MIXED + " Un" + "believ" * 40 + "able. https://film.example/" + "g" * 90)
    expect_told(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_of_it_is_used_by_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#review")).to_be_focused()
    page.keyboard.type(MIXED)
    page.keyboard.press("Control+Enter")
    expect_told(page)
    page.keyboard.press("Tab")
    expect(page.locator("#send")).to_be_focused()
    for _ in range(10):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.id") == "file":
            return
    raise AssertionError("the file's field was not reached")


def test_a_screen_reader_hears_on_which_model_each_number_is(page: Page) -> None:
    ask(page)
    expect_told(page)
    number = page.locator("#apart-list .row-number").first.inner_text()
    tree = page.locator("#apart").aria_snapshot()
    heard = re.sub(r"\s+", " ", tree)
    assert f"The photography is gorgeous. First model: {number} Second model:" in heard


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_that_the_system_forces_leave_verdicts_and_bars(visit: Visit, two: Stack, theme: str) -> None:
    page = visit("compare.html", site=two.page, forced_colors="active", color_scheme=theme)
    ask(page)
    expect_told(page)
    verdict = page.locator("#side-2 .side-verdict")
    assert verdict.evaluate("node => getComputedStyle(node).textDecorationStyle") in (
        "solid",
        "dashed",
        "dotted",
    )
    fill = page.locator('.effect-cell[data-sign="minus"] .fill').first
    assert "gradient" in fill.evaluate("node => getComputedStyle(node).backgroundImage")
