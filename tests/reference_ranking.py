"""A second ranking, written from the documents alone: plain Python over dicts, exhaustive, and slow.

The formula is that of `query/score.py` and the numbers those of `index/ranking.toml` and `index/fields.toml`; nothing
is shared with the package but the analysis of text and the plan of a query.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from codesearch.index.analysis import Analyzer
from codesearch.index.settings import IndexSettings
from codesearch.query.plan import Alternative, Slot
from codesearch.records import CodeRecord

TIE = 1e-6


class Text(NamedTuple):
    """The words of an entry: how often each stands there, which of them only nonessentially, and its length."""

    counts: Counter[str]
    nonessential: frozenset[str]
    length: int


class Entry(NamedTuple):
    """One name of a code."""

    document: int
    field: str
    text: Text


class Gain(NamedTuple):
    """What an alternative gives an entry: its score, the share of the query, and the part of the entry it covers."""

    score: float
    share: float
    covered: float


class ReferenceRanking:
    """Ranks the given records, which stand in the order of documents."""

    def __init__(self, records: Sequence[CodeRecord], settings: IndexSettings) -> None:
        self.records, self.ranking, self.fields = records, settings.ranking, settings.config.fields
        self._analyzer = Analyzer(settings.analysis)
        self.entries = [
            Entry(document, field, self._read([text]))
            for document, record in enumerate(records)
            for field, text in _titles(record, list(self.fields.title))
        ]
        self.sections = [dict(self._sections(record)) for record in records]
        self._holding: dict[str, list[int]] = defaultdict(list)
        for number, entry in enumerate(self.entries):
            for term in entry.text.counts:
                self._holding[term].append(number)
        self._document_frequency = self._count_documents()
        self._average = sum(max(1, entry.text.length) for entry in self.entries) / max(1, len(self.entries))
        self._average_section = self._section_averages()
        self._by_code = {(record.system, record.code): record for record in records if record.code}
        self._names_above = [self._above(record) for record in records]

    def rank(
        self, slots: Sequence[Slot], term_of: Sequence[str], may: Callable[[int], bool]
    ) -> list[tuple[int, float]]:
        """(document, score) of every document that may be found and matches, the best first."""
        terms = {one: tuple(term_of[term] for term in one.terms) for slot in slots for one in slot.alternatives}
        numbers = {number for held in terms.values() for term in held for number in self._holding.get(term, ())}
        scores: dict[int, float] = {}
        for number in sorted(numbers):
            entry = self.entries[number]
            score = self._score_entry(entry, slots, terms)
            if score > 0:
                scores[entry.document] = max(score, scores.get(entry.document, 0.0))
        for document, sections in enumerate(self.sections):
            clinical = self._clinical(document, slots, terms) if sections else 0.0
            if clinical > 0:
                scores[document] = scores.get(document, 0.0) + clinical
        return sorted(((d, s) for d, s in scores.items() if may(d)), key=lambda pair: (-pair[1], pair[0]))

    # Title

    def _score_entry(self, entry: Entry, slots: Sequence[Slot], terms: dict[Alternative, tuple[str, ...]]) -> float:
        score = share = covered = below = 0.0
        for slot in slots:
            best = self._best_gain(entry, slot, slots, terms)
            if best is not None:
                score, share, covered = score + best.score, share + best.share, covered + best.covered
            elif self._is_below(entry.document, slot, terms):
                below += self.ranking.ancestor_share * slot.mass * slot.alternatives[0].weight
        if not score:
            return 0.0
        total = sum(slot.mass for slot in slots)
        share += below
        prior = self.fields.title[entry.field] * self._prior(entry.document)
        own = 1 + self.ranking.entry_coverage * min(1.0, covered / self._mass(entry))
        is_whole = covered >= 0.9999 * self._mass(entry) and share - below >= 0.9999 * total
        if is_whole and self.records[entry.document].kind != "header":
            own *= self.ranking.exact_name
        coverage: float = (share / total) ** self.ranking.query_coverage_power
        return score * coverage * own * prior

    def _best_gain(
        self, entry: Entry, slot: Slot, slots: Sequence[Slot], terms: dict[Alternative, tuple[str, ...]]
    ) -> Gain | None:
        best: Gain | None = None
        for one in slot.alternatives:
            if not all(term in entry.text.counts for term in terms[one]):
                continue
            factor = one.weight * self._share_of(one, slot, slots, terms[one])
            score = sum(self._bm25(entry, term) for term in terms[one]) * factor
            covered = sum(self.idf(term) for term in terms[one] if term not in entry.text.nonessential) * factor
            if best is None or score > best.score * (1 + TIE):
                best = Gain(score, one.weight * slot.mass, covered)
        return best

    def _bm25(self, entry: Entry, term: str) -> float:
        k1, b = self.ranking.k1, self.ranking.b
        frequency = entry.text.counts[term]
        norm = k1 * (1 - b + b * max(1, entry.text.length) / self._average)
        return self.idf(term) * frequency * (k1 + 1) / (frequency + norm)

    def idf(self, term: str) -> float:
        """ln(1 + (N - df + .5) / (df + .5)), df counted in codes."""
        frequency = self._document_frequency[term]
        return math.log(1 + (len(self.records) - frequency + 0.5) / (frequency + 0.5))

    def _mass(self, entry: Entry) -> float:
        return max(1e-6, sum(self.idf(term) for term in entry.text.counts if term not in entry.text.nonessential))

    def _prior(self, document: int) -> float:
        record, ranking = self.records[document], self.ranking
        prior = 0.0 if record.kind == "chapter" else 1.0
        counts = self._read([record.name]).counts
        for word, factor in ranking.words.items():
            prior *= factor if self._analyzer.term(word) in counts else 1
        if record.billable:
            prior *= ranking.billable
        return prior * ranking.terminated if record.terminated else prior

    def _is_below(self, document: int, slot: Slot, terms: dict[Alternative, tuple[str, ...]]) -> bool:
        above = self._names_above[document]
        return any(len(terms[one]) == 1 and terms[one][0] in above for one in slot.alternatives)

    def _above(self, record: CodeRecord) -> frozenset[str]:
        words: set[str] = set()
        while record.parent and (record.system, record.parent) in self._by_code:
            record = self._by_code[record.system, record.parent]
            words |= self._read([record.name]).counts.keys()
        return frozenset(words).difference(map(self._analyzer.term, self.ranking.own_words))

    # Clinical part

    def _clinical(self, document: int, slots: Sequence[Slot], terms: dict[Alternative, tuple[str, ...]]) -> float:
        score = mass = 0.0
        for slot in slots:
            gains = [self._section_gain(document, one, slot, slots, terms[one]) for one in slot.alternatives]
            if any(gains):
                score, mass = score + max(gains), mass + slot.mass
        total = sum(slot.mass for slot in slots)
        coverage: float = (mass / total) ** self.ranking.query_coverage_power
        return self.ranking.clinical * score * coverage * self._prior(document)

    def _section_gain(
        self, document: int, one: Alternative, slot: Slot, slots: Sequence[Slot], terms: tuple[str, ...]
    ) -> float:
        parts = [self._bm25f(document, term) for term in terms]
        return sum(parts) * one.weight * self._share_of(one, slot, slots, terms) if all(parts) else 0.0

    def _bm25f(self, document: int, term: str) -> float:
        b, k1 = self.ranking.clinical_b, self.ranking.clinical_k1
        weighted = sum(
            self.fields.clinical.get(field, 0.0)
            * text.counts[term]
            / (1 - b + b * text.length / max(1.0, self._average_section[field]))
            for field, text in self.sections[document].items()
        )
        return self.idf(term) * weighted * (k1 + 1) / (k1 + weighted)

    def _section_averages(self) -> dict[str, float]:
        lengths: dict[str, list[int]] = defaultdict(list)
        for sections in self.sections:
            for field, text in sections.items():
                lengths[field].append(text.length)
        return {field: sum(each) / len(each) for field, each in lengths.items()}

    def _sections(self, record: CodeRecord) -> Iterator[tuple[str, Text]]:
        for path in (*self.fields.clinical, *self.fields.unscored):
            value = reduce(getattr, path.split("."), record)
            texts = [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
            if any(texts):
                yield path, self._read(texts)

    def _share_of(self, one: Alternative, slot: Slot, slots: Sequence[Slot], terms: tuple[str, ...]) -> float:
        """An alternative that stands for several words gives each its part of the score.

        Where the words it stands for are known, it counts no more than they do.
        """
        run = [each for each in slots if each.word in one.words]
        typed, own = sum(each.mass for each in run), sum(self.idf(term) for term in terms)
        known = all(each.alternatives and each.alternatives[0].weight_class == "typed" for each in run)
        return slot.mass / max(1e-6, typed) * (min(1.0, typed / own) if known else 1.0)

    # Text

    def _count_documents(self) -> Counter[str]:
        holding: dict[str, set[int]] = defaultdict(set)
        for entry in self.entries:
            for term in entry.text.counts:
                holding[term].add(entry.document)
        for document, sections in enumerate(self.sections):
            for field, text in sections.items():
                if self.fields.clinical.get(field, 0.0) > 0:
                    for term in text.counts:
                        holding[term].add(document)
        return Counter({term: len(documents) for term, documents in holding.items()})

    def _read(self, texts: Sequence[str]) -> Text:
        counts: Counter[str] = Counter()
        essential: set[str] = set()
        length = 0
        for text in texts:
            folded = self._analyzer.fold(text)
            words = list(_words(self._analyzer.with_parentheses(folded)))
            all_inside = all(inside for word, inside in words if self._analyzer.term(word))
            for word, inside in words:
                term = self._analyzer.term(word)
                if term:
                    counts[term] += 1
                    if not inside or all_inside:
                        essential.add(term)
                        length += 1
            counts.update(term for term, _ in self._analyzer.joined(folded) if term)
        return Text(counts, frozenset(counts.keys() - essential), length)


def _words(folded: str) -> Iterator[tuple[str, bool]]:
    """The words of a folded text, and whether each stands in parentheses."""
    depth = 0
    for piece in re.findall(r"[()]|\d+(?:\.\d+)+|[a-z0-9]+", folded):
        if piece in "()":
            depth = max(0, depth + (1 if piece == "(" else -1))
        else:
            yield piece, depth > 0


def _titles(record: CodeRecord, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for field in fields:
        value = getattr(record, field)
        for text in (value,) if isinstance(value, str) else value:
            if text and text not in seen:
                seen.add(text)
                yield field, text
