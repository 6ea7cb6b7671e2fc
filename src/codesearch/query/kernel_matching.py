"""Compiled matching of an alternative: the entries that hold all its terms, the documents whose sections do, and in
which blocks they lie.

Matches have the same bits as those of `score.Collection.matches` and `score.Sections.matches`; all is written to arrays
of the caller's. Importing this module loads numba.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from codesearch.query.kernel import FREQUENCY, NONESSENTIAL, bm25, next_from

F = np.float32

_compiled = numba.njit(cache=True, nogil=True)


@_compiled
def phrase_matches(
    starts: Any, ends: Any, idfs: Any, k1: Any, postings: Any, weights: Any, norms: Any,
    entries: Any, scores: Any, covered: Any, first: int,
) -> int:  # fmt: skip
    """Writes the entries that hold all the terms, with their BM25 and the idf they cover, from place `first` on.

    The rarest term comes first. Gives the end of what was written.
    """
    count = first
    for where in range(starts[0], ends[0]):
        entry = postings[where]
        entries[count] = entry
        scores[count] = bm25(weights[where], norms[entry], idfs[0], k1)
        covered[count] = idfs[0] if weights[where] < NONESSENTIAL else F(0)
        count += 1
    for term in range(1, len(starts)):
        place, kept = starts[term], first
        for candidate in range(first, count):
            entry = entries[candidate]
            place = next_from(postings, place, ends[term], entry)
            if place == ends[term]:
                break
            if postings[place] == entry:
                entries[kept] = entry
                scores[kept] = scores[candidate] + bm25(weights[place], norms[entry], idfs[term], k1)
                covered[kept] = covered[candidate] + (idfs[term] if weights[place] < NONESSENTIAL else F(0))
                kept += 1
        count = kept
    return count


@_compiled
def _term_in_sections(
    start: int, end: int, idf: Any, k1: Any, document_count: int, postings: Any, weights: Any, owners: Any, gains: Any,
    documents: Any, scores: Any, first: int,
) -> int:  # fmt: skip
    """Writes the documents of one term with its BM25F in each; -1 where the postings are out of order or bounds."""
    count, where, previous = first, start, -1
    while where < end:
        if postings[where] < 0 or postings[where] >= len(owners):
            return -1
        document = owners[postings[where]]
        if document <= previous or document >= document_count:
            return -1
        previous = document
        total = 0.0
        while where < end and 0 <= postings[where] < len(owners) and owners[postings[where]] == document:
            total += np.float64(gains[postings[where]] * F(weights[where] & FREQUENCY))
            where += 1
        weighted = F(total)
        if weighted > F(0):
            documents[count] = document
            scores[count] = idf * weighted * (k1 + F(1)) / (k1 + weighted)
            count += 1
    return count


@_compiled
def section_matches(
    starts: Any, ends: Any, idfs: Any, k1: Any, document_count: int,
    postings: Any, weights: Any, owners: Any, gains: Any,
    documents: Any, scores: Any, first: int,
) -> Any:  # fmt: skip
    """Writes the documents whose scored sections hold all the terms, with their BM25F, from place `first` on.

    Gives the end of what was written and the highest score; -1 where the postings are such as no builder writes.
    """
    count = _term_in_sections(
        starts[0], ends[0], idfs[0], k1, document_count, postings, weights, owners, gains, documents, scores, first
    )
    for term in range(1, len(starts)):
        if count < first:
            return -1, F(0)
        size = ends[term] - starts[term]
        others, other_scores = np.empty(size, np.int32), np.empty(size, np.float32)
        found = _term_in_sections(
            starts[term], ends[term], idfs[term], k1, document_count, postings, weights, owners, gains,
            others, other_scores, 0,
        )  # fmt: skip
        if found < 0:
            return -1, F(0)
        kept, place = first, 0
        for candidate in range(first, count):
            document = documents[candidate]
            place = next_from(others, place, found, document)
            if place == found:
                break
            if others[place] == document:
                documents[kept] = document
                scores[kept] = scores[candidate] + other_scores[place]
                kept += 1
        count = kept
    return count, scores[first:count].max() if count > first else F(0)


@_compiled
def mark_blocks(ordered: Any, start: int, end: int, bounds: Any, mark: int, marks: Any) -> None:
    """Marks the blocks in which an ordered slice has anything."""
    place, last = start, len(bounds) - 1
    for block in range(last):
        if place == end:
            break
        if ordered[place] < bounds[block + 1]:
            marks[block] |= mark
            place = next_from(ordered, place, end, bounds[block + 1])


@_compiled
def top_of_term(
    postings: Any,
    weights: Any,
    norms: Any,
    start: int,
    end: int,
    idf: Any,
    factor: Any,
    k1: Any,
    bounds: Any,
    tops: Any,
) -> None:
    """The highest score of a term in each block."""
    block = 0
    for where in range(start, end):
        entry = postings[where]
        while entry >= bounds[block + 1]:
            block += 1
        tops[block] = max(tops[block], bm25(weights[where], norms[entry], idf, k1) * factor)


@_compiled
def top_of_phrase(entries: Any, scores: Any, start: int, end: int, factor: Any, bounds: Any, tops: Any) -> None:
    """The highest score of a phrase in each block."""
    block = 0
    for where in range(start, end):
        while entries[where] >= bounds[block + 1]:
            block += 1
        tops[block] = max(tops[block], scores[where] * factor)
