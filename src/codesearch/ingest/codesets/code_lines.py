"""ICD-10 order files and code files: one code a line, in fixed columns.

Order files carry an order number, the code, a flag (0 header, 1 billable), a short and a long title; code files the
code and its title only (CMS, "ICD-10-CM/PCS Order File" and "Codes" layouts; the columns stand in the layout's TOML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from codesearch.codes import written
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.lines import read_lines, refusal
from codesearch.records import CodeRecord, InputWarning, Reject, Source

Row = tuple[int, str, str, str, str, str]
"""Line number, order number, code, flag, short title, long title; what the layout lacks is empty."""

_SHORTEST_PARENT = 3
_REST = slice(0, 0)
_LONGEST_NUMBER = 18
"""Digits of an order number; Python refuses to read thousands of them."""


def load_code_lines(
    stream: BinaryIO, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of an order file or a code file, in its order; every line that is not one is a reject."""
    lines, ended = read_lines(stream, layout)
    refused = refusal(lines, source.path, layout)
    if refused:
        yield refused
        return
    rows = list(_rows(lines, layout))
    if rows and not any(row[5] for row in rows):
        yield Reject(source.path, "missing-column", _no_title(layout))
        return
    if rows and not ended:
        if _is_cut(rows[-1], layout):
            yield _cut(source.path, rows.pop())
            yield InputWarning(source.path, "cut-file", "the file ends in the middle of a line: codes may be missing")
        else:
            yield InputWarning(source.path, "no-line-end", "the last line has no line end: the file may be cut")
    if "order" in layout.columns:
        yield from _order_warnings(rows, source.path)
    yield from _records(rows, source, layout)


def _rows(lines: list[str], layout: FileLayout) -> Iterator[Row]:
    """The rows of the file, from the first line with a code on: what stands before it is a preamble."""
    order, code, flag, short, name = (
        layout.columns[field][0].slice if field in layout.columns else _REST
        for field in ("order", "code", "billable", "short", "name")
    )
    is_code = re.compile(layout.patterns["code"]).fullmatch
    started = False
    for number, line in enumerate(lines, 1):
        bare = line[code].rstrip()
        if not started:
            started = is_code(bare) is not None
        if started and line.strip():
            yield number, line[order], bare, line[flag], line[short].rstrip(), line[name].strip()


def _records(rows: list[Row], source: Source, layout: FileLayout) -> Iterator[CodeRecord | Reject | InputWarning]:
    system, sources = layout.system, (source,)
    shape, short_name = re.compile(layout.patterns["code"]), layout.properties.get("short", "")
    kinds = {flag: kind for kind, flags in layout.records.items() for flag in flags} or {"": "code"}
    parents: dict[str, str] = {}
    seen: set[str] = set()
    repeated: list[str] = []
    for number, _, bare, flag, short, name in rows:
        kind = kinds.get(flag)
        fault = _fault(bare, flag, name, kind, shape.fullmatch(bare) is not None)
        if fault:
            yield Reject(f"{source.path}:{number}", *fault)
            continue
        if bare in seen:
            repeated.append(bare)
        seen.add(bare)
        code = written(system, bare)
        header = kind == "header"
        yield CodeRecord(
            system=system,
            code=code,
            name=name,
            kind="header" if header else "code",
            properties={short_name: short} if short and short != name else {},
            parent=_parent(bare, parents),
            billable=not header,
            source=sources,
        )
        if header:
            parents[bare] = code
    if repeated:
        message = f"{len(repeated)} codes stand in the file twice (first {repeated[0]})"
        yield InputWarning(source.path, "duplicate-code", message)


def _parent(bare: str, headers: dict[str, str]) -> str | None:
    for length in range(len(bare) - 1, _SHORTEST_PARENT - 1, -1):
        parent = headers.get(bare[:length])
        if parent is not None:
            return parent
    return None


def _fault(bare: str, flag: str, name: str, kind: str | None, shaped: bool) -> tuple[str, str] | None:
    if not bare:
        return "no-code", "the line has no code in its column. Compare it with the layout in ingest/files."
    if not shaped:
        return "bad-code", f"{bare!r} has not the shape of a code. Compare the line with the layout in ingest/files."
    if kind is None:
        return "bad-flag", f"{flag!r} is no flag of the layout. Compare the line with the layout in ingest/files."
    if not name:
        return "no-title", f"the line of {bare} has no title in its column. Restore the line."
    return None


def _no_title(layout: FileLayout) -> str:
    column = layout.columns["name"][0].start
    return f"no line has a title at column {column}. Restore the file, or correct the columns in {layout.name}.toml."


def _is_cut(row: Row, layout: FileLayout) -> bool:
    """Whether a last line without line end stops within its title.

    Its short title tells: uncut, it ends in the same letters as the long one, or in an abbreviation of its last words.
    """
    _, _, _, _, short, name = row
    if not name:
        return True
    if "short" not in layout.columns or not short:
        return False
    last = short.split()[-1].casefold()
    return not any(_abbreviates(last, word) for word in name.casefold().split()[-2:])


def _abbreviates(short: str, word: str) -> bool:
    letters = iter(word)
    return all(letter in letters for letter in short)


def _cut(path: str, row: Row) -> Reject:
    number, _, bare, *_ = row
    message = f"the line of {bare or 'a code'} is incomplete and the file ends there. Fetch the file again."
    return Reject(f"{path}:{number}", "cut-file", message)


def _order_warnings(rows: list[Row], path: str) -> Iterator[InputWarning]:
    """Order numbers run from 1 without gap: a gap is a lost line, a repeated or smaller one a file put together."""
    expected, gaps, lost, repeats = 1, [], 0, []
    for number, order, _, _, _, _ in rows:
        if not order.isdecimal() or len(order) > _LONGEST_NUMBER:
            continue
        found = int(order)
        if found > expected:
            gaps.append((number, expected, found))
            lost += found - expected
        elif found < expected:
            repeats.append((number, found))
        expected = max(expected, found + 1)
    if gaps:
        number, first, found = gaps[0]
        where = f"first at line {number}: {found} where {first} was expected"
        yield InputWarning(path, "order-gap", f"{lost} order numbers are missing in {len(gaps)} places ({where})")
    if repeats:
        number, found = repeats[0]
        message = f"{len(repeats)} order numbers are repeated or out of order (first at line {number}: {found})"
        yield InputWarning(path, "order-repeated", message)
