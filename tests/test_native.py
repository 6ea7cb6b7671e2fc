"""The kernel's machine code is made once, kept, and loaded without numba; what is damaged is made anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copyfile

import llvmlite.binding as llvm
import numpy as np
import pytest

from codesearch.query import native
from codesearch.query.kernel_tables import Array, Table


@pytest.fixture
def code() -> bytes:
    """The machine code as it is kept for this processor."""
    native.functions()
    kept = [folder / native._file_name() for folder in native._folders()]
    return next(path for path in kept if path.exists()).read_bytes()[native._DIGEST_BYTES :]


@pytest.fixture
def made(code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often code is made, in a process that has none yet and keeps it in a folder of the test's."""
    calls: list[str] = []

    def compiled() -> bytes:
        calls.append("made")
        return code

    monkeypatch.setattr(native, "_compiled", compiled)
    monkeypatch.setattr(native, "_folders", lambda: iter([tmp_path / "new" / "cache"]))
    monkeypatch.setattr(native, "_functions", [])
    return calls


def forget() -> None:
    """Makes this process one that has loaded nothing."""
    native._functions.clear()


def test_code_is_made_once_for_all_processes(made: list[str], tmp_path: Path) -> None:
    first = native.functions()
    assert native.functions() is first
    forget()
    assert native.functions() is not first
    assert made == ["made"]
    assert [path.name for path in (tmp_path / "new" / "cache").iterdir()] == [native._file_name()]


@pytest.mark.parametrize("damage", ["cut", "empty", "turned", "foreign"])
def test_damaged_code_is_made_anew(made: list[str], tmp_path: Path, damage: str) -> None:
    native.functions()
    path = tmp_path / "new" / "cache" / native._file_name()
    sound = path.read_bytes()
    turned = bytearray(sound)
    turned[len(turned) // 2] ^= 1
    path.write_bytes({"cut": sound[:-1], "empty": b"", "turned": bytes(turned), "foreign": b"not ours"}[damage])
    forget()
    native.functions()
    assert made == ["made", "made"]
    assert path.read_bytes() == sound


def test_code_for_another_processor_is_not_loaded(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    native.functions()
    monkeypatch.setattr(native, "_processor", lambda: ("another", ""))
    forget()
    native.functions()
    assert made == ["made", "made"]


@pytest.mark.parametrize("changed", native._SOURCES)
def test_code_of_other_sources_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = native._file_name()
    for name in native._SOURCES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copyfile(Path(native.__file__).parents[1] / name, tmp_path / name)
    monkeypatch.setattr(native, "__file__", str(tmp_path / "query" / "native.py"))
    assert native._file_name() == before
    with (tmp_path / changed).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert native._file_name() != before


def test_where_it_cannot_be_kept_nothing_is_compiled(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take half a minute of every process."""
    monkeypatch.setattr(native, "_folders", lambda: iter([Path("/proc/nowhere")]))
    with pytest.raises(OSError, match="no folder"):
        native.functions()
    assert made == []


@pytest.mark.usefixtures("made")
def test_on_a_full_disk_it_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert native.functions() is native.functions()
    assert "No space left" in caplog.text
    assert not list((tmp_path / "new" / "cache").iterdir())


def test_code_that_would_need_numba_is_refused() -> None:
    """Taking memory, for one, is the business of a library that is not there."""
    module = llvm.parse_assembly("declare ptr @NRT_Allocate(i64)\ndefine void @f() { ret void }")
    with pytest.raises(ValueError, match="NRT_Allocate"):
        native._without_python(module)


@pytest.mark.parametrize(
    "array", [np.zeros(4, np.int64), np.zeros((4, 4), np.int32)[:, 0], np.zeros((4, 4), np.int32).T]
)
def test_arrays_that_compiled_code_would_misread_are_refused(array: Array) -> None:
    Table([np.zeros(4, np.int32)], "i")
    with pytest.raises(TypeError, match="array 0"):
        Table([array], "i")


def test_a_process_with_kept_code_has_no_numba() -> None:
    native.functions()
    told = "import json, sys; print(json.dumps([*sys.modules]))"
    script = f"from codesearch.query.compiled import functions; functions(); {told}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "llvmlite.binding" in json.loads(done.stdout)
    assert "numba" not in json.loads(done.stdout)
