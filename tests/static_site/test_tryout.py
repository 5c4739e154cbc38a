"""Changes of an answered text: what is left out moves the verdict itself. Two answers side by side."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.static_site.review_page import ask, chosen, send
from tests.support.stack import Stack

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
FRENCH = "Ce film est une merveille et je le recommande pour toute la famille."
NEAR = "The film is slow at times. The music is lovely and the acting is fine, but the ending is weak."


def judged(stack: Stack, review: str) -> dict[str, Any]:
    """Return what the API itself says of a review."""
    body = {"review": review, "explain": "none"}
    return httpx.post(f"{stack.api}/v1/sentiment", json=body, timeout=30).json()


def leave_out(page: Page, *words: str) -> None:
    """Press words out of the text."""
    if page.locator("#leave-out").get_attribute("aria-pressed") == "false":
        page.locator("#leave-out").click()
    for word in words:
        page.locator("#words .word", has_text=re.compile(f"^{word}$")).first.click()


def shown(page: Page) -> float:
    """Return P(positive) of the verdict on screen."""
    return float(page.locator("#answer").get_attribute("data-probability") or "nan")


def test_a_word_left_out_moves_headline_needle_and_why(page: Page, stack: Stack) -> None:
    ask(page, NEAR)
    before = shown(page)
    leave_out(page, "weak")
    expect(page.locator("#change")).to_be_visible()
    after = judged(stack, NEAR.replace("weak", " "))["probability"]
    assert shown(page) == pytest.approx(after, abs=1e-5) and after != pytest.approx(before, abs=0.01)
    needle = page.locator("#meter").evaluate("meter => meter.style.getPropertyValue('--at')")
    assert float(needle) == pytest.approx(after, abs=1e-5)
    expect(page.locator("#why")).to_have_text("Without \u201cweak\u201d.")
    expect(page.locator("#was")).to_contain_text("Before:")
    page.locator("#put-back").click()
    expect(page.locator("#change")).to_be_hidden()
    assert shown(page) == before


def test_pressing_a_word_again_puts_it_back(page: Page) -> None:
    ask(page, NEAR)
    before = shown(page)
    leave_out(page, "weak")
    expect(page.locator("#change")).to_be_visible()
    leave_out(page, "weak")
    expect(page.locator("#change")).to_be_hidden()
    assert shown(page) == before
    expect(page.locator("#words .word[aria-pressed=true]")).to_have_count(0)


def test_a_sentence_left_out_is_struck_through_and_moves_the_verdict(page: Page, stack: Stack) -> None:
    ask(page, f"{GOOD} {BAD}")
    row = page.locator("#sentences .row", has_text="worst film")
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#box")).to_be_hidden()
    struck = page.locator("#words .word[aria-pressed=true]").all_text_contents()
    assert struck == "This was the worst film of the year".split()
    expect(page.locator("#change")).to_be_visible()
    kept = GOOD + " Dull, badly acted and a complete waste of time."
    assert shown(page) == pytest.approx(judged(stack, kept)["probability"], abs=0.01)
    row.click()
    expect(page.locator("#box")).to_be_visible()
    expect(page.locator("#change")).to_be_hidden()


def test_a_row_that_is_pointed_at_marks_its_sentence_in_the_text(page: Page) -> None:
    ask(page, f"{GOOD} {BAD}")
    page.locator("#sentences .row", has_text="worst film").hover()
    active = page.locator("#marks mark[data-active]")
    expect(active).to_have_text("This was the worst film of the year.")
    page.locator("#verdict").hover()
    expect(active).to_have_count(0)


def test_a_sentence_far_down_comes_into_sight_when_it_is_left_out(page: Page) -> None:
    filler = " ".join(f"It goes on and on, scene {number}." for number in range(60))
    ask(page, f"{filler} {BAD}")
    page.locator("#sentences .row", has_text="worst film").click()
    word = page.locator("#words .word[aria-pressed=true]").first
    inside = word.evaluate(
        "node => { const [one, box] = [node, document.querySelector('#words')].map((it) =>"
        " it.getBoundingClientRect()); return one.top >= box.top && one.bottom <= box.bottom; }"
    )
    assert inside


def test_one_word_always_stays(page: Page) -> None:
    ask(page, "The film is boring. I liked the music.")
    rows = page.locator("#sentences .row")
    rows.first.click()
    expect(page.locator("#change")).to_be_visible()
    without_one = page.locator("#verdict").text_content()
    rows.last.click()
    expect(page.locator("#try-status")).to_have_text("At least one word must stay.")
    expect(rows.last).to_have_attribute("aria-pressed", "false")
    assert page.locator("#verdict").text_content() == without_one
    rows.first.click()
    expect(page.locator("#try-status")).to_have_text("")


def test_folded_parts_say_that_they_are_about_the_text_before(page: Page) -> None:
    ask(page, NEAR)
    own = page.locator("#status").text_content()
    page.locator("#arithmetic summary").click()
    note = page.locator("#arithmetic .before")
    expect(note).to_be_hidden()
    page.locator("#sentences .row").first.click()
    expect(page.locator("#change")).to_be_visible()
    expect(note).to_have_text("This is about the text before the change.")
    page.locator("#put-back").click()
    expect(note).to_be_hidden()
    expect(page.locator("#status")).to_have_text(own or "")


def test_words_left_out_never_join_their_neighbours(page: Page) -> None:
    ask(page, "It's a well acted film, and good looking too, with a fine cast.")
    asked = []
    page.on("request", lambda request: asked.append(request))
    leave_out(page, "acted")
    expect(page.locator("#change")).to_be_visible()
    assert re.match(r"It's a well\s+film", json.loads(asked[-1].post_data)["review"])


def test_signs_of_markup_in_the_text_stay_text_when_it_is_sent_again(page: Page) -> None:
    ask(page, "I &lt;b&gt;loved&lt;/b&gt; this &amp;amp; that, a wonderful film with AT&T in it.")
    asked = []
    page.on("request", lambda request: asked.append(request))
    text = page.locator("#words").text_content() or ""
    leave_out(page, "wonderful")
    expect(page.locator("#change")).to_be_visible()
    assert "<" not in json.loads(asked[-1].post_data)["review"]
    page.locator("#use-text").click()
    expect(page.locator("#words")).not_to_contain_text("wonderful")
    kept = re.sub(r"\s+", " ", text.replace("wonderful", ""))
    assert re.sub(r"\s+", " ", page.locator("#words").text_content() or "") == kept


def test_a_version_can_be_kept_and_the_own_text_comes_back(page: Page) -> None:
    ask(page, NEAR)
    leave_out(page, "weak")
    expect(page.locator("#change")).to_be_visible()
    page.locator("#use-text").click()
    expect(page.locator("#send")).to_be_focused()
    expect(page.locator("#box")).to_be_visible()
    expect(page.locator("#review")).not_to_have_value(re.compile("weak"))
    expect(page.locator("#answer:not([data-stale])")).to_be_visible()
    page.locator("#restore").click()
    expect(page.locator("#review")).to_have_value(NEAR)


def test_a_text_without_a_word_to_leave_out_offers_none(page: Page) -> None:
    ask(page, FRENCH)
    expect(page.locator("#leave-out")).to_be_disabled()


def test_a_failure_while_trying_is_said_and_the_verdict_stays_the_text_s_own(
    page: Page, stack: Stack
) -> None:
    ask(page, GOOD)
    before = shown(page)
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    leave_out(page, "wonderful")
    expect(page.locator("#try-status")).to_contain_text("can\u2019t be reached")
    expect(page.locator("#change")).to_be_hidden()
    expect(page.locator("#words .word[aria-pressed=true]")).to_have_count(0)
    assert shown(page) == before


def test_a_newer_trial_is_never_overtaken_by_an_older_answer(page: Page, stack: Stack) -> None:
    ask(page, NEAR)
    held = []
    page.route(
        f"{stack.api}/v1/sentiment", lambda route: held.append(route) if not held else route.continue_()
    )
    leave_out(page, "weak")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    page.wait_for_timeout(400)  # longer than the pause before a request
    leave_out(page, "slow")
    expect(page.locator("#why")).to_contain_text("\u201cslow\u201d")
    after = shown(page)
    held[0].continue_()
    page.wait_for_timeout(300)
    assert shown(page) == after


def test_a_change_that_is_not_understood_shows_no_percentage(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    unknown = judged(stack, "Xqzvw blorpt kwyjibo frumple zzyzx.")
    answers = {"json": unknown, "headers": {"Access-Control-Allow-Origin": "*"}}
    page.route(f"{stack.api}/v1/sentiment", lambda route: route.fulfill(**answers))
    leave_out(page, "wonderful")
    expect(page.locator("#sureness")).to_contain_text("knows none of these words")
    expect(page.locator("#number-part")).to_be_hidden()
    assert "%" not in page.locator("#answer").inner_text()


def change_model(page: Page, stack: Stack) -> None:
    """Answer as another model from now on."""

    def other(route: Route) -> None:
        response = route.fetch()
        message = response.json()
        route.fulfill(response=response, json=message | {"model": message["model"] | {"id": "other"}})

    page.route(f"{stack.api}/v1/sentiment", other)


def test_another_model_s_answer_moves_nothing(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    before = shown(page)
    change_model(page, stack)
    leave_out(page, "wonderful")
    expect(page.locator("#try-status")).to_contain_text("The model has changed")
    assert shown(page) == before
    page.unroute_all(behavior="wait")


# What play may do with the board.

PREVIEW = """async (change) => {
  const { Board } = await import("./review/board.js");
  const { api } = await import("./shared/service.js");
  const answer = await api.sentiment(document.querySelector("#review").value, { explain: "words" });
  const board = new Board(answer, { api, useText: () => {}, readable: true });
  window.board = board;
  const [moved] = await board.ask([change.text], new AbortController().signal);
  board.preview({ ...change, answer: moved });
  return moved.probability;
}"""


def test_a_preview_strikes_puts_in_and_moves_the_verdict_and_null_undoes_it(page: Page) -> None:
    ask(page, NEAR)
    before = page.locator("#answer").inner_text()
    at = NEAR.index("weak")
    change = {
        "text": NEAR.replace("weak", "superb"),
        "removed": [{"start": at, "end": at + 4}],
        "inserted": [{"at": at + 4, "text": "superb"}],
    }
    moved = page.evaluate(PREVIEW, change)
    assert shown(page) == pytest.approx(moved)
    expect(page.locator("#words .word[aria-pressed=true]")).to_have_text("weak")
    expect(page.locator("#words ins")).to_have_text(" superb ")
    expect(page.locator("#why")).to_have_text("With \u201csuperb\u201d for \u201cweak\u201d.")
    expect(page.locator("#box")).to_be_hidden()
    page.evaluate("window.board.preview(null)")
    expect(page.locator("#box")).to_be_visible()
    expect(page.locator("#words ins")).to_have_count(0)
    assert page.locator("#answer").inner_text() == before


# Side by side.


def test_two_answers_stand_side_by_side(page: Page) -> None:
    ask(page, GOOD)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned: \u201cPositive\u201d")
    ask(page, BAD)
    sides = page.locator("#compare-columns article")
    expect(sides).to_have_count(2)
    expect(sides.nth(0)).to_contain_text("Positive")
    expect(sides.nth(1)).to_contain_text("Negative")
    expect(page.locator("#compare-sum")).to_contain_text("less positive than the pinned one")
    page.locator("#unpin").click()
    expect(page.locator("#compare")).to_be_hidden()


def test_a_pinned_answer_stays_when_the_next_request_fails(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned")
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    send(page, BAD)
    expect(page.locator("#error")).to_be_visible()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned")
    expect(page.locator("#compare-columns article")).to_have_count(0)


def test_two_models_are_said_to_be_two(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned")
    change_model(page, stack)
    ask(page, BAD)
    expect(page.locator("#compare-sum")).to_contain_text("Two different models")
    page.unroute_all(behavior="wait")


@pytest.mark.parametrize(
    ("review", "words", "later"),
    [
        (FRENCH, "does not look like English", "The pinned text was not understood"),
        ("I loved it", "Too short to be sure", "The pinned text is too short to compare"),
    ],
)
def test_a_pinned_text_without_a_number_shows_no_percentage(
    visit: Visit, stack: Stack, review: str, words: str, later: str
) -> None:
    page = visit(**chosen(stack.page, live=False))
    ask(page, review)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text(words)
    assert "%" not in (page.locator("#compare").text_content() or "")
    ask(page, GOOD)
    expect(page.locator("#compare-sum")).to_contain_text(later)
    assert "points" not in (page.locator("#compare-sum").text_content() or "")
    assert "%" not in (page.locator("#compare-columns article").first.text_content() or "")
