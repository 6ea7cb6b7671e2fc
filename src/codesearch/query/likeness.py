"""Likeness of text: the words that tell most of a record, and the codes whose names and texts share most of them.

A more-like-this query: words are chosen by how often they stand in the record times how rare they are in the index
(tf-idf; Salton and Buckley 1988), and ranked as the words of any query are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from codesearch.index.fields import SectionReader, title_texts
from codesearch.index.reader import IndexReader
from codesearch.query.family import parents
from codesearch.query.score import Ints, Mask
from codesearch.query.search import Searcher
from codesearch.records import CodeRecord

_WORDS = 16
"""Words by which codes are ranked."""
_NAME, _OTHER_NAME = 8.0, 1.0
"""What a word counts in the name and in another name; in a section it counts what `index/fields.toml` says."""
_LEAST_WEIGHT = 0.5
"""Sections that weigh less (notes, policies, how long it takes) do not tell what a code is."""
_SATURATION = 4.0
_LEAST_SHARE = 0.2
"""The part of the words, by weight, that a code shares at least."""
_RANKED = 20
"""Codes that are ranked for each that is wanted: of a family only the best is given."""
_MOST_RANKED = 1000


class Alike(NamedTuple):
    """A document like another, and the words that they share, those first that tell most."""

    document: int
    words: tuple[str, ...]


class _Word(NamedTuple):
    """A word as it is written (folded), its term with its number, and what it tells of the record."""

    written: str
    term: str
    number: int
    weight: float


def alike(searcher: Searcher, reader: IndexReader, record: CodeRecord, allowed: Mask, limit: int) -> list[Alike]:
    """The allowed documents whose names and texts are most like a record's, best first; of each family the best.

    Of codes below one parent, and of a code and those below it, one is given.
    """
    words = _telling_words(reader, record)
    if not words or not limit:
        return []
    written = [word.written for word in words]
    documents = searcher.rank(written, allowed, min(limit * _RANKED, _MOST_RANKED)).documents
    shared = np.array([_holders(reader, word.number, documents) for word in words])
    weights = np.array([word.weight for word in words])
    enough = weights @ shared >= _LEAST_SHARE * weights.sum()
    best = _best_of_families(reader, documents, np.flatnonzero(enough).tolist())
    return [
        Alike(
            int(documents[place]), tuple(word.written for word, has in zip(words, shared[:, place], strict=True) if has)
        )
        for place in best[:limit]
    ]


def _best_of_families(reader: IndexReader, documents: Ints, places: Sequence[int]) -> list[int]:
    """The places of the documents without those that have a better one beside, above or below them."""
    better: set[int] = set()
    above_better: set[int] = set()
    families: set[int] = set()
    kept = []
    for place in places:
        document = int(documents[place])
        chain = parents(reader, document)
        if document in above_better or not better.isdisjoint(chain) or not families.isdisjoint(chain[-1:]):
            continue
        kept.append(place)
        better.add(document)
        above_better.update(chain)
        families.update(chain[-1:])
    return kept


def _telling_words(reader: IndexReader, record: CodeRecord) -> list[_Word]:
    """The words that tell most of a record and that other codes have too, best first."""
    analyzer, idf, frequencies = reader.analyzer, reader.idf, reader.arrays["term.frequency"]
    written: dict[str, str] = {}
    counts: dict[str, float] = {}
    for weight, text in _weighed_texts(reader, record):
        for word in analyzer.words(analyzer.fold(text)):
            term = analyzer.term(word)
            if term:
                written.setdefault(term, word)
                counts[term] = counts.get(term, 0.0) + weight
    words = []
    for term, count in counts.items():
        number = reader.terms.get(term)
        if number is not None and frequencies[number] > 1:
            weight = float(idf[number]) * count / (count + _SATURATION)
            words.append(_Word(written[term], term, number, weight))
    return sorted(words, key=lambda word: (-word.weight, word.term))[:_WORDS]


def _weighed_texts(reader: IndexReader, record: CodeRecord) -> Iterator[tuple[float, str]]:
    """The texts that tell what a code is, the name first, and what a word in each counts."""
    fields = reader.settings.fields
    for number, text in title_texts(record, fields.title):
        yield (_OTHER_NAME if number else _NAME), text
    weight_of = dict(zip(fields.sections, fields.weights, strict=True))
    telling = tuple(name for name, weight in weight_of.items() if weight >= _LEAST_WEIGHT)
    for number, texts in SectionReader(telling).texts(record):
        for text in texts:
            yield weight_of[telling[number]], text


def _holders(reader: IndexReader, term: int, documents: Ints) -> Mask:
    """Which of the documents hold a term in a name or in a scored section."""
    scored = sum(weight > 0 for weight in reader.settings.fields.weights)
    return _holds(reader, "title", term, documents, len(reader.settings.fields.title)) | _holds(
        reader, "section", term, documents, scored
    )


def _holds(reader: IndexReader, part: str, term: int, documents: Ints, fields: int) -> Mask:
    """Which of the documents hold a term in the first so many fields of a part."""
    arrays = reader.arrays
    start, end = arrays[f"{part}.offsets"][term : term + 2]
    entries = arrays[f"{part}.entries"][start:end]
    owners = arrays[f"{part}.documents"][entries[arrays[f"{part}.fields"][entries] < fields]]
    if not len(owners):
        return np.zeros(len(documents), bool)
    found: Mask = owners[np.minimum(np.searchsorted(owners, documents), len(owners) - 1)] == documents
    return found
