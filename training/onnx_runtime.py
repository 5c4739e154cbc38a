"""ONNX Runtime as Verdict uses it: it tells its makers nothing, and leaves Intel's matrix unit alone.

Since 2023 Intel's server processors hold a unit for whole matrices, AMX. ONNX Runtime takes it for any
product in int8, also for an LSTM's, which are of one row at a time: that is slower than without it, and
slows what runs beside it on the core. There is no option against it, but Linux lets a process use AMX
only after asking, and refuses while a thread handles signals on a stack too small for AMX's registers.
ONNX Runtime asks once, when it is loaded, and then computes the same integers another way.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What a signal's stack usually has, and what it needs without AMX; with AMX it needs 11 kB.
STACK_BYTES = 8192


class _Stack(ctypes.Structure):
    """C's stack_t, of sigaltstack(2)."""

    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


@contextmanager
def without_amx() -> Iterator[None]:
    """Have Linux refuse AMX to whoever asks for it inside; where nothing can be done, nothing is."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        yield
        return
    try:
        set_stack = ctypes.CDLL(None).sigaltstack
    except (OSError, AttributeError):
        yield
        return
    small, before = ctypes.create_string_buffer(STACK_BYTES), _Stack()
    refused = set_stack(ctypes.byref(_Stack(ctypes.addressof(small), 0, STACK_BYTES)), ctypes.byref(before))
    try:
        yield
    finally:
        if refused == 0:
            set_stack(ctypes.byref(before), None)


# It reports its use unless this is set before it is loaded (its Privacy.md, release 1.32): events on
# the graph, the machine and every session. Nothing here may call out.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

with without_amx():
    import onnxruntime as ort

__all__ = ["ort", "without_amx"]
