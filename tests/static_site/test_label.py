"""The labelling page: three ways in, one key or swipe a label, checks by the model, a whole download."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack
from training.files import labelled

TEXTS = ["It broke.", 'Lovely, "really".', "Two\nlines.", "=SUM(A1)", "Last one."]
GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
FINE = "A good film, and I liked most of it."
UNSURE = "The film follows three brothers who run a bakery."
RUN = 60_000  # milliseconds, on a busy machine
Cells = list[str]


def table(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def put(page: Page, data: bytes, name: str = "a.csv") -> None:
    page.locator("#file").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=data))


def choose(
    page: Page, texts: list[str] = TEXTS, labels: list[str] | None = None, name: str = "a.csv"
) -> None:
    put(page, table(("text", "label"), *zip(texts, labels or [""] * len(texts), strict=True)), name)
    expect(page.locator("#work")).to_be_visible()


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("label.html")


@pytest.fixture
def asked(page: Page, stack: Stack) -> list[str]:
    """Every text that the page sends from now on."""
    texts: list[str] = []

    def note(request: Request) -> None:
        if request.url == batch(stack) and request.method == "POST":
            texts.extend(item["review"] for item in json.loads(request.post_data or "{}")["reviews"])

    page.on("request", note)
    return texts


def batch(stack: Stack) -> str:
    return f"{stack.api}/v1/sentiment/batch"


def written(page: Page, folder: Path) -> Path:
    with page.expect_download() as started:
        page.locator("#save").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def rows_of(path: Path, delimiter: str = ",") -> list[Cells]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


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


def labelled_rows(count: int) -> tuple[list[str], list[str]]:
    """Return different texts that praise, and the label "positive" for all of them."""
    return [f"{GOOD} Number {n}." for n in range(count)], ["positive"] * count


def ask(page: Page) -> None:
    page.locator("#ask-start").click()


def expect_phase(page: Page, phase: str) -> None:
    expect(page.locator("#ask")).to_have_attribute("data-phase", phase, timeout=RUN)


# --- three ways in ------------------------------------------------------------------------------


def test_pasted_lines_are_one_text_each(page: Page, tmp_path: Path) -> None:
    page.locator("#pasted").fill("I liked it, mostly.\n\nIt broke, sadly.\n")
    page.locator("#use-pasted").click()
    expect(page.locator("#kicker")).to_have_text("Pasted texts, 2 texts")
    page.keyboard.press("p")
    page.keyboard.press("n")
    path = written(page, tmp_path)
    assert path.name == "reviews-labelled.csv"
    assert rows_of(path) == [
        ["review", "label"], ["I liked it, mostly.", "positive"], ["It broke, sadly.", "negative"]
    ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_pasted_table_is_read_by_its_column_names(page: Page, delimiter: str) -> None:
    rows = [["id", "text", "label"], ["1", "It broke.", "neg"], ["2", "Lovely.", ""]]
    page.locator("#pasted").fill("\n".join(delimiter.join(row) for row in rows))
    page.locator("#use-pasted").click()
    expect(page.locator("#text")).to_have_text("Lovely.")
    expect(page.locator("#counter")).to_have_text("1 of 2 labelled")


def test_an_empty_paste_is_refused_beside_the_box(page: Page) -> None:
    page.locator("#use-pasted").click()
    expect(page.locator("#paste-refusal")).to_have_text("The box is empty. Paste at least one text.")
    expect(page.locator("#pasted")).to_be_focused()
    page.locator("#pasted").fill("It broke.")
    expect(page.locator("#paste-refusal")).to_be_hidden()


def test_what_was_pasted_survives_a_refusal(page: Page) -> None:
    page.locator("#pasted").fill("1\n2\n3")
    page.locator("#use-pasted").click()
    expect(page.locator("#refusal-title")).to_have_text("No column holds texts")
    expect(page.locator("#refusal-advice")).to_contain_text("There are only numbers.")
    expect(page.locator("#pasted")).to_have_value("1\n2\n3")


def test_ten_samples_can_be_labelled_and_nothing_of_them_is_kept(page: Page, tmp_path: Path) -> None:
    page.locator("#use-samples").click()
    expect(page.locator("#kicker")).to_have_text("Ten samples, 10 texts")
    for key in "pnspnpnpnp":
        page.keyboard.press(key)
    expect(page.locator("#work-title")).to_have_text("9 of 10 rows have a label.")
    assert page.evaluate("Object.keys(localStorage)") == []
    path = written(page, tmp_path)
    assert path.name == "samples-labelled.csv"
    assert len(rows_of(path)) == 11


def drag(page: Page, event: str, files: list[tuple[str, str]]) -> None:
    """Dispatch a drag event that holds files, each of a name and a MIME type."""
    page.evaluate(
        "([event, files]) => { const dataTransfer = new DataTransfer();"
        " for (const [name, type] of files)"
        " dataTransfer.items.add(new File(['text\\nA\\nB\\n'], name, { type }));"
        " const options = { dataTransfer, bubbles: true, cancelable: true };"
        " document.body.dispatchEvent(new DragEvent(event, options)); }",
        [event, files],
    )


def test_a_file_can_be_dropped_anywhere_on_the_page(page: Page) -> None:
    drag(page, "dragover", [("a.csv", "text/csv")])
    expect(page.locator("#drop")).to_have_attribute("data-drag", "over")
    expect(page.locator("#drop-words")).to_have_text("Release to use this file")
    drag(page, "drop", [("a.csv", "text/csv")])
    expect(page.locator("#kicker")).to_have_text("a.csv, 2 texts")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("a.png", "image/png")], "This is not a text file"),
        ([("a.csv", "text/csv"), ("b.csv", "text/csv")], "One file at a time"),
    ],
)
def test_what_cannot_be_dropped_is_named_before_it_is_let_go(
    page: Page, files: list[tuple[str, str]], words: str
) -> None:
    drag(page, "dragover", files)
    expect(page.locator("#drop-words")).to_have_text(words)
    drag(page, "dragleave", files)
    expect(page.locator("#drop-words")).to_have_text("Drop a file here")


def test_several_files_at_once_are_refused(page: Page) -> None:
    drag(page, "drop", [("a.csv", "text/csv"), ("b.csv", "text/csv")])
    expect(page.locator("#refusal")).to_contain_text("One file at a time")


def test_the_start_is_used_by_keyboard_alone(page: Page) -> None:
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    wanted = ["file", "pasted", "use-pasted", "use-samples"]
    assert [one for one in reached if one in wanted][:4] == wanted
    page.locator("#file").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    outline = page.locator("#drop").evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"


def test_without_the_part_that_labels_the_page_says_so_and_a_retry_loads_it(
    visit: Visit, stack: Stack
) -> None:
    page = visit("developers.html")
    page.route("**/label/desk.js", lambda route: route.abort("connectionrefused"))
    page.goto(f"{stack.page}label.html")
    page.locator("#pasted").fill("It broke.")
    page.locator("#use-pasted").click()
    expect(page.locator("#refusal")).to_contain_text("Part of this page couldn\u2019t be loaded")
    expect(page.locator("#drop-words")).to_have_text("Drop a file here")
    page.unroute("**/label/desk.js")
    page.locator("#use-pasted").click()
    expect(page.locator("#text")).to_have_text("It broke.")


# --- one text at a time -------------------------------------------------------------------------


def test_one_key_labels_a_text_and_the_next_one_comes(page: Page) -> None:
    choose(page)
    expect(page.locator("#text")).to_have_text(TEXTS[0])
    page.keyboard.press("n")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.keyboard.press("P")
    expect(page.locator("#counter")).to_have_text("2 of 5 labelled")


def test_labels_are_taken_back_one_by_one(page: Page) -> None:
    choose(page)
    page.keyboard.press("p")
    page.keyboard.press("n")
    page.keyboard.press("u")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.keyboard.press("Control+z")
    expect(page.locator("#text")).to_have_text(TEXTS[0])
    expect(page.locator("#counter")).to_have_text("0 of 5 labelled")
    page.keyboard.press("u")
    expect(page.locator("#text")).to_have_text(TEXTS[0])


def test_the_same_file_goes_on_where_it_was_left(page: Page) -> None:
    choose(page)
    page.keyboard.press("p")
    page.keyboard.press("s")
    page.reload()
    choose(page)
    expect(page.locator("#text")).to_have_text("Two\nlines.", use_inner_text=True)
    expect(page.locator("#counter")).to_have_text("1 of 5 labelled, 1 skipped")


def test_the_same_texts_pasted_again_go_on_and_others_do_not(page: Page) -> None:
    for text, counter in [
        ("It broke.\nB.", "0 of 2"),
        ("It broke.\nB.", "1 of 2"),
        ("It broke.\nC.", "0 of 2"),
    ]:
        page.locator("#pasted").fill(text)
        page.locator("#use-pasted").click()
        expect(page.locator("#counter")).to_contain_text(counter)
        if counter == "0 of 2":
            page.keyboard.press("p")
        page.reload()


def test_no_text_is_kept_on_the_device_and_none_is_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    choose(page)
    page.keyboard.press("p")
    page.locator("#other").click()
    page.locator("#pasted").fill("It broke.\nIt broke again.")
    page.locator("#use-pasted").click()
    page.keyboard.press("p")
    stored = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    assert "verdict.labels" in stored and "broke" not in stored
    assert [url for url in sent if "/v1/" in url] == []


def test_skipped_texts_can_be_labelled_after_all(page: Page) -> None:
    choose(page)
    for key in "psnsp":
        page.keyboard.press(key)
    expect(page.locator("#work-title")).to_have_text("3 of 5 rows have a label.")
    expect(page.locator("#work-deck")).to_contain_text("2 texts were skipped.")
    page.locator("#again").click()
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(page.locator("#work-title")).to_have_text("All 5 rows have a label.")


def test_buttons_do_what_the_keys_do_and_keys_can_be_switched_off(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="Positive (P)").click()
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.locator(".settings summary").click()
    page.locator("#setting-shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#text")).to_have_text(TEXTS[1])
    page.get_by_role("button", name="Negative", exact=True).click()
    expect(page.locator("#counter")).to_have_text("2 of 5 labelled")


def test_a_text_is_shown_as_text(page: Page) -> None:
    choose(page, ["<img src=x onerror=alert(1)> nice", "B", "C", "D", "E"], name="<b>.csv")
    expect(page.locator("#text")).to_have_text("<img src=x onerror=alert(1)> nice")
    expect(page.locator("#kicker")).to_contain_text("<b>.csv")
    assert page.locator("#text img, #kicker b").count() == 0


def test_the_columns_can_be_changed_and_labels_stay_with_their_rows(page: Page, tmp_path: Path) -> None:
    put(page, table(("text", "other", "label"), ("A one.", "First.", ""), ("A two.", "Second.", "pos")))
    expect(page.locator("#text")).to_have_text("A one.")
    page.keyboard.press("n")
    page.locator("#review-column").select_option(label="other")
    expect(page.locator("#work-title")).to_have_text("All 2 rows have a label.")
    page.locator("#label-column").select_option(label="A new column")
    expect(page.locator("#counter")).to_have_text("1 of 2 labelled")
    expect(page.locator("#text")).to_have_text("Second.")
    assert rows_of(written(page, tmp_path))[0] == ["text", "other", "label", "label (2)"]


# --- by finger ----------------------------------------------------------------------------------

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(visit: Visit) -> Page:
    return visit("label.html", **PHONE)


def swipe(page: Page, way: int, lift: bool = True) -> None:
    """Move a finger over the card by so many pixels, to the right if positive, in steps."""
    box = page.locator("#card").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 40
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        point = {"x": x + way * step / 5, "y": y}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    if lift:
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_swipe_to_the_right_is_positive_and_to_the_left_negative(phone: Page, tmp_path: Path) -> None:
    choose(phone)
    expect(phone.locator(".swipe-hint")).to_be_visible()
    swipe(phone, 130)
    expect(phone.locator("#text")).to_have_text(TEXTS[1])
    swipe(phone, -130)
    expect(phone.locator("#counter")).to_have_text("2 of 5 labelled")
    assert [row[1] for row in rows_of(written(phone, tmp_path))[1:3]] == ["positive", "negative"]
    phone.locator("#undo").click()
    expect(phone.locator("#text")).to_have_text(TEXTS[1])


def test_a_short_swipe_labels_nothing_and_the_card_goes_back(phone: Page) -> None:
    choose(phone)
    before = phone.locator("#card").bounding_box()
    assert before
    swipe(phone, 30)
    expect(phone.locator("#counter")).to_have_text("0 of 5 labelled")
    assert phone.locator("#card").get_attribute("data-swipe") is None
    phone.wait_for_function(
        "x => document.querySelector('#card').getBoundingClientRect().x === x", arg=before["x"]
    )


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_card_names_the_side_and_moves_only_where_motion_is_welcome(visit: Visit, motion: str) -> None:
    page = visit("label.html", reduced_motion=motion, **PHONE)
    choose(page)
    before = page.locator("#card").bounding_box()
    swipe(page, 130, lift=False)
    expect(page.locator('.thrown[data-side="positive"]')).to_be_visible()
    expect(page.locator('.thrown[data-side="negative"]')).to_be_hidden()
    after = page.locator("#card").bounding_box()
    assert before and after
    assert (after["x"] == before["x"]) == (motion == "reduce")


def test_on_a_phone_every_button_is_large_and_no_key_is_named(phone: Page) -> None:
    choose(phone)
    boxes = [
        button.bounding_box() for button in phone.locator("main button:visible, main select:visible").all()
    ]
    assert boxes and all(box and box["height"] >= 44 for box in boxes)
    expect(phone.get_by_role("button", name="Positive", exact=True)).to_be_visible()


# --- the download -------------------------------------------------------------------------------


def test_what_is_written_is_what_was_labelled_and_adapt_reads_it(page: Page, tmp_path: Path) -> None:
    choose(page)
    for key in "npspn":
        page.keyboard.press(key)
    page.locator("#safe").uncheck()
    path = written(page, tmp_path)
    rows = labelled.read(path)
    assert list(rows.texts()) == [TEXTS[0], TEXTS[1], TEXTS[3], TEXTS[4]]
    assert rows.labels.tolist() == [0, 1, 1, 0]


def test_the_download_is_named_and_confirmed(page: Page, tmp_path: Path) -> None:
    choose(page, name="reviews.csv")
    for key in "pp":
        page.keyboard.press(key)
    expect(page.locator("#save")).to_have_text("Download reviews-labelled.csv")
    assert written(page, tmp_path).name == "reviews-labelled.csv"
    expect(page.locator("#saved")).to_have_text("Saved reviews-labelled.csv: 5 rows, 2 labelled.")
    page.keyboard.press("p")
    expect(page.locator("#saved")).to_have_text("")


def test_a_labelled_file_that_comes_back_keeps_its_name(page: Page) -> None:
    choose(page, name="reviews-labelled.csv")
    expect(page.locator("#save")).to_have_text("Download reviews-labelled.csv")


def test_every_column_and_row_stays_in_its_order_and_no_cell_runs(page: Page, tmp_path: Path) -> None:
    head = ("id", "label", "text", "=note")
    rows = [
        ("7", "", "It broke.", "=1+1"),
        ("8", "pos", "Lovely.", "@x"),
        ("9", "", "", "no text"),
        ("10", "?", "So so.", "-"),
    ]
    put(page, table(head, *rows))
    expect(page.locator("#notes")).to_contain_text("1 row has no text. The download keeps it.")
    page.keyboard.press("n")
    assert rows_of(written(page, tmp_path)) == [
        ["id", "label", "text", "'=note"],
        ["7", "neg", "It broke.", "'=1+1"],
        ["8", "pos", "Lovely.", "'@x"],
        ["9", "", "", "no text"],
        ["10", "?", "So so.", "'-"],
    ]


@pytest.mark.parametrize(
    ("own", "keys", "cells"),
    [
        (["1", "0", "", ""], "pn", ["1", "0", "1", "0"]),
        (["-1", "1", "", ""], "pn", ["-1", "1", "1", "-1"]),
        (["5", "2", "", ""], "pn", ["5", "2", "5", "1"]),
        (["10", "3", "", ""], "pn", ["10", "3", "10", "1"]),
        (["good", "bad", "", ""], "pn", ["good", "bad", "good", "bad"]),
        (["pos", "pos", "", ""], "pn", ["pos", "pos", "pos", "neg"]),
    ],
)
def test_new_labels_are_written_as_the_column_writes_them_and_adapt_reads_all(
    page: Page, tmp_path: Path, own: Cells, keys: str, cells: Cells
) -> None:
    choose(page, ["One.", "Two.", "Three.", "Four."], own)
    for key in keys:
        page.keyboard.press(key)
    path = written(page, tmp_path)
    assert [row[1] for row in rows_of(path)[1:]] == cells
    assert labelled.read(path).counts.get("unlabelled", 0) == 0


def test_json_lines_stay_json_lines_with_their_fields_and_kinds(page: Page, tmp_path: Path) -> None:
    items = [
        {"text": "It broke.", "n": 3, "none": None},
        {"text": "=Lovely.", "label": 1},
        {"text": "So.", "label": 0},
    ]
    put(page, "\n".join(map(json.dumps, items)).encode() + b"\nno json\n", name="a.jsonl")
    expect(page.locator("#notes")).to_contain_text("1 line is not JSON")
    expect(page.locator("#safe-field")).to_be_hidden()
    page.keyboard.press("n")
    path = written(page, tmp_path)
    assert path.name == "a-labelled.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {"text": "It broke.", "n": 3, "none": None, "label": 0}
    assert lines[1:3] == items[1:]
    assert lines[3] == {"unread line": "no json"}


def test_a_tsv_stays_a_tsv(page: Page, tmp_path: Path) -> None:
    put(page, b"text\tid\nIt broke, twice.\t1\n", name="a.tsv")
    expect(page.locator("#work")).to_be_visible()
    page.keyboard.press("n")
    path = written(page, tmp_path)
    assert path.name == "a-labelled.tsv"
    assert rows_of(path, "\t") == [["text", "id", "label"], ["It broke, twice.", "1", "negative"]]


def test_a_column_of_other_labels_stays_and_ours_goes_beside_it(page: Page, tmp_path: Path) -> None:
    put(page, table(("text", "class"), ("It broke.", "comedy"), ("Lovely.", "drama")))
    expect(page.locator("#notes")).to_contain_text("your labels go into a new column")
    page.keyboard.press("n")
    path = written(page, tmp_path)
    assert rows_of(path) == [
        ["text", "class", "label"],
        ["It broke.", "comedy", "negative"],
        ["Lovely.", "drama", ""],
    ]


def test_columns_of_one_name_are_told_apart_in_words_and_in_the_download(page: Page, tmp_path: Path) -> None:
    put(page, table(("text", "note", "note"), ("It broke.", "a", "b")))
    expect(page.locator("#notes")).to_contain_text("Several columns have the same name.")
    page.keyboard.press("n")
    assert rows_of(written(page, tmp_path))[0] == ["text", "note", "note (2)", "label"]


def test_a_download_that_fails_says_so_and_loses_nothing(page: Page, tmp_path: Path) -> None:
    choose(page)
    page.keyboard.press("n")
    expect(page.locator("#counter")).to_have_text("1 of 5 labelled")
    page.route("**/rows/worker.js", lambda route: route.abort("connectionrefused"))
    page.locator("#save").click()
    expect(page.locator("#saved")).to_contain_text("could not be written. Your labels are safe.")
    page.unroute("**/rows/worker.js")
    assert rows_of(written(page, tmp_path))[1] == [TEXTS[0], "negative"]


def asks_before_leaving(page: Page) -> bool:
    """Return whether the page would ask before it is left."""
    return page.evaluate("() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")


def test_leaving_asks_while_labels_are_not_downloaded(page: Page, tmp_path: Path) -> None:
    choose(page)
    assert not asks_before_leaving(page)
    page.keyboard.press("n")
    assert asks_before_leaving(page)
    written(page, tmp_path)
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert not asks_before_leaving(page)
    page.keyboard.press("n")
    assert asks_before_leaving(page)


# --- files that can't be labelled ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "The file is empty"),
        (b"text,label\n", "a.csv", "only column names"),
        (b"PK\x03\x04 not a table", "a.csv", "This is not a text file"),
        (table(("id", "stars"), ("1", "5"), ("2", "4")), "a.csv", "The columns are: id, stars."),
        (table(("id", "label"), ("1", "pos"), ("2", "neg")), "a.csv", "No column holds texts"),
        (b"{broken\n", "a.jsonl", "no JSON objects"),
        (b"text\n" + b"a\n" * 100_001, "a.csv", "Split the file, then label one part at a time."),
    ],
)
def test_a_file_that_cannot_be_labelled_is_refused_in_words(
    page: Page, data: bytes, name: str, words: str
) -> None:
    put(page, data, name)
    expect(page.locator("#refusal")).to_contain_text(words, timeout=RUN)
    expect(page.locator("#work")).to_be_hidden()


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(page: Page) -> None:
    page.evaluate(
        "() => { const file = new File(['x'], 'big.csv');"
        " Object.defineProperty(file, 'size', { value: 150_000_000 });"
        " const dataTransfer = { types: ['Files'], files: [file], items: [] };"
        " const event = new Event('drop', { bubbles: true, cancelable: true });"
        " Object.assign(event, { dataTransfer }); document.body.dispatchEvent(event); }"
    )
    expect(page.locator("#refusal")).to_contain_text("The file is too large")
    expect(page.locator("#refusal")).to_contain_text("Split the file")


def test_after_a_refusal_the_texts_on_the_desk_are_still_there(page: Page) -> None:
    choose(page)
    page.keyboard.press("p")
    page.locator("#other").click()
    expect(page.locator("#choose-title")).to_be_focused()
    put(page, b"", "b.csv")
    expect(page.locator("#refusal")).to_contain_text("The file is empty")
    page.locator("#back").click()
    expect(page.locator("#counter")).to_have_text("1 of 5 labelled")


# --- a file with labels, and the model ----------------------------------------------------------


def test_a_file_that_has_labels_goes_on_behind_them(page: Page) -> None:
    choose(page, labels=["negative", "1", "", "", ""])
    expect(page.locator("#text")).to_contain_text("Two")
    expect(page.locator("#counter")).to_have_text("2 of 5 labelled")


def test_a_file_with_all_labels_says_so_and_offers_the_model(page: Page, stack: Stack) -> None:
    choose(page, *labelled_rows(5), name="reviews.csv")
    expect(page.locator("#work-title")).to_have_text("All 5 rows have a label.")
    expect(page.locator("#work-title")).to_be_focused()
    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#ask-count")).to_contain_text(f"5 labelled texts to {stack.api}")
    expect(page.locator("#save-note")).to_have_text(
        "No label is new yet. The labels are those in reviews.csv."
    )
    assert not asks_before_leaving(page)


def disagreeing(page: Page) -> None:
    """Have the model judge six labelled texts, of which it contradicts two."""
    rows = [
        (GOOD, "pos"),
        (BAD, "pos"),
        (BAD + " Again.", "neg"),
        (FINE, "neg"),
        (UNSURE, "neg"),
        (UNSURE, "pos"),
    ]
    put(
        page, table(("text", "label", "id"), *[(*row, str(at)) for at, row in enumerate(rows)]), "reviews.csv"
    )
    ask(page)
    expect_phase(page, "done")
    expect(page.locator("#check")).to_have_text("Check the 2 that it disagrees with")


def test_only_labelled_texts_are_sent_each_once_and_uncertain_answers_contradict_nothing(
    page: Page, asked: list[str]
) -> None:
    disagreeing(page)
    assert sorted(asked) == sorted([GOOD, BAD, BAD + " Again.", FINE, UNSURE])
    expect(page.locator("#ask-count")).to_have_text(
        "The model agrees with 2 labels and disagrees with 2. It is unsure about 2."
    )


def test_the_surest_contradiction_comes_first_beside_the_file_s_label_and_is_changed_or_kept(
    page: Page, tmp_path: Path
) -> None:
    disagreeing(page)
    page.locator("#check").click()
    expect(page.locator("#text")).to_have_text(BAD)
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#counter")).to_have_text("0 of 2 checked")
    expect(page.locator("#sides")).to_contain_text("Your file says")
    expect(page.locator("#said")).to_have_text("Positive")
    expect(page.locator("#predicted")).to_contain_text("Negative, ")
    expect(page.locator("#predicted")).to_contain_text("sure")
    page.get_by_role("button", name="Change to negative").click()
    expect(page.locator("#text")).to_have_text(FINE)
    page.get_by_role("button", name="Keep negative").click()
    expect(page.locator("#work-title")).to_have_text("Both labels are checked. You changed 1.")
    expect(page.locator("#check")).to_be_hidden()
    path = written(page, tmp_path)
    assert [row[1] for row in rows_of(path)[1:]] == ["pos", "neg", "neg", "neg", "neg", "pos"]
    expect(page.locator("#saved")).to_have_text("Saved reviews-labelled.csv: 6 rows, 6 labelled.")


def test_a_check_can_be_undone_and_left_and_taken_up_again(page: Page) -> None:
    disagreeing(page)
    page.locator("#check").click()
    page.keyboard.press("u")
    expect(page.locator("#counter")).to_have_text("0 of 2 checked")
    page.keyboard.press("s")
    expect(page.locator("#counter")).to_have_text("0 of 2 checked")
    page.keyboard.press("n")
    expect(page.locator("#counter")).to_have_text("1 of 2 checked")
    page.keyboard.press("u")
    expect(page.locator("#text")).to_have_text(BAD)
    expect(page.locator("#said")).to_have_text("Positive")
    page.keyboard.press("p")
    page.locator("#leave-check").click()
    expect(page.locator("#work-title")).to_be_focused()
    expect(page.locator("#check")).to_have_text("Check the last one")


def test_labels_given_here_are_checked_too(page: Page) -> None:
    choose(page, [GOOD, BAD])
    page.keyboard.press("n")
    page.keyboard.press("n")
    ask(page)
    expect_phase(page, "done")
    expect(page.locator("#check")).to_have_text("Check the one that it disagrees with")
    page.locator("#check").click()
    expect(page.locator("#said-name")).to_have_text("You said")


def test_texts_labelled_after_the_answers_can_be_asked_about_too(page: Page, asked: list[str]) -> None:
    choose(page, [GOOD, BAD, FINE], ["pos", "", ""])
    ask(page)
    expect_phase(page, "done")
    page.keyboard.press("n")
    expect(page.locator("#ask-start")).to_have_text("Ask about one more text")
    ask(page)
    expect(page.locator("#ask-count")).to_contain_text("agrees with 2 labels", timeout=RUN)
    assert asked == [GOOD, BAD]


# --- an API that fails --------------------------------------------------------------------------


def test_an_api_that_fails_in_the_middle_pauses_and_keeps_what_it_answered(page: Page, stack: Stack) -> None:
    def fail(number: int, route: Route) -> bool:
        if number == 2:
            route.fulfill(**problem(503, **{"Retry-After": "3600"}))
        return number == 2

    fail_batches(page, stack, fail)
    texts, labels = labelled_rows(250)
    labels[3] = "negative"
    choose(page, texts, labels)
    ask(page)
    expect_phase(page, "paused")
    expect(page.locator("#ask-trouble [role=alert]")).to_contain_text("The run is paused. ")
    expect(page.locator("#ask-trouble")).to_contain_text("The answers so far are kept.")
    expect(page.locator("#ask-count")).to_have_text("100 of 250 texts judged")
    expect(page.locator("#check")).to_be_visible()
    page.locator("#ask-resume").click()
    expect_phase(page, "done")
    expect(page.locator("#ask-trouble")).to_be_hidden()
    expect(page.locator("#ask-count")).to_contain_text("agrees with 249 labels and disagrees with 1.")


def test_too_many_requests_are_waited_for_with_a_countdown(page: Page, stack: Stack) -> None:
    def fail(number: int, route: Route) -> bool:
        if number == 1:
            route.fulfill(**problem(429, **{"Retry-After": "60"}))
        return number == 1

    fail_batches(page, stack, fail)
    choose(page, [GOOD], ["1"])
    ask(page)
    expect_phase(page, "waiting")
    expect(page.locator("#ask-trouble")).to_contain_text("Too many requests")
    expect(page.locator("#ask-countdown")).to_contain_text("seconds")
    page.locator("#ask-resume").click()
    expect_phase(page, "done")


def test_a_key_that_is_asked_for_is_given_here(page: Page, stack: Stack) -> None:
    keys: list[str | None] = []

    def fail(number: int, route: Route) -> bool:
        keys.append(route.request.headers.get("x-api-key"))
        if number == 1:
            route.fulfill(**problem(401))
        return number == 1

    fail_batches(page, stack, fail)
    choose(page, [GOOD], ["1"])
    ask(page)
    expect_phase(page, "paused")
    expect(page.locator("#ask-trouble")).to_contain_text("This API asks for a key")
    expect(page.locator("#ask-resume")).to_be_hidden()
    page.locator("#key").fill("abc")
    page.keyboard.press("Enter")
    expect_phase(page, "done")
    assert keys == [None, "abc"]
    expect(page.locator("#key-form")).to_be_hidden()


def test_offline_the_page_says_so_at_once_and_goes_on_when_the_network_is_back(page: Page) -> None:
    choose(page, [GOOD], ["1"])
    page.evaluate("import('./label/asking.js')")
    page.context.set_offline(True)
    ask(page)
    expect_phase(page, "paused")
    expect(page.locator("#ask-trouble")).to_contain_text("This device is offline")
    page.context.set_offline(False)
    expect_phase(page, "done")


def test_a_run_can_be_paused_stopped_and_taken_up_again(page: Page, stack: Stack) -> None:
    held: list[Route] = []

    def hold(number: int, route: Route) -> bool:
        if number == 2:
            held.append(route)
        return number == 2

    fail_batches(page, stack, hold)
    choose(page, *labelled_rows(150))
    ask(page)
    expect(page.locator("#ask-count")).to_have_text("100 of 150 texts judged", timeout=RUN)
    assert asks_before_leaving(page)
    page.locator("#ask-pause").click()
    expect_phase(page, "pausing")
    page.locator("#ask-stop").click()
    expect_phase(page, "ended")
    expect(page.locator("#ask-count")).to_contain_text("agrees with 100 labels")
    expect(page.locator("#ask-start")).to_have_text("Ask about 50 more texts")
    ask(page)
    expect_phase(page, "done")
    expect(page.locator("#ask-count")).to_contain_text("agrees with 150 labels")


def test_asking_offline_says_that_the_device_is_offline(page: Page) -> None:
    choose(page, [GOOD], ["1"])
    page.context.set_offline(True)
    ask(page)
    expect(page.locator("#ask-count")).to_contain_text("This device is offline. Your labels are safe.")
    page.context.set_offline(False)
    ask(page)
    expect_phase(page, "done")


def test_without_the_part_that_asks_the_page_says_so_and_a_retry_loads_it(page: Page) -> None:
    page.route("**/label/asking.js", lambda route: route.abort("connectionrefused"))
    choose(page, [GOOD], ["1"])
    ask(page)
    expect(page.locator("#ask-count")).to_contain_text("couldn\u2019t be loaded. Your labels are safe.")
    page.unroute("**/label/asking.js")
    ask(page)
    expect_phase(page, "done")


# --- for everyone -------------------------------------------------------------------------------


def start(page: Page, stack: Stack) -> None:
    pass


def refused(page: Page, stack: Stack) -> None:
    put(page, b"")
    expect(page.locator("#refusal")).to_be_visible()
    page.locator("#use-pasted").click()


def work(page: Page, stack: Stack) -> None:
    put(
        page,
        table(
            ("text", "note", "note", "a_rather_long_name_of_a_column"),
            ("It broke.", "", "", ""),
            ("", "", "", ""),
        ),
    )
    expect(page.locator("#work")).to_be_visible()


def done(page: Page, stack: Stack) -> None:
    choose(page, name=f"{'long' * 30}.csv")
    for key in "psnpp":
        page.keyboard.press(key)


def paused(page: Page, stack: Stack) -> None:
    fail_batches(page, stack, lambda number, route: bool(route.fulfill(**problem(401))) or True)
    choose(page, [GOOD], ["1"])
    ask(page)
    expect_phase(page, "paused")


def checking(page: Page, stack: Stack) -> None:
    disagreeing(page)
    page.locator("#check").click()


def checked(page: Page, stack: Stack) -> None:
    checking(page, stack)
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("#work-title")).to_contain_text("Both labels are checked")


STATES = [start, refused, work, done, paused, checking, checked]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_no_state_has_a_barrier_or_overflows(visit: Visit, stack: Stack, scheme: str, state) -> None:
    page = visit("label.html", color_scheme=scheme, viewport={"width": 320, "height": 700})
    state(page, stack)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("state", [start, work, checking], ids=lambda state: state.__name__)
def test_a_wide_page_has_no_barrier_and_every_state_works_in_forced_colours(
    visit: Visit, stack: Stack, state
) -> None:
    page = visit("label.html", forced_colors="active", viewport={"width": 1280, "height": 800})
    state(page, stack)
    # Axe takes the style sheet's colours for those that the browser forces.
    assert [one for one in violations(page) if not one.startswith("color-contrast")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_three_ways_stand_side_by_side_on_a_desktop_and_below_each_other_on_a_phone(page: Page) -> None:
    def tops() -> set[float]:
        return {way.bounding_box()["y"] for way in page.locator(".way").all()}  # type: ignore[index]

    assert len(tops()) == 1
    page.set_viewport_size({"width": 320, "height": 700})
    assert len(tops()) == 3


def doubtful(page: Page) -> None:
    """Choose a file as `verdict adapt --doubts` writes it; its third row has no doubt."""
    header = ("text", "label", "row", "doubt", "suggested_label")
    rows = [
        (GOOD, "neg", "7", "0.97", "positive"),
        (BAD, "pos", "12", "0.993", "negative"),
        (FINE, "pos", "3", "", ""),
    ]
    put(page, table(header, *rows), "doubts.csv")
    expect(page.locator("#work")).to_be_visible()


def test_a_file_of_doubts_opens_on_the_most_doubtful_label(page: Page, asked: list[str]) -> None:
    doubtful(page)
    expect(page.locator("#counter")).to_have_text("0 of 2 checked")
    expect(page.locator("#text")).to_have_text(BAD)
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Positive")
    expect(page.locator("#predicted")).to_contain_text("Negative, 99.3")
    assert violations(page) == []
    assert asked == []


def test_checked_doubts_are_downloaded_for_adapt(page: Page, tmp_path: Path) -> None:
    doubtful(page)
    page.keyboard.press("n")
    page.keyboard.press("n")
    expect(page.locator("#work-title")).to_have_text("Both labels are checked. You changed 1.")
    expect(page.locator("#save-next")).to_contain_text("--corrected doubts-labelled.csv")
    _, *rows = rows_of(written(page, tmp_path))
    assert [(row[1], row[2]) for row in rows] == [("neg", "7"), ("neg", "12"), ("pos", "3")]


def test_checking_doubts_can_be_left_and_taken_up(page: Page) -> None:
    doubtful(page)
    page.keyboard.press("p")
    page.locator("#leave-check").click()
    expect(page.locator("#check")).to_have_text("Check the last one")
    page.locator("#check").click()
    expect(page.locator("#text")).to_have_text(GOOD)


def test_another_file_names_adapt_without_a_correction(page: Page) -> None:
    choose(page)
    expect(page.locator("#save-next")).to_contain_text("It needs 50 labels")
    expect(page.locator("#save-next")).not_to_contain_text("--corrected")
