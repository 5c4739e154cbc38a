"""Run a graph in a process of its own: each line of standard input is a JSON list of ids.

    python -m bench.network_process GRAPH

Prints an empty line after each run. ONNX Runtime may use all features of the processor here. Verdict leaves
some out (onnx_runtime.py), which suit a transformer but slow down one row at a time.
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
