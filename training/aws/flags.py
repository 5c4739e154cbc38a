"""The flags of every command on AWS. They load none of its clients, which take half a second to import."""

import argparse
import os

STAGE = "dev"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every command on AWS: --stage, --region, --dry-run."""
    parser.add_argument(
        "--stage",
        default=os.environ.get("STAGE") or STAGE,
        help=f"name of the deployment (default: STAGE, or {STAGE})",
    )
    parser.add_argument("--region", help="AWS region (default: AWS_REGION, or the profile's)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
