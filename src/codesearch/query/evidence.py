"""Why a record matches: which of its words, in which fields, and the passage that shows it best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from codesearch.index.analysis import Place
from codesearch.index.reader import IndexReader
from codesearch.query.passage import PASSAGE_LENGTH, Passage, Span, cut_passage
from codesearch.query.plan import Plan, Slot
from codesearch.query.texts import Text, TextReader, title_of

_OF_A_NAME = 0.5
"""What a name's own words weigh as a passage: it is shown anyway, so any other that holds as much shows more."""

_CLEARLY = 1.000001
"""Sums of the same weights in another order differ in the last digits."""

_Marked = tuple[Text, list[Place], dict[str, float]]


class Evidence(NamedTuple):
    """The best passage, the name with what matched in it, and the matching words of each field as they stand in it."""

    passage: Passage
    name: Passage
    matched: dict[str, tuple[str, ...]]


class EvidenceFinder:
    """Finds what in the documents of an index matches a plan."""

    def __init__(self, reader: IndexReader, texts: TextReader, plan: Plan) -> None:
        self._texts = texts
        self._names = reader.names
        self._slots = [_alternatives(reader, slot) for slot in plan.slots]
        weights: dict[frozenset[str], float] = {}
        for terms, weight in chain.from_iterable(self._slots):
            weights[terms] = max(weight / len(terms), weights.get(terms, 0.0))
        self._words = {term: weight for terms, weight in weights.items() if len(terms) == 1 for term in terms}
        self._phrases = [(terms, weight) for terms, weight in weights.items() if len(terms) > 1]
        self._wanted = frozenset(self._words).union(*(terms for terms, _ in self._phrases))

    def evidence(self, document: int) -> Evidence:
        """What in a document matches; the beginning of its summary, or its name, where nothing does.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        name_marks: Sequence[Span] = ()
        matched: dict[str, dict[str, None]] = {}
        best_weight, best = 0.0, None
        for text, marks, weights in self._marked(document):
            spans = _merged(marks)
            matched.setdefault(text.field, {}).update(dict.fromkeys([text.text[start:end] for start, end in spans]))
            shown, terms = marks, text.terms
            if len(text.text) > PASSAGE_LENGTH:
                shown = _best_run(marks, weights)
                terms = frozenset([term for term, _, _ in shown])
            weight = self._held(terms)
            if text.field == "name":
                name_marks = spans
                weight *= _OF_A_NAME
            if best is None or weight > best_weight:
                best_weight, best = weight, (text.field, text.title, text.text, spans, shown[0][1], shown[-1][2])
        name = Passage("name", title_of("name"), self._names[document], tuple(name_marks))
        passage = cut_passage(*best) if best else self._unmarked(document) or name
        return Evidence(passage, name, {field: tuple(words) for field, words in matched.items()})

    def _marked(self, document: int) -> Sequence[_Marked]:
        """The texts in which something matches, with the places, and what each term weighs there."""
        if not self._wanted:
            return ()
        found = self._texts.of(document)
        # A phrase that no text holds as a whole may be spread over the sections, which are scored together.
        sections = (text for text in found.texts if not text.is_name)
        return self._marked_in(found.texts, frozenset()) or self._marked_in(sections, found.section_terms)

    def _marked_in(self, texts: Iterable[Text], more: frozenset[str]) -> list[_Marked]:
        """The same, for texts whose phrases may have terms elsewhere as well."""
        marked = []
        for text in texts:
            if not self._wanted.isdisjoint(text.terms):
                weights = self._weights(text.terms | more) if self._phrases else self._words
                marks = [place for place in text.places if place[0] in weights]
                if marks:
                    marked.append((text, marks, weights))
        return marked

    def _unmarked(self, document: int) -> Passage | None:
        summary = self._texts.summary(document)
        return cut_passage("summary", title_of("summary"), summary, [], 0, 0) if summary else None

    def _held(self, present: frozenset[str]) -> float:
        """How much of the query some terms hold: of each slot its weightiest alternative that is there as a whole."""
        held = 0.0
        for alternatives in self._slots:
            for terms, weight in alternatives:
                if terms <= present:
                    held += weight
                    break
        return held

    def _weights(self, present: frozenset[str]) -> dict[str, float]:
        """The weight of each term by those alternatives that are present as a whole."""
        weights = dict(self._words)
        for terms, weight in self._phrases:
            if terms <= present:
                for term in terms:
                    weights[term] = max(weight, weights.get(term, 0.0))
        return weights


def _alternatives(reader: IndexReader, slot: Slot) -> list[tuple[frozenset[str], float]]:
    """The terms of each alternative of a slot and what it weighs, the weightiest first."""
    found = [
        (frozenset([reader.term_list[number] for number in one.terms]), one.weight * slot.mass)
        for one in slot.alternatives
    ]
    return sorted(found, key=lambda one: -one[1])


def _merged(marks: Iterable[Place]) -> list[Span]:
    """The spans of marks, as one where they overlap: `x-ray` matches whole and in its parts."""
    spans: list[Span] = []
    for _, start, end in marks:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _best_run(marks: list[Place], weights: Mapping[str, float]) -> list[Place]:
    """Of the marks that fit in a passage together, those that weigh most, each term once."""
    best_weight, best = 0.0, (0, 1)
    counts: Counter[str] = Counter()
    weight, first = 0.0, 0
    for last, (term, _, end) in enumerate(marks):
        if not counts[term]:
            weight += weights[term]
        counts[term] += 1
        while first < last and end - marks[first][1] > PASSAGE_LENGTH:
            gone = marks[first][0]
            counts[gone] -= 1
            if not counts[gone]:
                weight -= weights[gone]
            first += 1
        if weight > best_weight * _CLEARLY:
            best_weight, best = weight, (first, last + 1)
    return marks[slice(*best)]
