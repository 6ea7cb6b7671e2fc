"""Slots made ready for the compiled ranking, and remembered: where the postings of their alternatives lie, what their
phrases and sections match, and how high each alternative scores in each block of entries.

Importing this module loads numba.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import prod
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import REBUILD
from codesearch.query import kernel
from codesearch.query import kernel_matching as matching
from codesearch.query.plan import Alternative, Slot
from codesearch.query.score import Collection, Floats, ancestor_mass, posting_count

F = np.float32
Longs = npt.NDArray[np.int64]

POSTINGS, POSTINGS_BY_ENTRY = 2_000_000, 8
"""Postings of phrases, and of sections, that are remembered: at least so many, and so many for each entry."""
MARK_BYTES, ALTERNATIVES = 32_000_000, 12_000
"""Memory for how high alternatives score in blocks, and room for so many alternatives at least: with less, a large
index (1.8 million records) packs the same words again and again, and takes five times as long."""
_SLOT = Struct("=i2f")
"""The row of a slot that the kernel reads; it names the numbers."""


class Blocks(NamedTuple):
    """Bounds of blocks of entries: in entries, and in documents."""

    entries: Longs
    documents: Longs


class Room(NamedTuple):
    """What slots need at most: postings of phrases and of sections, and alternatives."""

    phrases: int
    sections: int
    alternatives: int

    @classmethod
    def of(cls, collection: Collection, slots: Iterable[Slot]) -> Room:
        """What these slots need."""
        phrases = sections = alternatives = 0
        counts, said = collection.posting_counts, collection.sections.posting_counts
        for slot in slots:
            alternatives += len(slot.alternatives)
            for one in slot.alternatives:
                phrases += min([counts[term] for term in one.terms]) if len(one.terms) > 1 else 0
                sections += said[one.terms[0]]
        return cls(phrases, sections, alternatives)


class Packed(NamedTuple):
    """A slot as the kernel takes it: how many postings it has, and its rows (see `kernel`) as bytes."""

    postings: int
    slot: bytes
    alternatives: bytes


class Memory:
    """Packed slots, with the matches of their phrases and sections in runs of arrays. Not safe to fill from two threads
    at once; what it holds already may be read meanwhile."""

    def __init__(self, collection: Collection, entry_rows: Floats, blocks: Blocks, least: Room) -> None:
        """Makes room for so much at least; takes the rows of entries, as the kernel names them."""
        ranking, said = collection.ranking, collection.sections
        self._collection = collection
        self._index = (
            collection.offsets, collection.entries, collection.weights, entry_rows, collection.idf,
            F(ranking.k1), collection.ancestor_offsets, collection.ancestor_documents,
            said.offsets, said.entries, said.weights, said.documents, said.gains,
            F(ranking.clinical_k1), collection.document_count, blocks.entries, blocks.documents,
        )  # fmt: skip
        self._used = np.zeros(3, np.int64)
        self.packed: dict[Slot, Packed] = {}
        postings = max(POSTINGS, POSTINGS_BY_ENTRY * len(entry_rows))
        phrases, sections = max(postings, least.phrases), max(postings, least.sections)
        count = len(blocks.entries) - 1
        rows = max(MARK_BYTES // max(1, 5 * count), ALTERNATIVES, least.alternatives)
        phrase_rows, said_rows = zeros((phrases, kernel.PHRASE_ROW), F), zeros((sections, kernel.SAID_ROW), F)
        self.arrays = (phrase_rows, said_rows, zeros((rows, count), F), zeros((rows, count), np.uint8))

    def has_room(self, room: Room) -> bool:
        """Whether so much more fits."""
        phrases, sections, marks = self._used.tolist()
        return (
            phrases + room.phrases <= len(self.arrays[0])
            and sections + room.sections <= len(self.arrays[1])
            and marks + room.alternatives <= len(self.arrays[2])
        )

    def keep(self, slots: Sequence[Slot]) -> None:
        """Packs slots that are not packed yet.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        rows = self._rows([(one, slot.mass) for slot in slots for one in slot.alternatives])
        end = 0
        for slot in slots:
            start, end = end, end + 4 * kernel.ALTERNATIVE_ROW * len(slot.alternatives)
            below = self._collection.ranking.ancestor_share * ancestor_mass(slot)
            row = _SLOT.pack(len(slot.alternatives), slot.mass, below)
            self.packed[slot] = Packed(posting_count(self._collection, slot), row, rows[start:end])

    def load(self) -> None:
        """Has all that is compiled loaded, so that no search waits for it."""
        self._rows([])

    def _rows(self, alternatives: Sequence[tuple[Alternative, float]]) -> bytes:
        """The rows of alternatives, each with the mass of its slot."""
        terms = [term for one, _ in alternatives for term in one.terms]
        counts = [len(one.terms) for one, _ in alternatives]
        factors = [(one.weight * one.share, one.weight * mass) for one, mass in alternatives]
        rows = np.zeros(kernel.ALTERNATIVE_ROW * len(alternatives), np.int32)
        sound = matching.pack(
            np.array(terms, np.int64), np.array([0, *accumulate(counts)], np.int64),
            np.array(factors, np.float64).reshape(-1, 2), *self._index,
            *self.arrays, self._used, rows,
        )  # fmt: skip
        if not sound:
            raise unsound(self._collection)
        return rows.tobytes()


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
