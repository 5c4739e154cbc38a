"""Change its mind: the smallest change that turns the verdict, as the page finds, shows and puts it back."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.static_site.conftest import Visit
from tests.static_site.playing import (
    BAD,
    FRENCH,
    GOOD,
    MIXED,
    OPEN,
    SECONDS,
    ask,
    overflows,
    plain,
    small_targets,
)
from tests.support.accessibility import violations
from tests.support.faulty_stack import FaultyStack
from tests.support.stack import Stack

BATCH = "/v1/sentiment/batch"
MAX_TEXTS = 150
# Praise and complaint of 230 words.
LONG = " ".join(
    [
        "I went in with low hopes, since the last two films of this series were dull and badly written.",
        "The opening is slow, and the hero spends twenty minutes looking for his keys.",
        "Then his sister arrives, and the film wakes up: she is funny, quick and never cruel.",
        "Their quarrel over the house is the best scene that this director has made.",
        "The camera stays close, the light is lovely, and nobody explains a joke.",
        "Sadly the middle drags, with a chase that nobody needed and music that never stops.",
        "The villain is a bore, his plan makes no sense, and his accent comes and goes.",
        "I looked at my watch twice, and a man behind me left to take a call.",
        "But the last half hour is superb, and the two leads carry it with ease.",
        "There is a long silence at the harbour that I will not forget.",
        "The script has clumsy lines, and some of the sets look cheap.",
        "Even so, the ending is earned, and the cast is wonderful to the last small part.",
        "My daughter laughed, my father cried, and we talked about it all the way home.",
        "It is not a perfect film, and it is far too long for its story.",
        "It is also warm, honest and alive, which is rare in a sequel.",
        "I would gladly see it again.",
    ]
)


def find(page: Page) -> None:
    page.locator("#play").get_by_role("button", name="Change its mind").click()
    expect(page.locator("#play .mind")).not_to_have_attribute("aria-busy", "true", timeout=SECONDS)


def said(page: Page) -> str:
    return plain(page.locator("#play .play-status").text_content())


def button(page: Page, name: str):
    return page.locator("#play").get_by_role("button", name=name)


def verdict(page: Page) -> str:
    return page.locator("#verdict").text_content() or ""


def texts_of(request: Request) -> list[str]:
    return [review["review"] for review in json.loads(request.post_data or "{}")["reviews"]]


def batches(page: Page, stack: Stack) -> list[list[str]]:
    """The texts of each batch that the page sends; the list grows."""
    sent: list[list[str]] = []
    page.on(
        "request",
        lambda request: (
            request.url == stack.api + BATCH and request.method == "POST" and sent.append(texts_of(request))
        ),
    )
    return sent


def judged(stack: Stack, review: str, explain: str = "none") -> dict[str, Any]:
    message = {"review": review, "explain": explain}
    return httpx.post(f"{stack.api}/v1/sentiment", json=message, timeout=30).json()


def by_ranking(stack: Stack, review: str) -> int:
    """Return how many words must go when they go by their effects, strongest first."""
    answer = judged(stack, review, "words")
    side, goal = (1, "negative") if answer["sentiment"] == "positive" else (-1, "positive")
    words = [
        word for word in answer["words"] if any(c.isalnum() for c in review[word["start"] : word["end"]])
    ]
    pull = {word["start"]: word.get("effect", word["contribution"]) * side for word in words}
    ranked = sorted(
        (word for word in words if pull[word["start"]] > 0), key=lambda word: -pull[word["start"]]
    )
    for size in range(1, len(ranked) + 1):
        gone = sorted(ranked[:size], key=lambda word: -word["start"])
        left = review
        for word in gone:
            left = left[: word["start"]] + " " + left[word["end"] :]
        if judged(stack, left)["sentiment"] == goal:
            return size
    return len(ranked) + 1


def edits_of(words: str) -> int:
    """Return how many words a sentence says to change."""
    if found := re.search(r"(\d+) words, marked above", words):
        return int(found[1])
    names = "five six seven eight nine ten".split()
    if found := re.search(r"(\w+) words, marked above", words):
        return names.index(found[1]) + 5
    swaps = len(re.findall("\u201d to \u201c", words))
    return words.count("\u201c") - swaps


@pytest.mark.parametrize("review", [MIXED, GOOD, BAD, LONG])
def test_the_found_text_has_the_other_verdict_as_the_api_says(page: Page, stack: Stack, review: str) -> None:
    before = judged(stack, review)["sentiment"]
    goal = "negative" if before == "positive" else "positive"
    ask(page, review)
    find(page)
    assert f"it turns {goal}" in said(page)
    expect(page.locator("#verdict")).to_contain_text(re.compile(goal, re.IGNORECASE))
    button(page, "Keep this version").click()
    expect(page.locator("#review")).not_to_have_value(review)
    found = page.locator("#review").input_value()
    assert judged(stack, found)["sentiment"] == goal
    expect(page.locator("#verdict")).to_contain_text(re.compile(goal, re.IGNORECASE))


@pytest.mark.parametrize("review", [MIXED, BAD, LONG])
def test_the_found_change_is_no_larger_than_leaving_out_by_the_ranking(
    page: Page, stack: Stack, review: str
) -> None:
    ask(page, review)
    find(page)
    assert "it turns" in said(page)
    assert edits_of(said(page)) <= by_ranking(stack, review)


def test_a_long_review_takes_few_texts(page: Page, stack: Stack) -> None:
    assert len(LONG.split()) > 220
    ask(page, LONG)
    sent = batches(page, stack)
    find(page)
    assert "it turns" in said(page)
    assert 0 < sum(map(len, sent)) <= MAX_TEXTS
    assert all(len(texts) <= 100 for texts in sent)


def test_words_are_struck_through_and_put_back(page: Page) -> None:
    ask(page, MIXED)
    before = verdict(page)
    find(page)
    changed = page.locator("#words [aria-pressed=true], #words ins")
    expect(changed.first).to_be_visible()
    expect(page.locator("#verdict")).not_to_have_text(before)
    added = page.locator("#words ins")
    if added.count():  # right after the word that it replaces
        before_it = added.first.evaluate("node => node.previousElementSibling?.getAttribute('aria-pressed')")
        assert before_it == "true"
    button(page, "Put back").click()
    expect(page.locator("#verdict")).to_have_text(before)
    expect(changed).to_have_count(0)
    expect(button(page, "Change its mind")).to_be_focused()
    expect(page.locator("#review")).to_have_value(MIXED)


@pytest.mark.parametrize("how", ["#put-back", "#words .word[aria-pressed=true]"])
def test_a_change_that_the_reader_undoes_in_the_text_is_forgotten(page: Page, how: str) -> None:
    ask(page, MIXED)
    before = verdict(page)
    find(page)
    page.locator(how).first.click()
    expect(button(page, "Change its mind")).to_be_visible()
    expect(button(page, "Keep this version")).to_be_hidden()
    assert said(page) == ""
    for _ in range(page.locator("#words .word[aria-pressed=true]").count()):
        page.locator("#words .word[aria-pressed=true]").first.click()
    expect(page.locator("#verdict")).to_have_text(before)


def test_another_way_changes_other_words(page: Page) -> None:
    ask(page, "A wonderful, moving film. I loved every minute of it.")
    find(page)
    seen = {said(page)}
    for _ in range(3):
        button(page, "Another way").click()
        expect(page.locator("#play .mind")).not_to_have_attribute("aria-busy", "true", timeout=SECONDS)
        if "No other" in said(page):
            break
        assert said(page) not in seen
        seen.add(said(page))
    assert len(seen) >= 2


def test_a_sentence_can_be_left_out_instead(page: Page, stack: Stack) -> None:
    _, middle, _ = sentences = MIXED.split(". ")
    left = ". ".join(sentence for sentence in sentences if sentence != middle)
    assert judged(stack, left)["sentiment"] == "positive"
    ask(page, MIXED)
    find(page)
    offer = page.locator("#play .mind-sentence")
    expect(offer).to_contain_text("Or leave out one sentence, and it turns positive")
    button(page, "Leave out that sentence").click()
    assert said(page).startswith("Leave out this sentence, and it turns positive")
    expect(offer).to_be_hidden()
    button(page, "Keep this version").click()
    expect(page.locator("#review")).to_have_value(left)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("Change one word, \u201ca\u201d to \u201cb\u201d, and it turns positive (91 %).", 1),
        ("Change \u201ca\u201d to \u201cb\u201d and leave out \u201cc\u201d and \u201cd\u201d, and", 3),
        ("Change six words, marked above, and it turns negative.", 6),
    ],
)
def test_the_number_of_words_is_read_from_the_sentence(words: str, number: int) -> None:
    assert edits_of(words) == number


def test_from_can_t_tell_both_sides_are_offered(page: Page, stack: Stack) -> None:
    assert judged(stack, OPEN)["sentiment"] == "uncertain"
    ask(page, OPEN)
    for side in ("positive", "negative"):
        button(page, f"Make it {side}").click()
        expect(page.locator("#play .play-status")).to_contain_text(f"it turns {side}", timeout=SECONDS)
        button(page, "Put back").click()
    expect(page.locator("#verdict")).to_contain_text("Can\u2019t tell")


def test_a_review_of_one_word_is_turned_by_its_opposite(page: Page) -> None:
    ask(page, "Dreadful")
    find(page)
    assert said(page).startswith("Change one word, \u201cDreadful\u201d to \u201c")
    # Of so short a text, no number holds.
    assert "%" not in said(page)


def test_signs_of_markup_stay_text(page: Page, stack: Stack) -> None:
    ask(page, "I &lt;b&gt;hated&lt;/b&gt; this dull film, and so did everyone at AT&T.")
    sent = batches(page, stack)
    find(page)
    assert sent and all("<" not in text for texts in sent for text in texts)
    assert all("&lt;b" in text for texts in sent for text in texts)


def test_the_longest_review_is_searched_in_few_texts(page: Page, stack: Stack) -> None:
    review = (f"{BAD} " * 700)[:49_990].rsplit(" ", 1)[0] + "."
    ask(page, review)
    sent = batches(page, stack)
    find(page)
    assert said(page) and "can\u2019t" not in said(page)
    assert sum(map(len, sent)) <= 40


def test_words_that_were_not_read_are_never_changed(page: Page, stack: Stack) -> None:
    unread = "The dreadful awful terrible boring middle is never read. " * 40
    head, tail = "A calm film with a good cast. " * 20, "It ends well and I was glad. " * 40
    ask(page, head + unread + tail)
    expect(page.locator("[data-code=truncated]").first).to_be_attached()
    sent = batches(page, stack)
    find(page)
    whole = head + unread + tail
    gap = unread[len(unread) // 3 : len(unread) // 2].strip()
    assert gap in whole
    assert all(gap in text for texts in sent for text in texts)


@pytest.mark.parametrize("review", [FRENCH, "Xyzzy plugh frobnicate grue."])
def test_a_text_that_was_not_understood_says_why_there_is_nothing_to_change(
    page: Page, stack: Stack, review: str
) -> None:
    assert judged(stack, review)["reason"] in ("not_english", "no_known_words")
    page.locator("#review").fill(review)
    page.locator("#send").click()
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=SECONDS)
    expect(page.locator("#play")).to_contain_text("didn\u2019t understand", timeout=SECONDS)
    expect(page.locator("#play button")).to_have_count(0)


# Faults in the middle of a search.


def broken(route: Route) -> None:
    route.abort("connectionrefused")


def limited(route: Route) -> None:
    headers = {"Access-Control-Allow-Origin": "*", "Retry-After": "1"}
    problem = {
        "title": "Too many",
        "status": 429,
        "code": "too_many_requests",
        "detail": "",
        "request_id": "r",
    }
    route.fulfill(status=429, json=problem, headers=headers)


def of_another_model(route: Route) -> None:
    response = route.fetch()
    message = response.json()
    route.fulfill(response=response, json=message | {"model": message["model"] | {"id": "another"}})


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (broken, "can\u2019t be reached"),
        (limited, "Too many requests"),
        (of_another_model, "The model has changed"),
    ],
)
def test_a_fault_during_the_search_leaves_the_verdict_and_a_press_tries_again(
    page: Page, stack: Stack, fault, words: str
) -> None:
    ask(page, MIXED)
    before = verdict(page)
    page.route(stack.api + BATCH, fault)
    find(page)
    assert words in said(page)
    assert "unchanged" in said(page)
    expect(page.locator("#verdict")).to_have_text(before)
    page.unroute(stack.api + BATCH)
    find(page)
    assert "it turns" in said(page)


def test_offline_during_the_search_is_said(page: Page) -> None:
    ask(page, MIXED)
    before = verdict(page)
    page.context.set_offline(True)
    find(page)
    assert "unchanged" in said(page)
    expect(page.locator("#verdict")).to_have_text(before)
    page.context.set_offline(False)
    find(page)
    assert "it turns" in said(page)


def test_an_endpoint_that_goes_down_during_the_search_is_said(visit: Visit, faulty: FaultyStack) -> None:
    page = visit(site=faulty.page)
    ask(page, MIXED)
    before = verdict(page)
    faulty.endpoint.switch("503 not ready")
    find(page)
    assert "unchanged" in said(page)
    expect(page.locator("#verdict")).to_have_text(before)
    faulty.heal()
    find(page)
    assert "it turns" in said(page)


def test_a_newer_review_ends_the_search(page: Page, stack: Stack) -> None:
    held: list[Route] = []
    page.route(stack.api + BATCH, lambda route: held.append(route))
    ask(page, MIXED)
    button(page, "Change its mind").click()
    expect(page.locator("#play .mind")).to_have_attribute("aria-busy", "true")
    ask(page, GOOD)
    for route in held:
        # The page has given this request up.
        try:
            route.continue_()
        except Exception:
            pass
    page.wait_for_timeout(300)
    assert said(page) == ""
    expect(page.locator("#verdict")).to_contain_text("Positive")
    expect(page.locator("#review")).to_have_value(GOOD)


# How it looks and is used.


def test_the_part_is_accessible_before_and_after(page: Page) -> None:
    ask(page, MIXED)
    assert violations(page) == []
    find(page)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_on_a_small_phone_and_targets_are_large(visit: Visit, scheme: str) -> None:
    page = visit(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True, color_scheme=scheme)
    ask(page, MIXED)
    find(page)
    assert not overflows(page)
    assert small_targets(page, "#play button") == []
    assert violations(page) == []


def test_all_of_it_works_by_keyboard(page: Page) -> None:
    ask(page, MIXED)
    button(page, "Change its mind").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#play .play-status")).to_contain_text("it turns", timeout=SECONDS)
    expect(button(page, "Another way")).to_be_focused()
    page.keyboard.press("Tab")
    expect(button(page, "Put back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, "Change its mind")).to_be_focused()
