"""The codec and its segment, as they stand in Whoosh's table of contents. They write no files of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from whoosh.codec.base import Codec, FieldWriter, PerDocumentWriter, Segment
from whoosh.filedb.filestore import FileStorage

from codesearch.errors import UsageError
from codesearch.index.codec.readers import ArrayDocumentReader, ArrayTermsReader
from codesearch.index.codec.view import Layout, SegmentView
from codesearch.records import learnt

SEGMENT_ID = "arrays"
"""Always the same, so that equal indexes are equal files; a generation has one segment."""


def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
    """What stands for every method of Whoosh's interfaces by which a segment is made or changed.

    Raises:
        UsageError: always.
    """
    raise UsageError("the index", "is built whole, and cannot be changed by Whoosh", "Build it with `write_index`.")


class ArraySegment(Segment):
    """The segment that the arrays in the folder of an index are."""

    def __init__(self, indexname: str, layout: Layout) -> None:
        self.indexname = indexname
        self.segid = SEGMENT_ID
        self.compound = False
        self.layout = layout

    def __getstate__(self) -> dict[str, Any]:
        layout: dict[str, Any] = _interned(msgspec.to_builtins(self.layout))
        return {"indexname": sys.intern(self.indexname), "layout": layout}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Raises msgspec.ValidationError where the state is not one of ours."""
        found = msgspec.convert(state, _State)
        self.__init__(found.indexname, found.layout)  # type: ignore[misc]

    def codec(self) -> ArrayCodec:
        return ArrayCodec(self)

    def doc_count_all(self) -> int:
        return self.layout.documents

    def should_assemble(self) -> bool:
        return False

    def has_deletions(self) -> bool:
        return False

    def deleted_count(self) -> int:
        return 0

    def deleted_docs(self) -> tuple[int, ...]:
        return ()

    def is_deleted(self, _docnum: int) -> bool:
        return False

    delete_document = set_doc_count = refuse


@learnt
class _State(msgspec.Struct, forbid_unknown_fields=True):
    indexname: str
    layout: Layout


class ArrayCodec(Codec):
    """Reads the segment from the arrays."""

    length_stats = False

    def __init__(self, segment: ArraySegment) -> None:
        self._segment = segment
        self._view: SegmentView | None = None

    def terms_reader(self, storage: FileStorage, _segment: Segment) -> ArrayTermsReader:
        return ArrayTermsReader(self._opened(storage))

    def per_document_reader(self, storage: FileStorage, _segment: Segment) -> ArrayDocumentReader:
        return ArrayDocumentReader(self._opened(storage))

    def per_document_writer(self, _storage: FileStorage, _segment: Segment) -> PerDocumentWriter:
        return _NoWriter()

    def field_writer(self, _storage: FileStorage, _segment: Segment) -> FieldWriter:
        return _NoWriter()

    def new_segment(self, _storage: FileStorage, _indexname: str) -> ArraySegment:
        return self._segment

    postings_writer = postings_reader = refuse

    def _opened(self, storage: FileStorage) -> SegmentView:
        """The arrays, opened once for both readers."""
        if self._view is None:
            self._view = SegmentView(Path(storage.folder), self._segment.layout)
        return self._view


class _NoWriter(PerDocumentWriter, FieldWriter):
    """Lets Whoosh commit a segment that is there already, and takes no documents."""

    is_closed = False

    start_doc = add_field = add_column_value = add_vector_items = refuse
    start_field = start_term = add = finish_term = refuse

    def close(self) -> None:
        self.is_closed = True


def _interned(value: Any) -> Any:
    """The same plain data with one object for equal strings: a pickle writes such a string once."""
    if isinstance(value, dict):
        return {sys.intern(key): _interned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_interned(item) for item in value]
    return sys.intern(value) if isinstance(value, str) else value
