"""The terms of one Whoosh field and their postings by document.

A field numbers its terms in byte order. A text field shares the numbers of the vocabulary, so not every number is one
of its own; an identifier field has all numbers from 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from codesearch.index.arrays import ArrayFile
from codesearch.index.limits import MAX_FREQUENCY

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int32]

ENTRY_STRIDE = 1 << 17
"""From the positions of an entry to those of the next one of its document and field. Positions in an entry are below
65,536, so as many lie free between two entries, and no phrase reaches across."""


class Strings:
    """Sorted byte strings in two arrays, as `tables.strings` lays them out."""

    def __init__(self, file: ArrayFile, name: str) -> None:
        self._text = file[f"{name}.text"].data
        self._offsets = file[f"{name}.offsets"].data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> bytes:
        return bytes(self._text[self._offsets[number] : self._offsets[number + 1]])


class Posting:
    """The documents of a term, ascending, and how often it stands in each."""

    def __init__(self, documents: Ints, frequencies: Ints) -> None:
        self.documents = documents
        self.frequencies = frequencies

    def positions(self, _place: int) -> list[int]:
        """The positions in the document at a place of `documents`, ascending; none in identifiers."""
        return []


class FieldTerms(Protocol):
    """The terms of a field."""

    def number(self, text: bytes) -> int | None:
        """The number of a term, None where the field has no such term."""

    def numbers(self) -> Sequence[int]:
        """The numbers of all terms, ascending."""

    def place(self, text: bytes) -> int:
        """The place in `numbers` of the first term not below the text."""

    def text(self, number: int) -> bytes:
        """The term of a number."""

    def posting(self, number: int) -> Posting:
        """The posting of a number."""

    def lengths(self) -> Ints | None:
        """The length of the field in every document; None for identifiers."""


class Part:
    """The postings by entry and the entry table of one part of the arrays, `title` or `section`."""

    def __init__(self, file: ArrayFile, name: str) -> None:
        self.offsets, self.entries = file[f"{name}.offsets"], file[f"{name}.entries"]
        self.weights = file[f"{name}.weights"]
        self.positions, self.position_offsets = file[f"{name}.positions"], file[f"{name}.position_offsets"]
        self.documents, self.fields = file[f"{name}.documents"], file[f"{name}.fields"]
        self.lengths = file[f"{name}.lengths"]

    @cached_property
    def ordinals(self) -> Ints:
        """Which of the entries of its document and field each entry is, from 0; they stand side by side."""
        owners = self.documents.astype(np.int64) << 8 | self.fields
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        runs = np.diff(starts, append=len(owners))
        return (np.arange(len(owners)) - np.repeat(starts, runs)).astype(np.int32)


class TextPosting(Posting):
    """The posting of a term in a text field: its entries put together by document."""

    def __init__(self, part: Part, term: int, field: int) -> None:
        start, end = int(part.offsets[term]), int(part.offsets[term + 1])
        self._part, self._term = part, term
        self._kept = np.flatnonzero(part.fields[part.entries[start:end]] == field) + start
        owners = part.documents[part.entries[self._kept]]
        self._starts = np.flatnonzero(np.diff(owners, prepend=-1))
        counts = (part.weights[self._kept] & MAX_FREQUENCY).astype(np.int32)
        sums = np.add.reduceat(counts, self._starts) if len(counts) else counts
        super().__init__(owners[self._starts], sums)

    def positions(self, place: int) -> list[int]:
        offsets, positions = self._laid_out
        found: list[int] = positions[offsets[place] : offsets[place + 1]].tolist()
        return found

    @cached_property
    def _laid_out(self) -> tuple[Array, Array]:
        """The positions in all documents, and where those of each document begin."""
        part, term = self._part, self._term
        start, end = int(part.offsets[term]), int(part.offsets[term + 1])
        counts = (part.weights[start:end] & MAX_FREQUENCY).astype(np.int64)
        begins = part.position_offsets[term] + np.cumsum(counts) - counts
        counts, begins = counts[self._kept - start], begins[self._kept - start]
        ends = np.cumsum(counts)
        places = np.arange(counts.sum()) + np.repeat(begins - ends + counts, counts)
        bases = part.ordinals[part.entries[self._kept]].astype(np.int64) * ENTRY_STRIDE
        positions = part.positions[places] + np.repeat(bases, counts)
        return np.append((ends - counts)[self._starts], ends[-1:]), positions


class TextField:
    """The terms of one text field: those of the vocabulary that stand in entries of its number."""

    def __init__(self, part: Part, field: int, vocabulary: Strings, documents: int) -> None:
        self._part, self._field = part, field
        self._vocabulary = vocabulary
        self._documents = documents

    def number(self, text: bytes) -> int | None:
        found = bisect_left(self._vocabulary, text)
        if found == len(self._vocabulary) or self._vocabulary[found] != text:
            return None
        entries = self._part.entries[self._part.offsets[found] : self._part.offsets[found + 1]]
        return found if (self._part.fields[entries] == self._field).any() else None

    def numbers(self) -> Sequence[int]:
        return self._numbers

    @cached_property
    def _numbers(self) -> memoryview:
        ours = self._part.fields[self._part.entries] == self._field
        before = np.concatenate(([0], np.cumsum(ours)))[self._part.offsets]
        return np.flatnonzero(np.diff(before)).data

    def place(self, text: bytes) -> int:
        return bisect_left(self.numbers(), bisect_left(self._vocabulary, text))

    def text(self, number: int) -> bytes:
        return self._vocabulary[number]

    def posting(self, number: int) -> Posting:
        return TextPosting(self._part, number, self._field)

    def lengths(self) -> Ints:
        return self._lengths

    @cached_property
    def _lengths(self) -> Ints:
        ours = self._part.fields == self._field
        sums = np.bincount(self._part.documents[ours], self._part.lengths[ours], minlength=self._documents)
        return sums.astype(np.int32)
