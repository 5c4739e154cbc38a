"""What the site is made of: vendored files are what their package holds, and the first visit is light."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from static_site import serve
from tests.static_site.conftest import Visit
from tests.support.stack import Stack

SITE = serve.FOLDER
VENDOR = SITE / "vendor"
ENTRIES = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
PAGES = sorted(path.name for path in SITE.glob("*.html"))
# All that a first visit loads before anybody touches the page, the font left out, gzipped, in bytes.
MAX_BYTES = 60_000
MAX_FONT_BYTES = 12_000
# The review page opens on an answer, so it loads an answer's modules too.
MAX_REQUESTS = {"index.html": 60}
MAX_OTHER_REQUESTS = 40


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_vendored_file_is_the_one_of_its_package(entry: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", entry["version"])
    assert entry["licence"] and (VENDOR / entry["licence_file"]).read_text(encoding="utf-8").strip()


def test_every_vendored_file_is_listed() -> None:
    listed = {entry[key] for entry in ENTRIES for key in ("file", "licence_file")} | {"vendor.json"}
    assert {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()} == listed


@pytest.mark.parametrize("name", PAGES)
def test_the_first_visit_is_light(visit: Visit, stack: Stack, name: str) -> None:
    loaded: dict[str, bytes] = {}
    page = visit("index.html")  # so that the context exists; its own files are counted by a fresh visit
    page.on("response", lambda response: loaded.update({response.url: response.body()}))
    page.goto(f"{stack.page}{name}?fresh")
    expect(page.locator("main#page")).to_be_visible()
    page.wait_for_load_state("networkidle")
    own = {url: body for url, body in loaded.items() if url.startswith(stack.page)}
    sizes = {url: min(len(body), len(gzip.compress(body))) for url, body in own.items()}
    fonts = sum(size for url, size in sizes.items() if url.endswith(".woff2"))
    assert 0 < fonts <= MAX_FONT_BYTES
    assert sum(sizes.values()) - fonts <= MAX_BYTES, sizes
    assert len(loaded) <= MAX_REQUESTS.get(name, MAX_OTHER_REQUESTS)
    assert any("shared/style.css" in url for url in own)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_inline_script_or_style(name: str) -> None:
    html = (SITE / name).read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
    assert '<html lang="en">' in html and '<meta name="viewport"' in html


def imports(path: Path) -> tuple[set[Path], set[Path]]:
    """The modules that a module needs at once, and those that it loads when it uses them."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    at_once = re.findall(r"""^(?:import|export)\b[^;"]*["'](\.{1,2}/[^"']+)["'];""", text, re.MULTILINE)
    later = re.findall(r"""import\(["'](\.{1,2}/[^"']+)["']\)""", text)
    return {(path.parent / name).resolve() for name in at_once}, {
        (path.parent / name).resolve() for name in later
    }


def test_modules_name_only_files_that_are_there() -> None:
    modules = [path for path in SITE.rglob("*.js") if VENDOR not in path.parents]
    for path in modules:
        at_once, later = imports(path)
        assert all(found.is_file() for found in at_once | later), path.name
    assert any(imports(path)[1] for path in modules)


def needed_at_once(start: Path) -> set[Path]:
    """A module and all that it imports, however far."""
    needed, waiting = set(), {start}
    while waiting:
        path = waiting.pop()
        needed.add(path)
        waiting |= imports(path)[0] - needed
    return needed


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = [path for path in SITE.rglob("*.js") if VENDOR not in path.parents]
    needs = {path: set[Path]().union(*imports(path)) for path in modules}
    while free := {path for path, needed in needs.items() if not needed & needs.keys()}:
        needs = {path: needed for path, needed in needs.items() if path not in free}
    assert sorted(path.relative_to(SITE).as_posix() for path in needs) == []


def test_shared_modules_import_none_of_a_page() -> None:
    for folder, allowed in {"shared": {"shared", "."}, "rows": {"rows", "shared", "vendor", "."}}.items():
        for path in (SITE / folder).rglob("*.js"):
            needed = set[Path]().union(*imports(path))
            folders = {found.relative_to(SITE).parts[0] if found.parent != SITE else "." for found in needed}
            assert folders <= allowed, path.name


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_every_module_that_it_needs_at_once(name: str) -> None:
    html = (SITE / name).read_text(encoding="utf-8")
    start = re.search(r'<script type="module" src="([^"]+)">', html)
    assert start
    named = re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)
    needed = needed_at_once(SITE / start.group(1))
    if name == "index.html":
        # Loaded beside the first request, which the page sends by itself.
        needed |= needed_at_once(SITE / "review/outcome.js")
    assert sorted(named) == sorted(path.relative_to(SITE).as_posix() for path in needed)


def test_limits_and_reasons_that_the_page_repeats_are_the_app_s_own() -> None:
    from vocab import messages, text

    api, page = ((SITE / name).read_text(encoding="utf-8") for name in ("api.js", "review/page.js"))
    assert f"MAX_REVIEW_CHARACTERS = {messages.MAX_REVIEW_CHARACTERS:_};" in api
    assert f"MAX_BATCH_REVIEWS = {messages.MAX_ENDPOINT_REVIEWS};" in api
    assert f"MAX_BATCH_BYTES = {messages.MAX_BODY_BYTES:_};" in api
    reasons = re.search(r"^ \* @typedef \{(.*)\} Reason$", api, re.MULTILINE)
    assert reasons and set(reasons[1].split(" | ")) == {f'"{reason}"' for reason in messages.REASONS}
    assert f"MAX_TOKENS = {text.MAX_TOKENS};" in page
    assert f"READ_TOKENS = {{ head: {text.HEAD_TOKENS}, tail: {text.TAIL_TOKENS} }};" in page
