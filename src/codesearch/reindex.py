"""Reindex: sources -> fragments -> records -> a new generation, published when the gate lets it through.

The only importer of both stages. The sources named are the whole index: what they no longer give disappears.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from codesearch import __version__
from codesearch.config import config_root
from codesearch.difference import Difference
from codesearch.errors import IndexCorruptError, PublishRefused, UsageError
from codesearch.fragments import Spool
from codesearch.gathering import Settled, make_records
from codesearch.incremental import Inputs, Reading
from codesearch.index import manifest
from codesearch.index.build import write_index
from codesearch.index.durable import writing
from codesearch.index.generations import Draft, GenerationStore
from codesearch.index.input_states import write_states
from codesearch.index.manifest import SourceCount
from codesearch.index.record_file import ORPHANS, MergedRecord, StoredRecord, write_records
from codesearch.index.settings import read_settings
from codesearch.ingest import codesets
from codesearch.ingest.inputs import InputFile, walk
from codesearch.ingest.reading import InputReader
from codesearch.processes import Crew
from codesearch.progress import Listener, Progress, ignore
from codesearch.records import CodeRecord, InputWarning, RecordWarning, Reject, Skip

_CREW_FROM = 2_000_000
"""Bytes of input; fewer are done before processes would have started."""
LOSS_LIMIT = 10.0
"""Percent of a system's codes that may vanish from one generation to the next before the gate closes."""


class ReindexReport(msgspec.Struct, frozen=True):
    """What a reindex did; counts of codes are against the generation before."""

    generation: str | None
    published: bool
    records: int
    counts: dict[str, dict[str, int]]
    added: int
    changed: int
    unchanged: int
    removed: int
    rejects: tuple[Reject, ...]
    skips: tuple[Skip, ...]
    input_warnings: tuple[InputWarning, ...]
    warnings: dict[str, int]
    seconds: float
    refusal: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def reindex(
    sources: Sequence[str | Path],
    index: str | Path,
    *,
    full: bool = False,
    jobs: int | None = None,
    max_rejects: float = 5.0,
    report: str | Path | None = None,
    force: bool = False,
    config: str | Path | None = None,
    progress: Listener | None = None,
) -> ReindexReport:
    """Builds a new generation of an index from its sources and publishes it.

    Args:
        sources: files, folders, archives, or names of code sets that an installed package ships (`icd10cm`).
        index: the folder of the index; made when there is none.
        full: read every input again, also unchanged ones.
        jobs: processes that read, merge and index; the machine's cores when None.
        max_rejects: percent of the records and pages read that may be rejected.
        report: a file for every reject and warning, a line of JSON each.
        force: publish whatever was rejected or lost.
        config: a folder with `ingest/` and `index/` in place of the shipped ones.
        progress: called as the work goes on.

    Raises:
        PublishRefused: too much was rejected or lost; its `report` says what. The index is as it was.
        SourceError, ConfigError: a source or configuration file cannot be used at all.
        IndexUnusableError: the index cannot be written, or another process is building it.
    """
    if not sources:
        raise UsageError("reindex", "no source was given", "Name a folder, a file, an archive or a code set.")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs {jobs}", "out of range", "Use 1 or more.")
    run = _Run(Path(index), config_root(Path(config) if config else None), progress or ignore)
    with _collector_paused():
        given = [str(source) for source in sources]
        return run.build(given, jobs or os.cpu_count() or 1, full, max_rejects, Path(report) if report else None, force)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Records hold no cycles, and there are many: looking for cycles among them costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Run:
    """One reindex."""

    def __init__(self, path: Path, root: Path, progress: Listener) -> None:
        self._store = GenerationStore(path)
        self._reader = InputReader(root / "ingest")
        self._settings = read_settings(root / "index")
        self._progress = progress
        self._begun = time.monotonic()

    def build(
        self, sources: list[str], jobs: int, full: bool, max_rejects: float, report: Path | None, force: bool
    ) -> ReindexReport:
        """Reads, merges, indexes, and publishes if the gate lets it through."""
        try:
            return self._build(sources, jobs, full, max_rejects, report, force)
        except IndexCorruptError:
            if full:
                raise
            # A stranger made the index: what was taken from it is no record. All is read from the inputs.
            return self._build(sources, jobs, True, max_rejects, report, force)

    def _build(
        self, sources: list[str], jobs: int, full: bool, max_rejects: float, report: Path | None, force: bool
    ) -> ReindexReport:
        files, walked = _files(sources)
        with ExitStack() as stack:
            draft = stack.enter_context(self._store.building())
            crew = stack.enter_context(Crew(jobs if _size(files) >= _CREW_FROM else 1))
            spool = stack.enter_context(Spool(draft.folder))
            before = Inputs.of(self._store, self._reader.fingerprint)
            reading = before.read(self._reader, files, full, spool, crew, self._progress)
            for item in walked:
                reading.note(item)
            self._progress(Progress("merging", 0, None))
            settled = reading.gathering.settle()
            reading.input_warnings.extend(settled.warnings())
            refusal = "" if force else _refusal(settled, before.counts, len(reading.rejects), max_rejects)
            tally = Tally()
            if refusal:
                write_records(draft.folder, tally.counted(settled.records()))
            else:
                self._write(draft, settled, tally, reading, crew)
            difference = before.compare(draft.folder)
            if not refusal:
                self._progress(Progress("publishing", 0, None))
                draft.publish(datetime.now(UTC).isoformat(timespec="seconds"))
        seconds = round(time.monotonic() - self._begun, 2)
        found = _report(settled, reading, tally, difference, "" if refusal else draft.name, seconds, refusal)
        if report:
            _write_report(report, found, tally)
        if refusal:
            raise _refused(self._store, refusal, found)
        return found

    def _write(self, draft: Draft, settled: Settled, tally: Tally, reading: Reading, crew: Crew) -> None:
        def indexed(done: int) -> None:
            self._progress(Progress("indexing", done, settled.total))

        for record in write_index(draft.folder, settled.parts(), self._settings, make_records, indexed, crew):
            tally.add(record)
        write_records(draft.folder, map(StoredRecord, settled.orphans), ORPHANS)
        write_states(draft.folder, self._reader.fingerprint, reading.states())
        manifest.write(
            draft.folder,
            tool_version=__version__,
            counts=settled.counts,
            sources=list(_source_counts(reading)),
            config=self._settings.frozen(),
        )


class Tally:
    """The warnings of records."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.warned: list[tuple[str, str, str | None, tuple[RecordWarning, ...]]] = []
        """Place, system and code of each record that has warnings, and these."""

    def add(self, record: CodeRecord) -> None:
        """Counts the warnings of a record."""
        if record.warnings:
            self.kinds.update(warning.kind for warning in record.warnings)
            place = record.source[0].path if record.source else ""
            self.warned.append((place, record.system, record.code, record.warnings))

    def counted(self, records: Iterable[MergedRecord]) -> Iterator[MergedRecord]:
        """The records as they come."""
        for stored in records:
            self.add(stored.record)
            yield stored


def _size(files: Iterable[InputFile]) -> int:
    """Bytes of all files that can be seen; the others are told of when they are read."""
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.path.stat().st_size
    return size


def _files(sources: Iterable[str]) -> tuple[list[InputFile], list[Skip | Reject]]:
    """The input files of all sources, each once, and what was passed over on the way."""
    files: dict[Path, InputFile] = {}
    others: list[Skip | Reject] = []
    for source in sources:
        place = Path(source)
        # A folder named like a code set is the folder.
        path = place if os.path.lexists(place) else codesets.packaged(source) or place
        for item in walk(path):
            if isinstance(item, InputFile):
                files.setdefault(item.path.resolve(), item)
            else:
                others.append(item)
    return list(files.values()), others


def _report(
    settled: Settled,
    reading: Reading,
    tally: Tally,
    difference: Difference,
    generation: str,
    seconds: float,
    refusal: str,
) -> ReindexReport:
    return ReindexReport(
        generation=generation or None,
        published=bool(generation),
        records=settled.total,
        counts=settled.counts,
        added=difference.added,
        changed=difference.changed,
        unchanged=difference.unchanged,
        removed=difference.removed,
        rejects=tuple(reading.rejects),
        skips=tuple(reading.skips),
        input_warnings=tuple(reading.input_warnings),
        warnings=dict(tally.kinds),
        seconds=seconds,
        refusal=refusal,
    )


def _refusal(settled: Settled, before: dict[str, dict[str, int]], rejects: int, max_rejects: float) -> str:
    """Why the gate stays closed; empty where it opens."""
    if not settled.total:
        return "the sources gave no record at all"
    share = 100 * rejects / (settled.total + rejects)
    if share > max_rejects:
        return f"{rejects} inputs were rejected, {share:.1f} percent; at most {max_rejects:g} are let through"
    for system, kinds in before.items():
        had, has = kinds.get("total", 0), settled.counts.get(system, {}).get("total", 0)
        if had and 100 * (had - has) / had > LOSS_LIMIT:
            return f"{system or 'no system'} would lose {had - has} of {had} codes, more than {LOSS_LIMIT:g} percent"
    return ""


def _refused(store: GenerationStore, refusal: str, found: ReindexReport) -> PublishRefused:
    next_step = "Look at the rejects (--report FILE), mend the sources, or publish all the same with --force."
    error = PublishRefused(str(store.path), f"nothing was published: {refusal}", next_step)
    error.report = found
    return error


def _source_counts(reading: Reading) -> Iterator[SourceCount]:
    for state in reading.states():
        yield SourceCount(name=state.location, records=state.fragments, rejects=len(state.rejects))


def _write_report(path: Path, found: ReindexReport, tally: Tally) -> None:
    """Every reject, skip and warning, a line of JSON each, with its kind first."""
    encode = msgspec.json.Encoder().encode
    with writing(path), path.open("wb") as file:
        for kind, items in (("reject", found.rejects), ("skip", found.skips), ("input-warning", found.input_warnings)):
            for item in items:
                file.write(encode({"type": kind, **msgspec.structs.asdict(item)}) + b"\n")
        for place, system, code, warnings in tally.warned:
            for warning in warnings:
                line = {"type": "warning", "location": place, "system": system, "code": code}
                file.write(encode({**line, **msgspec.structs.asdict(warning)}) + b"\n")
