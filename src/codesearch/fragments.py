"""Fragments: what each source says of a code, before it is merged.

They are lines of JSON with an outline each. Those of code sets are short and stay in memory. Those of pages are not:
they lie in a file of the draft, and are read when their turn to be merged comes, so that memory does not grow with
the pages.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import writing
from codesearch.records import BROKEN_JSON, CodeRecord, Outline, PackedRecord, Role, decode_record, outline_values

T = TypeVar("T")

_PARKED_FROM = 1500
"""Bytes; longer fragments are mostly pages."""


class Parked(Outline, frozen=True, kw_only=True):
    """A fragment that lies in a spool."""

    spool: Spool
    start: int
    length: int

    @property
    def line(self) -> bytes:
        """The fragment as a line of JSON."""
        return self.spool.read(self.start, self.length)


Fragment = PackedRecord | Parked


def loaded(fragment: Fragment) -> CodeRecord:
    """The whole of a fragment; errors are those of `read_fragment`."""
    return read_fragment(fragment.line)


def read_fragment(line: bytes) -> CodeRecord:
    """The fragment of a line.

    Raises:
        IndexCorruptError: it was taken from an index, and is no record.
    """
    return _read(line, decode_record)


class _Properties(msgspec.Struct):
    properties: dict[str, str] = {}


_decode_properties = msgspec.json.Decoder(_Properties).decode


def properties_of(fragment: Fragment) -> dict[str, str]:
    """The properties of a fragment, of which no more is read; errors are those of `read_fragment`."""
    return _read(fragment.line, _decode_properties).properties


def _read(line: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(line)
    except BROKEN_JSON as error:
        reason = f"holds a broken record ({error})"
        raise IndexCorruptError(
            "the index", reason, "Read all inputs anew: codesearch reindex --full SOURCE..."
        ) from error


def role_of(fragment: Outline | CodeRecord) -> Role:
    """The role of the source that gave a fragment."""
    return fragment.source[0].role if fragment.source else "page"


class Spool:
    """A file without a name, in which fragments are parked; it vanishes with the process."""

    def __init__(self, folder: Path) -> None:
        """Makes the file on the disk of the folder.

        Raises:
            IndexUnusableError: it cannot be written.
        """
        self._folder = folder
        with writing(folder):
            self._file = tempfile.TemporaryFile(dir=folder, buffering=1 << 20)  # noqa: SIM115 (closed by __exit__)
        self._size = 0
        self._flushed = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # on a full disk it cannot write what is no longer wanted
            self._file.close()

    def keep(self, packed: PackedRecord) -> Fragment:
        """The fragment, parked if it is long.

        Raises:
            IndexUnusableError: the disk is full.
        """
        if len(packed.line) < _PARKED_FROM:
            return packed
        start = self._size
        with writing(self._folder):
            self._size += self._file.write(packed.line)
        return Parked(*outline_values(packed), spool=self, start=start, length=len(packed.line))

    def read(self, start: int, length: int) -> bytes:
        """A line that was parked."""
        with writing(self._folder):
            if self._flushed < start + length:
                self._file.flush()
                self._flushed = self._size
            return os.pread(self._file.fileno(), length, start)
