"""Ranking for callers: the plain path at first, and the compiled one once it is ready, with the same answers.

A process that searches once must not wait half a second for a compiler; one that goes on searching has it loaded in a
thread of its own meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import REBUILD
from codesearch.query.plan import Alternative, Slot
from codesearch.query.score import (
    Collection,
    Floats,
    Ints,
    Mask,
    Ranked,
    ancestor_mass,
    posting_count,
    rank,
)

F = np.float32
Longs = npt.NDArray[np.int64]

SEARCHES_BEFORE_COMPILING = 8
"""After so many searches an index counts as long-lived."""
_MOST_RANKED = 1000
"""More hits than this are sorted faster by the plain path."""
_PHRASE_POSTINGS = _SECTION_POSTINGS = 2_000_000
"""Postings of phrases, and of sections, that are remembered, in all."""
_MARK_BYTES, _LEAST_MARKS = 32_000_000, 2_000
"""Bytes that remember how high each alternative scores in each block, but at least so many alternatives: those of the
longest query fit."""

_PART = 128
"""Entries of a block: its scratch table fits the second-level cache of a core."""

_NO_MASK = np.zeros(0, bool)
_NONE = Ranked(np.zeros(0, np.int32), np.zeros(0, F), np.zeros(0, np.int32))
_SLOT, _ALTERNATIVE = Struct("=i2f"), Struct("=8i4f")
"""The rows that the kernel reads; it names their numbers."""


class Engine:
    """Ranks the documents of one index; safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._searches = 0
        self._compiled: CompiledRanking | None = None
        self._loading: threading.Thread | None = None
        self._lock = threading.Lock()

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots, as `score.rank` gives them."""
        compiled = self._compiled
        if compiled is None:
            self._count()
        elif 0 < limit <= _MOST_RANKED and len(slots) <= 32:
            return compiled.rank(slots, span, allowed, limit)
        return rank(self._collection, slots, span, allowed, limit)

    def compile(self) -> None:
        """Loads the compiled path now, for callers that will search much (a batch, a server)."""
        compiled = CompiledRanking(self._collection)
        with self._lock:
            self._compiled = self._compiled or compiled

    def _count(self) -> None:
        with self._lock:
            self._searches += 1
            if self._searches != SEARCHES_BEFORE_COMPILING or self._loading is not None:
                return
            self._loading = threading.Thread(target=self.compile, name="codesearch-compile", daemon=True)
        self._loading.start()


_Where = tuple[int, int, int, int, int]
"""The first numbers of an alternative, up to its slices of sections."""


class _Packed(NamedTuple):
    """A slot as the kernel takes it: how many postings it has, and its rows (see `kernel`) as bytes."""

    postings: int
    slot: bytes
    alternatives: bytes


class _Memory:
    """Slots made ready for the kernel, with the matches of their phrases and sections in runs of arrays."""

    def __init__(self, collection: Collection, blocks: tuple[Longs, Longs], phrases: int, sections: int) -> None:
        """Makes room for so many postings of phrases and of sections; `blocks` are bounds in entries and documents."""
        from codesearch.query import kernel, matching

        self._collection, self._blocks = collection, blocks
        self._kernel, self._matching = kernel, matching
        self._phrases_used = self._sections_used = self._marks_used = 0
        self.packed: dict[Slot, _Packed] = {}
        self.phrases = (np.zeros(phrases, np.int32), np.zeros(phrases, F), np.zeros(phrases, F))
        self.sections = (np.zeros(sections, np.int32), np.zeros(sections, F))
        count = len(blocks[0]) - 1
        rows = max(_LEAST_MARKS, _MARK_BYTES // max(1, 5 * count))
        # Zeros that nobody wrote to yet take no memory.
        self.marks = (np.zeros((rows, count), F), np.zeros((rows, count), np.uint8))

    def has_room(self, room: _Room) -> bool:
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

    def _pack(self, slot: Slot) -> _Packed:
        ranking = self._collection.ranking
        rows = b""
        for one in slot.alternatives:
            factor = one.weight * one.share
            row, self._marks_used = self._marks_used, self._marks_used + 1
            where, idf = self._term(one, row, factor) if len(one.terms) == 1 else self._phrase(one, row, factor)
            start, end, loudest = self._sections_of(one)
            if start < end:
                self._mark(self.sections[0], start, end, self._kernel.IS_SAID, row)
            rows += _ALTERNATIVE.pack(*where, start, end, row, idf, factor, one.weight * slot.mass, loudest * factor)
        below = ranking.ancestor_share * ancestor_mass(slot)
        count = posting_count(self._collection, slot)
        return _Packed(count, _SLOT.pack(len(slot.alternatives), slot.mass, below), rows)

    def _mark(self, documents: Ints, start: int, end: int, mark: int, row: int) -> None:
        self._kernel.mark_blocks(documents, start, end, self._blocks[1], mark, self.marks[1][row])

    def _term(self, one: Alternative, row: int, factor: float) -> tuple[_Where, float]:
        """Where the postings of one term lie, and its idf."""
        collection, (term,) = self._collection, one.terms
        start, end = int(collection.offsets[term]), int(collection.offsets[term + 1])
        begin, stop = int(collection.ancestor_offsets[term]), int(collection.ancestor_offsets[term + 1])
        idf, k1 = collection.idf[term], F(collection.ranking.k1)
        self._kernel.top_of_term(
            collection.entries, collection.weights, collection.norms, start, end, idf, F(factor), k1,
            self._blocks[0], self.marks[0][row],
        )  # fmt: skip
        if begin < stop:
            self._mark(collection.ancestor_documents, begin, stop, self._kernel.IS_BELOW, row)
        return (0, start, end, begin, stop), float(idf)

    def _phrase(self, one: Alternative, row: int, factor: float) -> tuple[_Where, float]:
        """The same for several terms, whose matches are written to the memory."""
        collection, start = self._collection, self._phrases_used
        terms = np.array(collection.by_rarity(one.terms))
        offsets, k1 = collection.offsets, F(collection.ranking.k1)
        self._phrases_used = end = self._matching.phrase_matches(
            offsets[terms], offsets[terms + 1], collection.idf[terms], k1,
            collection.entries, collection.weights, collection.norms, *self.phrases, start,
        )  # fmt: skip
        entries, scores, _ = self.phrases
        self._kernel.top_of_phrase(entries, scores, start, end, F(factor), self._blocks[0], self.marks[0][row])
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
        end, highest = self._matching.section_matches(
            sections.offsets[terms], sections.offsets[terms + 1], self._collection.idf[terms],
            F(self._collection.ranking.clinical_k1), self._collection.document_count,
            sections.entries, sections.weights, sections.documents, sections.gains, *self.sections, start,
        )  # fmt: skip
        if end < start:
            raise _unsound(self._collection)
        self._sections_used = end
        return start, end, highest


class _Room(NamedTuple):
    """What slots need at most: postings of phrases and of sections, and alternatives."""

    phrases: int
    sections: int
    alternatives: int


def _room(collection: Collection, slots: Iterable[Slot]) -> _Room:
    """What slots need at most."""
    phrases = sections = alternatives = 0
    counts, said = collection.posting_counts, collection.sections.posting_counts
    for slot in slots:
        alternatives += len(slot.alternatives)
        for one in slot.alternatives:
            phrases += min(counts[term] for term in one.terms) if len(one.terms) > 1 else 0
            sections += said[one.terms[0]]
    return _Room(phrases, sections, alternatives)


class _Scratch(NamedTuple):
    """Working memory of one search: rows for a block's entries and documents; all zero between searches."""

    table: Floats
    bits: npt.NDArray[np.uint32]
    touched: Longs
    sections: Floats
    in_sections: Longs
    best: Floats
    best_entry: Longs
    matched: Longs


class CompiledRanking:
    """The compiled path over one index."""

    def __init__(self, collection: Collection) -> None:
        """Checks the arrays, for compiled code looks at no bounds.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        from codesearch.query import kernel

        if not _is_sound(collection):
            raise _unsound(collection)
        ranking, owners = collection.ranking, collection.documents
        self._rank_entries: Callable[..., int] = kernel.rank_entries
        self._columns = kernel.COLUMNS, kernel.SECTION_COLUMNS
        self._collection = collection
        self._scratch: list[_Scratch] = []
        self._lock = threading.Lock()
        parts = _parts(owners)
        blocks = np.append(parts[: -1 : kernel.PARTS], parts[-1])
        documents, part_documents = _first_documents(collection, blocks), _first_documents(collection, parts)
        self._widest = int(np.diff(parts).max(initial=1))
        self._index = (
            collection.entries, collection.weights, collection.norms, owners, collection.mass, collection.priors,
            collection.document_priors, collection.ancestor_documents, blocks, documents,
            _block_priors(collection, blocks, documents), parts, part_documents,
        )  # fmt: skip
        self._blocks = blocks, documents
        self._memory = _Memory(collection, self._blocks, _PHRASE_POSTINGS, _SECTION_POSTINGS)
        self._formula = F(ranking.k1), ranking.coverage_halves, F(ranking.entry_coverage), F(ranking.clinical)

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots."""
        memory, packed = self._ready(slots)
        packed.sort(key=_postings_of)
        rows = b"".join([slot.alternatives for slot in packed])
        if not rows:
            return _NONE
        documents, scores, entries = np.empty(limit, np.int32), np.empty(limit, F), np.empty(limit, np.int32)
        scratch = self._take_scratch()
        count = self._rank_entries(
            *self._index, *memory.phrases, *memory.sections, *memory.marks,
            np.frombuffer(b"".join([slot.slot for slot in packed]), np.int32), np.frombuffer(rows, np.int32),
            *span, _NO_MASK if allowed is None else allowed, F(sum([slot.mass for slot in slots])), *self._formula,
            *scratch, documents, scores, entries,
        )  # fmt: skip
        # After an exception the memory is not zero, and is not used again.
        self._scratch.append(scratch)
        return Ranked(documents[:count], scores[:count], entries[:count])

    def _ready(self, slots: Sequence[Slot]) -> tuple[_Memory, list[_Packed]]:
        """The slots as the kernel takes them, and the memory that they point into.

        A search goes on with the memory that it was given, also when another is begun meanwhile.
        """
        memory = self._memory
        try:
            return memory, [memory.packed[slot] for slot in slots]
        except KeyError:
            with self._lock:
                memory = self._memory
                if not memory.has_room(_room(self._collection, (slot for slot in slots if slot not in memory.packed))):
                    needed = _room(self._collection, slots)
                    room = max(needed.phrases, _PHRASE_POSTINGS), max(needed.sections, _SECTION_POSTINGS)
                    memory = self._memory = _Memory(self._collection, self._blocks, *room)
                memory.keep(slots)
            return memory, [memory.packed[slot] for slot in slots]

    def _take_scratch(self) -> _Scratch:
        try:
            return self._scratch.pop()
        except IndexError:
            size, (columns, section_columns) = self._widest, self._columns
            return _Scratch(
                np.zeros((size, columns), F),
                np.zeros(size, np.uint32),
                np.zeros(size, np.int64),
                np.zeros((size, section_columns), F),
                np.zeros(size, np.int64),
                np.zeros(size, F),
                np.zeros(size, np.int64),
                np.zeros(size, np.int64),
            )


def _first_documents(collection: Collection, bounds: Longs) -> Longs:
    """The first document of each slice of entries, and the number of documents at the end."""
    return np.append(collection.documents[bounds[:-1]], collection.document_count).astype(np.int64)


def _block_priors(collection: Collection, blocks: Longs, documents: Longs) -> Floats:
    """The highest prior of an entry, and of a document, in each block."""
    if len(blocks) < 2:
        return np.zeros((0, 2), F)
    entries = np.maximum.reduceat(collection.priors, blocks[:-1])
    return np.stack((entries, np.maximum.reduceat(collection.document_priors, documents[:-1])), axis=1)


def _parts(owners: Ints) -> Longs:
    """Bounds of parts of blocks: runs of entries that cut no document in two."""
    bounds = [0]
    while bounds[-1] < len(owners):
        end = min(bounds[-1] + _PART, len(owners))
        if end < len(owners):
            start_of_document = int(np.searchsorted(owners, owners[end], "left"))
            if start_of_document > bounds[-1]:
                end = start_of_document
            else:
                end = int(np.searchsorted(owners, owners[end], "right"))
        bounds.append(end)
    return np.array(bounds, np.int64)


_postings_of = attrgetter("postings")


def _unsound(collection: Collection) -> IndexCorruptError:
    return IndexCorruptError(str(collection.folder), "has postings that no builder writes", REBUILD)


def _is_sound(collection: Collection) -> bool:
    """Whether the arrays are such as a builder writes: slices in bounds, entries in order, each document with one."""
    entries, owners = collection.entries, collection.documents
    if not _are_slices(collection.offsets, len(entries)) or len(collection.weights) != len(entries):
        return False
    sections = collection.sections
    if not _are_slices(sections.offsets, len(sections.entries)) or len(sections.weights) != len(sections.entries):
        return False
    if not _are_slices(collection.ancestor_offsets, len(collection.ancestor_documents)):
        return False
    if len(collection.mass) != len(owners) or len(collection.norms) != len(owners):
        return False
    rising = np.diff(entries, prepend=-1) > 0
    rising[collection.offsets[:-1][collection.offsets[:-1] < len(entries)]] = True
    if not rising.all() or (len(entries) and (entries.min() < 0 or entries.max() >= len(owners))):
        return False
    steps = np.diff(owners, prepend=-1)
    return bool(
        ((steps == 0) | (steps == 1)).all() and (not len(owners) or owners[-1] == collection.document_count - 1)
    )


def _are_slices(offsets: Ints, count: int) -> bool:
    return bool(len(offsets) and offsets[0] == 0 and offsets[-1] == count and (np.diff(offsets) >= 0).all())
