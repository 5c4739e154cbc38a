"""Rewrite the report's golden cases after an intended change; then read ``git diff``.

python -m tests.training.report.rewrite_golden
"""

import json
from pathlib import Path
from typing import Any

from tests.support.report_cases import Case, cases, report_on
from training.report import dates
from training.report.dates import NO_DATE, day_of
from training.report.stop_words import STOP_WORDS

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "report"
# Every form of a date, and what is none.
DATES = (
    "2026-05-03", "2026-5-3", "2026-05-03T23:59:59Z", "2026-05-03T23:59:59.123+02:00", "2026-05-03 10:00",
    "2026/05/03", "2026/05/03 10:00:00", "20260503", "20260503T101500Z", "03.05.2026", "3.5.2026",
    "3. 5. 2026",
    "3.5.2026 10:00", "3 May 2026", "3 may 2026", "03-May-2026", "3rd May, 2026", "May 3, 2026",
    "May 3rd 2026",
    "Sept 3, 2026", "Sep. 3, 2026", "3 Mai 2026", "1777766400", "1777766400.5", "1777766400000", "99999999",
    "3/5/2026", "13/5/2026", "5/13/2026", "13/13/2026", "3-5-2026", "3/5/2026 10:30", "3/5/2026 10:30 PM",
    "3/5/26", "30/2/2026", "29/2/2024", "1899-12-31", "1900-01-01", "2100-12-31", "2101-01-01", "2026-02-30",
    "2026", "May 2026", "10:30", "soon", "", "  2026-05-03  ", "2026-05-03x", "٣/٥/٢٠٢٦", "1" * 9, "1" * 14,
)  # fmt: skip


def golden(name: str, case: Case) -> dict[str, Any]:
    """Return the content of a case's file."""
    return {"options": case.options, "rows": case.rows, "report": report_on(case)}


def parsed(text: str) -> list[str | None]:
    """Return a cell's day with the day first and with the month first."""
    return [None if days == NO_DATE else day_of(days).isoformat() for days in dates.parse(text)]


def contents() -> dict[str, Any]:
    """Return the content of every file by its name."""
    return {
        **{name: golden(name, case) for name, case in cases().items()},
        "dates": {text: parsed(text) for text in DATES},
        "stop_words": sorted(STOP_WORDS),
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
