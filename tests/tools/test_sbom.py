"""The bills of materials: every shipped component with a licence, and the same text for the same parts."""

import json
import re

import pytest

from tools import sbom
from tools.sbom import Part, SbomError

SHIPPED = sbom.shipped()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_bill_is_cyclonedx_and_every_part_has_a_licence_and_a_version(name: str) -> None:
    bill = json.loads(sbom.bom_of(name, SHIPPED[name]))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == f"verdict-{name}"
    assert len(bill["components"]) == len(SHIPPED[name]) > 2
    assert all(part["licenses"] and part["version"] and part["purl"] for part in bill["components"])


def test_everything_that_is_pinned_is_listed() -> None:
    for name, file in (
        ("lambda", "chalice_app/requirements.txt"),
        ("endpoint", "requirements/endpoint.txt"),
    ):
        text = (sbom.ROOT / file).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if re.match("[a-z]", line)]
        assert len(lines) == len(SHIPPED[name])


def test_the_page_s_files_keep_their_hashes() -> None:
    bill = json.loads(sbom.bom_of("page", SHIPPED["page"]))
    assert all(part["hashes"][0]["alg"] == "SHA-256" for part in bill["components"])
    assert "pkg:npm/%40fontsource/newsreader@" in bill["components"][0]["purl"]


def test_the_same_parts_give_the_same_text_and_others_another() -> None:
    parts = [Part("one", "1", "MIT")]
    assert sbom.bom_of("x", parts) == sbom.bom_of("x", parts)
    assert sbom.bom_of("x", parts) != sbom.bom_of("x", [Part("one", "2", "MIT")])


def test_a_missing_package_is_named() -> None:
    with pytest.raises(SbomError, match="^no-such-package is not installed here"):
        sbom.licence_of("no-such-package")
