"""What stands for the site elsewhere: its icon, its picture beside a link, its entry on a home screen."""

import json
import struct

import httpx
import pytest
from playwright.sync_api import Page

from static_site import serve
from tests.static_site.conftest import Visit
from tests.support.stack import Stack

PAGES = ("index.html", "file.html", "model.html", "compare.html", "label.html", "developers.html")
LINKS = "document.querySelectorAll('link[rel~=icon], link[rel=apple-touch-icon], link[rel=manifest]')"


def meta(page: Page, name: str) -> str:
    found = page.locator(f"meta[property='{name}'], meta[name='{name}']")
    return found.get_attribute("content") or ""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_its_icons_and_its_picture_and_they_are_there(
    visit: Visit, stack: Stack, path: str
) -> None:
    page = visit(path)
    named = page.evaluate(f"[...{LINKS}].map((link) => link.href)")
    assert len(named) == 3
    for url in [*named, stack.page + meta(page, "og:image")]:
        assert httpx.get(url).status_code == 200, url
    assert meta(page, "og:title") == page.title()
    assert meta(page, "og:description") == meta(page, "description")
    assert meta(page, "og:image:alt")


@pytest.mark.parametrize(
    ("name", "size"), [("social.png", (1200, 630)), ("apple-touch-icon.png", (180, 180))]
)
def test_a_picture_has_the_size_that_others_expect(name: str, size: tuple[int, int]) -> None:
    head = (serve.FOLDER / name).read_bytes()[:24]
    assert struct.unpack(">II", head[16:24]) == size


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((serve.FOLDER / "site.webmanifest").read_text(encoding="utf-8"))
    for name in [manifest["start_url"], *(icon["src"] for icon in manifest["icons"])]:
        assert (serve.FOLDER / name).is_file()


@pytest.mark.parametrize("name", ["favicon.svg", "mark.svg"])
def test_the_mark_needs_no_style_that_a_strict_page_would_refuse(name: str) -> None:
    drawing = (serve.FOLDER / name).read_text(encoding="utf-8")
    assert "style" not in drawing and "script" not in drawing and "href" not in drawing
