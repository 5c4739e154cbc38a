"""The page's words: they stand in files of words only, in short sentences, as an editor would write them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from static_site import serve
from tests.support.prose import words
from tests.support.script_words import FILLED, texts

SITE = serve.FOLDER
SCRIPTS = [path for path in sorted(SITE.rglob("*.js")) if "vendor" not in path.parts]
PAGES = sorted(SITE.glob("*.html"))
WORDS = [path for path in SCRIPTS if path.name.endswith("strings.js")]
# Data for the model to read.
DATA = {"examples.js", "samples.js", "cards.js", "opposites.js"}
# The client's module stands alone, so it holds the texts of its errors. The others write programs.
OWN_TEXTS = {"api.js", "shared/snippets.js", "developers/program.js"}
MOST_WORDS = 25
# As a reader found them, before an editor came.
WORST = [
    "The verdict will stand here",
    "Pin, to compare",
    "What that is worth",
    "What it read",
    "Take it with you",
    "Does its probability hold",
    "taking each row's likelier side",
    "With the words, or row",
    "Beside what you might take instead",
    "This is no text file",
    "What is asked of it",
    "P(positive)",
]
# Where the sum behind a verdict is shown.
ARITHMETIC = "arithmetic_strings.js"
JARGON = re.compile(r"\blogits?\b|\bsigmoid\b|\(bias\)", re.IGNORECASE)
# A sentence, or some words of one: "Try again", "Stopped. No verdict."
PROSE = re.compile(
    r"^[A-Z\u201c][a-z\u2019']+( [A-Za-z\u2019']+[,.:;!?\u2026]?)+$|^[A-Z].*[a-z]{2} [a-z].*[.!?\u2026]$"
)
SHOWN_ATTRIBUTES = {"aria-label", "alt", "placeholder", "title", "aria-description"}


def name_of(path: Path) -> str:
    return path.relative_to(SITE).as_posix()


OTHERS = [
    path for path in SCRIPTS if path not in WORDS and path.name not in DATA and name_of(path) not in OWN_TEXTS
]


def straight(text: str) -> str:
    return text.replace("\u2019", "'").replace("\u00a0", " ")


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?\u2026])[\"'\u201d)]*\s+|\n\n", text)


def is_prose(text: str) -> bool:
    """Return whether a reader would take a script's text for English; a name such as Column 3 is none."""
    return PROSE.search(" ".join(text.replace(FILLED, " ").split())) is not None


@pytest.mark.parametrize("path", WORDS, ids=name_of)
def test_a_sentence_has_at_most_25_words(path: Path) -> None:
    found = texts(path.read_text(encoding="utf-8"))
    long = [(line, one) for line, text in found for one in sentences(text) if words(one) > MOST_WORDS]
    assert long == []


@pytest.mark.parametrize("path", WORDS, ids=name_of)
def test_no_text_is_one_of_the_worst(path: Path) -> None:
    found = texts(path.read_text(encoding="utf-8"))
    bad = [(line, text) for line, text in found for one in WORST if one.lower() in straight(text).lower()]
    assert bad == []


@pytest.mark.parametrize("path", [path for path in WORDS if path.name != ARITHMETIC], ids=name_of)
def test_the_sum_s_own_words_stand_only_where_the_sum_is_shown(path: Path) -> None:
    bad = [(line, text) for line, text in texts(path.read_text(encoding="utf-8")) if JARGON.search(text)]
    assert bad == []


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_no_other_script_holds_words_for_a_reader(path: Path) -> None:
    found = texts(path.read_text(encoding="utf-8"))
    assert [(line, text) for line, text in found if is_prose(text)] == []


class Shown(HTMLParser):
    """Collects what a page shows without its script's words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.found += [named[name] for name in SHOWN_ATTRIBUTES & named.keys()]
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self.open.append((tag, named.get("id", "") or named.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self.open}
        names = {name for _, name in self.open}
        # Without the script there are no other words; code and the name are no English.
        if tags & {"title", "noscript", "code"} or names & {"unstarted", "nameplate"}:
            return
        if data.strip():
            self.found.append(data.strip())


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_s_structure_holds_no_words(path: Path) -> None:
    shown = Shown()
    shown.feed(path.read_text(encoding="utf-8"))
    assert [text for text in shown.found if re.search(r"[A-Za-z]", text)] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_each_text_that_a_page_names_is_written(path: Path) -> None:
    named = set(re.findall(r'data-string="([^"]+)"', path.read_text(encoding="utf-8")))
    written = "".join(words_file.read_text(encoding="utf-8") for words_file in WORDS)
    assert {name for name in named if not re.search(rf"\b{name}\b: ?\n? *[\"`']", written)} == set()


def test_the_rules_find_what_they_are_for() -> None:
    script = (
        'setText(view, "#a", `Judged ${count(3)} of ${all} reviews.`); say("Try" + " again"); find(".a .b");'
    )
    found = [text for _, text in texts(script)]
    assert found == ["#a", "Judged X of X reviews.", "Try again", ".a .b"]
    assert [text for text in found if is_prose(text)] == ["Judged X of X reviews.", "Try again"]
    assert texts(r'a = b.replace(/"/g, "\u2019"); c = 4 / 2; // "x"')[0].text == "\u2019"
    assert [words(one) for one in sentences("One two. Three four? Five")] == [2, 2, 1]
    shown = Shown()
    shown.feed('<p id="unstarted">Reload.</p><p>Hello<br><code>make run</code></p><input placeholder="Type">')
    assert shown.found == ["Hello", "Type"]
