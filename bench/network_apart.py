"""A graph in a process of its own: its ids come in as lines of JSON, and a line goes back for each.

    python -m bench.network_apart GRAPH

Here ONNX Runtime may use all that the processor has, also what Verdict does without (onnx_runtime.py):
what is good for one row at a time is not what is good for a transformer.
"""

import json
import os
import sys

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort


def main() -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
    for line in sys.stdin:
        session.run(None, {"ids": np.array([json.loads(line)], dtype=np.int64)})
        print(flush=True)


if __name__ == "__main__":
    main()
