"""The compiled ranking over one index: arrays that are checked once, memory that is reused, and the kernel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from codesearch.index.structure import check_postings
from codesearch.query import kernel_rows as kernel
from codesearch.query.kernel_tables import Table, beginning
from codesearch.query.native import functions
from codesearch.query.packing import BlockPostings, Longs, Memory, Packed, Parts, Room, zeros
from codesearch.query.plan import Slot
from codesearch.query.score import WHOLE, Collection, Floats, Ints, Mask, Ranked

F = np.float32

PART = 128
"""Entries of a part of a block: what is written while it is scored fits the first-level cache of a core."""

_ROWS = 64
"""Rows of a query that scratch has room for, at least."""
_NONE = Ranked(np.zeros(0, np.int32), np.zeros(0, F), np.zeros(0, np.int32))


class _Scratch:
    """What a search writes to while it ranks, for queries of so many rows. The rows of entries and of documents, which
    come first, are zero before a search and after it."""

    def __init__(self, widest: int, block_count: int, rows: int) -> None:
        self.rows = rows
        self.table = Table(
            [
                np.zeros((widest, kernel.SCRATCH), F), np.zeros((widest, kernel.SCRATCH), F),
                np.empty((3, widest), np.int32),
                np.empty((kernel.OF_BLOCK, block_count), F), np.empty(block_count, np.int64),
                np.empty((2, kernel.MAX_SLOTS), F), np.empty((3, kernel.PARTS, kernel.MAX_SLOTS), F),
                np.empty((2, kernel.PARTS), F),
                np.empty((3, rows), np.int64), np.empty((rows, kernel.OF_ROW), np.int32),
            ],
            "ffifqfffqi",
        )  # fmt: skip


class CompiledRanking:
    """The compiled path over one index."""

    def __init__(self, collection: Collection) -> None:
        """Checks the arrays, for compiled code looks at no bounds.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
            OSError: nothing is compiled yet, and there is no folder to keep it in.
        """
        check_postings(collection.arrays, collection.document_count)
        ranking = collection.ranking
        self._functions = functions()
        self._collection = collection
        self._scratch: list[_Scratch] = []
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
        block_priors = _block_priors(collection, self._parts.blocks)
        self._block_count = len(block_priors)
        self._index = Table(
            [
                collection.entries, collection.weights, self._frequent.rows, self._entries, collection.document_priors,
                collection.ancestor_bounds, np.stack(self._parts), block_priors, collection.headers, formula,
            ],
            "iBiffiqf?f",
        )  # fmt: skip
        owners, priors = collection.documents, collection.document_priors
        counted = np.where(collection.priors > 0, owners, collection.document_count).astype(np.int32)
        heard = priors if ranking.clinical > 0 else np.zeros_like(priors)
        self._marked = Table([counted, heard, collection.entries], "ifi")
        self._memory = self._memory_for(Room(0, 0, 0))

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots."""
        memory, packed = self._ready(slots)
        if not packed:
            return _NONE
        packed.sort(key=_postings_of)
        rows, count = _joined(packed)
        answer = np.empty((3, limit), F)
        scratch = self._take_scratch(count)
        found = self._functions.rank(
            *self._index.pointers, *memory.table.pointers, *scratch.table.pointers,
            rows, count, len(packed), sum([slot.mass for slot in slots]), *span,
            None if allowed is None else allowed.ctypes.data, 0 if allowed is None else len(allowed),
            beginning(answer), limit,
        )  # fmt: skip
        self._scratch.append(scratch)
        places = answer.view(np.int32)
        return Ranked(places[0, :found], answer[1, :found], places[2, :found])

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot, as `count.MatchCounter` tells."""
        memory, packed = self._ready(slots)
        rows, count = _joined(packed)
        found = np.zeros(self._collection.document_count + 1, bool)
        self._functions.mark(*self._marked.pointers, *memory.table.pointers, rows, count, beginning(found))
        return found[:-1]

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
                if not memory.keep(missing):
                    runs = [one.terms for slot in slots for one in slot.alternatives]
                    memory = self._memory = self._memory_for(Room.of(self._collection, runs))
                    memory.keep(slots)
            return memory, [memory.packed[slot] for slot in slots]

    def _memory_for(self, room: Room) -> Memory:
        """An empty memory that holds so much at least."""
        return Memory(self._functions, self._collection, self._entries, self._frequent, self._parts, room)

    def _take_scratch(self, rows: int) -> _Scratch:
        """Scratch that no other thread uses, for a query of so many rows."""
        try:
            scratch = self._scratch.pop()
        except IndexError:
            scratch = None
        if scratch is None or scratch.rows < rows:
            return _Scratch(self._widest, self._block_count, max(_ROWS, rows))
        return scratch


def _joined(packed: Sequence[Packed]) -> tuple[bytes, int]:
    """The rows of slots, one after the other, and how many these are."""
    rows = b"".join([slot.rows for slot in packed])
    return rows, len(rows) // (4 * kernel.ROW)


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
