"""Slots made ready for the compiled ranking, and remembered: where the postings of their alternatives lie, what their
phrases and sections match, and how high each alternative scores in each block of entries.

Importing this module loads numba.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import REBUILD
from codesearch.query import kernel_matching as matching
from codesearch.query.kernel import IS_BELOW, IS_SAID
from codesearch.query.plan import Alternative, Slot
from codesearch.query.score import Collection, Ints, ancestor_mass, posting_count

F = np.float32
Longs = npt.NDArray[np.int64]

POSTINGS = 2_000_000
"""Postings of phrases, and of sections, that are remembered."""
MARK_BYTES = 32_000_000
"""Memory for how high alternatives score in blocks."""
_SLOT, _ALTERNATIVE = Struct("=i2f"), Struct("=8i4f")
"""The rows that the kernel reads; it names their numbers."""


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
                phrases += min(counts[term] for term in one.terms) if len(one.terms) > 1 else 0
                sections += said[one.terms[0]]
        return cls(phrases, sections, alternatives)


_Where = tuple[int, int, int, int, int]
"""The first numbers of an alternative, up to its slices of sections."""


class Packed(NamedTuple):
    """A slot as the kernel takes it: how many postings it has, and its rows (see `kernel`) as bytes."""

    postings: int
    slot: bytes
    alternatives: bytes


class Memory:
    """Packed slots, with the matches of their phrases and sections in runs of arrays. Not safe to fill from two threads
    at once; what it holds already may be read meanwhile."""

    def __init__(self, collection: Collection, blocks: Blocks, least: Room) -> None:
        """Makes room for so much at least."""
        self._collection, self._blocks = collection, blocks
        self._phrases_used = self._sections_used = self._marks_used = 0
        self.packed: dict[Slot, Packed] = {}
        # Zeros that nobody wrote to yet take no memory.
        phrases, sections = max(POSTINGS, least.phrases), max(POSTINGS, least.sections)
        self.phrases = (np.zeros(phrases, np.int32), np.zeros(phrases, F), np.zeros(phrases, F))
        self.sections = (np.zeros(sections, np.int32), np.zeros(sections, F))
        count = len(blocks.entries) - 1
        rows = max(MARK_BYTES // max(1, 5 * count), least.alternatives)
        self.marks = (np.zeros((rows, count), F), np.zeros((rows, count), np.uint8))

    def has_room(self, room: Room) -> bool:
        """Whether so much more fits."""
        return (
            self._phrases_used + room.phrases <= len(self.phrases[0])
            and self._sections_used + room.sections <= len(self.sections[0])
            and self._marks_used + room.alternatives <= len(self.marks[0])
        )

    def keep(self, slots: Iterable[Slot]) -> None:
        """Packs those of the slots that are not."""
        for slot in slots:
            if slot not in self.packed:
                self.packed[slot] = self._pack(slot)

    def load(self) -> None:
        """Has all that is compiled loaded, so that no search waits for it."""
        collection, sections, none = self._collection, self._collection.sections, np.zeros(1, np.int32)
        entries, idf = self._blocks.entries, np.zeros(1, F)
        tops, marks = np.zeros(len(entries) - 1, F), np.zeros(len(entries) - 1, np.uint8)
        title = collection.entries, collection.weights, collection.norms
        matching.phrase_matches(none, none, idf, F(0), *title, *self.phrases, 0)
        said = sections.entries, sections.weights, sections.documents, sections.gains
        matching.section_matches(none, none, idf, F(0), 0, *said, *self.sections, 0)
        matching.top_of_term(*title, 0, 0, F(0), F(0), F(0), entries, tops)
        matching.top_of_phrase(*self.phrases[:2], 0, 0, F(0), entries, tops)
        for documents in (collection.ancestor_documents, self.sections[0]):
            matching.mark_blocks(documents, 0, 0, self._blocks.documents, IS_SAID, marks)

    def _pack(self, slot: Slot) -> Packed:
        ranking = self._collection.ranking
        rows = b""
        for one in slot.alternatives:
            factor = one.weight * one.share
            row, self._marks_used = self._marks_used, self._marks_used + 1
            where, idf = self._term(one, row, factor) if len(one.terms) == 1 else self._phrase(one, row, factor)
            start, end, loudest = self._sections_of(one)
            if start < end:
                self._mark(self.sections[0], start, end, IS_SAID, row)
            rows += _ALTERNATIVE.pack(*where, start, end, row, idf, factor, one.weight * slot.mass, loudest * factor)
        below = ranking.ancestor_share * ancestor_mass(slot)
        count = posting_count(self._collection, slot)
        return Packed(count, _SLOT.pack(len(slot.alternatives), slot.mass, below), rows)

    def _mark(self, documents: Ints, start: int, end: int, mark: int, row: int) -> None:
        matching.mark_blocks(documents, start, end, self._blocks.documents, mark, self.marks[1][row])

    def _term(self, one: Alternative, row: int, factor: float) -> tuple[_Where, float]:
        """Where the postings of one term lie, and its idf."""
        collection, (term,) = self._collection, one.terms
        start, end = int(collection.offsets[term]), int(collection.offsets[term + 1])
        begin, stop = int(collection.ancestor_offsets[term]), int(collection.ancestor_offsets[term + 1])
        idf, k1 = collection.idf[term], F(collection.ranking.k1)
        matching.top_of_term(
            collection.entries, collection.weights, collection.norms, start, end, idf, F(factor), k1,
            self._blocks.entries, self.marks[0][row],
        )  # fmt: skip
        if begin < stop:
            self._mark(collection.ancestor_documents, begin, stop, IS_BELOW, row)
        return (0, start, end, begin, stop), float(idf)

    def _phrase(self, one: Alternative, row: int, factor: float) -> tuple[_Where, float]:
        """The same for several terms, whose matches are written to the memory."""
        collection, start = self._collection, self._phrases_used
        terms = np.array(collection.by_rarity(one.terms))
        offsets, k1 = collection.offsets, F(collection.ranking.k1)
        self._phrases_used = end = matching.phrase_matches(
            offsets[terms], offsets[terms + 1], collection.idf[terms], k1,
            collection.entries, collection.weights, collection.norms, *self.phrases, start,
        )  # fmt: skip
        entries, scores, _ = self.phrases
        matching.top_of_phrase(entries, scores, start, end, F(factor), self._blocks.entries, self.marks[0][row])
        return (1, start, end, 0, 0), 0.0

    def _sections_of(self, one: Alternative) -> tuple[int, int, float]:
        """The slice of the memory with the documents whose sections hold an alternative, and their highest score.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        sections, start = self._collection.sections, self._sections_used
        counts = sections.posting_counts
        if not all(counts[term] for term in one.terms):
            return start, start, 0.0
        terms = np.array(one.terms)
        end, highest = matching.section_matches(
            sections.offsets[terms], sections.offsets[terms + 1], self._collection.idf[terms],
            F(self._collection.ranking.clinical_k1), self._collection.document_count,
            sections.entries, sections.weights, sections.documents, sections.gains, *self.sections, start,
        )  # fmt: skip
        if end < start:
            raise unsound(self._collection)
        self._sections_used = end
        return start, end, highest


def unsound(collection: Collection) -> IndexCorruptError:
    """The error for arrays that compiled code must not follow."""
    return IndexCorruptError(str(collection.folder), "has postings that no builder writes", REBUILD)
