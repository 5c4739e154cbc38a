"""The page for a whole file, in a real browser against the running app: every row gets what is its own."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, FilePayload, Locator, Page, Request, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack
from tests.support.workbooks import line, workbook

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
LONG_RUN = 120_000  # milliseconds, for some thousand rows on a busy machine
Rows = list[dict[str, str]]


@pytest.fixture
def page(visit: Visit) -> Page:
    """A fresh visit to the file page."""
    return visit("file.html")


@pytest.fixture
def asked(page: Page, stack: Stack) -> list[str]:
    """Every review that the page sends from now on, as often as it sends it."""
    reviews: list[str] = []

    def note(request: Request) -> None:
        if request.url == batch(stack) and request.method == "POST":
            reviews.extend(item["review"] for item in json.loads(request.post_data or "{}")["reviews"])

    page.on("request", note)
    return reviews


def batch(stack: Stack) -> str:
    return f"{stack.api}/v1/sentiment/batch"


def table(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def numbered(count: int) -> list[tuple[str, ...]]:
    """Return rows of an id and a review, all different; even ones praise, odd ones don't."""
    return [(f"r{n}", f"{BAD if n % 2 else GOOD} Number {n}.") for n in range(count)]


def choose(page: Page, data: bytes, name: str = "reviews.csv") -> None:
    page.locator("#file").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=data))
    expect(page.locator("#columns, #refusal:not([hidden])")).to_be_visible()


def send(page: Page, data: bytes, name: str = "reviews.csv") -> None:
    choose(page, data, name)
    page.locator("#send").click()


def expect_phase(page: Page, phase: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-phase", phase, timeout=LONG_RUN)


def shares(page: Page) -> Counter[str]:
    """Count the rows by their verdict, as the download has them; those that failed are "failed"."""
    return Counter(row["sentiment"] or "failed" for row in taken_rows(page))


def chip(page: Page, show: str) -> Locator:
    return page.locator(f"#chips [data-show={show}]")


def take(page: Page, button: str) -> bytes:
    with page.expect_download() as waiting:
        page.locator(button).click()
    download: Download = waiting.value
    return Path(download.path()).read_bytes()


def taken_rows(page: Page) -> Rows:
    return list(csv.DictReader(io.StringIO(take(page, "#take-csv").decode("utf-8-sig"))))


def stored(page: Page) -> list[object]:
    """Everything that the page has put into this browser's storage."""
    return page.evaluate(
        "async () => [...await indexedDB.databases(), ...Object.keys(localStorage),"
        " ...Object.keys(sessionStorage), ...await caches.keys()]"
    )


def expect_kept(page: Page, done: int) -> None:
    """Wait until that many rows' outcomes are on the device; a reload may then come at once."""
    page.wait_for_function(
        """async (done) => {
          const { createStore, get } = await import("/vendor/idb-keyval/index.js");
          return (await get("summary", createStore("verdict-file", "file")))?.done === done;
        }""",
        arg=done,
    )


def problem(status: int, code: str = "some_code", **headers: str) -> dict[str, object]:
    body = {"type": "about:blank", "title": "A title", "status": status, "detail": "A detail.", "code": code}
    cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
    return {"status": status, "content_type": "application/problem+json", "body": json.dumps(body),
            "headers": cors | headers}  # fmt: skip


def fail_batches(page: Page, stack: Stack, fail: Callable[[int, Route], bool]) -> None:
    """Call ``fail`` with each batch's number, from 1; pass the batch to the API when it returns False."""
    count = 0

    def handle(route: Route) -> None:
        nonlocal count
        if route.request.method == "POST":
            count += 1
            if fail(count, route):
                return
        route.continue_()

    page.route(batch(stack), handle)


# --- the whole way ------------------------------------------------------------------------------


def test_five_thousand_rows_survive_pause_and_reload_and_none_is_lost_or_doubled(
    page: Page, stack: Stack, asked: list[str]
) -> None:
    held: list[Route] = []

    def hold(number: int, route: Route) -> bool:
        if number in (13, 30):  # so that the run is in the middle, however fast the machine is
            held.append(route)
        return number in (13, 30)

    fail_batches(page, stack, hold)
    rows = numbered(5_000)
    choose(page, table(("id", "review"), *rows))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect(page.locator("#run-title")).to_contain_text("1,200 of 5,000", timeout=LONG_RUN)
    page.locator("#pause").click()
    held[0].continue_()
    expect_phase(page, "paused")
    expect_kept(page, 1_300)
    page.reload()
    expect(page.locator("#kept-text")).to_contain_text("1,300 of 5,000 rows done")
    page.locator("#go-on").click()
    expect(page.locator("#run-title")).to_contain_text("2,900 of 5,000", timeout=LONG_RUN)
    assert max(Counter(asked).values()) == 1, "after a pause nothing is asked twice"
    page.reload()
    page.locator("#go-on").click()
    expect_phase(page, "done")
    assert set(asked) == {review for _, review in rows}
    taken = taken_rows(page)
    assert [(row["id"], row["review"]) for row in taken] == rows
    assert {row["sentiment"] for row in taken[0::2]} == {"positive"}
    assert {row["sentiment"] for row in taken[1::2]} == {"negative"}
    expect(chip(page, "all")).to_have_text("All 5,000")


def test_an_api_that_fails_in_the_middle_is_waited_for_and_no_row_is_lost(
    page: Page, stack: Stack, asked: list[str]
) -> None:
    answers = {
        2: problem(503, **{"Retry-After": "1"}),
        4: problem(429, **{"Retry-After": "0"}),
        5: problem(502),
    }

    def fail(number: int, route: Route) -> bool:
        if number == 6:
            route.abort("connectionreset")
        elif number in answers:
            route.fulfill(**answers[number])
        return number == 6 or number in answers

    fail_batches(page, stack, fail)
    rows = numbered(500)
    send(page, table(("id", "review"), *rows))
    expect_phase(page, "done")
    taken = taken_rows(page)
    assert [(row["id"], row["review"]) for row in taken] == rows
    assert all(row["sentiment"] and not row["error"] for row in taken)
    assert set(asked) == {review for _, review in rows}


def test_the_countdown_of_a_wait_is_shown_and_can_be_cut_short(page: Page, stack: Stack) -> None:
    def fail(number: int, route: Route) -> bool:
        if number == 1:
            route.fulfill(**problem(429, **{"Retry-After": "60"}))
        return number == 1

    fail_batches(page, stack, fail)
    send(page, table(("review",), (GOOD,)))
    expect_phase(page, "waiting")
    expect(page.locator("#trouble")).to_contain_text("Too many requests")
    expect(page.locator("#countdown")).to_contain_text("seconds")
    page.locator("#resume").click()
    expect_phase(page, "done")
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(503, **{"Retry-After": "3600"}), "The run is paused"),
        (problem(404), "The API isn\u2019t at this address"),
        (problem(401), "asks for a key"),
    ],
)
def test_what_waiting_does_not_mend_pauses_with_a_message_and_goes_on_later(
    page: Page, stack: Stack, answer: dict[str, object], words: str
) -> None:
    def fail(number: int, route: Route) -> bool:
        if number == 2:
            route.fulfill(**answer)
        return number == 2

    fail_batches(page, stack, fail)
    send(page, table(("id", "review"), *numbered(250)))
    expect_phase(page, "paused")
    expect(page.locator("#trouble [role=alert]")).to_contain_text(words)
    expect(page.locator("#run-title")).to_contain_text("100 of 250 rows done")
    page.locator("#resume").click()
    expect_phase(page, "done")
    assert shares(page)["positive"] == 125


def test_a_review_that_the_api_refuses_whole_harms_no_other(page: Page, stack: Stack) -> None:
    def fail(number: int, route: Route) -> bool:
        poisoned = "POISON" in (route.request.post_data or "")
        if poisoned:
            route.fulfill(**problem(400, code="not_utf8"))
        return poisoned

    fail_batches(page, stack, fail)
    rows = numbered(200)
    rows[77] = ("r77", "POISON")
    send(page, table(("id", "review"), *rows))
    expect_phase(page, "done")
    taken = taken_rows(page)
    assert [row["id"] for row in taken if row["error"]] == ["r77"]
    assert taken[77]["error"] == "not_utf8"
    assert sum(bool(row["sentiment"]) for row in taken) == 199


def test_failed_rows_can_be_asked_again(page: Page, stack: Stack) -> None:
    def fail(number: int, route: Route) -> bool:
        if number == 1:
            item = {"error": json.loads(str(problem(503)["body"]))}
            body = {"answers": [{"id": 0} | item, {"id": 1} | item], "model": None, "request_id": "r"}
            route.fulfill(json=body, headers={"Access-Control-Allow-Origin": "*"})
        return number == 1

    fail_batches(page, stack, fail)
    send(page, table(("review",), (GOOD,), (BAD,), ("",)))
    expect_phase(page, "done")
    assert shares(page)["failed"] == 3
    page.locator("#retry-failed").click()
    expect(page.locator("#run-deck")).to_contain_text("2 verdicts", timeout=LONG_RUN)
    assert shares(page) == {"positive": 1, "negative": 1, "failed": 1}
    expect(page.locator("#retry-failed")).to_be_hidden()


def test_cancelled_what_is_done_stays_and_the_rest_can_be_taken_up(page: Page, stack: Stack) -> None:
    held: list[Route] = []

    def hold(number: int, route: Route) -> bool:
        if number == 2:
            held.append(route)
        return number == 2

    fail_batches(page, stack, hold)
    send(page, table(("id", "review"), *numbered(150)))
    expect(page.locator("#run-title")).to_contain_text("100 of 150")
    page.locator("#cancel").click()
    expect_phase(page, "ended")
    expect(page.locator("#run-deck")).to_contain_text("50 rows not sent")
    errors = Counter(row["error"] for row in taken_rows(page))
    assert errors == {"": 100, "not_asked": 50}
    page.locator("#resume").click()
    expect_phase(page, "done")
    assert shares(page)["positive"] == 75


def test_paused_the_answer_under_way_still_counts(page: Page, stack: Stack) -> None:
    held: list[Route] = []

    def hold(number: int, route: Route) -> bool:
        held.append(route)
        return True

    fail_batches(page, stack, hold)
    send(page, table(("review",), (GOOD,)))
    expect(page.locator("#run-title")).to_contain_text("0 of 1 row")
    page.locator("#pause").click()
    expect_phase(page, "pausing")
    held[0].continue_()
    expect_phase(page, "done")
    assert shares(page)["positive"] == 1


def test_rows_that_cannot_be_sent_fail_with_their_reason_and_are_not_sent(
    page: Page, asked: list[str]
) -> None:
    data = table(
        ("review",), (GOOD,), ("",), ("x" * 50_001,), ("  ",), ("\N{GRINNING FACE}" * 50_000,), ("<br />",)
    )
    choose(page, data)
    expect(page.locator("#send")).to_have_text("Judge 3 reviews")
    page.locator("#send").click()
    expect_phase(page, "done")
    assert len(asked) == 3
    errors = [row["error"] for row in taken_rows(page)]
    assert errors[:4] == ["", "empty", "too_long", "empty"]
    assert errors[5] == "no_token"
    chip(page, "failed").click()
    expect(page.locator(".rows-canvas [role=row]").first).to_contain_text("Empty")


def test_equal_reviews_are_asked_once_and_each_row_gets_the_verdict(page: Page, asked: list[str]) -> None:
    choose(page, table(("review",), *[(GOOD,), (BAD,)] * 30))
    expect(page.locator("#once-text")).to_contain_text("58 rows repeat another")
    page.locator("#send").click()
    expect_phase(page, "done")
    assert sorted(asked) == sorted([GOOD, BAD])
    assert [row["sentiment"] for row in taken_rows(page)] == ["positive", "negative"] * 30


def test_equal_reviews_are_asked_each_when_wished(page: Page, asked: list[str]) -> None:
    choose(page, table(("review",), *[(GOOD,)] * 5))
    page.locator("#once").uncheck()
    page.locator("#send").click()
    expect_phase(page, "done")
    assert asked == [GOOD] * 5


def test_only_the_reviews_are_sent(page: Page, stack: Stack) -> None:
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.url + (request.post_data or "")))
    send(page, table(("id", "review", "secret"), ("myid", GOOD, "mysecret")), name="myname.csv")
    expect_phase(page, "done")
    sent = [body for body in bodies if body.startswith(stack.api)]
    assert sent
    assert not any(word in body for body in sent for word in ("myid", "mysecret", "myname"))


# --- what is kept on the device -----------------------------------------------------------------


def test_unticked_nothing_at_all_is_stored(page: Page) -> None:
    send(page, table(("review",), (GOOD,), (BAD,)))
    expect_phase(page, "done")
    page.locator("#search").fill("film")
    take(page, "#take-csv")
    assert stored(page) == []
    page.reload()
    expect(page.locator("#choose")).to_be_visible()
    expect(page.locator("#kept")).to_be_hidden()
    assert stored(page) == []


@pytest.mark.parametrize("button", ["#forget", "#keep"])
def test_forgotten_nothing_stays(page: Page, button: str) -> None:
    send(page, table(("review",), (GOOD,), (BAD,)))
    expect_phase(page, "done")
    page.locator("#keep").check()
    page.wait_for_function("async () => (await indexedDB.databases()).length === 1")
    page.locator(button).click()
    expect(page.locator("#status")).to_contain_text("Deleted from this device")
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")
    assert stored(page) == []
    expect(page.locator("#keep")).not_to_be_checked()


def test_what_is_kept_can_be_forgotten_or_shown_after_a_reload(page: Page) -> None:
    choose(page, table(("review", "stars"), (GOOD, "9"), (BAD, "2")))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect_kept(page, 2)
    page.reload()
    expect(page.locator("#kept-text")).to_contain_text("reviews.csv")
    expect(page.locator("#go-on")).to_have_text("Show the results")
    page.locator("#go-on").click()
    expect_phase(page, "done")
    expect(page.locator("#accuracy .figure-main").first).to_have_text("100.0\N{NO-BREAK SPACE}%")
    page.locator("#another").click()
    page.locator("#forget-kept").click()
    expect(page.locator("#kept")).to_be_hidden()
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")


def test_what_is_kept_comes_back_with_its_dates_groups_and_report_and_asks_nothing(
    page: Page, stack: Stack
) -> None:
    rows = [(f"{text} {n}", f"{1 + n}/5/2026", f"Film {n % 2}") for n, text in enumerate([GOOD, BAD] * 12)]
    choose(page, table(("review", "date", "film"), *rows))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect_kept(page, 24)
    page.reload()
    page.route(batch(stack), lambda route: route.abort())
    page.locator("#go-on").click()
    expect_phase(page, "done")
    expect(page.locator(".rows-canvas .cell-date").first).to_have_text("2026-05-01")
    expect(page.locator(".rows-canvas .cell-group").first).to_have_text("Film 0")
    expect(page.locator(".rows-canvas .cell-mark").first).to_be_visible()
    page.locator("#report").get_by_role("button", name="Film 1").first.click(timeout=LONG_RUN)
    expect(page.locator("#shown")).to_have_text("12 of 24 rows")


def test_a_full_storage_is_said_and_the_run_goes_on(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send(
        "Storage.overrideQuotaForOrigin", {"origin": page.url.removesuffix("/file.html"), "quotaSize": 1}
    )
    choose(page, table(("id", "review"), *numbered(150)))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect(page.locator("#keep-trouble")).to_contain_text("no room")
    expect(page.locator("#keep")).not_to_be_checked()
    expect_phase(page, "done")
    assert shares(page)["failed"] == 0
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")


def test_a_second_tab_leaves_what_the_first_keeps_alone(page: Page, stack: Stack) -> None:
    fail_batches(page, stack, lambda number, route: number == 2)
    choose(page, table(("id", "review"), *numbered(150)))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect(page.locator("#run-title")).to_contain_text("100 of 150")
    second = page.context.new_page()
    second.goto(f"{stack.page}file.html")
    for button in ("#go-on", "#forget-kept"):
        second.locator(button).click()
        expect(second.locator("#kept-text")).to_contain_text("Another tab")
    send(second, table(("review",), (GOOD,)))
    expect_phase(second, "done")
    second.locator("#keep").click()
    expect(second.locator("#keep-trouble")).to_contain_text("Another tab")


def test_what_is_kept_in_another_form_is_forgotten(page: Page) -> None:
    page.evaluate(
        "async () => { const { createStore, set } = await import('/vendor/idb-keyval/index.js');"
        " await set('summary', { version: 0 }, createStore('verdict-file', 'file')); }"
    )
    page.reload()
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")
    expect(page.locator("#kept")).to_be_hidden()


# --- columns and labels -------------------------------------------------------------------------


def test_columns_are_guessed_and_can_be_changed(page: Page, asked: list[str]) -> None:
    data = table(("key", "text", "other", "sentiment"), ("k1", GOOD, BAD, "pos"), ("k2", BAD, GOOD, "neg"))
    choose(page, data)
    chosen = [
        page.locator(f"{id} option:checked").inner_text()
        for id in ("#review-column", "#label-column", "#id-column")
    ]
    assert chosen == ["text", "sentiment", "key"]
    expect(page.locator("#preview .chosen").nth(1)).to_contain_text("A wonderful")
    page.locator("#review-column").select_option(label="other")
    page.locator("#label-column").select_option(label="None")
    expect(page.locator("#preview .chosen").nth(1)).to_contain_text("This was the worst")
    page.locator("#send").click()
    expect_phase(page, "done")
    assert asked == [BAD, GOOD]
    expect(page.locator("#accuracy-section")).to_be_hidden()


def test_a_column_without_a_known_name_is_taken_when_its_texts_are_the_longest(page: Page) -> None:
    choose(page, table(("a", "b", "c"), ("1", GOOD, "x"), ("2", BAD, "y")))
    expect(page.locator("#review-column option:checked")).to_have_text("b")


@pytest.mark.parametrize(
    ("labels", "scale", "counts"),
    [
        (["pos", "Negative", "GOOD", "meh"], "words", "2 positive, 1 negative, 1 neither"),
        (["1", "0", "1", ""], "zero_one", "2 positive, 1 negative, 1 neither"),
        (["2", "1", "2", "1"], "one_two", "2 positive, 2 negative."),
        (["-1", "1", "0", "1"], "minus_plus", "2 positive, 1 negative, 1 neither"),
        (["5", "1", "3", "2"], "five", "1 positive, 2 negative, 1 neither"),
        (["10", "4", "5", "7"], "ten", "2 positive, 1 negative, 1 neither"),
    ],
)
def test_labels_are_read_on_the_scale_they_are_on_and_it_is_said(
    page: Page, labels: list[str], scale: str, counts: str
) -> None:
    choose(page, table(("review", "label"), *[(GOOD, label) for label in labels]))
    expect(page.locator("#scale")).to_have_value(scale)
    expect(page.locator("#label-counts")).to_contain_text(counts)


def test_verdicts_are_held_against_labels_with_their_numbers_of_rows(page: Page) -> None:
    uncertain = "It was fine, I suppose, in parts, and in other parts it was not."
    rows = [(GOOD, "1")] * 4 + [(GOOD, "0")] + [(BAD, "0")] * 3 + [(GOOD, "")] * 2
    send(page, table(("review", "label"), *rows, (uncertain, "maybe")))
    expect_phase(page, "done")
    figures = page.locator("#accuracy .figure")
    expect(figures.first).to_contain_text("7 of 8 rows")
    expect(figures.first.locator(".figure-main")).to_have_text("87.5\N{NO-BREAK SPACE}%")
    cells = page.locator("#confusion tr:nth-of-type(n+2) td")
    assert [cell.inner_text() for cell in cells.all()] == ["4", "0", "0", "1", "3", "0"]
    expect(page.locator("#accuracy")).to_contain_text("3 rows with a verdict have no usable label")
    page.locator("#calibration-section summary").click()
    assert (
        "8" in page.locator("#calibration-table").inner_text()
        or page.locator("#calibration-table tr").count() == 3
    )
    chip(page, "against").click()
    expect(page.locator("#shown")).to_have_text("1 of 11 rows")


# --- the table ----------------------------------------------------------------------------------


def test_a_text_that_is_not_understood_shows_no_percentage(page: Page) -> None:
    french = "Ce film est une merveille et je le recommande pour toute la famille."
    send(page, table(("review",), (french,), ("Xqzvw blorpt kwyjibo frumple zzyzx.",), (GOOD,)))
    expect_phase(page, "done")
    expect(page.locator(".rows-canvas .cell-word").first).to_have_text("Can\u2019t tell")
    shown = page.locator(".rows-canvas .cell-probability")
    assert ["%" in text for text in shown.all_text_contents()] == [False, False, True]
    page.locator(".rows-canvas .cell-review").first.click()
    expect(page.locator("#drawer-body")).to_contain_text("It does not look like English.")
    assert "%" not in page.locator("#drawer-body").inner_text()


def ten_thousand(page: Page, stack: Stack) -> None:
    """Show 10,000 rows of which the API answered the first hundred."""
    fail_batches(page, stack, lambda number, route: number > 1)
    send(page, table(("id", "review"), *numbered(10_000)))
    expect(page.locator("#run-title")).to_contain_text("100 of 10,000")


def test_ten_thousand_rows_are_a_table_of_which_only_a_few_are_drawn(page: Page, stack: Stack) -> None:
    ten_thousand(page, stack)
    grid = page.locator("#grid")
    expect(grid).to_have_attribute("aria-rowcount", "10001")
    drawn = page.locator(".rows-canvas [role=row]")
    expect(drawn.first).to_have_attribute("aria-rowindex", "2")
    assert drawn.count() < 60
    page.locator(".rows-scroller").evaluate("node => { node.scrollTop = node.scrollHeight / 2; }")
    expect(page.locator(".rows-canvas [aria-rowindex='5002']")).to_be_visible()
    assert drawn.count() < 60


def test_the_table_is_used_by_keyboard(page: Page, stack: Stack) -> None:
    ten_thousand(page, stack)
    grid = page.locator("#grid")
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_attribute("aria-rowindex", "3")
    page.keyboard.press("End")
    expect(page.locator("[aria-selected=true]")).to_have_attribute("aria-rowindex", "10001")
    active = grid.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_contain_text("r9999")
    page.keyboard.press("PageUp")
    assert int(page.locator("[aria-selected=true]").get_attribute("aria-rowindex") or 0) < 9_995
    page.keyboard.press("Home")
    expect(page.locator("[aria-selected=true]")).to_have_attribute("aria-rowindex", "2")
    expect(grid).to_be_focused()


def expect_rows(page: Page, *names: str) -> None:
    expect(page.locator(".rows-canvas .cell-row")).to_have_text(list(names))


def test_rows_can_be_sorted_filtered_and_searched(page: Page) -> None:
    rows = [("b", GOOD), ("a", BAD), ("c", ""), ("d", "It was a delightful surprise, warm and funny.")]
    send(page, table(("id", "review"), *rows))
    expect_phase(page, "done")
    page.locator("#grid").get_by_role("button", name="% positive").click()
    expect(page.locator(".cell-probability[role=columnheader]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(".rows-canvas .cell-row").first).to_have_text("a")
    expect(page.locator(".rows-canvas .cell-row").last).to_have_text("c")  # a row without a number comes last
    page.locator("#grid").get_by_role("button", name="% positive").click()
    expect(page.locator(".rows-canvas .cell-row").nth(2)).to_have_text("a")
    expect(page.locator(".rows-canvas .cell-row").last).to_have_text("c")
    chip(page, "best").click()
    expect(page.locator("#shown")).to_have_text("3 of 4 rows")
    page.locator("#search").fill("DELIGHTFUL")
    expect(page.locator("#shown")).to_have_text("1 of 4 rows")
    expect_rows(page, "d")
    page.locator("#search").fill("nothing like it")
    expect(page.locator(".rows-empty")).to_be_visible()


# --- chips, the drawer, and parts of the file ---------------------------------------------------

FILM = [
    ("a1", "2026-01-05", "Aurora", "1", GOOD),
    ("a2", "2026-01-06", "Aurora", "0", BAD),
    ("b1", "2026-02-05", "Borealis", "0", GOOD),
    ("b2", "2026-02-06", "Borealis", "0", f"The music is lovely and the acting superb. {BAD}"),
]


def films(page: Page, times: int = 1) -> None:
    """Judge a file with dates, groups and labels."""
    rows = [
        (f"{name}-{n}", day, film, label, f"{text} {n}")
        for n in range(times)
        for name, day, film, label, text in FILM
    ]
    send(page, table(("id", "date", "film", "label", "review"), *rows))
    expect_phase(page, "done")


def test_chips_show_the_extremes_and_those_against_the_label_and_count_them(page: Page) -> None:
    films(page)
    expect(chip(page, "all")).to_have_text("All 4")
    expect(chip(page, "against")).to_have_text("Against your label 1")
    expect(chip(page, "failed")).to_be_hidden()
    chip(page, "against").click()
    expect_rows(page, "b1-0")
    expect(chip(page, "against")).to_have_attribute("aria-pressed", "true")
    chip(page, "best").click()
    expect(page.locator(".cell-probability[role=columnheader]")).to_have_attribute("aria-sort", "descending")
    expect(page.locator(".rows-canvas .cell-word").first).to_have_text("Positive")
    chip(page, "worst").click()
    expect(page.locator(".rows-canvas .cell-word").first).to_have_text("Negative")


def test_a_row_shows_its_deciding_sentence(page: Page) -> None:
    films(page)
    marks = page.locator(".rows-canvas .cell-mark")
    expect(marks).to_have_count(4)
    expect(marks.first).to_have_attribute("data-verdict", "positive")
    assert marks.first.inner_text() in GOOD


def test_the_drawer_says_why_and_follows_the_keys(page: Page) -> None:
    films(page)
    page.locator(".rows-canvas > .rows-row").first.click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("5 January 2026")
    expect(drawer).to_contain_text("Your label: Positive")
    expect(drawer.locator(".detail-text mark.glow").first).to_be_visible()
    expect(drawer.locator(".drawer-effect").first).to_contain_text("On its own: ")
    expect(drawer.locator(".detail-text")).to_have_text(f"{GOOD} 0")
    page.locator("#drawer-next").click()
    expect(page.locator("#drawer-title")).to_have_text("Row a2-0")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#drawer-title")).to_have_text("Row b1-0")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#drawer-title")).to_have_text("Row a2-0")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(drawer).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text("Row b1-0")
    expect(page.locator("#drawer-title")).to_be_focused()


def test_the_drawer_never_shows_a_row_that_is_not_in_the_table(page: Page) -> None:
    films(page)
    page.locator(".rows-canvas > .rows-row").first.click()
    expect(page.locator("#drawer-title")).to_have_text("Row a1-0")
    page.locator("#search").fill("superb")
    expect(page.locator("#shown")).to_have_text("3 of 4 rows")
    expect(page.locator("#drawer")).to_be_visible()
    chip(page, "against").click()
    expect_rows(page, "b1-0")
    expect(page.locator("#drawer")).to_be_hidden()


def test_the_review_page_opens_from_the_drawer(page: Page) -> None:
    send(page, table(("review",), (GOOD,)))
    expect_phase(page, "done")
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_be_focused()
    with page.context.expect_page() as opening:
        page.locator(".detail-link").click()
    expect(opening.value.locator("#review")).to_have_value(GOOD)
    assert "#review=" in opening.value.url


def test_a_bar_and_a_cell_show_their_rows_until_the_filter_is_removed(page: Page) -> None:
    films(page)
    page.locator("#confusion .cell-button").nth(1).click()
    expect(page.locator("#remove-filter")).to_have_text("Your label: Negative. Verdict: Positive")
    expect(page.locator("#remove-filter")).to_be_focused()
    expect_rows(page, "b1-0")
    expect(chip(page, "all")).to_have_text("All 1")
    page.locator("#remove-filter").click()
    expect(page.locator("#shown")).to_have_text("4 rows")
    expect(page.locator("#part")).to_be_empty()
    page.locator("#histogram .plot-cover").first.click()
    expect(page.locator("#remove-filter")).to_contain_text("% positive")
    expect(page.locator(".rows-canvas .cell-word").first).to_have_text("Negative")


def test_the_report_shows_the_rows_of_what_is_pressed(page: Page) -> None:
    films(page, 8)
    report = page.locator("#report")
    expect(report.get_by_role("button", name="Aurora").first).to_be_visible(timeout=LONG_RUN)
    report.get_by_role("button", name="Aurora").first.click()
    expect(page.locator("#remove-filter")).to_have_text("Aurora")
    expect(page.locator("#shown")).to_have_text("16 of 32 rows")
    chip(page, "worst").click()
    expect(page.locator("#shown")).to_have_text("10 of 32 rows")


def test_what_the_report_compares_can_be_chosen(page: Page) -> None:
    films(page, 12)
    sides = page.locator("#report .report-sides")
    page.get_by_label("Compare", exact=True).select_option("between")
    page.get_by_label("This group").select_option("Aurora")
    page.get_by_label("With this one").select_option("Borealis")
    expect(sides.filter(has_text="Aurora, 24 reviews").first).to_be_visible(timeout=LONG_RUN)
    page.get_by_label("Compare", exact=True).select_option("since")
    expect(page.get_by_label("This group")).to_be_hidden()
    page.get_by_label("From this day on").fill("2026-02-01")
    expect(sides.filter(has_text="from 1 Feb 2026 on, 24 reviews").first).to_be_visible(timeout=LONG_RUN)


def test_only_the_rows_shown_are_taken_when_that_is_wished(page: Page) -> None:
    films(page)
    expect(page.locator("#take-shown")).to_be_hidden()
    chip(page, "against").click()
    page.get_by_label("Only the 1 row shown above").check()
    with page.expect_download() as waiting:
        page.locator("#take-csv").click()
    assert waiting.value.suggested_filename == "reviews-verdicts-selection.csv"
    expect(page.locator("#take-status")).to_contain_text(
        "Saved reviews-verdicts-selection.csv: 1 row, with all 5 columns"
    )
    assert [(row["id"], row["film"]) for row in taken_rows(page)] == [("b1-0", "Borealis")]
    chip(page, "all").click()
    expect(page.locator("#take-shown")).to_be_hidden()
    assert len(taken_rows(page)) == 4


# --- dates, groups and aspects ------------------------------------------------------------------


def expect_columns(page: Page, **chosen: str) -> None:
    for name, column in chosen.items():
        expect(page.locator(f"#{name}-column option:checked")).to_have_text(column)


def test_dates_and_groups_are_found_and_said(page: Page) -> None:
    films = ("Aurora", "Borealis", "Aurora", "Borealis")
    rows = [
        (GOOD, film, day) for film, day in zip(films, ("2026-05-03 10:11", "", "2026-05-04", ""), strict=True)
    ]
    choose(page, table(("review", "Film title", "createdAt"), *rows))
    expect_columns(page, review="review", group="Film title", date="createdAt", label="None")
    expect(page.locator("#date-note")).to_have_text("The first date is read as 3 May 2026.")
    expect(page.locator("#group-counts")).to_have_text("2 groups")
    expect(page.locator("#date-order")).to_be_hidden()


def test_an_order_that_the_dates_leave_open_is_asked_and_never_guessed(page: Page) -> None:
    choose(page, table(("review", "date"), (GOOD, "3/5/2026"), (BAD, "4/5/2026")))
    expect(page.locator("#date-order-title")).to_have_text("What does \u201c3/5/2026\u201d mean?")
    page.locator("#send").click()
    expect(page.locator("#date-trouble")).to_contain_text("Choose one of the two first")
    expect(page.locator("#date-dmy")).to_be_focused()
    page.get_by_label("3 May 2026").check()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect(page.locator(".rows-canvas .cell-date")).to_have_text(["2026-05-03", "2026-05-04"])


def test_an_order_that_one_date_decides_is_not_asked(page: Page) -> None:
    send(page, table(("review", "date"), (GOOD, "3/5/2026"), (BAD, "12/25/2026")))
    expect_phase(page, "done")
    expect(page.locator(".rows-canvas .cell-date")).to_have_text(["2026-03-05", "2026-12-25"])


def test_dates_that_contradict_each_other_are_not_taken(page: Page) -> None:
    choose(page, table(("review", "date"), (GOOD, "3/5/2026"), (BAD, "12/25/2026"), (BAD, "25/12/2026")))
    expect(page.locator("#date-trouble")).to_contain_text("Row 3 says \u201c25/12/2026\u201d and row 2 says")
    page.locator("#send").click()
    expect(page.locator("#date-column")).to_be_focused()
    page.locator("#date-column").select_option(label="None")
    expect(page.locator("#date-trouble")).to_be_hidden()
    page.locator("#send").click()
    expect_phase(page, "done")


def test_own_aspects_are_sent_and_wrong_ones_said(page: Page, stack: Stack) -> None:
    asked: list[object] = []
    page.on(
        "request",
        lambda request: (
            asked.append(json.loads(request.post_data or "{}").get("aspects"))
            if request.method == "POST" and request.url == batch(stack)
            else None
        ),
    )
    choose(page, table(("review",), (GOOD,)))
    expect(page.locator("#aspects")).to_have_value("film")
    page.locator("#aspects").select_option("own")
    page.locator("#send").click()
    expect(page.locator("#aspects-trouble")).to_contain_text("Write at least one aspect")
    expect(page.locator("#own-aspects")).to_be_focused()
    page.locator("#own-aspects").fill("acting: acting, cast\nminutes")
    page.locator("#send").click()
    expect_phase(page, "done")
    assert asked == [{"acting": ["acting", "cast"], "minutes": ["minutes"]}]


def test_reviews_of_products_are_guessed(page: Page) -> None:
    choose(page, table(("review",), ("The delivery was slow and the price too high.",), ("A good product.",)))
    expect(page.locator("#aspects")).to_have_value("product")


# --- downloads ----------------------------------------------------------------------------------

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "=1\n+2"]


def test_a_csv_runs_no_formula_where_it_is_to_be_safe(page: Page) -> None:
    rows = [(formula, f"-{GOOD}") for formula in FORMULAS]
    send(page, table(("=id", "review"), *rows))
    expect_phase(page, "done")
    text = take(page, "#take-csv").decode("utf-8")
    assert text.startswith("\ufeff'=id,review,sentiment,reason,probability,warnings,error")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row[0] for row in read[1:]] == [f"'{formula}" for formula in FORMULAS]
    assert all(cell[:1] not in ("=", "+", "-", "@", "\t", "\r") for row in read for cell in row)


def test_a_csv_keeps_the_cells_as_they_are_where_that_is_wished(page: Page) -> None:
    rows = [(formula, GOOD) for formula in FORMULAS]
    send(page, table(("id", "review"), *rows))
    expect_phase(page, "done")
    page.locator("#safe").uncheck()
    text = take(page, "#take-csv").decode("utf-8")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [(row[0], row[1]) for row in read[1:]] == rows


def test_json_lines_keep_the_file_s_fields_and_add_ours(page: Page) -> None:
    items = [
        {"review": GOOD, "n": 3, "sentiment": "mine", "deep": {"a": [1]}, "none": None},
        {"review": "Good.", "id": 12345678901234567890, "flag": True},
    ]
    send(page, "\n".join(map(json.dumps, items)).encode() + b"\nno json\n", name="a.jsonl")
    expect_phase(page, "done")
    first, second, third = (json.loads(line) for line in take(page, "#take-jsonl").decode().splitlines())
    assert (first["n"], first["sentiment"], first["none"]) == (3, "mine", None)
    assert json.loads(first["deep"]) == {"a": [1]}
    assert first["verdict_sentiment"] == "positive" and 0.5 < first["probability"] <= 1
    assert second["id"] == "12345678901234567890" and second["flag"] is True and "n" not in second
    assert second["warnings"] == ["too_short"] and second["error"] is None
    assert third["unread line"] == "no json" and third["error"] == "not_json"


@pytest.mark.parametrize(
    "name", ["=cmd|' <img src=x onerror=alert(1)>.csv", "../../etc/passwd.csv", "\u202egnp.csv"]
)
def test_a_download_s_name_is_a_plain_one(page: Page, name: str) -> None:
    send(page, table(("review",), (GOOD,)), name=name)
    expect_phase(page, "done")
    with page.expect_download() as waiting:
        page.locator("#take-csv").click()
    given = waiting.value.suggested_filename
    assert given.endswith("-verdicts.csv")
    assert not set(given) & set("/\\<>|=\u202e'")


# --- for everyone -------------------------------------------------------------------------------


def choosing(page: Page, stack: Stack) -> None:
    pass


def refused(page: Page, stack: Stack) -> None:
    choose(page, b"", "empty.csv")


def columns(page: Page, stack: Stack) -> None:
    choose(page, table(("review", "label"), (GOOD, "1"), (BAD, "0"), (BAD, "0")) + b"a,b,c\n")
    page.locator("#format-summary").click()


def waiting(page: Page, stack: Stack) -> None:
    fail_batches(
        page,
        stack,
        lambda number, route: bool(route.fulfill(**problem(503, **{"Retry-After": "60"}))) or True,
    )
    send(page, table(("review",), (GOOD,)))
    expect_phase(page, "waiting")


def paused(page: Page, stack: Stack) -> None:
    fail_batches(page, stack, lambda number, route: bool(route.fulfill(**problem(404))) or True)
    send(page, table(("review",), (GOOD,)))
    expect_phase(page, "paused")


def done(page: Page, stack: Stack) -> None:
    rows = [(GOOD, "1"), (BAD, "0"), ("", "0"), ("Good.", "0"), (f"{GOOD} {BAD}", "0"), (f"{BAD} Yes.", "1")]
    dated = [(text, label, f"2026-05-{n:02}", f"Film {n % 2}") for n, (text, label) in enumerate(rows, 1)]
    send(page, table(("review", "label", "date", "film"), *dated))
    expect_phase(page, "done")
    expect(page.locator("#report-status")).to_be_hidden(timeout=LONG_RUN)
    for summary in page.locator("details.numbers > summary").all():
        summary.click()
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_be_focused()


def kept(page: Page, stack: Stack) -> None:
    choose(page, table(("review",), (GOOD,)))
    page.locator("#keep-first").check()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect_kept(page, 1)
    page.reload()
    expect(page.locator("#kept")).to_be_visible()


STATES = [choosing, refused, columns, waiting, paused, done, kept]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(visit: Visit, stack: Stack, state, theme: str) -> None:
    page = visit("file.html", color_scheme=theme, reduced_motion="reduce")
    state(page, stack)
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
@pytest.mark.parametrize("state", [choosing, columns, waiting, done], ids=lambda state: state.__name__)
def test_nothing_overflows_from_narrow_to_wide(visit: Visit, stack: Stack, state, width: int) -> None:
    page = visit("file.html", viewport={"width": width, "height": 900})
    state(page, stack)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_whole_page_is_used_by_keyboard_alone(page: Page) -> None:
    def reach(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            if page.evaluate(f"document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"{selector} was not reached")

    reach("#choose-file")
    reach("#pasted")
    page.keyboard.insert_text(f"{GOOD}\n{BAD}")
    reach("#use-pasted")
    page.keyboard.press("Enter")
    expect(page.locator("#columns-title")).to_be_focused()
    reach("#send")
    page.keyboard.press("Enter")
    expect_phase(page, "done")
    reach("#chips [data-show=worst]")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort=ascending]")).to_have_count(1)
    reach("#grid")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#drawer-title")).to_have_text("Row 2")
    page.keyboard.press("Escape")
    reach("button.rows-sort")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-sort]:not([aria-sort=none])")).to_have_count(1)
    reach("#take-csv")


def test_a_file_can_be_dropped_on_the_page(page: Page) -> None:
    page.evaluate(
        "text => { const dataTransfer = new DataTransfer();"
        " dataTransfer.items.add(new File([text], 'dropped.csv'));"
        " const options = { dataTransfer, bubbles: true, cancelable: true };"
        " document.body.dispatchEvent(new DragEvent('drop', options)); }",
        table(("review",), (GOOD,)).decode(),
    )
    expect(page.locator("#columns-kicker")).to_contain_text("dropped.csv")


def test_several_files_at_once_are_refused(page: Page) -> None:
    page.evaluate(
        "() => { const dataTransfer = new DataTransfer();"
        " for (const name of ['a.csv', 'b.csv']) dataTransfer.items.add(new File(['x'], name));"
        " const options = { dataTransfer, bubbles: true, cancelable: true };"
        " document.body.dispatchEvent(new DragEvent('drop', options)); }"
    )
    expect(page.locator("#refusal")).to_contain_text("One file at a time")


def test_a_large_text_that_is_pasted_is_taken_at_once(page: Page) -> None:
    page.locator("#pasted").evaluate(
        "(box, text) => { const clipboardData = new DataTransfer();"
        " clipboardData.setData('text/plain', text);"
        " box.dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true })); }",
        f"{GOOD}\n" * 2_000,
    )
    expect(page.locator("#columns-kicker")).to_contain_text("2,000 rows")


def test_the_examples_show_what_the_page_does(page: Page) -> None:
    page.locator("#use-examples").click()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect(page.locator("#models")).to_contain_text("Model verdict-")
    expect(page.locator(".rows-canvas .cell-row").first).to_have_text("glowing")


def test_back_at_the_start_reading_begins_at_the_title(page: Page) -> None:
    choose(page, table(("review",), (GOOD,)))
    page.locator("#other-file").click()
    expect(page.locator("#choose-title")).to_be_focused()
    choose(page, b"")
    expect(page.locator("#choose-title")).to_be_focused()


def test_the_format_can_be_changed(page: Page) -> None:
    choose(page, b"review\nGreat, I loved it\n", "a.csv")
    expect(page.locator("#format-summary")).to_contain_text("a single column")
    page.locator("#format-summary").click()
    page.locator("#format").select_option("comma")
    expect(page.locator("#preview th")).to_have_text(["review", "Column 2"])
    expect(page.locator("#notes [data-code=ragged]")).to_be_visible()
    page.locator("#format-summary").click()
    page.locator("#format").select_option("lines")
    expect(page.locator("#preview td")).to_have_text(["review", "Great, I loved it"])


def test_names_and_cells_with_markup_are_shown_as_text(page: Page) -> None:
    markup = "<img src=x onerror=\"document.title='run'\">"
    # Markup that the text itself shows; other markup is no part of what the model reads.
    shown = markup.replace("<", "&lt;")
    send(page, table((markup, "review"), (markup, f"{shown} {GOOD}")), name=f"{markup}.csv")
    expect_phase(page, "done")
    page.locator("#grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#run-kicker")).to_have_text(f"{markup}.csv")
    expect(page.locator(".detail-text")).to_contain_text(markup)
    assert page.locator("img").count() == 0
    assert "run" not in page.title()


SPACED = """() => {
  const style = new CSSStyleSheet();
  style.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important;"
    + " word-spacing: 0.16em !important }");
  document.adoptedStyleSheets = [style];
}"""
CUT = """[...document.querySelectorAll(".rows-canvas .rows-cell:not(.cell-review)")]
  .filter((cell) => cell.scrollWidth > cell.clientWidth || cell.scrollHeight > cell.clientHeight + 1)
  .map((cell) => cell.textContent)"""


def test_letters_that_a_reader_spaces_out_cut_no_cell_but_the_review(page: Page) -> None:
    page.locator("#use-examples").click()
    page.locator("#send").click()
    expect_phase(page, "done")
    expect(page.locator(".rows-canvas .cell-remark", has_text="May not be English")).to_be_visible()
    page.evaluate(SPACED)
    assert page.evaluate(CUT) == []


def test_a_run_that_can_not_be_loaded_is_a_refusal_and_works_later(page: Page) -> None:
    page.route("**/file/running.js", lambda route: route.abort())
    send(page, table(("review",), (GOOD,), (BAD,)))
    expect(page.locator("#refusal-title")).to_have_text("Part of this page couldn\u2019t be loaded")
    page.unroute("**/file/running.js")
    page.reload()
    send(page, table(("review",), (GOOD,), (BAD,)))
    expect_phase(page, "done")


def test_a_workbook_is_judged_and_another_sheet_can_be_chosen(page: Page) -> None:
    first = line(1, "review", "seen") + line(2, GOOD, "d46145") + line(3, BAD, "d46146")
    other = line(1, "text") + line(2, BAD)
    choose(page, workbook(Spring=first, Autumn=other), "films.xlsx")
    expect(page.locator("#format-summary")).to_have_text("Read the sheet \u201cSpring\u201d")
    expect(page.locator("#preview td")).to_have_text([GOOD, "2026-05-03", BAD, "2026-05-04"])
    page.get_by_label("Sheet of the workbook").select_option("Autumn")
    expect(page.locator("#preview td")).to_have_text([BAD])
    page.locator("#send").click()
    expect_phase(page, "done")
    with page.expect_download() as waiting:
        page.locator("#take-csv").click()
    assert waiting.value.suggested_filename == "films-verdicts.csv"


def test_a_workbook_s_reader_is_loaded_for_a_workbook_alone(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, table(("review",), (GOOD,)))
    assert not any("read-excel-file" in url for url in asked)
    page.locator("#other-file").click()
    choose(page, workbook(Spring=line(1, "review") + line(2, GOOD)), "films.xlsx")
    assert any("read-excel-file" in url for url in asked)


def test_a_report_that_can_not_be_loaded_says_so_and_the_table_stays(page: Page) -> None:
    page.route("**/report/view.js", lambda route: route.fulfill(status=404, body="404"))
    page.evaluate("() => { console.error = () => {}; }")
    send(page, table(("review",), (GOOD,), (BAD,)))
    expect_phase(page, "done")
    expect(page.locator("#report-status")).to_contain_text("The report could not be made")
    expect_rows(page, "1", "2")


def test_a_row_that_is_pressed_on_a_phone_is_read_without_a_search(visit: Visit) -> None:
    page = visit("file.html", viewport={"width": 320, "height": 640}, has_touch=True, reduced_motion="reduce")
    send(page, table(("id", "review"), *numbered(30)))
    expect_phase(page, "done")
    page.locator("#search").evaluate("node => node.scrollIntoView()")
    page.locator(".rows-canvas > .rows-row").nth(2).click()
    expect(page.locator("#drawer-title")).to_have_text("Row r2")
    expect(page.locator("#drawer-title")).to_be_in_viewport()
