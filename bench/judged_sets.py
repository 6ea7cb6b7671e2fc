"""What the benches measure on: judged folders, the official files, and the indexes that each judged set needs.

A judged folder holds `NAME.queries.tsv` and `NAME.qrels.tsv` (see `codesearch.evaluate`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import codesearch
from codesearch.codes import bare
from codesearch.evaluate import Qrels, Query, read_qrels, read_queries
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import RecordFile

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
DATA = SHARED / "data"
DEV = SHARED / "judged" / "dev"

FILES = {
    "order": "icd10cm_order_*.txt",
    "tabular": "icd10c*tabular*.xml",
    "index": "icd10cm_index_*.xml",
    "pcs order": "icd10pcs_order_*.txt",
    "pcs tables": "icd10pcs_tables_*.xml",
    "pcs index": "icd10pcs_index_*.xml",
}
"""The official files, of any year."""

COLLECTIONS = {
    "CM": ("order", "tabular"),
    "CM without inclusion terms": ("order",),
    "CM with Alphabetic Index": ("order", "tabular", "index"),
    "PCS": ("pcs order", "pcs tables"),
    "PCS with index": ("pcs order", "pcs tables", "pcs index"),
    "CM and PCS": ("order", "tabular", "pcs order", "pcs tables"),
    "all files": ("order", "tabular", "index", "pcs order", "pcs tables", "pcs index"),
}
"""The indexes, by the files that they are built from."""

NEEDS = {
    "index": ("CM",),
    "external": ("CM",),
    "table": ("CM",),
    "inclusion": ("CM without inclusion terms",),
    "pcs": ("PCS",),
    "lookup": ("CM and PCS", "all files"),
    "typo": ("CM", "CM with Alphabetic Index"),
    "do": ("CM", "CM with Alphabetic Index"),
    "consumer": ("CM", "CM with Alphabetic Index"),
    "abbrev": ("CM", "CM with Alphabetic Index"),
}
"""What each set is judged against: never an index that holds the source it was made from. Other sets: `OTHERS`."""
OTHERS = ("CM and PCS",)


class JudgedSet(NamedTuple):
    """The queries of a set and their relevant codes."""

    name: str
    queries: list[Query]
    qrels: Qrels

    @property
    def collections(self) -> tuple[str, ...]:
        """The names of the collections that it is judged against."""
        return NEEDS.get(self.name, OTHERS)


class Entry(NamedTuple):
    """What the other engines index of a record: its code bare and written, its name, and its other names."""

    code: str
    written: str
    name: str
    others: str


def judged_sets(folder: Path, names: Sequence[str] = (), sample: int | None = None) -> Iterator[JudgedSet]:
    """The judged sets of a folder, all or those named; of each only the first `sample` queries."""
    paths = sorted(folder.glob("*.queries.tsv"))
    if not paths:
        raise SystemExit(f"{folder} holds no judged set (NAME.queries.tsv)")
    for path in paths:
        stem = path.name.removesuffix(".queries.tsv")
        name = stem.removesuffix("_queries")
        if not names or name in names:
            yield JudgedSet(name, read_queries(path)[:sample], read_qrels(folder / f"{stem}.qrels.tsv"))


def build(collection: str, data: Path, work: Path) -> Path:
    """Builds the index of a collection below `work`, if it is not there; gives its folder."""
    folder = work / collection.replace(" ", "-")
    if not folder.exists():
        codesearch.reindex(files(collection, data), folder)
    return folder


def files(collection: str, data: Path) -> list[Path]:
    """The official files of a collection, of each the newest in the folder."""
    return [_newest(data, FILES[file]) for file in COLLECTIONS[collection]]


def entries(index: Path) -> list[Entry]:
    """The codes of an index, with all their names, for engines to be fed with the same."""
    records = RecordFile(GenerationStore(index).current().folder)
    found = (stored.record for stored in records.all())
    return [
        Entry(bare(one.code), one.code, one.name, " ; ".join((*one.inclusion_terms, *one.synonyms)))
        for one in found
        if one.code is not None and one.kind != "chapter"
    ]


def _newest(data: Path, pattern: str) -> Path:
    found = sorted(data.glob(pattern))
    if not found:
        raise SystemExit(f"{data}: no file {pattern}; see bench/README.md for where the official files come from")
    return found[-1]
