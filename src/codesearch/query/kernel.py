"""The compiled path of scoring: blocks of entries, the most promising first, with the same answers as `score`.

The highest score of each alternative in each block tells the most that any document of a block can score. Blocks are
then looked at from the highest of these bounds down, until no bound reaches the weakest of the best documents
(the floor), and in each its parts, likewise. In a part, slots whose postings all together cannot lift an entry over the
floor are not walked (MaxScore: Turtle and Flood 1995): they are only looked up for entries that another slot matched,
and only where those can still reach it. Bounds are raised a little, so that rounding never cuts a hit.

Importing this module loads numba, which takes longer than a hundred searches: `native` keeps what numba made of it.

Arrays are passed one by one and the main loop is one function, because numba pays for every tuple of arrays that goes
into a function: the same code in small functions over named tuples was measured at a third of the speed. Nothing here
takes memory or raises: what was compiled is called from processes that have no numba, whose memory and errors those
would be.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from codesearch.index.limits import MAX_FREQUENCY, NONESSENTIAL
from codesearch.query.kernel_rows import (
    ALTERNATIVES,
    BELOW_FROM,
    BELOW_MASS,
    BELOW_TO,
    BLOCKS,
    CLINICAL,
    END,
    ENTRY_COVERAGE,
    EXACT,
    FACTOR,
    HALVES,
    IDF,
    IS_BELOW,
    IS_PHRASE,
    IS_SAID,
    K1,
    LEVEL,
    LOUDEST,
    MARKS,
    MASS,
    NORM,
    OWN_MASS,
    OWNER,
    PARTS,
    PHRASE_COVERED,
    PHRASE_ENTRY,
    PHRASE_SCORE,
    PRIOR,
    SAID_IN,
    SAID_SCORE,
    SECTION_FROM,
    SECTION_TO,
    SHARE,
    START,
    STEP,
    WHOLE,
)

F = np.float32
_SLACK = F(1.0001)

_SUM, _COVERS, _COVERED, _BEST, _BEST_SHARE, _PART, _SLOTS = range(7)
"""The scratch row of an entry; as a whole number, the slots that match the entry, a bit for each."""
_SECTION_SUM, _SECTION_MASS, _SECTION_BEST, _SCORE, _ENTRY = range(5)
"""The scratch row of a document; as a whole number, the best entry."""

_inline = numba.njit(error_model="numpy", inline="always")
_compiled = numba.njit(error_model="numpy")


@_inline
def _power(share: Any, halves: Any) -> Any:
    """A share to a power of `halves` halves; products and square roots are exact to the bit on every path."""
    power = F(1)
    for _ in range(halves // 2):
        power = power * share
    if halves % 2:
        power = power * np.sqrt(share)
    return power


@_inline
def bm25(weight: Any, norm: Any, idf: Any, k1: Any) -> Any:
    frequency = F(weight & MAX_FREQUENCY)
    return idf * (frequency * (k1 + F(1)) / (frequency + norm))


@_inline
def first_from(ordered: Any, low: int, high: int, wanted: int) -> int:
    """The first place of an ordered slice whose value is at least the wanted one."""
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@_inline
def next_from(ordered: Any, low: int, high: int, wanted: int) -> int:
    """The same, for a place that is probably near: in steps that double, then by halves."""
    if low == high or ordered[low] >= wanted:
        return low
    step = 1
    while low + step < high and ordered[low + step] < wanted:
        low += step
        step *= 2
    return first_from(ordered, low + 1, min(high, low + step), wanted)


@_inline
def _sink(heap: Any, bounds: Any, place: int, size: int) -> None:
    """Lets a block sink to its place in a heap whose top has the highest bound (Williams 1964)."""
    block = heap[place]
    child = 2 * place + 1
    while child < size:
        if child + 1 < size and bounds[heap[child + 1]] > bounds[heap[child]]:
            child += 1
        if bounds[heap[child]] <= bounds[block]:
            break
        heap[place] = heap[child]
        place, child = child, 2 * child + 1
    heap[place] = block


@_inline
def _highest(values: Any, count: int) -> int:
    """The place of the highest of the first so many values."""
    highest = 0
    for place in range(1, count):
        if values[place] > values[highest]:
            highest = place
    return highest


@_compiled
def _keep_best(answer: Any, places: Any, count: int, document: int, score: Any, entry: int) -> int:
    """Puts a document among the best, ordered by score and document; returns how many there are.

    The rows of `answer` are documents, scores and entries; `places` is its view as whole numbers.
    """
    documents, scores, entries = places[0], answer[1], places[2]
    if count == len(documents):
        if score < scores[count - 1] or (score == scores[count - 1] and document > documents[count - 1]):
            return count
    else:
        count += 1
    place = count - 1
    while place > 0 and (scores[place - 1] < score or (scores[place - 1] == score and documents[place - 1] > document)):
        scores[place], documents[place], entries[place] = scores[place - 1], documents[place - 1], entries[place - 1]
        place -= 1
    scores[place], documents[place], entries[place] = score, document, entry
    return count


@_compiled
def _is_below(document: int, begin: int, end: int, ancestor_bounds: Any, below: Any) -> bool:
    """Whether an ancestor's name of a document holds one of a slot's terms.

    `below` holds slices of bounds: behind an odd number of them a document is in a run.
    """
    for one in range(begin, end):
        if first_from(ancestor_bounds, below[one, 0], below[one, 1], document + 1) - below[one, 2] & 1:
            return True
    return False


@_compiled
def rank_entries(
    # the index: postings, where those of frequent terms begin in each block, entries, documents' priors, bounds of runs
    # of documents below ancestors; bounds of parts of blocks, in entries and in documents; by block the highest priors
    # of entries and of documents; which documents are headers
    postings: Any, weights: Any, block_postings: Any, entry_rows: Any, document_priors: Any, ancestor_bounds: Any,
    bounds: Any, block_priors: Any, headers: Any, formula: Any,
    # what is remembered: postings of phrases, documents whose sections match, and the marks of each alternative by
    # block and, behind these, by part
    phrase_rows: Any, said_rows: Any, marks: Any,
    # the query: rows of its slots, so many, and of their alternatives; and its weight
    places: Any, slot_count: int, query_mass: float,
    # documents that may be found
    first: int, last: int, allowed: Any,
    # scratch: rows of a part's entries and of its documents, zero before and after; three lists of places, of entries
    # that were matched, of documents whose sections were, and of all that were; what is kept of blocks, and a heap of
    # these; of slots, of slots by part, and of parts; rows of alternatives and of slots; their slices in a part
    table: Any, found: Any, lists: Any, of_blocks: Any, promising: Any, of_query: Any, of_slots: Any, of_parts: Any,
    row_numbers: Any, slices: Any,
    # answer: rows of documents, scores and entries
    answer: Any,
) -> int:  # fmt: skip
    """Ranks the documents of the slots; fills `answer` and returns how many there are."""
    row_count = len(places)
    numbers = places.view(np.float32)
    total = F(query_mass)
    parts, part_documents, block_count = bounds[0], bounds[1], len(block_priors)
    owners = entry_rows.view(np.int32)[:, OWNER]
    extra_entries, section_documents = phrase_rows.view(np.int32)[:, PHRASE_ENTRY], said_rows.view(np.int32)[:, SAID_IN]
    bits, best_entry = table.view(np.uint32)[:, _SLOTS], found.view(np.int32)[:, _ENTRY]
    touched, in_sections, matched = lists[0], lists[1], lists[2]
    answer_places, limit = answer.view(np.int32), answer.shape[1]
    k1, entry_coverage, clinical, halves = formula[K1], formula[ENTRY_COVERAGE], formula[CLINICAL], int(formula[HALVES])
    exact, all_of = formula[EXACT], formula[WHOLE]
    whole = all_of * total
    # Of each slot the rows of its alternatives, and what it weighs.
    alternatives, starts, ends = row_numbers[0, : row_count - slot_count], row_numbers[1], row_numbers[2]
    masses, below_masses = of_query[0], of_query[1]
    row = 0
    for slot in range(slot_count):
        starts[slot], ends[slot] = row + 1, row + 1 + places[row, ALTERNATIVES]
        masses[slot], below_masses[slot] = numbers[row, MASS], numbers[row, BELOW_MASS]
        row = ends[slot]
        for one in range(starts[slot], row):
            alternatives[one - slot - 1] = one
    # The most that a document of each block can score. Blocks in the inner loops: so they are done several at once.
    tops, reach, section_tops, section_reach = of_blocks[0], of_blocks[1], of_blocks[2], of_blocks[3]
    top_of, share_of, section_of, block_bounds = of_blocks[4], of_blocks[5], of_blocks[6], of_blocks[7]
    tops[:], reach[:], section_tops[:], section_reach[:] = F(0), F(0), F(0), F(0)
    for slot in range(slot_count):
        top_of[:], share_of[:], section_of[:] = F(0), F(0), F(0)
        below_mass = below_masses[slot]
        for one in range(starts[slot], ends[slot]):
            own_share, loudest, step = numbers[one, SHARE], numbers[one, LOUDEST], numbers[one, STEP]
            own_marks = marks[places[one, MARKS]]
            if places[one, START] < places[one, END]:
                for block in range(block_count):
                    level = own_marks[block] >> LEVEL
                    top_of[block] = max(top_of[block], F(level) * step)
                    share_of[block] = max(share_of[block], own_share if level else F(0))
            if places[one, BELOW_FROM] < places[one, BELOW_TO]:
                for block in range(block_count):
                    share_of[block] = max(share_of[block], below_mass if own_marks[block] & IS_BELOW else F(0))
            if places[one, SECTION_FROM] < places[one, SECTION_TO]:
                for block in range(block_count):
                    section_of[block] = max(section_of[block], loudest if own_marks[block] & IS_SAID else F(0))
        for block in range(block_count):
            tops[block] += top_of[block]
            reach[block] += share_of[block]
            section_tops[block] += section_of[block]
            section_reach[block] += masses[slot] if section_of[block] > F(0) else F(0)
    candidates = 0
    for block in range(block_count):
        if tops[block] + section_tops[block] == F(0):
            continue
        end = min((block + 1) * PARTS, len(parts) - 1)
        if part_documents[end] <= first or part_documents[block * PARTS] >= last:
            continue
        bound = tops[block] * _power(min(F(1), reach[block] / total), halves)
        bound *= (F(1) + entry_coverage) * block_priors[block, 0] * (exact if reach[block] >= whole else F(1))
        loud = section_tops[block] * _power(min(F(1), section_reach[block] / total), halves)
        bound += clinical * loud * block_priors[block, 1]
        if bound > F(0):
            block_bounds[block] = bound * _SLACK
            promising[candidates] = block
            candidates += 1
    for place in range(candidates // 2 - 1, -1, -1):
        _sink(promising, block_bounds, place, candidates)
    # What each slot can add to an entry of each part: score, share of the query, share by an ancestor's name.
    tops_of, shares_of, below_of = of_slots[0], of_slots[1], of_slots[2]
    part_bounds, own_of = of_parts[0], of_parts[1]
    # Of each alternative its slices in a part.
    here, said_here, below_here = slices[:, :2], slices[:, 2:4], slices[:, 4:]
    floor, count = F(0), 0
    while candidates:
        block = promising[0]
        if block_bounds[block] < floor:
            break
        candidates -= 1
        promising[0] = promising[candidates]
        _sink(promising, block_bounds, 0, candidates)
        first_part = block * PARTS
        parts_here = min(PARTS, len(parts) - 1 - first_part)
        for part in range(parts_here):
            column = block_count + first_part + part
            most, most_share, loud, loud_share = F(0), F(0), F(0), F(0)
            for slot in range(slot_count):
                top, share, below, loudest = F(0), F(0), F(0), F(0)
                for one in range(starts[slot], ends[slot]):
                    mark = marks[places[one, MARKS], column]
                    if mark >> LEVEL:
                        top = max(top, F(mark >> LEVEL) * numbers[one, STEP])
                        share = max(share, numbers[one, SHARE])
                    if mark & IS_BELOW:
                        below = below_masses[slot]
                    if mark & IS_SAID:
                        loudest = max(loudest, numbers[one, LOUDEST])
                share = max(share, below)
                tops_of[part, slot], shares_of[part, slot], below_of[part, slot] = top, share, below
                most += top
                most_share += share
                if loudest > F(0):
                    loud += loudest
                    loud_share += masses[slot]
            # The most that an entry's score is multiplied by for what the query covers of it.
            own_of[part] = (F(1) + entry_coverage) * (exact if most_share >= whole else F(1))
            most *= _power(min(F(1), most_share / total), halves) * own_of[part] * block_priors[block, 0]
            loud *= clinical * _power(min(F(1), loud_share / total), halves) * block_priors[block, 1]
            part_bounds[part] = (most + loud) * _SLACK
        for _ in range(parts_here):
            part = _highest(part_bounds, parts_here)
            if part_bounds[part] <= F(0) or part_bounds[part] < floor:
                break
            part_bounds[part] = F(0)
            slot_tops, slot_shares, slot_below = tops_of[part], shares_of[part], below_of[part]
            highest_own = own_of[part]
            base, end_entry = parts[first_part + part], parts[first_part + part + 1]
            first_document, end_document = part_documents[first_part + part], part_documents[first_part + part + 1]
            above = F(0)
            for slot in range(slot_count):
                above += slot_below[slot]
            slices[:row_count] = 0
            for one in alternatives:
                mark = marks[places[one, MARKS], block_count + first_part + part]
                if mark >> LEVEL:
                    begin, end, row = places[one, START], places[one, END], places[one, BLOCKS]
                    if places[one, IS_PHRASE]:
                        begin = first_from(extra_entries, begin, end, base)
                        here[one, 0], here[one, 1] = begin, next_from(extra_entries, begin, end, end_entry)
                    else:
                        if row >= 0:
                            begin, end = block_postings[row, block], block_postings[row, block + 1]
                        begin = first_from(postings, begin, end, base)
                        here[one, 0], here[one, 1] = begin, next_from(postings, begin, end, end_entry)
                if mark & IS_BELOW:
                    begin, end = places[one, BELOW_FROM], places[one, BELOW_TO]
                    start = first_from(ancestor_bounds, begin, end, first_document + 1)
                    below_here[one, 0] = start
                    below_here[one, 1] = next_from(ancestor_bounds, start, end, end_document)
                    below_here[one, 2] = begin
                if mark & IS_SAID:
                    begin, end = places[one, SECTION_FROM], places[one, SECTION_TO]
                    begin = first_from(section_documents, begin, end, first_document)
                    said_here[one, 0] = begin
                    said_here[one, 1] = next_from(section_documents, begin, end, end_document)
            # Sections: each slot's best alternative, summed by document.
            spoken = 0
            for slot in range(slot_count):
                for one in range(starts[slot], ends[slot]):
                    factor = numbers[one, FACTOR]
                    for where in range(said_here[one, 0], said_here[one, 1]):
                        local = section_documents[where] - first_document
                        score = said_rows[where, SAID_SCORE] * factor
                        if found[local, _SECTION_SUM] == F(0) and found[local, _SECTION_BEST] == F(0):
                            in_sections[spoken] = local
                            spoken += 1
                        found[local, _SECTION_BEST] = max(found[local, _SECTION_BEST], score)
                for place in range(spoken):
                    local = in_sections[place]
                    if found[local, _SECTION_BEST] > F(0):
                        found[local, _SECTION_SUM] += found[local, _SECTION_BEST]
                        found[local, _SECTION_MASS] += masses[slot]
                        found[local, _SECTION_BEST] = F(0)
            highest_bonus = F(0)
            for place in range(spoken):
                local = in_sections[place]
                coverage = _power(found[local, _SECTION_MASS] / total, halves)
                prior = document_priors[first_document + local]
                bonus = clinical * found[local, _SECTION_SUM] * coverage * prior
                found[local, _SECTION_SUM] = bonus
                highest_bonus = max(highest_bonus, bonus)
            # From the last slot on, as many as together cannot reach the floor are only looked up.
            rest, rest_share = F(0), F(0)
            walked = slot_count
            while walked > 0:
                slot = walked - 1
                left = min(F(1), (rest_share + slot_shares[slot] + above - slot_below[slot]) / total)
                unseen = (rest + slot_tops[slot]) * _power(left, halves) * highest_own * block_priors[block, 0] * _SLACK
                if slot_tops[slot] > F(0) and unseen + highest_bonus >= floor:
                    break
                rest += slot_tops[slot]
                rest_share += slot_shares[slot]
                above -= slot_below[slot]
                walked -= 1
            seen = 0
            for slot in range(walked):
                begin, end = starts[slot], ends[slot]
                bit = np.uint32(1) << np.uint32(slot)
                for one in range(begin, end):
                    idf, factor, share = numbers[one, IDF], numbers[one, FACTOR], numbers[one, SHARE]
                    for where in range(here[one, 0], here[one, 1]):
                        if places[one, IS_PHRASE]:
                            entry = extra_entries[where]
                            score, covered = phrase_rows[where, PHRASE_SCORE], phrase_rows[where, PHRASE_COVERED]
                        else:
                            entry = postings[where]
                            score = bm25(weights[where], entry_rows[entry, NORM], idf, k1)
                            covered = idf if weights[where] < NONESSENTIAL else F(0)
                        score = score * factor
                        row = entry - base
                        if bits[row] == np.uint32(0) and table[row, _BEST] == F(0):
                            touched[seen] = row
                            seen += 1
                        if end - begin == 1:
                            table[row, _SUM] += score
                            table[row, _COVERS] += share
                            table[row, _COVERED] += covered * factor
                            bits[row] |= bit
                        elif score > table[row, _BEST]:
                            table[row, _BEST], table[row, _BEST_SHARE] = score, share
                            table[row, _PART] = covered * factor
                if end - begin > 1:
                    for place in range(seen):
                        row = touched[place]
                        if table[row, _BEST] > F(0):
                            table[row, _SUM] += table[row, _BEST]
                            table[row, _COVERS] += table[row, _BEST_SHARE]
                            table[row, _COVERED] += table[row, _PART]
                            table[row, _BEST] = F(0)
                            bits[row] |= bit
            held = 0
            for place in range(seen):
                row = touched[place]
                entry = base + row
                document, prior = owners[entry], entry_rows[entry, PRIOR]
                reachable = (table[row, _SUM] + rest) * highest_own * prior * _SLACK
                hopeless = reachable + highest_bonus < floor or document < first or document >= last
                if not hopeless and len(allowed):
                    hopeless = not allowed[document]
                if not hopeless and floor > F(0):
                    mass = table[row, _COVERS] + rest_share
                    for slot in range(walked):
                        if not bits[row] >> np.uint32(slot) & np.uint32(1):
                            mass += slot_below[slot]
                    hopeless = reachable * _power(min(F(1), mass / total), halves) + highest_bonus < floor
                if not hopeless:
                    for slot in range(walked, slot_count):
                        if slot_tops[slot] == F(0):
                            continue
                        top, best_share, cover = F(0), F(0), F(0)
                        for one in range(starts[slot], ends[slot]):
                            low, high = here[one, 0], here[one, 1]
                            factor = numbers[one, FACTOR]
                            if places[one, IS_PHRASE]:
                                where = first_from(extra_entries, low, high, entry)
                                if where == high or extra_entries[where] != entry:
                                    continue
                                score, covered = phrase_rows[where, PHRASE_SCORE], phrase_rows[where, PHRASE_COVERED]
                            else:
                                where = first_from(postings, low, high, entry)
                                if where == high or postings[where] != entry:
                                    continue
                                score = bm25(weights[where], entry_rows[entry, NORM], numbers[one, IDF], k1)
                                covered = numbers[one, IDF] if weights[where] < NONESSENTIAL else F(0)
                            score = score * factor
                            if score > top:
                                top, best_share, cover = score, numbers[one, SHARE], covered * factor
                        if top > F(0):
                            table[row, _SUM] += top
                            table[row, _COVERS] += best_share
                            table[row, _COVERED] += cover
                            bits[row] |= np.uint32(1) << np.uint32(slot)
                    mass = table[row, _COVERS]
                    for slot in range(slot_count):
                        if not bits[row] >> np.uint32(slot) & np.uint32(1):
                            mass += slot_below[slot]
                    own = F(1) + entry_coverage * min(F(1), table[row, _COVERED] / entry_rows[entry, OWN_MASS])
                    if (
                        table[row, _COVERED] >= all_of * entry_rows[entry, OWN_MASS]
                        and table[row, _COVERS] >= whole
                        and not headers[document]
                    ):
                        own *= exact
                    reachable = table[row, _SUM] * _power(min(F(1), mass / total), halves) * own * prior * _SLACK
                    if reachable + highest_bonus >= floor:
                        # Words of ancestors count towards the query's share where the entry itself lacks them.
                        for slot in range(slot_count):
                            if (
                                slot_below[slot] > F(0)
                                and not bits[row] >> np.uint32(slot) & np.uint32(1)
                                and _is_below(document, starts[slot], ends[slot], ancestor_bounds, below_here)
                            ):
                                table[row, _COVERS] += below_masses[slot]
                        score = table[row, _SUM] * _power(table[row, _COVERS] / total, halves) * own * prior
                        if score > F(0):
                            local = document - first_document
                            best = found[local, _SCORE]
                            if best == F(0):
                                matched[held] = local
                                held += 1
                            if score > best or (score == best and entry < best_entry[local]):
                                found[local, _SCORE] = score
                                best_entry[local] = entry
                table[row, _SUM], table[row, _COVERS], table[row, _COVERED] = F(0), F(0), F(0)
                bits[row] = np.uint32(0)
            for place in range(spoken):
                local = in_sections[place]
                document, bonus = first_document + local, found[local, _SECTION_SUM]
                found[local, _SECTION_SUM], found[local, _SECTION_MASS] = F(0), F(0)
                if bonus > F(0) and document >= first and document < last and (not len(allowed) or allowed[document]):
                    if found[local, _SCORE] == F(0):
                        matched[held] = local
                        held += 1
                        best_entry[local] = -1
                    found[local, _SCORE] += bonus
            for place in range(held):
                local = matched[place]
                count = _keep_best(
                    answer, answer_places, count, first_document + local, found[local, _SCORE], best_entry[local]
                )
                found[local, _SCORE] = F(0)
            if count == limit:
                floor = answer[1, limit - 1]
    return count


@_compiled
def mark_matching(
    # of each entry its document, or the number of documents where it cannot score; documents' priors; postings
    counted: Any, document_priors: Any, postings: Any,
    # what is remembered and the alternatives, as `rank_entries` takes them
    phrase_rows: Any, said_rows: Any, places: Any,
    # answer: a mask, and one place more
    found: Any,
) -> None:  # fmt: skip
    """Marks the documents that can score and hold an alternative, in one name or in their sections."""
    extra_entries, section_documents = phrase_rows.view(np.int32)[:, PHRASE_ENTRY], said_rows.view(np.int32)[:, SAID_IN]
    for one in range(len(places)):
        start, end = places[one, START], places[one, END]
        if places[one, IS_PHRASE]:
            for where in range(start, end):
                found[counted[extra_entries[where]]] = True
        else:
            for where in range(start, end):
                found[counted[postings[where]]] = True
        for where in range(places[one, SECTION_FROM], places[one, SECTION_TO]):
            document = section_documents[where]
            if document_priors[document] > F(0):
                found[document] = True
