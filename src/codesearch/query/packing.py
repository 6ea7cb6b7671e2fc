"""Slots made ready for the compiled ranking, and remembered: where the postings of their alternatives lie, what their
phrases and sections match, and how high each scores in each block of entries and in each of its parts.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from itertools import accumulate
from math import prod
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import REBUILD
from codesearch.query import kernel_rows as kernel
from codesearch.query.kernel_tables import Table, beginning
from codesearch.query.native import Functions
from codesearch.query.plan import Slot
from codesearch.query.score import Collection, Floats, ancestor_mass

F = np.float32
Longs = npt.NDArray[np.int64]
Terms = tuple[int, ...]

POSTINGS, POSTINGS_BY_ENTRY = 2_000_000, 8
"""Postings of phrases, and of sections, that are remembered: at least so many, and so many for each entry."""
MARK_BYTES, ROWS = 32_000_000, 6_000
"""Memory for marks, and room for so many runs of terms at least: with less, a large index (1.8 million records) packs
the same words again and again, and takes five times as long."""
SLOTS = 20_000
"""Slots that are kept packed."""
_POSTINGS_OF_FREQUENT = 2
"""Postings for each block that a frequent term has at least: the table of these is smaller than the postings."""
_SLOT = Struct(f"={4 * kernel.ALTERNATIVES}xi2f{4 * (kernel.ROW - 1 - kernel.BELOW_MASS)}x")
_NUMBERS = Struct("=5f")
"""The row of a slot that the kernel reads, and the end of that of an alternative; it names the numbers."""


class Parts(NamedTuple):
    """Bounds of parts of blocks: in entries, and in documents."""

    entries: Longs
    documents: Longs

    @property
    def blocks(self) -> Longs:
        """Bounds of blocks, in entries."""
        return np.append(self.entries[: -1 : kernel.PARTS], self.entries[-1])


class BlockPostings(NamedTuple):
    """Where the postings of frequent terms begin in each block: a row for each of these, and of each term its row."""

    rows: npt.NDArray[np.int32]
    row_of: npt.NDArray[np.int32]

    @classmethod
    def of(cls, collection: Collection, blocks: Longs) -> BlockPostings:
        """Looks them up for all terms that have postings enough for it to be worth while."""
        counts = np.diff(collection.offsets)
        terms = np.flatnonzero(counts >= _POSTINGS_OF_FREQUENT * len(blocks))
        rows, row_of = np.zeros((len(terms), len(blocks)), np.int32), np.full(len(counts), -1, np.int32)
        row_of[terms] = np.arange(len(terms))
        bounds = blocks.astype(collection.entries.dtype)
        for row, term in zip(rows, terms.tolist(), strict=True):
            start, end = collection.offsets[term : term + 2]
            row[:] = start + np.searchsorted(collection.entries[start:end], bounds)
        return cls(rows, row_of)


class Room(NamedTuple):
    """What runs of terms need at most: postings of phrases and of sections, and rows."""

    phrases: int
    sections: int
    rows: int

    @classmethod
    def of(cls, collection: Collection, runs: Sequence[Terms]) -> Room:
        """What these runs of terms need."""
        said = collection.sections.posting_counts
        phrases = sum([collection.most_matches(terms) for terms in runs if len(terms) > 1])
        return cls(phrases, sum([said[terms[0]] for terms in runs]), len(runs))


class Packed(NamedTuple):
    """A slot as the kernel takes it: how many postings it has, and its rows (see `kernel`) as bytes."""

    postings: int
    rows: bytes


class _Matches(NamedTuple):
    """What matches a run of terms: where it lies, as in the row of an alternative; the numbers of one that weighs 1;
    and how many postings it has at most."""

    places: bytes
    step: float
    idf: float
    loudest: float
    postings: int


class Memory:
    """Packed slots, with the matches of their terms in runs of arrays. Not safe to fill from two threads at once; what
    it holds already may be read meanwhile.

    Many alternatives are of the same terms and differ in their weight alone: the matches of terms are kept once.
    """

    def __init__(
        self,
        functions: Functions,
        collection: Collection,
        entry_rows: Floats,
        frequent: BlockPostings,
        parts: Parts,
        least: Room,
    ) -> None:
        """Makes room for so much at least; takes the rows of entries, as the kernel names them."""
        ranking, said = collection.ranking, collection.sections
        self._match_runs = functions.match
        self._collection = collection
        self._index = Table(
            [
                collection.offsets, collection.entries, collection.weights, frequent.row_of, entry_rows, collection.idf,
                collection.ancestor_offsets, collection.ancestor_bounds,
                said.offsets, said.entries, said.weights, said.documents, said.gains, parts.entries, parts.documents,
                np.array([ranking.k1, ranking.clinical_k1], F),
            ],
            "iiBiffiiiiBifqqf",
        )  # fmt: skip
        self._used = np.zeros(2, np.int64)
        self._matches: dict[Terms, _Matches] = {}
        self.packed: dict[Slot, Packed] = {}
        postings = max(POSTINGS, POSTINGS_BY_ENTRY * len(entry_rows))
        self._phrases, self._sections = max(postings, least.phrases), max(postings, least.sections)
        part_count = len(parts.entries) - 1
        count = len(parts.blocks) - 1 + part_count
        self._rows = max(MARK_BYTES // max(1, count), ROWS, least.rows)
        self.table = Table(
            [
                zeros((self._phrases, kernel.PHRASE_ROW), F), zeros((self._sections, kernel.SAID_ROW), F),
                zeros((self._rows, count), np.uint8), self._used,
                np.empty(part_count, np.int32), np.empty(part_count, F),
            ],
            "ffBqif",
        )  # fmt: skip

    def keep(self, slots: Sequence[Slot]) -> bool:
        """Packs slots that are not packed yet; gives False, and keeps none, where they do not fit any more.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        missing = self._missing(slots)
        if len(self.packed) + len(slots) > SLOTS or not self._has_room(missing):
            return False
        if missing:
            self._match(missing)
        for slot in slots:
            below = self._collection.ranking.ancestor_share * ancestor_mass(slot)
            rows = [_SLOT.pack(len(slot.alternatives), slot.mass, below)]
            postings = 0
            for one in slot.alternatives:
                found, factor = self._matches[one.terms], one.weight * one.share
                postings += found.postings
                numbers = found.step * factor, found.idf, factor, one.weight * slot.mass, found.loudest * factor
                rows += (found.places, _NUMBERS.pack(*numbers))
            self.packed[slot] = Packed(postings, b"".join(rows))
        return True

    def _has_room(self, runs: Sequence[Terms]) -> bool:
        """Whether the matches of these runs still fit."""
        phrases, sections = self._used.tolist()
        room = Room.of(self._collection, runs)
        return (
            phrases + room.phrases <= self._phrases
            and sections + room.sections <= self._sections
            and len(self._matches) + room.rows <= self._rows
        )

    def _missing(self, slots: Sequence[Slot]) -> list[Terms]:
        """The terms of these slots whose matches are not known yet."""
        wanted = {one.terms: None for slot in slots for one in slot.alternatives}
        return [terms for terms in wanted if terms not in self._matches]

    def _match(self, runs: Sequence[Terms]) -> None:
        """Finds what matches runs of terms."""
        counts, first = [len(terms) for terms in runs], len(self._matches)
        rows = np.zeros((len(runs), kernel.ROW), np.int32)
        terms_of_runs = [term for terms in runs for term in terms]
        packed = np.array([0, *accumulate(counts), *terms_of_runs, *terms_of_runs], np.int64)
        sound = self._match_runs(
            *self._index.pointers, *self.table.pointers, self._collection.document_count,
            beginning(packed), len(runs), len(terms_of_runs), beginning(rows), first,
        )  # fmt: skip
        if not sound:
            raise unsound(self._collection)
        numbers = rows.view(F)[:, kernel.STEP :].tolist()
        for terms, row, (step, idf, _, _, loudest) in zip(runs, rows[:, : kernel.STEP], numbers, strict=True):
            postings = self._collection.most_matches(terms)
            self._matches[terms] = _Matches(row.tobytes(), step, idf, loudest, postings)


def zeros(shape: tuple[int, ...], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros in a memory map of their own: they take no memory before they are written to, and none once they are gone.

    From the heap they would come out of what another generation gave back, to be filled with zeros from end to end,
    and the heap of each thread that ever loaded a generation would keep as much.
    """
    size = np.dtype(kind).itemsize * prod(shape)
    memory = mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE)
    return np.frombuffer(memory, kind, prod(shape)).reshape(shape)


def unsound(collection: Collection) -> IndexCorruptError:
    """The error for arrays that compiled code must not follow."""
    return IndexCorruptError(str(collection.folder), "has postings that no builder writes", REBUILD)
