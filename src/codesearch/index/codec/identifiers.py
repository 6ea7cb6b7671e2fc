"""Identifier fields: the code and the keywords of documents, each matched whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from codesearch.codes import bare
from codesearch.errors import IndexCorruptError
from codesearch.index.arrays import ArrayFile
from codesearch.index.codec.terms import Ints, Posting, Strings
from codesearch.index.durable import REBUILD

Array = npt.NDArray[Any]


class IdentifierField:
    """The terms of an identifier field; `offsets` cut `documents` into the postings of the terms."""

    def __init__(self, terms: Sequence[bytes] | npt.NDArray[np.bytes_], offsets: Array, documents: Ints) -> None:
        self._terms = terms
        self._offsets = offsets
        self._documents = documents

    def number(self, text: bytes) -> int | None:
        found = self.place(text)
        return found if found < len(self._terms) and self._terms[found] == text else None

    def numbers(self) -> Sequence[int]:
        return range(len(self._terms))

    def place(self, text: bytes) -> int:
        # Not `np.searchsorted`: it takes no notice of zero bytes at the end, by which Whoosh steps to the next term.
        return bisect_left(self._terms, text)

    def text(self, number: int) -> bytes:
        return bytes(self._terms[number])

    def posting(self, number: int) -> Posting:
        documents = self._documents[self._offsets[number] : self._offsets[number + 1]]
        return Posting(documents, np.ones(len(documents), np.int32))

    def lengths(self) -> None:
        return None


def identifier_field(file: ArrayFile, name: str) -> IdentifierField:
    """The terms of `code` or of a keyword field."""
    return _FIELDS.get(name, _keyword)(file, name)


def identifier_value(file: ArrayFile, name: str, document: int) -> str:
    """What `code` or a keyword field says of a document, codes in their written form; empty where it says nothing."""
    if name == "parent":
        document = int(file["parent"][document])
    if name in _FIELDS:
        return Strings(file, "code")[document].decode() if document >= 0 else ""
    return keyword_texts(file, name)[int(file[f"keyword.{name}"][document])]


def keyword_texts(file: ArrayFile, name: str) -> list[str]:
    """The values of a keyword field, by their numbers.

    Raises:
        IndexCorruptError: the arrays do not know the field.
    """
    try:
        texts: list[str] = file.meta["keywords"][name]
    except (KeyError, TypeError) as error:
        raise IndexCorruptError(f"keyword field {name!r}", "has no values in the index", REBUILD) from error
    return texts


def _keyword(file: ArrayFile, name: str) -> IdentifierField:
    texts = keyword_texts(file, name)
    numbers = file[f"keyword.{name}"]
    documents = np.argsort(numbers, kind="stable").astype(np.int32)
    offsets = np.searchsorted(numbers[documents], np.arange(len(texts) + 1))
    said = 1 if texts[:1] == [""] else 0  # the value of documents that have none, which sorts first
    return IdentifierField([text.encode() for text in texts[said:]], offsets[said:], documents)


def _code(file: ArrayFile, _: str) -> IdentifierField:
    codes = _bare_codes(file)
    return _inverted(codes, np.arange(len(codes), dtype=np.int32))


def _parent(file: ArrayFile, _: str) -> IdentifierField:
    parents = file["parent"]
    children = np.flatnonzero(parents >= 0).astype(np.int32)
    return _inverted(_bare_codes(file)[parents[children]], children)


def _inverted(values: npt.NDArray[np.bytes_], documents: Ints) -> IdentifierField:
    """The terms of a field from the value of each document."""
    order = np.argsort(values, kind="stable")
    values = values[order]
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
    starts = starts[values[starts] != b""]
    return IdentifierField(values[starts], np.append(starts, len(values)), documents[order])


def _bare_codes(file: ArrayFile) -> npt.NDArray[np.bytes_]:
    """Bare codes at their full length: the table cuts those of a user's own that are longer than its width."""
    table = file["bare"]
    width = table.dtype.itemsize
    cut = np.flatnonzero(np.diff(file["code.offsets"]) > width)
    if not len(cut):
        return table
    written = Strings(file, "code")
    codes = [bare(written[document].decode()).encode() for document in cut.tolist()]
    full = table.astype(f"S{max(width, *map(len, codes))}")
    full[cut] = codes
    return full


_FIELDS: dict[str, Callable[[ArrayFile, str], IdentifierField]] = {"code": _code, "parent": _parent}
"""The identifiers that are read from other tables than `keyword.NAME`."""
