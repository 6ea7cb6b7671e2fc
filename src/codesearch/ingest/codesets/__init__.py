"""Official code-set files, and a user's own, into records: recognised by content, read as `ingest/files/*.toml` says.

    layouts = load_layouts(folder)
    layout = recognise(stream, layouts)
    for item in load(stream, source, layout): ...       # CodeRecord, Reject or InputWarning

Records of role `enrichment` have no name: they add synonyms and properties to codes that other files establish.
Those of the ICD-10-PCS index go through `spread` first, once the codes and their properties are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from codesearch.ingest.codesets.code_lines import load_code_lines
from codesearch.ingest.codesets.delimited import load_delimited
from codesearch.ingest.codesets.hcpcs import load_hcpcs_fixed
from codesearch.ingest.codesets.index_cm import load_index
from codesearch.ingest.codesets.layouts import FileLayout, Reader, load_layouts
from codesearch.ingest.codesets.packaged import packaged
from codesearch.ingest.codesets.pcs_index import load_pcs_index
from codesearch.ingest.codesets.pcs_tables import load_pcs_tables
from codesearch.ingest.codesets.pcs_terms import Known, spread
from codesearch.ingest.codesets.recognition import recognise
from codesearch.ingest.codesets.sheet import load_sheet
from codesearch.ingest.codesets.tabular import load_tabular
from codesearch.ingest.inputs import or_reject
from codesearch.records import CodeRecord, InputWarning, Reject, Skip, Source

__all__ = ["PCS_INDEX", "FileLayout", "Known", "Loaded", "load", "load_layouts", "packaged", "recognise", "spread"]

PCS_INDEX = "icd10pcs-index"
"""The layout whose records must go through `spread`."""

Loaded = CodeRecord | Reject | Skip | InputWarning


def _skipped(_: BinaryIO, source: Source, layout: FileLayout) -> Iterator[Skip]:
    """For what agencies publish beside code sets, and looks like them."""
    yield Skip(source.path, layout.reason)


_READERS: dict[Reader, Callable[[BinaryIO, Source, FileLayout], Iterator[Loaded]]] = {
    "code-lines": load_code_lines,
    "tabular-xml": load_tabular,
    "index-xml": load_index,
    "pcs-tables": load_pcs_tables,
    "pcs-index": load_pcs_index,
    "hcpcs-fixed": load_hcpcs_fixed,
    "sheet": load_sheet,
    "delimited": load_delimited,
    "skip": _skipped,
}


def load(stream: BinaryIO, source: Source, layout: FileLayout) -> Iterator[Loaded]:
    """What the file holds, in its order: records, rejects (parts that gave none) and warnings about it as a whole; or
    that it is skipped, and why.

    Args:
        stream: the file's content, seekable.
        source: path, url, sha256 and time of fetching; the layout and its role are filled in here. All records of the
            file share one `Source`.
        layout: the layout that `recognise` gave.

    Raises:
        SourceError: a package that the layout needs is not installed.
    """
    stream.seek(0)
    filled = msgspec.structs.replace(source, layout=layout.name, layout_version=layout.version, role=layout.role)
    message = f"it looks like {layout.name}, and holds no code. Fetch the file again, or leave it out."
    nothing = Reject(source.path, "no-records", message)
    yield from or_reject(_READERS[layout.reader](stream, filled, layout), nothing)
