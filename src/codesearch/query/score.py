"""The score of every entry and document for the slots of a query: the plain path over numpy arrays.

An entry's score is, over the slots of the query, the sum of its best alternative's BM25; times the share of the
query's weight that it covers (words of the code's ancestors count in part), to a power; times up to 1 +
entry_coverage for the share of the entry that the query covers, and exact_name where both cover all of each other and
the code is no header; times the priors of its code. A document has the
score of its best entry, plus the clinical part: BM25F over its sections (Robertson and Zaragoza 2009, 3.6).

All sums are made in the order of the slots and in 32-bit floats, so that the compiled path gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.limits import MAX_FREQUENCY, NONESSENTIAL
from codesearch.index.reader import IndexReader
from codesearch.query.plan import Alternative, Slot

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

F = np.float32


WHOLE = F(0.9999)
"""This share of a query or of an entry is all of it: sums of the same numbers in another order differ a little."""
_LEAST_NORM = F(1e-3)
"""A section of words in parentheses alone has no length: where b is 1, its norm would be zero."""


class Matches(NamedTuple):
    """Postings of an alternative: entries in order, their BM25, and the idf that they cover of their entry."""

    entries: Ints
    scores: Floats
    covered: Floats


class Ranked(NamedTuple):
    """Documents in order of score, best first; `entries` holds the best entry of each, -1 where none matched."""

    documents: Ints
    scores: Floats
    entries: Ints


class Collection:
    """What scoring needs of an index, made once when it is opened."""

    def __init__(self, reader: IndexReader) -> None:
        arrays, ranking = reader.arrays, reader.settings.ranking
        self.folder = reader.folder
        self.arrays = arrays
        self.ranking = ranking
        self.idf = reader.idf
        self.offsets, self.entries, self.weights = (
            arrays[f"title.{name}"] for name in ("offsets", "entries", "weights")
        )
        self.documents, self.mass = arrays["title.documents"], arrays["title.mass"]
        self.ancestor_offsets, self.ancestor_bounds = arrays["ancestor.offsets"], arrays["ancestor.bounds"]
        lengths = np.maximum(arrays["title.lengths"], 1).astype(F)
        average = lengths.mean() if len(lengths) else F(1)
        self.norms = (F(ranking.k1) * (F(1 - ranking.b) + F(ranking.b) * lengths / average)).astype(F)
        field_weights = np.array([*reader.settings.config.fields.title.values()], F)
        document_priors = self._document_priors(reader)
        self.priors = document_priors[self.documents] * field_weights[arrays["title.fields"]]
        self.document_count = reader.documents
        kinds = reader.keywords["kind"]
        self.headers: Mask = arrays["keyword.kind"] == (kinds.index("header") if "header" in kinds else -1)
        self.document_priors = document_priors
        self.sections = Sections(reader, document_priors)

    @cached_property
    def posting_counts(self) -> list[int]:
        """How many entries hold each term."""
        counts: list[int] = np.diff(self.offsets).tolist()
        return counts

    @staticmethod
    def _document_priors(reader: IndexReader) -> Floats:
        """Mild priors, such as for "unspecified" codes and billable ones; ended ones stand last among equals."""
        arrays, ranking = reader.arrays, reader.settings.ranking
        priors = np.ones(reader.documents, F)
        for word, prior in ranking.words.items():
            number = reader.terms.get(reader.analyzer.term(word))
            if number is not None:
                found = arrays["title.entries"][arrays["title.offsets"][number] : arrays["title.offsets"][number + 1]]
                names = found[arrays["title.fields"][found] == 0]
                priors[arrays["title.documents"][names]] *= F(prior)
        values = reader.keywords["billable"]
        if "yes" in values:
            priors[arrays["keyword.billable"] == values.index("yes")] *= F(ranking.billable)
        priors[arrays["ended"]] *= F(ranking.terminated)
        if "chapter" in reader.keywords["kind"]:
            # Chapters and sections are no codes: their words count for the codes below them only.
            priors[arrays["keyword.kind"] == reader.keywords["kind"].index("chapter")] = F(0)
        return priors

    def matches(self, terms: Sequence[int]) -> Matches:
        """The entries that hold all the terms."""
        by_rarity = self.by_rarity(terms)
        entries, scores, covered = self._term(by_rarity[0])
        for term in by_rarity[1:]:
            other = self._term(term)
            if not len(other.entries):
                return Matches(entries[:0], scores[:0], covered[:0])
            places = np.minimum(np.searchsorted(other.entries, entries), len(other.entries) - 1)
            both = other.entries[places] == entries
            entries, places = entries[both], places[both]
            scores, covered = scores[both] + other.scores[places], covered[both] + other.covered[places]
        return Matches(entries, scores, covered)

    def most_matches(self, terms: Sequence[int]) -> int:
        """How many entries hold all the terms at most: as many as hold the rarest."""
        counts = self.posting_counts
        return min([counts[term] for term in terms])

    def by_rarity(self, terms: Sequence[int]) -> list[int]:
        """The terms, those with the fewest entries first."""
        counts = self.posting_counts
        return sorted(terms, key=lambda term: (counts[term], term))

    def _term(self, term: int) -> Matches:
        start, end = int(self.offsets[term]), int(self.offsets[term + 1])
        entries, weights = self.entries[start:end], self.weights[start:end]
        frequencies = (weights & MAX_FREQUENCY).astype(F)
        idf, k1 = self.idf[term], F(self.ranking.k1)
        scores = idf * (frequencies * (k1 + F(1)) / (frequencies + self.norms[entries]))
        return Matches(entries, scores, np.where(weights < NONESSENTIAL, idf, F(0)))

    def are_below(self, term: int, documents: Ints) -> Mask:
        """Of each document whether the name of one of its ancestors holds the term."""
        bounds = self.ancestor_bounds[self.ancestor_offsets[term] : self.ancestor_offsets[term + 1]]
        # Runs begin and end in turn: behind an odd number of bounds a document is in one.
        found: Mask = np.searchsorted(bounds, documents, "right") & 1 == 1
        return found


class Sections:
    """The clinical part: BM25F over the sections of documents."""

    def __init__(self, reader: IndexReader, priors: Floats) -> None:
        """Takes the priors of the documents."""
        arrays, ranking, fields = reader.arrays, reader.settings.ranking, reader.settings.fields
        self._ranking = ranking
        self.priors = priors
        self._idf = reader.idf
        self.offsets, self.entries = arrays["section.offsets"], arrays["section.entries"]
        self.documents, numbers = arrays["section.documents"], arrays["section.fields"]
        lengths = arrays["section.lengths"].astype(F)
        counts = np.maximum(np.bincount(numbers, minlength=len(fields.weights)), 1)
        averages = (np.bincount(numbers, weights=lengths, minlength=len(fields.weights)) / counts).astype(F)
        b = F(ranking.clinical_b)
        norms = F(1) - b + b * lengths / np.maximum(averages[numbers], F(1))
        self.gains = (np.array(fields.weights, F)[numbers] / np.maximum(norms, _LEAST_NORM)).astype(F)
        self.weights = arrays["section.weights"]

    @cached_property
    def posting_counts(self) -> list[int]:
        """How many entries hold each term."""
        counts: list[int] = np.diff(self.offsets).tolist()
        return counts

    def matches(self, terms: Sequence[int]) -> tuple[Ints, Floats]:
        """The documents that hold all the terms in scored sections, in order, and their BM25F in each."""
        documents, scores = self._term(terms[0])
        for term in terms[1:]:
            other, other_scores = self._term(term)
            documents, left, right = np.intersect1d(documents, other, assume_unique=True, return_indices=True)
            scores = scores[left] + other_scores[right]
        return documents, scores

    def _term(self, term: int) -> tuple[Ints, Floats]:
        start, end = int(self.offsets[term]), int(self.offsets[term + 1])
        entries = self.entries[start:end]
        weighted = self.gains[entries] * (self.weights[start:end] & MAX_FREQUENCY).astype(F)
        owners = self.documents[entries]
        starts = np.diff(owners, prepend=-1) != 0
        # Summed one by one and in 64 bits, as the compiled path does.
        sums = np.bincount(np.cumsum(starts) - 1, weighted).astype(F) if len(owners) else weighted
        documents, scored = owners[starts], sums > 0
        k1 = F(self._ranking.clinical_k1)
        scores = self._idf[term] * sums * (k1 + F(1)) / (k1 + sums)
        return documents[scored], scores[scored].astype(F)

    def score(self, slots: Sequence[Slot]) -> tuple[Ints, Floats]:
        """The clinical score of every document whose sections match a slot, in order of documents."""
        sums, mass = np.zeros(len(self.priors), F), np.zeros(len(self.priors), F)
        for slot in slots:
            documents, scores = _best_by_key([self._alternative(one) for one in slot.alternatives])
            sums[documents] += scores
            mass[documents] += F(slot.mass)
        documents = np.flatnonzero(sums).astype(np.int32)
        total = F(sum(slot.mass for slot in slots))
        coverage = power(mass[documents] / total, self._ranking.coverage_halves)
        scores = (F(self._ranking.clinical) * sums[documents] * coverage * self.priors[documents]).astype(F)
        return documents[scores > 0], scores[scores > 0]

    def _alternative(self, one: Alternative) -> tuple[Ints, Floats]:
        documents, scores = self.matches(one.terms)
        return documents, scores * F(one.weight * one.share)


def slot_order(collection: Collection, slots: Sequence[Slot]) -> list[int]:
    """The order in which slots are scored: those with the fewest postings first."""
    counts = [posting_count(collection, slot) for slot in slots]
    return sorted(range(len(slots)), key=counts.__getitem__)


def posting_count(collection: Collection, slot: Slot) -> int:
    """How many postings a slot has at most."""
    return sum([collection.most_matches(one.terms) for one in slot.alternatives])


def power(shares: Floats, halves: int) -> Floats:
    """Shares to a power of `halves` halves; products and square roots are exact to the bit on every path."""
    result = np.ones(len(shares), F)
    for _ in range(halves // 2):
        result = result * shares
    return result * np.sqrt(shares) if halves % 2 else result


def _best_by_key(parts: list[tuple[Ints, Floats]]) -> tuple[Ints, Floats]:
    """For each key the highest value."""
    if len(parts) == 1:
        return parts[0]
    keys = np.concatenate([keys for keys, _ in parts]) if parts else np.zeros(0, np.int32)
    values = np.concatenate([values for _, values in parts]) if parts else np.zeros(0, F)
    order = np.lexsort((-values, keys))
    keys, values = keys[order], values[order]
    first = np.diff(keys, prepend=-1) != 0
    return keys[first], values[first]


def rank(
    collection: Collection, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int
) -> Ranked:
    """The best documents for the slots, exhaustively scored.

    `span` is the slice of documents that may be found, `allowed` a mask over all documents. Ties stand in the order of
    documents.
    """
    documents, scores, entries = score_documents(collection, slots)
    keep = (documents >= span[0]) & (documents < span[1])
    if allowed is not None:
        keep &= allowed[documents]
    documents, scores, entries = documents[keep], scores[keep], entries[keep]
    if len(scores) > limit:
        threshold = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        keep = scores >= threshold
        documents, scores, entries = documents[keep], scores[keep], entries[keep]
    order = np.lexsort((documents, -scores))[:limit]
    return Ranked(documents[order], scores[order], entries[order])


def score_documents(collection: Collection, slots: Sequence[Slot]) -> tuple[Ints, Floats, Ints]:
    """Every matching document in order, its score, and its best entry (-1 where only its sections match)."""
    entries, scores = score_entries(collection, slots)
    entries, scores = entries[scores > 0], scores[scores > 0]
    owners = collection.documents[entries]
    order = np.lexsort((entries, -scores, owners))
    first = order[np.diff(owners[order], prepend=-1) != 0]
    documents, best, entries = owners[first], scores[first], entries[first]
    clinical_documents, clinical = collection.sections.score([slots[place] for place in slot_order(collection, slots)])
    if not len(clinical_documents):
        return documents, best, entries
    # Not `union1d`: numpy loads masked arrays for it, a fortieth of a process's first search.
    found = np.zeros(collection.document_count, bool)
    found[documents] = found[clinical_documents] = True
    everything = np.flatnonzero(found).astype(np.int32)
    total, where = np.zeros(len(everything), F), np.full(len(everything), -1, np.int32)
    places = np.searchsorted(everything, documents)
    total[places], where[places] = best, entries
    total[np.searchsorted(everything, clinical_documents)] += clinical
    return everything, total, where


def score_entries(collection: Collection, slots: Sequence[Slot]) -> tuple[Ints, Floats]:
    """Every matching entry in order, and its score."""
    ranking, count = collection.ranking, len(collection.documents)
    sums, mass, covered = np.zeros(count, F), np.zeros(count, F), np.zeros(count, F)
    hit = np.zeros((len(slots), count), bool)
    order = slot_order(collection, slots)
    for place in order:
        entries, scores, shares, parts = _slot_matches(collection, slots[place])
        sums[entries] += scores
        mass[entries] += shares
        covered[entries] += parts
        hit[place, entries] = True
    found = np.flatnonzero(hit.any(axis=0)).astype(np.int32)
    mass, covered = mass[found], covered[found]
    total = F(sum(slot.mass for slot in slots))
    owners = collection.documents[found]
    is_exact = (covered >= WHOLE * collection.mass[found]) & (mass >= WHOLE * total) & ~collection.headers[owners]
    for place in order:
        below = np.zeros(len(found), bool)
        for one in slots[place].alternatives:
            if len(one.terms) == 1:
                below |= collection.are_below(one.terms[0], owners)
        mass += np.where(below & ~hit[place, found], F(ranking.ancestor_share * ancestor_mass(slots[place])), F(0))
    coverage = power(mass / total, ranking.coverage_halves)
    own = F(1) + F(ranking.entry_coverage) * np.minimum(F(1), covered / collection.mass[found])
    own[is_exact] *= F(ranking.exact_name)
    return found, (sums[found] * coverage * own * collection.priors[found]).astype(F)


def ancestor_mass(slot: Slot) -> float:
    """What a slot adds to the query's share when an ancestor's name holds it."""
    return slot.mass * slot.alternatives[0].weight if slot.alternatives else 0.0


def _slot_matches(collection: Collection, slot: Slot) -> tuple[Ints, Floats, Floats, Floats]:
    """The entries that a slot matches, with the numbers of the alternative that scores highest in each."""
    parts = []
    for one in slot.alternatives:
        matches = collection.matches(one.terms)
        factor = F(one.weight * one.share)
        share = np.full(len(matches.entries), F(one.weight * slot.mass))
        parts.append((matches.entries, matches.scores * factor, share, matches.covered * factor))
    if not parts:
        none = np.zeros(0, F)
        return np.zeros(0, np.int32), none, none, none
    if len(parts) == 1:
        return parts[0]
    entries, scores, shares, covered = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((-scores, entries))
    first = order[np.diff(entries[order], prepend=-1) != 0]
    return entries[first], scores[first], shares[first], covered[first]
