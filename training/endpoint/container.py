"""Serve the model inside our own image, as SageMaker asks of a container: GET /ping and POST /invocations.

    python -m training.endpoint.container        # what the image runs for `serve`

It is the local endpoint's server, which here listens to everybody. A refusal of the hooks keeps its own
status and body, because SageMaker itself makes a ModelError of it. Nothing listens before the model has
answered a golden review, so a broken package never looks healthy.
"""

import os
import signal
import sys
from pathlib import Path

from training.endpoint import golden, inference
from training.endpoint.local_endpoint import Endpoint, Handler

# SageMaker asks this port, from outside the container.
ADDRESS = ("0.0.0.0", 8080)  # noqa: S104


class ContainerHandler(Handler):
    """One connection from SageMaker."""

    def _refuse_other_paths(self) -> int | None:
        if self.path == "/invocations":
            return None
        return self._refuse(404, "UnknownOperationException", {"message": "GET /ping, or POST /invocations"})

    def _model_error(self, status: int, original: str) -> int:
        return self._send(status, original.encode(), "application/json")


def main() -> None:
    folder = Path(os.environ.get("MODEL") or inference.MODEL_FOLDER)
    try:
        model = golden.load(folder)
        server = Endpoint(ADDRESS, "verdict", model, ContainerHandler)
    except (inference.ModelFilesError, inference.VocabularyError, golden.UnhealthyError) as error:
        sys.exit(f"endpoint: {error}")
    except OSError as error:
        sys.exit(f"endpoint: port {ADDRESS[1]} can't be used ({error.strerror}); end what listens there")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    print(f"endpoint on port {ADDRESS[1]}, model {model.identity.id}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
