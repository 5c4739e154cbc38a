"""Check a page with axe-core against WCAG 2.2 A and AA and axe-core's best practices."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}


def violations(page: Page) -> list[str]:
    """Return each broken rule with the elements that break it; an accessible page breaks none."""
    report = Axe().run(page, options=OPTIONS)
    return [
        f"{rule['id']}: {', '.join(str(node['target'][0]) for node in rule['nodes'])}"
        for rule in report.response["violations"]
    ]
