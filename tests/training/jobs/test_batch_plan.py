"""The plan of a Batch Transform: cores by the instance's name, and files enough for all machines."""

import pytest

from training.files.rows import BatchError, Count
from training.jobs import batch_plan


@pytest.mark.parametrize(
    ("name", "cores"),
    [("ml.m5.large", 2), ("ml.c5.xlarge", 4), ("ml.c6i.2xlarge", 8), ("ml.m5.24xlarge", 96)],
)
def test_an_instance_type_tells_its_cores(name: str, cores: int) -> None:
    assert batch_plan.cores_of(name) == cores


@pytest.mark.parametrize("name", ["", "m5.large", "ml.m5", "ml.m5.huge", "ml.m5.xlarge "])
def test_what_is_no_instance_type_is_one_sentence(name: str) -> None:
    with pytest.raises(BatchError, match="is no instance type; give one like ml.c5.xlarge"):
        batch_plan.cores_of(name)


def test_files_are_enough_for_all_machines_and_none_is_too_large() -> None:
    assert batch_plan.file_bytes(Count(1000, 0, 1000, 80_001), 2) == 10_001
    assert batch_plan.file_bytes(Count(10**7, 0, 10**7, 10**10), 1) == 100_000_000
    assert batch_plan.file_bytes(Count(1, 1, 0, 0), 1) == 1
