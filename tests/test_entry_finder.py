"""The entries that hold all that is wanted: none too many, none missing, and in the documented order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_support import ANALYZER, PLAIN, cm, header, reader_of
from random_corpora import WORDS, corpora, large_corpus

from codesearch.index.fields import title_texts
from codesearch.index.reader import IndexReader
from codesearch.query import entry_finder
from codesearch.query.entry_finder import EntryFinder, Wanted
from codesearch.records import CodeRecord

FIELDS = PLAIN.fields.title
DEFAULTS = [[ANALYZER.term(word) for word in words] for words in (["unspecified"], ["nos"], ["not", "specified"])]


class Entry(NamedTuple):
    """An entry as the tests read it: its terms place by place, and those that stand outside of parentheses."""

    record: CodeRecord
    field: int
    places: list[set[str]]
    essential: set[str]

    def count(self, term: str) -> int:
        """How often a term stands in it."""
        return sum(term in terms for terms in self.places)


def read(records: Sequence[CodeRecord]) -> list[Entry]:
    """The entries of records that stand in the order of documents."""
    return [Entry(record, field, *terms_of(text)) for record in records for field, text in title_texts(record, FIELDS)]


def terms_of(text: str) -> tuple[list[set[str]], set[str]]:
    """The terms of a text place by place, hyphenated words joined as well, and the essential ones."""
    places: list[set[str]] = []
    single: set[str] = set()
    essential: set[str] = set()
    depth = 0
    for piece in re.findall(r"[()]|[\w-]+", text):
        if piece in "()":
            depth += 1 if piece == "(" else -1
            continue
        parts = ANALYZER.terms(piece)
        single |= set(parts)
        essential |= set(parts) if not depth else set()
        places += [{part} for part in parts]
        if "-" in piece:
            places[-len(parts)].add(ANALYZER.term(piece.replace("-", "").lower()))
    return places, essential or single


def key(entry: Entry, wanted: Sequence[set[str]]) -> tuple[int, ...]:
    """The place of an entry in the documented order, but for its number."""
    defaults = [words for words in DEFAULTS if all(entry.count(word) for word in words)]
    return (
        entry.record.terminated is not None,
        sum(not terms & entry.essential for terms in wanted),
        max(1, len(entry.essential) - sum(map(len, defaults))),
        not (entry.places and entry.places[0] & wanted[0]),
        entry.record.billable is False,
        entry.field,
        not defaults,
    )


def expected(records: Sequence[CodeRecord], wanted: Sequence[set[str]], is_open: bool) -> list[int]:
    """The numbers of the entries that hold a term of each, in order; the last word is another than those before."""
    earlier = set().union(*wanted[:-1]) if is_open else set()
    found = []
    for number, entry in enumerate(read(records)):
        held = [{term for term in terms if entry.count(term)} for terms in wanted]
        held[-1] = {term for term in held[-1] if term not in earlier or entry.count(term) > 1}
        if all(held) and entry.record.kind != "chapter":
            found.append((key(entry, held), number))
    return [number for _, number in sorted(found)]


def search(reader: IndexReader, wanted: Sequence[set[str]], is_open: bool) -> list[int]:
    """The numbers of the entries that are found, each once."""
    parts = [Wanted(ranges(reader, terms)) for terms in wanted]
    parts[-1] = parts[-1]._replace(is_beginning=is_open)
    return list(dict.fromkeys(EntryFinder(reader).best(parts, (0, reader.documents), None)))


def ranges(reader: IndexReader, terms: set[str]) -> tuple[range, ...]:
    """The numbers of terms, each as a range of its own."""
    return tuple(range(number, number + 1) for number in sorted(reader.terms[term] for term in terms))


def asked(reader: IndexReader, words: Sequence[str], beginning: str) -> list[set[str]]:
    """The terms of some words and of a beginning of one; nothing where the index lacks one of them."""
    wanted = [{ANALYZER.term(word)} for word in dict.fromkeys(words)]
    if beginning:
        wanted.append({term for term in reader.terms if term.startswith(beginning)})
    offsets = reader.arrays["title.offsets"]
    known = {term for term, number in reader.terms.items() if offsets[number] < offsets[number + 1]}
    wanted = [terms & known for terms in wanted]
    return wanted if all(wanted) else []


@settings(max_examples=60, deadline=None)
@given(corpora(), st.lists(st.sampled_from(["kidney", "acute", "left", "unspecified", "2"]), max_size=2), st.data())
def test_the_entries_are_those_that_hold_all_in_the_documented_order(
    records: list[CodeRecord], words: list[str], data: st.DataObject
) -> None:
    beginning = data.draw(st.sampled_from(WORDS)).lower()[: data.draw(st.integers(0 if words else 1, 4))]
    with reader_of(records) as reader:
        wanted = asked(reader, words, beginning)
        if wanted:
            is_open = bool(beginning)
            assert search(reader, wanted, is_open) == expected(records, wanted, is_open)


@pytest.mark.parametrize("beginning", ["b", "k", "ba", "unspec", "p", "x"])
def test_blocks_give_what_sorting_everything_gives(beginning: str, monkeypatch: pytest.MonkeyPatch) -> None:
    records = large_corpus(3, 2000)
    with reader_of(records) as reader:
        wanted = asked(reader, [], beginning)
        everything = search(reader, wanted, True)
        monkeypatch.setattr(entry_finder, "_FEW_POSTINGS", 0)
        assert search(reader, wanted, True) == everything == expected(records, wanted, True)


def test_blocks_are_not_needed_by_few_postings_of_many_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_finder, "_FEW_POSTINGS", 0)
    records = [cm(f"A{number:02}", f"Word{chr(97 + number)}") for number in range(20)]
    with reader_of(records) as reader:
        assert len(search(reader, [set(reader.term_list)], True)) == 20


def test_filters_leave_the_order_as_it_is() -> None:
    records = large_corpus(4, 500)
    with reader_of(records) as reader:
        wanted = asked(reader, [], "b")
        everything = search(reader, wanted, True)
        documents = reader.arrays["title.documents"]
        allowed = np.arange(reader.documents) % 3 == 0
        found = EntryFinder(reader).best([Wanted(ranges(reader, wanted[0]))], (100, 400), allowed)
        kept = [entry for entry in everything if 100 <= documents[entry] < 400 and allowed[documents[entry]]]
        assert list(dict.fromkeys(found)) == kept


def test_an_index_without_words_has_no_entries_to_find() -> None:
    with reader_of([header("A00", "---")]) as reader:
        assert list(EntryFinder(reader).best([Wanted(())], (0, 1), None)) == []
