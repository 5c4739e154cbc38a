"""Build harmful pickles: many calls, each in every form in which a pickle can call a function.

    python -m tests.torture.payloads fire FOLDER      # an ordinary unpickler runs them, so they are live
    python -m tests.torture.payloads refuse FOLDER    # the vocabulary's reader refuses them

Here each call leaves a mark, a file or folder. Both commands print the result of each pickle as JSON.
"""

import argparse
import copyreg
import json
import pickle
import resource
import shutil
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vocab import vocabulary
from vocab.files import sha256

EXTENSION = 241
EXTENDED = ("os", "mkdir")
# The limit for the process: no pickle may take so much.
MEMORY_BYTES = 2 << 30

Call = tuple[str, str, tuple[Any, ...]]
Form = Callable[[Call], bytes]


class Payload(NamedTuple):
    """A pickle. An ordinary unpickler of a ``live`` one leaves the mark; others break or fill the memory."""

    name: str
    data: bytes
    live: bool


def payloads(mark: Path) -> Iterator[Payload]:
    """Yield every payload; the live ones leave ``mark``."""
    for form, make in FORMS.items():
        for call in calls(str(mark)):
            yield Payload(f"{'.'.join(call[:2])} by {form}", make(call), True)
    yield from (Payload(name, data, True) for name, data in _special(str(mark)).items())
    yield from (Payload(name, data, False) for name, data in BREAKING.items())


def calls(mark: str) -> list[Call]:
    """Return likely functions of a harmful pickle, with arguments that leave the mark."""
    python = f"open({mark!r}, 'w').close()"
    return [
        ("os", "system", (f"touch {mark}",)),
        ("posix", "system", (f"touch {mark}",)),
        ("os", "mkdir", (mark,)),
        ("os", "popen", (f"touch {mark}; echo",)),
        ("subprocess", "check_output", (["touch", mark],)),
        ("subprocess", "call", (["touch", mark],)),
        ("subprocess", "getoutput", (f"touch {mark}",)),
        ("builtins", "eval", (f"__import__('os').mkdir({mark!r})",)),
        ("builtins", "exec", (python,)),
        ("builtins", "open", (mark, "w")),
        ("io", "open", (mark, "w")),
        ("os", "makedirs", (mark,)),
        ("profile", "run", (python, "/dev/null")),
        ("cProfile", "run", (python, "/dev/null")),
        ("shutil", "copyfile", ("/dev/null", mark)),
        ("pathlib", "Path.touch", (Path(mark),)),
    ]


# --- forms of a call ----------------------------------------------------------------------------


def _text(value: str) -> bytes:
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def _arguments(call: Call) -> bytes:
    """Push the arguments one by one: pickle's own opcodes without the first and the last."""
    return b"".join(pickle.dumps(value, protocol=3)[2:-1] for value in call[2])


def _tuple(call: Call) -> bytes:
    return b"(" + _arguments(call) + b"t"


def _by_stack(call: Call) -> bytes:
    return _text(call[0]) + _text(call[1]) + b"\x93"


def _by_line(call: Call) -> bytes:
    return f"c{call[0]}\n{call[1]}\n".encode()


def _stack_global(call: Call) -> bytes:
    return b"\x80\x04" + _by_stack(call) + _tuple(call) + b"R."


def _framed(call: Call) -> bytes:
    body = _by_stack(call) + _tuple(call) + b"R."
    return b"\x80\x05\x95" + struct.pack("<Q", len(body)) + body


def _global(protocol: int) -> Form:
    def make(call: Call) -> bytes:
        start = b"" if protocol < 2 else bytes([0x80, protocol])
        attribute = call[1] if protocol > 3 or "." not in call[1] else None
        function = _by_line(call) if attribute else _dotted(call)
        return start + function + _tuple(call) + b"R."

    return make


def _dotted(call: Call) -> bytes:
    """Load an attribute of a class by getattr, as protocols before 4 must."""
    outer, inner = call[1].split(".")
    return b"cbuiltins\ngetattr\n(c" + f"{call[0]}\n{outer}\n".encode() + b"X" + _long(inner) + b"tR"


def _long(value: str) -> bytes:
    return struct.pack("<I", len(value.encode())) + value.encode()


def _getattr_chain(call: Call) -> bytes:
    """Import the module and load the function by getattr, without a global of its name."""
    pushed = b"cbuiltins\n__import__\n(X" + _long(call[0]) + b"tR"
    for name in call[1].split("."):
        pushed = b"cbuiltins\ngetattr\n(" + pushed + b"X" + _long(name) + b"tR"
    return b"\x80\x02" + pushed + _tuple(call) + b"R."


def _instance(call: Call) -> bytes:
    """Call any function by INST, through functools.partial."""
    return b"\x80\x04(" + _by_stack(call) + _arguments(call) + b"ifunctools\npartial\n)R."


def _object(call: Call) -> bytes:
    return b"\x80\x04(cfunctools\npartial\n" + _by_stack(call) + _arguments(call) + b"o)R."


def _new_object(call: Call) -> bytes:
    return b"\x80\x04cfunctools\npartial\n(" + _by_stack(call) + _arguments(call) + b"t\x81)R."


def _new_object_with_names(call: Call) -> bytes:
    return b"\x80\x04cfunctools\npartial\n(" + _by_stack(call) + _arguments(call) + b"t}\x92)R."


def _from_memo(call: Call) -> bytes:
    function, arguments = (struct.pack("<I", place) for place in (1000, 1001))
    stored = _by_stack(call) + b"r" + function + b"0" + _tuple(call) + b"r" + arguments + b"0"
    return b"\x80\x04" + stored + b"j" + function + b"j" + arguments + b"R."


def _in_dict(call: Call) -> bytes:
    return b"\x80\x04}(" + _text("stems") + b"}" + _text("words") + _by_stack(call) + _tuple(call) + b"Ru."


def _after_data(call: Call) -> bytes:
    data = b"}(" + _text("stems") + b"}" + _text("words") + b"}u"
    return b"\x80\x04" + data + b"0" + _by_stack(call) + _tuple(call) + b"R."


def _in_list(call: Call) -> bytes:
    return b"\x80\x04](" + _by_stack(call) + _tuple(call) + b"Re."


FORMS: dict[str, Form] = {
    "STACK_GLOBAL": _stack_global,
    "a frame": _framed,
    **{f"GLOBAL, protocol {protocol}": _global(protocol) for protocol in range(6)},
    "getattr alone": _getattr_chain,
    "INST": _instance,
    "OBJ": _object,
    "NEWOBJ": _new_object,
    "NEWOBJ_EX": _new_object_with_names,
    "the memo": _from_memo,
    "a value of a dict": _in_dict,
    "what follows the data": _after_data,
    "an item of a list": _in_list,
}


def _special(mark: str) -> dict[str, bytes]:
    """Return forms for one call only: extensions, BUILD with a state, and map."""
    call: Call = (*EXTENDED, (mark,))
    function, arguments = _by_stack(call), _tuple(call)
    codes = {"EXT1": b"\x82" + bytes([EXTENSION]), "EXT2": b"\x83" + struct.pack("<H", EXTENSION)}
    codes["EXT4"] = b"\x84" + struct.pack("<i", EXTENSION)
    harmless = b"cfunctools\npartial\n(" + _by_stack(("os", "getcwd", ())) + b"t\x81"
    return {
        **{f"os.mkdir by {name}": b"\x80\x02" + code + arguments + b"R." for name, code in codes.items()},
        "os.mkdir by BUILD": b"\x80\x04" + harmless + b"(" + function + arguments + b"}Ntb)R.",
        "os.mkdir by map": b"\x80\x04cbuiltins\nlist\n(cbuiltins\nmap\n("
        + function
        + b"]("
        + _text(mark)
        + b"etRtR.",
    }


def _number(opcode: bytes, form: str, value: int) -> bytes:
    return opcode + struct.pack(form, value)


# These pickles call nothing; they break, hang or fill the memory of a careless reader.
BREAKING: dict[str, bytes] = {
    "a far place in the memo": b"\x80\x04}" + _number(b"r", "<I", 2**32 - 1) + b".",
    "a far place in the memo, as text": b"}p99999999999\n.",
    "a place before the memo": b"}p-1\n.",
    "nothing from the memo": b"\x80\x04h\x07.",
    "a persistent id": b"\x80\x04\x8c\x01aQ.",
    "a persistent id as text": b"Pos.system\n.",
    "a huge frame": b"\x80\x04\x95" + struct.pack("<Q", 2**63 - 1) + b".",
    "a frame within a frame": b"\x80\x04\x95" + struct.pack("<Q", 20) + (b"\x95" + bytes(8)) * 2 + b"}.",
    "a huge string": b"\x80\x04" + _number(b"\x8d", "<Q", 2**62) + b"a.",
    "huge bytes": b"\x80\x04" + _number(b"\x8e", "<Q", 2**63 - 1) + b"a.",
    "a huge byte array": b"\x80\x05" + _number(b"\x96", "<Q", 2**40) + b"a.",
    "a huge number": b"\x80\x02" + _number(b"\x8b", "<i", 2**31 - 1) + b"\x01.",
    "a negative length": b"\x80\x02" + _number(b"\x8b", "<i", -1) + b".",
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "a buffer from outside": b"\x80\x05\x97.",
    "many marks": b"(" * 100_000,
    "lists in lists": b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "dicts in dicts": b"\x80\x04" + (b"}" + _text("a")) * 20_000 + b"}" + b"s" * 20_000 + b".",
    "a tuple that doubles": b"\x80\x02)" + b"2\x86" * 60 + b".",
    "a list in itself": b"\x80\x04]\x94h\x00a.",
    "a key that has no hash": b"\x80\x04}]Ns.",
    "a stack run dry": b"\x80\x04000.",
    "no end": b"\x80\x04}",
    "an unknown protocol": b"\x80\x63}.",
    "an unknown opcode": b"\x80\x04\xff.",
    "an empty file": b"",
    "another format": b"PK\x03\x04" + bytes(60),
}


# --- results of each pickle ---------------------------------------------------------------------


def fire(folder: Path) -> dict[str, bool]:
    """Load the live pickles with an ordinary unpickler; return whether each left its mark."""
    mark = folder / "mark"
    return {payload.name: _leaves(payload.data, mark) for payload in payloads(mark) if payload.live}


def refuse(folder: Path) -> dict[str, str]:
    """Load each pickle as a vocabulary with its hash in the card; return refusals, "accepted" or "run"."""
    mark = folder / "mark"
    refusals = {}
    for payload in payloads(mark):
        refusals[payload.name] = _refusal(payload.data, folder / "vocabulary.pkl")
        if mark.exists():
            refusals[payload.name] = "run"
            _clear(mark)
    return refusals


def _leaves(data: bytes, mark: Path) -> bool:
    try:
        pickle.loads(data)
    except Exception:
        return False
    for _ in range(200):  # os.popen does not wait
        if mark.exists():
            break
        time.sleep(0.05)
    is_live = mark.exists()
    _clear(mark)
    return is_live


def _refusal(data: bytes, path: Path) -> str:
    path.write_bytes(data)
    path.with_suffix(".json").write_text(json.dumps({"sha256": sha256(data)}), encoding="utf-8")
    try:
        vocabulary.load(path)
    except vocabulary.VocabularyError as error:
        return str(error)
    return "accepted"


def _clear(mark: Path) -> None:
    if mark.is_dir():
        shutil.rmtree(mark)
    mark.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Load harmful pickles with an ordinary unpickler or the vocabulary's reader."
    )
    parser.add_argument(
        "action", choices=("fire", "refuse"), help="fire: ordinary unpickler; refuse: our reader"
    )
    parser.add_argument("folder", type=Path, help="an empty folder")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    copyreg.add_extension(*EXTENDED, EXTENSION)
    warnings.simplefilter("ignore", ResourceWarning)  # files that payloads open
    print(json.dumps((fire if options.action == "fire" else refuse)(options.folder)))


if __name__ == "__main__":
    main()
