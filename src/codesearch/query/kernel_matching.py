"""Compiled matching of an alternative: the entries that hold all its terms, the documents whose sections do, and in
which blocks and parts they lie.

Matches have the same bits as those of `score.Collection.matches` and `score.Sections.matches`; all is written to arrays
of the caller's. Importing this module loads numba.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from codesearch.index.limits import MAX_FREQUENCY, NONESSENTIAL
from codesearch.query.kernel import bm25, next_from
from codesearch.query.kernel_rows import (
    BELOW_FROM,
    BELOW_TO,
    BLOCKS,
    END,
    IDF,
    IS_BELOW,
    IS_PHRASE,
    IS_SAID,
    LEVEL,
    LEVELS,
    LOUDEST,
    MARKS,
    NORM,
    PARTS,
    PHRASE_COVERED,
    PHRASE_ENTRY,
    PHRASE_SCORE,
    SAID_IN,
    SAID_SCORE,
    SECTION_FROM,
    SECTION_TO,
    START,
    STEP,
)

F = np.float32

_inline = numba.njit(error_model="numpy", inline="always")
_compiled = numba.njit(error_model="numpy")


@_compiled
def _phrase_matches(
    terms: Any, offsets: Any, idfs: Any, k1: Any, postings: Any, weights: Any, entry_rows: Any, rows: Any, first: int
) -> int:
    """Writes the entries that hold all the terms, with their BM25 and the idf they cover, from place `first` on.

    The rarest term comes first. Gives the end of what was written.
    """
    entries, count = rows.view(np.int32)[:, PHRASE_ENTRY], first
    rarest, idf = terms[0], idfs[terms[0]]
    for where in range(offsets[rarest], offsets[rarest + 1]):
        entry = postings[where]
        entries[count] = entry
        rows[count, PHRASE_SCORE] = bm25(weights[where], entry_rows[entry, NORM], idf, k1)
        rows[count, PHRASE_COVERED] = idf if weights[where] < NONESSENTIAL else F(0)
        count += 1
    for number in range(1, len(terms)):
        term = terms[number]
        place, end, idf, kept = offsets[term], offsets[term + 1], idfs[term], first
        for candidate in range(first, count):
            entry = entries[candidate]
            place = next_from(postings, place, end, entry)
            if place == end:
                break
            if postings[place] == entry:
                entries[kept] = entry
                score = bm25(weights[place], entry_rows[entry, NORM], idf, k1)
                covers = idf if weights[place] < NONESSENTIAL else F(0)
                rows[kept, PHRASE_SCORE] = rows[candidate, PHRASE_SCORE] + score
                rows[kept, PHRASE_COVERED] = rows[candidate, PHRASE_COVERED] + covers
                kept += 1
        count = kept
    return count


@_compiled
def _term_in_sections(
    start: int, end: int, idf: Any, k1: Any, document_count: int, postings: Any, weights: Any, owners: Any, gains: Any,
    rows: Any, first: int, last: int, is_first: bool,
) -> int:  # fmt: skip
    """Writes the documents of one term with its BM25F in each, from place `first` on. Where it is not the first term,
    those of them that stand there already, up to `last`, with both scores.

    Gives the end of what was written; -1 where the postings are out of order or bounds.
    """
    documents = rows.view(np.int32)[:, SAID_IN]
    count, candidate, where, previous = first, first, start, -1
    while where < end:
        if postings[where] < 0 or postings[where] >= len(owners):
            return -1
        document = owners[postings[where]]
        if document <= previous or document >= document_count:
            return -1
        previous = document
        total = 0.0
        while where < end and 0 <= postings[where] < len(owners) and owners[postings[where]] == document:
            total += np.float64(gains[postings[where]] * F(weights[where] & MAX_FREQUENCY))
            where += 1
        weighted = F(total)
        if weighted > F(0):
            score = idf * weighted * (k1 + F(1)) / (k1 + weighted)
            if is_first:
                documents[count] = document
                rows[count, SAID_SCORE] = score
                count += 1
            else:
                candidate = next_from(documents, candidate, last, document)
                if candidate < last and documents[candidate] == document:
                    documents[count] = document
                    rows[count, SAID_SCORE] = rows[candidate, SAID_SCORE] + score
                    count += 1
                    candidate += 1
    return count


@_compiled
def _section_matches(
    terms: Any, offsets: Any, idfs: Any, k1: Any, document_count: int,
    postings: Any, weights: Any, owners: Any, gains: Any, rows: Any, first: int,
) -> int:  # fmt: skip
    """Writes the documents whose scored sections hold all the terms, with their BM25F, from place `first` on.

    Gives the end of what was written; -1 where the postings are such as no builder writes.
    """
    last = first
    for number in range(len(terms)):
        term = terms[number]
        last = _term_in_sections(
            offsets[term], offsets[term + 1], idfs[term], k1, document_count, postings, weights, owners, gains,
            rows, first, last, number == 0,
        )  # fmt: skip
        if last < first:
            return -1
    return last


@_inline
def _loudest(rows: Any, first: int, last: int) -> Any:
    """The highest score of documents whose sections match."""
    loudest = F(0)
    for where in range(first, last):
        loudest = max(loudest, rows[where, SAID_SCORE])
    return loudest


@_compiled
def _mark_documents(ordered: Any, start: int, end: int, bounds: Any, mark: int, blocks: Any, parts: Any) -> None:
    """Marks the blocks and parts in which a slice of documents has any."""
    place, last = start, len(bounds) - 1
    for part in range(last):
        if place == end:
            break
        if ordered[place] < bounds[part + 1]:
            parts[part] |= mark
            blocks[part // PARTS] |= mark
            place = next_from(ordered, place, end, bounds[part + 1])


@_compiled
def _mark_runs(run_bounds: Any, start: int, end: int, bounds: Any, mark: int, blocks: Any, parts: Any) -> None:
    """Marks the blocks and parts into which runs of documents reach."""
    part, last = 0, len(bounds) - 1
    for run in range(start, end - 1, 2):
        part = next_from(bounds, part, last, run_bounds[run] + 1)
        part = max(0, part - 1)
        while part < last and bounds[part] < run_bounds[run + 1]:
            parts[part] |= mark
            blocks[part // PARTS] |= mark
            part += 1
        part = max(0, part - 1)


@_compiled
def _mark_tops(found: Any, tops: Any, count: int, blocks: Any, parts: Any) -> Any:
    """Marks parts, and their blocks, with the levels of their highest scores; gives the score of one level."""
    highest = F(0)
    for place in range(count):
        highest = max(highest, tops[place])
    step = highest / F(LEVELS)
    if step <= F(0):
        return F(0)
    for place in range(count):
        if tops[place] > F(0):
            part, level = found[place], np.uint8(min(LEVELS, max(1, np.ceil(tops[place] / step))))
            parts[part] |= level << LEVEL
            block = part // PARTS
            blocks[block] = max(blocks[block], level << LEVEL)
    return step


@_inline
def _raised(found: Any, tops: Any, count: int, bounds: Any, entry: int, score: Any) -> int:
    """Takes the next entry's score among the highest of the parts that hold any; gives how many these are."""
    behind = found[count - 1] + 1 if count else 0
    if count == 0 or entry >= bounds[behind]:
        found[count] = next_from(bounds, behind, len(bounds) - 1, entry + 1) - 1
        tops[count] = F(0)
        count += 1
    tops[count - 1] = max(tops[count - 1], score)
    return count


@_compiled
def _tops_of_term(
    postings: Any, weights: Any, entry_rows: Any, start: int, end: int, idf: Any, k1: Any, bounds: Any, found: Any,
    tops: Any,
) -> int:  # fmt: skip
    """The parts that hold a term and its highest score in each; gives how many there are."""
    count = 0
    for where in range(start, end):
        entry = postings[where]
        count = _raised(found, tops, count, bounds, entry, bm25(weights[where], entry_rows[entry, NORM], idf, k1))
    return count


@_compiled
def _tops_of_phrase(rows: Any, start: int, end: int, bounds: Any, found: Any, tops: Any) -> int:
    """The parts that hold a phrase and its highest score in each; gives how many there are."""
    entries, count = rows.view(np.int32)[:, PHRASE_ENTRY], 0
    for where in range(start, end):
        count = _raised(found, tops, count, bounds, entries[where], rows[where, PHRASE_SCORE])
    return count


@_compiled
def _put_rarest_first(terms: Any, offsets: Any, ordered: Any) -> None:
    """Orders terms: those with the fewest postings first, then those with the lowest number."""
    for place in range(len(terms)):
        term, before = terms[place], place - 1
        count = offsets[term + 1] - offsets[term]
        while before >= 0:
            other = offsets[ordered[before] + 1] - offsets[ordered[before]]
            if other < count or (other == count and ordered[before] < term):
                break
            ordered[before + 1] = ordered[before]
            before -= 1
        ordered[before + 1] = term


@_compiled
def match_runs(
    # the terms, and where those of each run begin
    terms: Any, starts: Any,
    # the index: postings, rows of frequent terms (`packing.BlockPostings`), documents below ancestors, sections, parts
    offsets: Any, postings: Any, weights: Any, frequent: Any, entry_rows: Any, idfs: Any, k1: Any,
    below_offsets: Any, below: Any,
    section_offsets: Any, section_postings: Any, section_weights: Any, owners: Any, gains: Any, clinical_k1: Any,
    document_count: int, bounds: Any, document_bounds: Any,
    # the memory, how much of its phrases and its sections is used, and its first row of marks that is not
    phrase_rows: Any, said_rows: Any, marks: Any, used: Any, first_row: int,
    # scratch: parts, the highest score in each, and room for as many terms as there are
    found: Any, tops: Any, ordered_terms: Any,
    # answer
    places: Any,
) -> bool:  # fmt: skip
    """Finds what matches runs of terms: writes it to the memory, and for each the row of an alternative (see
    `kernel_rows`) that weighs 1.

    Gives False where the postings are such as no builder writes.
    """
    numbers, part_count = places.view(np.float32), len(bounds) - 1
    said_in = said_rows.view(np.int32)[:, SAID_IN]
    block_count = marks.shape[1] - part_count
    for one in range(len(starts) - 1):
        own, row = terms[starts[one] : starts[one + 1]], first_row + one
        blocks, parts = marks[row, :block_count], marks[row, block_count:]
        if len(own) == 1:
            term = own[0]
            start, end = offsets[term], offsets[term + 1]
            held = _tops_of_term(postings, weights, entry_rows, start, end, idfs[term], k1, bounds, found, tops)
            places[one, BLOCKS] = frequent[term]
            numbers[one, IDF] = idfs[term]
        else:
            ordered = ordered_terms[: len(own)]
            _put_rarest_first(own, offsets, ordered)
            start = used[0]
            end = used[0] = _phrase_matches(
                ordered, offsets, idfs, k1, postings, weights, entry_rows, phrase_rows, start
            )
            held = _tops_of_phrase(phrase_rows, start, end, bounds, found, tops)
            places[one, IS_PHRASE], places[one, BLOCKS] = 1, -1
        places[one, START], places[one, END] = start, end
        numbers[one, STEP] = _mark_tops(found, tops, held, blocks, parts)
        if len(own) == 1:
            begin, stop = below_offsets[own[0]], below_offsets[own[0] + 1]
            _mark_runs(below, begin, stop, document_bounds, IS_BELOW, blocks, parts)
            places[one, BELOW_FROM], places[one, BELOW_TO] = begin, stop
        first, loudest = used[1], F(0)
        said = True
        for term in own:
            said = said and section_offsets[term] < section_offsets[term + 1]
        if said:
            last = _section_matches(
                own, section_offsets, idfs, clinical_k1, document_count, section_postings, section_weights, owners,
                gains, said_rows, first,
            )  # fmt: skip
            if last < first:
                return False
            used[1], loudest = last, _loudest(said_rows, first, last)
            _mark_documents(said_in, first, last, document_bounds, IS_SAID, blocks, parts)
        places[one, SECTION_FROM], places[one, SECTION_TO], places[one, MARKS] = first, used[1], row
        numbers[one, LOUDEST] = loudest
    return True
