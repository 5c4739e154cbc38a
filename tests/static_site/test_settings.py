"""What a reader can choose: look, live scoring, history; and links that hold a review."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.static_site.conftest import Visit
from tests.static_site.review_page import ask, chosen, expect_answer, expect_state, opening
from tests.support.stack import Stack

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."


def choose(page: Page, setting: str, on: bool = True) -> None:
    page.locator(".settings summary").click()
    page.locator(f"#setting-{setting}").set_checked(on)
    page.keyboard.press("Escape")


def stored(page: Page) -> dict[str, str]:
    return page.evaluate("({...localStorage, ...sessionStorage})")


def paper(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("path", ["index.html"])
def test_the_look_follows_the_system_until_the_reader_chooses_and_stays_chosen(
    visit: Visit, path: str
) -> None:
    page = visit(path, color_scheme="light")
    light = paper(page)
    page.emulate_media(color_scheme="dark")
    dark = paper(page)
    assert light != dark
    page.locator(".settings summary").click()
    page.locator("input[value=light]").check()
    assert paper(page) == light
    page.reload()
    expect(page.locator("main#page")).to_be_visible()
    assert paper(page) == light
    page.locator(".settings summary").click()
    page.locator("input[value=system]").check()
    assert paper(page) == dark


def test_nothing_but_choices_is_stored_unless_a_history_is_wanted(page: Page) -> None:
    assert stored(page) == {}
    ask(page, GOOD)
    choose(page, "live", on=False)
    assert set(stored(page)) == {"verdict.settings"}
    assert "wonderful" not in json.dumps(stored(page))


def sent_by(page: Page) -> list[str]:
    """Return the list of reviews that a page sends from now on; it grows."""
    sent: list[str] = []

    def note(request) -> None:
        if request.url.endswith("/v1/sentiment") and request.post_data:
            sent.append(json.loads(request.post_data)["review"])

    page.on("request", note)
    return sent


def test_live_reading_asks_when_the_typing_pauses_and_only_then(page: Page) -> None:
    expect(page.locator("#live")).to_be_checked()
    expect(page.locator("#privacy")).to_contain_text("whenever you pause")
    page.locator("#own").click()
    sent = sent_by(page)
    page.locator("#review").press_sequentially("I loved it so very much, all of it.", delay=10)
    expect(page.locator("#verdict")).to_have_text("Positive")
    assert len(sent) < 10 and sent[-1] == "I loved it so very much, all of it."
    expect(page.locator("#review")).to_be_focused()
    page.locator("#review").fill("")
    expect_state(page, "empty")


def test_a_site_with_an_api_elsewhere_reads_only_when_asked(visit: Visit, stack: Stack) -> None:
    config = f'export const API_URL = "{HOSTED}"; export const BESIDE_API_URL = "";'

    def hosted(page: Page) -> None:
        page.route("**/config.js", lambda route: route.fulfill(body=config, content_type="text/javascript"))

    # No such API answers. What counts is when the page asks.
    page = visit(before=hosted, bypass_csp=True)
    expect(page.locator("#live")).to_be_visible()
    expect(page.locator("#live")).not_to_be_checked()
    expect(page.locator("#privacy")).to_contain_text("only when you ask")
    expect_state(page, "error")
    sent = sent_by(page)
    page.locator("#review").fill(GOOD)
    expect_state(page, "ready")
    page.wait_for_timeout(600)  # longer than the pause before a live request
    assert sent == []
    page.locator("#live").check()
    expect_state(page, "error")
    assert sent == [GOOD]
    page.reload()
    expect(page.locator("#live")).to_be_checked()


HOSTED = "https://api.verdict.example"


def test_the_switch_is_remembered_and_the_same_as_the_setting(page: Page) -> None:
    expect_answer(page)
    page.locator("#live").uncheck()
    page.reload()
    expect(page.locator("#live")).not_to_be_checked()
    choose(page, "live")
    expect(page.locator("#live")).to_be_checked()


def test_a_live_answer_that_comes_late_is_never_shown(page: Page, stack: Stack) -> None:
    expect_answer(page)
    held = []
    page.route(
        f"{stack.api}/v1/sentiment", lambda route: held.append(route) if not held else route.continue_()
    )
    with page.expect_request("**/v1/sentiment"):
        page.locator("#review").fill(GOOD)
    page.locator("#review").fill(BAD)
    expect(page.locator("#verdict")).to_have_text("Negative")
    expect_answer(page)
    held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#verdict")).to_have_text("Negative")
    expect_answer(page)


def test_a_verdict_of_an_earlier_text_is_marked(visit: Visit, stack: Stack) -> None:
    page = visit(**chosen(stack.page, live=False))
    ask(page, GOOD)
    page.locator("#review").press("End")
    page.keyboard.type(" No.")
    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("data-stale", "")
    expect(page.locator("#leave-out")).to_be_disabled()
    page.locator("#send").click()
    expect_answer(page)
    expect(page.locator("#stale")).to_be_hidden()


def test_details_that_are_open_stay_open_while_one_types(page: Page) -> None:
    ask(page, GOOD)
    page.locator("#arithmetic summary").click()
    expect(page.locator("#waterfall li").first).to_be_visible()
    ask(page, BAD)
    expect(page.locator("#waterfall li").first).to_be_visible()


def test_the_history_never_holds_the_example_that_the_page_opens_on(page: Page) -> None:
    choose(page, "history")
    page.reload()
    expect_answer(page)
    page.locator("#send").click()
    expect_answer(page)
    ask(page, GOOD)
    expect(page.locator("#history-list li")).to_have_count(1)
    assert opening(page)[:20] not in json.dumps(stored(page))


def test_a_short_text_is_listed_with_its_leaning_and_no_percentage(page: Page) -> None:
    choose(page, "history")
    ask(page, "I loved it")
    entry = page.locator("#history-list li")
    expect(entry).to_contain_text("Leans positive")
    assert "%" not in (entry.text_content() or "")


def test_a_history_is_kept_shown_used_and_deleted(visit: Visit) -> None:
    page = visit()
    choose(page, "history")
    ask(page, GOOD)
    ask(page, BAD)
    ask(page, GOOD)
    entries = page.locator("#history-list li")
    expect(entries).to_have_count(2)
    page.reload()
    expect(entries).to_have_count(2)
    expect(entries.first).to_contain_text("Positive")
    entries.nth(1).locator("button").click()
    expect(page.locator("#verdict")).to_have_text("Negative")
    page.locator("#forget").click()
    expect(entries).to_have_count(0)
    assert set(stored(page)) == {"verdict.settings"}


def test_a_text_that_is_not_understood_is_listed_without_a_percentage(page: Page) -> None:
    choose(page, "history")
    ask(page, "Ce film est une merveille et je le recommande pour toute la famille.")
    entry = page.locator("#history-list li")
    expect(entry).to_contain_text("It does not look like English.")
    assert "%" not in (entry.text_content() or "")


def test_an_uncertain_entry_of_before_reasons_is_listed_without_a_percentage(visit: Visit) -> None:
    page = visit()
    choose(page, "history")
    entry = {"review": "x", "sentiment": "uncertain", "probability": 0.5, "when": 0}
    page.evaluate("entry => { localStorage['verdict.history'] = JSON.stringify([entry]); }", entry)
    page.reload()
    expect(page.locator("#history-list li")).to_contain_text("Not sure enough to say.")
    assert "%" not in (page.locator("#history-list li").text_content() or "")


def test_a_history_that_is_switched_off_is_gone(page: Page) -> None:
    choose(page, "history")
    ask(page, GOOD)
    expect(page.locator("#history-list li")).to_have_count(1)
    choose(page, "history", on=False)
    expect(page.locator("#history")).to_be_hidden()
    assert set(stored(page)) == {"verdict.settings"}


def test_what_is_chosen_in_one_tab_holds_in_the_other(visit: Visit) -> None:
    first = visit()
    second = first.context.new_page()
    second.goto(first.url)
    choose(first, "history")
    ask(first, GOOD)
    expect(second.locator("#history")).to_be_visible()
    choose(first, "history", on=False)
    expect(second.locator("#history")).to_be_hidden()
    ask(second, BAD)
    second.locator(".settings summary").click()
    second.locator("input[value=dark]").check()
    assert set(stored(first)) == {"verdict.settings"}
    assert json.loads(stored(first)["verdict.settings"])["history"] is False
    assert first.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize(
    "entry",
    [
        {"review": "x", "sentiment": "positive", "probability": 0.01, "when": 0},
        {"review": "x", "sentiment": "positive", "probability": 7, "when": 0},
        {"review": "x", "sentiment": "splendid", "probability": 0.9, "when": 0},
        {"review": "x", "sentiment": "positive", "probability": 0.9, "when": "soon"},
    ],
)
def test_an_entry_that_can_not_be_is_not_shown(visit: Visit, entry: dict[str, object]) -> None:
    page = visit()
    choose(page, "history")
    page.evaluate("entry => { localStorage['verdict.history'] = JSON.stringify([entry]); }", entry)
    page.reload()
    expect(page.locator("#history-none")).to_be_visible()
    assert page.locator("#history-list li").count() == 0


def test_typed_text_is_there_again_after_a_look_at_another_page(page: Page) -> None:
    ask(page, GOOD)
    page.locator(".pages").get_by_role("link", name="Model").click()
    expect(page).to_have_url(re.compile("model.html"))
    page.go_back()
    expect(page.locator("#review")).to_have_value(GOOD)
    expect(page.locator("#length")).to_contain_text(str(len(GOOD)))
    expect_answer(page)


def test_a_history_that_outgrows_the_storage_drops_its_oldest(page: Page) -> None:
    choose(page, "history")
    page.evaluate("localStorage.setItem('full', 'x'.repeat(5 * 2 ** 20 - 4000))")
    ask(page, GOOD)
    ask(page, BAD * 30)
    ask(page, BAD)
    expect(page.locator("#history-list li").first).to_contain_text("worst film")
    page.evaluate("localStorage.removeItem('full')")


@pytest.mark.parametrize(
    "junk", ["null", "[]", "{}", "[1, null, {}]", "no json", '{"theme": 7, "live": "yes"}']
)
def test_junk_in_the_storage_breaks_nothing(visit: Visit, junk: str) -> None:
    page = visit()
    page.evaluate(
        "junk => { localStorage['verdict.settings'] = localStorage['verdict.history'] = junk; }", junk
    )
    page.reload()
    choose(page, "history")
    ask(page, GOOD)
    expect(page.locator("#history-list li")).to_have_count(1)


def without_card(page: Page) -> None:
    """Block the card to share, which has a link of its own."""
    page.route("**/play/share.js", lambda route: route.abort())


TEXTS = [GOOD, "Überraschend <b>gut</b> & \N{GRINNING FACE} #1? 100 %\n\nهذا", "It was a good film. " * 2499]


@pytest.mark.parametrize("text", TEXTS, ids=["plain", "signs", "long"])
def test_a_link_holds_the_review_and_opens_to_its_verdict(visit: Visit, text: str) -> None:
    page = visit(before=without_card, permissions=["clipboard-read", "clipboard-write"])
    ask(page, text)
    page.locator("#share").click()
    expect(page.locator("#share-status")).to_contain_text("browsers never send that part to a server")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#review=" in link
    asked: list[str] = []
    note = lambda page: page.on("request", lambda request: asked.append(request.url))  # noqa: E731
    other = visit("#" + link.split("#")[1], before=note)
    expect_answer(other)
    assert other.locator("#review").input_value() == text
    assert not any("review=" in url for url in asked)
    assert len([url for url in asked if url.endswith("/v1/sentiment")]) == 1


def test_a_link_is_shown_where_it_can_not_be_copied(visit: Visit) -> None:
    page = visit(before=without_card)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    ask(page, GOOD)
    page.locator("#share").click()
    expect(page.locator("#share-link")).to_contain_text("#review=")


@pytest.mark.parametrize("fragment", ["review=", "review=%%%", "review=AAAA", "review=abc", "x=1&review=_"])
def test_a_broken_link_is_an_error_and_nothing_is_asked(visit: Visit, stack: Stack, fragment: str) -> None:
    asked: list[str] = []
    page = visit(
        f"index.html#{fragment}",
        before=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    expect(page.locator("#error")).to_have_attribute("data-code", "broken_link")
    assert not any(stack.api in url for url in asked)


def test_a_link_that_unpacks_to_very_much_is_refused(visit: Visit, stack: Stack) -> None:
    page = visit()
    packed = page.evaluate(
        "async () => { const stream = new Blob(['a'.repeat(5e6)]).stream()"
        ".pipeThrough(new CompressionStream('deflate-raw'));"
        " const bytes = new Uint8Array(await new Response(stream).arrayBuffer());"
        " return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_'); }"
    )
    page.goto(f"{stack.page}#review={packed.rstrip('=')}")
    expect(page.locator("#error")).to_have_attribute("data-code", "broken_link")
