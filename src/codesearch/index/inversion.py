"""Inverting a batch of records: their words, and their columns of the tables by document.

A process inverts many batches with one vocabulary; at the end it is asked for that. Nothing here depends on which
process inverts which batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from codesearch.codes import bare
from codesearch.index import dates
from codesearch.index.analysis import Analyzer
from codesearch.index.expansions import Initials, initials
from codesearch.index.fields import SectionReader, keyword_values, title_texts
from codesearch.index.postings import Collector, Run, Vocabulary
from codesearch.index.record_file import Batch
from codesearch.index.settings import IndexSettings
from codesearch.records import CodeRecord

CODE_BYTES = 24
"""Bytes of a bare code in the table that prefixes are looked up in; longer codes of a user's own are cut there."""


class Strings(NamedTuple):
    """Texts as one run of UTF-8 bytes, and the length of each."""

    text: bytes
    lengths: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Strings:
        """The texts, packed."""
        encoded = [text.encode() for text in texts]
        return cls(b"".join(encoded), np.array([len(text) for text in encoded], np.int32))

    def unpacked(self) -> Iterator[str]:
        """The texts one by one."""
        start = 0
        for length in self.lengths.tolist():
            yield self.text[start : start + length].decode()
            start += length


class Column(NamedTuple):
    """A keyword field: its values, and of each document the number of its value."""

    values: list[str]
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Column:
        """The texts, each value once."""
        places: dict[str, int] = {}
        numbers = [places.setdefault(text, len(places)) for text in texts]
        return cls(list(places), np.array(numbers, np.int32))


class Columns(NamedTuple):
    """What the tables by document are made of; `keys` and `parents` are (system, bare code) as one text, `begins` and
    `ends` the dates between which a code is in force, as numbers."""

    codes: Strings
    names: Strings
    bare: npt.NDArray[np.bytes_]
    keys: Strings
    parents: Strings
    ended: npt.NDArray[np.bool_]
    begins: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    keywords: dict[str, Column]


class Inverted(NamedTuple):
    """A batch inverted; `owner` is the process whose vocabulary its terms are of."""

    first: int
    owner: int
    title: Run
    sections: Run
    columns: Columns
    initials: Initials


class Words(NamedTuple):
    """The vocabulary of a process: terms by number, and the number of each word as written (-1 for a stop word)."""

    owner: int
    terms: list[str]
    of_word: dict[str, int]


class Task(NamedTuple):
    """A batch to invert, for the build that bears this name."""

    build: str
    batch: Batch


class Beginning(NamedTuple):
    """The settings of the build that bears this name."""

    build: str
    settings: IndexSettings


class _RecordAlone(msgspec.Struct):
    """A line of the record file as far as indexing goes."""

    record: CodeRecord


_DECODER = msgspec.json.Decoder(_RecordAlone)


class _Inverter:
    def __init__(self, settings: IndexSettings) -> None:
        self.vocabulary = Vocabulary(Analyzer(settings.analysis))
        self._fields = settings.fields
        self._section_reader = SectionReader(settings.fields.sections)

    def invert(self, batch: Batch) -> Inverted:
        records = [_DECODER.decode(line).record for line in batch.lines.splitlines()]
        title, sections = Collector(self.vocabulary), Collector(self.vocabulary)
        for document, record in enumerate(records):
            for number, text in title_texts(record, self._fields.title):
                title.add(document, number, (text,))
            for number, texts in self._section_reader.texts(record):
                sections.add(document, number, texts)
        found = initials(records, self.vocabulary.analyzer)
        return Inverted(batch.first, os.getpid(), title.run(), sections.run(), self._columns(records), found)

    def _columns(self, records: Sequence[CodeRecord]) -> Columns:
        keywords = {name: path for name, path in self._fields.keywords.items() if name != "parent"}
        return Columns(
            codes=Strings.of([record.code or "" for record in records]),
            names=Strings.of([record.name for record in records]),
            bare=np.array([bare(record.code or "").encode() for record in records], f"S{CODE_BYTES}"),
            keys=Strings.of([_key(record.system, record.code) for record in records]),
            parents=Strings.of([_key(record.system, record.parent) for record in records]),
            ended=np.array([record.terminated is not None for record in records], bool),
            begins=np.array([dates.begins(record) for record in records], np.int32),
            ends=np.array([dates.ends(record) for record in records], np.int32),
            keywords={name: Column.of(keyword_values(records, path)) for name, path in keywords.items()},
        )


def _key(system: str, code: str | None) -> str:
    return f"{system}\0{bare(code)}" if code else ""


_inverters: dict[str, _Inverter] = {}
"""By build: one process may make several indexes at once, in threads."""


def begin(beginning: Beginning) -> None:
    """Makes ready for the batches of a build."""
    _inverters[beginning.build] = _Inverter(beginning.settings)


def invert_batch(task: Task) -> Inverted:
    """Inverts a batch."""
    return _inverters[task.build].invert(task.batch)


def end(build: str) -> Words:
    """Gives the vocabulary of a build, and forgets it."""
    vocabulary = _inverters.pop(build).vocabulary
    return Words(os.getpid(), vocabulary.terms(), vocabulary.of_word)
