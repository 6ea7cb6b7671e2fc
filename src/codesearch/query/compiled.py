"""The compiled ranking over one index: arrays that are checked once, memory that is reused, and the kernel.

Importing this module loads numba.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np

from codesearch.index.structure import check_postings
from codesearch.query import kernel
from codesearch.query.packing import BlockPostings, Longs, Memory, Packed, Parts, Room, zeros
from codesearch.query.plan import Slot
from codesearch.query.score import WHOLE, Collection, Floats, Ints, Mask, Ranked

F = np.float32

PART = 128
"""Entries of a part of a block: what is written while it is scored fits the first-level cache of a core."""

_rank_entries: Callable[..., int] = kernel.rank_entries
_mark_matching: Callable[..., None] = kernel.mark_matching
_NO_MASK = np.zeros(0, bool)
_NONE = Ranked(np.zeros(0, np.int32), np.zeros(0, F), np.zeros(0, np.int32))


class CompiledRanking:
    """The compiled path over one index."""

    def __init__(self, collection: Collection) -> None:
        """Checks the arrays, for compiled code looks at no bounds.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        check_postings(collection.arrays, collection.document_count)
        ranking = collection.ranking
        self._collection = collection
        self._scratch: list[Floats] = []
        self._lock = threading.Lock()
        bounds = _parts(collection.documents)
        self._parts = Parts(bounds, _first_documents(collection, bounds))
        self._frequent = BlockPostings.of(collection, self._parts.blocks)
        self._widest = int(np.diff(bounds).max(initial=1))
        self._entries = _entry_rows(collection)
        formula = np.zeros(kernel.FORMULA, F)
        formula[kernel.K1], formula[kernel.ENTRY_COVERAGE] = ranking.k1, ranking.entry_coverage
        formula[kernel.CLINICAL], formula[kernel.HALVES] = ranking.clinical, ranking.coverage_halves
        formula[kernel.EXACT], formula[kernel.WHOLE] = ranking.exact_name, WHOLE
        self._index = (
            collection.entries, collection.weights, self._frequent.rows, self._entries, collection.document_priors,
            collection.ancestor_bounds, np.stack(self._parts), _block_priors(collection, self._parts.blocks),
            collection.headers, formula,
        )  # fmt: skip
        owners, priors = collection.documents, collection.document_priors
        self._counted = np.where(collection.priors > 0, owners, collection.document_count).astype(np.int32)
        self._heard = priors if ranking.clinical > 0 else np.zeros_like(priors)
        self._memory = self._memory_for(Room(0, 0, 0))
        self._memory.load()
        nothing = [Packed(0, bytes(4 * kernel.ROW))]
        self._rank(self._memory, nothing, (0, 0), None, 1.0, 1)
        self._matching(self._memory, nothing)

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots."""
        memory, packed = self._ready(slots)
        packed.sort(key=_postings_of)
        return self._rank(memory, packed, span, allowed, sum([slot.mass for slot in slots]), limit) if packed else _NONE

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot, as `count.MatchCounter` tells."""
        memory, packed = self._ready(slots)
        return self._matching(memory, packed)

    def _matching(self, memory: Memory, packed: Sequence[Packed]) -> Mask:
        """Has the kernel mark documents."""
        collection, (phrase_rows, said_rows, *_) = self._collection, memory.arrays
        found = np.zeros(collection.document_count + 1, bool)
        _mark_matching(self._counted, self._heard, collection.entries, phrase_rows, said_rows, _rows(packed), found)
        return found[:-1]

    def _rank(
        self,
        memory: Memory,
        packed: Sequence[Packed],
        span: tuple[int, int],
        allowed: Mask | None,
        mass: float,
        limit: int,
    ) -> Ranked:
        """Has the kernel rank."""
        answer = np.empty((3, limit), F)
        scratch = self._take_scratch()
        count = _rank_entries(
            *self._index, *memory.arrays, _rows(packed), len(packed), mass, *span,
            _NO_MASK if allowed is None else allowed, scratch, answer,
        )  # fmt: skip
        # After an exception the memory is not zero, and is not used again.
        self._scratch.append(scratch)
        places = answer.view(np.int32)
        return Ranked(places[0, :count], answer[1, :count], places[2, :count])

    def _ready(self, slots: Sequence[Slot]) -> tuple[Memory, list[Packed]]:
        """The slots as the kernel takes them, and the memory that they point into.

        A search goes on with the memory that it was given, also when another is begun meanwhile.
        """
        memory = self._memory
        try:
            return memory, [memory.packed[slot] for slot in slots]
        except KeyError:
            with self._lock:
                memory = self._memory
                missing = [slot for slot in slots if slot not in memory.packed]
                if not memory.has_room(missing):
                    missing = list(slots)
                    runs = [one.terms for slot in slots for one in slot.alternatives]
                    memory = self._memory = self._memory_for(Room.of(self._collection, runs))
                memory.keep(missing)
            return memory, [memory.packed[slot] for slot in slots]

    def _memory_for(self, room: Room) -> Memory:
        """An empty memory that holds so much at least."""
        return Memory(self._collection, self._entries, self._frequent, self._parts, room)

    def _take_scratch(self) -> Floats:
        try:
            return self._scratch.pop()
        except IndexError:
            return np.zeros(self._widest * kernel.SCRATCH, F)


def _rows(packed: Sequence[Packed]) -> Ints:
    """The rows of slots, one after the other."""
    return np.frombuffer(b"".join([slot.rows for slot in packed]), np.int32)


def _entry_rows(collection: Collection) -> Floats:
    """The rows of entries, as the kernel names them."""
    rows = zeros((len(collection.documents), kernel.ENTRY_ROW), F)
    rows[:, kernel.NORM], rows[:, kernel.OWN_MASS] = collection.norms, collection.mass
    rows[:, kernel.PRIOR] = collection.priors
    rows.view(np.int32)[:, kernel.OWNER] = collection.documents
    return rows


def _first_documents(collection: Collection, bounds: Longs) -> Longs:
    """The first document of each slice of entries, and the number of documents at the end."""
    return np.append(collection.documents[bounds[:-1]], collection.document_count).astype(np.int64)


def _block_priors(collection: Collection, blocks: Longs) -> Floats:
    """The highest prior of an entry, and of a document, in each block."""
    if len(blocks) < 2:
        return np.zeros((0, 2), F)
    entries = np.maximum.reduceat(collection.priors, blocks[:-1])
    documents = np.maximum.reduceat(collection.document_priors, collection.documents[blocks[:-1]])
    return np.stack((entries, documents), axis=1)


def _parts(owners: Ints) -> Longs:
    """Bounds of parts of blocks: runs of entries that cut no document in two."""
    bounds = [0]
    while bounds[-1] < len(owners):
        end = min(bounds[-1] + PART, len(owners))
        if end < len(owners):
            start_of_document = int(np.searchsorted(owners, owners[end], "left"))
            if start_of_document > bounds[-1]:
                end = start_of_document
            else:
                end = int(np.searchsorted(owners, owners[end], "right"))
        bounds.append(end)
    return np.array(bounds, np.int64)


_postings_of = attrgetter("postings")
