"""The searched texts of documents: each with its field and title, and its terms.

What was read is remembered, since the same codes are hits again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from codesearch.index.analysis import Analysed
from codesearch.index.fields import SectionReader, title_texts
from codesearch.index.reader import IndexReader
from codesearch.index.record_file import LineReader
from codesearch.index.remembered import Remembered
from codesearch.records import CodeRecord

REMEMBERED_TERMS = 300_000
"""Terms of documents whose places are kept, some hundred bytes each."""

_TITLES = {"inclusion_terms": "Includes", "synonyms": "Also called", "recovery.follow_up": "Recovery, follow-up"}
"""Titles that do not follow from the name of their field."""
_OTHER = "other_sections"


class Text(NamedTuple):
    """One text of a record under the title of its section.

    A name is matched by itself, sections together.
    """

    field: str
    title: str
    analysed: Analysed
    is_name: bool

    @property
    def text(self) -> str:
        """The text as it stands in the record."""
        return self.analysed.text

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that find it, empty ones for stop words among them."""
        return self.analysed.terms


class DocumentTexts(NamedTuple):
    """The texts of a document, and the terms of all its sections."""

    texts: list[Text]
    section_terms: frozenset[str]


class TextReader:
    """Reads the texts of an index's documents; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        fields = reader.settings.fields
        self._titles = fields.title
        self._sections = tuple(name for name, weight in zip(fields.sections, fields.weights, strict=True) if weight > 0)
        self._section_reader = SectionReader(self._sections)
        self._lines = LineReader({path.partition(".")[0] for path in (*self._titles, *self._sections)})
        self._known: Remembered[int, DocumentTexts] = Remembered(REMEMBERED_TERMS)
        self._known_names: Remembered[int, Analysed] = Remembered(REMEMBERED_TERMS)

    def of(self, document: int) -> DocumentTexts:
        """The texts of a document, its names first.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        name = self.name_alone(document)
        if name is not None:
            return DocumentTexts([Text("name", title_of("name"), name, True)], frozenset())
        found = self._known.get(document)
        if found is None:
            found = self._read(document)
            self._known.keep(document, found, 1 + sum(len(text.terms) for text in found.texts))
        return found

    def name_alone(self, document: int) -> Analysed | None:
        """The name of a document where nothing else of it is searched, as of most codes; else None."""
        if not self._has_name_only[document]:
            return None
        found = self._known_names.get(document)
        if found is None:
            found = self._reader.analyzer.analysed(self._reader.names[document])
            self._known_names.keep(document, found, 1 + len(found.terms))
        return found

    def summary(self, document: int) -> str:
        """The summary of a document; empty where it has none.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        return "" if self._has_name_only[document] else self._reader.records.get(document).summary

    @cached_property
    def _has_name_only(self) -> bytes:
        """Of each document whether its name is all that is searched: then the record need not be read."""
        reader, arrays = self._reader, self._reader.arrays
        names = np.bincount(arrays["title.documents"], minlength=reader.documents)
        other_names = np.bincount(arrays["title.documents"], arrays["title.fields"], minlength=reader.documents)
        alone = (names == 1) & (other_names == 0) & (self._titles[0] == "name")
        scored = np.array(reader.settings.fields.weights)[arrays["section.fields"]] > 0
        alone[arrays["section.documents"][scored]] = False
        return bytes(alone.tolist())

    def _read(self, document: int) -> DocumentTexts:
        record = self._reader.records.fields(document, self._lines)
        names = [self._text(self._titles[number], text, True) for number, text in title_texts(record, self._titles)]
        sections = [
            text for section in self._section_reader.texts(record) for text in self._of_section(record, *section)
        ]
        return DocumentTexts(names + sections, frozenset().union(*[text.terms for text in sections]))

    def _of_section(self, record: CodeRecord, number: int, texts: Sequence[str]) -> list[Text]:
        field = self._sections[number]
        if field != _OTHER:
            return [self._text(field, text) for text in texts]
        titled = [(title, part) for title, text in record.other_sections.items() for part in (title, text) if part]
        return [self._text(field, part)._replace(title=title) for title, part in titled]

    def _text(self, field: str, text: str, is_name: bool = False) -> Text:
        return Text(field, title_of(field), self._reader.analyzer.analysed(text), is_name)


@cache
def title_of(field: str) -> str:
    """The title of a field for readers: `Risks, common` for `risks.common`."""
    return _TITLES.get(field) or field.replace(".", ", ").replace("_", " ").capitalize()
