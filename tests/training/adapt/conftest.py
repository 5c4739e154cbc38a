"""A base to fine-tune whose int8 answers are near its own on every processor."""

from pathlib import Path

import pytest

from tests.support.model import random_package

# x86 without VNNI adds int8 products in 16 bits. What that costs a random network grows with this.
SPREAD = 0.1


@pytest.fixture(scope="session")
def made_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package made from random weights with small logits; not to be changed."""
    folder = tmp_path_factory.mktemp("package")
    random_package(folder, spread=SPREAD)
    return folder
