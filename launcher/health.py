"""Check what runs in the container: status 0 when the app answers, or SageMaker's endpoint.

python -m launcher.health
"""

import os
import sys
import urllib.request
from collections.abc import Mapping

from launcher.checks import HOST, PORTS

SECONDS = 5
# What answers when all is well: API and page, or the endpoint alone.
APP = (("API_PORT", "/v1/health"), ("PAGE_PORT", "/"))
ENDPOINT = "/ping"
ENDPOINT_PORT = 8080


def is_healthy(env: Mapping[str, str]) -> bool:
    """Return whether API and page answer on this machine, or else the endpoint."""
    app = [f"http://{HOST}:{env.get(name) or PORTS[name]}{path}" for name, path in APP]
    return all(map(_answers, app)) or _answers(f"http://{HOST}:{ENDPOINT_PORT}{ENDPOINT}")


def _answers(url: str) -> bool:
    """Return whether a GET gets a status below 400 in time."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not is_healthy(os.environ))
