"""The ICD-10-CM indexes (diseases, external causes) and tables (neoplasms, drugs): each term a synonym of its code.

A reference (`see`) makes the term a synonym of the code of the term it leads to; `see also` only where the term has no
code itself. Both name a main term and go down its nested terms ("Infarct, intestine, acute").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from codesearch.codes import bare, written
from codesearch.ingest.codesets.index_terms import Names, Term, key, read_term, reading
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.xmlstream import BrokenXml, Element, discard, elements, own_text
from codesearch.records import CodeRecord, InputWarning, Reject, Source

_MOST_HOPS = 5
"""A reference may lead to a reference; the longest chain of the official index takes three, and a circle never ends."""


class _Node(NamedTuple):
    """A term once its elements are freed: its reading, its codes, where its references lead, and its nested terms."""

    text: str
    codes: tuple[str, ...]
    references: tuple[str, ...]
    below: Names[_Node]


def load_index(stream: BinaryIO, source: Source, layout: FileLayout) -> Iterator[CodeRecord | Reject | InputWarning]:
    """One enrichment record for each code that the index names, in the order of the codes."""
    index = _Index(layout)
    try:
        for element in elements(stream, source.path, ("version", "indexHeading", "mainTerm")):
            index.take(element)
    except BrokenXml as error:
        yield error.reject
    index.follow_references()
    sources = (source,)
    for code in sorted(index.synonyms):
        yield CodeRecord(
            system=layout.system,
            code=written(layout.system, code),
            name="",
            synonyms=tuple(index.synonyms[code]),
            release=index.release,
            source=sources,
        )
    yield from index.warnings(source.path)


_NOTHING: Names[_Node] = Names(())


class _Index:
    """The terms of one file: synonyms by bare code, in the order found, and the tree that references go through."""

    def __init__(self, layout: FileLayout) -> None:
        self.words = layout.words
        self.roles = {tag: role for role in ("code", "see", "see_also") for tag in layout.words[role]}
        self.joining = frozenset(layout.words["joining"])
        self.is_code = re.compile(layout.patterns["code"]).fullmatch
        self.see_code = re.compile(layout.patterns["see_code"]).match
        self.release: str | None = None
        self.columns: dict[str, str] = {}
        self.synonyms: dict[str, dict[str, None]] = {}
        self.main: list[tuple[str, _Node]] = []
        self.names: Names[_Node] = _NOTHING
        self.referring: list[_Node] = []
        self.bad_codes: list[str] = []

    def take(self, element: Element) -> None:
        """Take in a complete element, and free it."""
        if element.tag == "version":
            self.release = own_text(element) or None
        elif element.tag == "indexHeading":
            self.columns = {
                head.get("col", ""): " ".join(" ".join(map(str, head.itertext())).split())
                for head in element.iterfind("head")
            }
        else:
            term = read_term(element)
            self.main.append((term.title, self.node(term, ())))
            discard(element)

    def node(self, term: Term, above: tuple[str, ...]) -> _Node:
        """The node of a term and of those below it; their codes get their synonyms on the way."""
        path = (*above, term.title) if term.title else above
        text = reading(path, self.joining)
        texts = self.texts(term)
        codes = tuple(self.codes(texts.get("code", ())))
        for code in codes:
            self.add(code, text)
        for cell in term.parts.get("cell", ()):
            heading = self.columns.get(cell.get("col", ""), "")
            for code in self.codes([own_text(cell)]):
                self.add(code, f"{text}, {heading}" if heading else text)
        found = [*texts.get("see", ()), *(() if codes else texts.get("see_also", ()))]
        references = tuple(reference for reference in found if reference not in self.words["generic"])
        nested = [(below.title, self.node(below, path)) for below in term.below]
        node = _Node(text, codes, references, Names(nested) if nested else _NOTHING)
        if references:
            self.referring.append(node)
        return node

    def texts(self, term: Term) -> dict[str, list[str]]:
        """The texts of a term's elements by their role."""
        texts: dict[str, list[str]] = {}
        for tag, found in term.parts.items():
            role = self.roles.get(tag)
            if role is not None:
                texts.setdefault(role, []).extend(map(own_text, found))
        return texts

    def codes(self, texts: Iterable[str]) -> Iterator[str]:
        """The bare codes of the texts; a code that ends in a hyphen is that of its category."""
        for text in texts:
            if self.is_code(text):
                yield bare(text)
            elif text.strip("- "):
                self.bad_codes.append(text)

    def add(self, code: str, text: str) -> None:
        self.synonyms.setdefault(code, {})[text] = None

    def follow_references(self) -> None:
        """Give each term that refers to another the codes of that one."""
        self.names = Names(self.main)
        for node in self.referring:
            for reference in node.references:
                for code in self.codes_of(reference, _MOST_HOPS):
                    self.add(code, node.text)

    def codes_of(self, reference: str, hops: int) -> tuple[str, ...]:
        """The codes that a reference leads to; none where it leads to no single term ("Neoplasm, by site")."""
        category = self.see_code(reference)
        if category:
            return tuple(self.codes([category["code"]]))
        parts = [part for part in map(key, reference.split(",")) if part]
        node = _descend(self.names, parts)
        if node is None or not hops:
            return ()
        if node.codes:
            return node.codes
        return tuple(code for further in node.references for code in self.codes_of(further, hops - 1))

    def warnings(self, path: str) -> Iterator[InputWarning]:
        """What could not be used, once the file has been read."""
        if self.bad_codes:
            message = f"{len(self.bad_codes)} codes have not the shape of a code (first {self.bad_codes[0]!r})"
            yield InputWarning(path, "bad-code", message)
        lost = [node for node in self.referring if not any(self.codes_of(each, _MOST_HOPS) for each in node.references)]
        if lost:
            where = f"first {lost[0].text!r}, to {lost[0].references[0]!r}"
            message = f"{len(lost)} of {len(self.referring)} references lead to no code of this file ({where})"
            yield InputWarning(path, "see-unresolved", message)


def _descend(names: Names[_Node], parts: list[str]) -> _Node | None:
    """The node that the parts of a reference lead to: titles hold commas too, so the longest that fits goes first."""
    for length in range(len(parts), 0, -1):
        for node in names.find(" ".join(parts[:length])):
            found = _descend(node.below, parts[length:]) if length < len(parts) else node
            if found is not None:
                return found
    return None
