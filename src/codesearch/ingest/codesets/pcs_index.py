"""The ICD-10-PCS index and its keys: terms for codes, for the first characters of codes, and for official words.

It gives records of three kinds. A full code or a table (three characters) has its terms as synonyms. The first four to
six characters have them too, though they are no code. An official word ("Lower Leg Tendon, Right") stands as a record
without code: the word is its name, the terms that the keys list for it are its synonyms. `pcs_terms.spread` gives the
terms of the last two kinds to the codes that exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from codesearch.ingest.codesets.index_terms import Term, paths, read_term, reading
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.xmlstream import BrokenXml, Element, discard, elements, own_text
from codesearch.records import CodeRecord, InputWarning, Reject, Source

PLACE = "in"
"""Property of a word that holds only in one table (`0JH`) or body system (`Lower Joints`)."""

Word = tuple[str, str]
"""An official word and the place where it holds; the place is mostly empty."""


def load_pcs_index(
    stream: BinaryIO, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    """Enrichment records for codes and first characters of codes, in their order, then for official words."""
    index = _Index(layout)
    try:
        for element in elements(stream, source.path, ("version", "mainTerm")):
            index.take(element)
    except BrokenXml as error:
        yield error.reject
    sources = (source,)
    for code, terms in sorted(index.codes.items()):
        yield CodeRecord(
            system=layout.system,
            code=code,
            name="",
            kind="code" if len(code) == 7 else "header",
            synonyms=tuple(terms),
            release=index.release,
            source=sources,
        )
    for (word, place), terms in sorted(index.words.items()):
        yield CodeRecord(
            system=layout.system,
            code=None,
            name=word,
            kind="header",
            properties={PLACE: place} if place else {},
            synonyms=tuple(terms),
            release=index.release,
            source=sources,
        )
    if index.bad_codes:
        message = f"{len(index.bad_codes)} codes have not the shape of a code (first {index.bad_codes[0]!r})"
        yield InputWarning(source.path, "bad-code", message)


class _Index:
    """The terms of one file, by code and by official word."""

    def __init__(self, layout: FileLayout) -> None:
        self.roles = layout.words
        self.joining = frozenset(layout.words["joining"])
        self.is_code = re.compile(layout.patterns["code"]).fullmatch
        self.place = re.compile(layout.patterns["place"])
        self.release: str | None = None
        self.codes: dict[str, dict[str, None]] = {}
        self.words: dict[Word, dict[str, None]] = {}
        self.bad_codes: list[str] = []

    def take(self, element: Element) -> None:
        """Take in a complete element, and free it."""
        if element.tag == "version":
            self.release = own_text(element) or None
            return
        for path, term in paths(read_term(element)):
            if path:
                self.enter(reading(path, self.joining), term)
        discard(element)

    def enter(self, text: str, term: Term) -> None:
        for tag in self.roles["code"]:
            for element in term.parts.get(tag, ()):
                self.enter_code(own_text(element), text)
        for tag in self.roles["see"]:
            for element in term.parts.get(tag, ()):
                self.enter_see(element, text)
        for tag in self.roles["use"]:
            for element in term.parts.get(tag, ()):
                self.enter_word(element, text)

    def enter_code(self, code: str, text: str) -> None:
        if self.is_code(code):
            self.codes.setdefault(code, {})[text] = None
        else:
            self.bad_codes.append(code)

    def enter_see(self, element: Element, text: str) -> None:
        """A reference with codes gives them the term; one to an operation as a whole makes that the official word."""
        codes = [own_text(child) for child in element if child.tag in self.roles["code"]]
        for code in codes:
            self.enter_code(code, text)
        operation = " ".join((element.text or "").split())
        if not codes and operation and "," not in operation:
            self.words.setdefault((operation, ""), {})[text] = None

    def enter_word(self, element: Element, text: str) -> None:
        tables = [own_text(child) for child in element if child.tag in self.roles["code"]]
        label = " ".join((element.text or "").split())
        match = self.place.match(label)
        word = match["label"] if match else label
        for place in tables or [(match["place"] or "") if match else ""]:
            self.words.setdefault((word, place), {})[text] = None
