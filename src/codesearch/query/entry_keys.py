"""The order in which entries are suggested: a key for each posting of an entry, lower ones first.

A key is one number, made of these parts, the weightiest first: the code is a chapter, and never suggested; it has
ended; how many typed words stand in parentheses only; how many words the entry has, those not counted that say
"unspecified"; it begins with another word than the first typed one; its code is not billable; its field (names before
other names); it does not say "unspecified"; and the entry itself, so that no two are equal. What depends on the typed
words is added by their postings: the parentheses and the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from codesearch.index.limits import MAX_FREQUENCY, NONESSENTIAL
from codesearch.index.reader import IndexReader

Array = npt.NDArray[Any]
Keys = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BLOCK = 64
"""Postings of a block, of which the lowest key is known."""

_DEFAULTS = (("unspecified",), ("nos",), ("not", "specified"))
"""What entries say of the code to take where nothing more is known."""

_ENTRY_BITS = 32
_NO_DEFAULT = 1 << 32
_FIELD, _LAST_FIELD = 1 << 33, 15
_NOT_BILLABLE = 1 << 37
_NOT_BEGUN = 1 << 38
_LENGTH, _LONGEST = 1 << 39, 1023
IN_PARENTHESES = 1 << 49
"""Added once for every typed word that stands in parentheses only; there is room for 127 of them."""
_ENDED = 1 << 56
_NEVER = 1 << 57
ABOVE_ALL = 1 << 58
"""Above every key."""

_POSTINGS_AT_ONCE = BLOCK << 12


class EntryKeys:
    """The keys of the entries of an index, and of its postings by their places in `title.entries`."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._offsets, self._entries = reader.arrays["title.offsets"], reader.arrays["title.entries"]
        self._weights, self._documents = reader.arrays["title.weights"], reader.arrays["title.documents"]

    @staticmethod
    def entries(keys: Keys) -> Keys:
        """The entries of some keys in their order, without those that are never suggested."""
        entries: Keys = keys[keys < _NEVER] & ((1 << _ENTRY_BITS) - 1)
        return entries

    def of_postings(self, places: slice | Array) -> Keys:
        """The keys of the entries of some postings, with what the postings add."""
        keys: Keys = self.of_entries[self._entries[places]] + self.added(places)
        return keys

    def added(self, places: slice | Array) -> Keys:
        """What postings add to the keys of their entries."""
        in_parentheses: Keys = np.where(self._weights[places] >= NONESSENTIAL, IN_PARENTHESES, 0)
        return in_parentheses + np.where(self._begins[places], 0, _NOT_BEGUN)

    @cached_property
    def of_entries(self) -> Keys:
        """The key of each entry, to which its postings add."""
        arrays, documents = self._reader.arrays, self._documents
        lengths = np.zeros(len(documents), np.int64)
        for some in _slices(len(self._entries)):
            # Not `title.lengths`: "Diabetes, diabetic" says one thing, not two.
            essential = self._entries[some][self._weights[some] < NONESSENTIAL]
            lengths += np.bincount(essential, minlength=len(documents))
        is_default = np.zeros(len(documents), bool)
        for words in _DEFAULTS:
            found = self._holding(words)
            lengths[found] -= len(words)
            is_default[found] = True
        keys = np.arange(len(documents), dtype=np.int64)
        keys += np.where(is_default, 0, _NO_DEFAULT)
        keys += np.minimum(arrays["title.fields"].astype(np.int64), _LAST_FIELD) * _FIELD
        keys += np.clip(lengths, 1, _LONGEST) * _LENGTH
        for bit, mask in (
            (_NOT_BILLABLE, self._having("billable", "no")),
            (_ENDED, arrays["ended"]),
            (_NEVER, self._having("kind", "chapter")),
        ):
            keys += np.where(mask[documents], bit, 0)
        return keys

    @cached_property
    def block_lows(self) -> Keys:
        """The lowest key in each whole block of postings."""
        keys = map(self.of_postings, _slices(len(self._entries) // BLOCK * BLOCK))
        return np.concatenate([np.zeros(0, np.int64), *(some.reshape(-1, BLOCK).min(axis=1) for some in keys)])

    @cached_property
    def _begins(self) -> Mask:
        """Of each posting whether its entry begins with the term."""
        begins = np.zeros(len(self._entries), bool)
        positions, first = self._reader.arrays["title.positions"], 0
        for some in _slices(len(self._entries)):
            ends = np.cumsum(self._weights[some] & MAX_FREQUENCY, dtype=np.int64) + first
            begins[some] = positions[np.append(first, ends[:-1])] == 0
            first = ends[-1]
        return begins

    def _holding(self, words: Sequence[str]) -> Array:
        """The entries that hold all of some words."""
        terms, offsets = self._reader.terms, self._offsets
        numbers = [terms.get(self._reader.analyzer.term(word), -1) for word in words]
        if min(numbers) < 0:
            return self._entries[:0]
        return in_all([self._entries[offsets[number] : offsets[number + 1]] for number in numbers])

    def _having(self, keyword: str, value: str) -> Mask:
        """Which documents have a value of a keyword field."""
        values = self._reader.keywords[keyword]
        number = values.index(value) if value in values else -1
        return np.equal(self._reader.arrays[f"keyword.{keyword}"].astype(np.int32), number)


def _slices(count: int) -> Iterator[slice]:
    """So many postings in slices of whole blocks, so that little memory is used at once."""
    for start in range(0, count, _POSTINGS_AT_ONCE):
        yield slice(start, min(start + _POSTINGS_AT_ONCE, count))


def in_all(parts: Sequence[Array]) -> Array:
    """The numbers that are in all of some arrays, each of which is in order."""
    found, *others = sorted(parts, key=len)
    for other in others:
        places = np.searchsorted(other, found)
        found = found[places < len(other)]
        found = found[other[places[: len(found)]] == found]
    return found
