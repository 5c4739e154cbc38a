"""The report's HTML file: one file that no text can break out of, and that loads nothing."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.report_samples import SAMPLES, hostile, nothing, whole
from training.report import page


class Parsed(HTMLParser):
    """Collects what a browser would see: tags, scripts, styles, the policy and the text of each cell."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.inside = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.raw: list[str] = []
        self.policy = ""
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = tag
        self.attributes += attrs
        named = dict(attrs)
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        if tag in ("script", "style"):
            self.raw.append("")
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style"):
            self.raw[-1] += data
        elif self.inside in ("th", "td"):
            self.cells[-1] += data


def hash_of(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_file_holds_the_report_and_a_browser_reads_it_back(name: str) -> None:
    report = SAMPLES[name]()
    parsed = Parsed(page.to_html(report))
    style, data, script = parsed.raw
    assert parsed.tags.count("script") == 2
    assert json.loads(data) == report
    assert (
        f"script-src '{hash_of(script)}'" in parsed.policy
        and f"style-src '{hash_of(style)}'" in parsed.policy
    )
    assert parsed.policy.startswith("default-src 'none';") and "unsafe" not in parsed.policy


def test_nothing_is_loaded_and_no_attribute_runs_or_styles() -> None:
    parsed = Parsed(page.to_html(hostile()))
    assert not {"link", "img", "iframe", "object", "base", "form", "a"} & set(parsed.tags)
    assert [
        name for name, _ in parsed.attributes if name in ("src", "href", "style") or name.startswith("on")
    ] == []
    style = parsed.raw[0]
    assert "@import" not in style
    assert all(url.startswith("data:font/woff2;base64,") for url in re.findall(r'url\("?([^")]+)', style))


@settings(deadline=None)
@given(st.text())
def test_any_text_stays_a_text(text: str) -> None:
    report = nothing()
    report["file"]["name"] = text
    report["rows"] = {"1": {"text": text}}
    html = page.to_html(report)
    html.encode("utf-8")
    parsed = Parsed(html)
    assert parsed.tags.count("script") == 2
    assert json.loads(parsed.raw[1]) == report


def test_half_a_pair_and_line_ends_are_written_so_that_json_reads_them() -> None:
    report: dict[str, Any] = {"text": "\ud83d </SCRIPT> <!-- \u2028 \x00"}
    data = page.data_of(report)
    assert "<" not in data and data.encode("utf-8") and json.loads(data) == report


def test_a_number_that_json_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page.data_of({"net": float("nan")})


def test_the_file_is_written_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    page.write_html(whole(), path)
    before = path.read_text(encoding="utf-8")
    assert before.startswith("<!doctype html>") and list(tmp_path.iterdir()) == [path]
    monkeypatch.setattr(page, "to_html", lambda report: "x" * 10)
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        page.write_html(whole(), path)
    assert path.read_text(encoding="utf-8") == before and list(tmp_path.iterdir()) == [path]


def test_the_plain_tables_hold_every_cell_escaped() -> None:
    report = hostile()
    cells = Parsed("".join(page.tables_of(report))).cells
    names = [one["name"] for one in (*report["groups"], *report["aspects"], *report["moved"])]
    assert all(page.readable(name) in cells for name in names)
    assert [cells[7 + place] for place in range(7)] == [
        "All reviews", "+39", "+36 to +42", "2,748", "1,703", "418", "627"
    ]  # fmt: skip


def module(folder: Path, name: str, source: str) -> None:
    (folder / name).write_text(source, encoding="utf-8")


def test_modules_are_joined_after_what_they_need(tmp_path: Path) -> None:
    module(
        tmp_path,
        "view.js",
        'import { one } from "./one.js";\nimport {\n  two,\n} from "./two.js";\n'
        "export function render() {}\n",
    )
    module(tmp_path, "one.js", 'import { two } from "./two.js";\nexport const one = two;\n')
    module(tmp_path, "two.js", "export const two = 2;\n")
    script = page.script_of(tmp_path / "view.js")
    assert (
        script.index("const two = 2;")
        < script.index("const one = two;")
        < script.index("function render() {}")
    )
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("const one = 1;", "name one twice"),
        ("function one() {}", "name one twice"),
        ("export default 3;", "can't be joined"),
        ('import * as all from "../shared/dom.js";', "can't be joined"),
        ("const end = '</script>';", "ends a script element"),
        ("// <!--", "ends a script element"),
        ('import { view } from "./view.js";', "imports itself"),
    ],
)
def test_modules_that_can_t_be_joined_are_an_error(tmp_path: Path, source: str, said: str) -> None:
    module(tmp_path, "view.js", 'import { one } from "./one.js";\nimport { two } from "./two.js";\n')
    module(tmp_path, "one.js", "export const one = 1;\n")
    module(tmp_path, "two.js", f"{source}\n")
    with pytest.raises(ValueError, match=said):
        page.script_of(tmp_path / "view.js")


def test_the_view_needs_only_its_own_folder(tmp_path: Path) -> None:
    shutil.copytree(page.VIEW.parent, tmp_path / "report")
    assert page.script_of(tmp_path / "report" / "view.js") == page.script_of(page.VIEW)
    joined = {path.name for path in page.modules_of(page.VIEW)}
    assert joined == {path.name for path in page.VIEW.parent.glob("*.js")}
