"""The page in a real browser, against the running app: what a person sees, by mouse and by keyboard."""

import json
import math
import os
import re
import signal

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.stack import Stack

GOOD = "A wonderful, moving film. The acting is superb and I loved every minute of it."
BAD = "This was the worst film of the year. Dull, badly acted and a complete waste of time."
SECONDS = 10_000  # Playwright counts in milliseconds


def ask(page: Page, review: str) -> None:
    page.locator("#review").fill(review)
    page.locator("#send").click()


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)


def answer_with(page: Page, stack: Stack, **response) -> None:
    """Fulfil the next requests to the API with this response; the rest of the page stays as it is."""
    cors = {"Access-Control-Allow-Origin": "*"}

    def fulfil(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.continue_()
        else:
            route.fulfill(**{**response, "headers": {**cors, **response.get("headers", {})}})

    page.route(f"{stack.api}/v1/sentiment", fulfil)


@pytest.mark.parametrize(("review", "headline"), [(GOOD, "Positive"), (BAD, "Negative")])
def test_a_review_gets_its_verdict_with_a_probability(page: Page, review: str, headline: str) -> None:
    ask(page, review)
    expect_state(page, "answer")
    expect(page.locator("#verdict")).to_have_text(headline)
    probability = float(page.locator("#probability").get_attribute("value") or "nan")
    assert (probability > 0.5) == (headline == "Positive")
    expect(page.locator("#status")).to_contain_text(headline)


def test_the_sentences_pull_adds_up_to_the_probability(page: Page) -> None:
    ask(page, GOOD + " " + BAD)
    expect_state(page, "answer")
    rows = page.locator("#sentences button.row")
    expect(rows).to_have_count(4)
    pulls = [float(row.get_attribute("data-contribution") or "nan") for row in rows.all()]
    total = sum(pulls) + float(page.locator("#sum").get_attribute("data-bias") or "nan")
    shown = float(page.locator("#probability").get_attribute("value") or "nan")
    assert abs(1 / (1 + math.exp(-total)) - shown) < 1e-4
    for row in rows.all():
        sign, pull = row.get_attribute("data-sign"), float(row.get_attribute("data-contribution") or 0)
        # What would be shown as 0.00 has no sign.
        assert sign == ("plus" if pull >= 0.005 else "minus" if pull <= -0.005 else "zero")


def test_each_sentence_shows_its_worth_alone_and_the_text_without_it(page: Page, stack: Stack) -> None:
    review = f"{GOOD} {BAD}"
    answer = httpx.post(f"{stack.api}/v1/sentiment", json={"review": review}).json()
    ask(page, review)
    expect_state(page, "answer")
    rows = page.locator("#sentences button.row")
    expect(rows).to_have_count(len(answer["sentences"]))
    for row, sentence in zip(rows.all(), answer["sentences"], strict=True):
        alone, without = percent(sentence["alone"]), percent(sentence["without"])
        # Playwright reads a hard space as a space.
        expect(row).to_contain_text(f"Alone {alone} positive, text without it {without}.")


def test_the_only_sentence_has_no_text_without_it(page: Page) -> None:
    ask(page, "I hated every minute of this dull and badly acted film.")
    expect_state(page, "answer")
    expect(page.locator("#sentences button.row")).to_contain_text("positive.")
    expect(page.locator("#sentences")).not_to_contain_text("text without it")


def percent(share: float) -> str:
    if share > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


def test_marks_stand_on_their_sentences_with_characters_beyond_the_basic_plane(page: Page) -> None:
    first, second = "\U0001f600\U0001f3ac What a great film!", "I hated the ending \U0001f4a9."
    ask(page, f"{first} {second}")
    expect_state(page, "answer")
    assert page.locator("#text mark.pull").all_text_contents() == [first, second]


def test_markup_in_a_review_is_shown_as_text_and_never_run(page: Page) -> None:
    ask(
        page,
        'Good fun. &lt;img src=x onerror="document.title=1"&gt; <b>Great</b><script>alert(1)</script> film.',
    )
    expect_state(page, "answer")
    assert page.locator("#text img, #text b, #text script").count() == 0
    assert '<img src=x onerror="document.title=1">' in (page.locator("#text").text_content() or "")


@pytest.mark.parametrize(
    ("review", "code"),
    [
        ("Good.", "too_short"),
        ("Xqzvw blorpt kwyjibo frumple zzyzx.", "no_known_words"),
        ("Ce film est une merveille et je le recommande pour toute la famille.", "not_english"),
        ("The plot went on and on. " * 90, "truncated"),
    ],
)
def test_warnings_are_shown_beside_the_verdict(page: Page, review: str, code: str) -> None:
    ask(page, review)
    expect_state(page, "answer")
    expect(page.locator(f"#warning-list .warning[data-code={code}]")).to_be_visible()


def test_a_short_review_is_not_told_what_whole_ones_with_its_score_are(page: Page) -> None:
    ask(page, GOOD)
    expect_state(page, "answer")
    expect(page.locator("#meaning")).to_contain_text("in 100 reviews with this score")
    ask(page, "I hated it")
    expect(page.locator("#text")).to_have_text("I hated it", timeout=SECONDS)
    expect(page.locator("#warning-list .warning[data-code=too_short]")).to_be_visible()
    expect(page.locator("#meaning")).to_be_empty()


@pytest.mark.parametrize(
    ("review", "reason"),
    [
        ("Xqzvw blorpt kwyjibo frumple zzyzx.", "The model knows none of these words."),
        ("\U0001f600 \U0001f600", "The model knows none of these words."),
        (
            "Ce film est une merveille et je le recommande pour toute la famille.",
            "It does not look like English.",
        ),
    ],
)
def test_a_text_that_is_not_understood_shows_why_and_no_parts(page: Page, review: str, reason: str) -> None:
    ask(page, review)
    expect_state(page, "answer")
    expect(page.locator("#verdict")).to_have_text("Can\u2019t tell")
    expect(page.locator("#sureness")).to_have_text(reason)
    expect(page.locator("#text")).to_have_text(review)
    for part in ("meter", "probability", "band", "waterfall", "all-words", "sentences", "words-for"):
        expect(page.locator(f"#{part}")).to_be_hidden()
    expect(page.locator("#meaning")).to_be_empty()
    expect(page.locator("#text mark, #text .word")).to_have_count(0)
    assert "%" not in page.locator("#answer").inner_text()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("mixed", "It praises and complains about equally."),
        ("no_opinion", "It gives no opinion of the film."),
        ("unclear", "It could go either way."),
        ("another", "Not sure enough to say."),
    ],
)
def test_an_uncertain_verdict_shows_its_reason(page: Page, stack: Stack, reason: str, words: str) -> None:
    body = scored(0.04, -0.12).replace('"unclear"', f'"{reason}"')
    answer_with(page, stack, status=200, content_type="application/json", body=body)
    ask(page, "Fine.")
    expect_state(page, "answer")
    expect(page.locator("#sureness")).to_have_text(words)
    expect(page.locator("#probability")).to_be_visible()
    expect(page.locator("#waterfall")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [("sentences", "alone", 1.5), ("sentences", "without", "0.5"), ("words", "effect", None)],
)
def test_a_measure_of_the_wrong_kind_is_an_error(
    page: Page, stack: Stack, kind: str, field: str, value: object
) -> None:
    answer = json.loads(scored(0.04, -0.12))
    answer[kind] = [{**answer[kind][0], field: value}]
    answer_with(page, stack, status=200, content_type="application/json", body=json.dumps(answer))
    ask(page, "Fine.")
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "bad_answer")


def scored(bias: float, *pulls: float) -> str:
    """Return the API's answer to a review whose sentences are all "Fine."."""
    sentences = [
        {"start": 6 * place, "end": 6 * place + 5, "contribution": pull} for place, pull in enumerate(pulls)
    ]
    answer = {
        "sentiment": "uncertain", "reason": "unclear", "warnings": [],
        "probability": 1 / (1 + math.exp(-bias - sum(pulls))),
        "text": " ".join(["Fine."] * len(pulls)), "sentences": sentences, "words": sentences, "bias": bias,
        "model": {"id": "m", "vocabulary": "v"}, "request_id": "r-1",
    }  # fmt: skip
    return json.dumps(answer)


@pytest.mark.parametrize(("pull", "share"), [(-0.12, 0.04), (-2.0, 0.02)])
def test_a_weak_pull_is_drawn_as_a_weak_one_even_among_weak_ones(
    page: Page, stack: Stack, pull: float, share: float
) -> None:
    answer_with(page, stack, status=200, content_type="application/json", body=scored(0.04, pull))
    ask(page, "Fine.")
    expect_state(page, "answer")
    drawn = page.locator("#bias").evaluate("row => row.style.getPropertyValue('--share')")
    assert float(drawn) == pytest.approx(share)


def test_the_number_of_a_pull_stays_on_one_line(page: Page) -> None:
    ask(page, GOOD)
    expect_state(page, "answer")
    style = "mark => getComputedStyle(mark, '::after').whiteSpace"
    assert page.locator("#text mark.pull").first.evaluate(style) == "nowrap"
    rows = page.locator(".row-number")
    assert rows.first.evaluate("number => getComputedStyle(number).whiteSpace") == "nowrap"


def test_the_box_is_five_lines_tall_at_first(page: Page) -> None:
    lines = (
        "box => { const style = getComputedStyle(box);"
        " const inner = box.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);"
        " return inner / parseFloat(style.lineHeight); }"
    )
    assert page.locator("#review").evaluate(lines) == pytest.approx(5, abs=0.1)


def test_everything_works_by_keyboard(page: Page) -> None:
    page.locator("#review").focus()
    page.keyboard.type(GOOD)
    page.keyboard.press("Control+Enter")
    expect_state(page, "answer")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.row')"):
            break
    assert page.evaluate("document.activeElement.matches('button.row')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_an_empty_box_is_an_error_that_leads_to_the_text_and_not_a_verdict(page: Page) -> None:
    page.locator("#send").click()
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "empty")
    assert page.locator("#verdict").count() == 0
    expect(page.locator("#retry")).to_be_hidden()
    page.locator("#edit").click()
    expect(page.locator("#review")).to_be_focused()


def test_fifty_thousand_characters_are_read_and_one_more_is_refused(page: Page) -> None:
    longest = ("It was a good film. " * 2500)[:50_000]
    ask(page, longest)
    expect_state(page, "answer")
    ask(page, longest + "!")
    expect_state(page, "error")
    assert page.locator("#verdict").count() == 0
    assert page.locator("#review").input_value() == longest + "!"


@pytest.mark.parametrize(
    "body",
    [
        '{"message": "Internal server error"}',
        '{"sentiment": "positive", "probability": NaN}',
        '{"sentiment": "positive"}',
        '{"sentiment": "splendid", "probability": 0.9, "bias": 0, "warnings": []}',
        "1.0",
        "null",
        "<html>Bad gateway</html>",
        "",
    ],
)
def test_an_answer_in_another_form_is_an_error(page: Page, stack: Stack, body: str) -> None:
    answer_with(page, stack, status=200, content_type="application/json", body=body)
    ask(page, GOOD)
    expect_state(page, "error")
    assert page.locator("#verdict").count() == 0


def test_an_api_that_does_not_answer_is_named_and_retry_works(page: Page, stack: Stack) -> None:
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    ask(page, GOOD)
    expect_state(page, "error")
    expect(page.locator("#error")).to_have_attribute("data-code", "unreachable")
    expect(page.locator("#error")).to_contain_text(stack.api)
    page.unroute(f"{stack.api}/**")
    page.locator("#retry").click()
    expect_state(page, "answer")


def test_an_app_that_is_killed_meanwhile_leaves_an_error_and_the_text(browser: Browser) -> None:
    own = Stack()
    try:
        own.wait_for("Verdict is ready")
        visit = browser.new_page()
        visit.goto(own.page)
        ask(visit, GOOD)
        expect_state(visit, "answer")
        os.kill(own.pid_of("endpoint"), signal.SIGKILL)
        own.process.wait(20)
        ask(visit, BAD)
        expect_state(visit, "error")
        expect(visit.locator("#error")).to_have_attribute("data-code", "unreachable")
        assert visit.locator("#review").input_value() == BAD
        visit.close()
    finally:
        own.stop()


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
def test_nothing_overflows_from_narrow_to_wide(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    ask(page, GOOD + " " + BAD + " " + "Un" + "believ" * 30 + "able. https://film.example/" + "g" * 90)
    expect_state(page, "answer")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_loads_nothing_from_elsewhere(browser: Browser, stack: Stack) -> None:
    context = browser.new_context()
    visit = context.new_page()
    asked: list[str] = []
    visit.on("request", lambda request: asked.append(request.url))
    visit.goto(stack.page)
    ask(visit, GOOD)
    expect_state(visit, "answer")
    context.close()
    assert {re.match(r"https?://[^/]+", url).group() for url in asked} == {  # type: ignore[union-attr]
        stack.page.rstrip("/"),
        stack.api,
    }


def test_the_csp_allows_no_inline_script_and_only_the_api(stack: Stack) -> None:
    policy = httpx.get(stack.page).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert f"connect-src 'self' {stack.api}" in policy


@pytest.mark.parametrize("path", ["serve.py", "../run.py", "%2e%2e/run.py", "..%2frun.py", ".", "no.html"])
def test_only_the_page_s_own_files_are_served(stack: Stack, path: str) -> None:
    with httpx.Client(base_url=stack.page) as client:
        response = client.get(f"/{path}")
    assert "def " not in response.text
    assert response.status_code in (200, 404) and (path == "." or response.status_code == 404)
