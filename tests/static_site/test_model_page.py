"""The model's page: what the card says, in words and drawings, and nothing that it doesn't say."""

import copy
import json
import re
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack

# A card of made-up figures with every section.
CARD = Path(__file__).with_name("card.json")
PUBLISHED = Path(__file__).resolve().parents[2] / "training" / "endpoint" / "model" / "model.json"
LEAST = {"id": "m-1", "vocabulary": "v-1", "uncertain": [0.3, 0.7]}
SPLITS = ("test", "development")
# What a card must have for each part of the page.
NEEDS = {
    "limits": ["intended_use", "out_of_scope", "limits"],
    "accuracy": ["metrics.test.accuracy", "metrics.development.accuracy"],
    "reliability": ["metrics.test.reliability", "metrics.development.reliability"],
    "risk-coverage": ["metrics.test.risk_coverage", "metrics.development.risk_coverage"],
    "errors": [f"metrics.{split}.{by}" for split, by in product(SPLITS, ("by_length", "by_negation"))],
    "behaviour": ["metrics.behaviour"],
    "opinion": ["metrics.opinion"],
    "languages": ["metrics.warnings"],
    "planted": ["metrics.planted"],
    "faithfulness": ["metrics.faithfulness"],
    "peers": ["metrics.peers"],
    "seeds": ["metrics.seeds"],
    "ablation": ["metrics.ablation"],
    "training": ["architecture", "training"],
    "data": ["data", "license"],
    "speed": ["onnx_bytes", "metrics.speed", "metrics.app"],
}  # fmt: skip
SECONDS = 10_000  # Playwright counts in milliseconds
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return json.loads(CARD.read_text(encoding="utf-8"))


def answering(page: Page, stack: Stack, **response: Any) -> None:
    """Fulfil the next requests for the card with this response."""

    def fulfil(route: Route) -> None:
        route.fulfill(**{"headers": {"Access-Control-Allow-Origin": "*"}, **response})

    page.route(f"{stack.api}/v1/model", fulfil)


def shown(visit: Visit, stack: Stack, card: dict[str, Any], path: str = "model.html", **options: Any) -> Page:
    """Open the page with a card of ours."""
    page = visit("index.html", **options)
    answering(page, stack, json=card)
    page.goto(f"{stack.page}{path}")
    expect_state(page, "told")
    return page


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)


def without(card: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    card = copy.deepcopy(card)
    for path in paths:
        *parents, name = path.split(".")
        at = card
        for parent in parents:
            at = at[parent]
        del at[name]
    return card


def percent(share: float, places: int) -> str:
    # The browser rounds a half away from zero, and Python's formats to the even digit.
    rounded = (100 * Decimal(repr(share))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded}\u00a0%"


def table_of(page: Page, part: str, number: int = 0) -> list[list[str]]:
    """Return the rows of a part's table as the page shows them."""
    rows = page.locator(f"#{part} table").nth(number).locator("tbody tr").all()
    return [[cell.inner_text().split("\n")[0] for cell in row.locator("th, td").all()] for row in rows]


def test_the_lead_says_how_often_it_is_right_and_what_it_gets_wrong(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    test, behaviour = card["metrics"]["test"], card["metrics"]["behaviour"]
    expect(page.locator(".lead .headline")).to_have_text(
        f"Right for {round(100 * test['accuracy'])} reviews in\u00a0100"
    )
    lead = page.locator(".lead .part-body")
    for said in (
        f"{test['reviews']:,} reviews",
        percent(test["accuracy"], 2),
        percent(1 - test["coverage"], 1),
        percent(test["accuracy_outright"], 2),
        f"sarcasm ({percent(behaviour['sarcasm']['held'], 1)} right)",
    ):
        expect(lead).to_contain_text(said)


def test_every_figure_of_the_tables_is_the_card_s(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card)
    metrics = card["metrics"]
    accuracy = {row[0]: row[1:] for row in table_of(page, "accuracy")}
    splits = [metrics["test"], metrics["development"]]
    assert accuracy["Accuracy, all reviews"] == [percent(one["accuracy"], 2) for one in splits]
    assert accuracy["Reviews"] == [f"{one['reviews']:,}" for one in splits]
    lengths = table_of(page, "errors")
    assert [row[2] for row in lengths] == [
        percent(1 - one["accuracy"], 1) for one in metrics["test"]["by_length"]
    ]
    behaviour = {row[0]: row[1:] for row in table_of(page, "behaviour")}
    negation = metrics["behaviour"]["negation"]
    assert behaviour["Negation"] == [percent(negation["held"], 1), percent(negation["open"], 1)]
    assert len(behaviour) == len(metrics["behaviour"]) - 1  # the command is no capability
    peers = [(row[0], row[1], row[6]) for row in table_of(page, "peers")]
    assert peers == [
        (one["name"], percent(one["accuracy"], 2), f"{one['ms_median']:.2f}")
        for one in metrics["peers"]["rows"]
    ]
    assert len(table_of(page, "seeds")) == len(metrics["seeds"]["spread"])
    faithfulness = {row[0]: row[1] for row in table_of(page, "faithfulness")}
    effects = metrics["faithfulness"]["words"]["effects"]
    assert faithfulness["Its measured effects"].startswith(f"{100 * effects['comprehensiveness']:.1f}")
    held = metrics["planted"]["held"]["planted"]
    assert table_of(page, "planted")[0][1].startswith(percent(held["share"], 1))
    mixed = metrics["opinion"]["held"]["mixed"]
    measures = [percent(mixed[name], 1) for name in ("precision", "recall", "f1")]
    assert table_of(page, "opinion")[0][1:] == [str(mixed["cases"]), *measures]


def test_the_calibration_of_long_and_short_texts_is_named(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    for said in (card["temperature"], card["short_temperature"]):
        expect(page.locator("#reliability")).to_contain_text(str(said))
        expect(page.locator("#identity")).to_contain_text(str(said))
    expect(page.locator("#identity")).to_contain_text(str(card["shift"]).replace("-", "\N{MINUS SIGN}"))


def test_the_serving_model_s_card_is_shown_whatever_it_has(visit: Visit) -> None:
    card = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    page = visit("model.html")
    expect_state(page, "told")
    expect(page.locator("#identity")).to_contain_text(card["id"])
    parts = {one.get_attribute("id") for one in page.locator("section.part").all()}
    assert parts <= {*NEEDS, "identity"}
    assert not re.search(r"NaN|Infinity|undefined|\[object|null", page.locator("main").inner_text())


def test_every_command_of_the_card_s_figures_is_named(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    named = set(page.locator("main code").all_text_contents())
    measured = {one["command"] for one in card["metrics"].values()}
    assert measured | {card["training"]["command"]} <= named


def test_no_figure_stands_in_the_page_itself(visit: Visit, stack: Stack) -> None:
    page = shown(visit, stack, LEAST)
    expect(page.locator(".lead .headline")).to_have_text("Not evaluated yet")
    assert [part.get_attribute("id") for part in page.locator("section.part").all()] == ["identity"]
    assert not re.search(r"\d\s%|\d\.\d\d", page.locator("main").inner_text())


@pytest.mark.parametrize("part", NEEDS)
def test_a_part_is_left_out_when_the_card_lacks_its_figures(
    visit: Visit, stack: Stack, card: dict[str, Any], part: str
) -> None:
    page = shown(visit, stack, without(card, NEEDS[part]))
    parts = {one.get_attribute("id") for one in page.locator("section.part").all()}
    assert parts == {*NEEDS, "identity"} - {part}
    links = {one.get_attribute("href") for one in page.locator(".contents a").all()}
    assert links == {f"#{one}" for one in parts}


def test_a_model_judged_on_the_development_split_alone_says_so(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, without(card, ["metrics.test"]))
    expect(page.locator(".lead .part-body")).to_contain_text("of films that its training never saw")
    expect(page.locator("#reliability")).to_contain_text("the development reviews")
    reviews = card["metrics"]["development"]["reviews"]
    assert [row[1:] for row in table_of(page, "accuracy")][0] == [f"{reviews:,}"]


WRONG = [None, True, "0.93", -1, 1.5, 1e300, 10**400, [], {}, [[]], [0.5] * 300, {"held": "a"}]
HOSTILE = ["<img src=x onerror=alert(1)>", "x" * 3_000, "\u202egnol", "\0", "", "   "]


@pytest.mark.parametrize("wrong", [*WRONG, *HOSTILE])
def test_a_value_of_the_wrong_kind_is_never_shown(
    visit: Visit, stack: Stack, card: dict[str, Any], wrong: Any
) -> None:
    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoilt(one) for key, one in value.items()}
        return [spoilt(one) for one in value] if isinstance(value, list) else wrong

    page = visit("index.html")
    body = json.dumps(spoilt(card)).replace("1e+300", "1e999")
    answering(page, stack, body=body, content_type="application/json")
    page.goto(f"{stack.page}model.html")
    expect_state(page, "told")
    said = page.locator("main").inner_text()
    assert not re.search(r"NaN|Infinity|undefined|\[object|null", said)
    assert "\u202e" not in said
    assert page.locator("main img").count() == 0
    assert len(said) < 60_000
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_hundreds_of_broken_cards_never_break_the_page(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    broken = page.evaluate(
        """async (card) => {
          const { storyOf } = await import("./model/story.js");
          let seed = 1;
          const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
          const values = [
            null, true, "0.9", "", -1, 0, 1, 2, 1e308, Infinity, 0.5, [], {}, [{}], "\\u202e<b>", [null],
          ];
          const paths = [];
          const walk = (value, path) => {
            if (path.length) paths.push(path);
            if (typeof value !== "object" || !value) return;
            for (const key of Object.keys(value)) walk(value[key], [...path, key]);
          };
          walk(card, []);
          const found = [];
          for (let turn = 0; turn < 600; turn += 1) {
            const copy = structuredClone(card);
            for (let change = 0; change < 1 + turn % 5; change += 1) {
              const path = paths[Math.floor(chance() * paths.length)];
              const parent = path.slice(0, -1).reduce((at, key) => at?.[key], copy);
              if (typeof parent !== "object" || !parent) continue;
              if (chance() < 0.2) delete parent[path.at(-1)];
              else parent[path.at(-1)] = values[Math.floor(chance() * values.length)];
            }
            const text = storyOf(copy).textContent;
            const wrong = text.match(/NaN|Infinity|undefined|\\[object|\\bnull\\b/);
            if (wrong) found.push(`${turn}: ${text.slice(Math.max(0, wrong.index - 60), wrong.index + 20)}`);
          }
          return found;
        }""",
        card,
    )
    assert broken == []


@pytest.mark.parametrize("wrong", ["NaN", "[]", "<html>", "", '"card"', "null"])
def test_what_is_no_card_is_an_error(visit: Visit, stack: Stack, wrong: str) -> None:
    page = visit("index.html")
    answering(page, stack, body=wrong, content_type="application/json")
    page.goto(f"{stack.page}model.html")
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "bad_answer")
    expect(page.locator("#retry")).to_be_visible()


@pytest.mark.parametrize("status", [404, 429, 500, 502, 503, 504])
def test_an_error_of_the_api_says_what_to_do_and_retry_shows_the_card(
    visit: Visit, stack: Stack, status: int
) -> None:
    page = visit("index.html")
    problem = {"status": status, "code": f"code_{status}", "detail": f"Detail of {status}."}
    answering(page, stack, status=status, json=problem)
    page.goto(f"{stack.page}model.html")
    expect_state(page, "error")
    expect(page.locator("#error-small-print")).to_contain_text(f"Status {status}")
    expect(page.locator("#error")).not_to_contain_text("Your text")
    page.unroute(f"{stack.api}/v1/model")
    page.locator("#retry").click()
    expect_state(page, "told")
    assert page.evaluate("document.activeElement.id") == "page"


def test_an_api_that_asks_for_a_key_gets_the_reader_s(visit: Visit, stack: Stack) -> None:
    page = visit("index.html")
    keys: list[str | None] = []

    def answer(route: Route) -> None:
        keys.append(route.request.headers.get("x-api-key"))
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "X-Api-Key"}
        if keys[-1] == "mine" or route.request.method == "OPTIONS":
            route.fulfill(json=LEAST, headers=headers)
        else:
            route.fulfill(status=401, json={"status": 401, "code": "unauthorized"}, headers=headers)

    page.route(f"{stack.api}/v1/model", answer)
    page.goto(f"{stack.page}model.html")
    expect_state(page, "error")
    assert violations(page) == []
    page.locator("#key").fill("mine")
    page.keyboard.press("Enter")
    expect_state(page, "told")


def test_a_model_that_wakes_up_is_asked_again_by_itself(visit: Visit, stack: Stack) -> None:
    page = visit("index.html")
    problem = {"status": 503, "code": "endpoint_waking", "detail": "It wakes.", "retry_after": 1}
    answering(page, stack, status=503, json=problem)
    page.goto(f"{stack.page}model.html")
    expect_state(page, "error")
    expect(page.locator("#waking")).to_be_visible()
    page.unroute(f"{stack.api}/v1/model")
    expect_state(page, "told")


def test_an_api_that_is_not_there_is_named(visit: Visit, stack: Stack) -> None:
    page = visit("index.html")
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    page.goto(f"{stack.page}model.html")
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "unreachable")
    expect(page.locator("#error")).to_contain_text(stack.api)


@pytest.mark.parametrize("part", ["reliability", "errors", "peers"])
def test_a_link_to_a_part_leads_there(visit: Visit, stack: Stack, card: dict[str, Any], part: str) -> None:
    page = shown(visit, stack, card, f"model.html#{part}", reduced_motion="reduce")
    expect(page.locator(f"#{part}")).to_be_focused()
    expect(page.locator("#reliability svg")).to_be_attached()
    expect(page.locator(f"#{part}-title")).to_be_in_viewport()


def test_what_a_calibrated_probability_means_is_said_in_words(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    expect(page.locator("#reliability")).to_contain_text("eight in ten are positive")
    expect(page.locator("#reliability")).to_contain_text("The group nearest to 0.8 was")


def test_each_plot_has_a_name_and_its_numbers_as_a_table(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    for part, key in (("reliability", "reliability"), ("risk-coverage", "risk_coverage")):
        points = card["metrics"]["test"][key]
        plot = page.locator(f"#{part} svg[role=img]")
        expect(plot).to_have_attribute("aria-label", re.compile("^Plot: .*table"))
        expect(plot.locator("circle")).to_have_count(len(points))
        page.locator(f"#{part} summary").focus()
        page.keyboard.press("Enter")
        assert len(table_of(page, part)) == len(points)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_any_state(visit: Visit, stack: Stack, card: dict[str, Any], theme: str) -> None:
    page = shown(visit, stack, card, color_scheme=theme, reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert violations(page) == []
    answering(page, stack, status=503, json={"status": 503, "code": "x"})
    page.reload()
    expect_state(page, "error")
    assert violations(page) == []
    page.route(f"{stack.api}/v1/model", lambda route: None)
    page.reload()
    expect_state(page, "loading")
    assert violations(page) == []


def test_a_table_that_is_too_wide_can_be_scrolled_by_keyboard(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card, viewport={"width": 320, "height": 900})
    peers = page.locator("#peers .wide")
    expect(peers).to_have_attribute("tabindex", "0")
    assert violations(page) == []
    peers.evaluate("place => place.addEventListener('scroll', () => { place.dataset.scrolled = ''; })")
    peers.focus()
    page.keyboard.press("ArrowRight")
    expect(peers).to_have_attribute("data-scrolled", "")


@pytest.mark.parametrize(("width", "said"), [(320, True), (1280, False)])
def test_a_table_says_by_a_sign_whether_it_goes_on_beyond_its_place(
    visit: Visit, stack: Stack, card: dict[str, Any], width: int, said: bool
) -> None:
    page = shown(visit, stack, card, viewport={"width": width, "height": 900})
    peers = page.locator("#peers .wide").first
    sign = peers.locator(".goes-on")
    expect(sign).to_be_visible(visible=said)
    assert peers.evaluate("place => place.scrollWidth > place.clientWidth") == said
    if said:
        peers.scroll_into_view_if_needed()
        peers.evaluate("place => place.scrollTo(200, 0)")
        expect(sign).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
def test_nothing_overflows_from_narrow_to_wide(
    visit: Visit, stack: Stack, card: dict[str, Any], width: int
) -> None:
    page = shown(visit, stack, card, viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details.numbers').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
