"""The place of a code in its hierarchy: the chain of codes above it, and the codes that stand directly below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from codesearch.index.reader import DEEPEST, IndexReader
from codesearch.query.score import Mask
from codesearch.records import CodeRecord


class CodeSummary(msgspec.Struct, frozen=True):
    """A code as a list shows it; `billable_below` counts the billable codes on all levels below it."""

    system: str
    code: str | None
    kind: str
    name: str
    billable: bool | None
    terminated: str | None
    billable_below: int

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain data, as it is in JSON."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain


class Family(NamedTuple):
    """A code's record, the codes above it (the topmost first), and those directly below it (in the order of codes)."""

    record: CodeRecord
    parents: tuple[CodeSummary, ...]
    children: tuple[CodeSummary, ...]


def family(reader: IndexReader, document: int) -> Family:
    """The family of a document's code.

    Raises:
        IndexCorruptError: the record file is damaged.
    """
    above, below = parents(reader, document), children(reader, document)
    return Family(reader.records.get(document), summaries(reader, above), summaries(reader, below))


def summaries(reader: IndexReader, documents: Sequence[int]) -> tuple[CodeSummary, ...]:
    """The codes of some documents."""
    return tuple(_summary(reader, document) for document in documents)


def _summary(reader: IndexReader, document: int) -> CodeSummary:
    system, kind, billable, _ = reader.facts(document)
    return CodeSummary(
        system=system,
        code=reader.codes[document] or None,
        kind=kind,
        name=reader.names[document],
        billable=billable,
        terminated=reader.records.get(document).terminated if reader.arrays["ended"][document] else None,
        billable_below=int(reader.billable_below[document]),
    )


def parents(reader: IndexReader, document: int) -> list[int]:
    """The documents above a document, the topmost first: chapter, section, header; of many the nearest."""
    above = reader.arrays["parent"]
    chain = [document]
    while len(chain) <= DEEPEST and (parent := int(above[chain[-1]])) >= 0 and parent not in chain:
        chain.append(parent)
    return chain[:0:-1]


def children(reader: IndexReader, document: int) -> list[int]:
    """The documents directly below a document, in the order of codes."""
    found: list[int] = np.flatnonzero(reader.arrays["parent"] == document).tolist()
    return found


def siblings(reader: IndexReader, document: int) -> list[int]:
    """The other documents below the same parent, in the order of codes; none where the index has no parent of it."""
    parent = int(reader.arrays["parent"][document])
    return [other for other in children(reader, parent) if other != document] if parent >= 0 else []


def descendants(reader: IndexReader, document: int) -> Mask:
    """Which documents lie below a document, on all levels."""
    parent = reader.arrays["parent"]
    below: Mask = parent == document
    for _ in range(DEEPEST if below.any() else 0):
        below |= (parent >= 0) & below[parent]
    return below
