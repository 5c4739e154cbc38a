"""The actor of a report on Ray: a model that judges parts on any machine of the cluster."""

import json
from typing import Any

from training.endpoint import inference
from training.files import ray_cluster
from training.report.asking import Question, judge_rows

# What the actor imports.
CODE = (*ray_cluster.CODE, "training/report/*.py")


class Judging:
    """Load the model once, then judge tables of parts."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.model = inference.model_fn(inference.MODEL_FOLDER)

    def __call__(self, table: Any) -> Any:
        """Return the answers to the column ``lines``, with the column ``number`` that names each part."""
        import pyarrow

        answers = [self._judge(data) for data in table["lines"].to_pylist()]
        return pyarrow.table({"number": table["number"], "answers": pyarrow.array(answers, pyarrow.binary())})

    def _judge(self, lines: bytes) -> bytes:
        rows = [json.loads(line) for line in lines.split(b"\n")]
        numbers, reviews = [row["id"] for row in rows], [row["review"] for row in rows]
        return judge_rows(self.question, self.model, (numbers, reviews))
