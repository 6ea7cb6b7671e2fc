"""Giving the terms of the ICD-10-PCS index to the codes that exist.

The index names first characters of codes (`0DTJ`) and official words ("Lower Leg Tendon, Right"), never the codes below
them. Which codes these are is known once the order file and the tables have been merged. To keep synonyms few:

- a term that adds no word to the names and properties of its codes is left out ("Excision, kidney" under `0TB0`);
- terms of a body part go to its codes; terms of any other word to its codes where these are at most
  `MOST_CODES_OF_A_WORD`, else to the tables of those codes (a brand of stent is no synonym of 2,000 codes).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from codesearch.ingest.codesets.pcs_index import PLACE
from codesearch.records import CodeRecord, Kind, Source

MOST_CODES_OF_A_WORD = 300

_TABLE = 3
_WORD = re.compile(r"\w+")


class Known(NamedTuple):
    """What must be known of a code to deal out terms: its official name and the properties of the tables."""

    name: str
    kind: Kind
    properties: Mapping[str, str]


def spread(terms: Iterable[CodeRecord], codes: Mapping[str, Known]) -> Iterator[CodeRecord]:
    """Enrichment records for existing codes only, in their order.

    Args:
        terms: the records that `icd10pcs-index` gave.
        codes: every ICD-10-PCS record that exists, by code.
    """
    found = _Codes(codes)
    synonyms: dict[str, dict[str, None]] = defaultdict(dict)
    sources: dict[str, dict[Source, None]] = defaultdict(dict)
    for record in terms:
        meant = found.meant_by(record)
        said = found.said_by(meant)
        news = [term for term in record.synonyms if not _words(term) <= said]
        for code in meant if news else ():
            synonyms[code].update(dict.fromkeys(news))
            sources[code].update(dict.fromkeys(record.source))
    for code in sorted(synonyms):
        yield CodeRecord(
            system="ICD10PCS",
            code=code,
            name="",
            kind=codes[code].kind,
            synonyms=tuple(synonyms[code]),
            source=tuple(sources[code]),
        )


class _Codes:
    """The existing codes, by their first characters and by the official words among their properties."""

    def __init__(self, codes: Mapping[str, Known]) -> None:
        self.records = codes
        self.ordered = sorted(codes)
        self.words: dict[str, list[str]] = defaultdict(list)
        self.body_parts: set[str] = set()
        for code in self.ordered:
            properties = codes[code].properties
            for label in set(properties.values()):
                self.words[label].append(code)
            if "body part" in properties:
                self.body_parts.add(properties["body part"])

    def meant_by(self, record: CodeRecord) -> list[str]:
        """The codes that a record of the index speaks of."""
        if record.code is None:
            return self.with_word(record.name, record.properties.get(PLACE, ""))
        if record.code in self.records:
            return [record.code]
        return self.below(record.code)

    def below(self, prefix: str) -> list[str]:
        return self.ordered[bisect_left(self.ordered, prefix) : bisect_left(self.ordered, prefix + "~")]

    def with_word(self, word: str, place: str) -> list[str]:
        """The codes with the word among their properties, in the place; the tables of these when they are too many."""
        codes = [code for code in self.words.get(word, ()) if self.lies_in(code, place)]
        if word in self.body_parts or len(codes) <= MOST_CODES_OF_A_WORD:
            return codes
        return [table for table in dict.fromkeys(code[:_TABLE] for code in codes) if table in self.records]

    def lies_in(self, code: str, place: str) -> bool:
        properties = self.records[code].properties
        return (
            not place or code.startswith(place) or place in (properties.get("body system"), properties.get("section"))
        )

    def said_by(self, codes: list[str]) -> frozenset[str]:
        """The words that the codes say all, in names and properties: those of the first that the last has too."""
        return self.words_of(codes[0]) & self.words_of(codes[-1]) if codes else frozenset()

    def words_of(self, code: str) -> frozenset[str]:
        record = self.records[code]
        return _words(record.name).union(*map(_words, record.properties.values()))


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for word in _WORD.findall(text.casefold()))
