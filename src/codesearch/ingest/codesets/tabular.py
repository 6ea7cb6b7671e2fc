"""The ICD-10-CM tabular list: chapters, sections, categories and codes, with their notes and 7th characters.

Chapters and sections become records of kind `chapter`; their code is the range as the list writes it (`A00-B99`; a
section of one category is written `B20-B20`, because B20 is the category itself).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from codesearch.codes import bare, written
from codesearch.ingest.codesets import seventh
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.seventh import Extension, Parts, Seventh
from codesearch.ingest.codesets.xmlstream import BrokenXml, Element, by_tag, discard, elements, own_text
from codesearch.records import CodeRecord, InputWarning, Reject, Source

_RANGE = re.compile(r"\s*\(([A-Z0-9]{3,4}(?:-[A-Z0-9]{3,4})?)\)\s*$")


class _Texts(NamedTuple):
    inclusion_terms: tuple[str, ...]
    notes: tuple[str, ...]
    excludes: tuple[str, ...]


def load_tabular(stream: BinaryIO, source: Source, layout: FileLayout) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of the tabular list in its order; a chapter or section stands before what it holds."""
    reading = _Reading(source, layout)
    try:
        for element in elements(stream, source.path, ("version", "chapter", "section", "diag")):
            yield from reading.element(element)
    except BrokenXml as error:
        yield error.reject
    yield from reading.warnings()


_NO_TEXTS = _Texts((), (), ())
_PLAIN = 2
"""A code with a name and a description, as most are, has no notes."""


class _Reading:
    """What is known on the way through one file."""

    def __init__(self, source: Source, layout: FileLayout) -> None:
        self.source = source
        self.sources = (source,)
        self.layout = layout
        self.release: str | None = None
        self.chapter: str | None = None
        self.chapter_range = ""
        self.sections: list[str] = []
        self.all_sections: set[str] = set()
        self.promised: list[str] = []
        self.seen: set[str] = set()
        self.repeated: list[str] = []
        self.unknown: Counter[str] = Counter()
        self.unread: list[str] = []
        self.inherited = Seventh()
        self.targets = {tag: field for field in ("inclusion_terms", "excludes", "notes") for tag in layout.words[field]}
        self.structure = frozenset(layout.words["structure"])
        self.is_code = re.compile(layout.patterns["code"]).fullmatch
        self.note_start = re.compile(layout.patterns["note_start"])

    def element(self, element: Element) -> Iterator[CodeRecord | Reject]:
        """The records of a complete element; of nested ones only the outermost category is taken."""
        parent = element.getparent()
        if element.tag == "version":
            self.release = own_text(element) or None
        elif element.tag == "diag":
            if parent is not None and parent.tag == "section":
                yield from self.headings(parent)
                records: list[CodeRecord | Reject] = []
                self.diag(element, self.sections[-1], self.inherited, records)
                yield from records
                discard(element)
        elif element.tag == "section":
            yield from self.headings(element)
            discard(element)
        else:
            yield from self.headings(element)
            element.clear()

    def headings(self, element: Element) -> Iterator[CodeRecord]:
        """The records of the chapter and the section around what follows, unless they were given before."""
        section = element if element.tag == "section" else None
        chapter = element.getparent() if section is not None else element
        number = "" if chapter is None else own_text(chapter.find("name"))
        if chapter is not None and number and number != self.chapter:
            yield self.new_chapter(chapter, number)
        if section is not None and section.get("id", "") not in self.all_sections:
            yield self.new_section(section)

    def new_chapter(self, chapter: Element, number: str) -> CodeRecord:
        self.chapter, self.sections = number, []
        self.promised += [ref.get("id", "") for ref in chapter.iterfind("sectionIndex/sectionRef")]
        parts = by_tag(chapter)
        name, self.chapter_range = _title_and_range(parts)
        self.chapter_range = self.chapter_range or f"chapter {number}"
        self.inherited = seventh.below(Seventh(), parts, self.layout)
        return self.heading(parts, self.chapter_range, name, None, "chapter")

    def new_section(self, section: Element) -> CodeRecord:
        parts = by_tag(section)
        name, span = _title_and_range(parts)
        name_in_index = section.get("id", "") or span
        self.all_sections.add(name_in_index)
        code = name_in_index if "-" in name_in_index else f"{name_in_index}-{name_in_index}"
        while self.sections and not _encloses(self.sections[-1], code):
            self.sections.pop()
        parent = self.sections[-1] if self.sections else self.chapter_range
        self.sections.append(code)
        self.inherited = seventh.below(self.inherited, parts, self.layout)
        return self.heading(parts, code, name, parent, "section")

    def heading(self, parts: Parts, code: str, name: str, parent: str | None, level: str) -> CodeRecord:
        texts = self.texts(parts)
        return CodeRecord(
            system=self.layout.system,
            code=code,
            name=name,
            kind="chapter",
            properties={"level": level},
            inclusion_terms=texts.inclusion_terms,
            notes=texts.notes,
            excludes=texts.excludes,
            parent=parent,
            chapter=self.chapter,
            release=self.release,
            source=self.sources,
        )

    def diag(self, element: Element, parent: str | None, inherited: Seventh, out: list[CodeRecord | Reject]) -> None:
        """Add the record of a category or code, those of all below it, and the codes its 7th characters make."""
        parts = by_tag(element)
        spelt, name = _first(parts, "name"), _first(parts, "desc")
        if not self.is_code(spelt):
            message = f"{spelt!r} (line {element.sourceline}) has not the shape of a code. Correct its <name>."
            out.append(Reject(self.source.path, "bad-code", message))
            return
        code = written(self.layout.system, spelt)
        children = parts.get("diag", ())
        inherited = seventh.below(inherited, parts, self.layout)
        full = [] if children else list(inherited.expand(bare(code)))
        texts = self.texts(parts) if len(parts) > _PLAIN else _NO_TEXTS
        out.append(self.record(code, name, parent, bool(children or full), texts))
        for child in children:
            self.diag(child, code, inherited, out)
        for longer, extension in full:
            out.append(self.extended(written(self.layout.system, longer), name, code, extension))

    def extended(self, code: str, name: str, parent: str, extension: Extension) -> CodeRecord:
        terms = tuple(f"{name}, {text}" if text[:1].islower() else text for text in extension.wordings)
        return self.record(code, f"{name}, {extension.text}", parent, False, _Texts(terms, (), ()))

    def record(self, code: str, name: str, parent: str | None, header: bool, texts: _Texts) -> CodeRecord:
        if code in self.seen:
            self.repeated.append(code)
        self.seen.add(code)
        return CodeRecord(
            system=self.layout.system,
            code=code,
            name=name,
            kind="header" if header else "code",
            inclusion_terms=texts.inclusion_terms,
            notes=texts.notes,
            excludes=texts.excludes,
            parent=parent,
            chapter=self.chapter,
            billable=not header,
            release=self.release,
            source=self.sources,
        )

    def texts(self, parts: Parts) -> _Texts:
        """The notes of an element by the field they go to."""
        fields: dict[str, list[str]] = {field: [] for field in _Texts._fields}
        for tag, elements_of_tag in parts.items():
            field = self.targets.get(tag)
            if field is not None:
                label = self.layout.labels.get(tag, "")
                notes = (own_text(note) for element in elements_of_tag for note in element.iterfind("note"))
                fields[field] += [f"{label}: {self.note_start.sub('', note)}" if label else note for note in notes]
            elif tag not in self.structure:
                self.unknown[tag] += 1
        fields["inclusion_terms"] += seventh.category_terms(parts)
        self.unread += seventh.unread_exceptions(parts, self.layout)
        return _Texts(*(tuple(texts) for texts in fields.values()))

    def warnings(self) -> Iterator[InputWarning]:
        """What does not add up, once the file has been read."""
        path = self.source.path
        missing = [section for section in self.promised if section not in self.all_sections]
        if missing:
            message = f"the list of sections names {len(missing)} that the file does not hold: {', '.join(missing[:5])}"
            yield InputWarning(path, "missing-section", message)
        if self.repeated:
            message = f"{len(self.repeated)} codes stand in the file twice (first {self.repeated[0]})"
            yield InputWarning(path, "duplicate-code", message)
        if self.unknown:
            message = f"elements that the layout does not know were not read: {', '.join(sorted(self.unknown))}"
            yield InputWarning(path, "unknown-element", message)
        for text in self.unread:
            message = f"a note on 7th characters is in words that the layout does not know: {text}"
            yield InputWarning(path, "unread-exception", message)


def _first(parts: Parts, tag: str) -> str:
    return own_text(parts[tag][0]) if tag in parts else ""


def _title_and_range(parts: Parts) -> tuple[str, str]:
    text = _first(parts, "desc")
    match = _RANGE.search(text)
    return (text[: match.start()], match[1]) if match else (text, "")


def _encloses(outer: str, inner: str) -> bool:
    first, _, last = outer.partition("-")
    inner_first, _, inner_last = inner.partition("-")
    return first <= inner_first and inner_last <= last
