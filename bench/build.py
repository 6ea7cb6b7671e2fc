"""Times the building of one index from the same ready records: this project, stock Whoosh, SQLite FTS5 and tantivy.

    python bench/build.py ../shared/data                       # three rounds, the engines in turn
    python bench/build.py ../shared/data --rounds 1 --engines codesearch tantivy

The records are read and merged once, and each process that builds has its own copy of them before the clock runs: what
it shared with the process that forked it would be copied page by page meanwhile, and the garbage collector would go
through all of it (that made tantivy twice as slow). So do the workers of this project, which make the records that they
invert when they build for `reindex`. Every engine indexes code, name and all other names and stores the record's JSON,
as this project does. The others are given these texts and the JSON ready made, which we make while the clock runs:
`rows` are the seconds that it takes to make them of the same records, and the last two columns the ratios with these
seconds counted. Prints records a second, the ratio to stock Whoosh and to tantivy, bytes on disk, and the memory that
all processes of a build needed beyond the records they were given, anew for each round.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
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


_ready: list[StoredRecord] = []
"""In each of our workers, the records."""


def _ours(file: Path, folder: Path) -> tuple[float, float, int]:
    """This project: everything that a generation holds but the manifest.

    Gives the seconds, those of rows, and the memory of `_Build`.
    """
    gc.disable()  # as `reindex` does: nothing that is made here goes before the end
    with Crew(max(2, os.cpu_count() or 1)) as crew:  # one of a single process would have no workers
        count = crew.each(_make_ready, file)[0]
        parts = [slice(first, first + _TOGETHER) for first in range(0, count, _TOGETHER)]
        before = _before() + sum(crew.each(_before, None))
        begun = time.perf_counter()
        write_index(folder, parts, read_settings(shipped_root() / "index"), _part, crew=crew)
        seconds = time.perf_counter() - begun
        return seconds, 0.0, _peak() + sum(crew.each(_peak, None)) - before


def _make_ready(file: Path) -> int:
    _ready[:] = map(StoredRecord, _read(file))
    return len(_ready)


def _part(place: slice) -> list[StoredRecord]:
    return _ready[place]


def _before(_: None = None) -> int:
    """The memory that this process holds, in kB; from now on its peak is counted."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _peak(_: None = None) -> int:
    return _memory("VmHWM")


def _memory(kind: str) -> int:
    told = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(kind))
    return int(told.split()[1])


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
    taken: dict[str, list[_Build]] = {name: [] for name in options.engines}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "records.jsonl")
        count = _write(file, options.sources)
        for _ in range(options.rounds):
            for name in options.engines:
                taken[name].append(_measured(name, file))
    ready = {name: statistics.median(one.seconds for one in builds) for name, builds in taken.items()}
    rows = {name: statistics.median(one.rows for one in builds) for name, builds in taken.items()}
    whole = {name: seconds + rows[name] for name, seconds in ready.items()}
    print(f"{count:,} records, {options.rounds} rounds, medians")
    titles = ("seconds", "records/s", "to whoosh", "to tantivy", "MB", "peak MB", "rows", "to whoosh", "to tantivy")
    print(f"{'engine':<12}" + "".join(f"{title:>12}" for title in titles))
    for name, builds in taken.items():
        size, peak = builds[0].size / 1e6, max(one.memory for one in builds) / 1e3
        print(
            f"{name:<12}{ready[name]:>12.2f}{count / ready[name]:>12,.0f}{_ratios(ready, name)}{size:>12.1f}"
            f"{peak:>12.0f}{rows[name]:>12.2f}{_ratios(whole, name)}"
        )


def _ratios(medians: dict[str, float], name: str) -> str:
    """How many times as fast as stock Whoosh and as tantivy."""
    return "".join(
        f"{medians[peer] / medians[name]:>11.2f}x" if peer in medians else f"{'':>12}" for peer in ("whoosh", "tantivy")
    )


def _write(file: Path, sources: list[str]) -> int:
    """Writes the records as JSON, without what the sources gave before merging, which this project alone stores."""
    with tempfile.TemporaryDirectory() as folder:
        reindex(sources, folder, force=True)
        records = RecordFile(next(Path(folder, "generations").iterdir()))
        try:
            lines = [encode_record(stored.record) for stored in records.all()]
        finally:
            records.close()
    file.write_bytes(b"\n".join(lines))
    return len(lines)


def _read(file: Path) -> list[CodeRecord]:
    with file.open("rb") as lines:
        return list(map(decode_record, lines))


def _rows(records: list[CodeRecord]) -> Rows:
    return list(map(_row, records))


def _row(record: CodeRecord) -> tuple[str, str, str, bytes]:
    sections = (record.summary, *record.purpose.conditions, *record.indications.symptoms, *record.procedure.steps)
    other = "\n".join((*record.inclusion_terms, *record.synonyms, *record.notes, *sections))
    return record.code or "", record.name, other, encode_record(record)


def _measured(name: str, file: Path) -> _Build:
    """One build in a new process: a fork of this one would copy every page that it writes to."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_build, args=(name, file, sender))
    process.start()
    answer = _Build(*receiver.recv())
    process.join()
    return answer


def _build(name: str, file: Path, sender: Connection) -> None:
    work = _ours if name == OURS else partial(_theirs, ENGINES[name])
    with tempfile.TemporaryDirectory() as folder:
        seconds, rows, memory = work(file, Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    sender.send((seconds, rows, size, memory))


def _theirs(engine: Callable[[Rows, Path], None], file: Path, folder: Path) -> tuple[float, float, int]:
    """The same for another engine."""
    made = _read(file)
    begun = time.perf_counter()
    rows = _rows(made)
    ready = time.perf_counter()
    del made
    before = _before()
    started = time.perf_counter()
    engine(rows, folder)
    return time.perf_counter() - started, ready - begun, _peak() - before


if __name__ == "__main__":
    main()
