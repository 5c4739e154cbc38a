"""What an attack found is told as it was, and a failure is never left out."""

from tests.torture.table import Section, page_of, text_of

SECTION = Section("Bytes", "Some bytes.", ("reader", "cases"), [("a|b", 20_000), ("c", 1.25)])


def test_a_section_is_a_table_with_its_sentence() -> None:
    lines = text_of(SECTION).splitlines()
    assert lines[:4] == ["## Bytes", "", "Some bytes.", ""]
    assert lines[4:8] == ["| reader | cases |", "|---|---|", "| a\\|b | 20,000 |", "| c | 1.2 |"]
    assert lines[-1] == "Nothing failed."


def test_what_failed_is_named() -> None:
    assert "Failed: one; two" in text_of(SECTION._replace(failed=["one", "two"]))


def test_the_page_says_what_it_was_run_on() -> None:
    page = page_of([SECTION, SECTION], 12.4)
    assert page.count("## Bytes") == 2
    assert "12 minutes on " in page and " Python 3." in page
