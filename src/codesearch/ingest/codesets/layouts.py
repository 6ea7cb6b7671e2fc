"""File layouts: what the TOML files in `ingest/files/` say of the code-set files that we can read.

A layout names its reader (a function of this package), how a file of it is recognised, and where its fields stand.
`ingest/files/README.md` explains every key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from codesearch.config import config_files, read_toml
from codesearch.errors import ConfigError
from codesearch.records import Role

Reader = Literal[
    "code-lines", "tabular-xml", "index-xml", "pcs-tables", "pcs-index", "hcpcs-fixed", "sheet", "delimited", "skip"
]

REQUIRED_FIELDS: dict[str, frozenset[str]] = {
    "code-lines": frozenset({"code", "name"}),
    "hcpcs-fixed": frozenset({"code", "sequence", "record", "name"}),
    "sheet": frozenset({"code", "sequence", "record", "name"}),
    "delimited": frozenset({"code", "name", "system"}),
}
"""The fields without which a reader cannot work: of `columns` for fixed-width files, of `headers` for the others."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns as the agencies write them: 1-based, both ends included; without `to` it runs to the line's end."""

    start: int = msgspec.field(name="from")
    end: int | None = msgspec.field(name="to", default=None)

    @property
    def slice(self) -> slice:
        """The same as a Python slice."""
        return slice(self.start - 1, self.end)


class Recognise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a file is recognised: by one of these. `precedence` (lower first) decides between layouts that fit alike."""

    line: str = ""
    root: str = ""
    workbook: bool = False
    header: bool = False
    precedence: int = 10


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines that look like the layout but are not: when most lines fit `line`, the file is refused with the message."""

    line: str
    reason: str
    message: str


class FileLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One layout of a code-set file; see `ingest/files/README.md` for its keys."""

    name: str
    version: int
    role: Role
    reader: Reader
    document: str
    recognise: Recognise
    system: str = ""
    encoding: str = "utf-8"
    like: str = ""
    reason: str = ""
    columns: dict[str, tuple[Column, ...]] = {}
    headers: dict[str, tuple[str, ...]] = {}
    records: dict[str, tuple[str, ...]] = {}
    properties: dict[str, str] = {}
    meanings: dict[str, dict[str, str]] = {}
    words: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    patterns: dict[str, str] = {}
    refuse: tuple[Refusal, ...] = ()


def load_layouts(folder: Path) -> tuple[FileLayout, ...]:
    """Every layout of the folder, by name.

    Raises:
        ConfigError: the folder holds none, or a file of it is wrong.
    """
    paths = config_files(folder, ".toml")
    if not paths:
        raise ConfigError(str(folder), "holds no file layout (*.toml)", "Copy it from the codesearch checkout.")
    layouts: dict[str, FileLayout] = {}
    for path in paths:
        layout = read_toml(path, FileLayout)
        for fault in _faults(layout):
            raise ConfigError(str(path), fault, "Compare it with the README beside it.")
        if layout.name in layouts:
            raise ConfigError(str(path), f"another file already has the name {layout.name!r}", "Give it its own name.")
        layouts[layout.name] = layout
    return tuple(_inherit(layouts[name], layouts, folder) for name in sorted(layouts))


def _inherit(layout: FileLayout, layouts: dict[str, FileLayout], folder: Path) -> FileLayout:
    """The layout with the record types, properties and meanings of the layout it is `like`."""
    if not layout.like:
        return layout
    other = layouts.get(layout.like)
    if other is None:
        raise ConfigError(
            str(folder), f"{layout.name} is like {layout.like!r}, which no file defines", "Add that file."
        )
    return msgspec.structs.replace(
        layout,
        records=layout.records or other.records,
        properties=layout.properties or other.properties,
        meanings=layout.meanings or other.meanings,
    )


REQUIRED_PATTERNS: dict[str, frozenset[str]] = {
    "code-lines": frozenset({"code"}),
    "tabular-xml": frozenset({"code", "exception", "exempt", "unread_exception", "note_start"}),
}


def _faults(layout: FileLayout) -> list[str]:
    faults = []
    signs = layout.recognise
    if sum((bool(signs.line), bool(signs.root), signs.workbook, signs.header)) != 1:
        faults.append("recognise needs exactly one of line, root, workbook, header")
    fields = layout.columns if layout.reader in {"code-lines", "hcpcs-fixed"} else layout.headers
    missing = REQUIRED_FIELDS.get(layout.reader, frozenset()) - fields.keys()
    if missing:
        faults.append(f"the reader {layout.reader} needs the fields {', '.join(sorted(missing))}")
    missing = REQUIRED_PATTERNS.get(layout.reader, frozenset()) - layout.patterns.keys()
    if missing:
        faults.append(f"the reader {layout.reader} needs the patterns {', '.join(sorted(missing))}")
    if (layout.reader == "skip") != bool(layout.reason):
        faults.append("reason is for the reader skip alone, which needs it")
    for field, columns in layout.columns.items():
        faults += [
            f"columns of {field}: from {column.start} to {column.end} is no range"
            for column in columns
            if column.start < 1 or (column.end is not None and column.end < column.start)
        ]
    expressions = [signs.line, *layout.patterns.values(), *(refusal.line for refusal in layout.refuse)]
    faults += [fault for fault in map(_regex_fault, expressions) if fault]
    return faults


def _regex_fault(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        return f"the regular expression {expression!r} is wrong ({error})"
    return ""
