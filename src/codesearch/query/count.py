"""How many documents match: a mask over all documents, without scoring any of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from codesearch.index.remembered import Remembered
from codesearch.query.plan import Slot
from codesearch.query.score import Collection, Ints, Mask

REMEMBERED_DOCUMENTS = 2_000_000
"""Documents of alternatives that are kept, eight bytes each."""

Places = npt.NDArray[np.intp]
"""Numbers of documents as numpy takes them for places: any other whole numbers it would convert each time."""


class MatchCounter:
    """Finds which documents of an index match; safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._counts = collection.document_priors > 0
        self._scored = (collection.sections.gains > 0) & (collection.ranking.clinical > 0)
        self._known: Remembered[tuple[int, ...], Places] = Remembered(REMEMBERED_DOCUMENTS)

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot: just those that `score.score_documents` gives."""
        found = np.zeros(self._collection.document_count, bool)
        for terms in {one.terms for slot in slots for one in slot.alternatives}:
            found[self._documents(terms)] = True
        return found

    def _documents(self, terms: tuple[int, ...]) -> Places:
        """The documents that can score and hold all the terms in one name or in their sections, some more than once."""
        known = self._known.get(terms)
        if known is None:
            in_sections = reduce(self._in_both, map(self._in_sections, terms))
            in_sections = in_sections[self._counts[in_sections]]
            known = np.concatenate((self._by_name(terms), in_sections), dtype=np.intp)
            self._known.keep(terms, known, len(known) + 1)
        return known

    def _by_name(self, terms: tuple[int, ...]) -> Ints:
        collection = self._collection
        postings = [
            collection.entries[slice(*collection.offsets[term : term + 2])] for term in collection.by_rarity(terms)
        ]
        entries = reduce(_held_by_both, postings)
        owners: Ints = collection.documents[entries[collection.priors[entries] > 0]]
        return owners

    def _in_both(self, some: Ints, others: Ints) -> Ints:
        held = np.zeros(self._collection.document_count, bool)
        held[others] = True
        both: Ints = some[held[some]]
        return both

    def _in_sections(self, term: int) -> Ints:
        """The documents that hold a term in a section that is scored."""
        sections = self._collection.sections
        entries = sections.entries[slice(*sections.offsets[term : term + 2])]
        owners: Ints = sections.documents[entries[self._scored[entries]]]
        return owners


def _held_by_both(few: Ints, many: Ints) -> Ints:
    """The numbers that two ordered arrays share."""
    places = np.searchsorted(many, few)
    shared: Ints = few[many[np.minimum(places, len(many) - 1)] == few] if len(many) else few[:0]
    return shared
