"""How many documents match: a mask over all documents, without scoring any of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codesearch.index.remembered import Remembered
from codesearch.query.plan import Slot
from codesearch.query.score import Collection, Ints, Mask

REMEMBERED_DOCUMENTS = 4_000_000
"""Documents of alternatives that are kept, four bytes each."""


class Counter:
    """Finds which documents of an index match; safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._counts = collection.document_priors > 0
        self._known: Remembered[tuple[int, ...], Ints] = Remembered(REMEMBERED_DOCUMENTS)

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot: just those that `score.score_documents` gives."""
        found = np.zeros(self._collection.document_count, bool)
        for terms in {one.terms for slot in slots for one in slot.alternatives}:
            found[self._documents(terms)] = True
        return found

    def _documents(self, terms: tuple[int, ...]) -> Ints:
        """The documents that hold all the terms in one name or in their sections; none that cannot score."""
        known = self._known.get(terms)
        if known is None:
            collection = self._collection
            entries = self._entries(terms)
            in_names = collection.documents[entries[collection.priors[entries] > 0]]
            in_sections = collection.sections.matches(terms)[0] if collection.ranking.clinical > 0 else in_names[:0]
            known = np.union1d(in_names, in_sections[self._counts[in_sections]]).astype(np.int32)
            self._known.keep(terms, known, len(known) + 1)
        return known

    def _entries(self, terms: tuple[int, ...]) -> Ints:
        collection = self._collection
        if len(terms) > 1:
            return collection.matches(terms).entries
        found: Ints = collection.entries[collection.offsets[terms[0]] : collection.offsets[terms[0] + 1]]
        return found
