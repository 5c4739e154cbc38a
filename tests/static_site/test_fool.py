"""Fool it: cards of the open exam, guessed first and judged then, with the exam's own rate."""

import json
from collections import Counter

import pytest
from playwright.sync_api import Page, Route, expect

from static_site import serve
from tests.static_site.conftest import Visit
from tests.static_site.playing import SECONDS, overflows, plain, small_targets
from tests.support.accessibility import violations
from tests.support.stack import ROOT, Stack

CARDS = json.loads((serve.FOLDER / "play" / "fool_cards.json").read_text(encoding="utf-8"))
CASES = {
    case["id"]: case
    for case in map(
        json.loads,
        (ROOT / "training/evaluation/cases/behaviour/cases.jsonl").read_text(encoding="utf-8").splitlines(),
    )
}
EXAM = json.loads((ROOT / "training/endpoint/model/model.json").read_text(encoding="utf-8"))["metrics"]


def visible_game(page: Page) -> None:
    """Use the page in some way, which loads the game."""
    page.mouse.move(200, 200)
    expect(page.locator("#fool summary")).to_be_visible(timeout=SECONDS)


def open_game(page: Page) -> None:
    visible_game(page)
    page.locator("#fool summary").click()
    expect(page.locator("#fool blockquote")).to_be_visible(timeout=SECONDS)


def guess(page: Page, side: str) -> None:
    page.locator("#fool").get_by_role("group").get_by_role("button", name=side.capitalize()).click()


def score(page: Page) -> str:
    return page.locator("#fool .fool-score").text_content() or ""


def test_cards_are_cases_of_the_open_half_and_never_of_the_held_one() -> None:
    assert len(CARDS) == 12 and len({card["id"] for card in CARDS}) == 12
    for card in CARDS:
        case = CASES[card["id"]]
        assert case["half"] == "open" and case["expect"] == "label"
        assert card == {key: case[key] for key in ("id", "capability", "label", "review")}
    held = {case["review"] for case in CASES.values() if case["half"] == "held"}
    assert not held & {card["review"] for card in CARDS}


def test_cards_are_balanced() -> None:
    assert Counter(card["label"] for card in CARDS) == {"positive": 6, "negative": 6}
    skills = Counter(card["capability"] for card in CARDS)
    assert set(skills.values()) == {3}
    assert set(skills) == {"sarcasm", "negation", "comparison", "counterfactual"}


def test_nothing_is_asked_before_the_game_is_opened(page: Page, stack: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visible_game(page)
    page.wait_for_load_state("networkidle")
    assert not any("fool_cards" in url or url.endswith("/v1/model") for url in asked)
    asked.clear()
    open_game(page)
    page.wait_for_load_state("networkidle")
    assert f"{stack.api}/v1/sentiment" not in asked  # the guess comes first


def test_the_rate_is_the_card_s_own_on_the_half_held_back(page: Page) -> None:
    open_game(page)
    for card in CARDS:
        rate = round(EXAM["behaviour"][card["capability"]]["held"] * 100)
        expect(page.locator("#fool .fool-card")).to_contain_text(card["review"])
        expect(page.locator("#fool .fool-card .small-print")).to_contain_text(f"right for {rate} in 100")
        guess(page, "positive")
        page.locator("#fool").get_by_role("button", name="Next card").or_(
            page.locator("#fool").get_by_role("button", name="Play again")
        ).click()


def test_a_guess_shows_the_right_answer_the_model_s_and_the_score(page: Page, stack: Stack) -> None:
    asked: list[str] = []
    open_game(page)
    you = verdict = 0
    page.on("request", lambda request: request.method == "POST" and asked.append(request.post_data or ""))
    for place, card in enumerate(CARDS, start=1):
        expect(page.locator("#fool h3")).to_contain_text(f"Card {place} of 12")
        guess(
            page,
            card["label"] if place % 3 else {"positive": "negative", "negative": "positive"}[card["label"]],
        )
        told = page.locator("#fool .fool-said")
        expect(told).to_contain_text(f"it is {card['label']}", timeout=SECONDS)
        you += bool(place % 3)
        verdict += "and is right" in (told.text_content() or "")
        assert score(page).startswith(f"You {you}, Verdict {verdict}, of {place}")
        assert json.loads(asked[-1])["review"] == card["review"]
        if place < len(CARDS):
            page.locator("#fool").get_by_role("button", name="Next card").click()
    assert len(asked) == len(CARDS)
    assert any(words in score(page) for words in ("better", "draw"))
    page.locator("#fool").get_by_role("button", name="Play again").click()
    expect(page.locator("#fool h3")).to_contain_text("Card 1 of 12")
    assert score(page) == ""


def test_the_game_is_played_by_keyboard_and_keeps_the_focus(page: Page) -> None:
    page.keyboard.press("Tab")
    page.locator("#fool summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fool blockquote")).to_be_visible(timeout=SECONDS)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    next_card = page.locator("#fool").get_by_role("button", name="Next card")
    expect(next_card).to_be_focused(timeout=SECONDS)
    page.keyboard.press("Enter")
    expect(page.locator("#fool").get_by_role("group").get_by_role("button").first).to_be_focused()


def test_a_card_can_be_put_into_the_box(page: Page) -> None:
    open_game(page)
    guess(page, "negative")
    page.locator("#fool").get_by_role("button", name="Use this text").click()
    expect(page.locator("#review")).to_have_value(CARDS[0]["review"])
    expect(page.locator("main#page")).to_have_attribute("data-state", "answer", timeout=SECONDS)


def test_a_fault_keeps_the_card_and_the_guess(page: Page, stack: Stack) -> None:
    open_game(page)
    page.route(f"{stack.api}/v1/sentiment", lambda route: route.abort("connectionrefused"))
    guess(page, CARDS[0]["label"])
    expect(page.locator("#fool .fool-said")).to_contain_text("can\u2019t be reached")
    assert score(page) == ""
    assert "%" not in plain(page.locator("#fool .fool-said").text_content())
    assert violations(page) == []
    page.unroute(f"{stack.api}/v1/sentiment")
    page.locator("#fool").get_by_role("button", name="Ask again").click()
    expect(page.locator("#fool .fool-said")).to_contain_text("Right: it is", timeout=SECONDS)
    assert score(page).startswith("You 1, ")


def test_without_the_model_s_card_the_game_works_and_states_no_rate(page: Page, stack: Stack) -> None:
    page.route(f"{stack.api}/v1/model", lambda route: route.abort("connectionrefused"))
    open_game(page)
    guess(page, "positive")
    expect(page.locator("#fool .fool-said")).to_contain_text("it is", timeout=SECONDS)
    assert "in 100" not in (page.locator("#fool .fool-card").text_content() or "")


@pytest.mark.parametrize("status", [404, 200])
def test_cards_that_can_not_be_read_are_said_and_can_be_asked_again(page: Page, status: int) -> None:
    def broken(route: Route) -> None:
        route.fulfill(status=status, content_type="text/plain", body="no cards")

    page.route("**/fool_cards.json", broken)
    visible_game(page)
    page.locator("#fool summary").click()
    expect(page.locator("#fool")).to_contain_text("couldn\u2019t be loaded", timeout=SECONDS)
    page.unroute("**/fool_cards.json")
    page.locator("#fool summary").click()
    open_game(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_game_fits_a_small_phone_and_is_accessible(visit: Visit, scheme: str) -> None:
    page = visit(viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True, color_scheme=scheme)
    open_game(page)
    assert violations(page) == []
    guess(page, "positive")
    expect(page.locator("#fool .fool-said")).to_contain_text("it is", timeout=SECONDS)
    assert violations(page) == []
    assert not overflows(page)
    assert small_targets(page, "#fool button, #fool summary") == []
