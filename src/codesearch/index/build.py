"""Records to the files of a generation: postings and tables, the record file, and the Whoosh segment over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from codesearch.codes import order_key
from codesearch.index.arrays import ARRAYS_NAME, ArrayWriter
from codesearch.index.expansions import Found, rule_table, write_expansions
from codesearch.index.inversion import Beginning, Inverted, Made, Task, Words, begin, end, invert_part, words_of
from codesearch.index.limits import LEAST_MASS, NONESSENTIAL
from codesearch.index.postings import Run, layout
from codesearch.index.ranking import idf
from codesearch.index.record_file import MergedRecord, RecordWriter, StoredRecord
from codesearch.index.segment import write_segment
from codesearch.index.settings import IndexSettings
from codesearch.index.spelling import neighbourhood
from codesearch.index.tables import ancestor_postings, document_frequencies, document_tables, strings
from codesearch.processes import Crew
from codesearch.records import CodeRecord

Array = npt.NDArray[Any]
Listener = Callable[[int], None]
Part = TypeVar("Part")

_MASS_STEP = 2.0**-24
"""What the weights of terms are rounded to before they are summed; most of them have no finer part."""


def sort_key(stored: StoredRecord) -> tuple[int, str, str, str]:
    """The order of documents: (system, code), records without a code by name."""
    record = stored.record
    return (*order_key(record.system, record.code), record.name)


def write_index(
    folder: Path,
    parts: Iterable[Part],
    settings: IndexSettings,
    make: Callable[[Part], Iterable[StoredRecord | MergedRecord]],
    progress: Listener | None = None,
    crew: Crew | None = None,
) -> list[CodeRecord]:
    """Writes everything but the manifest; equal input gives equal bytes, whatever the number of processes.

    Args:
        folder: where to.
        parts: what records are made of, so many together as are worth sending to another process; taken one by one and
            forgotten.
        settings: what the index is built with.
        make: gives the records of a part. All of them are in the order of `sort_key`.
        progress: called with the number of records that are done, as they are.
        crew: the processes that make records and invert them; this one alone when None.

    Returns:
        The records that bear warnings.

    Raises:
        IndexUnusableError: a file cannot be written.
    """
    crew = crew or Crew(1)
    warned: list[CodeRecord] = []
    with (
        ThreadPoolExecutor(2) as beside,
        RecordWriter(folder) as writer,
        ArrayWriter(folder / ARRAYS_NAME) as arrays,
    ):

        def take(made: Made) -> None:
            writer.add(made.lines)
            warned.extend(made.warned)

        rules = beside.submit(rule_table, settings)  # while this process waits for others, or for the disk
        inversion = _invert(parts, settings, make, crew, beside, take, progress)
        title = beside.submit(inversion.layout, inversion.titles)
        found = Found(rules.result(), [inverted.initials for inverted in inversion.parts], inversion.terms)
        expansions = crew.ask(partial(write_expansions, folder), found)
        _write_arrays(arrays, inversion, title.result, settings, crew, beside)
    expansions()
    write_segment(folder, settings, inversion.documents)
    return warned


def as_they_are(records: Iterable[StoredRecord]) -> Iterable[StoredRecord]:
    """For `write_index` without other processes: makes the records of parts that are records already.

    On their way to another process records lose what JSON leaves out by: that a field is the empty default itself.
    """
    return records


class _Inversion(NamedTuple):
    """All parts inverted, and the words of all processes together."""

    parts: list[Inverted]
    firsts: list[int]
    """The number of the first document of each part."""
    documents: int
    tables: Callable[[], tuple[dict[str, Array], dict[str, list[str]]]]
    """Gives what `document_tables` makes of the parts, in a thread, as numpy lets threads work at once."""
    terms: list[str]
    """In the order of their bytes."""
    words: dict[str, int]
    """Words as written, in order, with the place of their terms."""
    ranks: dict[int, npt.NDArray[np.int32]]
    """By process, the place among all terms of each number in its vocabulary."""

    @property
    def titles(self) -> list[Run]:
        """The titles of each part."""
        return [inverted.title for inverted in self.parts]

    def layout(self, runs: Sequence[Run]) -> dict[str, Array]:
        """The postings of a run of each part."""
        return layout(runs, self.firsts, self.part_ranks(), len(self.terms))

    def part_ranks(self) -> list[npt.NDArray[np.int32]]:
        """The ranks of the vocabulary of each part."""
        return [self.ranks[inverted.owner] for inverted in self.parts]


def _invert(
    parts: Iterable[Part],
    settings: IndexSettings,
    make: Callable[[Part], Iterable[StoredRecord | MergedRecord]],
    crew: Crew,
    beside: Executor,
    take: Callable[[Made], None],
    progress: Listener | None,
) -> _Inversion:
    build = uuid4().hex
    # Thousands of synonym rules would be sent to every process, and none of them needs one.
    crew.each(begin, Beginning(build, settings._replace(rules=()), make))
    inverted: list[Inverted] = []
    firsts: list[int] = []
    documents = 0
    for made in crew.ordered(invert_part, (Task(build, part) for part in parts)):
        inverted.append(made.inverted)
        firsts.append(documents)
        documents += len(made.inverted.columns.ended)
        take(made)
        if progress:
            progress(documents)
    tables = beside.submit(document_tables, [one.columns for one in inverted], settings.fields)
    return _Inversion(
        inverted, firsts, documents, tables.result, *_all_words(list(map(words_of, crew.each(end, build))))
    )


def _all_words(vocabularies: Sequence[Words]) -> tuple[list[str], dict[str, int], dict[int, npt.NDArray[np.int32]]]:
    """The terms and words of all processes, which do not depend on who saw which."""
    # Texts compare as their UTF-8 does.
    terms = sorted({term for words in vocabularies for term in words.terms})
    places = {term: place for place, term in enumerate(terms)}
    ranks = {words.owner: [places[term] for term in words.terms] for words in vocabularies}
    of_word = {word: ranks[words.owner][number] for words in vocabularies for word, number in words.of_word.items()}
    numbers = {owner: np.array(rank, np.int32) for owner, rank in ranks.items()}
    return terms, {word: of_word[word] for word in sorted(of_word)}, numbers


def _write_arrays(
    file: ArrayWriter,
    inversion: _Inversion,
    title: Callable[[], dict[str, Array]],
    settings: IndexSettings,
    crew: Crew,
    beside: Executor,
) -> None:
    """Writes the arrays, each when it is made, and what stands beside them; `title` gives the postings of titles."""
    terms = inversion.terms
    counted = [inverted.frequencies for inverted in inversion.parts]
    frequencies = document_frequencies(len(terms), counted, inversion.part_ranks())
    words = crew.ask(word_tables, WrittenWords(inversion.words, frequencies))
    tables, keyword_values = inversion.tables()
    file.meta = {"documents": inversion.documents, "keywords": keyword_values}
    file.add(tables)
    postings = title()
    own_words = [inversion.words[word] for word in settings.ranking.own_words if word in inversion.words]
    ancestors = beside.submit(ancestor_postings, postings, tables["parent"], len(terms), own_words)
    mass = entry_mass(inversion.titles, inversion.part_ranks(), idf(frequencies, inversion.documents))
    file.add(_named("title", postings | {"mass": mass}))
    file.add(_named("section", inversion.layout([inverted.sections for inverted in inversion.parts])))
    file.add(strings(terms, "term") | {"term.frequency": frequencies})
    file.add(words())
    file.add(_named("ancestor", ancestors.result()))


def _named(part: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {f"{part}.{name}": array for name, array in arrays.items()}


class WrittenWords(NamedTuple):
    """Words as written, in order, with the place of their terms, and in how many documents each term stands."""

    terms: dict[str, int]
    frequencies: Array


def word_tables(words: WrittenWords) -> dict[str, Array]:
    """The words as written, with the term of each, and the table by which a misspelt one is found."""
    terms = np.array(list(words.terms.values()), np.int32)
    is_known = (words.frequencies[terms] > 0).tolist()
    known = [word if stands else "" for word, stands in zip(words.terms, is_known, strict=True)]
    near = {f"near.{name}": array for name, array in neighbourhood(known).items()}
    return {**strings(list(words.terms), "word"), "word.term": terms, **near}


def entry_mass(
    runs: Sequence[Run], ranks: Sequence[npt.NDArray[np.int32]], term_idf: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The idf of an entry's essential terms, each once, summed: what a query must cover to cover the entry.

    Takes the places of the terms of each run among all terms, as `layout` does.
    """
    # Whole numbers add up to the same in any order, and that of a run's terms is not the same in every process.
    weights = np.rint(term_idf.astype(np.float64) / _MASS_STEP)
    parts: list[Array] = [np.zeros(0, np.float32)]
    for run, rank in zip(runs, ranks, strict=True):
        own = np.repeat(weights[rank[run.terms]], run.counts) * (run.weights < NONESSENTIAL)
        mass = np.bincount(run.entries, own, len(run.documents)) * _MASS_STEP
        parts.append(np.maximum(mass, LEAST_MASS).astype(np.float32))
    return np.concatenate(parts)
