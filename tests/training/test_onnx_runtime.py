"""onnx_runtime.py: ONNX Runtime is not given AMX, and nothing of that is left behind."""

import ctypes
import subprocess
import sys
from pathlib import Path

import onnx_runtime
import pytest
from onnx_runtime import without_amx

ARCH_GET_PERMITTED, ARCH_ASK = 0x1022, 0x1023
SYS_ARCH_PRCTL = 158
TILES = 18
CPUINFO = Path("/proc/cpuinfo")


def stack() -> tuple[object, ...]:
    """Give what this thread handles signals on."""
    found = onnx_runtime._Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.start, found.flags, found.size


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
with_amx = pytest.mark.skipif(
    not (CPUINFO.is_file() and " amx_tile " in CPUINFO.read_text(encoding="utf-8")),
    reason="this processor has no AMX",
)


@on_linux
@pytest.mark.skipif(onnx_runtime.platform.machine() != "x86_64", reason="AMX is Intel's")
def test_the_small_stack_is_there_inside_alone() -> None:
    before = stack()
    with without_amx():
        assert stack()[2] == onnx_runtime.STACK_BYTES
    assert stack() == before


@on_linux
def test_an_error_inside_puts_the_stack_back() -> None:
    before = stack()
    with pytest.raises(ZeroDivisionError), without_amx():
        _ = 1 // 0
    assert stack() == before


@pytest.mark.parametrize(
    ("system", "processor"), [("darwin", "arm64"), ("linux", "aarch64"), ("win32", "AMD64")]
)
def test_elsewhere_nothing_is_done(system: str, processor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the C library was asked for")

    monkeypatch.setattr(onnx_runtime.sys, "platform", system)
    monkeypatch.setattr(onnx_runtime.platform, "machine", lambda: processor)
    monkeypatch.setattr(onnx_runtime.ctypes, "CDLL", fail)
    with without_amx():
        pass


def test_a_c_library_without_it_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_runtime.sys, "platform", "linux")
    monkeypatch.setattr(onnx_runtime.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(onnx_runtime.ctypes, "CDLL", lambda _: object())
    with without_amx():
        pass


def permitted(lines: str) -> bool:
    """Say whether a new process may use AMX after these lines of Python."""
    code = (
        f"import ctypes\n{lines}\nmask = ctypes.c_uint64()\n"
        f"assert ctypes.CDLL(None).syscall({SYS_ARCH_PRCTL}, {ARCH_GET_PERMITTED}, ctypes.byref(mask)) == 0\n"
        "print(mask.value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(onnx_runtime.__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return bool(int(done.stdout) >> TILES & 1)


@with_amx
def test_a_loaded_model_has_no_amx_and_the_rest_of_the_process_can_still_ask() -> None:
    load = "import inference; inference.model_fn(inference.MODEL_FOLDER).read('Good.')"
    ask = f"ctypes.CDLL(None).syscall({SYS_ARCH_PRCTL}, {ARCH_ASK}, {TILES})"
    assert not permitted(load)
    assert permitted(f"{load}\n{ask}")
    assert permitted("import onnxruntime"), "ONNX Runtime no longer asks when it is loaded"


def test_reports_to_its_makers_are_off() -> None:
    assert onnx_runtime.os.environ["ORT_DISABLE_TELEMETRY"] == "1"
