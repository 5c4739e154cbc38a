"""The pages behind the pictures: their files exist, and the site's styles cover an answer."""

import re

import pytest

from tools.take_picture import PICTURES

PAGES = ("social.html", "icon.html")


def linked(page: str) -> list[str]:
    text = (PICTURES / page).read_text(encoding="utf-8")
    return re.findall(r'(?:src|href)="([^"]+)"', text)


@pytest.mark.parametrize("page", PAGES)
def test_each_linked_file_exists(page: str) -> None:
    assert linked(page)
    for target in linked(page):
        assert (PICTURES / target).is_file(), target


@pytest.mark.parametrize("selector", [".pull", ".pull::after", "@font-face"])
def test_the_link_preview_has_the_site_s_styles_of_an_answer(selector: str) -> None:
    styles = [
        (PICTURES / path).read_text(encoding="utf-8") for path in linked("social.html") if "site" in path
    ]
    assert any(re.search(rf"^{re.escape(selector)} \{{", style, re.MULTILINE) for style in styles)
