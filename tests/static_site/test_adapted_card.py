"""The model's page with an adapted model: to what it was adapted, and whether that made it better."""

import csv
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.static_site.conftest import Visit
from tests.static_site.test_model_page import SECONDS, answering, percent, table_of
from tests.support.accessibility import violations
from tests.support.stack import Stack
from tests.support.varied import varied
from training.adapt import adapt
from training.endpoint import inference
from training.files import labelled


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The card of a model that was adapted to sentences about kettles."""
    path = tmp_path_factory.mktemp("card") / "kettles.csv"
    said = ("leaks by the handle", "pours without a drop spilt")
    rows = [(f"The {varied(number)} kettle {said[number % 2]}.", number % 2) for number in range(80)]
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *rows])
    return adapt.adapt(labelled.read(path), inference.MODEL_FOLDER, workers=1).card


def test_an_adapted_model_s_card_leads_with_what_adapting_brought(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = visit("index.html")
    answering(page, stack, json=card)
    page.goto(f"{stack.page}model.html")
    expect(page.locator("#adapted")).to_be_visible(timeout=SECONDS)
    expect(page.locator(".lead")).to_contain_text(card["adaptation"]["sentence"])
    after = card["metrics"]["adaptation"]["after"]["accuracy"]
    expect(page.locator("#right-title")).to_contain_text(f"Right for {round(100 * after)}")


def test_an_adapted_model_shows_no_case_and_no_figure_of_another(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = visit("index.html")
    answering(page, stack, json=card)
    page.goto(f"{stack.page}model.html")
    expect(page.locator("#adapted")).to_be_visible(timeout=SECONDS)
    expect(page.locator(".card-opener")).to_have_count(0)
    assert [one.get_attribute("id") for one in page.locator(".card, .trust-part").all()] == [
        "right",
        "adapted",
        "methods",
    ]


def test_before_after_and_base_are_told(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = visit("index.html")
    answering(page, stack, json=card)
    page.goto(f"{stack.page}model.html")
    accuracy = card["metrics"]["adaptation"]["differences"]["accuracy"]
    row = table_of(page, "adapted")[0]
    assert row[:3] == ["Accuracy", percent(accuracy["before"], 1), percent(accuracy["after"], 1)]
    part = page.locator("#adapted")
    expect(part).to_contain_text(card["base_model"])
    expect(part).to_contain_text("It learned from 80 of 80 rows")
    assert violations(page) == []


PROMISE = {
    "wrong": 0.05,
    "sure": 0.95,
    "threshold": 0.87,
    "rows": 1240,
    "answered": 1004,
    "errors": 31,
    "answered_share": 0.8097,
    "date": "2026-11-30",
    "file": {"sha256": "ab" * 32},
}


def test_a_promise_is_told_in_plain_words(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = visit("index.html")
    answering(page, stack, json={**card, "promise": PROMISE})
    page.goto(f"{stack.page}model.html")
    part = page.locator("#promise")
    expect(part).to_contain_text(
        "At most 5\u00a0% of the answers that it gives at 87\u00a0% sureness or more are wrong."
    )
    expect(part).to_contain_text("This was checked on 1,240 of your rows. It then answers 81\u00a0%.")
    expect(part).to_contain_text("It holds with 95\u00a0% confidence")
    expect(part).to_contain_text("31 of 1,004 answers were wrong on these rows.")
    assert violations(page) == []


@pytest.mark.parametrize("broken", [None, {}, {**PROMISE, "wrong": 5}, {**PROMISE, "rows": "many"}, "x"])
def test_a_promise_that_can_t_be_read_is_left_out(
    visit: Visit, stack: Stack, card: dict[str, Any], broken: object
) -> None:
    page = visit("index.html")
    answering(page, stack, json={**card, "promise": broken})
    page.goto(f"{stack.page}model.html")
    expect(page.locator("#adapted")).to_be_visible(timeout=SECONDS)
    expect(page.locator("#promise")).to_have_count(0)
