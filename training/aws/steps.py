"""The steps of a command on AWS, each printed with what it waits for and its seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from training.aws.cloud import Stopped

Say = Callable[[str], None]


class Steps:
    """A command's steps. ``then`` says what to do after Ctrl-C in one of them."""

    def __init__(self, say: Say, then: str) -> None:
        self.say, self.then = say, then
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, waits: str = "") -> Iterator[None]:
        """Print a step's name and what it waits for, then its seconds. Raises Stopped at Ctrl-C."""
        began = time.monotonic()
        self.say(f"{name}: {waits}" if waits else name)
        try:
            yield
        except KeyboardInterrupt:
            raise Stopped(f"stopped at {name!r}; {self.then}") from None
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began
        self.say(f"{name}: done in {self.seconds[name]:.1f} s")
