"""Facets: how many of the documents that match have each value of a field."""

from __future__ import annotations

import numpy as np

from codesearch.index.reader import IndexReader
from codesearch.query.occurrences import Mask

FACETS = ("system", "chapter", "kind", "billable", "setting")

Facets = dict[str, dict[str, int]]
"""Field -> value -> number of documents, frequent values first; fields and values without any are left out."""


def facets(reader: IndexReader, documents: Mask) -> Facets:
    """The exact counts over some documents."""
    counted = {name: _counts(reader, name, documents) for name in FACETS if name in reader.keywords}
    return {name: counts for name, counts in counted.items() if counts}


def _counts(reader: IndexReader, name: str, documents: Mask) -> dict[str, int]:
    values = reader.keywords[name]
    numbers = np.bincount(reader.arrays[f"keyword.{name}"][documents], minlength=len(values)).tolist()
    counts = {value: number for value, number in zip(values, numbers, strict=True) if value and number}
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
