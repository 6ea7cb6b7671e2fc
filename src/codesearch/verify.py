"""Verifying an index: every checksum, and that each record is what was indexed, and found by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codesearch.errors import IndexCorruptError
from codesearch.index import manifest
from codesearch.index.durable import REBUILD
from codesearch.index.generations import Generation, GenerationStore
from codesearch.index.manifest import Problem
from codesearch.index.reader import IndexReader
from codesearch.index.record_file import RECORDS
from codesearch.index.segment import open_segment


def verify(path: str | Path) -> Iterator[Problem]:
    """What is wrong with the current generation of an index: nothing, or each file or record that is.

    Records are looked at only when every file is as it was built.

    Raises:
        IndexUnusableError: there is no index, or it is too damaged to be looked at file by file.
    """
    store = GenerationStore(Path(path))
    return iter(store.open_current(lambda generation: list(_problems(generation))))


def check_generation(generation: Generation) -> None:
    """Looks at a generation as `verify` does, before it is gone back to.

    Raises:
        IndexCorruptError: names the first file that is not as it was built.
        IndexUnusableError: it is of another version, or cannot be read.
    """
    for problem in _problems(generation):
        raise IndexCorruptError(str(generation.folder / problem.name), problem.reason, REBUILD)


def _problems(generation: Generation) -> Iterator[Problem]:
    damaged = list(manifest.load(generation.folder).check_sums(generation.folder))
    if damaged:
        yield from damaged
        return
    reader = IndexReader(generation.folder)
    try:
        reader.check_structure()
        open_segment(generation.folder, reader.settings).close()  # type: ignore[no-untyped-call]
        yield from _counts(reader)
        yield from _records(reader)
    finally:
        reader.close()


def _counts(reader: IndexReader) -> Iterator[Problem]:
    listed = sum(kinds.get("total", 0) for kinds in reader.manifest.counts.values())
    if listed != reader.documents:
        yield Problem(manifest.MANIFEST, f"lists {listed} records; the index has {reader.documents}")


def _records(reader: IndexReader) -> Iterator[Problem]:
    for document in range(reader.documents):
        record = reader.records.get(document)
        if record.code is not None and reader.find(record.system, record.code) != document:
            yield Problem(RECORDS, f"record {document} ({record.system} {record.code}) is not found by its code")
        elif not reader.fits(document, record):
            yield Problem(RECORDS, f"record {document} ({record.system} {record.code}) is another than was indexed")
