"""ONNX Runtime gets no AMX, and the process is otherwise as before."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from training.endpoint import onnx_runtime
from training.endpoint.onnx_runtime import without_amx

ROOT = Path(__file__).resolve().parents[3]
ARCH_GET_PERMITTED, ARCH_ASK = 0x1022, 0x1023
SYS_ARCH_PRCTL = 158
TILES = 18
CPUINFO = Path("/proc/cpuinfo")


def stack() -> tuple[object, ...]:
    """Return the stack on which this thread handles signals: its start, flags and size."""
    now = onnx_runtime._Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(now)) == 0
    return now.start, now.flags, now.size


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
with_amx = pytest.mark.skipif(
    not (CPUINFO.is_file() and " amx_tile " in CPUINFO.read_text(encoding="utf-8")),
    reason="this processor has no AMX",
)


@on_linux
@pytest.mark.skipif(onnx_runtime.platform.machine() != "x86_64", reason="AMX is Intel's")
@pytest.mark.parametrize("option", ["", "faulthandler"])
def test_the_small_stack_is_there_inside_alone(option: str) -> None:
    """In a new process, since a library here may already have AMX, and Linux then keeps the larger stack."""
    code = (
        "import ctypes\nfrom training.endpoint import onnx_runtime\n"
        "def stack():\n"
        "    found = onnx_runtime._Stack()\n"
        "    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))\n"
        "    return found.start, found.flags, found.size\n"
        "before = stack()\n"
        "with onnx_runtime.without_amx(): inside = stack()\n"
        "print(inside[2], stack() == before, before[1] == 2)"
    )
    found = in_new_process(code, options=["-X", option] if option else [])
    assert found == f"{onnx_runtime.STACK_BYTES} True {not option}\n"


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
    """Return whether a new process may use AMX after these lines of Python."""
    code = (
        f"import ctypes\n{lines}\nmask = ctypes.c_uint64()\n"
        f"assert ctypes.CDLL(None).syscall({SYS_ARCH_PRCTL}, {ARCH_GET_PERMITTED}, ctypes.byref(mask)) == 0\n"
        "print(mask.value)"
    )
    return bool(int(in_new_process(code)) >> TILES & 1)


def in_new_process(code: str, more: dict[str, str] | None = None, options: Sequence[str] = ()) -> str:
    """Run lines of Python in a new process and return its output."""
    removed = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ORT_DISABLE_TELEMETRY", "PYTHONFAULTHANDLER")
    env = {name: value for name, value in os.environ.items() if name not in removed} | (more or {})
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@with_amx
def test_a_loaded_model_has_no_amx_and_the_rest_of_the_process_can_still_ask() -> None:
    load = (
        "from training.endpoint import inference; inference.model_fn(inference.MODEL_FOLDER).predict('Good.')"
    )
    ask = f"ctypes.CDLL(None).syscall({SYS_ARCH_PRCTL}, {ARCH_ASK}, {TILES})"
    assert not permitted(load)
    assert permitted(f"{load}\n{ask}")
    assert permitted("import onnxruntime"), "ONNX Runtime no longer asks when it is loaded"


def test_reports_to_its_makers_are_off_before_it_is_loaded(tmp_path: Path) -> None:
    stand_in = "import os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'; print('loaded')"
    (tmp_path / "onnxruntime.py").write_text(stand_in, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    assert in_new_process("from training.endpoint import onnx_runtime", {"PYTHONPATH": path}) == "loaded\n"


@on_linux
def test_a_process_that_answers_has_one_thread() -> None:
    code = (
        "import os; from training.endpoint import inference\n"
        "model = inference.model_fn(inference.MODEL_FOLDER)\n"
        "model.predict('A lovely film, and I would see it again. ' * 30, 'words')\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    assert in_new_process(code).strip() == "1"
