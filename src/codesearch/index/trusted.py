"""Opening a Whoosh index without trusting it: nothing that Whoosh unpickles can run code.

Whoosh keeps Python pickles in its files, and a pickle may name any function to be called. An index is only data to us,
so nothing is unpickled but what our own indexes hold:

- The table of contents (`_MAIN_<n>.toc`) holds two pickles. That of the schema is never loaded, because callers bring
  their own schema; its names are compared with those of that schema all the same. That of the list of segments is
  loaded with an allow-list of operations and one of names.
- What Whoosh reads with `StructFile.read_pickle` goes through `_TrustedFile`, because its files come from our storage.
- Whoosh's own codec also calls `pickle.loads` on posting values: see `_guard_posting_values`.
- Compound segments and stored fields would be unpickled too. We write neither, and neither can be opened.

Only names that whoosh3 3.54 and Whoosh-Reloaded 2.7.5 share are used.
"""

from __future__ import annotations

import pickle
import pickletools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from whoosh import formats
from whoosh.codec import whoosh3
from whoosh.codec.base import Segment
from whoosh.fields import Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.index import FileIndex

from codesearch.errors import CodesearchError, ConfigError, IndexCorruptError, UntrustedIndexError
from codesearch.index.codec.segment import ArraySegment
from codesearch.index.durable import REBUILD, reading

Names = Mapping[tuple[str, str], Any]
"""(module, name) in a pickle -> what stands for it."""

INDEX_NAME = "MAIN"
_TABLE = re.compile(rf"_{INDEX_NAME}_.*\.toc")
MAX_TABLE = 1024 * 1024
"""Bytes of the largest table of contents that is read; ours have a few thousand."""

_AVOID = f"Do not use it. {REBUILD}"
_NEVER_READ = (".seg", "._stored.col")
"""Ends of the names of compound segments and stored fields."""


def _latin1(text: str, _encoding: str) -> bytes:
    """In place of `_codecs.encode`, by which older pickle protocols spell bytes."""
    return text.encode("latin1")


VALUE_NAMES: Names = {("_codecs", "encode"): _latin1}
"""What posting values may name: they are numbers and bytes."""

SEGMENT_NAMES: Names = {
    ("builtins", "int"): int,
    ("codesearch.index.codec.segment", "ArraySegment"): ArraySegment,
    ("collections", "defaultdict"): defaultdict,
    ("whoosh.codec.whoosh3", "W3Codec"): whoosh3.W3Codec,
    ("whoosh.codec.whoosh3", "W3Segment"): whoosh3.W3Segment,
}
"""What the list of segments may name."""

# fmt: off
SEGMENT_OPERATIONS = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "LONG_BINGET",
    "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "SHORT_BINUNICODE",
    "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_TUPLE", "TUPLE1",
    "STACK_GLOBAL", "NEWOBJ", "REDUCE", "BUILD",
})
# fmt: on
"""What the list of segments is made with. It lacks, on purpose: tuples of two (nested, they take for ever to hash, and
as a state they set attributes of classes), numbered memos (they reserve any amount of memory) and extension codes."""

_NAMED_ELSEWHERE = frozenset({"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
"""Operations that name something, but do not say what; pickles of schemas (protocol 2) have none."""


def open_whoosh(folder: Path, schema: Schema) -> FileIndex:
    """The Whoosh index in the folder, for reading, with our own schema in place of the one it holds.

    Raises:
        UntrustedIndexError: it holds what no index of ours holds.
        IndexCorruptError: its table of contents is missing, cut or changed.
        ConfigError: the schema has no fields (Whoosh would then want the one in the index).
    """
    if not schema.names():
        raise ConfigError(str(folder), "no fields are configured", "Restore index/ from the codesearch checkout.")
    with reading(folder):
        tables = [path for path in sorted(folder.iterdir()) if _TABLE.fullmatch(path.name)]
    if not tables:
        raise IndexCorruptError(str(folder), "has no table of contents", REBUILD)
    for table in tables:
        _check_table(table, schema)
    _guard_posting_values()
    try:
        storage = _TrustedStorage(str(folder), readonly=True)  # type: ignore[no-untyped-call]
        return FileIndex(storage, schema=schema, indexname=INDEX_NAME)  # type: ignore[no-untyped-call]
    except CodesearchError:
        raise
    except Exception as error:  # Whoosh raises its own errors, assertions and struct.error alike
        raise IndexCorruptError(str(folder), f"cannot be opened ({error!r})", REBUILD) from error


def _check_table(path: Path, schema: Schema) -> None:
    """Check both pickles of a table of contents (laid out as in `whoosh.index.TOC.write`)."""
    try:
        with _open_table(path) as stream:
            for _ in ("int", "long", "float"):
                stream.read_varint()
            stream.read_int(), stream.read_int()  # byte order, version
            for _ in ("major", "minor", "patch"):
                stream.read_varint()
            schema_pickle = stream.read(stream.read_varint())
            stream.read_int(), stream.read_int()  # generation, unused
            _check_schema(path, schema_pickle, schema)
            stream.read_pickle()
    except CodesearchError:
        raise
    except Exception as error:  # a crafted or cut file can make every kind
        raise IndexCorruptError(str(path), f"cannot be read ({error!r})", REBUILD) from error


def _check_schema(path: Path, data: bytes, schema: Schema) -> None:
    for name in set(_names(data)) - set(_names(pickle.dumps(schema, 2))):
        raise UntrustedIndexError(str(path), f"holds a pickle that names {name}", _AVOID)


def _names(data: bytes) -> Iterator[str]:
    """What the pickle of a schema names; nothing is loaded."""
    for operation, argument, _ in pickletools.genops(data):
        if operation.name in {"GLOBAL", "INST"}:
            yield str(argument).replace(" ", ".")
        elif operation.name in _NAMED_ELSEWHERE:
            yield f"something by {operation.name}"


def _load_segments(path: Path, data: bytes) -> list[Segment]:
    for operation, _, _ in pickletools.genops(data):
        if operation.name not in SEGMENT_OPERATIONS:
            raise UntrustedIndexError(str(path), f"holds a pickle that uses {operation.name}", _AVOID)
    segments = _TrustedUnpickler(BytesIO(data), SEGMENT_NAMES, path).load()
    if not isinstance(segments, list) or not all(isinstance(segment, Segment) for segment in segments):
        raise UntrustedIndexError(str(path), "holds something else than segments", _AVOID)
    for segment in segments:
        name = segment.segment_id()
        if not name.startswith(f"{INDEX_NAME}_") or not name.isidentifier():
            raise UntrustedIndexError(str(path), f"names a segment {name!r}", _AVOID)
    return segments


class _TrustedUnpickler(pickle.Unpickler):
    """Builds what a pickle holds from allowed names only."""

    def __init__(self, file: BinaryIO, names: Names, path: Path) -> None:
        super().__init__(file)
        self._names = names
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._names[module, name]
        except KeyError:
            reason = f"holds a pickle that names {module}.{name}"
            raise UntrustedIndexError(str(self._path), reason, _AVOID) from None


class _TrustedFile(StructFile):
    """A file of a segment, whose pickles hold numbers and text."""

    def read_pickle(self) -> Any:
        return _TrustedUnpickler(self.file, VALUE_NAMES, Path(str(self))).load()


class _TrustedTable(StructFile):
    """A table of contents, whose one loaded pickle holds segments."""

    def read_pickle(self) -> list[Segment]:
        return _load_segments(Path(str(self)), self.read())

    def read_string(self) -> bytes:
        """Refused: what Whoosh reads as a string here is the pickle of the schema."""
        raise UntrustedIndexError(str(self), "would be asked for its schema", "Give it one of your own.")


class _TrustedStorage(FileStorage):
    """A folder whose files are unpickled only by the allow-lists."""

    def open_file(self, name: str, **options: Any) -> StructFile:
        path = Path(self.folder) / name
        if path.name != name or name.endswith(_NEVER_READ):
            raise UntrustedIndexError(str(path), "would have to be unpickled, and no index of ours needs it", _AVOID)
        if name.endswith(".toc"):
            return _open_table(path)
        return _TrustedFile(path.open("rb"), name=str(path), **options)


def _open_table(path: Path) -> StructFile:
    """The file in memory, because Whoosh leaves it open when it is damaged."""
    with path.open("rb") as file:
        data = file.read(MAX_TABLE + 1)
    if len(data) > MAX_TABLE:
        raise IndexCorruptError(str(path), f"has more than {MAX_TABLE} bytes", REBUILD)
    return _TrustedTable(BytesIO(data), name=str(path))


def _plain_loads(data: bytes) -> Any:
    return _TrustedUnpickler(BytesIO(data), VALUE_NAMES, Path("postings")).load()


def _guard_posting_values() -> None:
    """Let Whoosh's own codec unpickle numbers and bytes only; it writes nothing else, so no other user is disturbed.

    It calls `loads` from the globals of these modules, and offers no other way in. A codec without pickles needs none
    of this.
    """
    for module in (whoosh3, formats):
        vars(module)["loads"] = _plain_loads
