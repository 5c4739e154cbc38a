"""Stop the notebook instance when nobody has used it for a while; cron runs this every five minutes.

    python3 stop_when_idle.py --minutes 60 --instance NAME --region REGION

A busy kernel counts as use, and so does recent activity of a kernel or a terminal. An open page does not. The
script runs on the instance's own Python, 3.7 or newer, and needs no other package.
"""

import argparse
import calendar
import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

JUPYTER = "https://localhost:8443"
# In memory, so each start of the instance counts from zero.
STATE = Path("/run/verdict-idle")
TIMEOUT_SECONDS = 20


def last_use(url: str, now: float) -> float:
    """Return the time of the last use of a kernel or a terminal, in seconds; 0.0 without one.

    Raises OSError or ValueError when Jupyter does not answer.
    """
    kernels = fetch_list(url, "/api/kernels")
    if any(kernel.get("execution_state") in ("busy", "starting") for kernel in kernels):
        return now
    used = [seconds_of(item["last_activity"]) for item in kernels + fetch_list(url, "/api/terminals")]
    return max(used, default=0.0)


def fetch_list(url: str, path: str) -> "list[dict[str, str]]":
    """Return a list from Jupyter; empty for one that it does not serve, such as disabled terminals."""
    # Jupyter's certificate is self-signed, and the connection does not leave the machine.
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    # This request must not count as use.
    request = urllib.request.Request(url + path + "?no_track_activity=1")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=unchecked) as answer:
            return list(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise


def seconds_of(stamp: str) -> float:
    """Return a time stamp of Jupyter, such as 2026-01-02T03:04:05.678Z, in seconds."""
    return float(calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")))


def idle_seconds(state: Path, used: float, now: float) -> float:
    """Store the latest use; return the seconds since then. The first check counts as use."""
    stored = float(state.read_text(encoding="utf-8")) if state.exists() else now
    latest = max(stored, used)
    state.write_text(str(latest), encoding="utf-8")
    return now - latest


def stop(instance: str, region: str) -> None:
    """Stop the instance with the AWS command that it comes with."""
    subprocess.run(
        [
            *("aws", "sagemaker", "stop-notebook-instance"),
            *("--notebook-instance-name", instance, "--region", region),
        ],
        check=True,
        timeout=120,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Stop the notebook instance when it is idle.")
    parser.add_argument("--minutes", type=float, required=True, help="idle minutes before it stops")
    parser.add_argument("--instance", required=True, help="the notebook instance's name")
    parser.add_argument("--region", required=True, help="its AWS region")
    parser.add_argument("--jupyter", default=JUPYTER, help="Jupyter's address")
    parser.add_argument("--state", type=Path, default=STATE, help="file for the latest use")
    options = parser.parse_args()
    now = time.time()
    try:
        used = last_use(options.jupyter, now)
    except (OSError, ValueError, KeyError) as error:
        # Without an answer the last known use counts: an instance with a dead Jupyter must stop too.
        print(f"stop_when_idle: Jupyter does not answer ({type(error).__name__})")
        used = 0.0
    idle = idle_seconds(options.state, used, now)
    print(f"stop_when_idle: idle for {idle / 60:.0f} of {options.minutes:.0f} minutes")
    if idle < options.minutes * 60:
        return
    try:
        stop(options.instance, options.region)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"stop_when_idle: {options.instance} could not be stopped ({error}); trying again")


if __name__ == "__main__":
    main()
