"""Wait until a first review has its verdict, then print the addresses of page and API."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from launcher.checks import local_url
from launcher.supervisor import Supervisor

READY_SECONDS = 60
TRY_SECONDS = 5
REVIEW = "A warm, funny film that never once felt too long. I would happily watch it again."


def announce(supervisor: Supervisor, env: Mapping[str, str], start: float) -> None:
    """Wait for a verdict from the page's API, or from both APIs with BESIDE; then print the addresses.

    ``start`` is the time of the start by the monotonic clock. Stops everything when no verdict comes in time.
    """
    page, api = local_url(env, "PAGE_PORT") + "/", local_url(env, "API_PORT")
    reason = "no answer"
    pause = 0.05
    while time.monotonic() - start < READY_SECONDS and supervisor.status is None:
        try:
            if env["API_URL"] in _fetch(page + "config.js"):
                key = env.get("API_KEY", "")
                second = _classify(env["BESIDE_API_URL"], key) if env.get("BESIDE") else None
                first = _classify(api, key)
                supervisor.ready = True
                seconds = time.monotonic() - start
                supervisor.print(_addresses(page, api, first, second, seconds, env.get("AUTH") == "key"))
                return
            reason = f"{page} is not ours or names another API"
        except urllib.error.HTTPError as error:
            reason = _detail(error)
            if error.code != 503:  # 503 ends when the endpoint has started
                break
        except (OSError, ValueError, KeyError) as error:
            reason = str(error)
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
    if supervisor.status is None:
        supervisor.print(f"run: no verdict after {time.monotonic() - start:.0f} s: {reason}")
        supervisor.stop(1)


def _classify(api: str, key: str) -> dict[str, Any]:
    """Return an API's answer to the first review. Raises OSError, ValueError or KeyError."""
    answer = json.loads(_fetch(api + "/v1/sentiment", REVIEW, key))
    return {name: answer[name] for name in ("sentiment", "probability", "model")}


def _addresses(
    page: str, api: str, first: dict[str, Any], second: dict[str, Any] | None, seconds: float, locked: bool
) -> str:
    key = ' -H "X-Api-Key: $API_KEY"' if locked else ""
    compare = ""
    if second:
        compare = f"\n  both   {page}compare.html  {first['model']['id']} beside {second['model']['id']}"
    return f"""
Verdict is ready after {seconds:.1f} s: "{REVIEW}"
is {first["sentiment"]}, P(positive) = {first["probability"]:.3f}.

  page   {page}{compare}
  curl   curl -s {api}/v1/sentiment -H 'Content-Type: application/json'{key} -d '{{"review": "Not good."}}'

Ctrl-C stops everything.
"""


def _fetch(url: str, review: str | None = None, key: str = "") -> str:
    data = None if review is None else json.dumps({"review": review}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "X-Api-Key": key})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TRY_SECONDS) as answer:
        return str(answer.read().decode())


def _detail(error: urllib.error.HTTPError) -> str:
    """Return a problem's detail with its status, or the status alone."""
    try:
        return f"{json.loads(error.read())['detail']} (HTTP {error.code})"
    except (OSError, ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
