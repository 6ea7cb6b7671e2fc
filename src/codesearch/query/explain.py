"""The score of a hit taken apart: what each word gave, what it was multiplied by, and that the parts add up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from codesearch.index.limits import MAX_FREQUENCY
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch
from codesearch.query.plan import Alternative, Plan, Slot
from codesearch.query.score import WHOLE, Collection, F, Ints, Matches, ancestor_mass, power
from codesearch.query.texts import Text, TextReader

TIERS = {1: "exact code", 2: "code prefix or range", 3: "text"}
CONDITION = "a condition of the query"
"""Why something is a hit that no word of the query ranks."""
ANCESTOR, MISSING = "ancestor", "missing"
"""Kinds of words that a name does not hold: an ancestor of the code does, or nothing."""
EXACT_NAME, CONTRARY = "exact name", "says the contrary"
"""The factors of a name that is just what was typed, and of one that contradicts it, among its priors."""


class TermPart(msgspec.Struct, frozen=True):
    """A term: its idf, how often it stands there (0: in several sections, weighed together), and its BM25."""

    term: str
    idf: float
    frequency: int
    points: float


class WordPart(msgspec.Struct, frozen=True):
    """What a typed word gave: `points` are those of the terms together, times `weight` and `share`.

    `used` is what was found for it, and `kind` why that stands for it (`typed`, a class of synonyms or corrections,
    `ancestor`, `missing`). `weight` is that of the kind, `share` that of `plan.Alternative`: the part that this one of
    several words gets. Of the word's `mass` in the query, `counts` are covered.
    """

    word: str
    used: str
    kind: str
    terms: tuple[TermPart, ...]
    weight: float
    share: float
    points: float
    mass: float
    counts: float


class NamePart(msgspec.Struct, frozen=True):
    """The best of a code's names. `score` is the words' points, times the two factors, times every prior.

    `query_coverage` is the share of the query that the name covers, `ancestor_coverage` of it with words that only
    ancestors' names hold; `entry_coverage` the share of the name that the query covers.
    """

    field: str
    text: str
    words: tuple[WordPart, ...]
    query_coverage: float
    ancestor_coverage: float
    query_factor: float
    entry_coverage: float
    entry_factor: float
    priors: dict[str, float]
    score: float


class SectionsPart(msgspec.Struct, frozen=True):
    """The clinical part, with the titles of the sections that hold a word.

    `score` is the words' points, times the factor of the query's coverage, the weight of the part and every prior.
    """

    words: tuple[WordPart, ...]
    sections: tuple[str, ...]
    query_coverage: float
    query_factor: float
    weight: float
    priors: dict[str, float]
    score: float


class Explanation(msgspec.Struct, frozen=True):
    """Why a hit stands where it stands.

    In tiers 1 and 2 `typed` is the text that the code is found by, and `reading` what that was taken for where it is
    not the code itself. In tier 3, and in a set of codes beside words, `score` is that of the best name and of the
    sections together.
    """

    tier: int
    reason: str
    score: float = 0.0
    typed: str = ""
    reading: str = ""
    name: NamePart | None = None
    sections: SectionsPart | None = None

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Explainer:
    """Explains the hits of one plan."""

    def __init__(
        self, reader: IndexReader, collection: Collection, texts: TextReader, plan: Plan, contrary: frozenset[int]
    ) -> None:
        """Takes the documents that were moved down too, for their names say the contrary of the query."""
        self._reader = reader
        self._collection = collection
        self._texts = texts
        self._plan = plan
        self._contrary = contrary
        self._total = sum(slot.mass for slot in plan.slots)
        self._matches: dict[int, Matches] = {}

    def explanation(self, document: int, tier: int) -> Explanation:
        """Why a document is a hit of this tier.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        match = self._match(document, tier)
        # A code that is typed has no score; those of a set beside words are put in order by the words.
        is_ranked = self._plan.slots and (tier == 3 or (tier == 2 and self._plan.within))
        name, sections = (self._best_name(document), self._sections(document)) if is_ranked else (None, None)
        score = sum(part.score for part in (name, sections) if part)
        reason = TIERS[tier] if match or score else CONDITION
        typed, reading = (match.typed, match.reading) if match else ("", "")
        return Explanation(tier, reason, score, typed, reading, name, sections)

    def _match(self, document: int, tier: int) -> CodeMatch | None:
        """What is typed that stands for a document of one of the first tiers."""
        typed = (*(match for match in self._plan.codes if match.tier == tier), *self._plan.within)
        return next((match for match in typed if document in match.documents), None) if tier < 3 else None

    def _best_name(self, document: int) -> NamePart | None:
        """The name that scores highest; None where only sections match."""
        names = [text for text in self._texts.of(document).texts if text.is_name]
        first = int(np.searchsorted(self._collection.documents, document))
        parts = [self._name(document, first + number, text) for number, text in enumerate(names)]
        best = max(parts, key=lambda part: part.score)
        return best if best.score > 0 else None

    def _name(self, document: int, entry: int, text: Text) -> NamePart:
        ranking, words, covered, above = self._collection.ranking, [], 0.0, 0.0
        for slot in self._plan.slots:
            best = self._best(slot, lambda term: self._in_entry(term, entry))
            if best:
                words.append(best.word(slot, best.one.weight * slot.mass))
                covered += best.covered
            else:
                words.append(self._above(slot, document))
                above += words[-1].counts
        share = sum(word.counts for word in words) / self._total
        entry_share = min(1.0, covered / float(self._collection.mass[entry]))
        entry_factor = 1 + ranking.entry_coverage * entry_share
        priors = {text.field: self._reader.settings.config.fields.title[text.field], **self._priors(document)}
        is_whole = covered >= WHOLE * self._collection.mass[entry] and share - above / self._total >= WHOLE
        if is_whole and not self._collection.headers[document]:
            priors[EXACT_NAME] = ranking.exact_name
        score = _points(words) * self._power(share) * entry_factor * math.prod(priors.values())
        return NamePart(
            field=text.field,
            text=text.text,
            words=tuple(words),
            query_coverage=share,
            ancestor_coverage=above / self._total,
            query_factor=self._power(share),
            entry_coverage=entry_share,
            entry_factor=entry_factor,
            priors=priors,
            score=score,
        )

    def _sections(self, document: int) -> SectionsPart | None:
        """The clinical part; None where no section matches."""
        words = []
        for slot in self._plan.slots:
            best = self._best(slot, lambda term: self._in_sections(term, document))
            words.append(best.word(slot, slot.mass) if best else _missing(slot))
        share = sum(word.counts for word in words) / self._total
        weight, priors = self._collection.ranking.clinical, self._priors(document)
        score = _points(words) * self._power(share) * weight * math.prod(priors.values())
        if not score:
            return None
        found = {term.term for word in words for term in word.terms}
        texts = self._texts.of(document).texts
        titles = dict.fromkeys(text.title for text in texts if not text.is_name and not found.isdisjoint(text.terms))
        return SectionsPart(tuple(words), tuple(titles), share, self._power(share), weight, priors, score)

    def _best(self, slot: Slot, held: Callable[[int], _Held | None]) -> _Best | None:
        """The alternative of a slot that scores highest, all of whose terms are held."""
        best: _Best | None = None
        for one in slot.alternatives:
            terms = [term for term in map(held, one.terms) if term]
            if len(terms) == len(one.terms):
                candidate = _Best(one, tuple(term.part for term in terms), sum(term.covered for term in terms))
                if best is None or candidate.points > best.points:
                    best = candidate
        return best

    def _in_entry(self, term: int, entry: int) -> _Held | None:
        """What a term gives a name."""
        collection, matches = self._collection, self._matches_of(term)
        place = _place(matches.entries, entry)
        if place is None:
            return None
        frequency = int(collection.weights[int(collection.offsets[term]) + place]) & MAX_FREQUENCY
        return _Held(self._term(term, frequency, matches.scores[place]), float(matches.covered[place]))

    def _in_sections(self, term: int, document: int) -> _Held | None:
        """What a term gives the sections of a document."""
        documents, scores = self._collection.sections.matches((term,))
        place = _place(documents, document)
        return None if place is None else _Held(self._term(term, 0, scores[place]), 0.0)

    def _term(self, term: int, frequency: int, points: F) -> TermPart:
        return TermPart(self._reader.term_list[term], float(self._reader.idf[term]), frequency, float(points))

    def _matches_of(self, term: int) -> Matches:
        """The postings of a term, remembered for the other hits."""
        found = self._matches.get(term)
        if found is None:
            found = self._matches[term] = self._collection.matches((term,))
        return found

    def _above(self, slot: Slot, document: int) -> WordPart:
        """What a word gives that the name lacks: part of the query's share where an ancestor's name holds it."""
        terms = [one.terms[0] for one in slot.alternatives if len(one.terms) == 1]
        documents = np.array([document], np.int32)
        found = [term for term in terms if self._collection.are_below(term, documents).all()]
        if not found:
            return _missing(slot)
        counts = self._collection.ranking.ancestor_share * ancestor_mass(slot)
        return msgspec.structs.replace(
            _missing(slot), used=self._ancestor(document, found), kind=ANCESTOR, counts=counts
        )

    def _ancestor(self, document: int, terms: Sequence[int]) -> str:
        """The nearest ancestor whose name holds one of the terms."""
        reader, wanted = self._reader, {self._reader.term_list[term] for term in terms}
        above = int(reader.arrays["parent"][document])
        while above >= 0:
            if wanted & {term for term, _, _ in reader.analyzer.places(reader.names[above])}:
                return reader.codes[above]
            above = int(reader.arrays["parent"][above])
        return ""

    def _priors(self, document: int) -> dict[str, float]:
        """The priors of a code by name, those that apply."""
        reader, ranking = self._reader, self._collection.ranking
        name = {term for term, _, _ in reader.analyzer.places(reader.names[document])}
        priors = {word: prior for word, prior in ranking.words.items() if reader.analyzer.term(word) in name}
        if reader.keyword("billable", document) == "yes":
            priors["billable"] = ranking.billable
        if reader.arrays["ended"][document]:
            priors["terminated"] = ranking.terminated
        if document in self._contrary:
            priors[CONTRARY] = ranking.contradiction
        return priors

    def _power(self, share: float) -> float:
        return float(power(np.array([share], F), self._collection.ranking.coverage_halves)[0])


class _Held(NamedTuple):
    """What a term gives, and the idf of a name that it covers."""

    part: TermPart
    covered: float


class _Best(NamedTuple):
    """An alternative with its terms, and the idf of a name that they cover."""

    one: Alternative
    terms: tuple[TermPart, ...]
    idf: float

    @property
    def points(self) -> float:
        return self.one.weight * self.one.share * sum(term.points for term in self.terms)

    @property
    def covered(self) -> float:
        return self.one.weight * self.one.share * self.idf

    def word(self, slot: Slot, counts: float) -> WordPart:
        one = self.one
        return WordPart(
            word=slot.word,
            used=one.phrase or slot.word,
            kind=one.weight_class,
            terms=self.terms,
            weight=one.weight,
            share=one.share,
            points=self.points,
            mass=slot.mass,
            counts=counts,
        )


def _missing(slot: Slot) -> WordPart:
    return WordPart(slot.word, "", MISSING, (), 0.0, 0.0, 0.0, slot.mass, 0.0)


def _points(words: Sequence[WordPart]) -> float:
    return sum(word.points for word in words)


def _place(ordered: Ints, wanted: int) -> int | None:
    """Where a number stands in an ordered array; None where it does not."""
    place = int(np.searchsorted(ordered, wanted))
    return place if place < len(ordered) and ordered[place] == wanted else None
