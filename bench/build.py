"""Times the building of one index from the same ready records: this project, stock Whoosh, SQLite FTS5 and tantivy.

    python bench/build.py ../shared/data                       # three rounds, the engines in turn
    python bench/build.py ../shared/data --rounds 1 --engines codesearch tantivy

The records are read and merged once, and each process that builds has its own copy of them before the clock runs: what
it shared with the process that forked it would be copied page by page meanwhile, and the garbage collector would go
through all of it (that made tantivy twice as slow). Every engine indexes code, name and all other names and stores the
record's JSON, as this project does. The others are given these texts and the JSON ready made, which we make while the
clock runs: `rows` are the seconds that it takes to make them of the same records, and the last two columns the ratios
with these seconds counted. Prints records a second, the ratio to stock Whoosh and to tantivy, bytes on disk, and the
memory that the building process needed beyond the records it was given, in a fork of its own for each round.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from codesearch.config import shipped_root
from codesearch.index.build import write_index
from codesearch.index.record_file import RecordFile, StoredRecord
from codesearch.index.settings import read_settings
from codesearch.processes import Crew
from codesearch.records import CodeRecord, decode_record, encode_record
from codesearch.reindex import reindex

_TOGETHER = 2000
"""Records that our processes invert at once."""
Rows = list[tuple[str, str, str, bytes]]
"""Code, name, other names, and the JSON of each record."""


class _Build(NamedTuple):
    """Seconds of one build, those in which its rows were made before, bytes on disk, and peak memory in kB."""

    seconds: float
    rows: float
    size: int
    memory: int


_records_of_build: list[StoredRecord] = []
"""Our processes are forks of the one that builds, and find its records here."""


def ours(records: list[StoredRecord], folder: Path) -> None:
    """This project: everything that a generation holds but the manifest. What its workers copy of the records that they
    share with it is on its clock."""
    gc.disable()  # as `reindex` does: nothing that is made here goes before the end
    settings = read_settings(shipped_root() / "index")
    _records_of_build[:] = records
    parts = [slice(first, first + _TOGETHER) for first in range(0, len(records), _TOGETHER)]
    with Crew(os.cpu_count() or 1) as crew:
        write_index(folder, parts, settings, _part, crew=crew)


def _part(place: slice) -> list[StoredRecord]:
    return _records_of_build[place]


def stock_whoosh(rows: Rows, folder: Path) -> None:
    """Whoosh with its own codec and its stemming analyzer."""
    from whoosh import fields, index
    from whoosh.analysis.analyzers import StemmingAnalyzer

    text = fields.TEXT(analyzer=StemmingAnalyzer())
    schema = fields.Schema(code=fields.ID(stored=True), name=text, other=text, record=fields.STORED)
    writer = index.create_in(str(folder), schema).writer(limitmb=512)
    for code, name, other, record in rows:
        writer.add_document(code=code, name=name, other=other, record=record)
    writer.commit()


def fts5(rows: Rows, folder: Path) -> None:
    """SQLite's full-text index with the porter stemmer, records in a table beside it."""
    connection = sqlite3.connect(folder / "fts.db")
    connection.execute("CREATE VIRTUAL TABLE names USING fts5(code, name, other, tokenize='porter unicode61')")
    connection.execute("CREATE TABLE records (record BLOB)")
    with connection:
        connection.executemany("INSERT INTO names VALUES (?, ?, ?)", (row[:3] for row in rows))
        connection.executemany("INSERT INTO records VALUES (?)", (row[3:] for row in rows))
    connection.close()


def tantivy(rows: Rows, folder: Path) -> None:
    """Tantivy with its English stemmer, one writing thread for each core."""
    import tantivy as engine

    builder = engine.SchemaBuilder()
    builder.add_text_field("code", stored=True, tokenizer_name="raw")
    builder.add_text_field("name", stored=True, tokenizer_name="en_stem")
    builder.add_text_field("other", tokenizer_name="en_stem")
    builder.add_bytes_field("record", stored=True)
    writer = engine.Index(builder.build(), path=str(folder)).writer(400_000_000, os.cpu_count() or 1)
    for code, name, other, record in rows:
        writer.add_document(engine.Document(code=code, name=name, other=other, record=record))
    writer.commit()
    writer.wait_merging_threads()


ENGINES: dict[str, Callable[[Rows, Path], None]] = {"whoosh": stock_whoosh, "fts5": fts5, "tantivy": tantivy}
OURS = "codesearch"


def main() -> None:
    """Reads the arguments, builds and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="what reindex reads: official files, pages")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=[OURS, *ENGINES], choices=[OURS, *ENGINES])
    options = parser.parse_args()
    records = _records(options.sources)
    taken: dict[str, list[_Build]] = {name: [] for name in options.engines}
    for _ in range(options.rounds):
        for name in options.engines:
            taken[name].append(_measured(name, records))
    ready = {name: statistics.median(one.seconds for one in builds) for name, builds in taken.items()}
    rows = {name: statistics.median(one.rows for one in builds) for name, builds in taken.items()}
    whole = {name: seconds + rows[name] for name, seconds in ready.items()}
    print(f"{len(records):,} records, {options.rounds} rounds, medians")
    titles = ("seconds", "records/s", "to whoosh", "to tantivy", "MB", "peak MB", "rows", "to whoosh", "to tantivy")
    print(f"{'engine':<12}" + "".join(f"{title:>12}" for title in titles))
    for name, builds in taken.items():
        size, peak = builds[0].size / 1e6, max(one.memory for one in builds) / 1e3
        print(
            f"{name:<12}{ready[name]:>12.2f}{len(records) / ready[name]:>12,.0f}{_ratios(ready, name)}{size:>12.1f}"
            f"{peak:>12.0f}{rows[name]:>12.2f}{_ratios(whole, name)}"
        )


def _ratios(medians: dict[str, float], name: str) -> str:
    """How many times as fast as stock Whoosh and as tantivy."""
    return "".join(
        f"{medians[peer] / medians[name]:>11.2f}x" if peer in medians else f"{'':>12}" for peer in ("whoosh", "tantivy")
    )


def _records(sources: list[str]) -> list[bytes]:
    """Records as JSON, without what the sources gave before merging, which this project alone stores."""
    with tempfile.TemporaryDirectory() as folder:
        reindex(sources, folder, force=True)
        file = RecordFile(next(Path(folder, "generations").iterdir()))
        try:
            return [encode_record(stored.record) for stored in file.all()]
        finally:
            file.close()


def _rows(records: list[CodeRecord]) -> Rows:
    return list(map(_row, records))


def _row(record: CodeRecord) -> tuple[str, str, str, bytes]:
    sections = (record.summary, *record.purpose.conditions, *record.indications.symptoms, *record.procedure.steps)
    other = "\n".join((*record.inclusion_terms, *record.synonyms, *record.notes, *sections))
    return record.code or "", record.name, other, encode_record(record)


def _measured(name: str, records: list[bytes]) -> _Build:
    """One build in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def build() -> None:
        # Made here, since what a fork shares is copied page by page when it is first looked at.
        made = list(map(decode_record, records))
        begun = time.perf_counter()
        work = partial(ours, list(map(StoredRecord, made))) if name == OURS else partial(ENGINES[name], _rows(made))
        rows = 0.0 if name == OURS else time.perf_counter() - begun
        del made
        with tempfile.TemporaryDirectory() as folder:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            begun = time.perf_counter()
            work(Path(folder))
            seconds = time.perf_counter() - begun
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
            sender.send((seconds, rows, size, memory))

    process = context.Process(target=build)
    process.start()
    answer = _Build(*receiver.recv())
    process.join()
    return answer


if __name__ == "__main__":
    main()
