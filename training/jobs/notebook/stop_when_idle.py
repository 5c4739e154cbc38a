"""Stop the notebook instance once nobody has used it for a while; cron runs this every five minutes.

    python3 stop_when_idle.py --minutes 60 --instance NAME --region REGION

Used means that a kernel is busy, or that a kernel or a terminal did something lately. An open page
alone is no use, and a long computation is. It runs on the instance's own Python, 3.7 or newer, with
nothing installed.
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
# In memory, so that each start of the instance counts anew.
STATE = Path("/run/verdict-idle")
TIMEOUT_SECONDS = 20


def last_use(url: str, now: float) -> float:
    """Give when a kernel or a terminal was last used, in seconds; 0.0 when there was none.

    Raises OSError or ValueError when Jupyter can't be asked.
    """
    kernels = ask(url, "/api/kernels")
    if any(kernel.get("execution_state") in ("busy", "starting") for kernel in kernels):
        return now
    used = [seconds_of(one["last_activity"]) for one in kernels + ask(url, "/api/terminals")]
    return max(used, default=0.0)


def ask(url: str, path: str) -> list:
    """Ask Jupyter for a list; one that it does not serve, such as terminals switched off, is empty."""
    # Jupyter's certificate there is signed by itself, and the way to it does not leave the machine.
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    # Being asked must not count as being used.
    request = urllib.request.Request(url + path + "?no_track_activity=1")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=unchecked) as answer:
            return list(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise


def seconds_of(stamp: str) -> float:
    """Give a time of Jupyter's, such as 2026-01-02T03:04:05.678Z, in seconds."""
    return float(calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")))


def idle_seconds(state: Path, used: float, now: float) -> float:
    """Remember the latest use; give how long ago it was. The first look counts as a use."""
    kept = float(state.read_text(encoding="utf-8")) if state.exists() else now
    latest = max(kept, used)
    state.write_text(str(latest), encoding="utf-8")
    return now - latest


def stop(instance: str, region: str) -> None:
    """Stop the instance, by the AWS command that it comes with."""
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
    parser.add_argument("--jupyter", default=JUPYTER, help="where Jupyter answers")
    parser.add_argument("--state", type=Path, default=STATE, help="file that keeps the latest use")
    options = parser.parse_args()
    now = time.time()
    try:
        used = last_use(options.jupyter, now)
    except (OSError, ValueError, KeyError) as error:
        # Without an answer the last known use counts on: a Jupyter that has died must not run for ever.
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
