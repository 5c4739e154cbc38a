"""The same base as in the tests of adapt."""

from tests.training.adapt.conftest import made_package

__all__ = ["made_package"]
