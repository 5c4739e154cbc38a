"""Start endpoint, API and page together, and print their addresses once a review has its verdict.

    make run            # or, inside its environment: python run.py
    make serve          # or: python run.py --serve
    make run MODEL=my-model BESIDE=training/endpoint/model

ENDPOINT_PORT, API_PORT and PAGE_PORT set the ports. The Procfile names the processes. They end with this one:
by Ctrl-C, a closed terminal or pipe, a signal, and on Linux even by kill -9. With --serve the API is the
server for many callers, which holds the endpoint's hooks, and a process that ends is started again. BESIDE
names a second model, which gets its own endpoint and API; the page shows both models side by side.
"""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

# Until a process has started, Ctrl-C ends this one at once. As an exception it could get lost amid an import.
signal.signal(signal.SIGINT, lambda *_: os._exit(130))

try:
    from launcher import checks, readiness, supervisor
    from vocab.exit_status import BROKEN, FINE, USAGE, Ended
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "launcher":
        raise
    folder = Path(__file__).resolve().parent
    print(
        f"run: launcher can't be imported from {folder}; start run.py in a whole checkout of Verdict",
        file=sys.stderr,
    )
    sys.exit(4)  # BROKEN, which may be missing too

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main() -> None:
    parser = argparse.ArgumentParser(description="Start endpoint, API and page together.")
    parser.add_argument(
        "--serve", action="store_true", help="serve many callers, and restart a process that ends"
    )
    serve = parser.parse_args().serve
    start = time.monotonic()
    try:
        checks.check_libraries()
        checks.check_link()
        env = checks.environment(serve)
        checks.check_ports(env, serve)
    except SystemExit as refusal:
        typed = os.environ.get("VERDICT_TYPED") or "run"
        raise Ended(f"{typed}: {str(refusal).removeprefix('run: ')}", USAGE) from None
    stack = supervisor.Supervisor(supervisor.programs(env, serve), restart=serve)
    # Signals only wake the main thread, so that even an early one interrupts nothing half-way.
    for number in SIGNALS:
        signal.signal(number, lambda *_: stack.stop(0))
    stack.start()
    threading.Thread(target=readiness.announce, args=(stack, env, start), daemon=True).start()
    status = stack.wait()
    # The API ends so when a setting of its own can't be used.
    sys.exit(status if status in (FINE, USAGE) else BROKEN)


if __name__ == "__main__":
    main()
