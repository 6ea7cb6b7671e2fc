"""The HCPCS workbook: rows of a sheet whose titles the layout knows, through openpyxl (extra `xlsx`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO

from codesearch.errors import SourceError
from codesearch.ingest.codesets.hcpcs import Row, assemble
from codesearch.ingest.codesets.layouts import REQUIRED_FIELDS, FileLayout
from codesearch.ingest.codesets.recognition import header_key, header_names
from codesearch.records import CodeRecord, InputWarning, Reject, Source

_TITLE_ROWS = 40
"""The title row stands among the first rows of its sheet: 1 or 11 in the years seen, after a disclaimer."""

_LAST_ROW, _LAST_COLUMN = 1_048_576, 1000
"""The last row that a spreadsheet program writes, and the last column in which a title is looked for. openpyxl fills
the gaps before a row, and each row up to the size that the sheet claims: a few bytes could ask for any number."""

_NEEDED = REQUIRED_FIELDS["sheet"]

Cells = Sequence[Any]


def load_sheet(stream: BinaryIO, source: Source, layout: FileLayout) -> Iterator[CodeRecord | Reject | InputWarning]:
    """The records of all sheets that have the columns of the layout.

    Raises:
        SourceError: openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        next_step = "Install it: pip install 'medical-codesearch[xlsx]'"
        raise SourceError(source.path, "reading a workbook needs the package openpyxl", next_step) from error
    with warnings.catch_warnings():
        # openpyxl warns of page headers and styles that it leaves out: nothing of them is read here.
        warnings.simplefilter("ignore", UserWarning)
        try:
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            found = _find_rows({sheet.title: sheet for sheet in workbook.worksheets}, source, layout)
        except Exception as error:  # of a broken workbook openpyxl, zipfile and XML parsers raise every kind
            message = f"the workbook cannot be read ({error}). Open it in a spreadsheet program and save it again."
            found = Reject(source.path, "bad-workbook", message)
    if isinstance(found, Reject):
        yield found
    else:
        yield from assemble(found, source, layout)


def _find_rows(sheets: dict[str, Any], source: Source, layout: FileLayout) -> list[Row] | Reject:
    """The rows of the sheets that have the columns, else the reject that says what is missing."""
    titled = {name: _title_row(sheet, layout) for name, sheet in sheets.items()}
    wanted = [name for name, (_, columns) in titled.items() if columns.keys() >= _NEEDED]
    found: list[Row] = []
    for name in wanted:
        number, columns = titled[name]
        last = 1 + max(max(places) for places in columns.values())
        rows = sheets[name].iter_rows(min_row=number + 1, max_row=_LAST_ROW, max_col=last, values_only=True)
        found += _rows(rows, number, columns, name if len(wanted) > 1 else "")
    best: dict[str, list[int]] = max((columns for _, columns in titled.values()), key=len, default={})
    return found if wanted else _no_sheet(best, list(sheets), source, layout)


def _title_row(sheet: Any, layout: FileLayout) -> tuple[int, dict[str, list[int]]]:
    """Number (from 1) of the row with the most known titles, and the columns of each field in the layout's order."""
    names = header_names(layout)
    found: tuple[int, dict[str, list[int]]] = (0, {})
    for number, cells in enumerate(_title_rows(sheet), 1):
        titles = {header_key(str(cell)): place for place, cell in enumerate(cells) if cell is not None}
        columns: dict[str, list[int]] = {}
        for title, field in names.items():
            if title in titles:
                columns.setdefault(field, []).append(titles[title])
        if len(columns) > len(found[1]):
            found = (number, columns)
    return found


def _title_rows(sheet: Any) -> Iterable[Cells]:
    rows: Iterable[Cells] = sheet.iter_rows(max_row=_TITLE_ROWS, max_col=_LAST_COLUMN, values_only=True)
    return rows


def _rows(rows: Iterable[Cells], above: int, columns: dict[str, list[int]], sheet: str) -> Iterator[Row]:
    for number, cells in enumerate(rows, above + 1):
        if cells.count(None) < len(cells):
            yield Row(number, {field: _values(cells, places) for field, places in columns.items()}, sheet)


def _values(cells: Cells, places: list[int]) -> tuple[str, ...]:
    texts = (_text(cells[place]) for place in places if place < len(cells) and cells[place] is not None)
    return tuple(text for text in texts if text)


def _text(cell: Any) -> str:
    """The cell as the fixed-width file would write it: numbers without a decimal point, dates in ISO form."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _no_sheet(columns: dict[str, list[int]], sheets: list[str], source: Source, layout: FileLayout) -> Reject:
    if not columns:
        message = (
            f"no sheet ({', '.join(sheets)}) has a row of titles that {layout.name} knows. Name the right workbook, or "
            "save a table of your own codes as CSV."
        )
        return Reject(source.path, "no-title-row", message)
    missing = [f"{layout.headers[field][0]!r}" for field in sorted(_NEEDED - columns.keys())]
    message = (
        f"the sheet has no column {' and none '.join(missing)}. Restore it, or add its title to {layout.name}.toml."
    )
    return Reject(source.path, "missing-column", message)
