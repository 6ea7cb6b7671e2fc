"""An explanation laid out for reading: a table of the words, and one line that multiplies up to the score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from codesearch.formats import one_line
from codesearch.query.explain import Explanation, NamePart, SectionsPart, WordPart
from codesearch.query.texts import title_of

_TEXTS = ("word", "found", "as")
_NUMBERS = ("idf", "BM25", "weight", "points", "covers")


def laid_out(explanation: Explanation) -> RenderableType:
    """The explanation of a hit, to stand below it."""
    return Group(*_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[RenderableType]:
    name, sections = explanation.name, explanation.sections
    parts = [f"{label} {part.score:.3f}" for label, part in (("name", name), ("sections", sections)) if part]
    reading = f", read as {explanation.reading}" if explanation.reading else ""
    told = [f"{explanation.typed}{reading}"] if explanation.typed else []
    told += [f"score {explanation.score:.3f} = {' + '.join(parts)}"] if parts else []
    yield _text(": ".join([f"tier {explanation.tier}, {explanation.reason}", *told]))
    if name:
        text = "" if name.field == "name" else f": {name.text}"
        yield from _part(f"{title_of(name.field)}{text}", name.words, _name_factors(name), name.score)
    if sections:
        titles = f"Sections: {'; '.join(sections.sections)}"
        yield from _part(titles, sections.words, _section_factors(sections), sections.score)


def _part(
    heading: str, words: Sequence[WordPart], factors: Mapping[str, float], score: float
) -> Iterator[RenderableType]:
    columns = [
        *(Column(heading, overflow="fold") for heading in _TEXTS),
        *(Column(heading, justify="right", no_wrap=True) for heading in _NUMBERS),
    ]
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    total = sum(word.mass for word in words)
    for word in words:
        table.add_row(*map(_text, _cells(word, total)))
    told = "".join(f" × {factor:.3g} {label}" for label, factor in factors.items() if factor != 1)
    product = f"{sum(word.points for word in words):.3f} points{told} = {score:.3f}"
    yield _text(heading)
    yield Padding(Group(table, _text(product)), (0, 0, 0, 2))


def _cells(word: WordPart, total: float) -> Iterator[str]:
    yield word.word
    yield word.used
    yield word.kind
    if word.terms:
        yield f"{sum(term.idf for term in word.terms):.2f}"
        yield f"{sum(term.points for term in word.terms):.2f}"
        yield f"{word.weight * word.share:.2f}"
    else:
        yield from ("", "", "")
    yield f"{word.points:.3f}"
    yield f"{word.counts / total:.0%}"


def _name_factors(part: NamePart) -> dict[str, float]:
    above = f", {part.ancestor_coverage:.0%} by ancestors" if part.ancestor_coverage else ""
    return {
        f"({part.query_coverage:.0%} of the query{above})": part.query_factor,
        f"({part.entry_coverage:.0%} of the name)": part.entry_factor,
        **part.priors,
    }


def _section_factors(part: SectionsPart) -> dict[str, float]:
    return {f"({part.query_coverage:.0%} of the query)": part.query_factor, "sections": part.weight, **part.priors}


def _text(text: str) -> Text:
    return Text(one_line(text), style="dim")
