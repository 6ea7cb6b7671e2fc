"""Filters: which documents may be found at all, whatever the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from codesearch.codes import system_name
from codesearch.errors import UsageError
from codesearch.index.dates import UNKNOWN, date_number
from codesearch.index.reader import IndexReader
from codesearch.query.constraints import Constraints
from codesearch.query.grammar import Field, Group, Phrase, Word, leaves
from codesearch.query.occurrences import Mask
from codesearch.query.request import Filters
from codesearch.query.values import PARENT, Values

_MAX_SCOPES = 64
_SHOWN_VALUES = 30
MAX_VALUE = 1000
"""Characters of a filter's value; no field has a longer one, and every word of it is looked for."""


class Scope(NamedTuple):
    """What filters let through: systems, the slice of documents that holds them, and a mask where that is not all."""

    systems: tuple[str, ...]
    span: tuple[int, int]
    allowed: Mask | None


class Scopes:
    """The scopes of one index. Most searches share a few, so they are remembered; safe to share between threads."""

    def __init__(self, reader: IndexReader, values: Values, constraints: Constraints) -> None:
        self._reader = reader
        self._values = values
        self._constraints = constraints
        self._scopes: dict[Filters, Scope] = {}

    def scope(self, filters: Filters) -> Scope:
        """What filters let through.

        Raises:
            UsageError: the index has no such system, kind, chapter or parent, or the day is none.
        """
        scope = self._scopes.get(filters)
        if scope is None:
            systems = self._systems(filters.system)
            scope = Scope(tuple(systems), self._span(systems), self._allowed(systems, filters))
            if len(self._scopes) < _MAX_SCOPES:
                self._scopes[filters] = scope
        return scope

    def _systems(self, given: Sequence[str]) -> list[str]:
        """The systems to search, by any of their names."""
        known = list(self._reader.systems)
        wanted = [system_name(name) for name in given]
        for name, system in zip(given, wanted, strict=True):
            if system not in known:
                raise UsageError(name, "no such system in this index", f"Use one of: {', '.join(filter(None, known))}.")
        return [system for system in known if system in wanted] if wanted else known

    def _span(self, systems: Sequence[str]) -> tuple[int, int]:
        slices = [self._reader.systems[system] for system in systems]
        return (min(start for start, _ in slices), max(end for _, end in slices)) if slices else (0, 0)

    def _allowed(self, systems: Sequence[str], filters: Filters) -> Mask | None:
        """The documents that the filters let through; None where the span of the systems says it all."""
        start, end = self._span(systems)
        slices = [self._reader.systems[system] for system in systems]
        masks = self._masks(filters)
        if not masks and sum(last - first for first, last in slices) == end - start:
            return None
        allowed = np.zeros(self._reader.documents, bool)
        for first, last in slices:
            allowed[first:last] = True
        for mask in masks:
            allowed &= mask
        return allowed

    def _masks(self, filters: Filters) -> list[Mask]:
        masks = [self._constraint(node) for node in _nodes(filters)]
        if filters.on is not None:
            masks.append(self._in_force(filters.on))
        return masks

    def _constraint(self, node: Field) -> Mask:
        """The documents that a field lets through.

        Raises:
            UsageError: nothing in the index could ever fit.
        """
        name, value = node.name, " ".join(leaf.text for leaf in leaves(node))
        if name not in self._constraints.fields.names:
            raise UsageError(f"{name} {value}", "this index has no such field", "See `index/fields.toml`.")
        is_listed = name in self._constraints.fields.keywords - {PARENT, "billable"}
        if is_listed and not self._values.meant(name, value):
            known = [text for text in self._reader.keywords[name] if text]
            shown = ", ".join(known[:_SHOWN_VALUES]) or "none: no record says"
            raise UsageError(f"{name} {value}", "no such value in this index", f"There are: {shown}.")
        mask = self._constraints.mask(node, list(self._reader.systems), ())
        if mask is None:
            raise UsageError(f"{name} {value!r}", "has no word to look for", "Give at least one word.")
        if name == PARENT and not mask.any():
            raise UsageError(f"parent {value}", "no codes below such a code", "Look it up with `codesearch show`.")
        return mask

    def _in_force(self, day: str) -> Mask:
        """The documents of codes in force on a day; a code of which no source says counts as in force."""
        number = date_number(day)
        if number is None:
            raise UsageError(f"date {day}", "is no date", "Write it as 2025-01-31.")
        ends = self._reader.arrays["ends"]
        in_force: Mask = (self._reader.arrays["begins"] <= number) & ((ends == UNKNOWN) | (number < ends))
        return in_force


def _nodes(filters: Filters) -> Iterator[Field]:
    """The filters that are conditions of the query language too, as it writes them."""
    if filters.billable is not None:
        yield Field("billable", Phrase("yes" if filters.billable else "no"))
    for name in ("kind", "chapter", "parent"):
        value = getattr(filters, name)
        if value is not None:
            yield Field(name, Phrase(checked_value(name, value)))
    if filters.setting is not None:
        yield Field("setting", Group(tuple(map(Word, checked_value("setting", filters.setting).split()))))


def checked_value(name: str, value: str) -> str:
    """The value of a filter as it is.

    Raises:
        UsageError: it is too long.
    """
    if len(value) > MAX_VALUE:
        raise UsageError(f"{name} {value[:30]}…", f"has more than {MAX_VALUE:,} characters", "Give fewer words.")
    return value
