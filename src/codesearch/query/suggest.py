"""Completions of a text while it is typed: codes that begin so, then entries with its words.

Order: a code typed whole, codes that begin as typed, entries that hold the earlier words and one that begins with the
last (see `entry_keys`), and for want of these what is near to the text. Each code comes once, and asking for more
only adds to the end. What stands for something else than what was typed says so in its `rewrites`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from codesearch.errors import UsageError
from codesearch.index.reader import IndexReader
from codesearch.query.code_completer import CodeCompleter
from codesearch.query.entries import EntryReader, EntryWord
from codesearch.query.entry_finder import EntryFinder, Wanted
from codesearch.query.filters import Scope
from codesearch.query.plan import Rewrite
from codesearch.query.reading import MAX_QUERY
from codesearch.query.typed_so_far import Part, Reading, TypedReader

MAX_LIMIT = 1000
ENOUGH = 3
"""A text is also read in other ways when less is known of it: it has so few words, and codes found, together."""
_LOOKED_THROUGH = 64
"""Entries that are read for words that truly begin as typed; with other forms of these words there may be thousands."""

Span = tuple[int, int]


class Suggestion(NamedTuple):
    """A code with the text that completes what is typed.

    `text` is an entry of the code, `entry` the field that it stands in (or `code`, where the code itself is completed
    and `text` is its name); `marks` are the slices of `text` that were typed; `rewrites` says what in it stands for
    something else that was typed.
    """

    text: str
    code: str | None
    system: str
    name: str
    kind: str
    billable: bool | None
    terminated: str | None
    entry: str
    marks: tuple[Span, ...]
    rewrites: tuple[Rewrite, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of a suggestion."""
        marks, rewrites = [list(mark) for mark in self.marks], [rewrite._asdict() for rewrite in self.rewrites]
        return self._asdict() | {"marks": marks, "rewrites": rewrites}


class Suggester:
    """Completes texts from one generation; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._codes = CodeCompleter(reader)
        self._typed = TypedReader(reader)
        self._finder = EntryFinder(reader)
        self._entries = EntryReader(reader)

    def suggest(self, text: str, scope: Scope, limit: int) -> tuple[Suggestion, ...]:
        """At most `limit` completions of a text, best first.

        Raises:
            UsageError: the limit is out of range.
            IndexCorruptError: a record cannot be read.
        """
        return self._first(self._all(text[:MAX_QUERY], scope), limit)

    def complete_code(self, text: str, scope: Scope, limit: int) -> tuple[Suggestion, ...]:
        """At most `limit` codes that begin as typed, a code typed whole first.

        Raises:
            UsageError: the limit is out of range.
            IndexCorruptError: a record cannot be read.
        """
        return self._first(self._codes_begun(text[:MAX_QUERY], scope, set()), limit)

    @staticmethod
    def _first(found: Iterator[Suggestion], limit: int) -> tuple[Suggestion, ...]:
        if not 0 <= limit <= MAX_LIMIT:
            raise UsageError(f"limit {limit}", "out of range", f"Use 0 to {MAX_LIMIT}.")
        return tuple(islice(found, limit))

    def _all(self, text: str, scope: Scope) -> Iterator[Suggestion]:
        """Every completion in order, found as it is asked for."""
        typed = self._typed.typed(text)
        found: set[int] = set()
        if any(char.isdigit() for char in text):
            yield from self._codes_begun(text, scope, found)
        else:  # of letters alone more words begin than codes, but a whole code they may be (a modifier)
            yield from self._of_codes(self._codes.whole(text, scope), found)
        for reading in self._typed.direct(typed):
            yield from self._of_reading(reading, scope, found)
        yield from self._codes_begun(text, scope, found)
        for reading in self._typed.for_want(typed):
            if found and len(found) + len(typed.words) > ENOUGH:
                return
            yield from self._of_reading(reading, scope, found)

    def _codes_begun(self, text: str, scope: Scope, found: set[int]) -> Iterator[Suggestion]:
        yield from self._of_codes(self._codes.whole(text, scope), found)
        yield from self._of_codes(self._codes.begun(text, scope), found)

    def _of_codes(self, documents: Iterable[int], found: set[int]) -> Iterator[Suggestion]:
        for document in documents:
            if document not in found:
                found.add(document)
                yield self._suggestion(document, self._reader.names[document], "code", (), ())

    def _of_reading(self, reading: Reading, scope: Scope, found: set[int]) -> Iterator[Suggestion]:
        """The codes of the entries that fit a reading, each with the best of its entries."""
        count = 0
        for entry in self._entries_of(reading, scope):
            document = self._entries.document(entry)
            if document not in found:
                found.add(document)
                yield self._of_entry(entry, reading)
                count += 1
                if count == reading.most:
                    return

    def _entries_of(self, reading: Reading, scope: Scope) -> Iterator[int]:
        """The entries that fit a reading, best first; those behind that have other forms of the typed words only.

        These are told apart by reading entries: the best ones, and if they are not enough, the names in which the
        typed text is found.
        """
        wanted = [Wanted(part.terms, bool(part.beginnings)) for part in reading.parts]
        entries = self._finder.best(wanted, scope.span, scope.allowed)
        mixed = [part for part in reading.parts if part.is_mixed]
        if mixed:
            looked_through, others = 0, []
            for entry in islice(entries, _LOOKED_THROUGH):
                looked_through += 1
                if self._is_begun(entry, mixed):
                    yield entry
                else:
                    others.append(entry)
            if looked_through == _LOOKED_THROUGH:
                yield from self._names_begun(wanted, mixed, scope)
            yield from others
        yield from entries

    def _names_begun(self, wanted: Sequence[Wanted], mixed: Sequence[Part], scope: Scope) -> Iterator[int]:
        holding = np.ones(self._reader.documents, bool) if scope.allowed is None else scope.allowed
        for part in mixed:
            holding = holding & self._entries.names_holding(part.beginnings)
        for entry in self._finder.best(wanted, scope.span, holding):
            if self._entries.field(entry) == "name" and self._is_begun(entry, mixed):
                yield entry

    def _is_begun(self, entry: int, mixed: Sequence[Part]) -> bool:
        """Whether an entry has words that truly begin as typed."""
        analyzer, text = self._reader.analyzer, self._entries.text(entry)
        written = analyzer.words(analyzer.fold(text))
        return all(
            any(word.startswith(part.beginnings) for word in written) or self._begun(self._entries.words(text), part)
            for part in mixed
        )

    def _of_entry(self, entry: int, reading: Reading) -> Suggestion:
        text = self._entries.text(entry)
        words = self._entries.words(text)
        numbers = [self._reader.terms.get(word.term, -1) for word in words]
        marks: list[Span] = []
        rewrites = [reading.phrase] if reading.phrase else []
        for part in reading.parts:
            begun = self._begun(words, part)
            answering = begun or [
                word
                for word, number in zip(words, numbers, strict=True)
                if any(number in terms for terms in part.terms)
            ]
            marks += [_mark(text, word, part.beginnings if begun else ()) for word in answering]
            kind = part.kind or ("form" if part.beginnings and not begun else "")
            if kind and answering:
                rewrites.append(Rewrite(kind, part.typed, answering[0].word))
        document, field = self._entries.document(entry), self._entries.field(entry)
        return self._suggestion(document, text, field, _merged(marks), tuple(rewrites))

    def _begun(self, words: Iterable[EntryWord], part: Part) -> list[EntryWord]:
        """The words that begin as a part says: as they are written, as spellings are folded, or as the number of a
        Roman numeral."""
        if not part.beginnings:
            return []
        fold = self._reader.analyzer.fold_spelling
        return [
            word
            for word in words
            if word.word.startswith(part.beginnings)
            or fold(word.word).startswith(part.beginnings)
            or (word.term.isdigit() and word.term.startswith(part.beginnings))
        ]

    def _suggestion(
        self, document: int, text: str, entry: str, marks: tuple[Span, ...], rewrites: tuple[Rewrite, ...]
    ) -> Suggestion:
        reader = self._reader
        system, kind, billable, _ = reader.facts(document)
        return Suggestion(
            text=text,
            code=reader.codes[document] or None,
            system=system,
            name=reader.names[document],
            kind=kind,
            billable=billable,
            terminated=reader.records.get(document).terminated if reader.arrays["ended"][document] else None,
            entry=entry,
            marks=marks,
            rewrites=rewrites,
        )


def _mark(text: str, word: EntryWord, beginnings: tuple[str, ...]) -> Span:
    """Where a word stands, or as much of it as was typed."""
    written = text[word.start : word.end].lower()
    typed = next((len(beginning) for beginning in beginnings if written.startswith(beginning)), word.end - word.start)
    return word.start, word.start + typed


def _merged(marks: list[Span]) -> tuple[Span, ...]:
    """The slices in order, those that overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(marks):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
