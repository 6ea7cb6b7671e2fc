"""The expansions of an index: which phrases are searched as well when some terms are typed, frozen at build time.

They come from the synonym rules, kept where the index holds all words of the phrase, and from the initials of titles.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from codesearch.errors import IndexCorruptError
from codesearch.index.analysis import Analyzer
from codesearch.index.durable import writing
from codesearch.index.postings import Vocabulary
from codesearch.index.settings import IndexSettings
from codesearch.index.synonyms import expansions
from codesearch.records import BROKEN_JSON, learnt

FILE_NAME = "expansions.json"
_INITIALS = range(3, 7)
_PHRASES_PER_INITIALS = 4
_LONGEST_TITLE = 60


@learnt
class Expansion(msgspec.Struct, frozen=True, array_like=True):
    """A phrase to search as well: its terms, the weight class of its rule, and the phrase as written."""

    terms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    weight_class: str
    phrase: str


Table = dict[str, tuple[Expansion, ...]]
"""Typed terms, joined by blanks -> expansions."""


@learnt
class _File(msgspec.Struct):
    """The file: the table, and of its typed terms those of several words, by the word that the fewest of them have.

    Finding that word takes longer than to read it, and every first search would wait.
    """

    phrases: dict[str, msgspec.Raw]
    by_rarest: dict[str, tuple[str, ...]]


_FILE = msgspec.json.Decoder(_File)
_PHRASES = msgspec.json.Decoder(tuple[Expansion, ...])
_RULES = msgspec.msgpack.Decoder(Table)


_INITIALS_OF_TITLES = msgspec.msgpack.Decoder(list[tuple[str, tuple[str, ...], str]])
"""Initials, the terms of their title, and the title."""


def rule_table(settings: IndexSettings) -> bytes:
    """The table of the synonym rules alone, packed: quicker to send to another process than its thousands of parts."""
    found = expansions(settings.rules, Analyzer(settings.analysis))
    return msgspec.msgpack.encode({" ".join(typed): phrases for typed, phrases in found.items()})


class Found(NamedTuple):
    """What the expansions of an index are made of: the table of its rules as `rule_table` gives it, the initials of its
    titles as `initials` gives them, in the order of documents, and its terms."""

    rules: bytes
    initials: Sequence[bytes]
    terms: Sequence[str]


def write_expansions(folder: Path, found: Found) -> None:
    """Writes the table of an index.

    Raises:
        IndexUnusableError: the file cannot be written.
    """
    terms = set(found.terms)
    table: Table = {}
    for typed, phrases in _RULES.decode(found.rules).items():
        kept = tuple([one for one in phrases if terms.issuperset(one.terms)])
        if kept:
            table[typed] = kept
    for letters, titles in _by_letters(found.initials).items():
        table.setdefault(letters, tuple(Expansion(terms, "initials", title) for terms, title in titles.items()))
    path = folder / FILE_NAME
    with writing(path):
        path.write_bytes(msgspec.json.encode({"phrases": table, "by_rarest": _by_rarest(table)}, order="deterministic"))


def _by_rarest(table: Iterable[str]) -> dict[str, list[str]]:
    """The typed terms of several words, by the word that the fewest of them have, in their order."""
    split = {typed: typed.split(" ") for typed in sorted(table) if " " in typed}
    counts = Counter(chain.from_iterable(split.values()))
    found: dict[str, list[str]] = {}
    for typed, words in split.items():
        found.setdefault(min(words, key=counts.__getitem__), []).append(typed)
    return found


def _by_letters(found: Iterable[bytes]) -> dict[str, dict[tuple[str, ...], str]]:
    """Of each initials the first titles."""
    table: dict[str, dict[tuple[str, ...], str]] = {}
    for letters, terms, title in chain.from_iterable(map(_INITIALS_OF_TITLES.decode, found)):
        titles = table.setdefault(letters, {})
        if len(titles) < _PHRASES_PER_INITIALS:
            titles.setdefault(terms, title)
    return table


class Expansions(Mapping[str, tuple[Expansion, ...]]):
    """The table of an index; phrases are decoded when they are asked for, since a query asks for few of them."""

    def __init__(self, path: Path, file: _File) -> None:
        """Takes the file that the table is of, and what it holds."""
        self._path, self._raw = path, file.phrases
        self.by_rarest = file.by_rarest

    def __getitem__(self, typed: str) -> tuple[Expansion, ...]:
        phrases = self._raw[typed]
        try:
            return _PHRASES.decode(phrases)
        except BROKEN_JSON as error:
            raise _corrupt(self._path, error) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, typed: object) -> bool:
        return typed in self._raw


class ExpansionFile:
    """The table of an index, opened with it and read when it is first asked for: the file may be removed meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Opens the file.

        Raises:
            IndexCorruptError: it is missing.
        """
        self._path = folder / FILE_NAME
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise _corrupt(self._path, error) from error

    def table(self) -> Expansions:
        """The whole table; asking it raises `IndexCorruptError` where its file is none.

        Raises:
            IndexCorruptError: the file is no such table.
        """
        try:
            size = os.fstat(self._file.fileno()).st_size
            # pread keeps no position, so threads may ask at once.
            return Expansions(self._path, _FILE.decode(os.pread(self._file.fileno(), size, 0)))
        except (OSError, *BROKEN_JSON) as error:
            raise _corrupt(self._path, error) from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _corrupt(path: Path, error: Exception) -> IndexCorruptError:
    return IndexCorruptError(str(path), f"cannot be read ({error})", "Rebuild the index.")


def initials(records: Iterable[tuple[str, str, str, Sequence[str]]], vocabulary: Vocabulary) -> bytes:
    """Initials of short titles as abbreviations of them (`copd`), in the order of the titles, each title once; packed.

    Takes the system, kind, name and inclusion terms of each record, and what read them.
    """
    # Codes that differ in the side or the encounter follow each other, and begin with the same words.
    mains: dict[str, None] = {}
    for system, kind, name, others in records:
        if kind != "chapter" and system != "ICD10PCS":
            for title in (name, *others) if others else (name,):
                if len(title) <= _LONGEST_TITLE:
                    mains[title.partition(",")[0]] = None
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    for main, letters, terms in vocabulary.initials(tuple(mains), _INITIALS):
        if letters.isalpha():
            found.setdefault((letters, terms), main)
    return msgspec.msgpack.encode([(letters, terms, title) for (letters, terms), title in found.items()])
