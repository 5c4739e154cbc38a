"""A whole file through two models on the page: the command's own figures, and no row with half a verdict."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack
from training.adapt import compare
from training.endpoint import inference
from training.evaluation import significance
from training.files import labelled

MCNEMAR = json.loads((Path(__file__).parents[1] / "golden" / "mcnemar.json").read_text(encoding="utf-8"))
SECONDS = 60_000  # Playwright counts in milliseconds
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
PRAISE = (
    "a joy",
    "fine",
    "well made",
    "not bad",
    "all right",
    "warm",
    "too long",
    "dull",
    "a mess",
    "a bore",
)
TEXTS = [f"The {part} is {how}, and so it went on." for part in ("plot", "cast", "end") for how in PRAISE]


@pytest.fixture
def page(visit: Visit, two: Stack) -> Page:
    return visit("compare.html", site=two.page)


def table(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def labels() -> list[tuple[str, ...]]:
    """Reviews with labels of which some repeat, contradict each other, or say nothing."""
    sides = ["negative" if place // 3 % 2 else "positive" for place in range(len(TEXTS))]
    odd = [
        ("", "positive"), ("A text without a label.", ""), ("Neither here nor there.", "neutral"),
        (TEXTS[0].upper(), "positive"), (TEXTS[1] + "  ", "positive"), (TEXTS[2], "negative"),
        ("<br />", "positive"), ("=1+1 is what it adds up to, which is dull.", "negative"),
    ]  # fmt: skip
    return [*zip(TEXTS, sides, strict=True), *odd]


LABELLED = table(("text", "label"), *labels())
UNLABELLED = table(("text",), *((text,) for text in TEXTS))


def choose(page: Page, data: bytes, name: str = "held back.csv") -> None:
    page.locator("#file").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=data))
    expect(page.locator("#columns")).to_be_visible(timeout=SECONDS)


def start(page: Page, data: bytes) -> None:
    choose(page, data)
    page.locator("#start").click()


def expect_phase(page: Page, phase: str) -> None:
    expect(page.locator("#file-part")).to_have_attribute("data-phase", phase, timeout=SECONDS)


def expect_rows(page: Page, count: int) -> None:
    expect(page.locator("#grid")).to_have_attribute("aria-rowcount", str(count + 1))


def taken(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as waiting:
        page.locator("#take").click()
    data = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(data, newline="")))


def failing(page: Page, api: str, *numbers: int, **reply: Any) -> list[int]:
    """Fail an API's batches of these numbers, from 1; return a list that grows with each batch."""
    asked: list[int] = []

    def handle(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(len(json.loads(route.request.post_data or "{}")["reviews"]))
            if len(asked) in numbers:
                return route.fulfill(headers=CORS, **reply) if reply else route.abort()
        return route.continue_()

    page.route(f"{api}/v1/sentiment/batch", handle)
    return asked


# --- the same figures as the command's ----------------------------------------------------------


@pytest.fixture(scope="module")
def by_command(two: Stack, tmp_path_factory: pytest.TempPathFactory) -> compare.Comparison:
    """What training/adapt/compare.py says of the labelled file and the same two models."""
    path = tmp_path_factory.mktemp("held") / "held.csv"
    path.write_bytes(LABELLED)
    return compare.compare(labelled.read(path), two.models[0], two.models[1], workers=1)


def test_page_and_command_give_the_same_figures_on_the_same_rows(
    page: Page, by_command: compare.Comparison
) -> None:
    lost, won, p = significance.mcnemar(by_command.before, by_command.after, by_command.rows.labels)
    assert lost and won  # or the test would say little
    start(page, LABELLED)
    expect_phase(page, "done")
    figures = page.locator("#figures")
    assert figures.evaluate("node => [node.dataset.lost, node.dataset.won]") == [str(lost), str(won)]
    assert float(figures.get_attribute("data-p") or "") == pytest.approx(p, rel=1e-12)
    right = page.locator(
        "#figures tr", has_text="Right (unsure verdicts count by their likelier side)"
    ).locator("td")
    accuracy = by_command.figures["accuracy"]
    expect(right.nth(0)).to_contain_text(f"{100 * accuracy.before:.1f}\xa0% (")
    expect(right.nth(1)).to_contain_text(f"{100 * accuracy.after:.1f}\xa0% (")
    uncertain = page.locator("#figures tr", has_text="Can’t tell").locator("td")
    for cell, share in zip(uncertain.all(), by_command.uncertain, strict=True):
        expect(cell).to_have_text(f"{100 * share:.1f}\xa0%")


def test_page_and_command_name_the_same_rows_with_the_same_probabilities(
    page: Page, by_command: compare.Comparison
) -> None:
    start(page, LABELLED)
    expect_phase(page, "done")
    expected = [
        {
            "row": str(row.number + 1), "label": "positive" if label else "negative",
            "probability_1": f"{before:.6f}", "probability_2": f"{after:.6f}", "text": row.review,
        }
        for row, label, before, after in compare.differing(by_command)
    ]  # fmt: skip
    assert expected
    page.locator("#safe").uncheck()
    assert sorted(taken(page), key=lambda row: int(row["row"])) == expected


def test_page_and_command_leave_the_same_rows_out(page: Page, by_command: compare.Comparison) -> None:
    start(page, LABELLED)
    expect_phase(page, "done")
    counts = by_command.rows.counts
    told = page.locator("#run-deck")
    expect(page.locator("#shown")).to_contain_text(f"of {len(by_command.before)} reviews")
    for reason, words in {
        "empty": "without a text", "unlabelled": "without a label",
        "between": "labelled neither positive nor negative",
        "conflicting": "with two different labels", "duplicates": "that repeat another row",
        "no_token": "refused by a model",
    }.items():  # fmt: skip
        assert counts[reason] > 0
        expect(told).to_contain_text(f"{counts[reason]} {words}")


@pytest.mark.parametrize("case", MCNEMAR, ids=lambda case: f"{case['lost']}-{case['won']}")
def test_mcnemar_s_test_is_the_golden_one_to_which_the_page_is_held(case: dict[str, Any]) -> None:
    labels = np.ones(case["lost"] + case["won"], dtype=int)
    before = np.array([0.9] * case["lost"] + [0.1] * case["won"])
    lost, won, p = significance.mcnemar(before, 1 - before, labels)
    assert (lost, won, p) == (case["lost"], case["won"], pytest.approx(case["p"], rel=1e-12))


# --- without labels -----------------------------------------------------------------------------


def test_without_labels_the_most_different_stand_first(page: Page, two: Stack) -> None:
    start(page, UNLABELLED)
    expect_phase(page, "done")
    models = [inference.model_fn(model) for model in two.models]
    both = [[model.predict(text)[1].probability for model in models] for text in TEXTS]
    sides = [abs(one - other) for one, other in both if (one >= 0.5) != (other >= 0.5)]
    expect(page.locator("#run-title")).to_have_text(f"They differ on {len(sides)} of {len(TEXTS)} reviews")
    expect_rows(page, len(sides))
    page.locator("#show").select_option("all")
    expect_rows(page, len(TEXTS))
    rows = taken(page)
    gaps = [abs(float(row["probability_1"]) - float(row["probability_2"])) for row in rows]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps == pytest.approx(sorted((abs(a - b) for a, b in both), reverse=True), abs=1e-6)
    expect(page.locator("#figures")).not_to_contain_text("Right")


def test_rows_of_other_verdicts_and_in_another_order_can_be_shown(page: Page, two: Stack) -> None:
    start(page, UNLABELLED)
    expect_phase(page, "done")
    message = {"reviews": [{"review": text} for text in TEXTS]}
    first, second = (
        httpx.post(f"{api}/v1/sentiment/batch", json=message, trust_env=False).json()["answers"]
        for api in (two.api, two.beside)
    )
    both = zip(first, second, strict=True)
    other = [place + 1 for place, (a, b) in enumerate(both) if a["sentiment"] != b["sentiment"]]
    page.locator("#show").select_option("verdicts")
    expect_rows(page, len(other))
    page.locator("#grid").get_by_role("button", name="Row").click()
    assert [int(row["row"]) for row in taken(page)] == other


def test_a_chosen_row_is_read_in_the_margin_and_both_say_why_above(page: Page) -> None:
    start(page, UNLABELLED)
    expect_phase(page, "done")
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    text = taken(page)[0]["text"]
    expect(page.locator("#detail-body")).to_contain_text(text)
    page.locator("#grid").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#review")).to_have_value(text)
    expect(page.locator("#sum-words")).to_be_visible(timeout=SECONDS)
    expect(page.locator("#both-title")).to_be_focused()


def test_what_a_spreadsheet_would_run_is_written_as_text_unless_unticked(page: Page) -> None:
    start(page, table(("text", "label"), ("=1+1 is dull and a waste of time.", "negative")))
    expect_phase(page, "done")
    page.locator("#show").select_option("all")
    assert taken(page)[0]["text"].startswith("'=1+1")
    page.locator("#safe").uncheck()
    assert taken(page)[0]["text"].startswith("=1+1")


# --- one of them fails --------------------------------------------------------------------------


def test_one_that_fails_in_the_middle_is_waited_for_and_every_row_gets_both_verdicts(
    page: Page, two: Stack
) -> None:
    rows = [(f"{text} Number {number}.",) for number in range(9) for text in TEXTS]
    first = failing(page, two.api)
    second = failing(page, two.beside, 2, status=503, json={"status": 503, "code": "endpoint_waking"})
    start(page, table(("text",), *rows))
    expect_phase(page, "done")
    page.locator("#show").select_option("all")
    assert sorted(row["text"] for row in taken(page)) == sorted(text for (text,) in rows)
    assert first == second == [100, 100, 100, 70]


@pytest.mark.parametrize(
    ("side", "reply", "words"),
    [
        (0, {"status": 404, "json": {"status": 404}}, "First model: The API isn\u2019t at this address"),
        (1, {"status": 401, "json": {"status": 401}}, "Second model: This API asks for a key"),
    ],
)
def test_what_waiting_does_not_mend_pauses_says_whose_fault_and_goes_on_later(
    page: Page, two: Stack, side: int, reply: dict[str, Any], words: str
) -> None:
    failing(page, (two.api, two.beside)[side], 1, **reply)
    start(page, UNLABELLED)
    expect_phase(page, "paused")
    expect(page.locator("#trouble [role=alert]")).to_contain_text(words)
    expect(page.locator("#run-title")).to_contain_text("0 of 30 reviews")
    assert violations(page) == []
    page.locator("#resume").click()
    expect_phase(page, "done")
    expect(page.locator("#shown")).to_contain_text("of 30 reviews")


def test_the_same_model_twice_is_stopped_after_one_batch(page: Page, two: Stack) -> None:
    def by_the_first(route: Route) -> None:
        route.fulfill(response=route.fetch(url=f"{two.api}/v1/sentiment/batch"))

    page.route(f"{two.beside}/v1/sentiment/batch", by_the_first)
    rows = [(f"{text} Number {number}.",) for number in range(9) for text in TEXTS]
    start(page, table(("text",), *rows))
    expect_phase(page, "ended")
    expect(page.locator("#trouble")).to_contain_text("Both addresses serve the same model")
    expect(page.locator("#resume")).to_be_hidden()


def test_paused_nothing_more_is_sent_and_cancelled_what_is_done_stays(page: Page, two: Stack) -> None:
    held: list[Route] = []
    page.route(f"{two.beside}/v1/sentiment/batch", lambda route: held.append(route))
    rows = [(f"{text} Number {number}.",) for number in range(9) for text in TEXTS]
    start(page, table(("text",), *rows))
    page.locator("#pause").click()
    expect_phase(page, "pausing")
    expect(page.locator("#start")).to_be_disabled()
    held[0].continue_()
    expect_phase(page, "paused")
    expect(page.locator("#run-title")).to_contain_text("100 of 270 reviews judged by both")
    page.locator("#cancel").click()
    expect_phase(page, "ended")
    expect(page.locator("#shown")).to_contain_text("of 100 reviews")


def test_another_file_takes_the_place_of_one_that_runs(page: Page, two: Stack) -> None:
    page.route(f"{two.beside}/v1/sentiment/batch", lambda route: None)
    start(page, UNLABELLED)
    expect_phase(page, "sending")
    page.unroute(f"{two.beside}/v1/sentiment/batch")
    start(page, table(("text",), ("A joy from start to end.",)))
    expect_phase(page, "done")
    expect(page.locator("#shown")).to_contain_text("of 1 review")


def test_a_file_that_is_none_is_refused_in_words(page: Page) -> None:
    payload = FilePayload(name="a.csv", mimeType="text/csv", buffer=b"PK\x03\x04 not a table")
    page.locator("#file").set_input_files(payload)
    expect(page.locator("#file-refusal")).to_contain_text("This is not a text file")
    expect(page.locator("#columns")).to_be_hidden()


def test_a_file_without_a_row_to_read_can_not_be_started(page: Page) -> None:
    choose(page, table(("text", "label"), ("A text.", "?"), ("", "1")))
    expect(page.locator("#row-count")).to_have_text("No row can be sent.")
    expect(page.locator("#start")).to_be_disabled()


def test_a_part_of_the_page_that_can_not_be_loaded_is_told(visit: Visit, two: Stack) -> None:
    page = visit("compare.html", site=two.page)
    page.route("**/compare/file.js", lambda route: route.abort())
    payload = FilePayload(name="a.csv", mimeType="text/csv", buffer=UNLABELLED)
    page.locator("#file").set_input_files(payload)
    expect(page.locator("#file-refusal")).to_contain_text("couldn\u2019t be loaded")


def test_a_model_that_has_learned_from_the_file_is_named(page: Page, two: Stack) -> None:
    def learned(route: Route) -> None:
        response = route.fetch()
        data = {"data": {"sha256": hashlib.sha256(LABELLED).hexdigest()}}
        route.fulfill(response=response, json=response.json() | {"adaptation": data})

    page.route(f"{two.api}/v1/model", learned)
    start(page, LABELLED)
    expect(page.locator("#learned")).to_contain_text("The first model was trained on this file")
    expect_phase(page, "done")


def test_only_the_column_of_reviews_is_sent(page: Page, two: Stack) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    start(
        page,
        table(("text", "label", "note"), ("A joy.", "positive", "Frobisher"), ("Dull.", "negative", "x")),
    )
    expect_phase(page, "done")
    assert any("A joy." in body for body in sent)
    assert not any("Frobisher" in body or "positive" in body for body in sent)


# --- for everyone -------------------------------------------------------------------------------


def columns(page: Page) -> None:
    choose(page, LABELLED)


def done(page: Page) -> None:
    start(page, LABELLED)
    expect_phase(page, "done")
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#detail-title")).to_contain_text("Row")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [columns, done], ids=lambda state: state.__name__)
def test_axe_finds_nothing_in_either_step(visit: Visit, two: Stack, state, theme: str) -> None:
    page = visit("compare.html", site=two.page, color_scheme=theme, reduced_motion="reduce")
    state(page)
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
def test_no_row_and_no_figure_overflows(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    done(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figures = page.locator("#figures")
    assert figures.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_a_file_goes_through_both_by_keyboard_alone(page: Page) -> None:
    choose(page, LABELLED)
    page.locator("#file").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.locator("#start")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#run-title")).to_be_focused()
    expect_phase(page, "done")
    expect(page.locator("#status")).to_contain_text("McNemar")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "take":
            return
    raise AssertionError("the download was not reached")
