"""Inverting a part of the records: their words, and their columns of the tables by document.

A process inverts many parts with one vocabulary; at the end it is asked for that. Nothing here depends on which
process inverts which part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from codesearch.codes import all_bare, bare
from codesearch.index import dates
from codesearch.index.analysis import Analyzer
from codesearch.index.expansions import initials
from codesearch.index.fields import SectionReader, keyword_text, keyword_values
from codesearch.index.limits import CODE_BYTES
from codesearch.index.postings import Collector, Run, Vocabulary, title_run
from codesearch.index.record_file import Lines, MergedRecord, StoredRecord, lines_of
from codesearch.index.settings import IndexSettings
from codesearch.records import CodeRecord


class Strings(NamedTuple):
    """Texts as one run of UTF-8 bytes, and the length of each."""

    text: bytes
    lengths: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Strings:
        """The texts, packed."""
        together = "".join(texts)
        if together.isascii():
            return cls(together.encode(), np.fromiter(map(len, texts), np.int32, len(texts)))
        encoded = [text.encode() for text in texts]
        return cls(b"".join(encoded), np.array([len(text) for text in encoded], np.int32))


Key = tuple[str, str]
"""A system and a bare code."""


class Column(NamedTuple):
    """A keyword field: its values, and of each document the number of its value."""

    values: list[str]
    numbers: npt.NDArray[Any]

    @classmethod
    def of(cls, values: Sequence[Any]) -> Column:
        """The values as texts, each once."""
        if values and values.count(values[0]) == len(values):  # as most fields of most parts
            return cls([keyword_text(values[0])], np.zeros(len(values), np.uint8))
        text_of = {value: keyword_text(value) for value in dict.fromkeys(values)}
        places = {text: place for place, text in enumerate(dict.fromkeys(text_of.values()))}
        place_of = {value: places[text] for value, text in text_of.items()}
        kind = number_kind(len(places))
        return cls(list(places), np.fromiter(map(place_of.__getitem__, values), kind, len(values)))


def number_kind(count: int) -> type[np.uint8 | np.int32]:
    """The kind of numbers for so many values of a keyword field."""
    return np.uint8 if count < 256 else np.int32


class Columns(NamedTuple):
    """What the tables by document are made of.

    `parents` are places in the part, -1 where the parent is not in it, and `elsewhere` the system and bare code of
    those that may be in another part; `long` are the places of codes that the table cuts, or that are just as long;
    `begins` and `ends` are the dates between which a code is in force, as numbers.
    """

    codes: Strings
    names: Strings
    bare: npt.NDArray[np.bytes_]
    parents: npt.NDArray[np.int32]
    elsewhere: dict[int, Key]
    long: dict[Key, int]
    ended: npt.NDArray[np.bool_]
    begins: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    keywords: dict[str, Column]


class Frequencies(NamedTuple):
    """In how many documents each of some terms stands."""

    terms: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]


class Inverted(NamedTuple):
    """A part inverted; `owner` is the process whose vocabulary its terms are of."""

    owner: int
    title: Run
    sections: Run
    frequencies: Frequencies
    columns: Columns
    initials: bytes


class Made(NamedTuple):
    """What became of a part: its records inverted and as lines, and those of them that bear warnings."""

    inverted: Inverted
    lines: Lines
    warned: list[CodeRecord]


class Words(NamedTuple):
    """The vocabulary of a process: terms by number, and the number of each word as written."""

    owner: int
    terms: list[str]
    of_word: dict[str, int]


class Task(NamedTuple):
    """A part to make records of, for the build that bears this name."""

    build: str
    part: Any


class Beginning(NamedTuple):
    """The settings of the build that bears this name, and what makes records of its parts."""

    build: str
    settings: IndexSettings
    make: Callable[[Any], Iterable[StoredRecord | MergedRecord]]


class _Inverter:
    def __init__(self, settings: IndexSettings, make: Callable[[Any], Iterable[StoredRecord | MergedRecord]]) -> None:
        self.vocabulary = Vocabulary(Analyzer(settings.analysis))
        self._make = make
        self._fields = settings.fields
        self._section_reader = SectionReader(settings.fields.sections)
        self._scored_sections = sum(weight > 0 for weight in settings.fields.weights)

    def made(self, part: Any) -> Made:
        stored = list(self._make(part))
        records = [one.record for one in stored]
        return Made(self._inverted(records), lines_of(stored), [record for record in records if record.warnings])

    def _inverted(self, records: Sequence[CodeRecord]) -> Inverted:
        columns = self._columns(records)
        sections = Collector(self.vocabulary)
        for section in self._section_reader.texts_of_all(columns):
            sections.add(*section)
        titles = zip(*(columns[name] for name in self._fields.title), strict=True)
        runs = title_run(self.vocabulary, titles), sections.run()
        told = zip(*(columns[name] for name in ("system", "kind", "name", "inclusion_terms")), strict=True)
        found = initials(told, self.vocabulary)
        frequencies = _frequencies(*runs, self._scored_sections)
        return Inverted(os.getpid(), *runs, frequencies, self._tables(records, columns), found)

    def _columns(self, records: Sequence[CodeRecord]) -> dict[str, tuple[Any, ...]]:
        """The values of each field of the records: quicker to go through than records, for most are empty."""
        values = zip(*map(astuple, records), strict=True) if records else repeat(())
        return dict(zip(CodeRecord.__struct_fields__, values, strict=False))

    def _tables(self, records: Sequence[CodeRecord], columns: dict[str, tuple[Any, ...]]) -> Columns:
        keywords = {name: path for name, path in self._fields.keywords.items() if name != "parent"}
        codes = [code or "" for code in columns["code"]]
        bare_codes = all_bare(codes)
        encoded = [code.encode() for code in bare_codes]
        parents, elsewhere = _parents(columns["system"], bare_codes, columns["parent"])
        begins, ends = _dates(records, columns)
        return Columns(
            codes=Strings.of(codes),
            names=Strings.of(columns["name"]),
            bare=np.array(encoded, f"S{CODE_BYTES}"),
            parents=parents,
            elsewhere=elsewhere,
            long={
                (columns["system"][place], bare_codes[place]): place
                for place, code in enumerate(encoded)
                if len(code) >= CODE_BYTES
            },
            ended=np.array([date is not None for date in columns["terminated"]], bool),
            begins=begins,
            ends=ends,
            keywords={name: Column.of(keyword_values(columns, path)) for name, path in keywords.items()},
        )


def _dates(
    records: Sequence[CodeRecord], columns: dict[str, tuple[Any, ...]]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`Columns.begins` and `ends`."""
    begins, ends = np.zeros((2, len(records)), np.int32)
    told = zip(columns["effective"], columns["terminated"], columns["properties"], strict=True)
    for place, (effective, terminated, properties) in enumerate(told):
        if effective is not None or terminated is not None or "added" in properties:  # as of few codes
            begins[place], ends[place] = dates.begins(records[place]), dates.ends(records[place])
    return begins, ends


def _parents(
    systems: Sequence[str], bare_codes: Sequence[str], written: Sequence[str | None]
) -> tuple[npt.NDArray[np.int32], dict[int, Key]]:
    """`Columns.parents` and `elsewhere`, from the system, bare code and parent of each record."""
    parents: list[int] = []
    elsewhere: dict[int, Key] = {}
    for system, same in groupby(systems):  # in their order, as documents are
        first = len(parents)
        last = first + sum(1 for _ in same)
        places = dict(zip(bare_codes[first:last], range(first, last), strict=True))
        keys = {parent: bare(parent or "") for parent in set(written[first:last])}
        place_of = {parent: places.get(key, -1) if key else -1 for parent, key in keys.items()}
        parents += map(place_of.__getitem__, written[first:last])
        if absent := {parent: (system, key) for parent, key in keys.items() if key and place_of[parent] < 0}:
            own = enumerate(written[first:last], first)
            elsewhere.update((place, absent[parent]) for place, parent in own if parent in absent)
    return np.array(parents, np.int32), elsewhere


def _frequencies(title: Run, sections: Run, scored: int) -> Frequencies:
    """In how many documents each term stands, in titles and in so many of the fields of sections, from the first."""
    keys = _in_documents(title)
    others = np.unique(_in_documents(sections)[sections.fields[sections.entries] < scored])
    others = others[keys.searchsorted(others, "left") == keys.searchsorted(others, "right")]
    counts = np.bincount(np.append(keys[np.flatnonzero(np.diff(keys, prepend=-1))], others) >> 32)
    terms = np.flatnonzero(counts)
    return Frequencies(terms.astype(np.int32), counts[terms].astype(np.int32))


def _in_documents(run: Run) -> npt.NDArray[np.int64]:
    """The term and the document of each posting, in order: postings are in that of entries, and these of documents."""
    keys = np.repeat(run.terms.astype(np.int64) << 32, run.counts)
    keys |= run.documents[run.entries]
    return keys


_inverters: dict[str, _Inverter] = {}
"""By build: one process may make several indexes at once, in threads."""


def begin(beginning: Beginning) -> None:
    """Makes ready for the parts of a build."""
    _inverters[beginning.build] = _Inverter(beginning.settings, beginning.make)


def invert_part(task: Task) -> Made:
    """Makes records of a part, and inverts them."""
    return _inverters[task.build].made(task.part)


def end(build: str) -> bytes:
    """Gives the vocabulary of a build, and forgets it; packed, as that is quicker than what pickle does with words."""
    vocabulary = _inverters.pop(build).vocabulary
    return msgspec.msgpack.encode(Words(os.getpid(), vocabulary.terms(), vocabulary.words()))


words_of = msgspec.msgpack.Decoder(Words).decode
"""The vocabulary that `end` gives."""
