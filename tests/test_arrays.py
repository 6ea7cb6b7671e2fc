"""Named arrays in a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from codesearch.errors import IndexCorruptError
from codesearch.index.arrays import Array, ArrayFile, ArrayWriter, write_arrays

KINDS: st.SearchStrategy[Any] = st.sampled_from([np.dtype(kind) for kind in ("i4", "i8", "u1", "u2", "f4", "?", "S24")])
ARRAYS: st.SearchStrategy[dict[str, Array]] = st.dictionaries(
    st.text(max_size=8), arrays_of.arrays(KINDS, arrays_of.array_shapes(min_dims=1, max_dims=1, min_side=0)), max_size=5
)


@given(ARRAYS)
def test_what_is_written_is_read_again(given: dict[str, Array]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.arrays")
        write_arrays(path, given, {"documents": 3})
        first = path.read_bytes()
        file = ArrayFile(path)
        assert file.meta == {"documents": 3}
        for name, array in given.items():
            assert file[name].dtype == array.dtype
            np.testing.assert_array_equal(file[name], array)
            assert not file[name].flags.writeable
        write_arrays(path, given, {"documents": 3})
        assert path.read_bytes() == first


@given(ARRAYS)
def test_arrays_are_written_as_they_come(given: dict[str, Array]) -> None:
    with TemporaryDirectory() as folder:
        at_once, one_by_one = Path(folder, "at once"), Path(folder, "one by one")
        write_arrays(at_once, given, {"documents": 3})
        with ArrayWriter(one_by_one) as writer:
            writer.meta = {"documents": 3}
            for name, array in given.items():
                writer.add({name: array})
        assert one_by_one.read_bytes() == at_once.read_bytes()


def test_a_file_that_was_left_with_an_error_is_none(tmp_path: Path) -> None:
    with suppress(KeyError), ArrayWriter(tmp_path / "x.arrays") as writer:
        writer.add({"a": np.arange(100)})
        raise KeyError
    with pytest.raises(IndexCorruptError, match="is cut"):
        ArrayFile(tmp_path / "x.arrays")


@given(st.integers(0, 400))
def test_a_cut_file_is_told(keep: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.arrays")
        write_arrays(path, {"a": np.arange(100)}, {})
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(IndexCorruptError):
            ArrayFile(path)["a"]


@pytest.mark.parametrize(
    "spec", [["|O", [1], 0], ["<i4", [-1], 0], ["<i4", [4], -64], ["<i4", [1 << 60], 0], ["no", [1], 0]]
)
def test_a_header_that_lies_is_told(tmp_path: Path, spec: list[object]) -> None:
    import msgspec

    header = msgspec.json.encode({"arrays": {"a": spec}, "meta": {}})
    path = tmp_path / "x.arrays"
    path.write_bytes(b"CSARRAY2" + b"\0" * 256 + header + len(header).to_bytes(8, "little") + b"CSARRAY2")
    with pytest.raises(IndexCorruptError):
        ArrayFile(path)


def test_an_array_that_is_not_there_is_told(tmp_path: Path) -> None:
    write_arrays(tmp_path / "x.arrays", {}, {})
    with pytest.raises(IndexCorruptError, match="has no array 'a'"):
        ArrayFile(tmp_path / "x.arrays")["a"]
