"""The kernel's machine code: made by numba once for a processor, kept in a file, and loaded by llvmlite alone.

To load numba takes as long as three hundred searches, and 60 MB of memory. The library that it compiles with,
llvmlite, loads what numba made in a fifth of that time, for nothing in the kernel needs numba while it runs.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm

_SOURCES = (
    "index/limits.py",
    *(f"query/{name}.py" for name in ("kernel_rows", "kernel", "kernel_matching", "kernel_calls", "native")),
)
"""The modules that the machine code is made from and by."""
_DIGEST_BYTES = 16

_table = (ctypes.c_void_p, ctypes.c_void_p)
_address, _number, _real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
_KINDS = {
    "rank": ctypes.CFUNCTYPE(
        _number, *_table, *_table, *_table, _address, _number, _number, _real,
        _number, _number, _address, _number, _address, _number,
    ),
    "mark": ctypes.CFUNCTYPE(_number, *_table, *_table, _address, _number, _address),
    "match": ctypes.CFUNCTYPE(
        _number, *_table, *_table, _number, _address, _number, _number, _address, _number
    ),
}  # fmt: skip
"""The functions of `kernel_calls`, as C has them."""

_NEVER_CALLED = frozenset(
    (
        "numba_gil_ensure", "numba_gil_release", "numba_unpickle", "numba_runtime_build_excinfo_struct",
        "numba_do_raise", "NRT_Free", "NRT_MemInfo_call_dtor",
    )
)  # fmt: skip
"""What numba's code calls to hand an error over to Python, or to free memory: the kernel does neither."""
_OF_C = frozenset(("sqrtf", "memset", "memcpy", "memmove"))

_lock = threading.Lock()
_engines: list[llvm.ExecutionEngine] = []
"""They own the machine code."""


class Functions(NamedTuple):
    """The functions of `kernel_calls`, which let other threads run meanwhile."""

    rank: Callable[..., int]
    mark: Callable[..., int]
    match: Callable[..., int]


_functions: list[Functions] = []


def functions() -> Functions:
    """The compiled functions: loaded, or made and kept, which takes half a minute.

    Raises:
        OSError: they are not kept yet, and there is no folder to keep them in.
    """
    with _lock:
        if not _functions:
            _functions.append(_kept() or _made())
        return _functions[0]


def _folders() -> Iterator[Path]:
    """Where machine code is kept: where Python keeps what it compiled, or else in the user's own cache."""
    yield Path(__file__).with_name("__pycache__")

    from platformdirs import user_cache_path

    yield user_cache_path("codesearch")


def _file_name() -> str:
    """A name for what the machine code depends on: what it is made from and by, and the processor."""
    made_from = [(Path(__file__).parents[1] / name).read_bytes() for name in _SOURCES]
    made_by = [version("numba"), llvm.llvm_version_info, llvm.get_default_triple(), *_processor()]
    return f"kernel-{_digest(b''.join(made_from) + repr(made_by).encode()).hex()}.o"


def _processor() -> tuple[str, str]:
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _kept() -> Functions | None:
    """The functions as they are kept; None where they are not, or are damaged."""
    name = _file_name()
    for folder in _folders():
        with suppress(OSError):
            data = (folder / name).read_bytes()
            digest, code = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
            if code and digest == _digest(code):
                return _loaded(code)
    return None


def _made() -> Functions:
    """The functions made anew, and kept."""
    folder = next(filter(_is_writable, _folders()), None)
    if folder is None:
        raise OSError("there is no folder to keep compiled code in")
    code, name = _compiled(), _file_name()
    draft = folder / f".{name}.{os.getpid()}"  # for several processes may be at it
    try:
        draft.write_bytes(_digest(code) + code)
        draft.replace(folder / name)
    except OSError as error:
        import logging

        logging.getLogger("codesearch").warning("compiled code is not kept: %s", error)
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return _loaded(code)


def _is_writable(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.access(folder, os.W_OK | os.X_OK)
    return False


def _compiled() -> bytes:
    """The machine code for this processor, as an object file that needs nothing but C's own library."""
    from codesearch.query import kernel_calls

    module = llvm.parse_assembly("")
    for name in _KINDS:
        made = getattr(kernel_calls, name)
        part = llvm.parse_assembly(made.inspect_llvm())
        part.get_function(made.native_name).name = name
        module.triple, module.data_layout = part.triple, part.data_layout
        module.link_in(part)
    module.link_in(_without_python(module))
    cpu, features = _processor()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu, features=features, opt=3, codemodel="jitdefault", jit=True
    )
    code: bytes = machine.emit_object(module)
    return code


def _without_python(module: llvm.ModuleRef) -> llvm.ModuleRef:
    """What a module needs of Python and numba and never calls, so that it can be loaded without them: a call ends the
    process.

    Raises:
        ValueError: it needs something else, which it may well call.
    """
    ends = ["declare void @abort()"]
    for one in module.functions:
        if one.is_declaration and not one.name.startswith("llvm.") and one.name not in _OF_C:
            if not one.name.startswith("Py") and one.name not in _NEVER_CALLED:
                raise ValueError(f"compiled code needs {one.name}")
            ends.append(f"define void @{one.name}() {{ call void @abort() unreachable }}")
    ends += [f"@{one.name} = global ptr null" for one in module.global_variables if one.is_declaration]
    made = llvm.parse_assembly("\n".join(ends))
    made.triple, made.data_layout = module.triple, module.data_layout
    return made


def _loaded(code: bytes) -> Functions:
    """The functions of an object file."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return Functions(*(kind(engine.get_function_address(name)) for name, kind in _KINDS.items()))


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()
