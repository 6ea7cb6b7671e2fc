"""Postings: which term stands where, collected entry by entry in runs, and laid out as flat arrays.

An *entry* is a run of words with a length of its own: one name of a code, or one section of a page. Postings are
ordered by (term, entry, position). A posting's `weights` byte holds the frequency of the term in the entry in its low
seven bits (at most 127), and in the high bit that it stands there only in parentheses, or in a phrase such as "NOS"
(`nonessential` in `index/analysis.toml`): such words match, but do not count in an entry's length.

Documents are collected in runs, each by one process with a vocabulary of its own; the texts of a run are read all at
once, and the layout puts the runs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.analysis import Analyzer, blanked
from codesearch.index.fields import NO_ENTRIES, entries_of
from codesearch.index.limits import MAX_FREQUENCY, NONESSENTIAL

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

_MAX_POSITION = 0xFFFF
_PARTS_GAP = 10
_MARKS = "()\0"
"""Parentheses and ends of texts."""
_JOINED = "\1"
"""Stands before hyphenated words joined, which stand before their parts."""
_STOP, _END, _OPEN, _CLOSE, _FIRST_JOINED = range(-1, -6, -1)
"""What stands for pieces that are no words of their own; joined words count down from the last."""
_NO_PHRASES = {"\0": np.int32(_END).tobytes()}
"""Phrases of texts and the numbers of their pieces as bytes, none yet."""
_MAX_CHARACTERS = 8_000_000
"""Of the phrases that a vocabulary remembers; those of all official code sets have 4.9 million."""


class Vocabulary(dict[str, int]):
    """Pieces of texts to numbers: terms count up from 0, pieces that are none have the numbers above."""

    def __init__(self, analyzer: Analyzer) -> None:
        super().__init__({"\0": _END, "(": _OPEN, ")": _CLOSE})
        self._analyzer = analyzer
        self._numbers: dict[str, int] = {}
        self._terms: list[str] = []
        self._first_letters: list[str] = []
        """By number, what all words of the term begin with; empty where they differ."""
        self._phrases = dict(_NO_PHRASES)
        self._characters = 0

    def __missing__(self, piece: str) -> int:
        if piece[0] == _JOINED:
            number = self[piece[1:]]
            number = self[piece] = number if number == _STOP else _FIRST_JOINED - number
        else:
            term = self._analyzer.term(piece)
            number = self[piece] = self._number(term, piece[0]) if term else _STOP
        return number

    def _number(self, term: str, first_letter: str) -> int:
        number = self._numbers.setdefault(term, len(self._terms))
        if number == len(self._terms):
            self._terms.append(term)
            self._first_letters.append(first_letter)
        elif self._first_letters[number] != first_letter:
            self._first_letters[number] = ""
        return number

    def terms(self) -> list[str]:
        """The terms by number."""
        return self._terms

    def words(self) -> dict[str, int]:
        """The words that stand for a term, as they are written, with its number."""
        return {piece: number for piece, number in self.items() if number >= 0}

    def pieces(self, texts: Sequence[str]) -> Ints:
        """The numbers of all pieces of the texts, with an end after each text.

        Names say the same again and again (`Open Approach`, `initial encounter`), so what stands between two commas,
        over which no word and no folding reaches, is read once and remembered.
        """
        if not texts:
            return np.zeros(0, np.int32)
        together = "\0".join(texts)
        if together.count("\0") >= len(texts):
            together = "\0".join([text.replace("\0", " ") for text in texts])
        return np.frombuffer(b"".join(self._read(f"{together}\0".replace("\0", ",\0,").split(","))), np.int32)

    def initials(self, phrases: Sequence[str], counts: range) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Of each phrase that has so many words: the phrase, what its words begin with, and their terms.

        It is quick where the phrases stand before the first comma of texts that were read.
        """
        read = self._read([phrase.replace("\0", " ") for phrase in phrases])
        numbers = np.frombuffer(b"".join(read), np.int32)
        words = numbers[numbers >= 0].tolist()
        ends = np.cumsum(np.fromiter(map(len, read), np.int64, len(read)) // numbers.itemsize)
        ends = np.append(0, np.cumsum(numbers >= 0))[ends]
        lengths = np.diff(ends, prepend=0)
        wanted = np.flatnonzero((lengths >= counts.start) & (lengths < counts.stop))
        slices = zip(wanted.tolist(), (ends - lengths)[wanted].tolist(), ends[wanted].tolist(), strict=True)
        for place, start, end in slices:
            own = words[start:end]
            letters = "".join([self._first_letters[number] for number in own])
            if len(letters) < len(own):
                [(written, _)] = self._analyzer.words_of_all([phrases[place]])
                letters = "".join([word[0] for word in written])
            yield phrases[place], letters, tuple([self._terms[number] for number in own])

    def _read(self, phrases: Sequence[str]) -> list[bytes]:
        """The numbers of the pieces of each phrase, as bytes."""
        # Emptied between two readings only: no phrase may be forgotten before its part is put together.
        if self._characters > _MAX_CHARACTERS:
            self._phrases, self._characters = dict(_NO_PHRASES), 0
        unknown = list(set(phrases).difference(self._phrases))
        if unknown:
            self._learn(unknown)
            self._characters += sum(map(len, unknown))
        return list(map(self._phrases.__getitem__, phrases))

    def _learn(self, phrases: Sequence[str]) -> None:
        """Remembers the phrases."""
        analyzer = self._analyzer
        folded = analyzer.with_parentheses(analyzer.fold_all(phrases).replace(_JOINED, " "))
        if "-" in folded:
            folded = analyzer.with_joined(folded, _JOINED)
        found = _pieces(f"{folded}\0")
        numbers = np.fromiter(map(self.__getitem__, found), np.int32, len(found))
        numbers = numbers[numbers != _STOP]
        ends = np.flatnonzero(numbers == _END) * numbers.itemsize
        starts = np.append(0, ends[:-1] + numbers.itemsize)
        data = map(numbers.tobytes().__getitem__, map(slice, starts.tolist(), ends.tolist()))
        self._phrases.update(zip(phrases, data, strict=True))


def _pieces(folded: str) -> list[str]:
    """The words of a folded text, and what marks them, in order."""
    pieces = blanked(folded, f"{_MARKS}{_JOINED}")
    for mark in _MARKS:
        pieces = pieces.replace(mark, f" {mark} ")
    return pieces.split()


class Run(NamedTuple):
    """The postings of the entries of some documents that follow each other; both count from the run's first.

    `terms` are the terms that stand anywhere, `counts` how many postings each has, `places` how many positions.
    """

    terms: Ints
    counts: Ints
    places: Ints
    entries: Ints
    weights: npt.NDArray[np.uint8]
    positions: npt.NDArray[np.uint16]
    documents: Ints
    fields: npt.NDArray[np.int8]
    lengths: Ints


class Collector:
    """Collects the texts of entries into a run."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._texts: list[str] = []
        self._counts: list[int] = []
        self._documents: list[int] = []
        self._fields: list[int] = []

    def add(self, document: int, field: int, texts: Sequence[str]) -> None:
        """Adds an entry of one or more texts; between two texts lies a gap that no phrase crosses."""
        self._texts += texts
        self._counts.append(len(texts))
        self._documents.append(document)
        self._fields.append(field)

    def run(self) -> Run:
        """What was collected."""
        pieces = self._vocabulary.pieces(self._texts)
        counts, documents = np.array(self._counts, np.int32), np.array(self._documents, np.int32)
        return _run(pieces, counts, documents, np.array(self._fields, np.int8))


def title_run(vocabulary: Vocabulary, rows: Iterable[Sequence[Any]]) -> Run:
    """The entries of documents from 0 on, one for each text that `entries_of` gives of the values of their titles.

    Codes that follow each other share what stands beside their names: that is read once for all of them.
    """
    texts: list[str] = []
    order: list[int] = []
    fields: list[int] = []
    counts: list[int] = []
    others: Sequence[Any] = ()
    shared: dict[str, int] = {}
    shared_places: Sequence[int] = ()
    for values in rows:
        name, own = values[0], values[1:]
        if own != others:
            others, shared = own, entries_of(("", *own))
            shared_places = range(len(texts), len(texts) + len(shared))
            texts += shared
        if name and isinstance(name, str) and name not in shared:
            order.append(len(texts))
            texts.append(name)
            fields.append(0)
            if shared:
                order += shared_places
                fields += shared.values()
            counts.append(1 + len(shared))
        else:
            entries = entries_of(values) or NO_ENTRIES
            order += range(len(texts), len(texts) + len(entries))
            texts += entries
            fields += entries.values()
            counts.append(len(entries))
    pieces = _in_places(vocabulary.pieces(texts), np.array(order, np.int32))
    documents = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    return _run(pieces, np.ones(len(order), np.int32), documents, np.array(fields, np.int8))


def _in_places(pieces: Ints, order: Ints) -> Ints:
    """The pieces of texts in another order, in which a text may stand several times."""
    ends = np.flatnonzero(pieces == _END).astype(np.int32) + np.int32(1)
    lengths = _steps(ends)
    return pieces[_spread((ends - lengths)[order], lengths[order])]


def _run(pieces: Ints, text_counts: Ints, documents: Ints, fields: npt.NDArray[np.int8]) -> Run:
    """The postings of entries of so many texts each, which stand in these documents and fields."""
    words, lengths = _words(pieces, text_counts)
    return Run(*_postings(_in_order(words)), documents, fields, lengths)


class _Words(NamedTuple):
    """Words of entries: their terms, where they stand, and whether that is in parentheses or as a joined word."""

    terms: Ints
    entries: Ints
    positions: Ints
    inside: Mask
    joined: Mask


def _words(pieces: Ints, text_counts: Ints) -> tuple[_Words, Ints]:
    """The words among pieces of texts, of which each entry has so many, and how many words of each entry count."""
    is_mark = (pieces <= _END) & (pieces >= _CLOSE)
    terms = pieces[~is_mark]
    joined = terms < 0
    where_joined = np.flatnonzero(joined)
    terms[where_joined] = _FIRST_JOINED - terms[where_joined]
    # Marks are much rarer than words, and what stands between two is of one text, in parentheses or not.
    marks: Ints = np.flatnonzero(is_mark).astype(np.int32)
    kinds = pieces[marks]
    ends = np.subtract(marks, np.arange(len(marks)), dtype=np.int32)
    between = _steps(ends)
    own = _steps(ends - np.searchsorted(where_joined, ends).astype(np.int32))
    texts = np.cumsum(kinds == _END, dtype=np.int32) - (kinds == _END)
    inside = _inside(kinds, texts, own)
    entry_of_text = np.repeat(np.arange(len(text_counts), dtype=np.int32), text_counts)
    entries = entry_of_text[texts]
    # A word stands after the words of its entry before it, and a gap for each text before its own; a joined word where
    # the next one stands.
    counts = np.bincount(entries, own, len(text_counts)).astype(np.int32)
    gaps = np.arange(len(entry_of_text), dtype=np.int32) - _before(text_counts)[entry_of_text]
    begins = _PARTS_GAP * gaps - _before(counts)[entry_of_text]
    positions = np.repeat(begins[texts], between)
    positions += np.arange(len(terms), dtype=np.int32)
    positions -= np.repeat(
        np.arange(len(where_joined) + 1, dtype=np.int32), np.diff(where_joined + 1, prepend=0, append=len(terms))
    )
    lengths = np.bincount(entries, own * ~inside, len(text_counts)).astype(np.int32)
    words = _Words(
        terms,
        np.repeat(entries, between),
        np.minimum(positions, np.int32(_MAX_POSITION)),
        np.repeat(inside, between) | joined,
        joined,
    )
    return words, lengths


def _steps(numbers: Ints) -> Ints:
    """How much more each number is than the one before it, the first than 0."""
    steps = numbers.copy()
    steps[1:] -= numbers[:-1]
    return steps


def _before(counts: Ints) -> Ints:
    """How many there are before each of some, of which each has so many."""
    return np.cumsum(counts, dtype=np.int32) - counts


def _inside(kinds: Ints, texts: Ints, words: Ints) -> Mask:
    """Whether what stands before each mark is in parentheses; nothing is in a text that is so as a whole.

    Takes what each mark is, the number of its text, and how many words stand between the mark before it and itself.
    """
    steps = (kinds == _OPEN).astype(np.int64) - (kinds == _CLOSE)
    # Each text is brought far below the one before it, so that its lowest level so far is its own.
    levels = np.cumsum(steps) - steps - texts * np.int64(2 * len(kinds) + 2)
    inside: Mask = levels > np.minimum.accumulate(levels)
    has_words_outside = np.bincount(texts, words * ~inside) > 0
    return inside & has_words_outside[texts]


def _in_order(words: _Words) -> _Words:
    """The words in the order of terms, entries and positions, words of a text before joined ones."""
    if not len(words.terms):
        return words
    bits = int(words.entries.max()).bit_length()
    key = (words.terms.astype(np.int64) << bits | words.entries) << 18
    key |= words.positions << 2 | words.joined << 1 | words.inside
    key.sort()
    own = key >> 18
    low = key.astype(np.int32)
    return _Words(
        (own >> bits).astype(np.int32),
        own.astype(np.int32) & np.int32((1 << bits) - 1),
        (low >> 2) & np.int32(_MAX_POSITION),
        low & 1 > 0,
        low & 2 > 0,
    )


def _postings(words: _Words) -> tuple[Ints, Ints, Ints, Ints, npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """The first fields of a run, from words in order."""
    terms, entries, positions = words.terms, words.entries, words.positions
    first = np.ones(len(terms), bool)
    first[1:] = (terms[1:] != terms[:-1]) | (entries[1:] != entries[:-1])
    starts = np.flatnonzero(first)
    frequencies = np.diff(starts, append=len(terms))
    kept = np.minimum(frequencies, MAX_FREQUENCY)
    if (kept < frequencies).any():
        positions = positions[np.arange(len(terms)) - np.repeat(starts, frequencies) < MAX_FREQUENCY]
    all_inside = np.logical_and.reduceat(words.inside, starts) if len(starts) else np.zeros(0, bool)
    terms = terms[starts]
    new = np.flatnonzero(np.diff(terms, prepend=-1))
    return (
        terms[new],
        np.diff(new, append=len(terms)).astype(np.int32),
        (np.add.reduceat(kept, new) if len(new) else kept).astype(np.int32),
        entries[starts],
        (kept + np.where(all_inside, NONESSENTIAL, 0)).astype(np.uint8),
        positions.astype(np.uint16),
    )


def layout(runs: Sequence[Run], firsts: Sequence[int], ranks: Sequence[Ints], term_count: int) -> dict[str, Array]:
    """The postings of all runs, which follow each other.

    Args:
        runs: the runs in the order of their documents.
        firsts: of each run, the number of its first document.
        ranks: of each run, the place among all terms of each number in its vocabulary.
        term_count: how many terms there are.

    Returns:
        `offsets` (a term's postings), `entries`, `weights`, `positions` with `position_offsets`, and of each entry
        `documents`, `fields` and `lengths`.
    """
    counts, places = np.zeros(term_count + 1, np.int64), np.zeros(term_count + 1, np.int64)
    for run, rank in zip(runs, ranks, strict=True):
        counts[rank[run.terms] + 1] += run.counts
        places[rank[run.terms] + 1] += run.places
    offsets, position_offsets = np.cumsum(counts), np.cumsum(places)
    entries, weights = np.zeros(offsets[-1], np.int32), np.zeros(offsets[-1], np.uint8)
    positions = np.zeros(position_offsets[-1], np.uint16)
    free, free_places = offsets[:-1].copy(), position_offsets[:-1].copy()
    first_entry = 0
    for run, rank in zip(runs, ranks, strict=True):
        own = rank[run.terms]
        where = _spread(free[own], run.counts)
        entries[where] = run.entries + first_entry
        weights[where] = run.weights
        positions[_spread(free_places[own], run.places)] = run.positions
        free[own] += run.counts
        free_places[own] += run.places
        first_entry += len(run.documents)
    return {
        "offsets": offsets.astype(np.int32),
        "entries": entries,
        "weights": weights,
        "positions": positions,
        "position_offsets": position_offsets.astype(np.int32),
        "documents": _joined([run.documents + first for run, first in zip(runs, firsts, strict=True)], np.int32),
        "fields": _joined([run.fields for run in runs], np.int8),
        "lengths": _joined([run.lengths for run in runs], np.int32),
    }


def _spread(starts: Longs | Ints, counts: Ints) -> Longs:
    """The places of slices that begin at `starts`, one after the other."""
    ends = np.cumsum(counts)
    spread: Longs = np.repeat(starts - ends + counts, counts)
    spread += np.arange(len(spread))
    return spread


def _joined(arrays: Sequence[Array], kind: npt.DTypeLike) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, kind)
