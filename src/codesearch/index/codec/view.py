"""What the readers of a segment share: the arrays, opened and checked, and their fields by Whoosh name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec

from codesearch.errors import IndexCorruptError
from codesearch.index.arrays import ARRAYS_NAME, ArrayFile
from codesearch.index.codec.identifiers import identifier_field, identifier_value
from codesearch.index.codec.terms import FieldTerms, Part, Strings, TextField
from codesearch.index.durable import REBUILD


class Layout(msgspec.Struct, forbid_unknown_fields=True):
    """Which field of a Whoosh index stands where in the arrays.

    `title` and `section` are the text fields in the order of their numbers, `identifiers` the others: Whoosh name ->
    name in the arrays.
    """

    documents: Annotated[int, msgspec.Meta(ge=0)]
    title: list[str]
    section: list[str]
    identifiers: dict[str, str]

    def names(self) -> list[str]:
        """The names of all fields, sorted."""
        return sorted([*self.title, *self.section, *self.identifiers])


class SegmentView:
    """The fields of a segment, each made when it is first asked for."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        """Opens the arrays.

        Raises:
            IndexCorruptError: they are missing, cut, or not of this layout.
        """
        self.layout = layout
        self.documents = layout.documents
        self._path = folder / ARRAYS_NAME
        self._file = ArrayFile(self._path)
        self._check_sizes()
        self._vocabulary = Strings(self._file, "term")
        self._names = Strings(self._file, "name")
        self._fields: dict[str, FieldTerms] = {}

    def field(self, name: str) -> FieldTerms | None:
        """The terms of a field, None where there is no such field."""
        found = self._fields.get(name)
        if found is None:
            found = self._make_field(name)
            if found is not None:
                self._fields[name] = found
        return found

    def stored(self, document: int) -> dict[str, str]:
        """What is known of a document without its record: its name, code (as it is written) and keywords."""
        values = {
            name: identifier_value(self._file, stands_for, document)
            for name, stands_for in self.layout.identifiers.items()
        }
        values["name"] = self._names[document].decode()
        return {name: value for name, value in values.items() if value}

    def _make_field(self, name: str) -> FieldTerms | None:
        layout = self.layout
        if name in layout.identifiers:
            return identifier_field(self._file, layout.identifiers[name])
        if name in layout.title:
            return TextField(self._title, layout.title.index(name), self._vocabulary, self.documents)
        if name in layout.section:
            return TextField(self._section, layout.section.index(name), self._vocabulary, self.documents)
        return None

    @cached_property
    def _title(self) -> Part:
        return Part(self._file, "title")

    @cached_property
    def _section(self) -> Part:
        return Part(self._file, "section")

    def _check_sizes(self) -> None:
        for name, expected in self._expected_sizes():
            if len(self._file[name]) != expected:
                reason = f"does not fit its segment: array {name!r} has {len(self._file[name])} items, not {expected}"
                raise IndexCorruptError(str(self._path), reason, REBUILD)

    def _expected_sizes(self) -> Iterator[tuple[str, int]]:
        file, terms = self._file, len(self._file["term.offsets"]) - 1
        for name in ("bare", "parent"):
            yield name, self.documents
        for name in ("name.offsets", "code.offsets"):
            yield name, self.documents + 1
        for name in self.layout.identifiers.values():
            if f"keyword.{name}" in file:
                yield f"keyword.{name}", self.documents
        for part in ("title", "section"):
            for name in ("offsets", "position_offsets"):
                yield f"{part}.{name}", terms + 1
            for name in ("entries", "weights"):
                yield f"{part}.{name}", int(file[f"{part}.offsets"][-1])
            yield f"{part}.positions", int(file[f"{part}.position_offsets"][-1])
            for name in ("fields", "lengths"):
                yield f"{part}.{name}", len(file[f"{part}.documents"])
