"""Named arrays in one file: written once, as they are made, opened by memory map, read in place.

File: the magic bytes, the arrays, each at a multiple of 64 bytes, the header (JSON: name -> [dtype, shape, place in the
file], and `meta`, any plain data), its length (8 bytes, little-endian), and the magic bytes again. Arrays have one
dimension.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import writing
from codesearch.records import BROKEN_JSON, learnt

Array = npt.NDArray[Any]

MAGIC = b"CSARRAY2"
ARRAYS_NAME = "index.arrays"
"""The file of a generation that holds postings and tables."""
_ALIGNMENT = 64
_LENGTH_BYTES = 8
_MAX_HEADER = 64 * 1024 * 1024
_PLAIN = re.compile(r"[<|][biuf][1248]|\|S[1-9]\d{0,3}")
"""The kinds of numbers and texts that an array may be made of, as numpy names them."""


class ArrayWriter:
    """Writes a file of arrays, which is whole when it was left; equal input gives equal bytes."""

    def __init__(self, path: Path) -> None:
        """Makes the file.

        Raises:
            IndexUnusableError: it cannot be written, here and in what follows.
        """
        self._path = path
        self._table: dict[str, tuple[str, tuple[int, ...], int]] = {}
        self.meta: Mapping[str, Any] = {}
        """What stands beside the arrays."""
        with writing(path):
            self._file = path.open("wb")
            self._file.write(MAGIC)

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing(self._path), self._file:
            if kind is None:
                header = msgspec.json.encode({"arrays": self._table, "meta": self.meta}, order="deterministic")
                self._file.write(header + len(header).to_bytes(_LENGTH_BYTES, "little") + MAGIC)

    def add(self, arrays: Mapping[str, Array]) -> None:
        """Writes some arrays."""
        with writing(self._path):
            for name, array in arrays.items():
                self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
                self._table[name] = (array.dtype.str, array.shape, self._file.tell())
                self._file.write(np.ascontiguousarray(array).data.cast("B") if array.nbytes else b"")


def write_arrays(path: Path, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> None:
    """Writes a file of arrays that are all there.

    Raises:
        IndexUnusableError: the file cannot be written.
    """
    with ArrayWriter(path) as writer:
        writer.meta = meta
        writer.add(arrays)


_Count = Annotated[int, msgspec.Meta(ge=0)]


@learnt
class _Header(msgspec.Struct):
    arrays: dict[str, tuple[str, tuple[_Count], _Count]]
    meta: dict[str, Any]


class ArrayFile:
    """The arrays of a file, as read-only views into its memory map."""

    def __init__(self, path: Path) -> None:
        """Maps the file.

        Raises:
            IndexCorruptError: it is missing, cut, or no file of arrays.
        """
        self._path = path
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self.corrupt(f"cannot be read ({error})") from error
        header, end = self._header()
        self.meta = header.meta
        self._arrays = {name: self._view(name, spec, end) for name, spec in header.arrays.items()}
        self._starts = {name: start for name, (_, _, start) in header.arrays.items()}

    def __getitem__(self, name: str) -> Array:
        try:
            return self._arrays[name]
        except KeyError as error:
            raise self._missing(name) from error

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def names(self) -> list[str]:
        """The names of the arrays, in the order of the file."""
        return list(self._arrays)

    def mapped(self, name: str) -> tuple[mmap.mmap, int]:
        """The memory map, and where in it an array begins: slices of a map are quicker to take than those of arrays."""
        try:
            return self._map, self._starts[name]
        except KeyError as error:
            raise self._missing(name) from error

    def check_kind(self, name: str, kind: str, length: int) -> None:
        """Raises IndexCorruptError where an array is not of a kind, as numpy names it, or not of a length."""
        array = self[name]
        if array.dtype.str != kind or array.shape != (length,):
            raise self.corrupt(f"array {name!r} is {array.dtype.str} {array.shape}, not {kind} ({length},)")

    def check_numbers(self, name: str, lowest: int, end: int) -> None:
        """Raises IndexCorruptError where a number is below the lowest, or not below the end."""
        numbers = self[name]
        if len(numbers) and not (lowest <= int(numbers.min()) and int(numbers.max()) < end):
            raise self.corrupt(f"array {name!r} has numbers out of {lowest} to {end}")

    def check_flags(self, name: str) -> None:
        """Raises IndexCorruptError where a truth value is neither 0 nor 1: numpy counts on it, and checks nothing."""
        if (self[name].view(np.uint8) > 1).any():
            raise self.corrupt(f"array {name!r} has values that are neither true nor false")

    def check_offsets(self, name: str, end: int) -> None:
        """Raises IndexCorruptError where offsets do not cut so many items into slices that follow each other."""
        offsets = self[name]
        if not len(offsets) or offsets[0] != 0 or offsets[-1] != end or (offsets[1:] < offsets[:-1]).any():
            raise self.corrupt(f"array {name!r} does not cut {end} items into slices")

    def _header(self) -> tuple[_Header, int]:
        """The header, and where it begins: the arrays end before."""
        end = len(self._map) - _LENGTH_BYTES - len(MAGIC)
        length = int.from_bytes(self._map[max(0, end) : -len(MAGIC)], "little")
        is_whole = self._map[: len(MAGIC)] == self._map[-len(MAGIC) :] == MAGIC
        if not is_whole or not 0 < length <= min(_MAX_HEADER, end - len(MAGIC)):
            raise self.corrupt("is cut, or no file of arrays")
        try:
            return msgspec.json.decode(self._map[end - length : end], type=_Header), end - length
        except BROKEN_JSON as error:
            raise self.corrupt(f"has a broken header ({error})") from error

    def _view(self, name: str, spec: tuple[str, tuple[int], int], end: int) -> Array:
        dtype_name, (count,), start = spec
        if not _PLAIN.fullmatch(dtype_name):
            raise self.corrupt(f"array {name!r} is not plain data")
        dtype = np.dtype(dtype_name)
        if start + count * dtype.itemsize > end:
            raise self.corrupt(f"array {name!r} ends beyond the others")
        return np.frombuffer(self._map, dtype, count, start)

    def _missing(self, name: str) -> IndexCorruptError:
        return self.corrupt(f"has no array {name!r}")

    def corrupt(self, reason: str) -> IndexCorruptError:
        """The error that says what is wrong with the file."""
        return IndexCorruptError(str(self._path), reason, "Rebuild the index: codesearch reindex SOURCE...")
