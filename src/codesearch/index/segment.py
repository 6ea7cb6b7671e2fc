"""The Whoosh index over the arrays of a generation: written as a table of contents alone, and opened without trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from whoosh.index import FileIndex, LockError, create_in
from whoosh.index import IndexError as WhooshIndexError
from whoosh.writing import SegmentWriter

from codesearch.errors import IndexCorruptError, IndexUnusableError
from codesearch.index.codec.segment import ArraySegment
from codesearch.index.codec.view import Layout
from codesearch.index.durable import REBUILD, writing
from codesearch.index.fields import Fields
from codesearch.index.schema import build_schema, identifiers
from codesearch.index.settings import IndexSettings
from codesearch.index.trusted import INDEX_NAME, open_whoosh

_LOCK_NAME = f"{INDEX_NAME}_WRITELOCK"


def write_segment(folder: Path, settings: IndexSettings, documents: int) -> None:
    """Writes the table of contents through which Whoosh reads the arrays in the folder; equal input, equal bytes.

    Raises:
        ConfigError: two fields have one name.
        IndexUnusableError: the file cannot be written.
    """
    segment = ArraySegment(INDEX_NAME, _layout(settings.fields, documents))
    with _told(folder), writing(folder):
        index = create_in(str(folder), build_schema(settings), INDEX_NAME)
        writer = _writer(index, segment)
        # In place of the older segments (there are none), Whoosh lists ours, whose documents it never sees.
        writer.commit(mergetype=lambda _writer, _older: [segment])  # type: ignore[no-untyped-call]
        # Whoosh leaves its lock file; the generation is locked as a whole, and may hold listed files only.
        (folder / _LOCK_NAME).unlink()


def open_segment(folder: Path, settings: IndexSettings) -> FileIndex:
    """The Whoosh index in the folder, for reading, with the schema of the settings.

    Raises:
        UntrustedIndexError: it holds what no index of ours holds.
        IndexCorruptError: a file is missing, cut or changed, or of other fields than the settings have.
        ConfigError: two fields have one name.
    """
    index = open_whoosh(folder, build_schema(settings))
    # Whoosh has no public way to ask for its segments without opening them.
    segments = index._segments()  # type: ignore[no-untyped-call]
    if len(segments) != 1 or not isinstance(segments[0], ArraySegment):
        raise IndexCorruptError(str(folder), "does not have one segment over arrays", REBUILD)
    layout = segments[0].layout
    if layout != _layout(settings.fields, layout.documents):
        raise IndexCorruptError(str(folder), "has other fields than its configuration", REBUILD)
    index.reader().close()  # type: ignore[no-untyped-call]  # a damaged file is told now, not at the first search
    return index


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Whoosh has words of its own for a folder that cannot be listed or locked."""
    try:
        yield
    except (WhooshIndexError, LockError) as error:
        reason = f"cannot be written ({error!r})"
        raise IndexUnusableError(
            str(folder), reason, "Check the disk, or choose another place with --index."
        ) from error


def _layout(fields: Fields, documents: int) -> Layout:
    return Layout(documents, list(fields.title), list(fields.sections), identifiers(fields))


def _writer(index: FileIndex, segment: ArraySegment) -> SegmentWriter:
    """The one place that makes writers: one without our codec would drop the segment."""
    return SegmentWriter(index, codec=segment.codec(), compound=False)  # type: ignore[no-untyped-call]
