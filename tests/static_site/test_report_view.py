"""A report as one HTML file, opened from the disk without a network: charts, tables, drawer, print, words."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.static_site.conftest import watch
from tests.support.accessibility import violations
from tests.support.looks import served
from tests.support.report_samples import HOSTILE, SAMPLES, Report, whole
from training.report.page import signed, write_html

# Opens a report's file; further options are the browser context's.
Opened = Callable[..., Page]
WIDTHS = [320, 390, 768, 1440]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Open reports from the disk. None may reach for the network, break its policy or throw an error."""
    contexts, faults, requests = [], list[str](), list[str]()

    def open_report(report: Report, **options) -> Page:
        path = tmp_path / "report.html"
        write_html(report, path)
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "offline": True, **options})
        )
        page = contexts[-1].new_page()
        watch(page, faults)
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert faults == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def page(opened: Opened) -> Page:
    """The whole sample report."""
    return opened(whole())


def part(page: Page, name: str) -> Locator:
    return page.locator(f".report-{name}")


@pytest.mark.parametrize("name", SAMPLES)
def test_axe_finds_nothing_in_either_theme_and_nothing_scrolls_sideways(opened: Opened, name: str) -> None:
    page = opened(SAMPLES[name](), reduced_motion="reduce")
    for summary in page.locator("summary").all():
        summary.click()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_s_report_and_its_sheet_pass_axe(opened: Opened) -> None:
    page = opened(whole(), viewport={"width": 320, "height": 700}, has_touch=True, reduced_motion="reduce")
    assert violations(page) == []
    page.locator(".report-groups .report-bar").first.tap()
    drawer = page.locator(".report-drawer")
    expect(drawer).to_be_visible()
    box = drawer.bounding_box()
    assert box and box["x"] == 0 and box["width"] == 320
    assert box["y"] > 0 and round(box["y"] + box["height"]) == 700
    assert violations(page) == []


def test_the_first_screen_says_the_score_its_interval_the_shares_and_what_changed(page: Page) -> None:
    front = part(page, "front")
    expect(front.get_by_role("heading", level=1)).to_have_text("Net score +39")
    expect(front).to_contain_text("62\u00a0% of the reviews are positive and 23\u00a0% negative")
    expect(front).to_contain_text("likely lie between +36 and +42")
    expect(front).to_contain_text("The net score fell by 12 points, from +45 to +33.")
    expect(front).to_contain_text("each larger group got better. Yet the whole fell, because more")
    bottom = front.locator(".report-shares").bounding_box()
    assert bottom and bottom["y"] + bottom["height"] < 900


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("without_dates", "The file has no dates, so the report can\u2019t say what changed."),
        ("unclear", "The net score went from +45 to +33. Chance alone could explain that."),
        (
            "between_groups",
            "\u201c\u2068Rome\u2069\u201d scores 12 points lower than \u201c\u2068Berlin\u2069\u201d: "
            "+33 against +45.",
        ),
        ("one_verdict", "There are too few reviews on one side to say what changed."),
        ("without_groups", "The net score fell by 12 points, from +45 to +33."),
    ],
)  # fmt: skip
def test_what_changed_is_said_in_a_sentence_or_why_nothing_is(opened: Opened, name: str, said: str) -> None:
    expect(opened(SAMPLES[name]()).locator(".report-change-first")).to_have_text(said)


def test_parts_without_figures_are_left_out(opened: Opened) -> None:
    page = opened(SAMPLES["nothing"]())
    expect(page.get_by_role("heading", level=1)).to_have_text("No verdicts")
    expect(page.locator(".report-part")).to_have_count(0)
    page = opened(SAMPLES["without_dates"]())
    titles = page.locator(".report-part-title").all_text_contents()
    assert "Over time" not in titles and "What moved" not in titles and "Aspects" in titles
    expect(page.locator(".report-trends")).to_have_count(0)


def test_a_gap_is_no_point_and_parts_the_line(page: Page) -> None:
    periods = whole()["over_time"]["periods"]
    runs = re.findall("x+", "".join("x" if period["rows"] else " " for period in periods))
    assert len(runs) == 3
    expect(page.locator(".report-point")).to_have_count(sum(len(run) for run in runs))
    lines = page.locator(".report-line").evaluate_all("lines => lines.map(line => line.points.length)")
    assert lines == [len(run) for run in runs]


def test_the_cut_stands_within_its_month(page: Page) -> None:
    # 7 April 2026 is in the sixteenth of 23 months.
    at = page.locator(".report-cut").evaluate("node => Number(node.style.getPropertyValue('--at'))")
    assert 15 / 23 < at < 16 / 23


def test_many_periods_are_a_band_and_one_tab_stop(opened: Opened) -> None:
    page = opened(SAMPLES["many_periods"]())
    expect(page.locator(".report-band")).not_to_have_count(0)
    points = page.locator(".report-point")
    assert points.evaluate_all("points => points.filter((point) => point.tabIndex === 0).length") == 1
    points.first.focus()
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowLeft", 0),
        ("ArrowLeft", 0),
        ("End", points.count() - 1),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(points.nth(place)).to_be_focused()


def test_a_point_is_told_in_words_under_the_pointer_and_in_its_name(page: Page) -> None:
    point = page.locator(".report-point").first
    said = "Jan 2025: +46, between +34 and +60, 87 reviews"
    name = point.get_attribute("aria-label") or ""
    assert re.fullmatch(r"Jan 2025: \+\d+, between \+\d+ and \+\d+, \d+ reviews", name), said
    point.hover()
    expect(page.locator(".report-readout")).to_have_text(name)


def test_bars_are_drawn_from_zero_to_their_value_with_the_interval_over_them(page: Page) -> None:
    for group in whole()["groups"]:
        row = part(page, "groups").locator(".report-bar", has_text=group["name"])
        zero, *ends = row.evaluate(
            """row => {
              const at = (part, name) => Number(part.style.getPropertyValue(name));
              const [track, fill, chance] = [".report-track", ".report-fill", ".report-chance"].map(
                (name) => row.querySelector(name));
              return [at(track, "--zero"), at(fill, "--from"), at(fill, "--to"),
                at(chance, "--from"), at(chance, "--to")];
            }"""
        )
        places = [
            zero + (net / 200) for net in (min(0, group["net"]), max(0, group["net"]), *group["interval"])
        ]
        assert ends == pytest.approx(places, abs=1e-4)
        expect(row).to_have_attribute("data-sign", "plus" if group["net"] > 0 else "minus")
        assert (row.get_attribute("data-faint") is not None) == group["small"]


def test_the_whole_report_is_used_by_keyboard_alone(page: Page) -> None:
    seen = set[str]()
    for _ in range(200):
        page.keyboard.press("Tab")
        tag, name, outline = page.evaluate(
            """() => {
              const at = document.activeElement;
              return [at.tagName, at.className, getComputedStyle(at).outlineStyle];
            }"""
        )
        if tag == "BODY":
            break
        assert outline != "none", name
        seen.add(name)
    assert {
        "report-share-item", "report-link", "report-point", "report-bar", "report-trend", "report-quote",
    } <= seen  # fmt: skip


def test_a_bar_opens_its_reviews_in_a_drawer_and_gives_the_focus_back(page: Page) -> None:
    report = whole()
    group = report["groups"][1]
    bar = part(page, "groups").locator(".report-bar", has_text=group["name"])
    bar.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name=group["name"])
    expect(drawer).to_be_visible()
    expect(drawer).to_contain_text(
        f"20 of {group['rows']} reviews: the most negative first, the most positive last."
    )
    rows = drawer.locator(".report-row")
    expect(rows).to_have_count(20)
    for shown, number in zip(rows.all(), group["examples"], strict=True):
        row = report["rows"][str(number)]
        expect(shown.locator(".report-row-name")).to_have_text(f"Row {number:,}")
        expect(shown.locator("blockquote")).to_have_text(row["text"])
        expect(shown.locator("mark")).to_have_text(row["sentence"])
        expect(shown.locator(".report-row-group")).to_have_text(group["name"])
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".report-drawer")).to_be_hidden()
    expect(bar).to_be_focused()


def test_every_kind_of_mark_opens_rows(page: Page) -> None:
    for mark in (
        ".report-share-item", ".report-point", ".report-moved .report-bar", ".report-groups .report-bar",
        ".report-trend", ".report-aspects .report-bar", ".report-quote",
    ):  # fmt: skip
        page.locator(mark).first.click()
        expect(page.locator(".report-drawer .report-row").first).to_be_visible()
        page.locator(".report-drawer-close").click()
        expect(page.locator(".report-drawer")).to_be_hidden()


def test_a_press_beside_the_drawer_closes_it(page: Page) -> None:
    page.locator(".report-quote").first.click()
    expect(page.locator(".report-drawer")).to_be_visible()
    page.mouse.click(20, 400)
    expect(page.locator(".report-drawer")).to_be_hidden()


def test_each_chart_is_a_table_too(page: Page) -> None:
    report = whole()
    for name, rows in {
        "time": report["over_time"]["periods"], "moved": report["moved"], "groups": report["groups"],
        "aspects": report["aspects"], "words": report["words"]["up"] + report["words"]["down"],
    }.items():  # fmt: skip
        fold = part(page, name).locator("details").first
        expect(fold.locator("summary")).to_have_text("As a table")
        fold.locator("summary").click()
        expect(fold.locator("tbody tr")).to_have_count(len(rows))
    cells = part(page, "groups").locator("tbody tr").first.locator("th, td").all_text_contents()
    first = report["groups"][0]
    assert cells[:2] == [first["name"], f"+{first['net']:.0f}"] and cells[3] == str(first["rows"])
    part(page, "groups").locator("tbody .report-opener").first.click()
    expect(page.get_by_role("dialog", name=first["name"])).to_be_visible()


def test_what_moved_is_largest_first_with_the_rest_last_and_adds_up(page: Page) -> None:
    report = whole()
    bars = part(page, "moved").locator(".report-bar")
    values = [
        float(text.replace("\u2212", "-").split(",")[0])
        for text in bars.locator(".report-bar-value").all_text_contents()
    ]
    causes = [abs(value) for value in values[:-1]]
    assert causes == sorted(causes, reverse=True)
    expect(bars.last).to_contain_text("Everything else")
    assert sum(values) == pytest.approx(report["comparison"]["net"]["difference"], abs=0.05 * len(values))
    expect(bars.first).to_contain_text("more reviews of")
    assert bars.filter(has_text="tone").count() + bars.filter(has_text="mentioned").count() > 0
    for bar, faint in zip(
        bars.all(), bars.evaluate_all("bars => bars.map((bar) => 'faint' in bar.dataset)"), strict=True
    ):
        assert ("could be chance" in bar.inner_text()) == faint


@pytest.mark.parametrize(
    ("often", "tone", "pull", "said"),
    [
        (-0.30, -0.02, -1.0, "mentioned more often"),
        (-0.30, -0.02, 1.0, "mentioned less often"),
        (-0.02, -0.30, 1.0, "harsher tone"),
        (0.02, 0.30, 1.0, "kinder tone"),
        (-0.20, -0.30, -1.0, "harsher tone, mentioned more often"),
        (-0.30, 0.10, -1.0, "mentioned more often, though in a kinder tone"),
        (0.10, -0.30, 1.0, "harsher tone, though mentioned more often"),
    ],
)
def test_an_aspect_moves_by_mention_or_by_tone(
    opened: Opened, often: float, tone: float, pull: float, said: str
) -> None:
    report = whole()
    aspect = report["aspects"][0]
    aspect["pull"] = pull
    effect = often + tone
    ends = sorted((10 * effect, 30 * effect))
    change = {"effect": effect, "net_effect": 20 * effect, "net_interval": ends, "often": often, "tone": tone}
    change["clear"] = ends[0] > 0 or ends[1] < 0
    report["moved"] = [one | change if one["name"] == aspect["name"] else one for one in report["moved"]]
    row = part(opened(report), "moved").locator(".report-bar", has_text=aspect["name"])
    expect(row.locator(".report-bar-note")).to_have_text(said)


def test_a_rise_in_each_group_under_a_fall_is_explained(page: Page) -> None:
    note = part(page, "note")
    expect(note.get_by_role("heading")).to_have_text("Each part rose, yet the whole fell")
    expect(note).to_contain_text("There are more reviews of \u201c\u2068Budget earbuds\u2069\u201d")


def test_the_surface_names_no_log_odds_and_the_arithmetic_does(page: Page) -> None:
    assert not re.search(r"logit|log-odds", page.locator("#report").inner_text())
    page.get_by_text("The arithmetic").click()
    expect(part(page, "moved")).to_contain_text("log-odds")
    effects = [signed(part["effect"], 3) for part in whole()["moved"]]
    shown = (
        part(page, "moved").locator("details").nth(1).locator("tbody tr td:nth-child(2)").all_text_contents()
    )
    assert sorted(shown) == sorted(effects)


def test_of_200_groups_the_middle_and_the_small_ones_are_folded_and_open(opened: Opened) -> None:
    page = opened(SAMPLES["many_groups"]())
    bars = part(page, "groups").locator(".report-bar:visible")
    expect(bars).to_have_count(14)
    assert "Store 1\n" in bars.first.inner_text() and "Store 199\n" in bars.last.inner_text()
    page.get_by_role("button", name="Show 157 more").click()
    expect(bars).to_have_count(171)
    expect(bars.nth(7)).to_be_focused()
    page.get_by_text("29 groups with few reviews").click()
    expect(bars).to_have_count(200)


def test_no_text_of_a_file_breaks_out(opened: Opened) -> None:
    page = opened(SAMPLES["hostile"]())
    expect(page.locator(".report-part").first).to_be_visible()
    assert page.title().endswith("Verdict\u2019s report")
    assert page.locator("img, #report script, iframe").count() == 0
    expect(part(page, "kicker")).to_contain_text(HOSTILE[0])
    page.locator(".report-groups .report-bar").first.click()
    expect(page.locator(".report-drawer .report-row")).not_to_have_count(0)


def test_print_shows_every_table_and_no_button_of_the_screen(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for table in page.locator(".report-table").all():
        expect(table).to_be_visible()
    for name in ("link", "readout", "drawer"):
        expect(part(page, name)).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details[open]")).to_have_count(0)
    assert page.pdf().startswith(b"%PDF")


def test_without_a_script_the_main_tables_stand_there(opened: Opened) -> None:
    report = whole()
    page = opened(report, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text(report["file"]["name"])
    captions = page.locator("caption").all_text_contents()
    assert captions == ["Verdicts", "Over time", "Groups", "Aspects", "What moved the net score"]
    expect(page.get_by_role("row", name="Budget earbuds")).to_contain_text("\u221242")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served() as address:
        yield address


def test_a_page_that_opens_rows_itself_gets_their_numbers(browser: Browser, site: str) -> None:
    report, faults = whole(), list[str]()
    page = browser.new_page()
    watch(page, faults)
    page.route(f"{site}blank", lambda route: route.fulfill(content_type="text/html", body="<main></main>"))
    page.goto(f"{site}blank")
    page.evaluate(
        """async (report) => {
          const { render } = await import("/report/view.js");
          window.calls = [];
          const draw = () => render(report, document.querySelector("main"), {
            level: 2, onOpen: (rows, title) => window.calls.push([rows, title]),
          });
          draw();
          draw();
        }""",
        report,
    )
    expect(page.locator(".report-front")).to_have_count(1)
    expect(page.get_by_role("heading", level=2)).to_have_text("Net score +39")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator(".report-groups .report-bar").first.click()
    group = report["groups"][0]
    assert page.evaluate("window.calls") == [[group["examples"], group["name"]]]
    page.close()
    assert faults == []
