"""The model's page, cards and sliders: cases that a card opens, and figures that one moves."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.static_site.conftest import Visit
from tests.static_site.test_model_page import CARD, SECONDS, THEMES, percent, shown
from tests.support.accessibility import violations
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "static_site" / "model" / "cases.json"
CARDS = ("right", "promises", "fooled")


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    return json.loads(CASES.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def card(cases: dict[str, Any]) -> dict[str, Any]:
    """The card of made-up figures, of the model that the cases belong to."""
    return {**json.loads(CARD.read_text(encoding="utf-8")), "id": cases["model"]}


def opened(page: Page, name: str) -> Page:
    page.locator(f"#{name} .card-opener").click()
    expect(page.locator(f"#{name}-cases")).to_have_attribute("data-state", "shown", timeout=SECONDS)
    return page


def move(page: Page, slider: str, to: int) -> None:
    page.locator(slider).fill(str(to))


# --- cases --------------------------------------------------------------------------------------


def test_the_serving_model_s_cards_open_its_cases(visit: Visit, cases: dict[str, Any]) -> None:
    page = visit("model.html")
    for name in CARDS:
        opened(page, name)
        expect(page.locator(f"#{name}-cases")).not_to_contain_text("not to the one")
    assert not re.search(r"NaN|undefined|\[object|null", page.locator("main").inner_text())


def test_the_first_card_opens_texts_of_ours_and_numbers_of_reviews(
    visit: Visit, stack: Stack, card: dict[str, Any], cases: dict[str, Any]
) -> None:
    page = opened(shown(visit, stack, card), "right")
    place = page.locator("#right-cases")
    for outcome in ("right", "wrong"):
        column = place.locator(f'[data-outcome="{outcome}"]')
        own = [one["text"] for case in cases["texts"][outcome] for one in case["texts"]]
        assert [" ".join(one.split()) for one in column.locator(".case-text").all_text_contents()] == [
            " ".join(one.split()) for one in own
        ]
        numbers = column.locator("tbody th").all_text_contents()
        assert numbers == [one["id"] for one in cases["reviews"][outcome]]
    first = cases["reviews"]["wrong"][0]
    said = place.locator("tr", has_text=first["id"]).locator("td").last
    if first["verdict"] == "uncertain":
        expect(said).to_have_text(f"Can\u2019t tell: {percent(first['probability'], 1)} positive")
    else:
        expect(said).to_have_text(re.compile(f"^{first['verdict'].capitalize()}, .*\u00a0% sure$"))
    expect(place.locator("code")).to_have_text(f"python -m training.data.dataset --review {first['id']}")


def test_the_second_card_sorts_reviews_by_how_sure_it_was(
    visit: Visit, stack: Stack, card: dict[str, Any], cases: dict[str, Any]
) -> None:
    place = opened(shown(visit, stack, card), "promises").locator("#promises-cases")
    expect(place.locator("h4")).to_have_count(len(cases["levels"]))
    for level in cases["levels"]:
        expect(place).to_contain_text(
            f"right for {level['reviews_right']:,} of {level['reviews']:,} development reviews: "
            + percent(level["reviews_right"] / level["reviews"], 1)
        )


def test_the_third_card_opens_cases_of_the_weakest_skills_alone(
    visit: Visit, stack: Stack, card: dict[str, Any], cases: dict[str, Any]
) -> None:
    other = copy.deepcopy(card)
    other["metrics"]["behaviour"]["ratings"]["held"] = 0.01
    place = opened(shown(visit, stack, other), "fooled").locator("#fooled-cases")
    assert place.locator("h4").all_text_contents() == ["Ratings", "Sarcasm", "Missed chances"]
    texts = set(place.locator(".case-text").all_text_contents())
    assert {one["text"] for case in cases["skills"]["ratings"]["wrong"] for one in case["texts"]} <= texts


def test_a_case_leads_to_the_review_page_with_its_text(
    visit: Visit, stack: Stack, card: dict[str, Any], cases: dict[str, Any]
) -> None:
    page = opened(shown(visit, stack, card), "fooled")
    look = page.locator("#fooled-cases .case-answer a").first
    expect(look).to_have_attribute("href", re.compile("#review="))
    text = page.locator("#fooled-cases .case-text").first.text_content()
    look.click()
    expect(page.locator("#review")).to_have_value(text or "")


def test_cases_of_another_model_are_not_shown(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = opened(shown(visit, stack, {**card, "id": "verdict-ffffffffffff"}), "right")
    place = page.locator("#right-cases")
    expect(place).to_contain_text(f"belong to the model {card['id']}")
    expect(place.locator("table, blockquote")).to_have_count(0)


@pytest.mark.parametrize("file", ["model/cases.json", "model/cases.js"])
def test_cases_that_can_t_be_loaded_say_so_and_a_retry_loads_them(
    visit: Visit, stack: Stack, card: dict[str, Any], file: str
) -> None:
    page = shown(visit, stack, card)
    page.route(f"**/{file}", lambda route: route.fulfill(status=404, content_type="text/plain", body="404"))
    page.locator("#right .card-opener").click()
    place = page.locator("#right-cases")
    expect(place).to_contain_text("The cases couldn\u2019t be loaded.")
    assert violations(page) == []
    page.unroute(f"**/{file}")
    place.locator("button").click()
    expect(place.locator("table").first).to_be_visible()


WRONG_FILES = ["null", "[]", "{}", '{"model": 1}', "<html>"]


@pytest.mark.parametrize("body", WRONG_FILES)
def test_a_file_that_holds_no_cases_never_breaks_the_page(
    visit: Visit, stack: Stack, card: dict[str, Any], body: str
) -> None:
    page = shown(visit, stack, card)
    page.route("**/model/cases.json", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.locator("#fooled .card-opener").click()
    expect(page.locator("#fooled-cases p").first).to_contain_text(re.compile("belong to|couldn\u2019t"))


def test_a_card_opens_and_closes_by_keyboard(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card)
    opener = page.locator("#promises .card-opener")
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#promises-cases table").first).to_be_visible()
    page.keyboard.press("Space")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#promises-cases")).to_be_hidden()


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_opened_cards(
    visit: Visit, stack: Stack, card: dict[str, Any], theme: str
) -> None:
    page = shown(visit, stack, card, color_scheme=theme, reduced_motion="reduce")
    for name in CARDS:
        opened(page, name)
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_opened_cards_never_overflow(visit: Visit, stack: Stack, card: dict[str, Any], width: int) -> None:
    page = shown(visit, stack, card, viewport={"width": width, "height": 900})
    for name in CARDS:
        opened(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_review_of_a_person_is_in_the_file(cases: dict[str, Any]) -> None:
    groups = [cases["reviews"], *(level["examples"] for level in cases["levels"])]
    keys = {key for group in groups for rows in group.values() for row in rows for key in row}
    assert keys == {"id", "label", "verdict", "probability"}


# --- the dots -----------------------------------------------------------------------------------


def line(points: list[tuple[float, float]], place: float) -> float:
    """Return the value at a place, by straight lines between points."""
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        if x0 <= place <= x1:
            return y0 + (place - x0) / (x1 - x0) * (y1 - y0)
    return points[0][1] if place < points[0][0] else points[-1][1]


@pytest.mark.parametrize("stated", [5, 20, 50, 65, 80, 95])
def test_as_many_dots_are_filled_as_reviews_are_positive(
    visit: Visit, stack: Stack, card: dict[str, Any], stated: int
) -> None:
    page = shown(visit, stack, card)
    move(page, "#stated", stated)
    bins = [(row["confidence"], row["accuracy"]) for row in card["metrics"]["test"]["reliability"]]
    points = [(1 - x, 1 - y) for x, y in reversed(bins)] + bins
    positive = page.locator(".dots .dot[data-positive]").count()
    assert abs(positive - 100 * line(points, stated / 100)) <= 0.51
    expect(page.locator(".dots .dot")).to_have_count(100)
    words = page.locator("#percentages .slider-said").text_content() or ""
    assert words.startswith(f"Where it says {stated}\u00a0%, {positive} in 100 are positive")
    expect(page.locator("#stated")).to_have_attribute("aria-valuetext", words)


def test_the_dots_follow_the_arrow_keys(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card)
    expect(page.locator("#percentages .slider-value")).to_have_text("80\u00a0%")
    page.locator("#stated").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#percentages .slider-said")).to_contain_text("Where it says 79\u00a0%")
    page.keyboard.press("Home")
    expect(page.locator(".dots .dot[data-positive]")).to_have_count(0)


def test_the_dots_follow_a_finger(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card, viewport={"width": 320, "height": 900}, has_touch=True, is_mobile=True)
    slider = page.locator("#stated")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box and box["height"] >= 44
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#percentages .slider-value")).to_have_text(re.compile("^(49|5[01])"))


def test_colours_that_the_system_forces_still_tell_the_dots_apart(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card, forced_colors="active")
    style = "node => getComputedStyle(node).backgroundImage"
    assert page.locator(".dots .dot[data-positive]").first.evaluate(style) == "none"
    assert "gradient" in page.locator(".dots .dot:not([data-positive])").first.evaluate(style)


# --- the threshold ------------------------------------------------------------------------------


def test_the_threshold_begins_where_nine_in_ten_answers_are_kept(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    curve = card["metrics"]["test"]["risk_coverage"]
    start = next(row for row in curve if row["share"] == 0.9)
    expect(page.locator("#least")).to_have_value(str(round(100 * start["confidence_from"])))


@pytest.mark.parametrize("least", [60, 70, 80, 90, 95])
def test_coverage_and_error_are_those_of_the_card_at_the_threshold(
    visit: Visit, stack: Stack, card: dict[str, Any], least: int
) -> None:
    page = shown(visit, stack, card)
    move(page, "#least", least)
    curve = sorted(card["metrics"]["test"]["risk_coverage"], key=lambda row: row["confidence_from"])
    kept = line([(row["confidence_from"], row["share"]) for row in curve], least / 100)
    wrong = line([(row["confidence_from"], 1 - row["accuracy"]) for row in curve], least / 100)
    numbers = [
        float(one.removesuffix("\u00a0%"))
        for one in page.locator("#threshold .meter-number").all_text_contents()
    ]
    assert numbers == pytest.approx([100 * kept, 100 * wrong], abs=0.051)
    words = page.locator("#threshold .slider-said").text_content() or ""
    assert words.startswith(f"At {least}\u00a0% or more, you keep {numbers[0]:.1f}\u00a0% of the answers.")
    assert words.endswith(f"{numbers[1]:.1f}\u00a0% are wrong.")
    expect(page.locator("#least")).to_have_attribute("aria-valuetext", words)
    shares = page.locator("#threshold .bar-part").evaluate_all(
        "bars => bars.map((bar) => Number(bar.style.getPropertyValue('--share')))"
    )
    worst = max(1 - row["accuracy"] for row in curve)
    assert shares == pytest.approx([kept, wrong / worst], abs=1e-3)


def test_a_card_of_an_older_model_has_no_threshold_to_move(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    other = copy.deepcopy(card)
    for split in ("test", "development"):
        for row in other["metrics"][split]["risk_coverage"]:
            del row["confidence_from"]
    page = shown(visit, stack, other)
    expect(page.locator("#threshold")).to_have_count(0)
    expect(page.locator("#percentages")).to_be_visible()
