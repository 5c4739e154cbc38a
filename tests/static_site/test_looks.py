"""The visual test: each state of each page looks as in its picture, at three widths and in two themes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from tests.support import looks
from tests.support.looks import HEIGHTS, MOST_DIFFERENT, STATES, THEMES, Look

MOST_BYTES = 1_500_000
LOOKS = [(width, theme) for width in HEIGHTS for theme in THEMES]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with looks.served() as address:
        yield address


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Look]:
    with looks.opened(browser, site, *request.param) as opened:
        fonts = looks.fonts_of(opened)
        if fonts != json.loads(looks.FONTS.read_text(encoding="utf-8")):
            pytest.skip(f"this machine has other fonts than the pictures: {fonts}")
        yield opened


@pytest.mark.parametrize("state", STATES)
def test_a_state_looks_as_in_its_picture(look: Look, state: str, tmp_path: Path) -> None:
    STATES[state](look)
    picture = look.picture()
    path = looks.path_of(state, look.width, look.theme)
    expected = looks.read(path)
    got = looks.as_kept(picture)
    share, shown = looks.difference(expected, got)
    if share > MOST_DIFFERENT:
        looks.side_by_side(expected, got, shown).save(tmp_path / f"{path.stem}.png")
        picture.save(tmp_path / f"{path.stem}-got.png")
        pytest.fail(
            f"{share:.1%} of {path.stem} differs. {tmp_path} shows what was expected, what came, and the"
            " difference. If the change is meant, run make picture."
        )


def test_there_is_one_picture_of_each_state_and_they_are_small() -> None:
    wanted = {looks.path_of(state, *look) for state in STATES for look in LOOKS}
    found = set(looks.PICTURES.iterdir())
    assert {path.name for path in found - {looks.FONTS}} == {path.name for path in wanted}
    assert sum(path.stat().st_size for path in found) <= MOST_BYTES


def test_two_themes_of_a_state_are_never_taken_for_each_other() -> None:
    for state in STATES:
        light, dark = (looks.read(looks.path_of(state, 320, theme)) for theme in THEMES)
        assert looks.difference(light, dark)[0] > MOST_DIFFERENT, state


def page_of(*boxes: tuple[int, int, int, int]) -> Image.Image:
    picture = Image.new("RGB", (320, 800), "white")
    for box in boxes:
        ImageDraw.Draw(picture).rectangle(box, fill="black")
    return picture


@pytest.mark.parametrize(
    ("got", "differs"),
    [
        (page_of((20, 20, 200, 40), (20, 100, 120, 140)), False),
        (page_of((20, 20, 200, 40)), True),
        (page_of((20, 20, 200, 40), (60, 100, 160, 140)), True),
        (page_of((20, 20, 200, 40), (20, 100, 120, 140)).crop((0, 0, 320, 760)), True),
    ],
    ids=["the same", "a part is missing", "a part has moved", "the page is shorter"],
)
def test_a_change_of_a_part_is_a_difference(got: Image.Image, differs: bool) -> None:
    expected = looks.small(page_of((20, 20, 200, 40), (20, 100, 120, 140)))
    share, shown = looks.difference(expected, looks.small(got))
    assert (share > MOST_DIFFERENT) == differs
    assert ((220, 0, 0) in set(shown.get_flattened_data())) == differs
