"""Remove everything of a stage from AWS, and list it again until nothing is left.

    python -m training.aws.destroy --stage dev            # lists, asks for confirmation, removes
    python -m training.aws.destroy --stage dev --yes
    python -m training.aws.destroy --stage dev --dry-run  # only lists

It needs only the account. It also finds what an interrupted deploy left, and touches nothing else.
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
from training.aws.inventory import Resource

ROUNDS = 3


def destroy(cloud: Cloud, say: Say = print) -> int:
    """Remove everything; return the number of resources. Raises CloudError when something may be left.

    A resource that can't be removed does not stop the others, and neither does a kind that can't be looked
    at. The next round tries it again.
    """
    removed = 0
    errors: list[str] = []
    for _ in range(ROUNDS):
        seen = inventory.look(cloud)
        if not seen.resources:
            check_all_seen(seen, removed)
            remove_local_records(cloud)
            return removed
        errors = []
        for resource in seen.resources:
            try:
                inventory.remove(cloud, resource, say)
            except (CloudError, BotoCoreError, ClientError) as error:
                errors.append(f"{resource.kind} {resource.name}: {clouds.sentence_of(error)}")
                continue
            say(f"removed {resource.kind} {resource.name}")
            removed += 1
    seen = inventory.look(cloud)
    if seen.resources:
        raise CloudError(
            "these resources are left, run this again:\n"
            + "\n".join(errors or [f"{resource.kind} {resource.name}" for resource in seen.resources])
            + "".join(f"\n{line}" for line in seen.lines())
        )
    check_all_seen(seen, removed)
    remove_local_records(cloud)
    return removed


def check_all_seen(seen: inventory.Look, removed: int) -> None:
    """Raise CloudError when AWS hid a kind that a deploy makes, so that something of it may be left."""
    if seen.blind():
        raise CloudError(
            f"removed {removed} resources, but something may be left; add the rights and run this again:\n"
            + "\n".join(seen.lines())
        )


def remove_local_records(cloud: Cloud) -> None:
    """Remove the stage's build folder and Chalice's record of it from this machine."""
    shutil.rmtree(function.ROOT / "build" / cloud.stage.name, ignore_errors=True)
    (function.APP / ".chalice" / "deployed" / f"{cloud.stage.name}.json").unlink(missing_ok=True)


def listing(resources: Sequence[Resource]) -> str:
    """Return a list of resources, a line each."""
    return "\n".join(
        f"  {resource.kind:16} {resource.name}  {resource.note or resource.state}".rstrip()
        for resource in resources
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Remove everything of a stage from AWS.")
    clouds.add_flags(parser)
    parser.add_argument("--yes", action="store_true", help="don't ask for confirmation")
    options = parser.parse_args()
    with clouds.exit_on_error("destroy"):
        cloud = clouds.open_stage(options.stage, options.region)
        stage = cloud.stage
        seen = inventory.look(cloud)
        place = f"stage {stage.name} in {stage.region}, account {stage.account}"
        for line in seen.lines():
            print(f"destroy: {line}")
        if not seen.resources:
            check_all_seen(seen, 0)
            remove_local_records(cloud)
            print(f"destroy: {place} has no resources")
            return
        print(f"{place}:\n{listing(seen.resources)}")
        if options.dry_run:
            return
        if not (options.yes or confirm()):
            sys.exit("destroy: nothing was removed")
        count = destroy(cloud)
        print(f"destroy: removed {count} resources and checked again: nothing is left of {place}")


def confirm() -> bool:
    """Return whether the user types yes at a prompt; at the end of input, no."""
    try:
        return input("Remove all of it, with the data in the buckets? Type yes: ").strip() == "yes"
    except EOFError:
        return False


if __name__ == "__main__":
    main()
