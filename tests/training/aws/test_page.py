"""The page as it is put on AWS: which APIs its config and its policy name."""

import pytest

from training.aws import deploy, page


def test_a_page_may_name_another_stage_s_api_beside_its_own() -> None:
    found = page.files("https://one.example/api/", "https://other.example/api/")
    assert b'API_URL = "https://one.example/api"' in found["config.js"]
    assert b'BESIDE_API_URL = "https://other.example/api"' in found["config.js"]
    pages = [data.decode() for name, data in found.items() if name.endswith(".html")]
    allowed = "connect-src &#x27;self&#x27; https://one.example https://other.example;"
    assert pages and all(allowed in html for html in pages)


@pytest.mark.parametrize("url", ["other.example", "ftp://other.example", "https://a.example; script-src *"])
def test_what_is_no_address_of_an_api_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        deploy.parse(["--beside-api-url", url])
    assert "the API's URL looks like" in capsys.readouterr().err
