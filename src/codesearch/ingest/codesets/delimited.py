"""A user's own codes: CSV, TSV or JSON Lines whose header (or keys) names the fields of a record."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO, get_args, get_type_hints

import msgspec

from codesearch.codes import has_shape, system_name, written
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.lines import read_lines
from codesearch.ingest.codesets.recognition import (
    delimiter_of,
    header_key,
    header_names,
    systems_of,
    without_delimiter_line,
)
from codesearch.records import BROKEN_JSON, CodeRecord, InputWarning, Kind, Reject, Source, Texts

_HINTS = get_type_hints(CodeRecord)
_OURS = frozenset({"source", "warnings"})
"""Fields that only the loader fills: a column of such a name is not taken."""

_FIELDS = {header_key(field): field for field in _HINTS if field not in _OURS}
_LISTS = frozenset(field for field, hint in _HINTS.items() if hint == Texts)
_KINDS = frozenset(get_args(Kind))
_LONGEST_LINE = 4_000_000
"""Characters of a line of JSON: as many bytes as a page may have."""

Values = dict[str, Any]


class _Fault(Exception):
    """A line that gives no record: the reason to count by, and a sentence with the next step."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def load_delimited(
    stream: BinaryIO, source: Source, layout: FileLayout
) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of the file, in its order; a line that gives none is a reject, and the rest goes on."""
    lines = without_delimiter_line(read_lines(stream, layout).lines)
    first = next((line for line in lines if line.strip()), "")
    rows = _json_rows(lines) if first.lstrip().startswith("{") else _table_rows(lines, first)
    maker = _Maker(source, layout)
    for number, row in rows:
        location = f"{source.path}:{number}"
        if isinstance(row, _Fault):
            yield Reject(location, row.reason, row.message)
            continue
        try:
            yield maker.record(row)
        except _Fault as fault:
            yield Reject(location, fault.reason, fault.message)


def _table_rows(lines: list[str], first: str) -> Iterator[tuple[int, Values | _Fault]]:
    titles: list[str] = []
    for number, cells in _cells(lines, delimiter_of(first) or ","):
        if isinstance(cells, _Fault):
            yield number, cells
        elif not any(cell.strip() for cell in cells):
            continue
        elif not titles:
            titles = [cell.strip() for cell in cells]
        elif len(cells) > len(titles):
            message = (
                f"the line has {len(cells)} cells under {len(titles)} titles. Put quotes around cells with commas."
            )
            yield number, _Fault("bad-line", message)
        else:
            filled = ((title, cell.strip()) for title, cell in zip(titles, cells, strict=False) if title)
            yield number, {title: cell for title, cell in filled if cell}


def _cells(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | _Fault]]:
    """The number of the first line of each row, and its cells, or what is wrong with it.

    A quote that is never closed would take all lines after it into its cell: only the line in which it opens is lost.
    """
    begun = 0
    while begun < len(lines):
        start = begun
        # The empty line at the end is a row of its own, unless a quote is open.
        given = chain(islice(lines, start, None), [""])
        reader = csv.reader((f"{line}\n" for line in given), delimiter=delimiter)
        while begun < len(lines):
            try:
                cells = next(reader)
            except csv.Error as error:
                yield begun + 1, _Fault("bad-line", f"the line is no table row ({error}). Correct its quotes.")
                break
            end = start + reader.line_num
            if end > len(lines):
                yield begun + 1, _Fault("bad-line", "a quote opens in the line and is never closed. Close it.")
                break
            yield begun + 1, cells
            begun = end
        begun += 1


def _json_rows(lines: list[str]) -> Iterator[tuple[int, Values | _Fault]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > _LONGEST_LINE:
            message = f"the line has {len(line):,} characters; {_LONGEST_LINE:,} are read at most. Split its texts."
            yield number, _Fault("too-large", message)
            continue
        try:
            yield number, msgspec.json.decode(line, type=dict[str, Any])
        except BROKEN_JSON as error:
            yield number, _Fault("bad-line", f"the line is no JSON object ({error}). Correct or remove it.")


class _Maker:
    """Makes records of rows by the layout's titles and words."""

    def __init__(self, source: Source, layout: FileLayout) -> None:
        self.sources = (source,)
        self.system = layout.system
        self.fields = {**_FIELDS, **header_names(layout)}
        self.yes = frozenset(layout.words["yes"])
        self.no = frozenset(layout.words["no"])
        self.separators = re.compile("|".join(map(re.escape, layout.words["separators"])))

    def record(self, row: Values) -> CodeRecord:
        """The record of a row.

        Raises:
            _Fault: it gives none.
        """
        values: Values = {}
        others: Values = {}
        for title, value in row.items():
            field = self.fields.get(header_key(title))
            if field is None:
                if title not in _OURS and value not in (None, "", [], {}):
                    others[title] = value
            elif value not in (None, ""):
                values[field] = self.value(field, value)
        if "code" not in values:
            values = self.under_system(others) | values
        properties = {
            title: value if isinstance(value, str) else msgspec.json.encode(value).decode()
            for title, value in others.items()
        }
        self.identify(values)
        stated = values.get("properties")
        values["properties"] = {**properties, **(stated if isinstance(stated, dict) else {})}
        try:
            record = msgspec.convert(values, CodeRecord, strict=False)
        except msgspec.ValidationError as error:
            raise _Fault("bad-field", f"{error}. Compare the line with the fields of a record.") from error
        return msgspec.structs.replace(record, source=self.sources)

    def under_system(self, others: Values) -> Values:
        """The first code that stands under the name of its system (`CPT/HCPCS code`), and that; taken from the rest."""
        title = next(filter(systems_of, others), None)
        if title is None:
            return {}
        code, systems = self.value("code", others.pop(title)), systems_of(title)
        fitting = (system for system in systems if isinstance(code, str) and has_shape(system, code))
        return {"code": code, "system": next(fitting, systems[0])}

    def value(self, field: str, value: Any) -> Any:
        if not isinstance(value, str):
            return str(value) if isinstance(value, int) and field in {"code", "name", "release"} else value
        if field in _LISTS:
            return [item.strip() for item in self.separators.split(value) if item.strip()]
        if field == "billable":
            return self.truth(value)
        if field == "kind" and value.lower() not in _KINDS:
            raise _Fault("bad-kind", f"{value!r} is no kind. Write one of {', '.join(sorted(_KINDS))}.")
        return value.lower() if field == "kind" else value

    def truth(self, value: str) -> bool:
        if value.lower() in self.yes or value.lower() in self.no:
            return value.lower() in self.yes
        raise _Fault("bad-field", f"billable is {value!r}. Write yes or no.")

    def identify(self, values: Values) -> None:
        """Put system and code into their written form."""
        named = values.get("system") or self.system
        if not isinstance(named, str) or not system_name(named):
            raise _Fault(
                "no-system",
                "the line names no code system. Fill its column 'system', or name it in the title: 'CPT code'.",
            )
        code = values.get("code")
        if not isinstance(code, str):
            raise _Fault("no-code", "the line has no code. Fill its column, or remove the line.")
        system = system_name(named)
        if not has_shape(system, code):
            raise _Fault(
                "bad-code", f"{code!r} has not the shape of a code of {system}. Correct the code or the system."
            )
        if not values.get("name"):
            raise _Fault("no-name", f"the line of {code} has no name. Fill its column.")
        values["system"], values["code"] = system, written(system, code)
