"""Where words and phrases stand: masks over documents, computed on the posting lists.

A phrase stands in one entry (a name, or a section of a page), its terms side by side. Hyphen, blank and nothing are the
same between two parts of a word: `x-ray`, `x ray` and `xray` find each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.codec.terms import Part
from codesearch.index.limits import MAX_FREQUENCY
from codesearch.index.reader import IndexReader

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
"""Places of words: the number of the entry, and in the low bits the position in it."""

_POSITION_BITS = 20
"""Positions are below 65,536, and a phrase is no longer than a query."""
_LONGEST_CUT = 64
"""Longer runs of letters are no words, and are not taken apart."""


class TextFields(NamedTuple):
    """The fields that are looked into, by their numbers among the names and among the sections."""

    title: frozenset[int]
    sections: frozenset[int]


class Occurrences:
    """Finds the documents of one index that hold words and phrases; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._parts = (Part(reader.arrays, "title"), Part(reader.arrays, "section"))

    def phrase(self, text: str, fields: TextFields) -> Mask | None:
        """The documents that hold the words of a text side by side; None where no word of it says anything."""
        analyzer = self._reader.analyzer
        words = [word for word in analyzer.words(analyzer.fold(text)) if analyzer.term(word)]
        if not words:
            return None
        steps = list(self._steps(words))
        found = np.zeros(self._reader.documents, bool)
        for part, numbers in zip(self._parts, fields, strict=True):
            if numbers:
                places = _Walk(part, len(words)).along(steps)
                found |= self._documents(part, np.unique(places >> _POSITION_BITS), numbers)
        return found

    def together(self, terms: Sequence[int], fields: TextFields) -> Mask:
        """The documents of which one entry holds all the terms."""
        found = np.zeros(self._reader.documents, bool)
        for part, numbers in zip(self._parts, fields, strict=True):
            if numbers:
                lists = sorted((part.entries[part.offsets[term] : part.offsets[term + 1]] for term in terms), key=len)
                entries = lists[0]
                for other in lists[1:]:
                    entries = entries[_among(other, entries)]
                found |= self._documents(part, entries, numbers)
        return found

    def _documents(self, part: Part, entries: npt.NDArray[np.integer], fields: Iterable[int]) -> Mask:
        found = np.zeros(self._reader.documents, bool)
        chosen = np.isin(part.fields[entries], list(fields))
        found[part.documents[entries[chosen]]] = True
        return found

    def _steps(self, words: Sequence[str]) -> Iterator[_Step]:
        """Every way from one word of a phrase to a later one: the word, two joined to one, one cut in two."""
        for place, word in enumerate(words):
            yield from self._step(place, 1, (word,))
            if place + 1 < len(words):
                yield from self._step(place, 2, (word + words[place + 1],))
            for cut in range(1, len(word)) if len(word) <= _LONGEST_CUT else ():
                yield from self._step(place, 1, (word[:cut], word[cut:]))

    def _step(self, place: int, count: int, written: Sequence[str]) -> Iterator[_Step]:
        """The step over words written so, where the index has their terms."""
        terms = [self._reader.terms.get(self._reader.analyzer.term(word)) for word in written]
        known = tuple(term for term in terms if term is not None)
        if len(known) == len(written):
            yield _Step(place, place + count, known)


class _Step(NamedTuple):
    """Terms side by side that stand for the words of a phrase from `first` up to `last`."""

    first: int
    last: int
    terms: tuple[int, ...]


class _Walk:
    """A walk through the postings of one part, from each word of a phrase to the next."""

    def __init__(self, part: Part, words: int) -> None:
        self._part = part
        self._reached: list[Places | None] = [None, *(np.zeros(0, np.int64) for _ in range(words))]

    def along(self, steps: Sequence[_Step]) -> Places:
        """The places behind the last word of every occurrence of the phrase."""
        for step in steps:
            places = self._reached[step.first]
            for term in step.terms:
                places = self._behind(term, places)
            before = self._reached[step.last]
            if places is not None and before is not None and len(places):
                self._reached[step.last] = np.union1d(before, places)
        last = self._reached[-1]
        return np.zeros(0, np.int64) if last is None else last

    def _behind(self, term: int, places: Places | None) -> Places:
        """The places behind a term where it stands at one of the places; behind all of them at the beginning."""
        if places is not None and not len(places):
            return places
        part = self._part
        start, end = int(part.offsets[term]), int(part.offsets[term + 1])
        counts = part.weights[start:end] & MAX_FREQUENCY
        positions = part.positions[part.position_offsets[term] : part.position_offsets[term + 1]]
        entries = np.repeat(part.entries[start:end].astype(np.int64), counts)
        found: Places = (entries << _POSITION_BITS) | positions
        return (found if places is None else found[_among(places, found)]) + 1


def _among(ordered: npt.NDArray[np.integer], wanted: npt.NDArray[np.integer]) -> Mask:
    """Which of the wanted numbers stand among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    found: Mask = ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted
    return found
