"""The compiled path of scoring: one pass over blocks of entries, pruned exactly, with the same answers as `score`.

Postings are walked block by block, so that what is written stays in the processor's cache. The best documents so far
give a floor. Slots whose postings, all together, cannot lift an entry over the floor are not walked (MaxScore: Turtle
and Flood 1995): they are only looked up for entries that another slot matched, and only where those can still reach it.
Bounds are raised a little, so that rounding never cuts a hit.

Importing this module loads numba, which takes half a second: only long-lived users of an index do.

Arrays are passed one by one and the main loop is one function, because numba pays for every tuple of arrays that goes
into a function: the same code in small functions over named tuples was measured at a third of the speed.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

F = np.float32
_SLACK = F(1.0001)
_FREQUENCY = 0x7F
_NONESSENTIAL = 0x80
_SEEDS = 32
"""Entries that are scored beforehand, to have a floor from the first block on."""
SUM, MASS, COVERED, BEST, SHARE, PART = range(6)
COLUMNS = 8
"""Columns of the scratch table of a block's entries: six are used, eight make a row half a cache line."""

_inline = numba.njit(cache=True, nogil=True, inline="always")
_compiled = numba.njit(cache=True, nogil=True)


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
def _bm25(weight: Any, norm: Any, idf: Any, k1: Any) -> Any:
    frequency = F(weight & _FREQUENCY)
    return idf * (frequency * (k1 + F(1)) / (frequency + norm))


@_inline
def _first_from(ordered: Any, low: int, high: int, wanted: int) -> int:
    """The first place of an ordered slice whose value is at least the wanted one."""
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@_inline
def _next_from(ordered: Any, low: int, high: int, wanted: int) -> int:
    """The same, for a place that is probably near: in steps that double, then by halves."""
    step = 1
    while low + step < high and ordered[low + step] < wanted:
        low += step
        step *= 2
    return _first_from(ordered, low, min(high, low + step + 1), wanted)


@_compiled
def _keep_best(documents: Any, scores: Any, entries: Any, count: int, document: int, score: Any, entry: int) -> int:
    """Puts a document among the best, ordered by score and document; returns how many there are."""
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
def _look_up(
    entry: int, begin: int, end: int, norm: Any, low: Any, high: Any,
    postings: Any, weights: Any, sources: Any, idfs: Any, factors: Any, shares: Any,
    extra_entries: Any, extra_scores: Any, extra_covered: Any, k1: Any,
) -> Any:  # fmt: skip
    """What the alternatives of a slot give an entry: the best score, with the shares of query and entry it covers."""
    top, share, part = F(0), F(0), F(0)
    for one in range(begin, end):
        if sources[one] == 0:
            where = _first_from(postings, low[one], high[one], entry)
            if where == high[one] or postings[where] != entry:
                continue
            score = _bm25(weights[where], norm, idfs[one], k1)
            covered = idfs[one] if weights[where] < _NONESSENTIAL else F(0)
        else:
            where = _first_from(extra_entries, low[one], high[one], entry)
            if where == high[one] or extra_entries[where] != entry:
                continue
            score, covered = extra_scores[where], extra_covered[where]
        score = score * factors[one]
        if score > top:
            top, share, part = score, shares[one], covered * factors[one]
    return top, share, part


@_compiled
def _is_below(document: int, begin: int, end: int, ancestor_documents: Any, below_from: Any, below_to: Any) -> bool:
    """Whether an ancestor's name of a document holds one of a slot's terms."""
    for one in range(begin, end):
        where = _first_from(ancestor_documents, below_from[one], below_to[one], document)
        if where < below_to[one] and ancestor_documents[where] == document:
            return True
    return False


@_compiled
def _seed_floor(
    limit: int, slot_starts: Any, starts: Any, ends: Any, first: int, last: int, allowed: Any, owners: Any, norms: Any,
    own_mass: Any, priors: Any, total: Any, k1: Any, halves: int, entry_coverage: Any,
    postings: Any, weights: Any, sources: Any, idfs: Any, factors: Any, shares: Any,
    extra_entries: Any, extra_scores: Any, extra_covered: Any,
) -> Any:  # fmt: skip
    """A floor for the best `limit` documents: the weakest of as many that the shortest slots match, scored in full."""
    slot_count = len(slot_starts) - 1
    documents, scores = np.zeros(limit, np.int64), np.zeros(limit, np.float32)
    entries = np.zeros(limit, np.int64)
    count, tried, last_document = 0, 0, -1
    for slot in range(min(2, slot_count)):
        for one in range(slot_starts[slot], slot_starts[slot + 1]):
            # A sample over the whole list: neighbours are alike.
            step = max(1, (ends[one] - starts[one]) // _SEEDS)
            for where in range(starts[one], ends[one], step):
                entry = postings[where] if sources[one] == 0 else extra_entries[where]
                document = owners[entry]
                if document < first or document >= last or (len(allowed) and not allowed[document]):
                    continue
                if tried == 2 * _SEEDS:
                    break
                tried += 1
                sums, mass, covered = F(0), F(0), F(0)
                for other in range(slot_count):
                    score, share, part = _look_up(
                        entry, slot_starts[other], slot_starts[other + 1], norms[entry], starts, ends,
                        postings, weights, sources, idfs, factors, shares,
                        extra_entries, extra_scores, extra_covered, k1,
                    )  # fmt: skip
                    sums += score
                    mass += share
                    covered += part
                own = F(1) + entry_coverage * min(F(1), covered / own_mass[entry])
                score = sums * _power(mass / total, halves) * own * priors[entry]
                known = False
                for place in range(count):
                    if documents[place] == document:
                        known = True
                if not known and document != last_document:
                    count = _keep_best(documents, scores, entries, count, document, score, entry)
                last_document = document
    # Sums were not made in the order of the real scores: a little below is a floor all the same.
    return scores[limit - 1] / _SLACK if count == limit else F(0)


@_compiled
def rank_entries(
    # the index
    postings: Any, weights: Any, norms: Any, owners: Any, own_mass: Any,
    priors: Any, ancestor_documents: Any, blocks: Any,
    # alternatives: slot bounds, then for each where its postings lie and how it is weighed
    slot_starts: Any, sources: Any, starts: Any, ends: Any, idfs: Any, factors: Any, shares: Any, highest: Any,
    extra_entries: Any, extra_scores: Any, extra_covered: Any,
    # ancestors: slot bounds, slices, and what each slot adds
    below_starts: Any, below_from: Any, below_to: Any, below_mass: Any,
    # documents that may be found, and what their sections add
    first: int, last: int, allowed: Any, bonus_documents: Any,
    bonus_scores: Any, highest_bonus: Any, highest_prior: Any,
    # numbers of the formula
    total: Any, k1: Any, halves: int, entry_coverage: Any,
    # scratch of a block: zero before and after
    table: Any, bits: Any, touched: Any, best: Any, best_entry: Any, matched: Any,
    # answer
    documents: Any, scores: Any, entries: Any,
) -> int:  # fmt: skip
    """Ranks the documents of the slots; fills `documents`, `scores`, `entries` and returns how many there are."""
    slot_count = len(slot_starts) - 1
    limit = len(documents)
    # What a slot can add to an entry of the block at hand: score, share of the query, share by an ancestor's name.
    tops, top_shares = np.zeros(slot_count, np.float32), np.zeros(slot_count, np.float32)
    belows = np.zeros(slot_count, np.float32)
    below_at = below_from.copy()
    coming = np.sum(ends - starts)
    floor = F(0)
    if coming > 20 * _SEEDS and slot_count > 1:
        floor = _seed_floor(
            limit, slot_starts, starts, ends, first, last, allowed, owners, norms, own_mass, priors, total, k1, halves,
            entry_coverage, postings, weights, sources, idfs, factors,
            shares, extra_entries, extra_scores, extra_covered,
        )  # fmt: skip
    low, high = starts.copy(), starts.copy()
    count, bonus_at = 0, 0
    for block in range(len(blocks) - 1):
        base, block_end = blocks[block], blocks[block + 1]
        first_document, last_document = owners[base], owners[block_end - 1]
        if last_document < first or first_document >= last:
            continue
        for slot in range(slot_count):
            tops[slot], top_shares[slot], belows[slot] = F(0), F(0), F(0)
            for one in range(slot_starts[slot], slot_starts[slot + 1]):
                # Blocks follow each other: but for the first, a list goes on where it was left.
                low[one] = high[one]
                if sources[one] == 0:
                    if low[one] < ends[one] and postings[low[one]] < base:
                        low[one] = _next_from(postings, low[one], ends[one], base)
                    high[one] = low[one]
                    if low[one] < ends[one] and postings[low[one]] < block_end:
                        high[one] = _next_from(postings, low[one], ends[one], block_end)
                else:
                    if low[one] < ends[one] and extra_entries[low[one]] < base:
                        low[one] = _next_from(extra_entries, low[one], ends[one], base)
                    high[one] = low[one]
                    if low[one] < ends[one] and extra_entries[low[one]] < block_end:
                        high[one] = _next_from(extra_entries, low[one], ends[one], block_end)
                if low[one] < high[one]:
                    tops[slot] = max(tops[slot], highest[one])
                    top_shares[slot] = max(top_shares[slot], shares[one])
            for one in range(below_starts[slot], below_starts[slot + 1]):
                if below_at[one] < below_to[one] and ancestor_documents[below_at[one]] < first_document:
                    below_at[one] = _next_from(ancestor_documents, below_at[one], below_to[one], first_document)
                if below_at[one] < below_to[one] and ancestor_documents[below_at[one]] <= last_document:
                    belows[slot] = below_mass[slot]
            top_shares[slot] = max(top_shares[slot], belows[slot])
        # From the last slot on, as many as together cannot reach the floor are only looked up.
        rest, rest_share, above = F(0), F(0), F(0)
        for slot in range(slot_count):
            above += belows[slot]
        walked = slot_count
        while walked > 0:
            slot = walked - 1
            reach = min(F(1), (rest_share + top_shares[slot] + above - belows[slot]) / total)
            unseen = (rest + tops[slot]) * _power(reach, halves) * (F(1) + entry_coverage) * highest_prior * _SLACK
            if tops[slot] > F(0) and unseen + highest_bonus >= floor:
                break
            rest += tops[slot]
            rest_share += top_shares[slot]
            above -= belows[slot]
            walked -= 1
        seen = 0
        for slot in range(walked):
            begin, end = slot_starts[slot], slot_starts[slot + 1]
            bit = np.uint32(1) << np.uint32(slot)
            for one in range(begin, end):
                idf, factor, share = idfs[one], factors[one], shares[one]
                for where in range(low[one], high[one]):
                    if sources[one] == 0:
                        entry = postings[where]
                        score = _bm25(weights[where], norms[entry], idf, k1)
                        covered = idf if weights[where] < _NONESSENTIAL else F(0)
                    else:
                        entry = extra_entries[where]
                        score, covered = extra_scores[where], extra_covered[where]
                    score = score * factor
                    row = entry - base
                    if bits[row] == np.uint32(0) and table[row, BEST] == F(0):
                        touched[seen] = row
                        seen += 1
                    if end - begin == 1:
                        table[row, SUM] += score
                        table[row, MASS] += share
                        table[row, COVERED] += covered * factor
                        bits[row] |= bit
                    elif score > table[row, BEST]:
                        table[row, BEST], table[row, SHARE], table[row, PART] = score, share, covered * factor
            if end - begin > 1:
                for place in range(seen):
                    row = touched[place]
                    if table[row, BEST] > F(0):
                        table[row, SUM] += table[row, BEST]
                        table[row, MASS] += table[row, SHARE]
                        table[row, COVERED] += table[row, PART]
                        table[row, BEST] = F(0)
                        bits[row] |= bit
        held = 0
        for place in range(seen):
            row = touched[place]
            entry = base + row
            document = owners[entry]
            reachable = (table[row, SUM] + rest) * (F(1) + entry_coverage) * priors[entry] * _SLACK
            hopeless = reachable + highest_bonus < floor or document < first or document >= last
            if not hopeless and len(allowed):
                hopeless = not allowed[document]
            if not hopeless and floor > F(0):
                mass = table[row, MASS] + rest_share
                for slot in range(walked):
                    if not bits[row] >> np.uint32(slot) & np.uint32(1):
                        mass += belows[slot]
                hopeless = reachable * _power(min(F(1), mass / total), halves) + highest_bonus < floor
            if not hopeless:
                for slot in range(walked, slot_count):
                    score, share, part = _look_up(
                        entry, slot_starts[slot], slot_starts[slot + 1], norms[entry], low, high,
                        postings, weights, sources, idfs, factors, shares,
                        extra_entries, extra_scores, extra_covered, k1,
                    )  # fmt: skip
                    if score > F(0):
                        table[row, SUM] += score
                        table[row, MASS] += share
                        table[row, COVERED] += part
                        bits[row] |= np.uint32(1) << np.uint32(slot)
                mass = table[row, MASS]
                for slot in range(slot_count):
                    if not bits[row] >> np.uint32(slot) & np.uint32(1):
                        mass += belows[slot]
                own = F(1) + entry_coverage * min(F(1), table[row, COVERED] / own_mass[entry])
                reachable = table[row, SUM] * _power(min(F(1), mass / total), halves) * own * priors[entry] * _SLACK
                if reachable + highest_bonus >= floor:
                    # Words of ancestors count towards the query's share where the entry itself lacks them.
                    for slot in range(slot_count):
                        if not bits[row] >> np.uint32(slot) & np.uint32(1) and _is_below(
                            document, below_starts[slot], below_starts[slot + 1], ancestor_documents, below_at, below_to
                        ):
                            table[row, MASS] += below_mass[slot]
                    score = table[row, SUM] * _power(table[row, MASS] / total, halves) * own * priors[entry]
                    if score > F(0):
                        local = document - first_document
                        if best[local] == F(0):
                            matched[held] = local
                            held += 1
                        if score > best[local] or (score == best[local] and entry < best_entry[local]):
                            best[local] = score
                            best_entry[local] = entry
            table[row, SUM], table[row, MASS], table[row, COVERED] = F(0), F(0), F(0)
            bits[row] = np.uint32(0)
        while bonus_at < len(bonus_documents) and bonus_documents[bonus_at] <= last_document:
            document = bonus_documents[bonus_at]
            wanted = document >= first_document and document >= first and document < last
            if wanted and (not len(allowed) or allowed[document]):
                local = document - first_document
                if best[local] == F(0):
                    matched[held] = local
                    held += 1
                    best_entry[local] = -1
                best[local] += bonus_scores[bonus_at]
            bonus_at += 1
        for place in range(held):
            local = matched[place]
            count = _keep_best(
                documents, scores, entries, count, first_document + local, best[local], best_entry[local]
            )
            best[local] = F(0)
        if count == limit:
            floor = max(floor, scores[limit - 1])
    return count
