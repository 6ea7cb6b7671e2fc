"""Ranking for callers: the plain path at first, and the compiled one once it is ready, with the same answers.

A process that searches once must not wait half a second for a compiler; one that goes on searching has it loaded in a
thread of its own meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.errors import IndexCorruptError
from codesearch.index.structure import check_postings
from codesearch.query.plan import Slot
from codesearch.query.score import (
    Collection,
    Floats,
    Ints,
    Mask,
    Matches,
    Ranked,
    ancestor_mass,
    rank,
    share_of,
    slot_order,
)

F = np.float32
Longs = npt.NDArray[np.int64]

SEARCHES_BEFORE_COMPILING = 8
"""After so many searches an index counts as long-lived."""
_MOST_RANKED = 1000
"""More hits than this are sorted faster by the plain path."""
_PHRASE_POSTINGS = 2_000_000
"""Postings of phrases that are remembered, in all."""

_BLOCK = 1024
"""Entries of a block: its scratch table fits the second-level cache of a core."""

_NO_MASK = np.zeros(0, bool)


class Engine:
    """Ranks the documents of one index; safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._searches = 0
        self._compiled: CompiledRanking | None = None
        self._loading: threading.Thread | None = None
        self._problem: IndexCorruptError | None = None
        self._lock = threading.Lock()

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots, as `score.rank` gives them.

        Raises:
            IndexCorruptError: the arrays were found to be such as no builder writes.
        """
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
        problem = self._problem
        if problem is not None:
            raise IndexCorruptError(problem.subject, problem.reason, problem.next_step)
        with self._lock:
            self._searches += 1
            if self._searches != SEARCHES_BEFORE_COMPILING or self._loading is not None:
                return
            self._loading = threading.Thread(target=self._load, name="codesearch-compile", daemon=True)
        self._loading.start()

    def _load(self) -> None:
        try:
            self.compile()
        except IndexCorruptError as error:
            self._problem = error
        except Exception as error:
            # The plain path gives the same answers: a compiler that cannot be used (no folder for its cache, say) costs
            # time only.
            logging.getLogger("codesearch").warning("searching goes on without compiled code: %r", error)


class _Scratch(NamedTuple):
    """Working memory of one search: a row for each entry of a block, and for each of its documents; all zero between
    searches."""

    table: Floats
    bits: npt.NDArray[np.uint32]
    touched: Longs
    best: Floats
    best_entry: Longs
    matched: Longs


class _Phrases:
    """Matches of phrases, remembered in one run of arrays, which is begun anew when it is full."""

    def __init__(self, collection: Collection, capacity: int) -> None:
        self._collection = collection
        self._capacity = capacity
        self._lock = threading.Lock()
        self._clear(capacity)

    def _clear(self, capacity: int) -> None:
        self._arrays = (np.zeros(capacity, np.int32), np.zeros(capacity, F), np.zeros(capacity, F))
        self._used = 0
        self._places: dict[tuple[int, ...], _Place] = {}

    def places(self, phrases: Sequence[tuple[int, ...]]) -> tuple[list[_Place], tuple[Any, ...]]:
        """Where the matches of each phrase lie, and the arrays in which they do.

        A search goes on with the arrays that it was given, also when others are begun meanwhile.
        """
        with self._lock:
            missing = [phrase for phrase in phrases if phrase not in self._places]
        found = {phrase: self._collection.matches(phrase) for phrase in missing}
        with self._lock:
            needed = sum(len(matches.entries) for matches in found.values())
            begun_anew = any(phrase not in found and phrase not in self._places for phrase in phrases)
            if begun_anew or self._used + needed > len(self._arrays[0]):
                found = {phrase: self._collection.matches(phrase) for phrase in dict.fromkeys(phrases)}
                self._clear(max(self._capacity, sum(len(matches.entries) for matches in found.values())))
            for phrase, matches in found.items():
                self._keep(phrase, matches)
            return [self._places[phrase] for phrase in phrases], self._arrays

    def _keep(self, phrase: tuple[int, ...], matches: Matches) -> None:
        end = self._used + len(matches.entries)
        for kept, column in zip(self._arrays, matches, strict=True):
            kept[self._used : end] = column
        highest = float(matches.scores.max()) if len(matches.scores) else 0.0
        self._places[phrase] = _Place(self._used, end, highest)
        self._used = end


class _Place(NamedTuple):
    """Where the matches of a phrase lie, and the highest score among them."""

    start: int
    end: int
    highest: float


class CompiledRanking:
    """The compiled path over one index."""

    def __init__(self, collection: Collection) -> None:
        """Checks the arrays, for compiled code looks at no bounds.

        Raises:
            IndexCorruptError: following the postings would leave the arrays.
        """
        from codesearch.query import kernel

        check_postings(collection.arrays, collection.document_count)
        self._rank_entries: Callable[..., int] = kernel.rank_entries
        self._columns = kernel.COLUMNS
        self._collection = collection
        self._scratch: list[_Scratch] = []
        self._phrases = _Phrases(collection, _PHRASE_POSTINGS)
        self._peaks = collection.peaks()
        self._blocks = _blocks(collection.documents)
        self.rank((), (0, 0), None, 1)

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots."""
        collection, ranking = self._collection, self._collection.ranking
        order = slot_order(collection, slots)
        alternatives = self._alternatives(slots, order)
        below = self._below(slots, order)
        bonus_documents, bonus_scores = collection.sections.score(slots)
        documents, scores, entries = np.zeros(limit, np.int64), np.zeros(limit, F), np.zeros(limit, np.int64)
        scratch = self._take_scratch()
        count = self._rank_entries(
            collection.entries, collection.weights, collection.norms, collection.documents, collection.mass,
            collection.priors, collection.ancestor_documents, self._blocks,
            *alternatives, *below,
            span[0], span[1], _NO_MASK if allowed is None else allowed, bonus_documents, bonus_scores,
            F(bonus_scores.max()) if len(bonus_scores) else F(0), collection.highest_prior,
            F(sum(slot.mass for slot in slots)), F(ranking.k1), ranking.coverage_halves, F(ranking.entry_coverage),
            *scratch, documents, scores, entries,
        )  # fmt: skip
        # After an exception the memory is not zero, and is not used again.
        self._scratch.append(scratch)
        return Ranked(documents[:count].astype(np.int32), scores[:count], entries[:count].astype(np.int32))

    def _take_scratch(self) -> _Scratch:
        try:
            return self._scratch.pop()
        except IndexError:
            size = int(np.diff(self._blocks).max(initial=1))
            return _Scratch(
                np.zeros((size, self._columns), F),
                np.zeros(size, np.uint32),
                np.zeros(size, np.int64),
                np.zeros(size, F),
                np.zeros(size, np.int64),
                np.zeros(size, np.int64),
            )

    def _alternatives(self, slots: Sequence[Slot], order: Sequence[int]) -> tuple[Any, ...]:
        """The alternatives of all slots as the kernel takes them."""
        offsets, idf, peaks = self._collection.offsets_list, self._collection.idf_list, self._peaks
        chosen = [(slots[place], one) for place in order for one in slots[place].alternatives]
        places, phrases = self._phrases.places([one.terms for _, one in chosen if len(one.terms) > 1])
        next_place = iter(places)
        bounds, sources, starts, ends = [0], [], [], []
        idfs, factors, shares, highest = [], [], [], []
        for place in order:
            bounds.append(bounds[-1] + len(slots[place].alternatives))
        for slot, one in chosen:
            factor = one.weight * share_of(one, slots, slot)
            factors.append(factor)
            shares.append(one.weight * slot.mass)
            if len(one.terms) == 1:
                term = one.terms[0]
                sources.append(0)
                starts.append(offsets[term])
                ends.append(offsets[term + 1])
                idfs.append(idf[term])
                highest.append(peaks[term] * factor)
            else:
                found = next(next_place)
                sources.append(1)
                starts.append(found.start)
                ends.append(found.end)
                idfs.append(0.0)
                highest.append(found.highest * factor)
        # One array for all whole numbers and one for all others: making arrays costs more than filling them.
        count = len(chosen)
        whole = np.array((*sources, *starts, *ends, *bounds), np.int64)
        other = np.array((*idfs, *factors, *shares, *highest), F).reshape(4, count)
        return whole[3 * count :], *whole[: 3 * count].reshape(3, count), *other, *phrases

    def _below(self, slots: Sequence[Slot], order: Sequence[int]) -> tuple[Any, ...]:
        """The slices of ancestors' documents of all slots, and what each slot adds to the share."""
        offsets, ranking = self._collection.ancestor_offsets, self._collection.ranking
        bounds, begins, ends, masses = [0], [], [], []
        for place in order:
            for one in slots[place].alternatives:
                if len(one.terms) == 1:
                    begins.append(offsets[one.terms[0]])
                    ends.append(offsets[one.terms[0] + 1])
            bounds.append(len(begins))
            masses.append(ranking.ancestor_share * ancestor_mass(slots[place]))
        return np.array(bounds, np.int64), np.array(begins, np.int64), np.array(ends, np.int64), np.array(masses, F)


def _blocks(owners: Ints) -> Longs:
    """Bounds of blocks of entries, none of which cuts a document in two."""
    bounds = [0]
    while bounds[-1] < len(owners):
        end = min(bounds[-1] + _BLOCK, len(owners))
        if end < len(owners):
            start_of_document = int(np.searchsorted(owners, owners[end], "left"))
            if start_of_document > bounds[-1]:
                end = start_of_document
            else:
                end = int(np.searchsorted(owners, owners[end], "right"))
        bounds.append(end)
    return np.array(bounds, np.int64)
