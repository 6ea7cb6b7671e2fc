"""The entries of an index as they are read: their text, their field, and the words in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.fields import title_texts
from codesearch.index.reader import IndexReader
from codesearch.index.remembered import remembering

_REMEMBERED = 4096
"""Texts, and documents, of which is kept what was read."""
_HYPHENATED = re.compile(r"(?<![^\W_])[^\W_]++(?:[-‐‑‒–—−][^\W_]++)+")


class EntryWord(NamedTuple):
    """A word of an entry: folded, its term, and where it stands in the text."""

    word: str
    term: str
    start: int
    end: int


class EntryReader:
    """Reads the entries of an index; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._documents, self._fields = reader.arrays["title.documents"], reader.arrays["title.fields"]
        self._name_offsets = reader.arrays["name.offsets"].data
        # As one types on, the same entries come again and again.

    def document(self, entry: int) -> int:
        """The document of an entry."""
        return int(self._documents[entry])

    def field(self, entry: int) -> str:
        """The field in which an entry stands: `name`, `inclusion_terms`, ..."""
        return self._reader.settings.fields.title[int(self._fields[entry])]

    def text(self, entry: int) -> str:
        """The text of an entry.

        Raises:
            IndexCorruptError: its record cannot be read.
        """
        document = self.document(entry)
        if self.field(entry) == "name":
            return self._reader.names[document]  # any other text costs reading the record
        first = np.searchsorted(self._documents, self._documents[entry])
        return self._texts_of(document)[entry - int(first)]

    def names_holding(self, beginnings: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which documents have a name with one of some ASCII texts in it, be it in the midst of a word."""
        holding = np.zeros(self._reader.documents, bool)
        for beginning in beginnings:
            wanted, place = beginning.encode(), -1
            while (place := self._names.find(wanted, place + 1)) >= 0:
                document = bisect_right(self._name_offsets, place) - 1
                holding[document] = True
                place = self._name_offsets[document + 1] - 1
        return holding

    @cached_property
    def _names(self) -> bytes:
        """All names in lower case, one after the other."""
        return bytes(self._reader.arrays["name.text"].data).lower()

    @remembering(_REMEMBERED)
    def words(self, text: str) -> tuple[EntryWord, ...]:
        """The words of an entry's text that have terms, hyphenated ones joined too."""
        folded = self._reader.analyzer.fold(text)
        is_in_place = text.isascii() and len(folded) == len(text)
        words = self._in_place(folded) if is_in_place else self._moved(text)
        return (*words, *self._joined(text))

    def _joined(self, text: str) -> Iterator[EntryWord]:
        analyzer = self._reader.analyzer
        for match in _HYPHENATED.finditer(text):
            joined = "".join(analyzer.words(analyzer.fold(match[0])))
            yield EntryWord(joined, analyzer.term(joined), match.start(), match.end())

    def _in_place(self, folded: str) -> Iterator[EntryWord]:
        """The words of a text that folding has left in their places."""
        end = 0
        for word in self._reader.analyzer.words(folded):
            start = folded.index(word, end)
            end = start + len(word)
            term = self._reader.analyzer.term(word)
            if term:
                yield EntryWord(word, term, start, end)

    def _moved(self, text: str) -> Iterator[EntryWord]:
        """The words of a text that folding makes shorter or longer."""
        analyzer = self._reader.analyzer
        for token in analyzer.tokens(text):
            words = analyzer.words(analyzer.fold(text[token.start : token.end]))
            # A numeral after a word such as "type" has the term of its number, which no word by itself has.
            word = next((word for word in words if analyzer.term(word) == token.term), token.term)
            yield EntryWord(word, token.term, token.start, token.end)

    @remembering(_REMEMBERED)
    def _texts_of(self, document: int) -> tuple[str, ...]:
        record = self._reader.records.get(document)
        return tuple(text for _, text in title_texts(record, self._reader.settings.fields.title))
