"""The ICD-10-PCS code tables: what each character of a code means, as properties of the codes that the rows span.

A table fixes the first three characters (section, body system, root operation); each of its rows lists the values of
the other four, and every combination of them is a code (CMS, ICD-10-PCS Reference Manual).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import BinaryIO, NamedTuple

from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.xmlstream import BrokenXml, Element, discard, elements, own_text
from codesearch.records import CodeRecord, InputWarning, Reject, Source


class _Axis(NamedTuple):
    """One character: the property it becomes, and its values with their labels; a label that says nothing is empty."""

    name: str
    values: tuple[tuple[str, str], ...]


_MOST_CODES = 100_000
"""Codes that a row may span, the agency's up to 600: a short file can spell out any number."""


def load_pcs_tables(
    stream: BinaryIO, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    """An enrichment record for each table and for each code that its rows span."""
    release: str | None = None
    try:
        for element in elements(stream, source.path, ("version", "pcsTable")):
            if element.tag == "version":
                release = own_text(element) or None
            else:
                yield from _table(element, release, source, layout)
                discard(element)
    except BrokenXml as error:
        yield error.reject


def _table(
    table: Element, release: str | None, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    none = frozenset(layout.words["none"])
    sources = (source,)
    heads = [_axis(axis, layout, none) for axis in table.findall("axis")]
    if len(heads) != 3 or any(len(axis.values) != 1 for axis in heads):
        message = f"the table at line {table.sourceline} has not one value for each of three axes. Compare its <axis>."
        yield Reject(source.path, "bad-table", message)
        return
    prefix = "".join(axis.values[0][0] for axis in heads)
    known = _properties(heads, [axis.values[0] for axis in heads])
    yield CodeRecord(
        system=layout.system,
        code=prefix,
        name="",
        kind="header",
        properties=known,
        notes=tuple(f"Definition: {own_text(element)}" for element in table.iterfind("axis/definition")),
        release=release,
        source=sources,
    )
    for row in table.iterfind("pcsRow"):
        axes = [_axis(axis, layout, none) for axis in row.findall("axis")]
        promised, spanned = row.get("codes", ""), _count(axes)
        if spanned > _MOST_CODES:
            message = f"a row of table {prefix} (line {row.sourceline}) spans {spanned:,} codes; no table has so many"
            yield Reject(source.path, "bad-table", message)
            continue
        if promised.isdecimal() and promised.lstrip("0") != (str(spanned) if spanned else ""):
            message = f"a row of table {prefix} (line {row.sourceline}) says {promised} codes and spans {spanned}"
            yield InputWarning(source.path, "row-count", message)
        plain = len({axis.name for axis in axes}) == len(axes)
        for values in product(*(axis.values for axis in axes)):
            if plain:
                properties = known.copy()
                for axis, (_, label) in zip(axes, values, strict=True):
                    if label:
                        properties[axis.name] = label
            else:
                properties = {**known, **_properties(axes, values)}
            yield CodeRecord(
                system=layout.system,
                code=prefix + "".join([value for value, _ in values]),
                name="",
                properties=properties,
                release=release,
                source=sources,
            )


def _axis(axis: Element, layout: FileLayout, none: frozenset[str]) -> _Axis:
    title = own_text(axis.find("title"))
    labels = ((label.get("code", ""), own_text(label)) for label in axis.iterfind("label"))
    name = layout.properties.get(title, title.lower())
    return _Axis(name, tuple((value, "" if text in none else text) for value, text in labels))


def _count(axes: list[_Axis]) -> int:
    count = 1
    for axis in axes:
        count *= len(axis.values)
    return count


def _properties(axes: list[_Axis], values: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> dict[str, str]:
    """The labels by property; where two axes have one title (`Qualifier`), both labels stand in it."""
    properties: dict[str, str] = {}
    for axis, (_, label) in zip(axes, values, strict=True):
        if label:
            properties[axis.name] = f"{properties[axis.name]}; {label}" if axis.name in properties else label
    return properties
