"""The face that other tools hold: an open index to search and to read records from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import msgspec

from codesearch.codes import readings, system_name
from codesearch.index.generations import Generation, GenerationStore
from codesearch.index.reader import IndexReader
from codesearch.query.results import Results
from codesearch.query.search import Filters, Searcher
from codesearch.records import CodeRecord

Sort = Literal["rank", "code"]


class Status(msgspec.Struct, frozen=True):
    """What an index holds: its generation, when it was built, counts by system and kind, sources, and bytes on disk."""

    generation: str
    built: str
    counts: dict[str, dict[str, int]]
    sources: list[dict[str, Any]]
    size: int

    def to_dict(self) -> dict[str, Any]:
        """The status as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Index:
    """An open index: one generation of it, whatever is published meanwhile. Safe to share between threads."""

    def __init__(self, path: Path, generation: Generation, reader: IndexReader) -> None:
        """Use `open_index`."""
        self.path = path
        self.generation = generation.name
        self._built = generation.built
        self._reader = reader
        with reader.explaining():
            self._searcher = Searcher(reader)

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._reader.documents

    def close(self) -> None:
        """Closes its files; hits already given keep their names, not their records."""
        self._reader.close()

    def search(
        self,
        query: str,
        *,
        system: str | Sequence[str] | None = None,
        billable: bool | None = None,
        limit: int = 10,
        offset: int = 0,
        sort: Sort = "rank",
        exact: bool = False,
    ) -> Results:
        """The codes that fit a query best.

        Args:
            query: codes in any spelling, words, or both.
            system: only codes of this system or these, by any of their names.
            billable: only billable codes (True), or only others (False).
            limit: at most this many hits, from `offset` on.
            sort: by rank, or by code.
            exact: search what is typed and nothing else: no synonyms, no corrections.

        Raises:
            UsageError: a number is out of range, or the index has no such system.
            IndexCorruptError: a file of the index is not as it was built.
        """
        systems = (system,) if isinstance(system, str) else tuple(system or ())
        with self._reader.answering():
            return self._searcher.search(query, Filters(systems, billable), limit, offset, sort, exact)

    def get(self, code: str, system: str | None = None) -> CodeRecord | None:
        """The record of a code in any spelling; without a system the first that has it. None where there is none.

        Raises:
            IndexCorruptError: a file of the index is not as it was built.
        """
        likely = [name for name, _ in readings(code)]
        with self._reader.answering():
            for name in [system_name(system)] if system else dict.fromkeys((*likely, *self.systems)):
                document = self._reader.find(name, code)
                if document is not None:
                    return self._reader.records.get(document)
        return None

    def all_of(self, code: str) -> list[CodeRecord]:
        """The records of a code in every system that has it (A0100 is a HCPCS code, and ICD-10-CM A01.00).

        Raises:
            IndexCorruptError: a file of the index is not as it was built.
        """
        with self._reader.answering():
            found = (self._reader.find(name, code) for name in self.systems)
            return [self._reader.records.get(document) for document in found if document is not None]

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems in the index, in the order of its documents."""
        return tuple(name for name in self._reader.systems if name)

    def status(self) -> Status:
        """What the index holds."""
        manifest = self._reader.manifest
        sources = [msgspec.to_builtins(source) for source in manifest.sources]
        return Status(self.generation, self._built, dict(manifest.counts), sources, manifest.size)


def open_index(path: str | Path) -> Index:
    """Opens the current generation of an index.

    Raises:
        IndexMissingError: there is no index at that place.
        IndexCorruptError: a file of it is missing, cut or changed.
        UntrustedIndexError: it holds what no index of ours would hold.
    """
    place = Path(path)
    store = GenerationStore(place)
    return store.open_current(lambda generation: Index(place, generation, IndexReader(generation.folder)))
