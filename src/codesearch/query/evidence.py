"""Why a record matches: which of its words, in which fields, and the passage that shows it best."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from codesearch.index.analysis import Analyzer
from codesearch.index.fields import SectionReader, title_texts
from codesearch.index.reader import IndexReader
from codesearch.query.plan import Plan
from codesearch.records import CodeRecord

SNIPPET_LENGTH = 160
_HYPHENATED = re.compile(r"(?<![^\W_])[^\W_]++(?:[-‐‑‒–—−][^\W_]++)+")


class Evidence(NamedTuple):
    """The best passage, and the matching words of each field as they stand in it."""

    snippet: str
    matched: dict[str, tuple[str, ...]]


class _Passage(NamedTuple):
    """A text of a record with its terms and where they stand; a title is matched by itself, sections together."""

    field: str
    text: str
    places: list[tuple[str, int, int]]
    is_title: bool


def evidence(record: CodeRecord, reader: IndexReader, plan: Plan) -> Evidence:
    """What in a record matches the slots of a plan."""
    wanted = _wanted(reader, plan)
    passages = list(_passages(record, reader)) if wanted else []
    in_sections = {term for passage in passages if not passage.is_title for term, _, _ in passage.places}
    matched: dict[str, dict[str, None]] = {}
    best: tuple[float, str] = (0.0, "")
    for passage in passages:
        present = {term for term, _, _ in passage.places} if passage.is_title else in_sections
        weights = _weights(wanted, present)
        words = [place for place in passage.places if place[0] in weights]
        if not words:
            continue
        shown = dict.fromkeys(passage.text[start:end] for _, start, end in words)
        matched.setdefault(passage.field, {}).update(shown)
        # The name is shown anyway: any other passage that holds as much shows more.
        weight = sum({term: weights[term] for term, _, _ in words}.values()) * (0.5 if passage.field == "name" else 1.0)
        if weight > best[0]:
            best = (weight, _window(passage.text, words[0][1]))
    snippet = best[1] or record.summary[:SNIPPET_LENGTH] or record.name
    return Evidence(snippet, {field: tuple(words) for field, words in matched.items()})


def _wanted(reader: IndexReader, plan: Plan) -> list[tuple[frozenset[str], float]]:
    """The terms of every alternative of a plan, with its weight."""
    return [
        (frozenset(reader.term_list[number] for number in one.terms), one.weight * slot.mass)
        for slot in plan.slots
        for one in slot.alternatives
    ]


def _weights(wanted: list[tuple[frozenset[str], float]], present: set[str]) -> dict[str, float]:
    """The terms of the alternatives that are present as a whole, with the highest weight of each."""
    weights: dict[str, float] = {}
    for terms, weight in wanted:
        if terms <= present:
            for term in terms:
                weights[term] = max(weights.get(term, 0.0), weight)
    return weights


def _passages(record: CodeRecord, reader: IndexReader) -> Iterator[_Passage]:
    fields = reader.settings.fields
    for number, text in title_texts(record, fields.title):
        yield _Passage(fields.title[number], text, _places(reader.analyzer, text), True)
    scored = tuple(name for name, weight in zip(fields.sections, fields.weights, strict=True) if weight > 0)
    for number, texts in SectionReader(scored).texts(record):
        for text in texts:
            yield _Passage(scored[number], text, _places(reader.analyzer, text), False)


def _places(analyzer: Analyzer, text: str) -> list[tuple[str, int, int]]:
    """The terms of a text, those of hyphenated words joined too, in the order in which they begin."""
    places = [(token.term, token.start, token.end) for token in analyzer.tokens(text)]
    for match in _HYPHENATED.finditer(text):
        joined = "".join(analyzer.words(analyzer.fold(match[0])))
        places.append((analyzer.term(joined), match.start(), match.end()))
    return sorted(places, key=lambda place: place[1])


def _window(text: str, start: int) -> str:
    """The part of a text around a place, cut at blanks where there are any near."""
    if len(text) <= SNIPPET_LENGTH:
        return text
    begin = max(0, min(start - SNIPPET_LENGTH // 3, len(text) - SNIPPET_LENGTH))
    begin = text.find(" ", begin, start) + 1 or begin if begin else 0
    end = min(begin + SNIPPET_LENGTH, len(text))
    if end < len(text):
        blank = text.rfind(" ", start, end)
        end = blank if blank > start else end
    return f"{'… ' if begin else ''}{text[begin:end].strip()}{' …' if end < len(text) else ''}"
