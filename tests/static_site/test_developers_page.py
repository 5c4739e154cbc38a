"""The page for developers: the API's own description, drawn; its programs, and requests sent from it."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.static_site.conftest import Visit
from tests.support.accessibility import violations
from tests.support.stack import Stack

SECONDS = 10_000  # Playwright counts in milliseconds
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def document(stack: Stack) -> dict[str, Any]:
    return httpx.get(f"{stack.api}/v1/openapi.json").json()


@pytest.fixture
def page(visit: Visit) -> Page:
    page = visit("developers.html")
    expect_state(page, "told")
    return page


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)


def shown(visit: Visit, stack: Stack, document: Any) -> Page:
    """Open the page with a description of ours."""
    page = visit("index.html")

    def fulfil(route: Route) -> None:
        route.fulfill(json=document, headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"{stack.api}/v1/openapi.json", fulfil)
    page.goto(f"{stack.page}developers.html")
    expect_state(page, "told")
    return page


def open_attempt(page: Page, operation: str) -> None:
    page.locator(f"#{operation} summary", has_text="Try it").click()


def send(page: Page, operation: str) -> tuple[str, str]:
    """Press Send; return the status line and the raw answer."""
    page.locator(f"#{operation} .attempt .button").click()
    raw = page.locator(f"#{operation} .got pre").first
    raw.wait_for()
    return page.locator(f"#{operation} .got-status").inner_text(), raw.text_content() or ""


def choose(page: Page, operation: str, language: str) -> str:
    """Choose a language and return the program."""
    page.locator(f"#{operation} .language", has_text=language).first.click()
    return page.locator(f"#{operation} .snippet code").first.text_content() or ""


def test_every_route_field_and_error_of_the_document_is_shown(page: Page, document: dict[str, Any]) -> None:
    routes = {f"{method.upper()} {path}" for path, node in document["paths"].items() for method in node}
    assert routes <= set(page.locator(".contents a").all_text_contents())
    for name, schema in document["components"]["schemas"].items():
        expect(page.locator(f"#message-{name}")).to_have_text(name)
        fields = page.locator(f"#message-{name} ~ .wide").first.locator("tbody th code").all_text_contents()
        assert set(schema.get("properties", {})) <= set(fields) or "properties" not in schema
    statuses = {
        status
        for node in document["paths"].values()
        for operation in node.values()
        for status in operation["responses"]
        if status >= "400"
    }
    assert set(page.locator("#errors tbody th").all_text_contents()) == statuses
    codes = document["components"]["schemas"]["Code"]["enum"]
    assert page.locator(".codes code").all_text_contents() == codes


def test_a_route_that_is_added_later_appears_by_itself(
    visit: Visit, stack: Stack, document: dict[str, Any]
) -> None:
    later = {
        **document,
        "paths": {
            **document["paths"],
            "/v1/later/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "schema": {"type": "string"}, "example": "a/b"}
                ],
                "put": {
                    "summary": "Something later",
                    "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer", "maximum": 7}}],
                    "requestBody": {"content": {"application/json": {"schema": NEW}}},
                    "responses": {"204": {"description": "Done"}},
                },
            },
        },
        "components": {
            "schemas": {
                "New": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
            }
        },
    }  # fmt: skip
    page = shown(visit, stack, later)
    part = page.locator("#put-v1-later-id")
    expect(part.locator(".part-title")).to_have_text("Something later")
    expect(part).to_contain_text("7 or less")
    expect(part.locator(".snippet code").first).to_contain_text("curl -sS -X PUT")
    expect(part.locator(".snippet code").first).to_contain_text(f"{stack.api}/v1/later/a%2Fb")
    expect(part.locator(".snippet code").first).to_contain_text('{"name": ""}')


NEW = {"$ref": "#/components/schemas/New"}
SCHEMAS = "#/components/schemas/"
CYCLE = {"$ref": f"{SCHEMAS}Node"}
HOSTILE: list[Any] = [
    {},
    {"paths": None, "components": []},
    {"paths": {"/a": None, "/b": {"get": None}, "/c": {"get": []}, "/d": "x"}},
    {
        "paths": {"/a": {"get": {"parameters": [CYCLE], "requestBody": CYCLE, "responses": {"200": CYCLE}}}},
        "components": {"schemas": {"Node": CYCLE, "Self": {"properties": {"self": {"items": CYCLE}}}}},
    },
    {"components": {"schemas": {"Node": {"properties": {"next": CYCLE, "all": {"items": CYCLE}}}}}},
    {"components": {"schemas": {"A": {"$ref": "#/nowhere"}, "B": {"$ref": "http://x/"}, "C": {"$ref": 7}}}},
    {"info": {"title": "<img src=x onerror=alert(1)>", "summary": "<b>x</b>" * 1000, "description": ["x"]}},
    {"paths": {"/<img src=x>": {"post": {"summary": "\u202ex", "responses": {"<b>": {"description": 1}}}}}},
    {"paths": {"/" + "x" * 3000: {"get": {"description": "y" * 9000, "responses": {}}}}},
    {"components": {"schemas": {"x" * 500: {"enum": ["z" * 5000] * 50, "type": ["string", 4, None]}}}},
]  # fmt: skip


@pytest.mark.parametrize("document", HOSTILE)
def test_a_strange_description_never_breaks_the_page(visit: Visit, stack: Stack, document: Any) -> None:
    page = shown(visit, stack, document)
    said = page.locator("main").inner_text()
    assert not any(word in said for word in ("undefined", "NaN", "[object", "\u202e"))
    assert page.locator("main img, main b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_an_example_is_sent_and_the_raw_answer_shown_with_status_time_and_headers(page: Page) -> None:
    open_attempt(page, "post-v1-sentiment")
    status, raw = send(page, "post-v1-sentiment")
    assert status.startswith("200 OK after ") and status.endswith(" bytes")
    answer = json.loads(raw)
    assert answer["text"] == "Not good at all. The music was lovely."
    expect(page.locator("#post-v1-sentiment .got")).to_contain_text(f"x-request-id: {answer['request_id']}")


@pytest.mark.parametrize("operation", ["get-v1-health", "get-v1-model", "get-v1-openapi-json"])
def test_a_get_route_is_tried_by_one_press(page: Page, operation: str) -> None:
    open_attempt(page, operation)
    status, raw = send(page, operation)
    assert status.startswith("200 OK")
    assert isinstance(json.loads(raw), dict)


def test_every_example_of_the_document_can_be_sent(page: Page) -> None:
    for operation in ("post-v1-sentiment", "post-v1-sentiment-batch"):
        open_attempt(page, operation)
        select = page.locator(f"#{operation}-example")
        for number in range(select.locator("option").count()):
            select.select_option(index=number)
            status, _ = send(page, operation)
            assert status.startswith("200 OK"), select.locator("option").nth(number).inner_text()
            page.locator(f"#{operation} .got").evaluate("node => node.replaceChildren()")


def test_what_is_written_into_the_form_is_in_the_program_at_once(page: Page) -> None:
    open_attempt(page, "post-v1-sentiment")
    page.locator("#post-v1-sentiment-body").fill('{"review": "Mine, it\'s \\"new\\"."}')
    assert '{"review": "Mine, it\'s \\"new\\"."}' in choose(page, "post-v1-sentiment", "curl")
    page.locator("#post-v1-sentiment-body").fill("no json")
    assert "--data-raw 'no json'" in choose(page, "post-v1-sentiment", "curl")
    status, raw = send(page, "post-v1-sentiment")
    assert status.startswith("400")
    assert json.loads(raw)["code"] == "malformed_json"


def test_a_language_is_chosen_for_all_programs_at_once(page: Page) -> None:
    assert "urlopen" in choose(page, "post-v1-sentiment", "Python")
    assert "urlopen" in (page.locator("#get-v1-model .snippet code").first.text_content() or "")
    assert "new Verdict(" in choose(page, "get-v1-model", "api.js")
    # Where our module has no method for a route, JavaScript stands there.
    assert "await fetch(" in (page.locator("#get-v1-health .snippet code").first.text_content() or "")
    expect(page.locator("#get-v1-health input[value=javascript]")).to_be_checked()


def test_a_key_goes_out_with_the_try_and_is_not_shown(page: Page, stack: Stack) -> None:
    page.locator("#key input").fill("secret-key-1")
    expect(page.locator("#post-v1-sentiment .snippet code").first).to_contain_text("X-Api-Key: YOUR-KEY")
    expect(page.locator("#get-v1-health .snippet code").first).not_to_contain_text("YOUR-KEY")
    open_attempt(page, "post-v1-sentiment")
    with page.expect_request(lambda one: one.url.endswith("/v1/sentiment") and one.method == "POST") as sent:
        send(page, "post-v1-sentiment")
    assert sent.value.headers["x-api-key"] == "secret-key-1"
    assert "secret-key-1" not in page.locator("main").inner_text()
    assert "secret" not in page.evaluate("JSON.stringify(localStorage)")


def test_an_api_that_went_away_is_said_and_no_answer_shown(page: Page, stack: Stack) -> None:
    page.route(f"{stack.api}/**", lambda route: route.abort("connectionrefused"))
    open_attempt(page, "get-v1-health")
    page.locator("#get-v1-health .attempt .button").click()
    expect(page.locator("#get-v1-health .got-status")).to_contain_text("can\u2019t be reached")
    expect(page.locator("#get-v1-health .got pre")).to_have_count(0)


def test_a_program_is_copied(visit: Visit) -> None:
    page = visit("developers.html", permissions=["clipboard-read", "clipboard-write"])
    expect_state(page, "told")
    copy = page.locator("#post-v1-sentiment .snippet-head button").first
    copy.click()
    expect(copy).to_have_text("Copied")
    code = page.locator("#post-v1-sentiment .snippet code").first.text_content()
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_where_there_is_no_clipboard_the_program_is_marked(page: Page) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    copy = page.locator("#post-v1-sentiment .snippet-head button").first
    copy.click()
    expect(copy).to_have_text("Selected: copy it now")
    code = page.locator("#post-v1-sentiment .snippet code").first.text_content() or ""
    assert page.evaluate("getSelection().toString()").strip() == code.strip()


def test_all_of_it_works_by_keyboard(page: Page) -> None:
    page.locator("#post-v1-sentiment summary", has_text="Try it").focus()
    page.keyboard.press("Enter")
    page.locator("#post-v1-sentiment input[value=curl]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#post-v1-sentiment .snippet code").first).to_contain_text("urlopen")
    page.locator("#post-v1-sentiment .attempt .button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#post-v1-sentiment .got-status")).to_contain_text("200 OK")


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_any_state(visit: Visit, stack: Stack, theme: str) -> None:
    page = visit("developers.html", color_scheme=theme, reduced_motion="reduce")
    expect_state(page, "told")
    assert violations(page) == []
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    send(page, "post-v1-sentiment")
    assert violations(page) == []
    page.route(f"{stack.api}/v1/openapi.json", lambda route: route.abort("connectionrefused"))
    page.reload()
    expect_state(page, "error")
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 2560])
def test_nothing_overflows_from_narrow_to_wide(visit: Visit, width: int) -> None:
    page = visit("developers.html", viewport={"width": width, "height": 900})
    expect_state(page, "told")
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    send(page, "post-v1-sentiment")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_error_of_the_api_can_be_tried_again(visit: Visit, stack: Stack) -> None:
    page = visit("index.html")
    page.route(f"{stack.api}/v1/openapi.json", lambda route: route.abort("connectionrefused"))
    page.goto(f"{stack.page}developers.html")
    expect_state(page, "error")
    page.unroute(f"{stack.api}/v1/openapi.json")
    page.locator("#retry").click()
    expect_state(page, "told")
