"""Postings: which term stands where, collected entry by entry in runs, and laid out as flat arrays.

An *entry* is a run of words with a length of its own: one name of a code, or one section of a page. Postings are
ordered by (term, entry, position). A posting's `weights` byte holds the frequency of the term in the entry in its low
seven bits (at most 127), and in the high bit that it stands there only in parentheses: such nonessential words match,
but do not count in an entry's length.

Documents are collected in runs, each by one process with a vocabulary of its own; the layout puts them together.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.analysis import Analyzer

Ints = npt.NDArray[np.int32]
Array = npt.NDArray[Any]

NONESSENTIAL = 0x80
MAX_FREQUENCY = 0x7F
_MAX_POSITION = 0xFFFF
_PARTS_GAP = 10
_WORDS_AT_ONCE = 3_000_000
_REMEMBERED = 20_000
_HYPHENATED = re.compile(r"[a-z0-9]++(?:-[a-z0-9]++)+")
_PIECES = re.compile(r"[()]|\d+(?:\.\d+)+|[a-z0-9]+")


class Analysed(NamedTuple):
    """A text: the numbers of its terms, which of them stand in parentheses, and (number, place) of joined words."""

    terms: tuple[int, ...]
    nonessential: tuple[int, ...]
    joined: tuple[tuple[int, int], ...]


class Vocabulary:
    """Words to numbers while collecting; `-1` stands for a stop word."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self._numbers: dict[str, int] = {}
        self.of_word: dict[str, int] = {}
        self._analysed: dict[str, Analysed] = {}

    def terms(self) -> list[str]:
        """The terms by number."""
        return list(self._numbers)

    def analysed(self, text: str) -> Analysed:
        """The terms of a text; pages say many things in the same words, so what was analysed is remembered."""
        found = self._analysed.get(text)
        if found is None:
            if len(self._analysed) >= _REMEMBERED:
                self._analysed.clear()
            found = self._analysed[text] = self._analyse(self.analyzer.fold(text))
        return found

    def _number(self, word: str) -> int:
        """The number of a folded word's term."""
        found = self.of_word.get(word)
        if found is None:
            term = self.analyzer.term(word)
            found = self._numbers.setdefault(term, len(self._numbers)) if term else -1
            self.of_word[word] = found
        return found

    def _analyse(self, folded: str) -> Analysed:
        inside: tuple[int, ...] = ()
        if "(" in folded:
            terms, inside = self._with_parentheses(folded)
        else:
            get, number = self.of_word.get, self._number
            words = self.analyzer.words(folded)
            numbers = [number(word) if (known := get(word)) is None else known for word in words]
            terms = tuple([known for known in numbers if known >= 0]) if -1 in numbers else tuple(numbers)
        return Analysed(terms, inside, tuple(self._joined(folded)) if "-" in folded else ())

    def _with_parentheses(self, folded: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        terms: list[int] = []
        inside: list[int] = []
        depth = 0
        for piece in _PIECES.findall(folded):
            if piece in "()":
                depth = max(0, depth + (1 if piece == "(" else -1))
                continue
            known = self._number(piece)
            if known >= 0:
                if depth:
                    inside.append(len(terms))
                terms.append(known)
        # A text that stands in parentheses as a whole is all that there is.
        return tuple(terms), tuple(inside) if len(inside) < len(terms) else ()

    def _joined(self, folded: str) -> Iterator[tuple[int, int]]:
        """Hyphenated words once more, joined, at the place of their first part; they do not count in the length."""
        starts: list[int] = []
        for _, start in self.analyzer.joined(folded):
            word = _HYPHENATED.match(folded, start)
            number = self._number(word[0].replace("-", "")) if word else -1
            if number < 0:
                continue
            if not starts:
                pieces = _PIECES.finditer(folded)
                starts = [piece.start() for piece in pieces if self.of_word.get(piece[0], -1) >= 0]
            yield number, bisect_left(starts, start)


class Run(NamedTuple):
    """The entries of some documents that follow each other.

    Documents, entries and places in `terms` count from the run's first.
    """

    terms: Ints
    counts: Ints
    nonessential: Ints
    gaps: Ints
    extra_terms: Ints
    extra_entries: Ints
    extra_places: Ints
    documents: Ints
    fields: npt.NDArray[np.int8]


class Collector:
    """Collects the words of entries into a run."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._terms = array("i")
        self._counts = array("i")
        self._nonessential = array("i")
        self._extra_terms = array("i")
        self._extra_entries = array("i")
        self._extra_places = array("i")
        self._gaps = array("i")
        self._documents = array("i")
        self._fields = array("b")

    def add(self, document: int, field: int, texts: Iterable[str]) -> None:
        """Adds an entry of one or more texts; between two texts lies a gap that no phrase crosses."""
        before = len(self._terms)
        for number, text in enumerate(texts):
            if number:
                self._gaps.append(len(self._terms))
            self._add_text(text)
        self._counts.append(len(self._terms) - before)
        self._documents.append(document)
        self._fields.append(field)

    def run(self) -> Run:
        """What was collected."""
        return Run(
            np.array(self._terms, np.int32),
            np.array(self._counts, np.int32),
            np.array(self._nonessential, np.int32),
            np.array(self._gaps, np.int32),
            np.array(self._extra_terms, np.int32),
            np.array(self._extra_entries, np.int32),
            np.array(self._extra_places, np.int32),
            np.array(self._documents, np.int32),
            np.array(self._fields, np.int8),
        )

    def _add_text(self, text: str) -> None:
        start = len(self._terms)
        found = self._vocabulary.analysed(text)
        self._terms.extend(found.terms)
        if found.nonessential:
            self._nonessential.extend([start + place for place in found.nonessential])
        for number, place in found.joined:
            self._extra_terms.append(number)
            self._extra_entries.append(len(self._documents))
            self._extra_places.append(start + place)


def layout(runs: Sequence[Run], firsts: Sequence[int], ranks: Sequence[Ints], term_count: int) -> dict[str, Array]:
    """The postings of all runs, which follow each other.

    The terms are taken slice by slice, so that only the postings themselves are held for all terms at once.

    Args:
        runs: the runs in the order of their documents.
        firsts: of each run, the number of its first document.
        ranks: of each run, the place among all terms of each number in its vocabulary.
        term_count: how many terms there are.

    Returns:
        `offsets` (a term's postings), `entries`, `weights`, `positions` with `position_offsets`, and of each entry
        `documents`, `fields` and `lengths`.
    """
    first_entries = np.cumsum([0, *(len(run.counts) for run in runs)]).tolist()
    words = np.zeros(term_count, np.int64)
    for run, rank in zip(runs, ranks, strict=True):
        for terms in (run.terms, run.extra_terms):
            words += np.bincount(rank[terms], minlength=term_count)
    parts: list[_Postings] = []
    for low, high in slices(words):
        found = [
            _tokens(run, rank, first_entry, low, high)
            for run, rank, first_entry in zip(runs, ranks, first_entries, strict=False)
        ]
        parts.append(_postings(_in_order_of_terms(found)))
    return {
        **_together(parts, term_count),
        "documents": _joined([run.documents + first for run, first in zip(runs, firsts, strict=True)], np.int32),
        "fields": _joined([run.fields for run in runs], np.int8),
        "lengths": _joined([_lengths(run) for run in runs], np.int32),
    }


def slices(words: Array) -> Iterator[tuple[int, int]]:
    """Ranges of terms, each with about as many words as are worked on at once; `words` counts those of each term."""
    running = np.cumsum(words)
    low = 0
    while low < len(words):
        done = running[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(running, done + _WORDS_AT_ONCE, side="right")))
        yield low, high
        low = high


class _Tokens(NamedTuple):
    """Words of entries."""

    terms: Ints
    entries: Ints
    positions: Ints
    inside: npt.NDArray[np.bool_]

    def taken(self, which: Array) -> _Tokens:
        """Some of the words, by number or by a mask."""
        return _Tokens(self.terms[which], self.entries[which], self.positions[which], self.inside[which])


def _tokens(run: Run, rank: Ints, first_entry: int, low: int, high: int) -> _Tokens:
    """The words of a run whose terms lie in a range, in the order of entries and positions."""
    entries = np.repeat(np.arange(len(run.counts), dtype=np.int32), run.counts)
    positions = _positions(run)
    inside = np.zeros(len(run.terms), bool)
    inside[run.nonessential] = True
    tokens = _Tokens(rank[run.terms], entries, positions, inside)
    if len(run.extra_terms):
        joined = np.ones(len(run.extra_terms), bool)
        extra = _Tokens(rank[run.extra_terms], run.extra_entries, _places(run, positions), joined)
        tokens = _joined_runs([tokens, extra])
        order = np.argsort((tokens.entries.astype(np.int64) << 16) | tokens.positions, kind="stable")
        tokens = tokens.taken(order)
    tokens = tokens.taken((tokens.terms >= low) & (tokens.terms < high))
    return tokens._replace(entries=tokens.entries + np.int32(first_entry))


def _in_order_of_terms(found: Sequence[_Tokens]) -> _Tokens:
    tokens = _joined_runs(found)
    return tokens.taken(np.argsort(tokens.terms, kind="stable"))


def _joined_runs(found: Sequence[_Tokens]) -> _Tokens:
    return _Tokens(
        np.concatenate([each.terms for each in found]),
        np.concatenate([each.entries for each in found]),
        np.concatenate([each.positions for each in found]),
        np.concatenate([each.inside for each in found]),
    )


def _positions(run: Run) -> Ints:
    """The position of each word in its entry, counted on by a gap between two texts of it."""
    total = len(run.terms)
    starts = np.cumsum(run.counts) - run.counts
    running = np.arange(total + 1, dtype=np.int32)
    if len(run.gaps):
        widths = np.zeros(total + 1, np.int32)
        np.add.at(widths, run.gaps, _PARTS_GAP)
        running += np.cumsum(widths, dtype=np.int32)
    positions: Ints = running[:-1] - np.repeat(running[starts], run.counts)
    return np.minimum(positions, _MAX_POSITION, out=positions)


def _places(run: Run, positions: Ints) -> Ints:
    """The positions of joined words: those of the words at their places, or of the entry's last one."""
    lasts = np.cumsum(run.counts)[run.extra_entries] - 1
    if not len(positions):
        return np.zeros(len(lasts), np.int32)
    found = positions[np.minimum(run.extra_places, lasts)]
    return np.where(run.counts[run.extra_entries] > 0, found, 0).astype(np.int32)


def _lengths(run: Run) -> Ints:
    """How many words of each entry are essential."""
    entries = np.searchsorted(np.cumsum(run.counts), run.nonessential, side="right")
    return (run.counts - np.bincount(entries, minlength=len(run.counts))).astype(np.int32)


class _Postings(NamedTuple):
    """Postings in the order of (term, entry): `terms` and `kept` (how many positions) of each, and all positions."""

    terms: Ints
    entries: Ints
    weights: npt.NDArray[np.uint8]
    kept: Ints
    positions: npt.NDArray[np.uint16]


def _postings(tokens: _Tokens) -> _Postings:
    """The postings of words that stand in the order of (term, entry, position)."""
    terms, entries = tokens.terms, tokens.entries
    first = np.ones(len(terms), bool)
    first[1:] = (terms[1:] != terms[:-1]) | (entries[1:] != entries[:-1])
    starts = np.flatnonzero(first)
    frequencies = np.diff(np.append(starts, len(terms)))
    kept = np.minimum(frequencies, MAX_FREQUENCY).astype(np.int32)
    rank_in_posting = np.arange(len(terms), dtype=np.int32) - np.repeat(starts.astype(np.int32), frequencies)
    all_inside = np.logical_and.reduceat(tokens.inside, starts) if len(starts) else np.zeros(0, bool)
    return _Postings(
        terms[starts],
        entries[starts],
        (kept + np.where(all_inside, NONESSENTIAL, 0)).astype(np.uint8),
        kept,
        tokens.positions[rank_in_posting < MAX_FREQUENCY].astype(np.uint16),
    )


def _together(parts: Sequence[_Postings], term_count: int) -> dict[str, Array]:
    terms = _joined([part.terms for part in parts], np.int32)
    starts = np.searchsorted(terms, np.arange(term_count + 1))
    positions = np.cumsum(_joined([np.zeros(1, np.int32), *(part.kept for part in parts)], np.int32), dtype=np.int64)
    return {
        "offsets": starts.astype(np.int32),
        "entries": _joined([part.entries for part in parts], np.int32),
        "weights": _joined([part.weights for part in parts], np.uint8),
        "positions": _joined([part.positions for part in parts], np.uint16),
        "position_offsets": positions[starts].astype(np.int32),
    }


def _joined(arrays: Sequence[Array], kind: npt.DTypeLike) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, kind)
