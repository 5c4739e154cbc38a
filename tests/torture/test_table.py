"""The tables show every result and every failure."""

from tests.torture.table import Section, page_with, text_of

SECTION = Section("Bytes", "Some bytes.", ("reader", "cases"), [("a|b", 20_000), ("c", 1.25)])


def test_a_section_is_a_table_with_its_description() -> None:
    lines = text_of(SECTION).splitlines()
    assert lines[:4] == ["## Bytes", "", "Some bytes.", ""]
    assert lines[4:8] == ["| reader | cases |", "|---|---|", "| a\\|b | 20,000 |", "| c | 1.2 |"]
    assert lines[-1] == "Nothing failed."


def test_failures_are_listed() -> None:
    assert "Failed: one; two" in text_of(SECTION._replace(failed=["one", "two"]))


def test_the_page_names_the_machine_of_a_section() -> None:
    page = page_with("", SECTION, 12.4)
    assert page.count("## Bytes") == 1 and page.startswith("# Torture\n")
    assert "12 minutes on " in page and " Python 3." in page


def test_a_section_keeps_its_place() -> None:
    page = page_with(page_with("", SECTION, 1), SECTION._replace(title="More", description="Other bytes."), 2)
    again = page_with(page, SECTION._replace(description="New bytes."), 3)
    assert [line for line in again.splitlines() if line.startswith("## ")] == ["## Bytes", "## More"]
    assert "New bytes." in again and "Some bytes." not in again and "Other bytes." in again
    assert page_with(again, SECTION._replace(description="New bytes."), 3) == again
