"""Recognising a code-set file by its content: never by its name or year."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from codesearch.codes import find_system
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.lines import text_of
from codesearch.records import BROKEN_JSON

HEAD_BYTES = 65_536

_MAX_PREAMBLE = 60
"""Lines (disclaimers, column titles) that may stand before the first line of a fixed-width file."""

_SHARE = 0.8
"""Share of the lines after the first one that fits that must fit too; below it the text only mentions codes."""

_ROOT = re.compile(r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>)*+<([A-Za-z_][\w.\-]*)", re.DOTALL)
_DELIMITER_LINE = re.compile(r'"?sep=.?"?\s*$', re.IGNORECASE)
_PAGE_KEYS = frozenset({"html", "text"})
DELIMITERS = "\t,;|"


def recognise(stream: BinaryIO, layouts: Sequence[FileLayout]) -> FileLayout | None:
    """The layout that reads the content, or None when it is no code-set file. The stream is left at its start."""
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        found = _workbook(stream, head, layouts)
    else:
        text = decode(head)
        if text.lstrip().startswith("<"):
            found = _by_root(text, layouts)
        else:
            found = _by_header(text, layouts) or _by_lines(text, layouts)
    stream.seek(0)
    return found


def decode(head: bytes) -> str:
    """Text of the first bytes of a file."""
    return text_of(head, "latin-1", is_whole=False)


def header_key(title: str) -> str:
    """The form in which column titles are compared: `Long Description`, `LONG_DESCRIPTION` are one."""
    return re.sub(r"[\W_]+", "", title).casefold()


def header_names(layout: FileLayout) -> dict[str, str]:
    """Field by column title (in the form of `header_key`)."""
    return {header_key(title): field for field, titles in layout.headers.items() for title in titles}


def systems_of(title: str) -> tuple[str, ...]:
    """The systems whose codes stand under a column title (`CPT code`, `CPT/HCPCS`); empty where it names none."""
    found = tuple(filter(None, map(find_system, title.split("/"))))
    # A column of this title alone holds names.
    return found if len(found) == title.count("/") + 1 and title.strip().casefold() != "diagnosis" else ()


def _workbook(stream: BinaryIO, head: bytes, layouts: Sequence[FileLayout]) -> FileLayout | None:
    """Any workbook: which sheet holds codes, and whether one does, is for its reader to say."""
    try:
        with zipfile.ZipFile(stream) as archive:
            is_workbook = "xl/workbook.xml" in archive.namelist()
    except Exception:  # a broken zip makes every kind
        is_workbook = b"xl/" in head  # cut: its table of contents, at the end, is gone
    return next((layout for layout in layouts if is_workbook and layout.recognise.workbook), None)


def _by_root(text: str, layouts: Sequence[FileLayout]) -> FileLayout | None:
    match = _ROOT.match(text)
    return next((layout for layout in layouts if match and layout.recognise.root == match[1]), None)


def _by_header(text: str, layouts: Sequence[FileLayout]) -> FileLayout | None:
    lines = without_delimiter_line(text.splitlines())
    first = next((line for line in lines if line.strip()), "")
    titles = first_titles(first)
    for layout in layouts:
        if layout.recognise.header:
            names = header_names(layout)
            fields = {names.get(header_key(title)) or ("code" if systems_of(title) else "") for title in titles}
            if {"code", "name"} <= fields:
                return layout
    return None


def without_delimiter_line(lines: list[str]) -> list[str]:
    """The lines, the first of them blank where a spreadsheet program tells the delimiter there (`sep=;`)."""
    return ["", *lines[1:]] if lines and _DELIMITER_LINE.match(lines[0]) else lines


def first_titles(line: str) -> tuple[str, ...]:
    """The column titles of the first line of a delimited file or the keys of the first object of a JSON Lines file."""
    if line.lstrip().startswith("{"):
        try:
            row = msgspec.json.decode(line)
        except BROKEN_JSON:
            return ()
        return () if "url" in row and _PAGE_KEYS & row.keys() else tuple(row)
    delimiter = delimiter_of(line)
    return tuple(next(csv.reader([line], delimiter=delimiter))) if delimiter else ()


def delimiter_of(line: str) -> str:
    """The delimiter that the header line uses most; empty when it uses none."""
    best = max(DELIMITERS, key=line.count)
    return best if best in line else ""


def _by_lines(text: str, layouts: Sequence[FileLayout]) -> FileLayout | None:
    lines = text.splitlines()
    if len(lines) > 1 and not text.endswith(("\n", "\r")):
        lines.pop()  # it may be cut
    lines = [line for line in lines if line.strip()]
    fits = [
        (*_fit(re.compile(layout.recognise.line), lines), layout.recognise.precedence, layout.name, layout)
        for layout in layouts
        if layout.recognise.line
    ]
    if not fits:
        return None
    # A layout that takes most of the lines for a preamble may fit all of the rest: the number of lines goes next.
    share, _, _, _, layout = min(fits, key=lambda entry: (-entry[0], -entry[1], *entry[2:4]))
    return layout if share >= _SHARE else None


def _fit(pattern: re.Pattern[str], lines: Sequence[str]) -> tuple[float, int]:
    """Share and number of the lines that fit, from the first that does on; 0 when none of the first lines fits."""
    first = next((number for number, line in enumerate(lines[: _MAX_PREAMBLE + 1]) if pattern.match(line)), None)
    if first is None:
        return 0.0, 0
    fitting = sum(1 for line in lines[first:] if pattern.match(line))
    return fitting / (len(lines) - first), fitting
