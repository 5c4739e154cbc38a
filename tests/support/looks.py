"""Pictures of each state of each page, at three widths and in two themes, and how far two pictures differ.

The answers are a made-up model's, so only the page changes a picture. `make picture` takes them anew.
"""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, Request, Response, ViewportSize, expect

from static_site.serve import PageServer
from tests.support.made_up import MadeUpApi

PICTURES = Path(__file__).parents[1] / "static_site" / "pictures"
FONTS = PICTURES / "fonts.json"
# Widths of a laptop, a tablet and a small phone; a picture ends at this height, in pixels.
HEIGHTS = {1280: 1800, 768: 2000, 320: 2400}
THEMES = ("light", "dark")
# A picture is kept at a quarter of its size, and a colour's distance up to this does not count.
SCALE = 4
SAME_COLOUR = 40
# Another version of the browser smooths letters in another way.
MOST_DIFFERENT = 0.005
# Milliseconds without a change, after which a page without open requests is taken to be ready.
MOMENT = 150
SECONDS = 10_000  # Playwright counts in milliseconds
# The page takes both for loopback's, and no request reaches them.
API, BESIDE = "http://127.0.0.1:8000", "http://127.0.0.1:8001"

MIXED = (
    "The photography is gorgeous and the music gave me chills. Sadly the story goes nowhere, and the dialogue"
    " is painful. I loved the first hour and was bored through the second."
)
BAD = (
    "What a waste of an evening. The plot is thin, the jokes fall flat, and nobody in it is worth caring"
    " about."
)
FOREIGN = "Un film magnifique et touchant. Les acteurs sont formidables et la musique est superbe."
LABELLED = [
    (MIXED, "positive"),
    (BAD, "negative"),
    ("A lovely, witty film.", "positive"),
    ("It is not fine.", "positive"),
]
ROWS = "id,review,label\n" + "".join(
    f'{number},"{text} Number {number}.",{label}\n' for number, (text, label) in enumerate(LABELLED * 5)
)

MEASURE = """() => {
  const widths = {};
  for (const role of ["display", "serif", "sans", "mono"]) {
    const span = document.createElement("span");
    span.style.cssText = `position: absolute; font: 40px var(--${role}); white-space: nowrap`;
    span.textContent = "Hamburgefonstiv 0123456789";
    document.body.append(span);
    widths[role] = Math.round(span.getBoundingClientRect().width);
    span.remove();
  }
  return widths;
}"""


# Resolves after so many milliseconds without a change, or after five seconds of changes.
SETTLE = """(moment) => new Promise((resolve) => {
  const end = () => document.fonts.ready.then(() => resolve(null));
  let timer = setTimeout(end, moment);
  const observer = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(end, moment);
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setTimeout(end, 5000);
})"""


class Look(NamedTuple):
    """A width and a theme, with a page that is open in them."""

    width: int
    theme: str
    page: Page
    site: str
    api: MadeUpApi
    loading: set[Request]

    def open(self, path: str, mode: str = "answer") -> None:
        self.api.end_waiting()
        self.api.mode = mode
        # Typed text and settings of the state before are gone.
        self.page.goto("about:blank")
        self.page.goto(self.site + path)
        expect(self.page.locator("main#page")).to_be_visible()

    def ask(self, review: str) -> None:
        """Have a review judged, as a reader does."""
        self.open("index.html")
        send(self.page, review)
        self.expect_state("answer")

    def ask_in_vain(self, mode: str, state: str) -> None:
        """Send a review that gets no answer: it waits, or is refused."""
        self.open("index.html", mode)
        self.page.locator("#review").fill(BAD)
        self.page.locator("#send").click()
        self.expect_state(state)

    def expect_state(self, state: str) -> None:
        expect(self.page.locator("main#page")).to_have_attribute("data-state", state, timeout=SECONDS)

    def picture(self) -> Image.Image:
        """Return a picture of what the page shows now."""
        # The review page loads its last parts when somebody moves.
        self.page.mouse.move(1, 1)
        self.page.mouse.move(0, 0)
        settle(self.page, MOMENT)
        while self.loading - self.api.waiting():
            settle(self.page, MOMENT)
        self.page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        height = min(self.page.evaluate("document.documentElement.scrollHeight"), HEIGHTS[self.width])
        clip = {"x": 0, "y": 0, "width": self.width, "height": height}
        data = self.page.screenshot(full_page=True, clip=clip, animations="disabled")  # type: ignore[arg-type]
        return Image.open(io.BytesIO(data)).convert("RGB")


def send(page: Page, review: str) -> None:
    """Type a review, press the button, and wait for the answer to this review."""

    def answers(response: Response) -> bool:
        message = json.loads(response.request.post_data or "{}")
        return "/v1/sentiment" in response.url and message.get("review") == review

    page.locator("#review").fill(review)
    with page.expect_response(answers):
        page.locator("#send").click()


def settle(page: Page, moment: int = 600) -> None:
    """Wait until fonts are there, and nothing in the page has changed for a moment, in milliseconds."""
    page.evaluate(SETTLE, moment)


def _review_empty(look: Look) -> None:
    look.open("index.html")
    look.expect_state("answer")


def _review_loading(look: Look) -> None:
    look.ask_in_vain("wait", "loading")


def _review_answer(look: Look) -> None:
    look.ask(BAD)


def _review_uncertain(look: Look) -> None:
    look.ask("The music is lovely and the ending is weak.")


def _review_short(look: Look) -> None:
    look.ask("Not great.")


def _review_foreign(look: Look) -> None:
    look.ask(FOREIGN)


def _review_changed(look: Look) -> None:
    look.ask(MIXED)
    look.page.mouse.move(1, 1)
    look.page.locator("#play .mind button:not([hidden])").first.click()
    expect(look.page.locator("#play .mind")).not_to_have_attribute("aria-busy", "true", timeout=SECONDS)
    expect(look.page.locator("#play .mind [role=status]")).to_contain_text("it turns", timeout=SECONDS)


def _review_error(look: Look) -> None:
    look.ask_in_vain("refuse", "error")


def _file_empty(look: Look) -> None:
    look.open("file.html")


def _file_results(look: Look) -> None:
    look.open("file.html")
    payload = FilePayload(name="reviews.csv", mimeType="text/csv", buffer=ROWS.encode())
    look.page.locator("#file").set_input_files(payload)
    look.page.locator("#send").click()
    expect(look.page.locator("main#page")).to_have_attribute("data-phase", "done", timeout=SECONDS)
    expect(look.page.locator("#report-status")).to_be_hidden(timeout=SECONDS)


def _model(look: Look) -> None:
    look.open("model.html")
    look.expect_state("told")


def _label_empty(look: Look) -> None:
    look.open("label.html")


def _label_card(look: Look) -> None:
    look.open("label.html")
    rows = "text,label\n" + "".join(f'"{text}",\n' for text in (MIXED, BAD, "A lovely film."))
    payload = FilePayload(name="texts.csv", mimeType="text/csv", buffer=rows.encode())
    look.page.locator("#file").set_input_files(payload)
    expect(look.page.locator("#text")).to_contain_text("gorgeous")


def _compare(look: Look) -> None:
    look.open("compare.html")
    look.page.locator("#review").fill(MIXED)
    look.page.locator("#send").click()
    look.expect_state("told")


def _developers(look: Look) -> None:
    look.open("developers.html")
    look.expect_state("told")


STATES: dict[str, Callable[[Look], None]] = {
    function.__name__[1:].replace("_", "-"): function
    for function in (
        _review_empty,
        _review_loading,
        _review_answer,
        _review_uncertain,
        _review_short,
        _review_foreign,
        _review_changed,
        _review_error,
        _file_empty,
        _file_results,
        _model,
        _label_empty,
        _label_card,
        _compare,
        _developers,
    )
}


@contextmanager
def served() -> Iterator[str]:
    """Serve the site in this process, and yield its address."""
    server = PageServer("127.0.0.1", 0, API, BESIDE)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def opened(browser: Browser, site: str, width: int, theme: str) -> Iterator[Look]:
    """Open a page in a width and a theme. The made-up API answers all that goes elsewhere."""
    size: ViewportSize = {"width": width, "height": 900 if width > 400 else 640}
    context = browser.new_context(
        viewport=size,
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=width < 1000,
        device_scale_factor=1,
    )
    api, other = MadeUpApi(), MadeUpApi("verdict-ba9876543210", bias=1.5)
    context.route(lambda url: not url.startswith(site), api.fulfil)
    context.route(lambda url: url.startswith(BESIDE), other.fulfil)
    page, loading = context.new_page(), set[Request]()
    page.on("request", lambda request: loading.add(request))
    page.on("requestfinished", lambda request: loading.discard(request))
    page.on("requestfailed", lambda request: loading.discard(request))
    try:
        yield Look(width, theme, page, site, api, loading)
    finally:
        context.close()


def path_of(state: str, width: int, theme: str) -> Path:
    return PICTURES / f"{state}-{width}-{theme}.webp"


def read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def small(picture: Image.Image) -> Image.Image:
    """Return a picture at the size in which it is kept."""
    width, height = picture.size
    return picture.resize((width // SCALE, max(1, height // SCALE)), Image.Resampling.BOX)


def kept(picture: Image.Image) -> bytes:
    """Return a small picture as the bytes of its file."""
    out = io.BytesIO()
    small(picture).save(out, "WEBP", quality=75, method=6)
    return out.getvalue()


def as_kept(picture: Image.Image) -> Image.Image:
    """Return a picture as its file would show it, so that what the file loses is no difference."""
    return Image.open(io.BytesIO(kept(picture))).convert("RGB")


def difference(expected: Image.Image, got: Image.Image) -> tuple[float, Image.Image]:
    """Return the share of pixels whose colour differs, and a picture with these in red."""
    size = (max(expected.width, got.width), max(expected.height, got.height))
    first, second = (np.asarray(_padded(one, size), dtype=np.int16) for one in (expected, got))
    differs = np.abs(first - second).max(axis=2) > SAME_COLOUR
    shown = (second // 3 + 160).astype(np.uint8)
    shown[differs] = (220, 0, 0)
    return float(differs.mean()), Image.fromarray(shown)


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Fill a picture up in a colour that no page has."""
    out = Image.new("RGB", size, (255, 0, 255))
    out.paste(picture)
    return out


def side_by_side(*pictures: Image.Image) -> Image.Image:
    """Join pictures with a gap, at twice their size."""
    gap = 8
    width = sum(one.width for one in pictures) + gap * (len(pictures) - 1)
    out = Image.new("RGB", (width, max(one.height for one in pictures)), (128, 128, 128))
    at = 0
    for one in pictures:
        out.paste(one, (at, 0))
        at += one.width + gap
    return out.resize((out.width * 2, out.height * 2))


def renew(browser: Browser) -> None:
    """Write all pictures anew. A picture that looks as before stays as it is."""
    PICTURES.mkdir(exist_ok=True)
    wanted = {FONTS}
    with served() as site:
        for width in HEIGHTS:
            for theme in THEMES:
                with opened(browser, site, width, theme) as look:
                    wanted |= {_renew(look, state) for state in STATES}
                    FONTS.write_text(json.dumps(fonts_of(look)) + "\n", encoding="utf-8")
    for path in set(PICTURES.iterdir()) - wanted:
        path.unlink()


def _renew(look: Look, state: str) -> Path:
    STATES[state](look)
    picture = look.picture()
    path = path_of(state, look.width, look.theme)
    if not path.is_file() or difference(read(path), as_kept(picture))[0] > MOST_DIFFERENT / 10:
        path.write_bytes(kept(picture))
    return path


def fonts_of(look: Look) -> dict[str, int]:
    """Return how wide this machine's fonts set a line, by their roles."""
    look.open("label.html")
    look.page.evaluate("document.fonts.ready.then(() => null)")
    return dict(look.page.evaluate(MEASURE))
