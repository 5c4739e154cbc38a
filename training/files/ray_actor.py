"""The actor of a batch on Ray: a model that answers parts on any machine of the cluster."""

from typing import Any

from training.endpoint import inference
from training.files.processes import predict_lines
from vocab.messages import AspectsValue


class Answerer:
    """Load the model once, then answer tables of parts, with the aspects to judge, if any."""

    def __init__(self, aspects: AspectsValue | None = None) -> None:
        self.aspects = aspects
        self.model = inference.model_fn(inference.MODEL_FOLDER)

    def __call__(self, table: Any) -> Any:
        """Return the answers to the column ``lines``, with the column ``number`` that names each part."""
        import pyarrow

        answers = [predict_lines(self.model, data, self.aspects) for data in table["lines"].to_pylist()]
        return pyarrow.table({"number": table["number"], "answers": pyarrow.array(answers, pyarrow.binary())})
