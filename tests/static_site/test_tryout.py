"""Testing a verdict on the page: words taken out, edits in place, what would flip it, two side by side."""

import json
import math
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.stack import Stack

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
FRENCH = "Ce film est une merveille et je le recommande pour toute la famille."
NEAR = "The film is slow at times. The music is lovely and the acting is fine, but the ending is weak."


def ask(page: Page, review: str) -> None:
    page.locator("#review").fill(review)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=10_000)
    expect(page.locator("#stale")).to_be_hidden()


def probability(stack: Stack, review: str) -> float:
    """What the API itself says of a review."""
    answer = httpx.post(f"{stack.api}/v1/sentiment", json={"review": review, "explain": "none"}, timeout=30)
    return answer.json()["probability"]


def explained(stack: Stack, review: str) -> dict[str, Any]:
    """Return the API's own answer to a review, explained by words."""
    return httpx.post(
        f"{stack.api}/v1/sentiment", json={"review": review, "explain": "words"}, timeout=30
    ).json()


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def number_of(word: Locator) -> float:
    """Return the signed number of a marked word."""
    return float((word.get_attribute("data-number") or "").replace("\N{MINUS SIGN}", "-"))


def percent(value: float) -> str:
    return f"{value * 100:.1f}\N{NO-BREAK SPACE}%"


def after(page: Page):
    return page.locator("#before-after tbody tr").nth(1)


def test_a_word_that_is_taken_out_changes_the_verdict_as_the_api_says(page: Page, stack: Stack) -> None:
    ask(page, NEAR)
    page.locator(".word", has_text="weak").click()
    expect(after(page)).to_contain_text(percent(probability(stack, NEAR.replace("weak", " "))))
    expect(page.locator("#try-status")).to_contain_text("Without 1 word")
    page.locator(".word", has_text="weak").click()
    expect(page.locator("#before-after")).to_be_hidden()


def test_words_taken_out_never_join_their_neighbours(page: Page) -> None:
    ask(page, "It's well-made and good-looking, a well-acted film.")
    asked = []
    page.on("request", lambda request: asked.append(request))
    page.locator(".word", has_text=re.compile("^-$")).first.click()
    expect(page.locator("#before-after")).to_be_visible()
    assert json.loads(asked[-1].post_data)["review"].startswith("It's well made")


def test_signs_of_markup_in_the_text_stay_text_when_it_is_sent_again(page: Page) -> None:
    ask(page, "I &lt;b&gt;loved&lt;/b&gt; this &amp;amp; that, a wonderful film with AT&T in it.")
    asked = []
    page.on("request", lambda request: asked.append(request))
    text = page.locator("#text").text_content()
    page.locator(".word", has_text="wonderful").click()
    expect(page.locator("#before-after")).to_be_visible()
    sent = json.loads(asked[-1].post_data)["review"]
    assert "<" not in sent
    page.locator("#use-text").click()
    expect(page.locator("#text")).not_to_contain_text("wonderful")
    kept = re.sub(r"\s+", " ", (text or "").replace("wonderful", ""))
    assert re.sub(r"\s+", " ", page.locator("#text").text_content() or "") == kept


def test_what_would_flip_it_is_found_by_one_request_and_holds(page: Page, stack: Stack) -> None:
    ask(page, NEAR)
    before = page.locator("#verdict").text_content()
    asked = []
    page.on("request", lambda request: asked.append(request.method + " " + request.url))
    page.locator("#flip").click()
    expect(page.locator("#try-status")).to_contain_text("tries", timeout=10_000)
    assert [line for line in asked if line.startswith("POST")] == [f"POST {stack.api}/v1/sentiment/batch"]
    removed = page.locator('.word[aria-pressed="true"]')
    assert removed.count() >= 1
    points = list(page.locator("#text").evaluate("node => node.textContent"))
    assert points
    expect(after(page).locator(".mini-verdict")).not_to_have_text(before or "")
    variant = page.locator("#text").evaluate(
        "node => { const copy = node.cloneNode(true);"
        " copy.querySelectorAll('[aria-pressed=true]').forEach(word => word.replaceWith(' '));"
        " return copy.textContent; }"
    )
    expect(after(page)).to_contain_text(percent(probability(stack, variant)))


def test_a_text_without_a_word_to_take_out_is_said_to_have_none(page: Page) -> None:
    ask(page, "!!! ??? !!!")
    page.locator("#flip").click()
    expect(page.locator("#try-status")).to_contain_text("No word")
    expect(page.locator("#before-after")).to_be_hidden()


def test_an_edit_in_place_shows_before_and_after_and_can_be_dropped(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    page.locator("#edit-here").click()
    editor = page.locator("#edit-text")
    expect(editor).to_be_focused()
    expect(editor).to_have_value(GOOD)
    editor.fill(BAD)
    expect(after(page)).to_contain_text("Negative")
    expect(page.locator("#try-status")).to_contain_text("Edited: now")
    page.locator("#edit-cancel").click()
    expect(page.locator("#text")).to_be_visible()
    expect(page.locator("#before-after")).to_be_hidden()
    expect(page.locator("#verdict")).to_have_text("Positive")


def test_a_tried_version_is_read_in_full_and_the_own_text_can_come_back(page: Page) -> None:
    ask(page, GOOD)
    page.locator("#edit-here").click()
    page.locator("#edit-text").fill(BAD)
    expect(after(page)).to_contain_text("Negative")
    page.locator("#use-text").click()
    expect(page.locator("#verdict")).to_have_text("Negative")
    expect(page.locator("#review")).to_have_value(BAD)
    page.locator("#restore").click()
    expect(page.locator("#review")).to_have_value(GOOD)


def test_a_failure_while_trying_is_said_and_shows_no_verdict(page: Page, stack: Stack) -> None:
    ask(page, GOOD)
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    page.locator(".word", has_text="wonderful").click()
    expect(page.locator("#try-status")).to_contain_text("can’t be reached")
    expect(page.locator("#before-after")).to_be_hidden()
    expect(page.locator("#verdict")).to_have_text("Positive")


def test_a_newer_trial_is_never_overtaken_by_an_older_answer(page: Page, stack: Stack) -> None:
    ask(page, NEAR)
    held = []
    page.route(
        f"{stack.api}/v1/sentiment", lambda route: held.append(route) if not held else route.continue_()
    )
    page.locator(".word", has_text="weak").click()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    page.locator(".word", has_text="slow").click()
    expect(page.locator("#try-status")).to_contain_text("Without 2 words")
    shown = after(page).text_content()
    held[0].continue_()
    expect(after(page)).to_have_text(shown or "")


def test_two_answers_stand_side_by_side(page: Page) -> None:
    ask(page, GOOD)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned: “Positive”")
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
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    page.locator("#review").fill(BAD)
    page.locator("#send").click()
    expect(page.locator("#error")).to_be_visible()
    expect(page.locator("#compare-sum")).to_contain_text("Pinned")
    assert page.locator("#compare-columns article").count() == 0


def test_the_part_that_was_not_read_is_drawn_as_such(page: Page) -> None:
    page.locator("[data-example=long]").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=10_000)
    expect(page.locator("#cut-note")).to_contain_text("the first 128 and the last 272")
    expect(page.locator("#text .unread")).to_have_count(1)
    expect(page.locator("#warning-list .warning[data-code=truncated]")).to_be_visible()


def test_the_waterfall_ends_at_the_logit(page: Page) -> None:
    ask(page, NEAR)
    rows = page.locator("#waterfall li")
    numbers = [row.text_content() for row in rows.locator(".row-number").all()]
    values = [float((text or "").replace("\N{MINUS SIGN}", "-")) for text in numbers]
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=0.011 * len(values))
    logit = float(page.locator("#sum").get_attribute("data-logit") or "nan")
    assert values[-1] == pytest.approx(logit, abs=0.006)


def test_many_sentences_are_drawn_as_few_steps_with_the_same_sum(page: Page) -> None:
    ask(page, " ".join(f"{sentence} It goes on, scene {n}." for n in range(8) for sentence in (GOOD, BAD)))
    expect(page.locator("#waterfall li")).to_have_count(11)
    expect(page.locator("#waterfall")).to_contain_text("weaker sentences")


def test_words_lead_with_their_measured_effects_and_pulls_are_folded_away(page: Page, stack: Stack) -> None:
    answer = explained(stack, NEAR)
    ask(page, NEAR)
    place = next(at for at, one in enumerate(answer["words"]) if NEAR[one["start"] : one["end"]] == "weak")
    word = answer["words"][place]
    weak = page.locator(".word", has_text="weak")
    assert number_of(weak) == pytest.approx(word["effect"], abs=0.006)
    left = percent(sigmoid(logit(answer["probability"]) - word["effect"]))
    expect(weak).to_have_attribute("data-tip", re.compile(f"without it {left} positive"))
    expect(page.locator("#words-against .word-row", has_text="weak")).to_contain_text(f"without it {left}")
    expect(page.locator("#weigh")).to_be_hidden()
    pulls = page.locator("#all-words li")
    expect(pulls).to_have_count(0)
    page.locator("#all-words summary").click()
    expect(pulls).to_have_count(len(answer["words"]))
    pull = (pulls.nth(place).locator(".row-number").text_content() or "").replace("\N{MINUS SIGN}", "-")
    assert float(pull) == pytest.approx(word["contribution"], abs=0.006)


def test_the_other_words_are_measured_when_asked(page: Page, stack: Stack) -> None:
    review = f"{GOOD} {NEAR}"
    answer = explained(stack, review)
    ask(page, review)
    lacking = [
        at
        for at, one in enumerate(answer["words"])
        if "effect" not in one and review[one["start"] : one["end"]].isalpha()
    ]
    assert lacking
    other = page.locator(f'.word[data-word="{lacking[0]}"]')
    expect(other).to_have_attribute("data-tip", "not measured")
    expect(page.locator("#weigh")).to_have_text("Measure the other words too")
    page.locator("#weigh").click()
    expect(page.locator("#weigh")).to_be_hidden()
    span = answer["words"][lacking[0]]
    without = probability(stack, f"{review[: span['start']]} {review[span['end'] :]}")
    assert number_of(other) == pytest.approx(logit(answer["probability"]) - logit(without), abs=0.006)
    assert page.evaluate("document.activeElement.matches('.word')")


def test_an_answer_without_effects_shows_pulls_and_offers_to_measure(page: Page, stack: Stack) -> None:
    answer = explained(stack, NEAR)
    for word in answer["words"]:
        word.pop("effect", None)
    cors = {"Access-Control-Allow-Origin": "*"}
    page.route(f"{stack.api}/v1/sentiment", lambda route: route.fulfill(json=answer, headers=cors))
    ask(page, NEAR)
    place = next(at for at, one in enumerate(answer["words"]) if NEAR[one["start"] : one["end"]] == "weak")
    weak = page.locator(".word", has_text="weak")
    assert number_of(weak) == pytest.approx(answer["words"][place]["contribution"], abs=0.006)
    expect(page.locator("#words-note")).to_contain_text("in context")
    page.locator("#weigh").click()
    expect(page.locator("#words-note")).to_contain_text("leaving out one word at a time")
    left = probability(stack, NEAR.replace("weak", " "))
    assert number_of(weak) == pytest.approx(logit(answer["probability"]) - logit(left), abs=0.006)


def test_a_tried_text_that_is_not_understood_shows_no_percentage(page: Page) -> None:
    ask(page, GOOD)
    page.locator("#edit-here").click()
    page.locator("#edit-text").fill(FRENCH)
    expect(page.locator("#try-status")).to_contain_text("does not look like English")
    assert "%" not in (page.locator("#try-status").text_content() or "")
    expect(after(page)).to_contain_text("Can\u2019t tell")
    assert "%" not in (after(page).text_content() or "")
    expect(after(page).locator(".meter")).to_have_count(0)


def test_a_pinned_text_that_is_not_understood_shows_no_percentage(page: Page) -> None:
    ask(page, FRENCH)
    page.locator("#pin").click()
    expect(page.locator("#compare-sum")).to_contain_text("does not look like English")
    assert "%" not in (page.locator("#compare").text_content() or "")
    ask(page, GOOD)
    expect(page.locator("#compare-sum")).to_contain_text("The pinned text was not understood")
    assert "points" not in (page.locator("#compare-sum").text_content() or "")
    assert "%" not in (page.locator("#compare-columns article").first.text_content() or "")
