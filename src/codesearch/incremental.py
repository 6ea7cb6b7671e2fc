"""Reading only what changed: inputs that are as they were give what they gave before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from codesearch.difference import Difference, difference
from codesearch.errors import IndexUnusableError
from codesearch.fragments import Fragment, Spool
from codesearch.gathering import Gathering
from codesearch.index.generations import GenerationStore
from codesearch.index.input_states import InputState, InputStates, read_states
from codesearch.index.manifest import load
from codesearch.index.record_file import ORPHANS, RECORDS, RecordFile
from codesearch.ingest.inputs import InputFile
from codesearch.ingest.reading import InputReader, Item
from codesearch.processes import Crew
from codesearch.progress import Listener, Progress
from codesearch.records import BROKEN_JSON, InputWarning, Outline, PackedRecord, Reject, Skip, Source, packed

_TOLD_EVERY = 100

Note = Reject | Skip | InputWarning


class Reading:
    """Everything that the inputs of a run gave: fragments in a gathering, the rest by input and in their order."""

    def __init__(self, files: Sequence[InputFile], spool: Spool) -> None:
        self.gathering = Gathering()
        self.rejects: list[Reject] = []
        self.skips: list[Skip] = []
        self.input_warnings: list[InputWarning] = []
        self.done = 0
        self._spool = spool
        self._places = {file.location: place for place, file in enumerate(files)}
        self._counts = dict.fromkeys(self._places, 0)
        self._notes: dict[str, list[Note]] = {}
        self._states: dict[str, InputState] = {}

    def take(self, location: str, item: Item) -> None:
        """Files one item under its input."""
        if isinstance(item, PackedRecord):
            self.add(location, self._spool.keep(item))
        else:
            self._notes.setdefault(location, []).append(item)
            self.note(item)

    def add(self, location: str, fragment: Fragment) -> None:
        """Files a fragment under its input."""
        self.gathering.add(self._places[location], fragment)
        self._counts[location] += 1
        self.done += 1

    def note(self, item: Note) -> None:
        """Takes what is no fragment."""
        if isinstance(item, Reject):
            self.rejects.append(item)
        elif isinstance(item, Skip):
            self.skips.append(item)
        else:
            self.input_warnings.append(item)

    def seen(self, state: InputState) -> None:
        """Remembers how an input looked when it was read."""
        self._states[state.location] = state

    def states(self) -> Iterator[InputState]:
        """The state of every input that could be read, with what it gave, in their order."""
        for location in self._places:
            state = self._states.get(location)
            if state is not None:
                notes = self._notes.get(location, ())
                yield msgspec.structs.replace(
                    state,
                    fragments=self._counts[location],
                    rejects=tuple(item for item in notes if isinstance(item, Reject)),
                    skips=tuple(item for item in notes if isinstance(item, Skip)),
                    warnings=tuple(item for item in notes if isinstance(item, InputWarning)),
                )


class Inputs:
    """What the current generation of an index was made from; empty where there is none that can be read."""

    def __init__(self, folder: Path | None, states: InputStates, counts: dict[str, dict[str, int]]) -> None:
        self._folder = folder
        self._states = {state.location: state for state in states.inputs}
        self.counts = counts

    @classmethod
    def of(cls, store: GenerationStore, fingerprint: str) -> Inputs:
        """The inputs of the current generation, of no use where another configuration read them.

        A missing or damaged generation is what reindex is there to mend: everything is read anew.
        """
        unread = InputStates(fingerprint, ())
        try:
            folder = store.current().folder
            manifest = load(folder)
        except IndexUnusableError:
            return cls(None, unread, {})
        counts = {system: dict(kinds) for system, kinds in manifest.counts.items()}
        try:
            if any(manifest.check_sums(folder)):
                return cls(None, unread, counts)
            states = read_states(folder)
        except IndexUnusableError:
            return cls(None, unread, counts)
        return cls(folder, states if states.fingerprint == fingerprint else unread, counts)

    def read(
        self, reader: InputReader, files: Sequence[InputFile], full: bool, spool: Spool, crew: Crew, progress: Listener
    ) -> Reading:
        """Reads the inputs that changed, and takes the others from the index; all of them when `full`."""
        reading = Reading(files, spool)
        kept: dict[str, InputState] = {}
        for file in files:
            before = self._states.get(file.location)
            state = _state(reader, file, before)
            if state is not None:
                reading.seen(state)
                if before is not None and before.sha256 == state.sha256 and not full:
                    kept[file.location] = before
        restored = self._restored(reading, kept, spool) if kept else set()
        for file, item in reader.items((file for file in files if file.location not in restored), crew):
            reading.take(file.location, item)
            if reading.done % _TOLD_EVERY == 0:
                progress(Progress("reading", reading.done, None))
        progress(Progress("reading", reading.done, None))
        return reading

    def _restored(self, reading: Reading, kept: dict[str, InputState], spool: Spool) -> set[str]:
        """Takes what unchanged inputs gave from the index; gives the inputs of which all was found."""
        found: dict[str, list[Fragment]] = {location: [] for location in kept}
        if self._folder is not None:
            try:
                for name in (RECORDS, ORPHANS):
                    _read_back(self._folder, name, _Finder(found, spool))
            except (IndexUnusableError, *BROKEN_JSON):
                # The disk broke, or a stranger made the index: all is read from the inputs.
                return set()
        whole = [location for location, fragments in found.items() if len(fragments) == kept[location].fragments]
        for location in whole:
            for fragment in found[location]:
                reading.add(location, fragment)
            state = kept[location]
            notes: tuple[Note, ...] = (*state.rejects, *state.skips, *state.warnings)
            for note in notes:
                reading.take(location, note)
        return set(whole)

    def compare(self, folder: Path) -> Difference:
        """How the records written in a folder differ from those of the index."""
        with closing(RecordFile(folder)) as now:
            if self._folder is not None:
                # A generation that cannot be read is what reindex is there to replace.
                with suppress(IndexUnusableError), closing(RecordFile(self._folder)) as before:
                    return difference(before, now)
            return Difference(len(now), 0, 0, 0)


def _state(reader: InputReader, file: InputFile, before: InputState | None) -> InputState | None:
    """How an input looks now: the state before where size and time are the same, else with a new checksum.

    None where it cannot be read, or is not read: reading it again gives the reject that names the reason.
    """
    try:
        if reader.refusal(file):
            return None
        found = file.path.stat()
        if before and before.size == found.st_size and before.changed_ns == found.st_mtime_ns:
            return before
        with file.path.open("rb") as stream:
            checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
    return InputState(file.location, found.st_size, found.st_mtime_ns, checksum)


_OUTLINE_DECODER = msgspec.json.Decoder(Outline)


class _Finder:
    """Finds the input that a fragment comes from, and files it there; fragments of other inputs are dropped."""

    def __init__(self, found: dict[str, list[Fragment]], spool: Spool) -> None:
        self._found = found
        self._spool = spool
        self._sources: dict[tuple[Source, ...], tuple[Source, ...]] = {}

    def take(self, raw: msgspec.Raw) -> None:
        """Files a fragment under its input."""
        outline = _OUTLINE_DECODER.decode(raw)
        found = self._list_of(outline.source)
        if found is not None:
            # What thousands have in common is one object, as it was when it was read.
            msgspec.structs.force_setattr(outline, "source", self._sources.setdefault(outline.source, outline.source))
            found.append(self._spool.keep(packed(outline, bytes(raw))))

    def _list_of(self, sources: tuple[Source, ...]) -> list[Fragment] | None:
        """The list of the input that a source lies in: its place without the member or line inside the input."""
        place = sources[0].path if sources else ""
        if place in self._found:
            return self._found[place]
        for end in range(len(place) - 1, 0, -1):
            if place[end] in "!:" and place[:end] in self._found:
                return self._found[place[:end]]
        return None


def _read_back(folder: Path, name: str, finder: _Finder) -> None:
    """Files the fragments of a record file."""
    file = RecordFile(folder, name)
    try:
        for line in file.lines():
            for raw in file.decode_raw(line).sources():
                finder.take(raw)
    finally:
        file.close()
