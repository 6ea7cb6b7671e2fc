"""Fragments: what each source says of a code, before it is merged.

Fragments of code sets are small and stay in memory. Those of pages are not: they lie packed in a file of the draft,
and are read when their turn to be merged comes, so that memory does not grow with the pages.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

import msgspec

from codesearch.index.durable import writing
from codesearch.records import CodeRecord, Kind, Role, Source, decode_record


class Outline(Protocol):
    """What must be known of a fragment to find out which code it belongs to, and whether that exists."""

    @property
    def system(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def source(self) -> tuple[Source, ...]: ...


class Parked(msgspec.Struct, frozen=True):
    """A fragment that lies in a spool."""

    system: str
    code: str | None
    name: str
    kind: Kind
    source: tuple[Source, ...]
    spool: Spool
    start: int
    length: int

    def load(self) -> CodeRecord:
        """The whole fragment."""
        return decode_record(self.spool.read(self.start, self.length))


Fragment = CodeRecord | Parked


def loaded(fragment: Fragment) -> CodeRecord:
    """The whole of a fragment, wherever it lies."""
    return fragment.load() if isinstance(fragment, Parked) else fragment


def role_of(fragment: Outline) -> Role:
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

    def park(self, outline: Outline, line: bytes | memoryview) -> Parked:
        """Takes a fragment as a line of JSON.

        Raises:
            IndexUnusableError: the disk is full.
        """
        start = self._size
        with writing(self._folder):
            self._size += self._file.write(line)
        given = outline
        return Parked(given.system, given.code, given.name, given.kind, given.source, self, start, len(line))

    def read(self, start: int, length: int) -> bytes:
        """A line that was parked."""
        with writing(self._folder):
            if self._flushed < start + length:
                self._file.flush()
                self._flushed = self._size
            return os.pread(self._file.fileno(), length, start)
