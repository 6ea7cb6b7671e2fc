"""How many documents match: a mask over all documents, without scoring any of them."""

from __future__ import annotations

from collections.abc import Sequence

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
        self._known: Remembered[tuple[int, ...], Places] = Remembered(REMEMBERED_DOCUMENTS)

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot: just those that `score.score_documents` gives."""
        found = np.zeros(self._collection.document_count, bool)
        for terms in {one.terms for slot in slots for one in slot.alternatives}:
            found[self._documents(terms)] = True
        return found

    def _documents(self, terms: tuple[int, ...]) -> Places:
        """The documents that hold all the terms in one name or in their sections, those that can score; some twice."""
        known = self._known.get(terms)
        if known is None:
            known = np.concatenate((self._by_name(terms), self._by_sections(terms)), dtype=np.intp)
            self._known.keep(terms, known, len(known) + 1)
        return known

    def _by_name(self, terms: tuple[int, ...]) -> Ints:
        collection = self._collection
        if len(terms) > 1:
            entries = collection.matches(terms).entries
        else:
            entries = collection.entries[collection.offsets[terms[0]] : collection.offsets[terms[0] + 1]]
        owners: Ints = collection.documents[entries[collection.priors[entries] > 0]]
        # The entries of a document stand side by side.
        once: Ints = owners[np.diff(owners, prepend=-1) != 0]
        return once

    def _by_sections(self, terms: tuple[int, ...]) -> Ints:
        sections = self._collection.sections
        if not self._collection.ranking.clinical or not all(sections.posting_counts[term] for term in terms):
            return np.zeros(0, np.int32)
        documents, _ = sections.matches(terms)
        scored: Ints = documents[self._counts[documents]]
        return scored
