"""Write a report as one HTML file, which needs no network: view, style, font and figures together.

Without its script the file shows the main figures as plain tables.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from vocab.files import write_atomic

# Beside training/, in a checkout and in the wheel alike.
SITE = Path(__file__).resolve().parents[2] / "static_site"
VIEW = SITE / "report" / "view.js"
STYLES = (SITE / "shared" / "style.css", SITE / "report" / "report.css")
IMPORT = re.compile(r"^import\b[^;]*?\bfrom \"\./([a-z_]+\.js)\";\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let)\b)", re.MULTILINE)
TOP = re.compile(r"^(?:async )?(?:function\*?|class|const|let) ([\w$]+)", re.MULTILINE)
URL = re.compile(r"url\(\"([^\"]+)\"\)")
START = """
const [dataOfPage, rootOfPage] = ["report-data", "report"].map((id) => document.getElementById(id));
render(JSON.parse(dataOfPage.textContent), rootOfPage);"""
# A text that an HTML parser would take for the end of a script, or for its comment.
ENDS = re.compile(r"</|<!--|<script", re.IGNORECASE)
NONE = "\u2013"
MINUS = "\u2212"
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; font-src data:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="report-page">
<main id="report" class="report">
{tables}
</main>
<script id="report-data" type="application/json">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def write_html(report: Mapping[str, Any], path: Path) -> None:
    """Write a report's HTML file in one step. Raises OSError for a full disk or missing rights."""
    write_atomic(path, to_html(report).encode("utf-8"))


def to_html(report: Mapping[str, Any]) -> str:
    """Return a report as a whole HTML page.

    Its policy knows the page's own script and style by their hashes. Nothing else runs or is loaded.
    """
    script, style = script_of(VIEW), "\n".join(style_of(path) for path in STYLES)
    title = f"{report['file']['name']}: Verdict\u2019s report"
    return PAGE.format(
        policy=POLICY.format(script=hash_of(script), style=hash_of(style)),
        title=escape(readable(title)),
        style=style,
        tables="\n".join(tables_of(report)),
        data=data_of(report),
        script=script,
    )


def data_of(report: Mapping[str, Any]) -> str:
    r"""Return a report as JSON in which no text can end the script element that holds it.

    >>> data_of({"text": "</script>"})
    '{"text":"\\u003c/script>"}'
    """
    text = json.dumps(report, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half a surrogate pair has no UTF-8; JSON writes it by its number.
    whole = re.sub(r"[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)
    return whole.replace("<", "\\u003c")


def script_of(start: Path) -> str:
    """Return a module and all that it imports as one script, without ``import`` and ``export``.

    The modules lie in one folder, and no two name the same thing at their top. Raises ValueError where one
    breaks this, or holds what would end a script element.
    """
    sources = {path.name: path.read_text(encoding="utf-8") for path in modules_of(start)}
    bodies = {name: EXPORT.sub("", IMPORT.sub("", source)) for name, source in sources.items()}
    for name, body in bodies.items():
        if re.search(r"^(import|export)\b", body, re.MULTILINE):
            raise ValueError(
                f"{name} has an import or export that can't be joined; import names from ./FILE.js"
            )
        if ENDS.search(body):
            raise ValueError(f"{name} holds a text that ends a script element")
    names = [name for body in bodies.values() for name in TOP.findall(body)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the modules beside {start.name} name {', '.join(twice)} twice")
    return "\n".join(["", "(() => {", '"use strict";', *bodies.values(), START, "})();", ""])


def modules_of(start: Path) -> list[Path]:
    """Return a module's imports, however far, and the module itself, each after what it needs."""
    ordered: list[Path] = []

    def add(path: Path, above: tuple[Path, ...]) -> None:
        if path in above:
            raise ValueError(f"{path.name} imports itself by way of others")
        for name in IMPORT.findall(path.read_text(encoding="utf-8")):
            add(path.parent / name, (*above, path))
        if path not in ordered:
            ordered.append(path)

    add(start, ())
    return ordered


def style_of(path: Path) -> str:
    """Return a style sheet with the files that it names inside it."""

    def inlined(match: re.Match[str]) -> str:
        data = (path.parent / match[1]).read_bytes()
        return f'url("data:font/woff2;base64,{base64.b64encode(data).decode("ascii")}")'

    style = URL.sub(inlined, path.read_text(encoding="utf-8"))
    if "</" in style:
        raise ValueError(f"{path.name} holds a text that ends a style element")
    return style


def hash_of(text: str) -> str:
    """Return the hash by which a policy knows a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def tables_of(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report's main figures as plain HTML, for a reader whose browser runs no script."""
    file, overall = report["file"], report["overall"]
    yield f"<h1>{escape(readable(file['name']))}</h1>"
    yield table("Verdicts", CELL, [["All reviews", *cell_of(overall)]])
    time = report.get("over_time")
    if time:
        yield table("Over time", CELL, [[period["start"], *cell_of(period)] for period in time["periods"]])
    for name, key in (("Groups", "groups"), ("Aspects", "aspects")):
        if report.get(key):
            yield table(name, CELL, [[one["name"], *cell_of(one)] for one in report[key]])
    if report.get("moved"):
        rows = [
            [one["name"], signed(one["net_effect"], 1), interval_of(one["net_interval"], 1)]
            for one in report["moved"]
        ]
        yield table("What moved the net score", ["", "Points", "Interval"], rows)


CELL = ["", "Net score", "Interval", "Reviews", "Positive", "Can\u2019t tell", "Negative"]


def cell_of(cell: Mapping[str, Any]) -> list[str]:
    """Return a cell's figures in words: net score, interval, reviews and their verdicts."""
    counts = [f"{cell[key]:,}" for key in ("rows", "positive", "uncertain", "negative")]
    return [signed(cell["net"]), interval_of(cell["interval"]), *counts]


def signed(value: float | None, places: int = 0) -> str:
    """Return a number with its sign.

    >>> signed(23.4), signed(0.04), signed(None)
    ('+23', '0', '–')
    """
    if value is None:
        return NONE
    size = f"{abs(value):.{places}f}"
    return size if float(size) == 0 else ("+" if value > 0 else MINUS) + size


def interval_of(interval: Sequence[float] | None, places: int = 0) -> str:
    """Return an interval in words."""
    return " to ".join(signed(end, places) for end in interval) if interval else NONE


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an HTML table. The first cell of a row names it."""

    body = "".join(f"<tr>{cells(row[:1], 'row')}{cells(row[1:])}</tr>" for row in rows)
    top = f"<thead><tr><td></td>{cells(head[1:], 'col')}</tr></thead>"
    return (
        f'<div class="report-wide"><table class="report-table"><caption>{escape(caption)}</caption>'
        f"{top}<tbody>{body}</tbody></table></div>"
    )


def cells(texts: Iterable[str], scope: str = "") -> str:
    """Return cells of a table. With a scope they name a row or a column."""
    tag, attribute = ("th", f' scope="{scope}"') if scope else ("td", "")
    return "".join(f"<{tag}{attribute}>{escape(readable(text))}</{tag}>" for text in texts)


def readable(text: str) -> str:
    """Return a text that UTF-8 can hold: half a surrogate pair becomes a replacement character."""
    return text.encode("utf-8", "replace").decode("utf-8")
