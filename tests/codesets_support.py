"""What the tests of code-set loaders share: the shipped layouts, the small fixtures, and reading one of them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from codesearch.ingest.codesets import FileLayout, load, load_layouts, recognise
from codesearch.records import CodeRecord, InputWarning, Reject, Skip, Source

ROOT = Path(__file__).parents[1]
FIXTURES = Path(__file__).parent / "fixtures" / "codesets"
REAL = ROOT.parent / "shared" / "data"

needs_real_files = pytest.mark.skipif(not REAL.is_dir(), reason="the official files do not lie in ../shared/data")


class Reading(NamedTuple):
    """What a file gave, by kind."""

    layout: FileLayout
    records: list[CodeRecord]
    rejects: list[Reject]
    warnings: list[InputWarning]
    skips: list[Skip]

    def by_code(self) -> dict[str | None, CodeRecord]:
        return {record.code: record for record in self.records}

    def reasons(self) -> list[str]:
        return [reject.reason for reject in self.rejects]

    def kinds(self) -> list[str]:
        return [warning.kind for warning in self.warnings]


@cache
def layouts() -> tuple[FileLayout, ...]:
    return load_layouts(ROOT / "ingest" / "files")


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def read(data: bytes, path: str = "file") -> Reading:
    """Recognise the content and load it."""
    stream = io.BytesIO(data)
    layout = recognise(stream, layouts())
    assert layout is not None, "the content was not recognised"
    found = list(load(stream, Source(path=path, sha256="00"), layout))
    return Reading(
        layout,
        [item for item in found if isinstance(item, CodeRecord)],
        [item for item in found if isinstance(item, Reject)],
        [item for item in found if isinstance(item, InputWarning)],
        [item for item in found if isinstance(item, Skip)],
    )


def layout_name(data: bytes) -> str | None:
    layout = recognise(io.BytesIO(data), layouts())
    return None if layout is None else layout.name
