"""Reading a generation: its arrays, names, codes, words and records."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codesearch.codes import bare
from codesearch.errors import CodesearchError, IndexCorruptError, IndexUnusableError, UntrustedIndexError
from codesearch.index import manifest
from codesearch.index.analysis import Analyzer
from codesearch.index.arrays import ARRAYS_NAME, ArrayFile
from codesearch.index.checking import FileCheck
from codesearch.index.durable import REBUILD, reading
from codesearch.index.expansions import FILE_NAME as EXPANSIONS_NAME
from codesearch.index.expansions import ExpansionFile, Expansions
from codesearch.index.fields import title_entries
from codesearch.index.limits import CODE_BYTES
from codesearch.index.ranking import idf
from codesearch.index.record_file import RECORDS, RecordFile
from codesearch.index.settings import thaw_settings
from codesearch.index.structure import check_postings, check_tables
from codesearch.records import CodeRecord

SEARCHED = (ARRAYS_NAME, f"{RECORDS}.arrays", EXPANSIONS_NAME)
"""Files that answers are made of. The records themselves carry checksums of their own, block by block."""

_BILLABLE = {"yes": True, "no": False}

DEEPEST = 12
"""Levels that are followed up or down from a code: chapter, sections and headers are eight at most; a wrong table may
go in rings."""


class Strings:
    """Texts by number, decoded one by one from the memory map."""

    def __init__(self, arrays: ArrayFile, name: str) -> None:
        """Takes the arrays `name.text` and `name.offsets`."""
        self._map, self._start = arrays.mapped(f"{name}.text")
        self._offsets = arrays[f"{name}.offsets"].data
        self._together: str | None = None

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> str:
        offsets, together = self._offsets, self._together
        if together is not None:
            return together[offsets[number] : offsets[number + 1]]
        start = self._start
        text = self._map[start + offsets[number] : start + offsets[number + 1]]
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise _broken_text(error) from error

    def length(self, number: int) -> int:
        """The bytes of a text."""
        size: int = self._offsets[number + 1] - self._offsets[number]
        return size

    def learn(self) -> None:
        """Keeps all texts decoded, where all are ASCII: each is then had in half the time."""
        # Without a copy in between, which would leave memory behind in the heap of the thread.
        with memoryview(self._map)[self._start : self._start + self._offsets[-1]] as view, suppress(UnicodeDecodeError):
            self._together = str(view, "ascii")

    def all(self) -> list[str]:
        """Every text."""
        offsets = self._offsets.tolist()
        whole = self._map[self._start : self._start + offsets[-1]]
        if whole.isascii():
            together = whole.decode("ascii")
            return [together[start:end] for start, end in pairwise(offsets)]
        try:
            return [whole[start:end].decode() for start, end in pairwise(offsets)]
        except UnicodeDecodeError as error:
            raise _broken_text(error) from error


class IndexReader:
    """One generation, open for reading; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Opens the files of a generation and checks their sizes against the manifest.

        Raises:
            UntrustedIndexError: it holds what no index of ours would hold.
            IndexUnusableError: a file is missing, cut, changed, or of another version.
        """
        self.folder = folder
        self.manifest = manifest.load(folder)
        self.settings = thaw_settings(self.manifest.config, folder / manifest.MANIFEST)
        self._check_tables_of_contents()
        self.manifest.check_sizes(folder)
        self._check = FileCheck(folder, self.manifest, SEARCHED)
        with ExitStack() as opened, self._confirming():
            opened.callback(self._check.close)
            self.analyzer = Analyzer(self.settings.analysis)
            self.arrays = ArrayFile(folder / ARRAYS_NAME)
            tables = check_tables(self.arrays, self.settings.fields)
            self.documents, self.keywords = tables.documents, tables.keywords
            self.names = Strings(self.arrays, "name")
            self.codes = Strings(self.arrays, "code")
            self.records = RecordFile(folder)
            opened.callback(self.records.close)
            if len(self.records) != self.documents:
                reason = f"holds {len(self.records)} records for {self.documents} documents"
                raise IndexCorruptError(str(folder / f"{RECORDS}.arrays"), reason, REBUILD)
            self._expansion_file = ExpansionFile(folder)
            opened.callback(self._expansion_file.close)
            self.systems = self._system_slices()
            self._coded_counts: dict[str, int] = {}
            self._close = weakref.finalize(self, opened.pop_all().close)

    @contextmanager
    def _confirming(self) -> Iterator[None]:
        """An error inside the block is raised as what it is where a file is not as it was built."""
        try:
            yield
        except Exception:
            self.confirm()
            raise

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """An error inside the block that a damaged file explains is raised as what it is.

        Raises:
            IndexCorruptError: a file is not as it was built, or leads out of itself.
        """
        try:
            yield
        except Exception as error:
            self.explain(error)
            raise

    def explain(self, error: Exception) -> None:
        """Looks whether a damaged file explains an error.

        Raises:
            IndexCorruptError: a file is not as it was built, or leads out of itself.
        """
        self.confirm()
        if not isinstance(error, CodesearchError):
            self.check_structure()
            self._check_records()

    def confirm(self) -> None:
        """What was read so far is an answer when this returns: all files are as they were built.

        Raises:
            IndexCorruptError: one is not.
        """
        self._check.confirm()

    def check_structure(self) -> None:
        """Looks at everything that opening passes over.

        Raises:
            IndexCorruptError: one part leads out of another.
        """
        check_postings(self.arrays, self.documents)
        known = self.settings.ranking.classes
        named = {one.weight_class for expansions in self.expansions.values() for one in expansions}
        if not named <= known.keys():
            reason = f"names a class of synonyms that has no weight: {min(named - known.keys())!r}"
            raise IndexCorruptError(str(self.folder / EXPANSIONS_NAME), reason, REBUILD)

    def fits(self, document: int, record: CodeRecord) -> bool:
        """Whether a record is the one that the arrays were made of, as far as can be told at a glance."""
        titles = title_entries(record, self.settings.fields.title)
        said = (record.system, record.code or "", record.name, len(titles))
        system, code, name = self.keyword("system", document), self.codes[document], self.names[document]
        return said == (system, code, name, self._title_counts[document])

    @cached_property
    def _title_counts(self) -> list[int]:
        """How many entries each document has among the titles."""
        counts: list[int] = np.bincount(self.arrays["title.documents"], minlength=self.documents).tolist()
        return counts

    def _check_records(self) -> None:
        """Raises IndexCorruptError where the records are not those that the arrays were made of."""
        if not all(self.fits(document, self.records.get(document)) for document in range(self.documents)):
            reason = f"holds other records than {ARRAYS_NAME}"
            raise IndexCorruptError(str(self.folder / f"{RECORDS}.arrays"), reason, REBUILD)

    def _check_tables_of_contents(self) -> None:
        """Whoosh's tables hold pickles: searching here never loads them, but a foreign one means a foreign index."""
        with reading(self.folder):
            tables = [path for path in self.folder.iterdir() if path.name.endswith(".toc")]
            odd = next((path for path in tables if not path.is_file()), None)
            if odd:  # opening a pipe would wait for ever
                raise IndexCorruptError(str(odd), "is no regular file", REBUILD)
            foreign = [path for path in tables if not self.manifest.has(path)]
        if foreign:
            self._refuse_foreign_segment()
            raise IndexCorruptError(str(foreign[0]), "is not as it was built", REBUILD)

    def _refuse_foreign_segment(self) -> None:
        """Raises UntrustedIndexError where Whoosh's table of contents holds what none of ours would."""
        from codesearch.index.segment import open_segment

        try:
            open_segment(self.folder, self.settings)
        except UntrustedIndexError:
            raise
        except IndexUnusableError:
            return

    @cached_property
    def terms(self) -> dict[str, int]:
        """Term -> its number, in the order of the terms' bytes."""
        return {term: number for number, term in enumerate(self.term_list)}

    @cached_property
    def _used(self) -> bytes:
        """Of each term, whether an entry or a scored section holds it."""
        return (self.arrays["term.frequency"] > 0).tobytes()

    def used(self, term: str) -> int | None:
        """A term's number; None where no entry and no scored section holds it."""
        number = self.terms.get(term)
        return number if number is not None and self._used[number] else None

    def all_used(self, terms: Iterable[str]) -> tuple[int, ...] | None:
        """The numbers of several terms, each once and in order; None where one of them is not used."""
        numbers = {self.used(term) for term in terms}
        return None if None in numbers else tuple(sorted(number for number in numbers if number is not None))

    @cached_property
    def term_list(self) -> list[str]:
        """The terms in order."""
        return Strings(self.arrays, "term").all()

    @cached_property
    def words(self) -> Strings:
        """The words of all texts as they are written (folded), in order."""
        return Strings(self.arrays, "word")

    def learn(self) -> None:
        """Keeps names, codes and the terms of all words in memory, for users who will search much.

        That is 15 MB for all official code sets.
        """
        self.names.learn()
        self.codes.learn()
        numbers = self.arrays["word.term"].tolist()
        self.analyzer.learn(zip(self.words.all(), [self.term_list[number] for number in numbers], strict=True))

    @cached_property
    def idf(self) -> npt.NDArray[np.float32]:
        """The weight of each term by its rarity."""
        return idf(self.arrays["term.frequency"], self.documents)

    @cached_property
    def billable_below(self) -> npt.NDArray[np.int64]:
        """How many billable codes lie below each document, on all levels."""
        values, parent = self.keywords["billable"], self.arrays["parent"]
        counts = np.zeros(self.documents, np.int64)
        billable = values.index("yes") if "yes" in values else len(values)
        above = parent[self.arrays["keyword.billable"] == billable]
        for _ in range(DEEPEST):
            above = above[above >= 0]
            counts += np.bincount(above, minlength=self.documents)
            above = parent[above]
        return counts

    @cached_property
    def expansions(self) -> Expansions:
        """What is searched as well when some terms are typed."""
        return self._expansion_file.table()

    def _system_slices(self) -> dict[str, tuple[int, int]]:
        """System -> the slice of documents that holds its codes."""
        numbers = self.arrays["keyword.system"]
        slices = {}
        starts = np.flatnonzero(np.diff(numbers.astype(np.int64), prepend=-1)).tolist()
        for start, end in pairwise([*starts, self.documents]):
            slices[self.keywords["system"][int(numbers[start])]] = (start, end)
        return slices

    def keyword(self, name: str, document: int) -> str:
        """A keyword field's value of a document; empty where it has none."""
        values, numbers = self._keyword_columns[name]
        return values[numbers[document]]

    def facts(self, document: int) -> tuple[str, str, bool | None, str | None]:
        """What is told of every code: its system and kind, whether it may be billed, and its release; None where no
        source says."""
        systems, system, kinds, kind, billables, billable, releases, release = self._fact_columns
        return (
            systems[system[document]], kinds[kind[document]],
            billables[billable[document]], releases[release[document]],
        )  # fmt: skip

    @cached_property
    def _fact_columns(self) -> tuple[Any, ...]:
        """The values of each of these, and of each document the number of its value."""
        (systems, system), (kinds, kind), (billables, billable), (releases, release) = (
            self._keyword_columns[name] for name in ("system", "kind", "billable", "release")
        )
        told = [_BILLABLE.get(value) for value in billables]
        return systems, system, kinds, kind, told, billable, [value or None for value in releases], release

    @cached_property
    def _keyword_columns(self) -> dict[str, tuple[list[str], memoryview]]:
        """The values of each keyword field, and of each document the number of its value."""
        return {name: (values, self.arrays[f"keyword.{name}"].data) for name, values in self.keywords.items()}

    def prefix_slice(self, system: str, prefix: str) -> tuple[int, int]:
        """The documents of a system whose codes begin with a bare prefix: a slice (start, end)."""
        return self.range_slice(system, prefix, prefix)

    def range_slice(self, system: str, first: str, last: str) -> tuple[int, int]:
        """The documents of a system from a bare code to another; all codes that begin with the last are in it."""
        if system not in self.systems:
            return 0, 0
        start, _ = self.systems[system]
        codes = self.arrays["bare"][start : start + self._coded(system)]
        # Longer than the table's codes, a bound would have numpy copy the whole table to compare it.
        low = np.searchsorted(codes, _encoded(first)[:CODE_BYTES], "left")
        end = _encoded(last)[:CODE_BYTES]
        if len(end) < CODE_BYTES:
            high = np.searchsorted(codes, end + b"\x7f", "left")
        else:
            high = np.searchsorted(codes, end, "right")
        return start + int(low), start + int(high)

    def _coded(self, system: str) -> int:
        """How many records of a system have a code: those without stand last, and have an empty bare code."""
        count = self._coded_counts.get(system)
        if count is None:
            codes = self.arrays["bare"][slice(*self.systems[system])]
            count = self._coded_counts[system] = int(np.count_nonzero(codes != b""))
        return count

    def find(self, system: str, code: str) -> int | None:
        """The document of a code in any spelling; None where the index has none."""
        wanted = bare(code)
        encoded = _encoded(wanted)
        start, end = self.prefix_slice(system, encoded[:CODE_BYTES].decode(errors="ignore"))
        # Codes stand in order, so it is the first, unless it is so long that the table holds only its beginning.
        last = end if len(encoded) >= CODE_BYTES else min(end, start + 1)
        return next((document for document in range(start, last) if bare(self.codes[document]) == wanted), None)

    def close(self) -> None:
        """Closes the files, as happens too when nobody holds the reader any more; memory maps go with the object."""
        self._close()


def _broken_text(error: UnicodeDecodeError) -> IndexCorruptError:
    return IndexCorruptError(ARRAYS_NAME, f"holds a text that is no UTF-8 ({error})", REBUILD)


def _encoded(typed: str) -> bytes:
    """A code as the tables hold it; half of a character, as a shell may pass it, becomes what no table holds."""
    return typed.encode("utf-8", "surrogatepass")
