"""Compiled matching of an alternative: the entries that hold all its terms, the documents whose sections do, and in
which blocks they lie.

Matches have the same bits as those of `score.Collection.matches` and `score.Sections.matches`; all is written to arrays
of the caller's. Importing this module loads numba.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from codesearch.query.kernel import (
    ALTERNATIVE_ROW,
    BELOW_FROM,
    BELOW_TO,
    END,
    FACTOR,
    FREQUENCY,
    IDF,
    IS_BELOW,
    IS_PHRASE,
    IS_SAID,
    LOUDEST,
    MARKS,
    NONESSENTIAL,
    NORM,
    PHRASE_COVERED,
    PHRASE_ENTRY,
    PHRASE_SCORE,
    SAID_IN,
    SAID_ROW,
    SAID_SCORE,
    SECTION_FROM,
    SECTION_TO,
    SHARE,
    START,
    bm25,
    next_from,
)

F = np.float32

_compiled = numba.njit(cache=True, nogil=True)


@_compiled
def _phrase_matches(
    starts: Any, ends: Any, idfs: Any, k1: Any, postings: Any, weights: Any, entry_rows: Any, rows: Any, first: int
) -> int:
    """Writes the entries that hold all the terms, with their BM25 and the idf they cover, from place `first` on.

    The rarest term comes first. Gives the end of what was written.
    """
    entries, count = rows.view(np.int32)[:, PHRASE_ENTRY], first
    for where in range(starts[0], ends[0]):
        entry = postings[where]
        entries[count] = entry
        rows[count, PHRASE_SCORE] = bm25(weights[where], entry_rows[entry, NORM], idfs[0], k1)
        rows[count, PHRASE_COVERED] = idfs[0] if weights[where] < NONESSENTIAL else F(0)
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
                score = bm25(weights[place], entry_rows[entry, NORM], idfs[term], k1)
                covers = idfs[term] if weights[place] < NONESSENTIAL else F(0)
                rows[kept, PHRASE_SCORE] = rows[candidate, PHRASE_SCORE] + score
                rows[kept, PHRASE_COVERED] = rows[candidate, PHRASE_COVERED] + covers
                kept += 1
        count = kept
    return count


@_compiled
def _term_in_sections(
    start: int, end: int, idf: Any, k1: Any, document_count: int, postings: Any, weights: Any, owners: Any, gains: Any,
    rows: Any, first: int,
) -> int:  # fmt: skip
    """Writes the documents of one term with its BM25F in each; -1 where the postings are out of order or bounds."""
    documents = rows.view(np.int32)[:, SAID_IN]
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
            rows[count, SAID_SCORE] = idf * weighted * (k1 + F(1)) / (k1 + weighted)
            count += 1
    return count


@_compiled
def _section_matches(
    starts: Any, ends: Any, idfs: Any, k1: Any, document_count: int,
    postings: Any, weights: Any, owners: Any, gains: Any, rows: Any, first: int,
) -> Any:  # fmt: skip
    """Writes the documents whose scored sections hold all the terms, with their BM25F, from place `first` on.

    Gives the end of what was written and the highest score; -1 where the postings are such as no builder writes.
    """
    documents = rows.view(np.int32)[:, SAID_IN]
    count = _term_in_sections(
        starts[0], ends[0], idfs[0], k1, document_count, postings, weights, owners, gains, rows, first
    )
    for term in range(1, len(starts)):
        if count < first:
            return -1, F(0)
        size = ends[term] - starts[term]
        other_rows = np.empty((size, SAID_ROW), np.float32)
        others = other_rows.view(np.int32)[:, SAID_IN]
        found = _term_in_sections(
            starts[term], ends[term], idfs[term], k1, document_count, postings, weights, owners, gains, other_rows, 0
        )
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
                rows[kept, SAID_SCORE] = rows[candidate, SAID_SCORE] + other_rows[place, SAID_SCORE]
                kept += 1
        count = kept
    return count, rows[first:count, SAID_SCORE].max() if count > first else F(0)


@_compiled
def _mark_blocks(ordered: Any, start: int, end: int, bounds: Any, mark: int, marks: Any) -> None:
    """Marks the blocks in which an ordered slice has anything."""
    place, last = start, len(bounds) - 1
    for block in range(last):
        if place == end:
            break
        if ordered[place] < bounds[block + 1]:
            marks[block] |= mark
            place = next_from(ordered, place, end, bounds[block + 1])


@_compiled
def _top_of_term(
    postings: Any,
    weights: Any,
    entry_rows: Any,
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
        tops[block] = max(tops[block], bm25(weights[where], entry_rows[entry, NORM], idf, k1) * factor)


@_compiled
def _top_of_phrase(rows: Any, start: int, end: int, factor: Any, bounds: Any, tops: Any) -> None:
    """The highest score of a phrase in each block."""
    entries, block = rows.view(np.int32)[:, PHRASE_ENTRY], 0
    for where in range(start, end):
        while entries[where] >= bounds[block + 1]:
            block += 1
        tops[block] = max(tops[block], rows[where, PHRASE_SCORE] * factor)


@_compiled
def _rarest_first(terms: Any, offsets: Any) -> Any:
    """The terms, those with the fewest postings first, then those with the lowest number."""
    ordered = terms.copy()
    for place in range(1, len(ordered)):
        term, before = ordered[place], place - 1
        count = offsets[term + 1] - offsets[term]
        while before >= 0:
            other = offsets[ordered[before] + 1] - offsets[ordered[before]]
            if other < count or (other == count and ordered[before] < term):
                break
            ordered[before + 1] = ordered[before]
            before -= 1
        ordered[before + 1] = term
    return ordered


@_compiled
def pack(
    # the alternatives: their terms, where those of each begin, and of each its factor and its share of the query
    terms: Any, starts: Any, factors: Any,
    # the index: postings, documents below ancestors, sections, blocks
    offsets: Any, postings: Any, weights: Any, entry_rows: Any, idfs: Any, k1: Any, below_offsets: Any, below: Any,
    section_offsets: Any, section_postings: Any, section_weights: Any, owners: Any, gains: Any, clinical_k1: Any,
    document_count: int, bounds: Any, document_bounds: Any,
    # the memory, and how much of its phrases, its sections and its rows of blocks is used
    phrase_rows: Any, said_rows: Any, highest: Any, marks: Any, used: Any,
    # answer
    rows: Any,
) -> bool:  # fmt: skip
    """Writes the rows of alternatives (see `kernel`) and, to the memory, what they point to.

    Gives False where the postings are such as no builder writes.
    """
    count = len(starts) - 1
    places = rows.reshape(count, ALTERNATIVE_ROW)
    numbers = rows.view(np.float32).reshape(count, ALTERNATIVE_ROW)
    said_in = said_rows.view(np.int32)[:, SAID_IN]
    for one in range(count):
        own = terms[starts[one] : starts[one + 1]]
        factor, row = F(factors[one, 0]), used[2]
        used[2] += 1
        if len(own) == 1:
            term = own[0]
            start, end = offsets[term], offsets[term + 1]
            _top_of_term(postings, weights, entry_rows, start, end, idfs[term], factor, k1, bounds, highest[row])
            begin, stop = below_offsets[term], below_offsets[term + 1]
            _mark_blocks(below, begin, stop, document_bounds, IS_BELOW, marks[row])
            places[one, START], places[one, END] = start, end
            places[one, BELOW_FROM], places[one, BELOW_TO] = begin, stop
            numbers[one, IDF] = idfs[term]
        else:
            ordered = _rarest_first(own, offsets)
            first = used[0]
            used[0] = _phrase_matches(
                offsets[ordered], offsets[ordered + 1], idfs[ordered], k1, postings, weights, entry_rows,
                phrase_rows, first,
            )  # fmt: skip
            _top_of_phrase(phrase_rows, first, used[0], factor, bounds, highest[row])
            places[one, IS_PHRASE], places[one, START], places[one, END] = 1, first, used[0]
        first, loudest = used[1], F(0)
        said = True
        for term in own:
            said = said and section_offsets[term] < section_offsets[term + 1]
        if said:
            last, loudest = _section_matches(
                section_offsets[own], section_offsets[own + 1], idfs[own], clinical_k1, document_count,
                section_postings, section_weights, owners, gains, said_rows, first,
            )  # fmt: skip
            if last < first:
                return False
            used[1] = last
            _mark_blocks(said_in, first, last, document_bounds, IS_SAID, marks[row])
        places[one, SECTION_FROM], places[one, SECTION_TO], places[one, MARKS] = first, used[1], row
        numbers[one, FACTOR], numbers[one, SHARE] = factor, F(factors[one, 1])
        numbers[one, LOUDEST] = F(np.float64(loudest) * factors[one, 0])
    return True
