"""Take everything of a stage from AWS again, and look again until nothing is left.

    python -m training.aws.destroy --stage dev            # lists, asks, removes
    python -m training.aws.destroy --stage dev --yes
    python -m training.aws.destroy --stage dev --dry-run  # only lists

It needs nothing but the account: what an interrupted deploy left is found too, and nothing else touched.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from training.aws import cloud as clouds
from training.aws import function, inventory
from training.aws.cloud import Cloud, CloudError
from training.aws.hosting import Say
from training.aws.inventory import Thing

ROUNDS = 3


def destroy(cloud: Cloud, say: Say = print) -> int:
    """Remove everything; give how many things there were. Raises CloudError when something stays.

    One thing that can't be removed does not keep the others; it is tried again in the next round.
    """
    removed = 0
    errors: list[str] = []
    for _ in range(ROUNDS):
        things = inventory.find(cloud)
        if not things:
            forget(cloud)
            return removed
        errors = []
        for thing in things:
            try:
                inventory.remove(cloud, thing, say)
            except (CloudError, BotoCoreError, ClientError) as error:
                errors.append(f"{thing.kind} {thing.name}: {clouds.sentence_of(error)}")
                continue
            say(f"removed {thing.kind} {thing.name}")
            removed += 1
    left = inventory.find(cloud)
    if left:
        raise CloudError(
            "these are left, run this again:\n"
            + "\n".join(errors or [f"{thing.kind} {thing.name}" for thing in left])
        )
    forget(cloud)
    return removed


def forget(cloud: Cloud) -> None:
    """Remove what Chalice and we keep of the stage on this machine."""
    shutil.rmtree(function.ROOT / "build" / cloud.stage.name, ignore_errors=True)
    (function.APP / ".chalice" / "deployed" / f"{cloud.stage.name}.json").unlink(missing_ok=True)


def listing(things: Sequence[Thing]) -> str:
    """List things, a line each."""
    return "\n".join(
        f"  {thing.kind:16} {thing.name}  {thing.note or thing.state}".rstrip() for thing in things
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Take everything of a stage from AWS.")
    clouds.add_flags(parser)
    parser.add_argument("--yes", action="store_true", help="don't ask")
    options = parser.parse_args()
    with clouds.speaking("destroy"):
        cloud = clouds.open_stage(options.stage, options.region)
        stage = cloud.stage
        things = inventory.find(cloud)
        where = f"stage {stage.name} in {stage.region}, account {stage.account}"
        if not things:
            forget(cloud)
            print(f"destroy: nothing is there of {where}")
            return
        print(f"{where}:\n{listing(things)}")
        if options.dry_run:
            return
        if not (options.yes or agreed()):
            sys.exit("destroy: nothing was removed")
        count = destroy(cloud)
        print(f"destroy: {count} things removed; looked again, nothing is left of {where}")


def agreed() -> bool:
    """Ask before anything goes."""
    try:
        return input("Remove all of it, the data in the buckets included? Type yes: ").strip() == "yes"
    except EOFError:
        return False


if __name__ == "__main__":
    main()
