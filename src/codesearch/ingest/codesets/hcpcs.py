"""HCPCS Level II: the contractor's fixed-width file and the workbook, which hold the same rows.

A code takes one row, and further rows with the rest of a long description (CMS, HCPCS Contractor Record layout,
fields 5 to 7). Only the first of them says more than a part of the description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from codesearch.codes import has_shape
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.lines import read_lines
from codesearch.records import CodeRecord, InputWarning, Reject, Source

_LONGEST_NUMBER = 18
"""Digits of a sequence number; Python refuses to read thousands of them."""
_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")


class Row(NamedTuple):
    """One row: its line in the file or in a sheet of it, and each field's values, in the order of its columns, without
    the empty ones."""

    number: int
    fields: dict[str, tuple[str, ...]]
    sheet: str = ""

    def first(self, field: str) -> str:
        """The first value of the field, or nothing."""
        values = self.fields.get(field, ())
        return values[0] if values else ""


def load_hcpcs_fixed(
    stream: BinaryIO, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of the fixed-width file, in its order."""
    lines, ended = read_lines(stream, layout)
    is_row = re.compile(layout.recognise.line).match
    start = next((number for number, line in enumerate(lines) if is_row(line)), len(lines))
    numbered = [(number, line) for number, line in enumerate(lines[start:], start + 1) if line.strip()]
    if not ended and numbered and _is_cut(numbered, layout):
        number, line = numbered.pop()
        message = f"the line of {line[:5].strip()} is incomplete and the file ends there. Fetch the file again."
        yield Reject(f"{source.path}:{number}", "cut-file", message)
        yield InputWarning(source.path, "cut-file", "the file ends in the middle of a line: codes may be missing")
    for number, line in numbered:
        if not is_row(line):
            message = "the line has no code, sequence number and record type in columns 1-11. Restore the line."
            yield Reject(f"{source.path}:{number}", "bad-line", message)
    yield from assemble(_fixed_rows((entry for entry in numbered if is_row(entry[1])), layout), source, layout)


def _is_cut(numbered: list[tuple[int, str]], layout: FileLayout) -> bool:
    """Whether the last line is shorter than the lines of its record type are."""
    record = layout.columns["record"][0].slice
    last = numbered[-1][1]
    lengths = [len(line) for _, line in numbered[:-1] if line[record] == last[record]]
    return not lengths or len(last) < min(lengths)


def _fixed_rows(numbered: Iterable[tuple[int, str]], layout: FileLayout) -> Iterator[Row]:
    slices = [(field, [column.slice for column in columns]) for field, columns in layout.columns.items()]
    leading = {field: entry for field, entry in slices if field in {"code", "sequence", "record", "name"}}
    continued = {*layout.records["code_continued"], *layout.records["modifier_continued"]}
    record = leading["record"][0]
    for number, line in numbered:
        wanted = leading.items() if line[record] in continued else slices
        yield Row(number, {field: _values(line, columns) for field, columns in wanted})


def _values(line: str, columns: list[slice]) -> tuple[str, ...]:
    return tuple(text for text in (line[column].strip() for column in columns) if text)


def assemble(rows: Iterable[Row], source: Source, layout: FileLayout) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of the rows: a first row and those that go on with its description make one."""
    first_types = {*layout.records["code"], *layout.records["modifier"]}
    continued = {*layout.records["code_continued"], *layout.records["modifier_continued"]}
    building = _Builder(source, layout)
    group: list[Row] = []
    for row in rows:
        kind = row.first("record")
        if kind in first_types:
            if group:
                yield building.record(group)
            group = [row]
        elif kind in continued and group and row.first("code") == group[0].first("code"):
            group.append(row)
        else:
            yield building.stray(row)
    if group:
        yield building.record(group)
    yield from building.warnings()


class _Builder:
    """Makes records of groups of rows; equal values share one string."""

    def __init__(self, source: Source, layout: FileLayout) -> None:
        self.source = source
        self.sources = (source,)
        self.layout = layout
        self.modifiers = frozenset(layout.records["modifier"])
        self.meant: dict[tuple[str, tuple[str, ...]], str] = {}
        self.gaps: list[str] = []
        self.seen: set[str] = set()
        self.repeated: list[str] = []

    def record(self, group: list[Row]) -> CodeRecord | Reject:
        row = group[0]
        code, short = row.first("code"), row.first("short")
        modifier = row.first("record") in self.modifiers
        name = " ".join(" ".join(part for each in group for part in each.fields.get("name", ())).split())
        fault = _fault(code, name, modifier)
        if fault:
            return Reject(self.place(row), *fault)
        self.check(code, group)
        terminated = _iso_date(row.first("terminated"))
        return CodeRecord(
            system=self.layout.system,
            code=code,
            name=name,
            kind="modifier" if modifier else "code",
            properties=self.properties(row),
            synonyms=(short,) if short and short != name else (),
            billable=None if modifier else terminated is None,
            effective=_iso_date(row.first("effective")),
            terminated=terminated,
            source=self.sources,
        )

    def properties(self, row: Row) -> dict[str, str]:
        named = ((field, name, row.fields.get(field, ())) for field, name in self.layout.properties.items())
        return {name: self.meaning(field, values) for field, name, values in named if values}

    def meaning(self, field: str, values: tuple[str, ...]) -> str:
        """The values with what they mean: `C (carrier judgment)`; dates in ISO form."""
        text = self.meant.get((field, values))
        if text is None:
            table = self.layout.meanings.get(field, {})
            shown = (_iso_date(value) or value for value in values)
            text = "; ".join(f"{value} ({table[value]})" if value in table else value for value in shown)
            self.meant[field, values] = text
        return text

    def check(self, code: str, group: list[Row]) -> None:
        """Note a code given twice, and sequence numbers that do not rise in equal steps from the first."""
        if code in self.seen:
            self.repeated.append(code)
        self.seen.add(code)
        given = [row.first("sequence") for row in group]
        numbers = [int(number) for number in given if number.isdecimal() and len(number) <= _LONGEST_NUMBER]
        if numbers != [numbers[0] * step for step in range(1, len(group) + 1)] if numbers else len(group) > 1:
            self.gaps.append(code)

    def stray(self, row: Row) -> Reject:
        code, kind = row.first("code") or "no code", row.first("record")
        message = f"{code} has record type {kind!r} and goes on from no row before it. Restore the rows before it."
        return Reject(self.place(row), "stray-row", message)

    def place(self, row: Row) -> str:
        """Where a row stands, as it is shown."""
        return ":".join(filter(None, (self.source.path, row.sheet, str(row.number))))

    def warnings(self) -> Iterator[InputWarning]:
        path = self.source.path
        if self.gaps:
            message = (
                f"the sequence numbers of {len(self.gaps)} codes have gaps (first {self.gaps[0]}): text is missing"
            )
            yield InputWarning(path, "sequence-gap", message)
        if self.repeated:
            message = f"{len(self.repeated)} codes stand in the file twice (first {self.repeated[0]})"
            yield InputWarning(path, "duplicate-code", message)


def _fault(code: str, name: str, modifier: bool) -> tuple[str, str] | None:
    if not has_shape("HCPCS", code) or modifier != (len(code) == 2):
        kind = "modifier" if modifier else "code"
        return "bad-code", f"{code!r} has not the shape of a HCPCS {kind}. Compare the row with its layout."
    return None if name else ("no-title", f"the row of {code} has no long description. Restore the row.")


def _iso_date(text: str) -> str | None:
    match = _DATE.match(text)
    return f"{match[1]}-{match[2]}-{match[3]}" if match else None
