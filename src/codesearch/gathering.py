"""Fragments by the code they speak of: which codes exist, in which order they stand, and what becomes of the others.

Code-set files establish which codes exist, and where a system has none, the tabular list does; a page may speak of a
code that they lack. Enrichment for codes that nobody else names is kept beside the records, and warned about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from codesearch.codes import order_key
from codesearch.fragments import Fragment, loaded, properties_of, read_fragment, role_of
from codesearch.hierarchy import Hierarchy
from codesearch.index.record_file import MergedRecord
from codesearch.ingest import codesets
from codesearch.merge import merge, outline, rank
from codesearch.records import CodeRecord, InputWarning, decode_record, encode_record

_PART_BYTES = 4_000_000
"""Of the lines of a part: fewer take longer, for much is done once for each part, and more take memory for nothing."""

Key = tuple[int, str, str, str, str]
"""The place of a record among all (see `codes.order_key`, then by name), and where it stands if it has no code."""


class _Placed(NamedTuple):
    """A fragment, and the place of its input among the inputs: fragments of one rank are merged in that order."""

    place: int
    fragment: Fragment


class Group(NamedTuple):
    """The fragments of one code, as lines of JSON in the order of their rank, and what they do not tell.

    `term` is a fragment too, that came about by dealing out the terms of an index; it is not kept as one. `has_codeset`
    is as in `merge`; `parent` and `chapter` are those of the record.
    """

    lines: tuple[bytes, ...]
    term: bytes
    has_codeset: bool
    parent: str | None
    chapter: str | None


class Gathering:
    """Fragments as they come, in any order of the inputs; those of one input in their order."""

    def __init__(self) -> None:
        self._found: dict[Key, list[_Placed]] = {}
        self._terms: list[_Placed] = []

    def add(self, place: int, fragment: Fragment) -> None:
        """Takes a fragment of the input that stands at a place among the inputs."""
        if fragment.source and fragment.source[0].layout == codesets.PCS_INDEX:
            self._terms.append(_Placed(place, fragment))
        else:
            self._found.setdefault(_key(fragment), []).append(_Placed(place, fragment))

    def settle(self) -> Settled:
        """Finds out which codes exist; nothing can be added afterwards."""
        official = {
            key[1] for key, found in self._found.items() if any(role_of(each.fragment) == "codeset" for each in found)
        }
        keys, orphans = [], []
        for key in sorted(self._found):
            found = self._found[key]
            if len(found) > 1:
                found.sort(key=_rank)
            if _exists(found, key[1] in official):
                keys.append(key)
            else:
                orphans += [each.fragment for each in self._found.pop(key)]
        self._terms.sort(key=lambda each: each.place)
        terms = [loaded(each.fragment) for each in self._terms]
        return Settled(self._found, keys, official, [loaded(orphan) for orphan in orphans], terms)


class Settled:
    """The codes that exist, with their fragments; `orphans` belong to none of them."""

    def __init__(
        self,
        found: dict[Key, list[_Placed]],
        keys: list[Key],
        official: set[str],
        orphans: list[CodeRecord],
        terms: list[CodeRecord],
    ) -> None:
        self._found = found
        self._keys = keys
        self._official = official
        self._terms = terms
        self._unknown = orphans
        self.counts = self._counts()

    def _counts(self) -> dict[str, dict[str, int]]:
        """By system how many records there are, in all and of each kind."""
        counts: dict[str, Counter[str]] = {}
        for key in self._keys:
            of_system = counts.setdefault(key[1], Counter())
            of_system["total"] += 1
            of_system[self._found[key][0].fragment.kind] += 1
        return {system: dict(of_system) for system, of_system in counts.items()}

    @property
    def total(self) -> int:
        """How many records there are."""
        return sum(kinds["total"] for kinds in self.counts.values())

    @property
    def orphans(self) -> Iterable[CodeRecord]:
        """What belongs to no record: enrichment for unknown codes, and the index terms that `spread` deals out."""
        return chain(self._unknown, self._terms)

    def warnings(self) -> Iterator[InputWarning]:
        """A warning for each source that names codes which do not exist."""
        by_source: dict[str, list[str]] = {}
        for one in self._unknown:
            by_source.setdefault(one.source[0].path, []).append(one.code or one.name)
        for path, codes in by_source.items():
            first = f"{', '.join(sorted(codes)[:5])}{', ...' if len(codes) > 5 else ''}"
            yield InputWarning(path, "unknown-code", f"{len(codes)} codes are in no code-set file ({first}): left out")

    def records(self) -> Iterator[MergedRecord]:
        """The records in their order, once: each one's fragments are given up on the way."""
        return make_records(self._groups())

    def parts(self) -> Iterator[list[Group]]:
        """What `make_records` makes the same records of, so many together as are worth sending to another process."""
        part: list[Group] = []
        size = 0
        for group in self._groups():
            part.append(group)
            size += sum(map(len, group.lines))
            if size >= _PART_BYTES:
                yield part
                part, size = [], 0
        if part:
            yield part

    def _groups(self) -> Iterator[Group]:
        hierarchy = Hierarchy(self._chapters())
        terms = self._spread()
        self._keys.reverse()
        while self._keys:
            # Whatever is kept of what was read keeps its page of memory from being used again.
            key = self._keys.pop()
            fragments = [each.fragment for each in self._found.pop(key)]
            term = terms.pop(fragments[0].code, b"") if terms and key[1] == _PCS else b""
            place = hierarchy.place(outline(fragments))
            yield Group(tuple([one.line for one in fragments]), term, key[1] in self._official, *place)

    def _chapters(self) -> Iterator[CodeRecord]:
        for key in self._keys:
            first = self._found[key][0].fragment
            if first.kind == "chapter":
                yield loaded(first)

    def _spread(self) -> dict[str | None, bytes]:
        """The terms of the ICD-10-PCS index by code; all codes must be known before they are dealt out."""
        if not self._terms:
            return {}
        found = [self._found[key] for key in self._keys if key[1] == _PCS]
        codes = {code: _known(placed) for placed in found if (code := placed[0].fragment.code) is not None}
        return {one.code: encode_record(one) for one in codesets.spread(self._terms, codes)}


def make_records(groups: Iterable[Group]) -> Iterator[MergedRecord]:
    """The record of each group.

    Raises:
        IndexCorruptError: a fragment was taken from an index, and is no record.
    """
    for group in groups:
        fragments = tuple(map(read_fragment, group.lines))
        everything = (*fragments, decode_record(group.term)) if group.term else fragments
        record = merge(everything, group.has_codeset, (group.parent, group.chapter))
        yield MergedRecord(record, () if record is fragments[0] else tuple(map(msgspec.Raw, group.lines)))


_PCS = "ICD10PCS"


def _key(fragment: Fragment) -> Key:
    if fragment.code is not None:
        return *order_key(fragment.system, fragment.code), "", ""
    source = fragment.source[0] if fragment.source else None
    return *order_key(fragment.system, None), fragment.name, (source.url or source.path) if source else ""


def _rank(placed: _Placed) -> tuple[int, int, int]:
    return *rank(placed.fragment), placed.place


def _exists(found: Sequence[_Placed], has_codeset: bool) -> bool:
    for _, one in found:
        role = role_of(one)
        if role in {"codeset", "page"} or one.kind == "chapter" or (role == "tabular" and not has_codeset):
            return True
    return False


def _known(found: Sequence[_Placed]) -> codesets.Known:
    """As much of a record as dealing out terms needs."""
    first = found[0].fragment
    properties: dict[str, str] = {}
    for one in reversed(found):
        properties |= properties_of(one.fragment)
    return codesets.Known(first.name, first.kind, properties)
