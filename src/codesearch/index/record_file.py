"""The record file: every record of an index, with the fragments that it was merged from, in compressed blocks.

A document is one line of JSON: `{"record": ..., "fragments": [...]}`; `fragments` is left out where the record is
exactly what its one source gave. Blocks hold whole lines, each block a frame of Zstandard. For each document there
stand beside them where it lies, and the hash of what it says (XXH3, 64 bits), by which two generations are compared.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard
from xxhash import xxh3_64_digest

from codesearch.codes import bare
from codesearch.errors import IndexCorruptError, IndexUnusableError
from codesearch.index.arrays import Array, ArrayFile, write_arrays
from codesearch.index.durable import reading, writing
from codesearch.index.remembered import Remembered
from codesearch.records import BROKEN_JSON, CodeRecord

RECORDS = "records"
ORPHANS = "orphans"
"""Names of record files: the index's records, and fragments that belong to none of them."""
_BLOCK_BYTES = 16 * 1024
"""With twice as many a file takes a quarter less, and a record that is read by itself a third longer."""
_TOGETHER = 1000
"""Records that are made into lines before these are written."""
_MAX_BLOCK = 512 * 1024 * 1024
_LEVEL = 1
"""Of compression: higher ones take longer and save next to nothing."""
_REMEMBERED_BYTES = 8 * 1024 * 1024
"""Unpacked blocks that are kept."""
_SOURCES = b',"source":['
"""What stands in the JSON of a record between what it says and where it comes from; no text can hold it, for a quote in
a text has a backslash before it."""


class StoredRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record as it is kept; `fragments` are what its sources gave, where that is not the record itself."""

    record: CodeRecord
    fragments: tuple[CodeRecord, ...] = ()

    def sources(self) -> tuple[CodeRecord, ...]:
        """What the sources gave."""
        return self.fragments or (self.record,)


class MergedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that is to be kept, its fragments being JSON already."""

    record: CodeRecord
    fragments: tuple[msgspec.Raw, ...] = ()


class RawRecord(msgspec.Struct, frozen=True):
    """A stored record whose parts are still JSON."""

    record: msgspec.Raw
    fragments: tuple[msgspec.Raw, ...] = ()

    def sources(self) -> tuple[msgspec.Raw, ...]:
        """What the sources gave."""
        return self.fragments or (self.record,)


class LineReader:
    """Some fields of records, read from lines of a record file without the rest: most of a line says where the record
    comes from."""

    def __init__(self, names: Collection[str]) -> None:
        """Takes the names of the fields."""
        wanted = [one for one in msgspec.structs.fields(CodeRecord) if one.name in names]
        record = msgspec.defstruct("Record", [_as_in_records(one) for one in wanted])
        self.names = tuple(one.name for one in wanted)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Line", [("record", record)]))

    def of(self, line: bytes) -> Any:
        """The fields of the record of a line, as attributes."""
        return self._decoder.decode(line).record


def _as_in_records(field: msgspec.structs.FieldInfo) -> Any:
    """A field of a record as `defstruct` takes it."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.name, field.type, msgspec.field(default_factory=field.default_factory)
    return (field.name, field.type) if field.required else (field.name, field.type, field.default)


class Lines(NamedTuple):
    """Records as lines of JSON in packed blocks.

    Of each line: where it begins in its block, the first one at 0, and the hash of what it says.
    """

    blocks: list[bytes]
    starts: npt.NDArray[np.int32]
    contents: bytes


class _Own(threading.local):
    """What threads cannot share."""

    def __init__(self) -> None:
        self.packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self.unpacker = zstandard.ZstdDecompressor()


_own = _Own()
_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(StoredRecord)
_RAW_DECODER = msgspec.json.Decoder(RawRecord)
_KEY_FIELDS = LineReader(("system", "code", "name", "source"))


def key_of(record: CodeRecord) -> str:
    """What a record is known by from one generation to the next: system and code, or where it stands and its name."""
    if record.code is not None:
        return f"{record.system}\0{bare(record.code)}"
    place = record.source[0] if record.source else None
    return f"{record.system}\0\0{(place.url or place.path) if place else ''}\0{record.name}"


def lines_of(records: Iterable[StoredRecord | MergedRecord]) -> Lines:
    """The records as they are written: a block ends with the line that makes it large enough, and with the last."""
    pack = _own.packer.compress
    blocks, starts, contents = list[bytes](), array("i"), bytearray()
    block, start = bytearray(), 0
    for stored in records:
        _ENCODER.encode_into(stored, block, start)
        contents += xxh3_64_digest(_content(block, start, stored))
        block += b"\n"
        starts.append(start)
        start = len(block)
        if start >= _BLOCK_BYTES:
            blocks.append(pack(block))
            start = 0
    if start:
        blocks.append(pack(block))
    return Lines(blocks, np.array(starts, np.int32), bytes(contents))


def write_records(folder: Path, records: Iterable[StoredRecord | MergedRecord], name: str = RECORDS) -> None:
    """Writes the two files of a record file, `name.bin` and `name.arrays`.

    Raises:
        IndexUnusableError: a file cannot be written.
    """
    left = iter(records)
    with RecordWriter(folder, name) as writer:
        while together := list(islice(left, _TOGETHER)):
            writer.add(lines_of(together))


class RecordWriter:
    """Writes a record file as `write_records` does, from lines that others made; it is whole when it was left."""

    def __init__(self, folder: Path, name: str = RECORDS) -> None:
        """Makes the file.

        Raises:
            IndexUnusableError: a file cannot be written, here and in what follows.
        """
        self._path = folder / f"{name}.bin"
        self._table = folder / f"{name}.arrays"
        with writing(self._path):
            self._file = self._path.open("wb")
        self._blocks = [0]
        self._starts: list[Array] = []
        self._contents = bytearray()

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with writing(self._path):
            self._file.close()
        if kind is None:
            starts = np.concatenate([np.zeros(0, np.int32), *self._starts])
            table: dict[str, Array] = {
                "blocks": np.array(self._blocks, np.int64),
                "block_of": np.cumsum(starts == 0, dtype=np.int32) - np.int32(1),
                "start_of": starts,
                "contents": np.frombuffer(bytes(self._contents), "<u8"),
            }
            write_arrays(self._table, table, {})

    def add(self, lines: Lines) -> None:
        """Writes some lines."""
        with writing(self._path):
            for block in lines.blocks:
                self._blocks.append(self._blocks[-1] + self._file.write(block))
        self._starts.append(lines.starts)
        self._contents += lines.contents


def _content(block: bytearray, start: int, stored: StoredRecord | MergedRecord) -> bytes | bytearray:
    """The part of the line from here that says something of the code: neither where that comes from, nor what follows
    it."""
    if stored.record.source:
        # What is looked for stands once in a record and nearly at its end, so from there where no fragments follow.
        return block[start : (block.find if stored.fragments else block.rfind)(_SOURCES, start)]
    return _ENCODER.encode(StoredRecord(stored.record))[:-2]


class RecordFile:
    """The records of an index by document number; keeps some blocks unpacked."""

    def __init__(self, folder: Path, name: str = RECORDS) -> None:
        """Opens the file.

        Raises:
            IndexCorruptError: a file is missing or cut.
        """
        self._path = folder / f"{name}.bin"
        self._table = ArrayFile(folder / f"{name}.arrays")
        self._blocks, self._block_of, self._start_of = (self._table[key] for key in ("blocks", "block_of", "start_of"))
        try:
            self._file = self._path.open("rb", buffering=0)
        except OSError as error:
            raise self._corrupt(f"cannot be read ({error.strerror})") from error
        try:
            with reading(self._path):
                self._check()
        except IndexUnusableError:
            self._file.close()
            raise
        self._unpacked: Remembered[int, bytes] = Remembered(_REMEMBERED_BYTES)

    def __len__(self) -> int:
        return len(self._block_of)

    @property
    def contents(self) -> npt.NDArray[np.uint64]:
        """By document, the hash of what it says.

        Raises:
            IndexCorruptError: the file has none.
        """
        return self._table["contents"]

    def keys(self, documents: Iterable[int]) -> Iterator[str]:
        """The keys of some documents.

        Raises:
            IndexCorruptError: a block cannot be unpacked or read.
        """
        return (key_of(self.fields(document, _KEY_FIELDS)) for document in documents)

    def get(self, document: int) -> CodeRecord:
        """The record of a document.

        Raises:
            IndexCorruptError: its block cannot be unpacked or read.
        """
        return self.stored(document).record

    def stored(self, document: int) -> StoredRecord:
        """The record of a document with its fragments.

        Raises:
            IndexCorruptError: its block cannot be unpacked or read.
        """
        return self.decode(self._line(document))

    def fields(self, document: int, reader: LineReader) -> Any:
        """Some fields of the record of a document.

        Raises:
            IndexCorruptError: its block cannot be unpacked or read.
        """
        try:
            return reader.of(self._line(document))
        except BROKEN_JSON as error:
            raise self._broken(error) from error

    def all(self) -> Iterator[StoredRecord]:
        """Every record in document order.

        Raises:
            IndexCorruptError: a block cannot be unpacked or read.
        """
        return map(self.decode, self.lines())

    def lines(self) -> Iterator[bytes]:
        """Every record in document order, as a line of JSON.

        Raises:
            IndexCorruptError: a block cannot be unpacked or read.
        """
        for number in range(len(self._blocks) - 1):
            yield from self._block(number).splitlines()

    def decode(self, line: bytes) -> StoredRecord:
        """The record of a line.

        Raises:
            IndexCorruptError: it is no record.
        """
        try:
            return _DECODER.decode(line)
        except BROKEN_JSON as error:
            raise self._broken(error) from error

    def decode_raw(self, line: bytes) -> RawRecord:
        """The record of a line, its parts left as they are.

        Raises:
            IndexCorruptError: it is no record.
        """
        try:
            return _RAW_DECODER.decode(line)
        except BROKEN_JSON as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _check(self) -> None:
        """Whether every document lies in a block of the file."""
        table, documents = self._table, len(self._block_of)
        kinds = {"block_of": "<i4", "start_of": "<i4", "contents": "<u8"}
        for name, kind in kinds.items():
            table.check_kind(name, kind, documents)
        table.check_kind("blocks", "<i8", len(self._blocks))
        table.check_offsets("blocks", int(self._blocks.max(initial=0)))
        if os.fstat(self._file.fileno()).st_size != self._blocks[-1]:
            raise self._corrupt("is cut")
        table.check_numbers("block_of", 0, max(1, len(self._blocks) - 1))
        table.check_numbers("start_of", 0, _MAX_BLOCK)

    def _block(self, number: int) -> bytes:
        known = self._unpacked.get(number)
        if known is not None:
            return known
        start, end = int(self._blocks[number]), int(self._blocks[number + 1])
        try:
            # pread keeps no position, so threads may share the file.
            packed = os.pread(self._file.fileno(), end - start, start)
            if not 0 <= zstandard.frame_content_size(packed) <= _MAX_BLOCK:
                raise self._corrupt("has a block of no size that it could have")
            block = _own.unpacker.decompress(packed)
        except (OSError, zstandard.ZstdError) as error:
            raise self._corrupt(f"cannot be unpacked ({error})") from error
        return self._unpacked.keep(number, block, len(block))

    def _line(self, document: int) -> bytes:
        block, start = self._block(int(self._block_of[document])), int(self._start_of[document])
        return block[start : block.find(b"\n", start)]

    def _broken(self, error: Exception) -> IndexCorruptError:
        return self._corrupt(f"holds a broken record ({error})")

    def _corrupt(self, reason: str) -> IndexCorruptError:
        return IndexCorruptError(str(self._path), reason, "Rebuild the index: codesearch reindex SOURCE...")
