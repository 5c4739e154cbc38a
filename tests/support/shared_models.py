"""Parse botocore's models once in a process.

Each boto3 session reads the JSON of its services anew. The commands that tests run open a session each, and
its eleven clients take over a second. With one loader for all sessions they take a tenth.
"""

import functools

from botocore import loaders, session


def install() -> None:
    """Share one loader for each search path among all sessions of this process."""
    if session.create_loader is loaders.create_loader:
        session.create_loader = functools.cache(loaders.create_loader)
