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
SITE = Path(__file__).resolve().parents[2] / "static_site"
LEAST = {"id": "m-1", "vocabulary": "v-1", "uncertain": [0.3, 0.7]}
SPLITS = ("test", "development")
# What a card must have for each of the methods.
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
    "training": ["architecture", "training"],
    "data": ["data", "license"],
    "speed": ["onnx_bytes", "metrics.speed", "metrics.app"],
}  # fmt: skip
SECONDS = 10_000  # Playwright counts in milliseconds
THEMES = ("light", "dark")
# A laptop's.
SCREEN = 900
# What a card must have for each of the first parts.
FIRST = {
    "right": ["metrics.test.accuracy", "metrics.development.accuracy"],
    "promises": NEEDS["reliability"],
    "fooled": ["metrics.behaviour"],
    "percentages": NEEDS["reliability"],
    "threshold": NEEDS["risk-coverage"],
}


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


def methods_of(page: Page, *, opened: bool = True) -> Page:
    """Make a sign of use, which loads the methods; then open them."""
    page.locator("#methods").scroll_into_view_if_needed()
    page.mouse.move(5, 5)
    expect(page.locator("#methods .folds")).to_have_attribute("data-state", "shown")
    if opened:
        page.evaluate("document.querySelectorAll('details.fold').forEach((one) => { one.open = true; })")
    return page


def ids(page: Page, selector: str) -> set[str | None]:
    return {one.get_attribute("id") for one in page.locator(selector).all()}


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


def test_the_first_cards_say_what_to_expect_of_it(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card)
    test, behaviour = card["metrics"]["test"], card["metrics"]["behaviour"]
    expect(page.locator(".lead")).to_contain_text(
        f"{test['reviews']:,} film reviews that it never learned from"
    )
    expect(page.locator("#right-title")).to_have_text(
        f"Right for {round(100 * test['accuracy'])} in\u00a0100"
    )
    expect(page.locator("#right")).to_contain_text(percent(test["accuracy"], 1))
    counts = test["confusion"]
    found = counts["true_positive"] / (counts["true_positive"] + counts["false_negative"])
    expect(page.locator("#right li", has_text="Positive reviews")).to_contain_text(percent(found, 1))
    expect(page.locator("#promises-title")).to_have_text("Keeps its promises")
    for said in (percent(test["coverage"], 1), percent(test["accuracy_outright"], 1), "From 35 to 65"):
        expect(page.locator("#promises")).to_contain_text(said)
    expect(page.locator("#fooled-title")).to_have_text("Fooled by sarcasm")
    assert page.locator("#fooled .meter-name").all_text_contents() == [
        "Sarcasm",
        "Missed chances",
        "Comparison",
    ]
    expect(page.locator("#fooled li").first).to_contain_text(percent(behaviour["sarcasm"]["held"], 1))


@pytest.mark.parametrize(
    ("skill", "held", "title"),
    [
        ("comparison", 0.1, "Fooled by comparisons"),
        ("typos", 0.2, "Fooled by typing errors"),
        ("a_new_skill", 0.0, "Fooled by a new skill"),
    ],
)
def test_the_weakest_skill_is_named_whichever_it_is(
    visit: Visit, stack: Stack, card: dict[str, Any], skill: str, held: float, title: str
) -> None:
    other = copy.deepcopy(card)
    other["metrics"]["behaviour"][skill] = {"held": held, "open": 0.9}
    page = shown(visit, stack, other)
    expect(page.locator("#fooled-title")).to_have_text(title)
    expect(page.locator("#fooled .meter-number").first).to_have_text(percent(held, 1))


def test_a_model_without_a_weakness_is_not_called_fooled(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    other = copy.deepcopy(card)
    other["metrics"]["behaviour"] = {"sarcasm": {"held": 0.8}, "typos": {"held": 0.9}}
    expect(shown(visit, stack, other).locator("#fooled-title")).to_have_text("Weakest at sarcasm")


@pytest.mark.parametrize(
    ("error", "shift", "title"),
    [
        (0.02, 0.0, "Keeps its promises"),
        (0.04, 0.0, "Mostly keeps its promises"),
        (0.09, -0.1, "Promises too much"),
        (0.09, 0.1, "Promises too little"),
    ],
)
def test_the_words_on_promises_follow_the_calibration(
    visit: Visit, stack: Stack, card: dict[str, Any], error: float, shift: float, title: str
) -> None:
    other = copy.deepcopy(card)
    test = other["metrics"]["test"]
    test["ece"] = error
    for row in test["reliability"]:
        row["accuracy"] = min(1.0, row["confidence"] + shift)
    test["reliability"] = [row for row in test["reliability"] if row["confidence"] < 0.9]
    page = shown(visit, stack, other)
    expect(page.locator("#promises-title")).to_have_text(title)
    expect(page.locator("#promises")).to_contain_text(f"{100 * error:.1f} points")


def test_three_screens_of_a_laptop_stand_before_the_methods(visit: Visit) -> None:
    page = visit("model.html")
    expect_state(page, "told")
    top = page.locator("#methods").evaluate("node => node.getBoundingClientRect().top + scrollY")
    assert top <= 3 * SCREEN


def test_methods_are_loaded_at_the_first_sign_of_use_and_open_one_by_one(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    page.wait_for_load_state("networkidle")
    expect(page.locator("details.fold")).to_have_count(0)
    methods_of(page, opened=False)
    assert ids(page, "details.fold") == {*NEEDS, "identity"}
    expect(page.locator("details.fold[open]")).to_have_count(0)
    page.locator("#errors > summary").click()
    expect(page.locator("details.fold[open]")).to_have_count(1)
    expect(page.locator("#errors table").first).to_be_visible()


def test_methods_come_without_a_pointer_too(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = shown(visit, stack, card)
    page.get_by_role("button", name="Show the methods").dispatch_event("pointerdown")
    expect(page.locator("#methods .folds")).to_have_attribute("data-state", "shown")


def test_methods_that_can_t_be_loaded_say_so_and_a_retry_loads_them(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card)
    page.route("**/model/methods.js", lambda route: route.abort("connectionrefused"))
    page.mouse.move(5, 5)
    expect(page.locator("#methods")).to_contain_text("The methods couldn\u2019t be loaded.")
    expect(page.locator("#right-title")).to_be_visible()
    assert violations(page) == []
    page.unroute("**/model/methods.js")
    page.locator("#methods button").click()
    expect(page.locator("#methods .folds")).to_have_attribute("data-state", "shown")


def test_printing_opens_the_methods_and_closes_them_again(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = methods_of(shown(visit, stack, card), opened=False)
    page.locator("#errors > summary").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details.fold:not([open])")).to_have_count(0)
    expect(page.locator("#reliability svg")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#stated")).to_be_hidden()
    expect(page.locator("#percentages .slider-said")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert ids(page, "details.fold[open]") == {"errors"}


def test_every_figure_of_the_tables_is_the_card_s(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = methods_of(shown(visit, stack, card))
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
    page = methods_of(shown(visit, stack, card))
    for said in (card["temperature"], card["short_temperature"]):
        expect(page.locator("#reliability")).to_contain_text(str(said))
        expect(page.locator("#identity")).to_contain_text(str(said))
    expect(page.locator("#identity")).to_contain_text(str(card["shift"]).replace("-", "\N{MINUS SIGN}"))


def test_the_serving_model_s_card_is_shown_whatever_it_has(visit: Visit) -> None:
    card = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    page = visit("model.html")
    expect_state(page, "told")
    assert {*FIRST, "methods"} == ids(page, ".card, .trust-part")
    methods_of(page)
    expect(page.locator("#identity")).to_contain_text(card["id"])
    assert ids(page, "details.fold") <= {*NEEDS, "identity"}
    assert not re.search(r"NaN|Infinity|undefined|\[object|null", page.locator("main").inner_text())


def test_every_command_of_the_card_s_figures_is_named(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = methods_of(shown(visit, stack, card))
    named = set(page.locator("main code").all_text_contents())
    # The spread by luck and the parts' worth stand in docs/model-card.md alone.
    measured = {one["command"] for name, one in card["metrics"].items() if name not in ("seeds", "ablation")}
    assert measured | {card["training"]["command"]} <= named


def test_no_figure_stands_in_the_page_itself(visit: Visit, stack: Stack) -> None:
    page = shown(visit, stack, LEAST)
    expect(page.locator(".lead .headline")).to_have_text("Not evaluated yet")
    methods_of(page)
    assert ids(page, ".card, .trust-part, details.fold") == {"methods", "identity"}
    assert not re.search(r"\d\s%|\d\.\d\d", page.locator("main").inner_text())


@pytest.mark.parametrize("part", NEEDS)
def test_a_method_is_left_out_when_the_card_lacks_its_figures(
    visit: Visit, stack: Stack, card: dict[str, Any], part: str
) -> None:
    page = methods_of(shown(visit, stack, without(card, NEEDS[part])), opened=False)
    assert ids(page, "details.fold") == {*NEEDS, "identity"} - {part}


@pytest.mark.parametrize("part", FIRST)
def test_a_first_part_is_left_out_when_the_card_lacks_its_figures(
    visit: Visit, stack: Stack, card: dict[str, Any], part: str
) -> None:
    page = shown(visit, stack, without(card, FIRST[part]))
    lacking = {one for one, needs in FIRST.items() if needs == FIRST[part]}
    assert ids(page, ".card, .trust-part") == {*FIRST, "methods"} - lacking


def test_a_model_judged_on_the_development_split_alone_says_so(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, without(card, ["metrics.test"]))
    expect(page.locator(".lead")).to_contain_text("of films that its training never saw")
    methods_of(page)
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
    methods_of(page)
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
          const { methodsOf } = await import("./model/methods.js");
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
            const text = [storyOf(copy), ...methodsOf(copy)].map((node) => node.textContent).join(" ");
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
    assert ids(page, "details.fold[open]") == {part}
    expect(page.locator(f"#{part}-title")).to_be_in_viewport()


def test_a_link_that_is_followed_later_opens_its_part(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = shown(visit, stack, card, "model.html#threshold", reduced_motion="reduce")
    expect(page.locator("#threshold")).to_be_focused()
    page.evaluate("location.hash = '#peers'")
    expect(page.locator("#peers")).to_be_focused()
    expect(page.locator("#peers table")).to_be_visible()


def test_the_review_page_links_to_a_part_of_this_page(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    links = re.findall(r'href="model\.html#([^"]+)"', (SITE / "index.html").read_text(encoding="utf-8"))
    page = methods_of(shown(visit, stack, card), opened=False)
    assert set(links) <= ids(page, "main [id]")


def test_what_a_calibrated_probability_means_is_said_in_words(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = methods_of(shown(visit, stack, card))
    expect(page.locator("#reliability")).to_contain_text("eight in ten are positive")
    expect(page.locator("#reliability")).to_contain_text("The group nearest to 0.8 was")


def test_each_plot_has_a_name_and_its_numbers_as_a_table(
    visit: Visit, stack: Stack, card: dict[str, Any]
) -> None:
    page = methods_of(shown(visit, stack, card))
    for part, key in (("reliability", "reliability"), ("risk-coverage", "risk_coverage")):
        points = card["metrics"]["test"][key]
        plot = page.locator(f"#{part} svg[role=img]")
        expect(plot).to_have_attribute("aria-label", re.compile("^Plot: .*table"))
        expect(plot.locator("circle")).to_have_count(len(points))
        page.locator(f"#{part} .numbers summary").focus()
        page.keyboard.press("Enter")
        assert len(table_of(page, part)) == len(points)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_any_state(visit: Visit, stack: Stack, card: dict[str, Any], theme: str) -> None:
    page = shown(visit, stack, card, color_scheme=theme, reduced_motion="reduce")
    assert violations(page) == []
    methods_of(page)
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
    page = methods_of(shown(visit, stack, card, viewport={"width": 320, "height": 900}))
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
    page = methods_of(shown(visit, stack, card, viewport={"width": width, "height": 900}))
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
    page = methods_of(shown(visit, stack, card, viewport={"width": width, "height": 900}))
    page.evaluate("document.querySelectorAll('details.numbers').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_target_of_a_finger_is_large_enough(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    phone = {"viewport": {"width": 320, "height": 900}, "has_touch": True, "is_mobile": True}
    page = methods_of(shown(visit, stack, card, **phone))
    small = page.locator("main").evaluate(
        """main => [...main.querySelectorAll("button, summary, input")]
          .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 44)
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_no_sentence_of_ours_is_long(visit: Visit, stack: Stack, card: dict[str, Any]) -> None:
    page = methods_of(shown(visit, stack, card))
    # What a bullet, a deck or a note says may be the card's.
    said = page.locator("main p:not(.deck):not(.kicker):not(.fold .small-print)").all_inner_texts()
    ours = [one for one in said if not one.startswith(("Architecture:", "Film reviews: the", "Licence"))]
    sentences = [sentence for text in ours for sentence in re.split(r"(?<=[.?!:])\s", text)]
    assert [one for one in sentences if len(one.split()) > 25] == []
