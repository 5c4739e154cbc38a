"""ONNX Runtime as Verdict uses it: it tells its makers nothing, and leaves Intel's matrix unit alone.

Since 2023 Intel's server processors hold a unit for whole matrices, AMX. ONNX Runtime takes it for any
product in int8, also for an LSTM's, which are of one row at a time: that is slower than without it, and
slows what runs beside it on the core. There is no option against it, but Linux lets a process use AMX
only after asking, and refuses while a thread handles signals on a stack too small for AMX's registers.
ONNX Runtime asks once, when it is loaded, and then computes the same integers another way.

So this holds for a whole process: other models in it do without AMX too, and where ONNX Runtime was loaded
before, or another library was granted AMX, all stays as it was.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# What a signal's stack usually has. AVX-512's registers need about 4 kB of it, AMX's 11 kB.
STACK_BYTES = 8192
_DISABLED = 2  # SS_DISABLE


class _Stack(ctypes.Structure):
    """C's stack_t, of sigaltstack(2)."""

    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


# Never freed: should a C library not take the old stack back, signals are handled on this one from then on.
_small = ctypes.create_string_buffer(STACK_BYTES)


@contextmanager
def without_amx() -> Iterator[None]:
    """Have Linux refuse AMX to whoever asks for it inside; where nothing can be done, nothing is."""
    set_stack, before = _sigaltstack(), _Stack()
    if set_stack is None or set_stack(None, ctypes.byref(before)):
        yield
        return
    if before.flags == _DISABLED:
        before.size = STACK_BYTES  # of no meaning, but some C libraries look at it
    try:
        set_stack(ctypes.byref(_Stack(ctypes.addressof(_small), 0, STACK_BYTES)), None)
        yield
    finally:
        set_stack(ctypes.byref(before), None)


def _sigaltstack() -> Any:
    """Give C's function that sets a thread's stack for signals; None where there is none, or no AMX."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        with suppress(OSError):
            return getattr(ctypes.CDLL(None), "sigaltstack", None)
    return None


# It reports its use unless this is set before it is loaded (its Privacy.md, release 1.32): events on
# the graph, the machine and every session. Nothing here may call out.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

with without_amx():
    import onnxruntime as ort

__all__ = ["ort", "without_amx"]
