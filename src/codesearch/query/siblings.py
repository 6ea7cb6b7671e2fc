"""Siblings: codes that differ in the side of the body or in the encounter alone.

Codes that tell the encounter (ICD-10-CM's seventh character) are siblings below the code that they extend. Codes of one
parent are siblings when their names are the same but for words of the side. Both together: S72.001A and S72.002D.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from codesearch.index.limits import MAX_FREQUENCY
from codesearch.index.reader import IndexReader
from codesearch.query.occurrences import Mask

_SIDES = ("right", "left", "bilateral")
_NO_SIDES = ("unilateral", "unspecified", "side")
"""Words that stand in the place of a side, where the name of a sibling has one."""
_ENCOUNTERS = ("encounter", "sequela")
_EXTENDED_LENGTH = 7

Longs = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


class Siblings:
    """The groups of siblings of one index, found when they are first asked for."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    @cached_property
    def leaders(self) -> Longs:
        """Of each document one that stands for its group; itself where it has no siblings."""
        arrays = self._reader.arrays
        parents = arrays["parent"].astype(np.int64)
        is_extended = np.char.str_len(arrays["bare"]) == _EXTENDED_LENGTH
        encounters = np.flatnonzero(self._named(_ENCOUNTERS) & is_extended & (parents >= 0))
        leaders = self._by_side(parents)
        # The codes that encounters extend tell none themselves, so theirs is a leader already.
        leaders[encounters] = leaders[parents[encounters]]
        return leaders

    def _by_side(self, parents: Longs) -> Longs:
        """Of each document the first of its parent whose name is the same but for the side."""
        leaders = np.arange(self._reader.documents)
        has_side, names = self._named(_SIDES), self._hashes((*_SIDES, *_NO_SIDES))
        members = np.flatnonzero((has_side | self._named(_NO_SIDES)) & (parents >= 0))
        if not len(members):
            return leaders
        members = members[np.lexsort((members, names[members], parents[members]))]
        is_first = np.ones(len(members), bool)
        is_first[1:] = np.diff(parents[members]) != 0
        is_first[1:] |= names[members][1:] != names[members][:-1]
        starts = np.flatnonzero(is_first)
        sizes = np.diff(starts, append=len(members))
        tell = np.repeat(np.logical_or.reduceat(has_side[members], starts), sizes)
        leaders[members[tell]] = np.repeat(members[starts], sizes)[tell]
        return leaders

    def _named(self, words: Sequence[str]) -> Mask:
        """The documents whose names hold one of the words."""
        title = self._reader.arrays
        found = np.zeros(self._reader.documents, bool)
        for number in self._numbers(words):
            entries = title["title.entries"][title["title.offsets"][number] : title["title.offsets"][number + 1]]
            found[title["title.documents"][entries[title["title.fields"][entries] == 0]]] = True
        return found

    def _hashes(self, without: Sequence[str]) -> Hashes:
        """A number for the name of each document, equal for names of the same terms, some left out."""
        arrays = self._reader.arrays
        counts = np.diff(arrays["title.offsets"])
        values = np.random.default_rng(0).integers(1, 1 << 63, len(counts), np.uint64)
        values[self._numbers(without)] = 0
        names = arrays["title.fields"][arrays["title.entries"]] == 0
        frequencies = (arrays["title.weights"][names] & MAX_FREQUENCY).astype(np.uint64)
        hashes = np.zeros(self._reader.documents, np.uint64)
        owners = arrays["title.documents"][arrays["title.entries"][names]]
        np.add.at(hashes, owners, np.repeat(values, counts)[names] * frequencies)
        return hashes

    def _numbers(self, words: Sequence[str]) -> list[int]:
        found = (self._reader.terms.get(self._reader.analyzer.term(word)) for word in words)
        return [number for number in found if number is not None]
