"""Each fault of AWS, for each command that meets it: survived, or one sentence in AWS's own words.

Afterwards the next deploy completes the stage, and destroy leaves nothing.
"""

import re
from collections.abc import Iterator

import pytest

from tests.support import faults
from tests.support.faults import Account, Fault
from tests.support.stage import kinds, leftovers
from training.aws import cloud as clouds

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The simulated account, started once."""
    running = Account(tmp_path_factory.mktemp("faults"))
    yield running
    running.stop()


@pytest.mark.parametrize("fault", faults.FAULTS, ids=[fault.name for fault in faults.FAULTS])
def test_a_fault_is_survived_or_told_and_leaves_nothing_half_made(fault: Fault, account: Account) -> None:
    for outcome in faults.outcomes(account, fault):
        expected = fault.ends[outcome.command]
        assert outcome.status == bool(expected), outcome
        assert re.search(expected, outcome.said), outcome
        assert "Traceback" not in outcome.said
    healed = account.run(fault, "deploy")
    assert healed.status == 0, healed
    cloud = clouds.open_stage("dev")
    assert {"API", "endpoint", "function", "model"} <= set(kinds(cloud))
    removed = account.run(fault, "destroy")
    assert (removed.status, leftovers(cloud)) == (0, {}), removed


def test_every_command_meets_a_fault() -> None:
    met = {command for fault in faults.FAULTS for command in fault.ends}
    assert met == set(faults.ALL)
