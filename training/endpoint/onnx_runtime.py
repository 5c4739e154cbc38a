"""Load ONNX Runtime without its usage reports, and without Intel's matrix unit.

Intel's server processors since 2023 have AMX, a unit for whole matrices. ONNX Runtime uses it for every int8
product, also for an LSTM's, which has one row at a time. That is slower than without AMX, and it slows other
work on the core. ONNX Runtime has no option against it. But Linux grants AMX to a process only when it asks,
and refuses while a thread handles signals on a stack too small for AMX's registers. ONNX Runtime asks once,
when it is loaded, and then computes the same integers without AMX.

This holds for the whole process, so other models in it have no AMX either. It has no effect if ONNX Runtime
was loaded before, or if another library already has AMX.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# The usual size of a signal stack. AVX-512's registers need about 4 kB of it, AMX's 11 kB.
STACK_BYTES = 8192
_DISABLED = 2  # SS_DISABLE


class _Stack(ctypes.Structure):
    """C's stack_t, of sigaltstack(2)."""

    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


# Never freed: if a C library does not restore the old stack, signals are handled on this one.
_small = ctypes.create_string_buffer(STACK_BYTES)


@contextmanager
def without_amx() -> Iterator[None]:
    """Make Linux refuse AMX inside this context. On other systems this does nothing."""
    set_stack, before = _sigaltstack(), _Stack()
    if set_stack is None or set_stack(None, ctypes.byref(before)):
        yield
        return
    if before.flags == _DISABLED:
        before.size = STACK_BYTES  # a disabled stack has no size, but some C libraries check it
    try:
        set_stack(ctypes.byref(_Stack(ctypes.addressof(_small), 0, STACK_BYTES)), None)
        yield
    finally:
        set_stack(ctypes.byref(before), None)


def _sigaltstack() -> Any:
    """Return C's function that sets a thread's signal stack, None without it or without AMX."""
    if sys.platform == "linux" and platform.machine() == "x86_64":
        with suppress(OSError):
            return getattr(ctypes.CDLL(None), "sigaltstack", None)
    return None


# Unless this is set before it is loaded, it reports events on the graph, the machine and every session
# (its Privacy.md, release 1.32).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

with without_amx():
    import onnxruntime as ort

__all__ = ["ort", "without_amx"]
