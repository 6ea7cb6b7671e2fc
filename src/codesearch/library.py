"""The face that other tools hold: an open index to search and to read records from."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from codesearch.index.generations import Generation, GenerationStore
from codesearch.index.reader import IndexReader
from codesearch.query.lookup import document_of, documents_of, existing_documents
from codesearch.query.request import Filters, Request
from codesearch.query.results import Results
from codesearch.query.search import Searcher
from codesearch.records import CodeRecord

if TYPE_CHECKING:
    from codesearch.query.family import CodeSummary, Family
    from codesearch.query.policies import CodePolicy
    from codesearch.query.similar import SimilarHit
    from codesearch.query.suggest import Suggester, Suggestion

Sort = Literal["rank", "code"]


class Status(msgspec.Struct, frozen=True):
    """What an index holds: its generation, when it was built, counts by system and kind, sources, and bytes on disk."""

    generation: str
    built: str
    counts: dict[str, dict[str, int]]
    sources: list[dict[str, Any]]
    size: int

    def to_dict(self) -> dict[str, Any]:
        """The status as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class _Opened:
    """A generation, open. Its files are closed when nobody holds it any more: no search, no hit, no index."""

    def __init__(self, generation: Generation, reader: IndexReader, searcher: Searcher) -> None:
        self.generation = generation
        self.reader = reader
        self.searcher = searcher

    @cached_property
    def suggester(self) -> Suggester:
        """Completes what is typed; made when it is first asked for, as a command that searches once needs none."""
        from codesearch.query.suggest import Suggester

        return Suggester(self.reader)


class Index:
    """An open index: one generation of it until `refresh` is called. Safe to share between threads."""

    def __init__(self, path: Path, opened: _Opened) -> None:
        """Use `open_index`."""
        self.path = path
        self._opened = opened
        self._is_closed = False
        self._changing = threading.Lock()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._reader.documents

    @property
    def _reader(self) -> IndexReader:
        return self._opened.reader

    @property
    def _searcher(self) -> Searcher:
        return self._opened.searcher

    @contextmanager
    def _answering(self) -> Iterator[_Opened]:
        """The generation to answer from, inside the block.

        Raises:
            IndexCorruptError: a file of it is not as it was built, so that there is no answer.
        """
        opened = self._opened
        with opened.reader.explaining():
            yield opened
        opened.reader.confirm()

    @property
    def generation(self) -> str:
        """The name of the generation that answers."""
        return self._opened.generation.name

    def close(self) -> None:
        """Closes its files; hits already given keep their names, not their records."""
        with self._changing:
            self._is_closed = True
            self._reader.close()

    def refresh(self) -> bool:
        """Goes over to the current generation of the index, where another was published or rolled back to meanwhile.

        Searches that run meanwhile end on the generation on which they began. What they gave stays whole, records too;
        the files of a generation are closed when nothing that it gave is held any more. When nothing changed one small
        file is read.

        Returns:
            Whether the index answers from another generation now; never when it is closed.

        Raises:
            IndexUnusableError: the current generation cannot be opened; the index goes on with the one it has.
        """
        with self._changing:
            before = self._opened
            if not self._is_closed:
                self._opened = GenerationStore(self.path).open_current(
                    lambda now: before if now == before.generation else _follow(before, now)
                )
            return self._opened is not before

    def warm_up(self) -> None:
        """Loads the compiled ranking now, for callers that will search much; else it is loaded after a few searches."""
        self._searcher.compile()

    def search(
        self,
        query: str,
        *,
        system: str | Sequence[str] | None = None,
        billable: bool | None = None,
        kind: str | None = None,
        chapter: str | None = None,
        parent: str | None = None,
        setting: str | None = None,
        on: str | None = None,
        limit: int = 10,
        offset: int = 0,
        cursor: str | None = None,
        sort: Sort = "rank",
        exact: bool = False,
        group: bool = False,
    ) -> Results:
        """The codes that fit a query best.

        Args:
            query: codes in any spelling, words, phrases and operators (docs/query-language.md); no text is an error.
            system: only codes of this system or these, by any of their names.
            billable: only billable codes (True), or only others (False).
            kind: only this kind: `code`, `header`, `modifier` or `chapter`.
            chapter: only codes of this chapter, by its number.
            parent: only codes below this one.
            setting: only codes whose setting holds these words.
            on: only codes in force on this day (YYYY-MM-DD); those of which no source says count as in force.
            limit: at most this many hits, from `offset` on.
            cursor: in place of `offset`, the `next_cursor` of the page before, or `start`.
            sort: by rank, or by code.
            exact: search what is typed and nothing else: no synonyms, no corrections.
            group: one hit for all codes that differ in the side or the encounter alone; it knows its `siblings`.

        Raises:
            UsageError: a number is out of range, nothing in the index could fit a filter, or the cursor belongs to
                another search or to another state of the index.
            IndexCorruptError: a file of the index is not as it was built.
        """
        filters = Filters(_systems(system), billable, kind, chapter, parent, setting, on)
        # As `_answering` does, without what a context manager takes: a tenth of a short search.
        opened = self._opened
        try:
            results = opened.searcher.search(Request(query, filters, sort, exact, group), limit, offset, cursor)
        except Exception as error:
            opened.reader.explain(error)
            raise
        opened.reader.confirm()
        return results

    def suggest(
        self,
        prefix: str,
        *,
        system: str | Sequence[str] | None = None,
        billable: bool | None = None,
        limit: int = 10,
    ) -> tuple[Suggestion, ...]:
        """What a text that is still being typed may become: codes and names that go on from it, best first.

        Args:
            prefix: the beginning of a code in any spelling, or words of which the last may be incomplete.
            system: only codes of this system or these, by any of their names.
            billable: only billable codes (True), or only others (False).
            limit: at most this many suggestions, each of another code.

        Raises:
            UsageError: the limit is out of range, or the index has no such system.
            IndexCorruptError: a file of the index is not as it was built.
        """
        with self._answering() as opened:
            return opened.suggester.suggest(prefix, opened.searcher.scope(_filters(system, billable)), limit)

    def complete_code(
        self, prefix: str, *, system: str | Sequence[str] | None = None, limit: int = 10
    ) -> tuple[Suggestion, ...]:
        """The codes that begin so, in any spelling, where words are no use: a shell's completion, a field for a code.

        Raises:
            UsageError: the limit is out of range, or the index has no such system.
            IndexCorruptError: a file of the index is not as it was built.
        """
        with self._answering() as opened:
            return opened.suggester.complete_code(prefix, opened.searcher.scope(_filters(system)), limit)

    def get(self, code: str, system: str | None = None) -> CodeRecord | None:
        """The record of a code in any spelling; without a system the first that has it. None where there is none."""
        with self._answering() as opened:
            document = next(documents_of(opened.reader, code, system), None)
            return None if document is None else opened.reader.records.get(document)

    def all_of(self, code: str) -> list[CodeRecord]:
        """The records of a code in every system that has it (A0100 is a HCPCS code, and ICD-10-CM A01.00)."""
        with self._answering() as opened:
            return [opened.reader.records.get(document) for document in sorted(documents_of(opened.reader, code))]

    def families(self, code: str, system: str | None = None) -> tuple[Family, ...]:
        """The record of a code with the codes above and below it, in every system that has the code, or in one.

        Raises:
            UnknownCodeError: the index has no such code.
        """
        from codesearch.query.family import family

        with self._answering() as opened:
            reader = opened.reader
            return tuple(family(reader, document) for document in existing_documents(reader, code, system))

    def parents(self, code: str, system: str | None = None) -> tuple[CodeSummary, ...]:
        """The codes above a code, the topmost first: chapter, section, headers.

        Raises:
            UnknownCodeError: the index has no such code.
        """
        from codesearch.query.family import parents, summaries

        with self._answering() as opened:
            return summaries(opened.reader, parents(opened.reader, document_of(opened.reader, code, system)))

    def children(self, code: str, system: str | None = None) -> tuple[CodeSummary, ...]:
        """The codes directly below a code, in the order of codes.

        Raises:
            UnknownCodeError: the index has no such code.
        """
        from codesearch.query.family import children, summaries

        with self._answering() as opened:
            return summaries(opened.reader, children(opened.reader, document_of(opened.reader, code, system)))

    def similar(self, code: str, *, system: str | None = None, limit: int = 10) -> tuple[SimilarHit, ...]:
        """Codes like a code: those that its page lists, then its siblings, then those of like text; ended ones last.

        Args:
            code: in any spelling.
            system: where to look for the code; without it the first system that has it. Codes of all systems are given.
            limit: at most this many.

        Raises:
            UnknownCodeError: the index has no such code.
            UsageError: the limit is out of range.
        """
        from codesearch.query.similar import similar_codes

        with self._answering() as opened:
            document = document_of(opened.reader, code, system)
            return similar_codes(opened.searcher, opened.reader, document, limit)

    def policies(self, code: str, *, system: str | None = None) -> tuple[CodePolicy, ...]:
        """The policies that name a code, in the order of its page; without a system, of every system that has the code.

        Raises:
            UnknownCodeError: the index has no such code.
        """
        from codesearch.query.policies import policies_of

        with self._answering() as opened:
            documents = existing_documents(opened.reader, code, system)
            return tuple(one for document in documents for one in policies_of(opened.reader.records.get(document)))

    def codes_with_policy(
        self, policy: str = "", *, payer: str = "", system: str | None = None
    ) -> tuple[CodePolicy, ...]:
        """The codes that policies name, in the order of codes: a row for each code and policy.

        Args:
            policy: words that all stand in the policy's title, which holds its number too.
            payer: words that all stand in the name of its payer.
            system: only codes of this system.

        Raises:
            UsageError: there is no word to look for.
        """
        from codesearch.query.policies import policies_with

        with self._answering() as opened:
            return tuple(policies_with(opened.reader, policy, payer, system))

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems in the index, in the order of its documents."""
        return tuple(name for name in self._reader.systems if name)

    def status(self) -> Status:
        """What the index holds."""
        generation = self._opened.generation
        manifest = self._opened.reader.manifest
        sources = [msgspec.to_builtins(source) for source in manifest.sources]
        return Status(generation.name, generation.built, dict(manifest.counts), sources, manifest.size)


def _open(generation: Generation) -> _Opened:
    reader = IndexReader(generation.folder)
    with reader.explaining():
        return _Opened(generation, reader, Searcher(reader))


def _follow(before: _Opened, generation: Generation) -> _Opened:
    """A generation in place of another, as ready as that was.

    Nobody waits for it: the other answers meanwhile. Its first searches need not go the long way, nor a thread load the
    compiled ranking once more, which would leave memory behind in the heap of every thread that ever did.
    """
    opened = _open(generation)
    if before.searcher.is_compiled:
        with opened.reader.explaining():
            opened.searcher.compile()
    return opened


def open_index(path: str | Path) -> Index:
    """Opens the current generation of an index.

    Raises:
        IndexMissingError: there is no index at that place.
        IndexCorruptError: a file of it is missing, cut or changed.
        UntrustedIndexError: it holds what no index of ours would hold.
    """
    place = Path(path)
    return Index(place, GenerationStore(place).open_current(_open))


def _filters(system: str | Sequence[str] | None, billable: bool | None = None) -> Filters:
    return Filters(_systems(system), billable)


def _systems(given: str | Sequence[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())
