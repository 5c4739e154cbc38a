"""The pages behind the pictures, and the design's page: files, classes and variables that they name exist."""

import re

import pytest

from tools.take_picture import DOCS, PICTURES, SITE

PAGES = ("social.html", "icon.html", "design.html")


def linked(page: str) -> list[str]:
    text = (PICTURES / page).read_text(encoding="utf-8")
    return re.findall(r'(?:src|href)="([^"#]+)"', text)


@pytest.mark.parametrize("page", PAGES)
def test_each_linked_file_exists(page: str) -> None:
    assert linked(page)
    for target in linked(page):
        assert (PICTURES / target).is_file(), target


@pytest.mark.parametrize("page", ["social.html", "design.html"])
@pytest.mark.parametrize("selector", [".glow", '.glow[data-sign="minus"]', "@font-face", "body"])
def test_a_picture_has_the_site_s_styles(page: str, selector: str) -> None:
    styles = [(PICTURES / path).read_text(encoding="utf-8") for path in linked(page) if "site" in path]
    assert any(re.search(rf"^{re.escape(selector)} \{{", style, re.MULTILINE) for style in styles)


def test_each_class_of_the_design_s_board_has_a_style() -> None:
    text = (PICTURES / "design.html").read_text(encoding="utf-8")
    named = {name for names in re.findall(r'class="([^"]+)"', text) for name in names.split()}
    styles = "".join((PICTURES / path).read_text(encoding="utf-8") for path in linked("design.html"))
    assert {name for name in named if not re.search(rf"\.{re.escape(name)}\b", styles)} == set()


def test_each_variable_of_the_design_s_page_is_in_the_style_sheet() -> None:
    design = (DOCS / "design-page.md").read_text(encoding="utf-8")
    style = (SITE / "shared/style.css").read_text(encoding="utf-8")
    named = set(re.findall(r"`(--[a-z0-9-]+)`", design)) - {"--at", "--publish"}
    assert len(named) > 20
    assert {name for name in named if not re.search(rf"^\s+{name}: ", style, re.MULTILINE)} == set()


def test_each_class_of_the_design_s_page_is_in_a_style_sheet() -> None:
    design = (DOCS / "design-page.md").read_text(encoding="utf-8")
    styles = "".join(path.read_text(encoding="utf-8") for path in (SITE / "shared").glob("*.css"))
    named = set(re.findall(r"`\.([a-z-]+)`", design))
    assert len(named) > 10
    assert {name for name in named if not re.search(rf"\.{name}\b", styles)} == set()
