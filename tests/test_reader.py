"""An index is opened as data: a foreign pickle in it is refused and never loaded."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from query_support import cm, reader_of

import codesearch
from codesearch.errors import IndexCorruptError, UntrustedIndexError


class _Command:
    """Pickled, it runs a command when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self._marker}'",)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    source = tmp_path / "codes.csv"
    source.write_text("system,code,name\nLOCAL,A1,First visit\nLOCAL,A2,Second visit\n", encoding="utf-8")
    codesearch.reindex([source], tmp_path / "index")
    return tmp_path / "index"


def _table(index: Path) -> Path:
    return next((index / "generations").glob("*/*.toc"))


def _craft(table: Path, marker: Path) -> None:
    """Puts a command in place of the list of segments, which is the last pickle of the table."""
    data = table.read_bytes()
    table.write_bytes(data[: data.rfind(b"\x80")] + pickle.dumps([_Command(marker)]))


def test_a_crafted_index_is_untrusted_and_its_command_never_runs(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    _craft(_table(index), marker)
    with pytest.raises(UntrustedIndexError, match="system"):
        codesearch.open_index(index)
    assert not marker.exists()


def test_a_crafted_table_beside_ours_is_untrusted_too(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    other = _table(index).with_name("_MAIN_2.toc")
    other.write_bytes(_table(index).read_bytes())
    _craft(other, marker)
    with pytest.raises(UntrustedIndexError):
        codesearch.open_index(index)
    assert not marker.exists()


def test_the_command_line_refuses_a_crafted_index_with_status_3(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    _craft(_table(index), marker)
    command = [sys.executable, "-m", "codesearch", "search", "visit", "--index", str(index)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr
    assert not marker.exists()


def test_a_changed_table_of_contents_is_corrupt(index: Path) -> None:
    table = _table(index)
    data = bytearray(table.read_bytes())
    data[0] ^= 1
    table.write_bytes(data)
    with pytest.raises(IndexCorruptError):
        codesearch.open_index(index)


@pytest.mark.parametrize("name", ["Meniere disease", "Ménière disease", "Pain ≥ 7 days"])
def test_names_are_the_same_once_they_are_kept_in_memory(name: str) -> None:
    with reader_of([cm("A00", "Cholera"), cm("A01", name), cm("A02", "")]) as reader:
        before = list(map(reader.names.__getitem__, range(3))), list(map(reader.codes.__getitem__, range(3)))
        reader.learn()
        after = list(map(reader.names.__getitem__, range(3))), list(map(reader.codes.__getitem__, range(3)))
        assert before == after == (["Cholera", name, ""], ["A00", "A01", "A02"])
        assert reader.names.all() == after[0]
