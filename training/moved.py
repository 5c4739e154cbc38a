"""Name the new command when a script is run by its former path, as in `python training/deploy.py`.

Each environment that `make` makes imports this for such a path (verdict.pth), before Python looks for it.
"""

import os
import sys
from pathlib import PurePath

# The former scripts of training/, each with the module that does its work now.
MODULES = {
    "ablate": "recipe.ablate",
    "adapt": "adapt.adapt",
    "adapt_aws": "jobs.adapt",
    "adapt_curve": "adapt.curve",
    "batch": "jobs.batch",
    "batch_test": "jobs.batch_test",
    "best": "recipe.reproduce",
    "build_vocab": "data.build_vocab",
    "compare": "adapt.compare",
    "curriculum": "recipe.augment",
    "dataset": "data.dataset",
    "deploy": "aws.deploy",
    "destroy": "aws.destroy",
    "doctor": "aws.doctor",
    "drift": "evaluation.drift",
    "evaluate": "evaluation.evaluate",
    "evaluate_app": "evaluation.evaluate_app",
    "examine": "evaluation.behaviour",
    "examine_warnings": "evaluation.language_warnings",
    "export": "recipe.export",
    "faithfulness": "evaluation.faithfulness",
    "feedback": "adapt.feedback_export",
    "images": "aws.images",
    "launch": "jobs.train",
    "local_endpoint": "endpoint.local_endpoint",
    "notebook_instance": "jobs.notebook_instance",
    "package": "aws.package",
    "peers": "baselines.table",
    "pretrain": "recipe.pretrain",
    "prices": "aws.prices",
    "seeds": "recipe.seeds",
    "status": "aws.status",
    "suggest": "adapt.suggest",
    "targets": "recipe.soft_targets",
    "teach": "recipe.distill",
    "template": "aws.template",
    "train": "recipe.train",
    "transformer": "recipe.transformer",
    "update_model": "aws.update_model",
}


def hint(script: str) -> str | None:
    """Return the sentence for a former path, or None for any other.

    >>> hint("training/deploy.py")
    'training/deploy.py has moved; run: python -m training.aws.deploy'
    """
    path = PurePath(script)
    if path.parent.name != "training" or path.suffix != ".py" or path.stem not in MODULES:
        return None
    return f"{script} has moved; run: python -m training.{MODULES[path.stem]}"


# sys.argv is not set yet when Python reads a .pth file.
if sentence := hint(next(iter(sys.orig_argv[1:2]), "")):
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    os._exit(2)
