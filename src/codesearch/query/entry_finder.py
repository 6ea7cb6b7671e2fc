"""The entries that hold all that is typed, best first, found no further than they are asked for.

Of one typed word there may be half a million postings (`s`). They lie in blocks whose lowest keys are known, so only
the blocks are looked into that may hold the next best one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from codesearch.index.limits import MAX_FREQUENCY
from codesearch.index.reader import IndexReader
from codesearch.query.entry_keys import ABOVE_ALL, BLOCK, IN_PARENTHESES, Array, EntryKeys, Keys, Mask, in_all

Terms = tuple[range, ...]
"""Numbers of terms, in order."""

_BLOCKS_AT_ONCE = 128
_SORTED_AT_ONCE = 256
_FEW_POSTINGS = 20_000
"""So many are sorted faster than their blocks are looked at."""
_NONE = np.zeros(0, np.int64)


class Wanted(NamedTuple):
    """Terms of which an entry must hold one: those of a whole word, or of all words that begin as typed."""

    terms: Terms
    is_beginning: bool = False


class _Matches(NamedTuple):
    """Entries in order, each once, and what their postings add to their keys."""

    entries: Array
    added: Keys


class EntryFinder:
    """Finds entries of an index; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._keys = EntryKeys(reader)
        self._offsets, self._entries = reader.arrays["title.offsets"], reader.arrays["title.entries"]
        self._weights, self._documents = reader.arrays["title.weights"], reader.arrays["title.documents"]

    def best(self, wanted: Sequence[Wanted], span: tuple[int, int], allowed: Mask | None) -> Iterator[int]:
        """The entries that hold a term of each, best first; one may come more than once.

        Args:
            wanted: in the order in which they are typed; only the last one may be the beginning of a word.
            span: the slice of documents that may be found.
            allowed: a mask over all documents; None for all.
        """
        for keys in self._keys_in_order(wanted):
            entries = self._keys.entries(keys)
            documents = self._documents[entries]
            keep = (documents >= span[0]) & (documents < span[1])
            if allowed is not None:
                keep &= allowed[documents]
            yield from entries[keep].tolist()

    def _keys_in_order(self, wanted: Sequence[Wanted]) -> Iterator[Keys]:
        if len(wanted) > 1:
            found = self._holding_all(wanted)
            return _ascending(self._keys.of_entries[found.entries] + found.added)
        postings = self._postings(wanted[0].terms)
        if sum(one.stop - one.start for one in postings) > _FEW_POSTINGS:
            return self._by_blocks(postings)
        return _ascending(np.concatenate([_NONE, *map(self._keys.of_postings, postings)]))

    def _holding_all(self, wanted: Sequence[Wanted]) -> _Matches:
        """The entries that hold a term of each; only the first one typed adds for how an entry begins."""
        parts = [self._holding(one.terms) for one in wanted if not one.is_beginning]
        parts[1:] = [part._replace(added=part.added & IN_PARENTHESES) for part in parts[1:]]
        entries = in_all([part.entries for part in parts])
        if wanted[-1].is_beginning:
            others = tuple(terms for one in wanted[:-1] for terms in one.terms)
            last = self._holding_among(entries, wanted[-1].terms, others)
            parts.append(last._replace(added=last.added & IN_PARENTHESES))
            entries = last.entries
        added = np.zeros(len(entries), np.int64)
        for part in parts:
            added += part.added[np.searchsorted(part.entries, entries)]
        return _Matches(entries, added)

    def _holding(self, terms: Terms) -> _Matches:
        """The entries that hold one of some terms."""
        postings = self._postings(terms)
        if len(postings) == len(terms) == len(terms[0]) == 1:
            return _Matches(self._entries[postings[0]], self._keys.added(postings[0]))
        return self._each_once([np.arange(one.start, one.stop) for one in postings])

    def _holding_among(self, among: Array, terms: Terms, others: Terms) -> _Matches:
        """The entries among some that hold one of some terms; one that is of the others as well, twice."""
        is_among = np.zeros(len(self._documents), bool)
        is_among[among] = True
        found = [np.flatnonzero(is_among[self._entries[one]]) + one.start for one in self._postings(terms)]
        places = np.concatenate([_NONE, *found])
        for one in self._postings(others):
            is_other = (places >= one.start) & (places < one.stop)
            places = places[~is_other | ((self._weights[places] & MAX_FREQUENCY) > 1)]
        return self._each_once([places])

    def _each_once(self, places: Sequence[Array]) -> _Matches:
        """The entries of some postings, each with the best of its postings."""
        together = np.concatenate([_NONE, *places])
        entries, added = self._entries[together], self._keys.added(together)
        order = np.lexsort((added, entries))
        entries, added = entries[order], added[order]
        is_first = np.ones(len(entries), bool)
        is_first[1:] = entries[1:] != entries[:-1]
        return _Matches(entries[is_first], added[is_first])

    def _postings(self, terms: Terms) -> list[slice]:
        """Where the postings of some terms lie."""
        slices = [slice(int(self._offsets[one.start]), int(self._offsets[one.stop])) for one in terms]
        return [one for one in slices if one.start < one.stop]

    def _by_blocks(self, postings: Sequence[slice]) -> Iterator[Keys]:
        """The keys of many postings in order, from the blocks with the lowest keys on."""
        waiting, blocks = self._cut(postings)
        lows = self._keys.block_lows[blocks]
        order = np.argsort(lows, kind="stable")
        blocks, lows = blocks[order], np.append(lows[order], ABOVE_ALL)
        for start in range(0, max(1, len(blocks)), _BLOCKS_AT_ONCE):
            some = blocks[start : start + _BLOCKS_AT_ONCE]
            places = (some[:, None] * BLOCK + np.arange(BLOCK)).ravel()
            waiting = np.concatenate((waiting, self._keys.of_postings(places)))
            is_next = waiting < lows[start + len(some)]
            yield np.sort(waiting[is_next])
            waiting = waiting[~is_next]

    def _cut(self, postings: Sequence[slice]) -> tuple[Keys, Array]:
        """Postings as the keys of those outside of whole blocks, and the whole blocks."""
        edges, blocks = [], []
        for one in postings:
            first, last = -(-one.start // BLOCK), one.stop // BLOCK
            if first < last:
                edges += [slice(one.start, first * BLOCK), slice(last * BLOCK, one.stop)]
                blocks.append(np.arange(first, last))
            else:
                edges.append(one)
        keys = np.concatenate([_NONE, *map(self._keys.of_postings, edges)])
        return keys, np.concatenate([_NONE, *blocks])


def _ascending(keys: Keys) -> Iterator[Keys]:
    """Keys in order, in parts that grow, so that hardly more are sorted than are asked for."""
    count = _SORTED_AT_ONCE
    while len(keys) > count:
        keys = np.partition(keys, count)
        yield np.sort(keys[:count])
        keys = keys[count:]
        count *= 8
    yield np.sort(keys)
