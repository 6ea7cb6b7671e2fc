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
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.analysis import Analyzer

Ints = npt.NDArray[np.int32]
Array = npt.NDArray[Any]

NONESSENTIAL = 0x80
MAX_FREQUENCY = 0x7F
_PARTS_GAP = 10
_HYPHENATED = re.compile(r"[a-z0-9-]+")
_PIECES = re.compile(r"[()]|\d+(?:\.\d+)+|[a-z0-9]+")


class Vocabulary:
    """Words to numbers while collecting; `-1` stands for a stop word."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self._numbers: dict[str, int] = {}
        self.of_word: dict[str, int] = {}

    def number(self, word: str) -> int:
        """The number of a folded word's term."""
        term = self.analyzer.term(word)
        found = self._numbers.setdefault(term, len(self._numbers)) if term else -1
        self.of_word[word] = found
        return found

    def terms(self) -> list[str]:
        """The terms by number."""
        return list(self._numbers)


class Run(NamedTuple):
    """The entries of some documents that follow each other; documents, entries and
    places in `terms` count from the run's first."""

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
        collected = (
            self._terms,
            self._counts,
            self._nonessential,
            self._gaps,
            self._extra_terms,
            self._extra_entries,
            self._extra_places,
            self._documents,
        )
        return Run(*(np.array(each, np.int32) for each in collected), np.array(self._fields, np.int8))

    def _add_text(self, text: str) -> None:
        vocabulary = self._vocabulary
        folded = vocabulary.analyzer.fold(text)
        before = len(self._terms)
        if "(" in folded:
            self._add_with_parentheses(folded)
        else:
            get, number = vocabulary.of_word.get, vocabulary.number
            numbers = [number(word) if (known := get(word)) is None else known for word in vocabulary.analyzer.words(folded)]
            self._terms.extend([known for known in numbers if known >= 0] if -1 in numbers else numbers)
        if "-" in folded:
            self._add_joined(folded, before)

    def _add_with_parentheses(self, folded: str) -> None:
        get, number = self._vocabulary.of_word.get, self._vocabulary.number
        start, depth = len(self._terms), 0
        inside = []
        for piece in _PIECES.findall(folded):
            if piece in "()":
                depth = max(0, depth + (1 if piece == "(" else -1))
                continue
            known = get(piece)
            known = number(piece) if known is None else known
            if known >= 0:
                if depth:
                    inside.append(len(self._terms))
                self._terms.append(known)
        if len(inside) < len(self._terms) - start:
            self._nonessential.extend(inside)

    def _add_joined(self, folded: str, text_start: int) -> None:
        """Hyphenated words once more, joined, at the place of their first part; they do not count in the length."""
        of_word = self._vocabulary.of_word
        starts: list[int] = []
        for _, start in self._vocabulary.analyzer.joined(folded):
            word = _HYPHENATED.match(folded, start)
            if word is None:
                continue
            number = self._vocabulary.number(word[0].replace("-", ""))
            if number < 0:
                continue
            if not starts:
                pieces = _PIECES.finditer(folded)
                starts = [piece.start() for piece in pieces if of_word.get(piece[0], -1) >= 0]
            self._extra_terms.append(number)
            self._extra_entries.append(len(self._documents))
            self._extra_places.append(text_start + bisect_left(starts, start))


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
    run = _joined(runs, firsts, ranks)
    counts = run.counts
    entries = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    positions = _positions(counts, run.gaps, len(run.terms))
    inside = np.zeros(len(run.terms), bool)
    inside[run.nonessential] = True
    lengths = counts - np.bincount(entries[inside], minlength=len(counts)).astype(np.int32)
    tokens = _Tokens(run.terms, entries, positions, inside)
    rest = {"documents": run.documents, "fields": run.fields, "lengths": lengths.astype(np.int32)}
    if len(run.extra_terms):
        tokens = tokens.with_extra(run)
        order = np.lexsort((tokens.positions, tokens.entries, tokens.terms))
    else:
        order = np.argsort(tokens.terms, kind="stable")
    # These are the largest arrays of all: each is let go as soon as its ordered copy is there.
    del run, entries, positions, inside
    return {**_postings(tokens.in_order(order), term_count), **rest}


class _Tokens(NamedTuple):
    """Every word of every entry."""

    terms: Ints
    entries: Ints
    positions: Ints
    inside: npt.NDArray[np.bool_]

    def with_extra(self, run: Run) -> _Tokens:
        """With the joined words of a run."""
        return _Tokens(
            np.concatenate((self.terms, run.extra_terms)),
            np.concatenate((self.entries, run.extra_entries)),
            np.concatenate((self.positions, _places(run, self.positions))),
            np.concatenate((self.inside, np.ones(len(run.extra_terms), bool))),
        )

    def in_order(self, order: Array) -> _Tokens:
        """The words in another order."""
        return _Tokens(*(each[order] for each in self))


def _joined(runs: Sequence[Run], firsts: Sequence[int], ranks: Sequence[Ints]) -> Run:
    """All runs as one whose terms are their places among all."""
    words = np.cumsum([0, *(len(run.terms) for run in runs)])
    entries = np.cumsum([0, *(len(run.counts) for run in runs)])
    return Run(
        terms=_together([rank[run.terms] for run, rank in zip(runs, ranks, strict=True)]),
        counts=_together([run.counts for run in runs]),
        nonessential=_together([run.nonessential + start for run, start in zip(runs, words, strict=False)]),
        gaps=_together([run.gaps + start for run, start in zip(runs, words, strict=False)]),
        extra_terms=_together([rank[run.extra_terms] for run, rank in zip(runs, ranks, strict=True)]),
        extra_entries=_together([run.extra_entries + start for run, start in zip(runs, entries, strict=False)]),
        extra_places=_together([run.extra_places + start for run, start in zip(runs, words, strict=False)]),
        documents=_together([run.documents + first for run, first in zip(runs, firsts, strict=True)]),
        fields=np.concatenate([np.zeros(0, np.int8), *(run.fields for run in runs)]),
    )


def _together(arrays: Sequence[Array]) -> Ints:
    return np.concatenate([np.zeros(0, np.int32), *arrays]).astype(np.int32, copy=False)


def _positions(counts: Ints, gaps: Ints, total: int) -> Ints:
    """The position of each word in its entry, counted on by a gap between two texts of it."""
    starts = np.cumsum(counts) - counts
    running = np.arange(total + 1, dtype=np.int32)
    if len(gaps):
        widths = np.zeros(total + 1, np.int32)
        np.add.at(widths, gaps, _PARTS_GAP)
        running += np.cumsum(widths, dtype=np.int32)
    positions = running[:-1] - np.repeat(running[starts], counts)
    return np.minimum(positions, 65535, out=positions)


def _places(run: Run, positions: Ints) -> Ints:
    """The positions of joined words: those of the words at their places, or of the entry's last one."""
    lasts = np.cumsum(run.counts)[run.extra_entries] - 1
    if not len(positions):
        return np.zeros(len(lasts), np.int32)
    found = positions[np.minimum(run.extra_places, lasts)]
    return np.where(run.counts[run.extra_entries] > 0, found, 0).astype(np.int32)


def _postings(tokens: _Tokens, term_count: int) -> dict[str, Array]:
    """The arrays of postings from words in the order of (term, entry, position)."""
    terms, entries = tokens.terms, tokens.entries
    first = np.ones(len(terms) + 1, bool)
    first[1:-1] = (terms[1:] != terms[:-1]) | (entries[1:] != entries[:-1])
    starts = np.flatnonzero(first).astype(np.int32)
    if not len(terms):
        starts = starts[:1]
    frequencies = np.diff(starts)
    starts = starts[:-1]
    kept = np.minimum(frequencies, MAX_FREQUENCY)
    rank_in_posting = np.arange(len(terms), dtype=np.int32) - np.repeat(starts, frequencies)
    all_inside = np.logical_and.reduceat(tokens.inside, starts) if len(starts) else np.zeros(0, bool)
    term_starts = np.searchsorted(terms[starts], np.arange(term_count + 1)).astype(np.int32)
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(kept)))
    return {
        "offsets": term_starts,
        "entries": entries[starts],
        "weights": (kept + np.where(all_inside, NONESSENTIAL, 0)).astype(np.uint8),
        "positions": tokens.positions[rank_in_posting < MAX_FREQUENCY].astype(np.uint16),
        "position_offsets": running[term_starts].astype(np.int32),
    }
