"""Why a record matches: which of its words, in which fields, and the passage that shows it best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from codesearch.index.analysis import Analyzer
from codesearch.index.fields import SectionReader, title_texts
from codesearch.index.reader import IndexReader
from codesearch.query.plan import Plan
from codesearch.records import CodeRecord

SNIPPET_LENGTH = 160


class Evidence(NamedTuple):
    """The best passage, and the matching words of each field as they stand in it."""

    snippet: str
    matched: dict[str, tuple[str, ...]]


def evidence(record: CodeRecord, reader: IndexReader, plan: Plan) -> Evidence:
    """What in a record matches the slots of a plan."""
    wanted = _wanted(reader, plan)
    matched: dict[str, dict[str, None]] = {}
    best: tuple[float, str] = (0.0, "")
    if wanted:
        for field, text in _texts(record, reader):
            words = _matching(reader.analyzer, text, wanted)
            if not words:
                continue
            matched.setdefault(field, {}).update(dict.fromkeys(text[start:end] for _, start, end in words))
            # The name is shown anyway: any other passage that holds as much shows more.
            weight = sum({term: wanted[term] for term, _, _ in words}.values()) * (0.5 if field == "name" else 1.0)
            if weight > best[0]:
                best = (weight, _window(text, words[0][1]))
    snippet = best[1] or record.summary[:SNIPPET_LENGTH] or record.name
    return Evidence(snippet, {field: tuple(words) for field, words in matched.items()})


def _wanted(reader: IndexReader, plan: Plan) -> dict[str, float]:
    """The terms that a plan looks for, with the weight of each."""
    wanted: dict[str, float] = {}
    for slot in plan.slots:
        for one in slot.alternatives:
            for number in one.terms:
                term = reader.term_list[number]
                wanted[term] = max(wanted.get(term, 0.0), one.weight * slot.mass)
    return wanted


def _texts(record: CodeRecord, reader: IndexReader) -> Iterator[tuple[str, str]]:
    fields = reader.settings.fields
    for number, text in title_texts(record, fields.title):
        yield fields.title[number], text
    scored = tuple(name for name, weight in zip(fields.sections, fields.weights, strict=True) if weight > 0)
    for number, texts in SectionReader(scored).texts(record):
        for text in texts:
            yield scored[number], text


def _matching(analyzer: Analyzer, text: str, wanted: dict[str, float]) -> list[tuple[str, int, int]]:
    tokens = analyzer.tokens(text)
    return [(token.term, token.start, token.end) for token in tokens if token.term in wanted]


def _window(text: str, start: int) -> str:
    """The part of a text around a place, cut at blanks."""
    if len(text) <= SNIPPET_LENGTH:
        return text
    begin = max(0, min(start - SNIPPET_LENGTH // 3, len(text) - SNIPPET_LENGTH))
    begin = 0 if begin == 0 else text.find(" ", begin) + 1
    end = begin + SNIPPET_LENGTH
    cut = len(text) if end >= len(text) else max(begin + 1, text.rfind(" ", begin, end))
    return f"{'… ' if begin else ''}{text[begin:cut].strip()}{' …' if cut < len(text) else ''}"
