"""Why a record matches: which of its words, in which fields, and the passage that shows it best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from codesearch.index.analysis import Analysed
from codesearch.index.reader import IndexReader
from codesearch.query.passage import PASSAGE_LENGTH, Passage, Span, cut_passage
from codesearch.query.plan import Plan, Slot
from codesearch.query.texts import Text, TextReader, title_of

_OF_A_NAME = 0.5
"""What a name's own words weigh as a passage: it is shown anyway, so any other that holds as much shows more."""

_CLEARLY = 1.000001
"""Sums of the same weights in another order differ in the last digits."""

_Marked = tuple[Text, frozenset[str]]


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
        alternatives = list(chain.from_iterable(self._slots))
        self._words = frozenset().union(*[terms for terms, _ in alternatives if len(terms) == 1])
        self._phrases = list({terms for terms, _ in alternatives if len(terms) > 1})
        self._wanted = self._words.union(*self._phrases)

    @cached_property
    def _weights(self) -> dict[str, float]:
        """What each term weighs by itself: of a phrase its part."""
        weights: dict[str, float] = {}
        for terms, weight in chain.from_iterable(self._slots):
            for term in terms:
                weights[term] = max(weight / len(terms), weights.get(term, 0.0))
        return weights

    def evidence(self, document: int) -> Evidence:
        """What in a document matches; the beginning of its summary, or its name, where nothing does.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        found = self._in_name_alone(document)
        if found:  # as in most hits
            return found
        marked = self._marked(document)
        if len(marked) == 1:
            text, terms = marked[0]
            if text.field == "name" and len(text.text) <= PASSAGE_LENGTH:
                return _of_name(text.analysed, _spans(text.analysed, terms))
        name_marks: Sequence[Span] = ()
        matched: dict[str, dict[str, None]] = {}
        best_weight, best = 0.0, None
        for (field, title, analysed, _), terms in marked:
            whole = analysed.text
            spans = _spans(analysed, terms)
            words = matched.setdefault(field, {})
            for start, end in spans:
                words[whole[start:end]] = None
            shown = spans[0][0], spans[-1][1]
            if len(whole) > PASSAGE_LENGTH:
                shown, terms = self._best_run(analysed, terms)
            weight = self._held(terms) if len(marked) > 1 else 1.0  # what is alone need not be weighed
            if field == "name":
                name_marks = spans
                weight *= _OF_A_NAME
            if best is None or weight > best_weight:
                best_weight, best = weight, (field, title, whole, spans, *shown)
        name = Passage("name", title_of("name"), self._names[document], tuple(name_marks))
        passage = cut_passage(*best) if best else self._unmarked(document) or name
        return Evidence(passage, name, {field: tuple(words) for field, words in matched.items()})

    def _in_name_alone(self, document: int) -> Evidence | None:
        """What matches where the name is all that is searched, and can be shown as a whole."""
        name = self._texts.name_alone(document)
        if name is None or len(name.text) > PASSAGE_LENGTH:
            return None
        present = self._whole(self._wanted.intersection(name.terms)) if self._phrases else self._words
        spans = _spans(name, present)
        return _of_name(name, spans) if spans else None

    def _marked(self, document: int) -> Sequence[_Marked]:
        """The texts in which something matches, with the terms that do."""
        if not self._wanted:
            return ()
        found = self._texts.of(document)
        # A phrase that no text holds as a whole may be spread over the sections, which are scored together.
        return self._marked_in(found.texts) or self._marked_in(
            [text for text in found.texts if not text.is_name], found.section_terms
        )

    def _marked_in(self, texts: Iterable[Text], more: frozenset[str] = frozenset()) -> list[_Marked]:
        """The same, for texts whose phrases may have terms elsewhere as well."""
        marked = []
        wanted, phrases = self._wanted, self._phrases
        for text in texts:
            terms = wanted.intersection(text.analysed.terms)
            if terms and phrases:
                terms &= self._whole(terms | more if more else terms)
            if terms:
                marked.append((text, terms))
        return marked

    def _whole(self, present: frozenset[str]) -> frozenset[str]:
        """The terms of those alternatives that are present as a whole."""
        whole = [terms for terms in self._phrases if terms <= present]
        return self._words.union(*whole) if whole else self._words

    def _held(self, present: frozenset[str]) -> float:
        """How much of the query some terms hold: of each slot its weightiest alternative that is there as a whole."""
        held = 0.0
        for alternatives in self._slots:
            for terms, weight in alternatives:
                if terms <= present:
                    held += weight
                    break
        return held

    def _best_run(self, text: Analysed, terms: frozenset[str]) -> tuple[Span, frozenset[str]]:
        """Where the marks stand that fit in a passage together and weigh most, and their terms, each counted once."""
        marks = sorted((start, end, term) for term, start, end in text.places(terms))
        best_weight, best = 0.0, (0, 1)
        counts: Counter[str] = Counter()
        weight, first = 0.0, 0
        for last, (_, end, term) in enumerate(marks):
            if not counts[term]:
                weight += self._weights[term]
            counts[term] += 1
            while first < last and end - marks[first][0] > PASSAGE_LENGTH:
                gone = marks[first][2]
                counts[gone] -= 1
                if not counts[gone]:
                    weight -= self._weights[gone]
                first += 1
            if weight > best_weight * _CLEARLY:
                best_weight, best = weight, (first, last + 1)
        run = marks[slice(*best)]
        return (run[0][0], run[-1][1]), frozenset([term for _, _, term in run])

    def _unmarked(self, document: int) -> Passage | None:
        summary = self._texts.summary(document)
        return cut_passage("summary", title_of("summary"), summary, [], 0, 0) if summary else None


def _of_name(name: Analysed, spans: Sequence[Span]) -> Evidence:
    """What matches in a name alone, which can be shown as a whole."""
    whole = name.text
    passage = Passage("name", title_of("name"), whole, tuple(spans))
    return Evidence(passage, passage, {"name": tuple(dict.fromkeys([whole[start:end] for start, end in spans]))})


def _alternatives(reader: IndexReader, slot: Slot) -> list[tuple[frozenset[str], float]]:
    """The terms of each alternative of a slot and what it weighs, the weightiest first."""
    found = [
        (frozenset([reader.term_list[number] for number in one.terms]), one.weight * slot.mass)
        for one in slot.alternatives
    ]
    return sorted(found, key=lambda one: -one[1])


def _spans(text: Analysed, terms: frozenset[str]) -> list[Span]:
    """Where terms stand in a text, as one span where they overlap: `x-ray` matches whole and in its parts."""
    spans = text.spans(terms)
    return spans if text.is_plain else _merged(spans)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
