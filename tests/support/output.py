"""Read what a process prints while it runs. A pipe that nobody reads fills up, and its process stops."""

import threading
from typing import IO


class Output:
    """A thread that reads a stream of text to its end."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def text(self, seconds: float = 10) -> str:
        """Return what the process printed. Waits up to ``seconds`` for its end."""
        self._thread.join(seconds)
        return "".join(self._lines)

    def _read(self, stream: IO[str]) -> None:
        with stream:
            self._lines.extend(stream)
