"""What an attack found is told as it was, and a failure is never left out."""

from tests.torture.table import Section, page_with, text_of

SECTION = Section("Bytes", "Some bytes.", ("reader", "cases"), [("a|b", 20_000), ("c", 1.25)])


def test_a_section_is_a_table_with_its_sentence() -> None:
    lines = text_of(SECTION).splitlines()
    assert lines[:4] == ["## Bytes", "", "Some bytes.", ""]
    assert lines[4:8] == ["| reader | cases |", "|---|---|", "| a\\|b | 20,000 |", "| c | 1.2 |"]
    assert lines[-1] == "Nothing failed."


def test_what_failed_is_named() -> None:
    assert "Failed: one; two" in text_of(SECTION._replace(failed=["one", "two"]))


def test_the_page_says_what_a_section_was_run_on() -> None:
    page = page_with("", SECTION, 12.4)
    assert page.count("## Bytes") == 1 and page.startswith("# Torture\n")
    assert "12 minutes on " in page and " Python 3." in page


def test_a_section_takes_the_place_that_it_had() -> None:
    page = page_with(page_with("", SECTION, 1), SECTION._replace(title="More", says="Other bytes."), 2)
    again = page_with(page, SECTION._replace(says="New bytes."), 3)
    assert [line for line in again.splitlines() if line.startswith("## ")] == ["## Bytes", "## More"]
    assert "New bytes." in again and "Some bytes." not in again and "Other bytes." in again
    assert page_with(again, SECTION._replace(says="New bytes."), 3) == again
