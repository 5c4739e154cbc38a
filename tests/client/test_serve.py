"""`verdict serve` starts and ends as `make serve` does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.command import WAIT_SECONDS, environment, start, verdict
from tests.support.service import Service, problem
from tests.support.stack import free_ports

pytestmark = pytest.mark.slow

PORTS = ("ENDPOINT_PORT", "API_PORT", "PAGE_PORT")


def reads_pieces(url: str) -> bool:
    """Return whether a server accepts a chunked body: the one for many callers does, the other doesn't."""
    pieces = iter([b'{"review": "I loved ', b'it"}'])
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{url}/v1/sentiment", content=pieces, headers=headers).status_code == 200


def test_it_starts_api_and_page_and_ctrl_c_ends_them(tmp_path: Path) -> None:
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(3), strict=True)}
    running = start("serve", cwd=tmp_path, **ports)
    assert running.stdout and running.stderr
    for line in running.stdout:
        if b"Verdict is ready" in line:
            break
    url = f"http://127.0.0.1:{ports['API_PORT']}"
    assert verdict("I loved it", "--url", url).status == 0
    assert reads_pieces(url)
    assert "<textarea" in httpx.get(f"http://127.0.0.1:{ports['PAGE_PORT']}/").text
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=WAIT_SECONDS)
    assert running.returncode == 0
    assert verdict("I loved it", "--url", url, "--deadline", "0.1").status == 3


def test_a_model_that_can_t_be_served_ends_it(tmp_path: Path) -> None:
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(3), strict=True)}
    ran = verdict("serve", "--model", str(tmp_path), **ports)
    assert ran.status == 2
    assert f"api: {tmp_path}/model.json can't be read" in ran.out


def test_a_second_model_is_named_beside_the_first(tmp_path: Path) -> None:
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(3), strict=True)}
    ran = verdict("serve", "--model", str(tmp_path), "--beside", str(tmp_path), **ports)
    assert ran.status == 2
    assert ran.err == (
        "verdict serve: MODEL and BESIDE are the same folder; name two models: verdict serve --model my-model"
        " --beside published\n"
    )


def test_a_missing_package_is_one_sentence() -> None:
    code = (
        "import sys; sys.modules['chalice'] = None\nfrom verdict_sentiment.cli import main\nmain(['serve'])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert (process.returncode, process.stdout, process.stderr) == (
        2,
        "",
        "verdict: chalice can't be imported, which serving needs; run: pip install"
        " 'verdict-sentiment[serve]'\n",
    )


def test_a_text_that_is_called_like_a_command_stands_after_dashes(service: Service) -> None:
    for name in ("serve", "mcp"):
        service.say(problem(422, "no_token", "no word"))
        assert verdict("--url", service.url, "--", name).status == 1
        assert service.asked[-1].json()["review"] == name
